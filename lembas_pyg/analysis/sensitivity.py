"""Sensitivity: how much each TF answers to a small change of each node."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import count
from numbers import Real

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.adjoint import tf_adjoints
from lembas_pyg.analysis.blocks import Block, Question, ask, collect, collect_strongest, together
from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members, as_list

__all__ = ["sensitivity"]

# Columns (TF or node x condition) solved side by side, over all members; bounds memory.
_COLUMNS = 2048
# TFs of no more than this activity are silent: a relative change of theirs says nothing.
_SILENT = 0.01


def sensitivity(
    model: LEMBAS | Members,
    data: Data,
    nodes: Iterable[str] | str | None = None,
    conditions: Iterable[str] | str | None = None,
    *,
    tfs: Iterable[str] | str | None = None,
    level: float | None = None,
    strongest: bool = False,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Relative change of every TF for a relative change of the input of every node.

    .. math::
        \mathrm{elasticity} = \frac{z_i}{y_t} \frac{\partial y_t}{\partial p_i}
        = \lim_{\ell \to 0} \frac{1}{\ell}\, \frac{y_t(p_i = \ell z_i) - y_t}{y_t}

    with the raw state :math:`z_i` of the node (its input before the activation), a perturbation
    :math:`p_i` that is added to it, and the activity :math:`y_t` of the TF. All nodes together
    take one linear solve a TF and condition, see `lembas_pyg.analysis.adjoint`; with a `level` one
    run a node and condition.

    The activation has a kink at 0 input, where its slope jumps from the leak to 1. The derivative
    is that of the side on which a node is (at exactly 0, such as a ligand that is absent and has no
    bias, that of the negative side); a finite change that takes a node across differs from it, by
    more than in proportion to the level.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to change, one at a time; all if None.
        conditions: Names of conditions; all if None.
        tfs: Accessions of TFs; all if None.
        level: Finite change relative to the raw state, such as the 0.01 of the paper; None for the
            limit of no change, which is exact.
        strongest: Whether to keep only one condition a node and TF, that of the largest absolute
            elasticity. The whole table, 9.6 million rows for the ligand screen, is not made then.
        tol: Largest change of a state in the last step (dimensionless); of the derivatives,
            relative to the weight of the TF.
        max_steps: Steps before giving up on a solve.

    Returns:
        One row a condition, node and TF: `condition`, `node`, `tf` (accessions, categorical),
        `control` (TF activity), `derivative` (activity by dimensionless input; with a `level`
        instead `perturbed`, an activity), `elasticity` (dimensionless; 0 where the TF is silent,
        ``|control| <= 0.01``). NaN without a steady state, and a warning says so. Of an ensemble,
        each is the median over the members with a steady state, and `spread` the standard
        deviation of their elasticities; NaN with fewer than two.

    Raises:
        ValueError: A node, TF or condition is not known, the level is not a finite number other
            than 0, or the data are not of the model's network.

    References:
        Nilsson et al. (2022), Fig. 6g, Methods: level 0.01; the original script took 0.001.
    """
    if level is not None and (
        isinstance(level, bool) or not isinstance(level, Real) or not math.isfinite(level)
    ):
        raise ValueError(f"The level is {level!r}; it must be a finite number, such as 0.01.")
    if level == 0:
        raise ValueError("The level is 0; leave it out for the limit of no change.")
    names = list(data.node_name) if nodes is None else as_list(nodes)
    if not names:
        raise ValueError("No node was named; leave `nodes` out to take all.")
    rows = torch.as_tensor(node_index(data, names))
    asked = ask(model, data, conditions, tfs, tol, max_steps)
    columns = _COLUMNS // len(asked)
    if level is None:
        parts = [_derivatives(question, rows, columns) for question in asked]
    else:
        parts = [_changes(question, rows, names, level, columns) for question in asked]
    blocks, items = together(parts, "elasticity"), {"node": names}
    if strongest:
        return collect_strongest(blocks, asked[0], items, "elasticity")
    return collect(blocks, asked[0], items)


@torch.no_grad()
def _derivatives(question: Question, nodes: Tensor, columns: int) -> Iterator[Block]:
    """The limit of no change, from the adjoints."""
    model, point = question.model, question.point
    raw = question.raw_state()[nodes].unsqueeze(1)  # [n, 1, S]
    activity, verdicts = question.activity(), []
    slope = model.slope(point.value, question.x)
    for adjoint in tf_adjoints(model, slope, question.tfs, columns=columns):
        part = adjoint.conditions
        verdicts.append(adjoint.converged | ~point.converged[part])
        blank = ~(adjoint.converged & point.converged[part])
        derivative = adjoint.u[nodes].masked_fill_(blank, torch.nan)
        control = activity[:, part].expand_as(derivative)
        elasticity = _relative(derivative * raw[..., part], control)
        yield Block(part, {"control": control, "derivative": derivative, "elasticity": elasticity})
    question.warn_no_adjoint(torch.cat(verdicts, dim=1))


@torch.no_grad()
def _changes(
    question: Question, nodes: Tensor, names: list[str], level: float, columns: int
) -> Iterator[Block]:
    """A finite change of each node, in runs that go on from the state without it."""
    model, raw, activity = question.model, question.raw_state(), question.activity()
    num_nodes, num_conditions = len(nodes), question.x.size(1)
    width = max(1, columns // num_nodes)
    runs, labels, numbers = [], {}, count()
    for first in range(0, num_conditions, width):
        part = slice(first, min(first + width, num_conditions))
        change = raw.new_zeros(raw.size(0), num_nodes, part.stop - first)
        change[nodes, torch.arange(num_nodes)] = level * raw[nodes, part]
        x, start = (
            value[:, None, part].expand_as(change).flatten(1)
            for value in (question.x, question.point.value)
        )
        run = model.steady_state(x, change.flatten(1), start)
        perturbed = question.activity(run).unflatten(1, change.shape[1:]).transpose(0, 1)
        control = activity[:, part].expand_as(perturbed)
        elasticity = _relative((perturbed - control) / level, control)
        yield Block(part, {"control": control, "perturbed": perturbed, "elasticity": elasticity})
        runs.append(run._replace(value=run.value[:0]))
        for node in names:
            for condition in question.condition_names[part]:
                labels[f"{node} under {condition}"] = next(numbers)
    whole = FixedPoint(*(torch.cat(parts, dim=-1) for parts in zip(*runs, strict=True)))
    warn_not_converged(whole, model.conv.tol, labels)


def _relative(change: Tensor, control: Tensor) -> Tensor:
    """Change relative to the activity, 0 where that is silent."""
    return (change / control).masked_fill_(control.abs() <= _SILENT, 0.0)
