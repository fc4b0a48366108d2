"""The paper's way to a missing interaction: a network of errors, then correlations."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import LeakyReLU, Linear, Sequential
from torch_geometric.data import Data

from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.refit import Problem
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["error_network"]

_HIDDEN_LAYERS, _WIDTH, _LR = 4, 200, 2e-3
_L1, _WEIGHT_DECAY = 1e-4, 1e-3
# Sources whose state moves by more than this for a unit of input at the target are downstream.
_INSENSITIVE, _PROBE = 1e-2, 0.1
_TOL, _MAX_STEPS = 1e-5, 300
# What reacts to a probe is seen on states solved further.
_EXACT, _EXACT_STEPS = 1e-9, 5000


def error_network(
    model: LEMBAS,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    candidates: pd.DataFrame | None = None,
    epochs: int = 300,
    targets: int | None = None,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    r"""Rank candidates by a signal that corrects the residuals.

    A fully connected network g from ligands to all nodes is trained, the model fixed,

    .. math:: h = \sigma(A h + w_{in} \circ x + b + g(x)), \qquad
              \min_g \mathrm{MSE} + 10^{-4} \sum_i \overline{|g_i|} .

    The target is the node with the largest mean absolute signal, the source the node whose state
    correlates most with it, among those that do not react to the target. Kept to compare with:
    `score_missing_interactions` needs no training and knows the model.

    Args:
        model: A trained model; it is not changed.
        data: Network with conditions and measurements.
        conditions: Names of conditions; all if None.
        candidates: As for `score_missing_interactions`.
        epochs: Steps of the training, each on all conditions.
        targets: Targets looked at, those with the largest signal; all if None.
        generator: Source of randomness of the first weights; the global one if None.

    Returns:
        One row a candidate, best first: `source`, `target`, `signal` (mean absolute signal of the
        target) and `correlation` (of the source's state with it).

    Raises:
        ValueError: As `score_missing_interactions`.

    References:
        Nilsson et al. (2022), SI Fig. 12; script synthNetPredictMissingInteractions_Posthoc: five
        layers of width 200, L1 1e-4, weight decay 1e-3. It takes batches of 5 in 2,000 epochs and
        the largest error of a node; we take all conditions at once.
    """
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; it must be 1 or more.")
    pool = Candidates(data, candidates)
    problem = make_problem(model, data, conditions, _TOL, _MAX_STEPS)
    x = problem.drive[problem.model.ligand_index].t()
    signal = _train(problem, x, epochs, generator)
    with torch.no_grad():
        problem.model.conv.tol, problem.model.conv.max_steps = _EXACT, _EXACT_STEPS
        point = problem.model.conv.solve(problem.drive, problem.model.edge_index)
        problem = problem._replace(h=point.value)
        size = signal.abs().mean(dim=1).masked_fill(data.ligand_mask, -1.0)
        order = size.argsort(descending=True)
        order = order[size[order] > 0][:targets]
        rows = [_sources(problem, pool, data, int(i), signal[i]) for i in order]
    table = pd.concat(rows, ignore_index=True) if rows else _empty()
    place = np.asarray([data.node_name.index(name) for name in table["target"]], dtype=int)
    table.insert(2, "signal", size.numpy()[place])
    return table


def _train(problem: Problem, x: Tensor, epochs: int, generator: torch.Generator | None) -> Tensor:
    """Signals of all nodes ``[N, S]``."""
    model = problem.model
    net = _network(x.size(1), model.num_nodes, generator).to(x)
    optimizer = torch.optim.Adam(net.parameters(), lr=_LR, weight_decay=_WEIGHT_DECAY)
    free = torch.ones(model.num_nodes, 1, dtype=x.dtype)
    free[model.ligand_index] = 0.0
    for _ in range(epochs):
        signal = net(x).t() * free
        point = model.conv.solve(problem.drive + signal, model.edge_index)
        error = problem.mean(problem.residual(point.value)[:, point.converged].square().sum())
        loss = error + _L1 * signal.abs().mean(dim=1).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        return net(x).t() * free


def _network(num_inputs: int, num_outputs: int, generator: torch.Generator | None) -> Sequential:
    """Linear layers with leaky units between, small at first."""
    widths = [num_inputs, *[_WIDTH] * _HIDDEN_LAYERS, num_outputs]
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(widths):
        linear = Linear(before, after)
        with torch.no_grad():
            bound = (1.0 if after != num_outputs else 0.1) / before**0.5
            linear.weight.uniform_(-bound, bound, generator=generator)
            linear.bias.zero_()
        layers += [linear, LeakyReLU()]
    return Sequential(*layers[:-1])


def _sources(
    problem: Problem, pool: Candidates, data: Data, target: int, signal: Tensor
) -> pd.DataFrame:
    """Sources of one target that do not react to it, by correlation."""
    drive = problem.drive.clone()
    drive[target] += _PROBE
    model = problem.model
    moved = (model.conv.solve(drive, model.edge_index).value - problem.h).abs().amax(dim=1)
    allowed = pool.rows(torch.tensor([target]))[0] & (moved / _PROBE < _INSENSITIVE)
    h = problem.h - problem.h.mean(dim=1, keepdim=True)
    s = signal - signal.mean()
    scale = (h.norm(dim=1) * s.norm()).clamp(min=1e-12)
    correlation = (h @ s / scale).masked_fill(~allowed, 0.0)
    order = correlation.abs().argsort(descending=True)[: int(allowed.sum())]
    name = np.asarray(data.node_name, dtype=object)
    return pd.DataFrame(
        {
            "source": name[order.numpy()],
            "target": name[target],
            "correlation": correlation[order].numpy(),
        }
    )


def _empty() -> pd.DataFrame:
    return pd.DataFrame({"source": [], "target": [], "correlation": []})
