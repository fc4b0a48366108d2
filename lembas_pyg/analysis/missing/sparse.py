"""Many candidates fitted together, with a price on each."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.missing.gain import linearise
from lembas_pyg.analysis.missing.refit import Problem
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.nn.enlarge import enlarge
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.transforms import ImputeInteractions

__all__ = ["fit_sparse"]

_TOL, _MAX_STEPS = 1e-6, 500
# Curvatures below this share of the largest are raised to it: flat directions take no great steps.
_DAMPING = 1e-3
# A step that does not lower the objective is halved so often before the fit ends.
_HALVINGS = 12


def fit_sparse(
    model: LEMBAS,
    data: Data,
    candidates: pd.DataFrame,
    conditions: Iterable[str] | str | None = None,
    *,
    l1: float = 0.1,
    joint: bool = False,
    steps: int = 100,
) -> pd.DataFrame:
    r"""Fit the weights of many candidates together; those that explain nothing of their own stay 0.

    .. math:: \min_w \tfrac12 \sum_{ts} r_{ts}(w)^2 + \lambda \sum_k \sqrt{q_k} |w_k|

    by proximal gradient steps scaled with the curvatures :math:`q_k` of the linear model, so that
    candidates compete by what they explain, not by the size of their source.

    Args:
        model: A trained model; it is not changed.
        data: Network with conditions and measurements.
        candidates: Table with `source` and `target`, such as the best rows of
            `score_missing_interactions`.
        conditions: Names of conditions; all if None.
        l1: Price :math:`\lambda`, as a share of the smallest that keeps every candidate at 0.
        joint: Whether weights and biases of the model are fitted along, without a price.
        steps: Proximal steps at most.

    Returns:
        The rows of `candidates` that are no interactions yet, with `sparse_weight`, `survives`
        (whether it is not 0), and `sparse_loss` (mean squared error of all together).

    Raises:
        ValueError: A number is outside its range, a candidate is illegal, or there are no
            measurements.
    """
    if not (np.isfinite(l1) and 0 <= l1 <= 1):
        raise ValueError(f"l1 is {l1}; it is a share of the largest price, between 0 and 1.")
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be 1 or more.")
    unsigned = candidates[["source", "target"]].drop_duplicates()
    larger = ImputeInteractions(unsigned)(data)
    num_old = data.num_edges
    if larger.num_edges == num_old:
        raise ValueError("All candidates are interactions of the network already.")
    problem = make_problem(enlarge(model, larger), larger, conditions, _TOL, _MAX_STEPS)
    with torch.no_grad():
        fitted = _proximal(problem, num_old, l1, steps, joint=joint)
    weight = fitted.model.conv.edge_weight[num_old:]
    source, target = larger.edge_index[:, num_old:]
    name = np.asarray(data.node_name, dtype=object)
    found = pd.DataFrame(
        {
            "source": name[source.numpy()],
            "target": name[target.numpy()],
            "sparse_weight": weight.detach().numpy(),
            "survives": (weight != 0).numpy(),
            "sparse_loss": fitted.loss,
        }
    )
    return candidates.merge(found, on=["source", "target"], how="inner")


def _proximal(problem: Problem, num_old: int, l1: float, steps: int, *, joint: bool) -> Problem:
    """The problem with the model after all steps."""
    slope, curvature = _derivatives(problem)
    scale = curvature.clamp(min=_DAMPING * float(curvature.max())).rsqrt()
    is_new = torch.zeros_like(slope, dtype=torch.bool)
    is_new[num_old : problem.model.operator.num_edges] = True
    price = l1 * float((slope * scale)[is_new].abs().max()) * is_new / scale
    free = is_new | joint
    size = 1.0
    for _ in range(steps):
        for _ in range(_HALVINGS):
            rate = size * scale.square()
            trial = _moved(problem, slope, rate, price, free)
            if trial is not None and _objective(trial, price) < _objective(problem, price):
                break
            size /= 2
        else:
            return problem
        fallen = 1 - _objective(trial, price) / _objective(problem, price)
        problem = trial
        if fallen < 1e-5:
            break
        slope, _ = _derivatives(problem)
        size *= 1.5
    return problem


def _derivatives(problem: Problem) -> tuple[Tensor, Tensor]:
    """Slope and curvature of half the squared error along every weight, then every bias."""
    linear, operator = linearise(problem), problem.model.operator
    slope = torch.cat([operator.edge_dot(linear.c, problem.h), linear.c.sum(dim=1)])
    curvature = operator.edge_dot(linear.q, problem.h.square())
    return slope, torch.cat([curvature, linear.q.sum(dim=1)])


def _moved(
    problem: Problem, slope: Tensor, rate: Tensor, price: Tensor, free: Tensor
) -> Problem | None:
    """After one step and the shrinking that the price asks for; None without a steady state."""
    model = problem.model
    old = torch.cat([model.conv.edge_weight, model.conv.bias.view(-1)])
    new = old - rate * slope * free
    new = torch.where(price > 0, new.sign() * (new.abs() - rate * price).clamp(min=0.0), new)
    moved = _with_parameters(model, new)
    point = moved.conv.solve(problem.drive, moved.edge_index)
    if not bool(point.converged.all()):
        return None
    return Problem(moved, problem.drive, point.value, problem.y)


def _with_parameters(model: LEMBAS, parameters: Tensor) -> LEMBAS:
    """The model with other weights and biases."""
    out = copy.deepcopy(model)
    num_edges = out.conv.edge_weight.numel()
    out.conv.edge_weight.copy_(parameters[:num_edges])
    out.conv.bias.copy_(parameters[num_edges:].view(-1, 1))
    return out


def _objective(problem: Problem, price: Tensor) -> float:
    """Half the squared error and the price of the candidates."""
    weight = problem.model.conv.edge_weight
    error = problem.residual(problem.h).square().sum() / 2
    return float(error + (price[: len(weight)] * weight.abs()).sum())
