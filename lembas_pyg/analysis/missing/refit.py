r"""The weight of a new interaction, refitted on the whole loss while all else stays.

Gains are predictions of a linear model. What an interaction :math:`j \to i` really does is seen by
solving

.. math:: h = \sigma(A h + w\, h_j e_i + w_{in} \circ x + b)

for a few weights w; each solve has all conditions side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["Problem", "Refit", "refit_weight"]

# Largest change of a node's input by one step: about what takes it from off to saturated.
_REACH = 1.0
# Trials go no farther than so many of these.
_FARTHEST = 5.0
# The search ends once a step promises less than this share of the loss.
_PROMISE = 1e-4
# Shares of that reach tried on either side.
_AROUND = (-0.3, 0.1, 0.3, 1.0)


class Problem(NamedTuple):
    """What candidates are judged by.

    Attributes:
        model: Solves with the tolerance of its layer.
        drive: Input of every node without its bias ``[N, S]``.
        h: Steady state without any new interaction ``[N, S]``.
        y: Measured TF activity ``[T, S]``, NaN where not measured.
    """

    model: LEMBAS
    drive: Tensor
    h: Tensor
    y: Tensor

    def residual(self, h: Tensor) -> Tensor:
        """Predicted minus measured activity ``[T, S]``, 0 where not measured."""
        return (self.model.output(h) - self.y).nan_to_num(nan=0.0)

    @property
    def loss(self) -> float:
        """Mean squared error without any new interaction."""
        return float(self.mean(self.residual(self.h).square().sum()))

    def mean(self, squares: Tensor) -> Tensor:
        """Mean over all measurements of a sum of squares."""
        return squares / (~self.y.isnan()).sum()

    def of(self, conditions: Tensor) -> Problem:
        """The same for some conditions, by column."""
        return Problem(self.model, *(part[:, conditions] for part in self[1:]))

    def with_edge(self, edge_index: Tensor, weight: float) -> FixedPoint:
        """Steady states with one interaction more, the last of `edge_index`."""
        conv = self.model.conv
        weights = torch.cat([conv.edge_weight, conv.edge_weight.new_tensor([weight])])
        return conv.solve(self.drive, edge_index, weights)


class Refit(NamedTuple):
    """Best weight found for a candidate.

    Attributes:
        weight: Dimensionless; 0 where none lowers the loss.
        loss: Mean squared error with it.
        converged: Whether all trials reached a steady state in all conditions.
    """

    weight: float
    loss: float
    converged: bool


def refit_weight(
    problem: Problem,
    source: int,
    target: int,
    trials: list[float],
    *,
    around: bool = False,
    steps: int = 6,
) -> Refit:
    r"""Least squares in the weight of one candidate, by Gauss-Newton with secants.

    .. math:: w \leftarrow w - \Delta w
              \frac{\langle \Delta r, r \rangle}{\langle \Delta r, \Delta r \rangle}

    with r the residuals of the best weight so far and :math:`\Delta` the difference to another. A
    step that does not lower the loss is cut to a quarter.

    Args:
        problem: Model and conditions.
        source: Node where the candidate starts.
        target: Node where it ends.
        trials: Weights to try first, such as the Gauss-Newton step at weight 0.
        around: Whether to try some of either sign as well, as more than one may be a local best.
        steps: Weights tried after them.
    """
    search = _Search(problem, source, target)
    reach = _REACH / max(float(problem.h[source].abs().max()), 1e-3)
    if around:
        trials = [*trials, *(share * reach for share in _AROUND)]
    for trial in trials:
        search.attempt(min(max(trial, -_FARTHEST * reach), _FARTHEST * reach))
    cut = 1.0
    for _ in range(steps):
        step = search.step()
        if step is None:
            break
        cut = (
            1.0 if search.attempt(search.weight + cut * min(max(step, -reach), reach)) else cut / 4
        )
    return Refit(search.weight, search.loss, search.converged)


class _Search:
    """The best weight so far, and another to draw a secant to."""

    def __init__(self, problem: Problem, source: int, target: int) -> None:
        self.problem = problem
        edge_index = problem.model.edge_index
        added = edge_index.new_tensor([[source], [target]])
        self.edge_index = torch.cat([edge_index, added], dim=1)
        self.weight, self.r = 0.0, problem.residual(problem.h)
        self.loss = float(problem.mean(self.r.square().sum()))
        self.other: tuple[float, Tensor] | None = None
        self.converged = True

    def attempt(self, weight: float) -> bool:
        """Try a weight; whether it is the best so far."""
        point = self.problem.with_edge(self.edge_index, weight)
        if not bool(point.converged.all()):
            self.converged = False
            return False
        r = self.problem.residual(point.value)
        loss = float(self.problem.mean(r.square().sum()))
        if loss < self.loss:
            self.other = self.weight, self.r
            self.weight, self.r, self.loss = weight, r, loss
            return True
        near = self.other is None or abs(weight - self.weight) < abs(self.other[0] - self.weight)
        if near and weight != self.weight:
            self.other = weight, r
        return False

    def step(self) -> float | None:
        """Gauss-Newton step along the secant; None where it promises nothing."""
        if self.other is None or self.loss == 0:
            return None
        delta, distance = self.other[1] - self.r, self.other[0] - self.weight
        norm, slope = delta.square().sum(), (delta * self.r).sum()
        if norm == 0 or self.problem.mean(slope**2 / norm) < _PROMISE * self.loss:
            return None
        return float(-slope / norm * distance)
