r"""Exact least squares for small networks, to finish what stochastic training began.

At a steady state the TF activities change with every parameter by

.. math:: \frac{\partial h}{\partial z} = (I - D A)^{-1} D, \qquad
          \frac{\partial h}{\partial w_{ji}} = \frac{\partial h}{\partial z_i} h_j, \qquad
          \frac{\partial h}{\partial b_i} = \frac{\partial h}{\partial z_i},

with the slopes :math:`D = \mathrm{diag}(\sigma')`. The whole Jacobian by dense algebra makes a
Gauss-Newton step possible, which goes along narrow valleys of the loss where Adam crawls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, least_squares
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import prepare
from lembas_pyg.training.trainer import check_data

__all__ = ["Refinement", "refine"]

# The Jacobian is dense: its time grows with the third power of nodes.
_MAX_NODES = 500
# A step may try parameters whose states are slow or unstable: such are given up early.
_TOL, _MAX_STEPS = 1e-12, 1000
# Inputs this close to zero are at the kink of an activation.
_KINK = 0.02
# Mean squared error that is nothing but rounding, and what counts as no effect of a parameter.
_ROUNDING, _RANK = 1e-20, 1e-9
# A condition without steady state is worse than any with one.
_LOST = 10.0


@dataclass(frozen=True)
class Refinement:
    """What a refinement has done.

    Attributes:
        before: Mean squared error before.
        after: Mean squared error after.
        num_evaluations: Steady-state solves of all conditions.
        rank: Directions in which the parameters are determined by the data, of `num_parameters`:
            singular values of the Jacobian above 1e-9 of the largest.
        num_parameters: Weights and biases that were refined.
    """

    before: float
    after: float
    num_evaluations: int
    rank: int
    num_parameters: int


def refine(
    model: LEMBAS,
    data: Data,
    *,
    restarts: int = 40,
    max_evaluations: int = 60,
    generator: torch.Generator | None = None,
) -> Refinement:
    """Refine weights and biases by least squares, in place; exact where the data are.

    Weights keep to their known mode of action (where one contradicts it, it starts from 0), biases
    of ligands become 0, as their concentration is given; ligand and TF weights stay as they are,
    and so does whatever does not require a gradient. There is no regularisation: refine a trained
    model, of a network small enough for its parameters to be determined.

    A node at a kink of its activation, such as one that no ligand reaches in a condition, stops
    least squares beside the solution. So each start has a second pass without the conditions in
    which a node is within 0.02 of zero input, and the next begins at the best parameters or, in
    turn, at those of the beginning, with a random change of random size, until the error is that
    of rounding or no start is left.

    Args:
        model: Trained model; its parameters are replaced if that lowers the error.
        data: Network with conditions and measured TF activities.
        restarts: Further starts, 0 for none.
        max_evaluations: Solves of all conditions in each start.
        generator: Source of randomness of the restarts; the global one if None.

    Returns:
        Errors before and after, and how many directions the data determine.

    Raises:
        ValueError: The data do not fit the model, the network has more than 500 nodes, nothing is
            to be refined, `max_evaluations` is below 1 or `restarts` below 0.

    References:
        Not in the paper, which trains by Adam alone.
    """
    check_data(model, data)
    if model.num_nodes > _MAX_NODES:
        raise ValueError(
            f"The network has {model.num_nodes} nodes; refinement by dense algebra is for "
            f"{_MAX_NODES} at most. Train longer with `lembas_pyg.fit`."
        )
    if max_evaluations < 1 or restarts < 0:
        raise ValueError(
            f"max_evaluations={max_evaluations} must be 1 or more, restarts={restarts} 0 or more."
        )
    problem = _Problem(model, data)
    start = problem.start()
    before = float(np.square(problem.error(start)).mean())
    best = problem.solve(start, max_evaluations)
    evaluations = best.nfev
    for turn in range(restarts):
        if 2 * best.cost / problem.num_measured < _ROUNDING:
            break
        random = torch.randn(1 + len(start), generator=generator, dtype=torch.float64).numpy()
        size = 10 ** -(1 + abs(random[0]))
        base = start if turn % 2 else best.x
        found = problem.solve(base + size * random[1:], max_evaluations)
        evaluations += found.nfev
        best = min(best, found, key=lambda fit: fit.cost)
    after = 2 * float(best.cost) / problem.num_measured
    if after < before:
        problem.put(model, best.x)
    singular = np.linalg.svd(np.asarray(best.jac), compute_uv=False)
    rank = int((singular > _RANK * singular[0]).sum())
    return Refinement(before, min(before, after), evaluations, rank, len(start))


class _Problem:
    """Errors and their Jacobian as functions of one vector of parameters."""

    def __init__(self, model: LEMBAS, data: Data) -> None:
        self.model, _ = prepare(model, data, None, _TOL, _MAX_STEPS)
        self.x = data.x.double()
        measured = data.y[data.tf_mask].double()
        self.known = ~measured.isnan()
        self.measured, self.num_measured = measured[self.known], int(self.known.sum())
        weight, bias = model.conv.edge_weight, model.conv.bias
        every = torch.arange(weight.numel())
        self.edges = every if weight.requires_grad else every[:0]
        self.nodes = model.not_ligand.cpu() if bias.requires_grad else every[:0]
        if not len(self.edges) + len(self.nodes):
            raise ValueError("Neither weights nor biases of the model require a gradient.")

    def solve(self, start: NDArray[np.float64], max_evaluations: int) -> OptimizeResult:
        """Least squares from one start: of all conditions, then of those away from any kink."""
        first = self._solve(start, max_evaluations, np.ones(self.num_measured))
        second = self._solve(first.x, max_evaluations, self.away_from_kinks(first.x))
        second.cost = 0.5 * float(np.square(self.error(second.x)).sum())  # of all conditions
        second.jac = self.jacobian(second.x)
        first.nfev = second.nfev = first.nfev + second.nfev
        return min(first, second, key=lambda fit: fit.cost)

    def _solve(
        self, start: NDArray[np.float64], max_evaluations: int, kept: NDArray[np.float64]
    ) -> OptimizeResult:
        return least_squares(
            lambda values: kept * self.error(values),
            np.clip(start, *self.bounds()),
            jac=lambda values: kept[:, None] * self.jacobian(values),
            bounds=self.bounds(),
            max_nfev=max_evaluations,
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )

    def away_from_kinks(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 for measurements of conditions in which no node's input is close to zero, else 0."""
        h, _ = self.state(values)
        model = self.model
        with torch.no_grad():
            z = model.operator.propagate(model.conv.edge_weight, h) + model.conv.bias
            z = (z + model.input(self.x))[model.not_ligand]
            kept = (z.abs() > _KINK).all(dim=0).expand_as(self.known)[self.known]
        return kept.double().numpy()

    def start(self) -> NDArray[np.float64]:
        """Parameters now, within their bounds."""
        conv = self.model.conv
        value = torch.cat([conv.edge_weight[self.edges], conv.bias[self.nodes, 0]])
        low, high = self.bounds()
        return np.clip(value.detach().cpu().numpy(), low, high)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights of a known mode of action have one side only."""
        sign = self.model.edge_sign[self.edges].cpu().numpy()
        free = np.full(len(self.nodes), np.inf)
        low = np.where(sign > 0, 0.0, -np.inf)
        high = np.where(sign < 0, 0.0, np.inf)
        return np.concatenate([low, -free]), np.concatenate([high, free])

    def put(self, model: LEMBAS, values: NDArray[np.float64]) -> None:
        """Give a model these parameters."""
        value = torch.from_numpy(values)
        with torch.no_grad():
            weight, bias = model.conv.edge_weight, model.conv.bias
            weight[self.edges] = value[: len(self.edges)].to(weight)
            if len(self.nodes):
                bias[self.nodes, 0] = value[len(self.edges) :].to(bias)
                bias[model.ligand_index] = 0.0

    def state(self, values: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        """Steady states, and whether each is one."""
        self.put(self.model, values)
        with torch.no_grad():
            point = self.model.steady_state(self.x)
        return point.value, point.converged

    def error(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predicted less measured TF activities, where measured."""
        h, converged = self.state(values)
        with torch.no_grad():
            y = torch.where(converged, self.model.output(h), _LOST)
        return (y[self.known] - self.measured).numpy()

    def jacobian(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of the errors with respect to every parameter."""
        h, converged = self.state(values)
        model = self.model
        source, target = model.edge_index
        with torch.no_grad():
            slope = model.slope(h, self.x).T  # [S, N]
            matrix = torch.zeros(model.num_nodes, model.num_nodes, dtype=h.dtype)
            matrix.index_put_((target, source), model.conv.edge_weight, accumulate=True)
            system = torch.eye(model.num_nodes, dtype=h.dtype) - slope[:, :, None] * matrix
            reach = torch.linalg.solve(system, torch.diag_embed(slope))[:, model.tf_index]
            reach = reach * model.output.weight.view(1, -1, 1) * converged.view(-1, 1, 1)
            by_edge = reach[:, :, target[self.edges]] * h.T[:, None, source[self.edges]]
            whole = torch.cat([by_edge, reach[:, :, self.nodes]], dim=2)  # [S, T, P]
        return whole.transpose(0, 1)[self.known].numpy()
