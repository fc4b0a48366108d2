r"""Which node lacks an input, and which input it lacks.

Gains are those of a linear model, which is blind where a node is off or saturated. Here the signal
:math:`\delta_{is}` that node i would need in condition s is found on the model itself,

.. math:: \delta_{is} = \arg\min_\delta \| r_s(\delta e_i) \|^2,

one number a node and condition. What remains of the loss is a bound that no interaction into i can
beat; a source j is as good as :math:`w h_{js}` follows that signal where it matters.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lembas_pyg.analysis.missing.refit import Problem

__all__ = ["Signals", "needed_signals", "predicted_loss"]

# Columns (target x condition) solved side by side; bounds memory, not the result.
_COLUMNS = 4096
# Largest first step of a signal: about what takes a node from off to saturated.
_REACH = 1.0


class Signals(NamedTuple):
    """The input every target would need.

    Attributes:
        signal: Needed input ``[K, S]`` (dimensionless).
        before: Squared error of every condition without it ``[S]``.
        after: The same with it ``[K, S]``.
        curvature: Squared change of the activities by a unit of it ``[K, S]``.
        h: States with it ``[N, K, S]``.
    """

    signal: Tensor
    before: Tensor
    after: Tensor
    curvature: Tensor
    h: Tensor


def needed_signals(
    problem: Problem, targets: Tensor, first: Tensor, curvature: Tensor, *, steps: int = 5
) -> Signals:
    """Find the input that each target would need, by Gauss-Newton with secants.

    Args:
        problem: Model and conditions.
        targets: Nodes ``[K]``, one at a time.
        first: Gauss-Newton step of the linear model ``[K, S]``.
        curvature: Curvature of the linear model ``[K, S]``, for signals that stay 0.
        steps: Signals tried.
    """
    block = max(1, _COLUMNS // problem.h.size(1))
    parts = [
        _signals(problem, *part, steps=steps)
        for part in zip(*(t.split(block) for t in (targets, first, curvature)), strict=True)
    ]
    return Signals(
        torch.cat([part.signal for part in parts]),
        parts[0].before,
        torch.cat([part.after for part in parts]),
        torch.cat([part.curvature for part in parts]),
        torch.cat([part.h for part in parts], dim=1),
    )


def _signals(
    problem: Problem, targets: Tensor, first: Tensor, curvature: Tensor, *, steps: int
) -> Signals:
    """`needed_signals` of targets that fit into one solve; columns are targets x conditions."""
    num_targets, num_conditions = first.shape
    drive = problem.drive.repeat(1, num_targets)
    rows = targets.repeat_interleave(num_conditions)
    columns = torch.arange(len(rows), device=rows.device)
    start = problem.residual(problem.h).repeat(1, num_targets)
    before = start.square().sum(dim=0)
    y = problem.y.repeat(1, num_targets)
    best, best_r, best_h = torch.zeros_like(before), start, problem.h.repeat(1, num_targets)
    loss = before
    trial = first.flatten().clamp(-_REACH, _REACH)
    for _ in range(steps):
        shifted = drive.clone()
        shifted[rows, columns] += trial
        point = problem.model.conv.solve(shifted, problem.model.edge_index)
        r = (problem.model.output(point.value) - y).nan_to_num(nan=0.0)
        found = r.square().sum(dim=0)
        better = (found < loss) & point.converged
        delta, distance = r - best_r, trial - best
        norm = delta.square().sum(dim=0)
        base = torch.where(better, r, best_r)
        step = -(delta * base).sum(dim=0) / norm * distance
        # A trial that was no better is cut to a quarter, on the side the secant points to.
        shorter = distance.abs() / 4 * torch.where(norm > 0, step.sign(), distance.sign())
        step = torch.where(better, step, torch.where(step.abs() < shorter.abs(), step, shorter))
        step = torch.where(norm > 0, step, 0.0).nan_to_num(nan=0.0)
        best = torch.where(better, trial, best)
        best_r, best_h = base, torch.where(better, point.value, best_h)
        loss = torch.where(better, found, loss)
        trial = best + step.clamp(-_REACH, _REACH)
    moved = best != 0
    secant = (best_r - start).square().sum(dim=0) / torch.where(moved, best, 1.0).square()
    shape = num_targets, num_conditions
    return Signals(
        best.view(shape),
        before[:num_conditions],
        loss.view(shape),
        torch.where(moved, secant, curvature.flatten()).view(shape),
        best_h.view(-1, *shape),
    )


def predicted_loss(signals: Signals) -> tuple[Tensor, Tensor]:
    r"""Loss and weight of every source of every target, from how it follows the needed signal.

    .. math:: \sum_s l_{is}(\delta_{is}) + \min_w \sum_s q_{is} (\delta_{is} - w h_{js})^2

    Returns:
        Sums of squares ``[K, N]`` and weights ``[K, N]``.
    """
    need, q = signals.signal, signals.curvature
    cross = torch.einsum("ks,nks->kn", q * need, signals.h)
    square = torch.einsum("ks,nks->kn", q, signals.h.square()).clamp(min=1e-30)
    whole = (q * need.square()).sum(dim=1, keepdim=True)
    misfit = (whole - cross.square() / square).clamp(min=0.0)
    return signals.after.sum(dim=1, keepdim=True) + misfit, cross / square
