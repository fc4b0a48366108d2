"""Long tables of every condition, item and TF, made of blocks; items are nodes, pairs or edges.

A block is some items under some conditions. Every member answers it, what they say is put together,
and only then comes the next: memory holds the table and one block of all members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from torch import Tensor

from lembas_pyg.analysis.members import agreement, known, median, spread
from lembas_pyg.analysis.question import Inquiry, Question

__all__ = ["Answer", "blocks_of", "long_table"]

# Numbers of some items under the conditions of a question: column of the table ->
# ``[items, TFs, conditions]``.
Answer = Callable[[Question, slice], Mapping[str, Tensor]]


def long_table(
    inquiry: Inquiry,
    items: Mapping[str, list[str]],
    answer: Answer,
    of: str,
    *,
    num_items: int | None = None,
    num_conditions: int | None = None,
    by_member: bool = False,
    strongest: bool = False,
) -> pd.DataFrame:
    """Ask every member, block by block; warns of what was not found.

    Args:
        inquiry: Members, conditions and TFs.
        items: Columns that name the items, such as `node`.
        answer: Called for every member and block.
        of: The column that matters most: `spread`, `members` and `agree` of an ensemble are of it.
        num_items: Items of a block; all if None.
        num_conditions: Conditions of a block; all if None.
        by_member: Whether an ensemble has rows for each member in place of medians.
        strongest: Whether to keep of each item and TF only the condition with the largest absolute
            value of `of`.

    Returns:
        The table; (member by member,) condition by condition, item by item, TF by TF.
    """
    by_member &= inquiry.is_ensemble
    size = len(next(iter(items.values())))
    table = (_Strongest if strongest else _Whole)(inquiry, size, by_member, of)
    for part in blocks_of(size, num_items):
        for conditions in blocks_of(len(inquiry.conditions), num_conditions):
            values = _answers(inquiry, answer, part, conditions, by_member)
            if not inquiry.is_ensemble:
                values = {name: value[0] for name, value in values.items()}
            elif not by_member:
                values = _together(values, of)
            table.put(part, conditions, values)
    inquiry.failures.warn()
    return table.frame(items)


def blocks_of(size: int, width: int | None) -> Iterator[slice]:
    """Slices of a width, at least 1, that make a whole."""
    width = size if width is None else max(1, width)
    for first in range(0, size, width):
        yield slice(first, min(first + width, size))


def _answers(
    inquiry: Inquiry, answer: Answer, items: slice, conditions: slice, everyone: bool
) -> dict[str, np.ndarray]:
    """Numbers of members ``[M, conditions, items, T]``; NaN where one is not asked.

    Who is asked about none of the conditions is left out, unless it is to be `everyone`.
    """
    found: dict[str, list[np.ndarray]] = {}
    width, absent = conditions.stop - conditions.start, []
    for question in inquiry.questions:
        first, last = np.searchsorted(question.columns, [conditions.start, conditions.stop])
        if first == last:
            absent.append(question.number)
            continue
        part = question.under(slice(first, last))
        for name, value in answer(part, items).items():
            numbers = np.moveaxis(value.cpu().numpy(), -1, 0)
            if last - first < width:
                numbers = _spread_out(numbers, [c - conditions.start for c in part.columns], width)
            found.setdefault(name, []).append(numbers)
    for values in found.values():
        for number in absent if everyone else ():
            values.insert(number, np.full_like(values[0], np.nan))
    return {n: v[0][None] if len(v) == 1 else np.stack(v) for n, v in found.items()}


def _spread_out(values: np.ndarray, columns: list[int], width: int) -> np.ndarray:
    """Numbers of some conditions among those of a block, NaN for the others."""
    whole = np.full((width, *values.shape[1:]), np.nan)
    whole[columns] = values
    return whole


def _together(parts: Mapping[str, np.ndarray], of: str) -> dict[str, np.ndarray]:
    """Medians of all columns; of one the spread, and how many know and agree."""
    values = {name: median(value) for name, value in parts.items()}
    return values | {
        "spread": spread(parts[of]),
        "members": known(parts[of]),
        "agree": agreement(parts[of], values[of]),
    }


class _Whole:
    """A row a condition, item and TF."""

    def __init__(self, inquiry: Inquiry, size: int, by_member: bool, of: str) -> None:
        self._inquiry, self._by_member = inquiry, by_member
        self._shape: tuple[int, ...] = len(inquiry.conditions), size, len(inquiry.tfs)
        if by_member:
            self._shape = len(inquiry.questions), *self._shape
        self._numbers: dict[str, np.ndarray] = {}

    def put(self, items: slice, conditions: slice, values: Mapping[str, np.ndarray]) -> None:
        """Fill in a block of numbers ``[(M,) conditions, items, T]``."""
        for name, value in values.items():
            self._column(name, value.dtype)[..., conditions, items, :] = value

    def _column(self, name: str, dtype: np.dtype) -> np.ndarray:
        if name not in self._numbers:
            self._numbers[name] = np.empty(self._shape, dtype)
        return self._numbers[name]

    def frame(self, items: Mapping[str, list[str]]) -> pd.DataFrame:
        """The table; names are categories, which take a hundredth of the memory of texts."""
        return self._frame(items, *np.ogrid[tuple(map(slice, self._shape))])

    def _frame(self, items: Mapping[str, list[str]], *rows: np.ndarray) -> pd.DataFrame:
        *member, condition, item, tf = rows

        def column(names: list[str], row: np.ndarray) -> pd.Categorical:
            categories = pd.Categorical(names, categories=list(dict.fromkeys(names)))
            codes = np.broadcast_to(categories.codes[row], self._shape).reshape(-1)
            return pd.Categorical.from_codes(codes, dtype=categories.dtype)

        found: dict[str, object] = {}
        if member:
            number = member[0].astype(np.int32)
            found["member"] = np.broadcast_to(number, self._shape).reshape(-1)
        found["condition"] = column(self._inquiry.conditions, condition)
        found |= {name: column(names, item) for name, names in items.items()}
        found["tf"] = column(self._inquiry.tfs, tf)
        found |= {name: value.reshape(-1) for name, value in self._numbers.items()}
        return pd.DataFrame(found, copy=False)


class _Strongest(_Whole):
    """A row an item and TF, that of the condition with the largest absolute value of a column."""

    def __init__(self, inquiry: Inquiry, size: int, by_member: bool, of: str) -> None:
        super().__init__(inquiry, size, by_member, of)
        self._of = of
        self._shape = *self._shape[:-3], *self._shape[-2:]
        self._largest = np.full(self._shape, -np.inf)
        self._where = np.zeros(self._shape, dtype=np.int64)

    def put(self, items: slice, conditions: slice, values: Mapping[str, np.ndarray]) -> None:
        for i, condition in enumerate(range(conditions.start, conditions.stop)):
            size = np.nan_to_num(np.abs(values[self._of][..., i, :, :]), nan=-1.0)
            larger = size > self._largest[..., items, :]
            self._largest[..., items, :][larger] = size[larger]
            self._where[..., items, :][larger] = condition
            for name, value in values.items():
                kept = self._column(name, value.dtype)
                kept[..., items, :][larger] = value[..., i, :, :][larger]

    def frame(self, items: Mapping[str, list[str]]) -> pd.DataFrame:
        *member, item, tf = np.ogrid[tuple(map(slice, self._shape))]
        return self._frame(items, *member, self._where, item, tf)
