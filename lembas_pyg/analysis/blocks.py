"""What analyses of all TFs and conditions share: what is asked, and long tables made of blocks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members, as_list, prepare

__all__ = ["Block", "Question", "ask", "collect", "collect_strongest", "together"]


class Block(NamedTuple):
    """Some conditions of a table that may be too long to be made at once.

    Attributes:
        conditions: Which conditions, as columns of the whole.
        values: Column of the table -> its numbers ``[items, TFs, conditions]``.
    """

    conditions: slice
    values: dict[str, Tensor]


class Question(NamedTuple):
    """A model, the steady states of some conditions, and the TFs that are asked about.

    Attributes:
        model: In float64, with the tolerance of the solve.
        x: Stimuli ``[N, S]``.
        point: Steady states.
        tfs: Positions of the TFs among those of the model.
        condition_names: Names of the conditions.
        tf_names: Accessions of the TFs.
    """

    model: LEMBAS
    x: Tensor
    point: FixedPoint
    tfs: Tensor
    condition_names: list[str]
    tf_names: list[str]

    def activity(self, point: FixedPoint | None = None) -> Tensor:
        """TF activities at the steady states or others; NaN where there is none ``[T, S]``."""
        point = self.point if point is None else point
        y = self.model.output(point.value)[self.tfs]
        return y.masked_fill(~point.converged, torch.nan)

    def raw_state(self) -> Tensor:
        """Input of every node before its activation ``[N, S]``."""
        model = self.model
        signal = model.operator.propagate(model.conv.edge_weight, self.point.value)
        return signal + model.input(self.x) + model.conv.bias

    def warn_no_adjoint(self, converged: Tensor) -> None:
        """Warn once of all TFs and conditions whose adjoint did not converge ``[T, S]``."""
        failed = (~converged).nonzero().tolist()
        if failed:
            shown = ", ".join(
                f"{self.tf_names[t]} under {self.condition_names[s]}" for t, s in failed[:5]
            )
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            warnings.warn(
                f"The derivatives of {len(failed)} of {converged.numel()} TFs and conditions did "
                f"not converge: {shown}{more}. They are blank. Such a steady state is unstable or "
                f"very slow; raise max_steps, or train with a spectral term.",
                stacklevel=3,
            )


def ask(
    model: LEMBAS | Members,
    data: Data,
    conditions: Iterable[str] | str | None,
    tfs: Iterable[str] | str | None,
    tol: float,
    max_steps: int,
) -> list[Question]:
    """Steady states of every member, and what is asked of them by position; warns of none."""
    members = [model] if isinstance(model, LEMBAS) else list(model.models)
    known = [members[0].node_name[i] for i in members[0].tf_index.tolist()]
    names = known if tfs is None else as_list(tfs)
    if not names:
        raise ValueError("No TF was named; leave `tfs` out to take all.")
    strangers = [name for name in names if name not in known]
    if strangers:
        node_index(data, strangers)  # has more to say of what is no node at all
        raise ValueError(
            f"'{strangers[0]}' is not a TF of this network; TFs are {', '.join(known[:10])}"
            f"{' ...' if len(known) > 10 else ''}."
        )
    wanted = None if conditions is None else as_list(conditions)
    found = []
    for member in members:
        exact, columns = prepare(member, data, wanted, tol, max_steps)
        x = data.x[:, list(columns.values())].to(exact.conv.bias.dtype)
        with torch.no_grad():
            point = exact.steady_state(x)
        warn_not_converged(point, tol, {name: i for i, name in enumerate(columns)})
        positions = torch.tensor([known.index(name) for name in names], device=x.device)
        found.append(Question(exact, x, point, positions, list(columns), names))
    return found


def together(parts: Sequence[Iterator[Block]], of: str) -> Iterator[Block]:
    """What the members say together, block by block: medians, and the spread of one column.

    Args:
        parts: Blocks of every member; those of the only one stay as they are.
        of: Column of which `spread`, the standard deviation over members, is added.
    """
    if len(parts) == 1:
        yield from parts[0]
        return
    for blocks in zip(*parts, strict=True):
        values = {}
        for name in blocks[0].values:
            members = torch.stack([block.values[name] for block in blocks])
            values[name] = _median(members)
            if name == of:
                values["spread"] = _spread(members)
        values["spread"] = values.pop("spread")  # to the end
        yield Block(blocks[0].conditions, values)


def _spread(members: Tensor) -> Tensor:
    """Standard deviation over the first dimension without NaN; NaN of fewer than two."""
    known = ~members.isnan()
    number = known.sum(dim=0)
    off = (members - members.nanmean(dim=0)).masked_fill_(~known, 0.0)
    spread = (off.square().sum(dim=0) / (number - 1).clamp(min=1)).sqrt()
    return spread.masked_fill_(number < 2, torch.nan)


def _median(members: Tensor) -> Tensor:
    """Median over the first dimension without NaN; the mean of the middle two of an even number."""
    ordered = members.sort(dim=0).values  # NaN last
    number = members.isnan().logical_not_().sum(dim=0, keepdim=True)
    low = ordered.gather(0, ((number - 1) // 2).clamp(min=0))
    return ((low + ordered.gather(0, (number // 2).clamp(max=len(members) - 1))) / 2).squeeze(0)


def collect(
    blocks: Iterable[Block], question: Question, items: dict[str, list[str]]
) -> pd.DataFrame:
    """The long table; condition by condition, item by item, TF by TF.

    Args:
        blocks: All blocks.
        question: For the names of conditions and TFs.
        items: Columns that name what is between them, such as the node.
    """
    num_items = len(next(iter(items.values())))
    shape = len(question.condition_names), num_items, len(question.tf_names)
    numbers: dict[str, np.ndarray] = {}
    for block in blocks:
        for name, value in block.values.items():
            if name not in numbers:
                numbers[name] = np.empty(shape)
            numbers[name][block.conditions] = value.permute(2, 0, 1).cpu().numpy()
    rows = np.broadcast_arrays(*np.ogrid[tuple(map(slice, shape))])
    return _table(rows, question, items, numbers)


def collect_strongest(
    blocks: Iterable[Block], question: Question, items: dict[str, list[str]], by: str
) -> pd.DataFrame:
    """Of each item and TF the row of the condition with the largest absolute value of `by`."""
    shape = len(next(iter(items.values()))), len(question.tf_names)
    largest, where = np.full(shape, -np.inf), np.zeros(shape, dtype=np.int64)
    numbers: dict[str, np.ndarray] = {}
    for block in blocks:
        for i, condition in enumerate(range(len(question.condition_names))[block.conditions]):
            column = {name: value[..., i].cpu().numpy() for name, value in block.values.items()}
            size = np.nan_to_num(np.abs(column[by]), nan=-1.0)
            larger = size > largest
            largest[larger], where[larger] = size[larger], condition
            for name, value in column.items():
                kept = numbers.setdefault(name, np.empty(shape))
                kept[larger] = value[larger]
    item, tf = np.broadcast_arrays(*np.ogrid[tuple(map(slice, shape))])
    return _table((where, item, tf), question, items, numbers)


def _table(
    rows: Sequence[np.ndarray],
    question: Question,
    items: dict[str, list[str]],
    numbers: dict[str, np.ndarray],
) -> pd.DataFrame:
    """Names as categories, which take a hundredth of the memory of texts."""
    condition, item, tf = rows

    def column(names: list[str], row: np.ndarray) -> pd.Categorical:
        known = pd.Categorical(names, categories=list(dict.fromkeys(names)))
        return pd.Categorical.from_codes(known.codes[row].ravel(), dtype=known.dtype)

    labels = {"condition": column(question.condition_names, condition)}
    labels |= {name: column(names, item) for name, names in items.items()}
    labels["tf"] = column(question.tf_names, tf)
    values = {name: value.reshape(-1) for name, value in numbers.items()}
    return pd.DataFrame(labels | values, copy=False)
