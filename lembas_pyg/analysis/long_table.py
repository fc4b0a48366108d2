"""Long tables of a screen: blocks of arrays in, medians over members out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lembas_pyg.analysis.perturbed import Screen

__all__ = ["LongTable", "mean_of_known", "median_of_members", "spread_of_members"]


class LongTable:
    """A row a condition, perturbation and TF; filled by blocks of perturbations.

    Args:
        screen: Members, conditions and TFs.
        names: Of the perturbations.
        by_member: Whether an ensemble has rows for each member in place of medians.
    """

    def __init__(self, screen: Screen, names: Sequence[str], by_member: bool) -> None:
        self._screen, self._names, self._by_member = screen, list(names), by_member
        self._shape: tuple[int, ...] = len(screen.conditions), len(names), len(screen.tfs)
        if by_member:
            self._shape = len(screen.members), *self._shape
        self._values: dict[str, np.ndarray] = {}

    def put(self, block: slice, values: Mapping[str, np.ndarray], spread_of: str) -> None:
        """Fill in some perturbations.

        Args:
            block: Which ones.
            values: Columns ``[M, C, block, T]``.
            spread_of: The column whose standard deviation over the members is kept as `spread`.
        """
        for name, value in values.items():
            if not self._by_member:
                value = median_of_members(value) if self._screen.is_ensemble else value[0]
            self._column(name)[..., block, :] = value
        if self._screen.is_ensemble and not self._by_member:
            self._column("spread")[..., block, :] = spread_of_members(values[spread_of])

    def _column(self, name: str) -> np.ndarray:
        if name not in self._values:
            self._values[name] = np.empty(self._shape)
        return self._values[name]

    def table(self) -> pd.DataFrame:
        """The table; names are categories, which take a number a row instead of a text."""
        axes: dict[str, Sequence[str | int]] = {
            "condition": self._screen.conditions,
            "node": self._names,
            "tf": self._screen.tfs,
        }
        if self._by_member:
            axes = {"member": range(len(self._screen.members))} | axes
        columns: dict[str, object] = {}
        for position, (name, entries) in enumerate(axes.items()):
            along = [1] * len(self._shape)
            along[position] = -1
            code = np.arange(len(entries), dtype=np.int32).reshape(along)
            codes = np.broadcast_to(code, self._shape).reshape(-1)
            columns[name] = (
                codes if name == "member" else pd.Categorical.from_codes(codes, list(entries))
            )
        values = {name: value.reshape(-1) for name, value in self._values.items()}
        return pd.DataFrame(columns | values, copy=False)


def median_of_members(values: np.ndarray) -> np.ndarray:
    """Median along the first axis, NaN left out; NaN without any."""
    count = (~np.isnan(values)).sum(axis=0, keepdims=True)
    ordered = np.sort(values, axis=0)  # NaN last
    low, high = (np.clip(middle, 0, len(values) - 1) for middle in ((count - 1) // 2, count // 2))
    first, second = (np.take_along_axis(ordered, middle, axis=0)[0] for middle in (low, high))
    return np.where(count[0] > 0, (first + second) / 2, np.nan)


def spread_of_members(values: np.ndarray) -> np.ndarray:
    """Standard deviation along the first axis, NaN left out; NaN with fewer than two."""
    count = (~np.isnan(values)).sum(axis=0)
    squares = np.nansum((values - mean_of_known(values, axis=0)) ** 2, axis=0)
    return np.where(count > 1, np.sqrt(squares / (count - 1).clip(min=1)), np.nan)


def mean_of_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean along an axis, NaN left out; NaN without any."""
    count = (~np.isnan(values)).sum(axis=axis)
    return np.where(count > 0, np.nansum(values, axis=axis) / count.clip(min=1), np.nan)
