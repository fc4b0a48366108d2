"""Knock-outs and knock-ins: what each node does to each TF."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members, as_list, prepare

__all__ = ["knock_in", "knock_out"]

# Columns (node x condition) solved side by side; bounds memory, not the result.
_COLUMNS = 2048


def knock_out(
    model: LEMBAS | Members,
    data: Data,
    nodes: Iterable[str] | str | None = None,
    conditions: Iterable[str] | str | None = None,
    strength: float = -5.0,
    *,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Effect on every TF of silencing one node at a time.

    .. math:: h^\ast = \sigma(A h^\ast + w_{in} \circ x + b + s\, e_{node})

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to perturb, one at a time; all if None.
        conditions: Names of the conditions to perturb under; all if None.
        strength: Added to the node's input before the activation (dimensionless); -5 drives any
            ordinary node to about 0.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        One row a condition, node and TF: `condition`, `node`, `tf` (accessions), `control` and
        `perturbed` (TF activity), `delta` (perturbed - control). Rows without a steady state are
        NaN, and a warning says so. Of an ensemble, each is the median over the members with a
        steady state, and `spread` the standard deviation of their deltas; NaN with fewer than two.

    Raises:
        ValueError: A node or condition is not known, the strength is not finite, or the data are
            not of the model's network.

    References:
        Nilsson et al. (2022), Methods, in silico knock-outs: -5; the original script of the ligand
        screen used -3. Fig. 6e-f: medians over the models of all folds.
    """
    return _perturb(model, data, nodes, conditions, strength, tol, max_steps)


def knock_in(
    model: LEMBAS | Members,
    data: Data,
    nodes: Iterable[str] | str | None = None,
    conditions: Iterable[str] | str | None = None,
    strength: float = 5.0,
    *,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    """Effect on every TF of activating one node at a time; as `knock_out`, with +5.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to perturb, one at a time; all if None.
        conditions: Names of the conditions to perturb under; all if None.
        strength: Added to the node's input before the activation (dimensionless).
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        As `knock_out`.

    Raises:
        ValueError: As `knock_out`.

    References:
        Nilsson et al. (2022), Fig. 6f; the original script used +3.
    """
    return _perturb(model, data, nodes, conditions, strength, tol, max_steps)


def _perturb(
    model: LEMBAS | Members,
    data: Data,
    nodes: Iterable[str] | str | None,
    conditions: Iterable[str] | str | None,
    strength: float,
    tol: float,
    max_steps: int,
) -> pd.DataFrame:
    """Every node under every condition, in blocks of columns."""
    if not isinstance(model, LEMBAS):
        nodes, conditions = (None if n is None else as_list(n) for n in (nodes, conditions))
        return _together(
            _perturb(member, data, nodes, conditions, strength, tol, max_steps)
            for member in model.models
        )
    if isinstance(strength, bool) or not isinstance(strength, Real) or not np.isfinite(strength):
        raise ValueError(f"The strength is {strength!r}; it must be a finite number, such as -5.")
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    names = as_list(nodes) if nodes is not None else list(data.node_name)
    if not names:
        raise ValueError("No node was named; leave `nodes` out to perturb every node.")
    index = torch.as_tensor(node_index(data, names))
    x = data.x[:, list(columns.values())]
    num_conditions = x.size(1)
    with torch.no_grad():
        control = exact.steady_state(x)
        warn_not_converged(control, tol, {name: i for i, name in enumerate(columns)})
        blocks = []
        for block in index.split(max(1, _COLUMNS // num_conditions)):
            perturbation = x.new_zeros(x.size(0), len(block), num_conditions)
            perturbation[block, torch.arange(len(block))] = strength
            repeated_x = x.unsqueeze(1).expand(-1, len(block), -1).flatten(1)
            blocks.append(exact.steady_state(repeated_x, perturbation.flatten(1)))
        perturbed = FixedPoint(*(torch.cat(parts, dim=-1) for parts in zip(*blocks, strict=True)))
        labels = {
            f"{name} under {condition}": i * num_conditions + j
            for i, name in enumerate(names)
            for j, condition in enumerate(columns)
        }
        warn_not_converged(perturbed, tol, labels)
        return _table(exact, control, perturbed, names, list(columns))


def _together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One table of the medians of those of the members."""
    members = list(tables)
    table = members[0].copy()
    for name in ("control", "perturbed", "delta"):
        columns = pd.concat([member[name] for member in members], axis=1)
        table[name] = columns.median(axis=1)
    table["spread"] = columns.std(axis=1)
    return table


def _table(
    model: LEMBAS, control: FixedPoint, perturbed: FixedPoint, names: list[str], columns: list[str]
) -> pd.DataFrame:
    """The long table; condition by condition, node by node, TF by TF."""
    tfs = [model.node_name[i] for i in model.tf_index.tolist()]
    shape = len(tfs), len(names), len(columns)
    before = _steady(model, control).unsqueeze(1).expand(shape)
    after = _steady(model, perturbed).view(shape)
    order = pd.MultiIndex.from_product([columns, names, tfs], names=["condition", "node", "tf"])
    values = {
        "control": before.permute(2, 1, 0).flatten().cpu().numpy(),
        "perturbed": after.permute(2, 1, 0).flatten().cpu().numpy(),
    }
    table = pd.DataFrame(values, index=order).reset_index()
    table["delta"] = table["perturbed"] - table["control"]
    return table


def _steady(model: LEMBAS, point: FixedPoint) -> Tensor:
    """TF activities ``[T, S]``, NaN where there is no steady state."""
    return model.output(point.value).masked_fill(~point.converged, torch.nan)
