"""Sensitivity: how much each TF answers to a small change of each node."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from numbers import Real

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.long_table import long_table
from lembas_pyg.analysis.question import Question, ask
from lembas_pyg.network import node_index
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
    by_member: bool = False,
    trained_on: bool | None = None,
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
        by_member: Of an ensemble, one table of all members in place of their medians.
        trained_on: Of members of a cross-validation, ask of each condition only those that were
            trained on it (True, as the paper does), or only those that were not (False); all if
            None. Conditions without such a member are left out, and refused if named.
        tol: Largest change of a state in the last step (dimensionless); of the derivatives,
            relative to the weight of the TF.
        max_steps: Steps before giving up on a solve.

    Returns:
        One row a condition, node and TF: `condition`, `node`, `tf` (accessions, categorical),
        `control` (TF activity), `derivative` (activity by dimensionless input; with a `level`
        instead `perturbed`, an activity), `elasticity` (dimensionless; 0 where the TF is silent,
        ``|control| <= 0.01``). NaN without a steady state, and a warning says so. Of an ensemble,
        each is the median over the members with a steady state, `spread` the standard deviation of
        their elasticities (NaN with fewer than two), `members` the number of these members, and
        `agree` of those whose elasticity has the sign of the median. With `by_member`, the first
        column is `member` (0, 1, ...) in their place.

    Raises:
        ValueError: A node, TF or condition is not known, the level is not a finite number other
            than 0, no member may be asked about a condition, or the data are not of the model's
            network.

    References:
        Nilsson et al. (2022), Fig. 6g, Methods: level 0.01; the original script took 0.001, and of
        each condition the median over the models of the folds that were trained on it.
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
    inquiry = ask(model, data, conditions, tfs, tol, max_steps, trained_on)
    columns = _COLUMNS // len(inquiry.questions)
    if level is None:
        answer, width = partial(_derivatives, rows), columns // len(inquiry.tfs)
    else:
        answer, width = partial(_changes, rows, names, level), columns // len(names)
    return long_table(
        inquiry,
        {"node": names},
        answer,
        "elasticity",
        num_conditions=width,
        by_member=by_member,
        strongest=strongest,
    )


def _derivatives(nodes: Tensor, question: Question, items: slice) -> dict[str, Tensor]:
    """The limit of no change, from the adjoints."""
    nodes = nodes[items]
    derivative = question.adjoint().u[nodes]
    control = question.activity().expand_as(derivative)
    elasticity = _relative(derivative * question.raw_state()[nodes, None], control)
    return {"control": control, "derivative": derivative, "elasticity": elasticity}


@torch.no_grad()
def _changes(
    nodes: Tensor, names: list[str], level: float, question: Question, items: slice
) -> dict[str, Tensor]:
    """A finite change of each node, in runs that go on from the state without it."""
    nodes, names, raw = nodes[items], names[items], question.raw_state()
    change = raw.new_zeros(raw.size(0), len(nodes), raw.size(1))
    change[nodes, torch.arange(len(nodes))] = level * raw[nodes]
    x, start = (
        value.unsqueeze(1).expand_as(change).flatten(1)
        for value in (question.x, question.point.value)
    )
    run = question.model.steady_state(x, change.flatten(1), start)
    question.note(run, lambda number, under: f"{names[number]} under {under}")
    perturbed = question.activity(run).unflatten(1, change.shape[1:]).transpose(0, 1)
    control = question.activity().expand_as(perturbed)
    elasticity = _relative((perturbed - control) / level, control)
    return {"control": control, "perturbed": perturbed, "elasticity": elasticity}


def _relative(change: Tensor, control: Tensor) -> Tensor:
    """Change relative to the activity, 0 where that is silent."""
    return (change / control).masked_fill_(control.abs() <= _SILENT, 0.0)
