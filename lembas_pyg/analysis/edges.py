"""Edge effects: what every interaction does to every TF."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.long_table import long_table
from lembas_pyg.analysis.question import Question, ask
from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members

__all__ = ["edge_effects"]

# Numbers of a block (edge x TF x condition), over all members; bounds memory, not the result.
_NUMBERS = 4_000_000


def edge_effects(
    model: LEMBAS | Members,
    data: Data,
    edges: Iterable[tuple[str, str]] | None = None,
    conditions: Iterable[str] | str | None = None,
    *,
    tfs: Iterable[str] | str | None = None,
    delete: bool = False,
    strongest: bool = False,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Effect of every interaction on every TF: its derivative, and that of deleting it.

    .. math::
        \frac{\partial y_t}{\partial w_{j \to i}} = u^t_i h_j, \qquad
        y_t(w_{j \to i} = 0) - y_t \approx -w_{j \to i} u^t_i h_j

    with the state :math:`h` and the adjoint :math:`u^t` of the TF, see
    `lembas_pyg.analysis.adjoint`. All edges together take one linear solve a TF and condition.
    That prediction of a deletion is a straight line through a curve; `delete` solves the network
    without the edge, once an edge for all conditions.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        edges: Source and target (accessions) of the edges to look at; all if None.
        conditions: Names of conditions; all if None.
        tfs: Accessions of TFs; all if None.
        delete: Whether to solve for the steady states without each edge as well.
        strongest: Whether to keep only one condition an edge and TF, that of the largest absolute
            effect of deletion. The whole table, 50 million rows for the ligand screen, is not made
            then.
        tol: Largest change of a state in the last step (dimensionless); of the derivatives,
            relative to the weight of the TF.
        max_steps: Steps before giving up on a solve.

    Returns:
        One row a condition, edge and TF: `condition`, `source`, `target`, `tf` (accessions,
        categorical), `control` (TF activity), `derivative` (activity by weight), `first_order`
        (predicted change of activity by deletion); with `delete` also `deleted` (TF activity
        without the edge) and `delta` (deleted - control). NaN without a steady state, and a warning
        says so. Of an ensemble, each is the median over the members with a steady state, `spread`
        the standard deviation of their effects of deletion, `members` the number of these members,
        and `agree` of those whose effect has the sign of the median.

    Raises:
        ValueError: An edge, TF or condition is not known, or the data are not of the model's
            network.
    """
    chosen = _positions(data, edges)
    inquiry = ask(model, data, conditions, tfs, tol, max_steps)
    deleted = [_deleted(question, chosen) for question in inquiry.questions] if delete else None

    def answer(question: Question, items: slice) -> dict[str, Tensor]:
        values = _effects(question, chosen[items])
        if deleted is not None:
            without = deleted[question.number][items, :, question.part]
            values |= {"deleted": without, "delta": without - values["control"]}
        return values

    source, target = (
        [data.node_name[i] for i in row.tolist()] for row in data.edge_index[:, chosen]
    )
    height = len(inquiry.questions) * max(len(chosen), int(data.num_nodes)) * len(inquiry.tfs)
    return long_table(
        inquiry,
        {"source": source, "target": target},
        answer,
        "delta" if delete else "first_order",
        num_conditions=_NUMBERS // height,
        strongest=strongest,
    )


def _positions(data: Data, edges: Iterable[tuple[str, str]] | None) -> Tensor:
    """Columns of the edge index that were asked for, in that order."""
    if edges is None:
        return torch.arange(data.num_edges)
    pairs = [tuple(pair) for pair in edges]
    if not pairs:
        raise ValueError("No edge was named; leave `edges` out to take all.")
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("Edges are pairs of accessions: (source, target).")
    known: dict[tuple[int, ...], list[int]] = {}
    for position, pair in enumerate(data.edge_index.T.tolist()):
        known.setdefault(tuple(pair), []).append(position)
    found: list[int] = []
    for source, target in pairs:
        key = tuple(node_index(data, [source, target]).tolist())  # type: ignore[union-attr]
        if key not in known:
            raise ValueError(
                f"There is no interaction {source} -> {target} among the {data.num_edges:,} of the "
                f"network."
            )
        found += known[key]
    if len(set(found)) < len(found):
        raise ValueError("An edge was named more than once.")
    return torch.tensor(found)


@torch.no_grad()
def _effects(question: Question, edges: Tensor) -> dict[str, Tensor]:
    """Derivatives, and what they predict of a deletion ``[edges, T, S]``."""
    model = question.model
    source, target = model.edge_index[:, edges]
    derivative = question.adjoint().u[target] * question.point.value[source].unsqueeze(1)
    control = question.activity().expand_as(derivative)
    weight = model.conv.edge_weight[edges].view(-1, 1, 1)
    return {"control": control, "derivative": derivative, "first_order": -weight * derivative}


@torch.no_grad()
def _deleted(question: Question, edges: Tensor) -> Tensor:
    """TF activities without each edge ``[edges, T, S]``, as of a model that never had it."""
    model = question.model
    drive, full = model.input(question.x), model.conv.edge_weight
    activities, runs, names = [], [], []
    for edge in edges.tolist():
        # One weight vector a solve keeps to the compiled code; weights by condition do not.
        weight = full.clone()
        weight[edge] = 0.0
        run = model.conv.solve(drive, model.edge_index, weight)
        activities.append(question.activity(run))
        runs.append(run._replace(value=run.value[:0]))
        names.append(" -> ".join(model.node_name[i] for i in model.edge_index[:, edge].tolist()))
    whole = FixedPoint(*(torch.cat(parts, dim=-1) for parts in zip(*runs, strict=True)))
    question.note(whole, lambda number, under: f"{under} without {names[number]}")
    return torch.stack(activities)
