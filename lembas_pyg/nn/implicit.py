r"""Gradient of a steady state, by the adjoint fixed point.

At a steady state :math:`h = \sigma(z)`, :math:`z = A h + x`, the implicit function theorem gives
the gradient of any loss from one more fixed point,

.. math:: u = \sigma'(z) \circ (A^\top u + g), \qquad g = \partial L / \partial h,

with :math:`\partial L / \partial x = u` and
:math:`\partial L / \partial w_{ji} = \sum_s u_{is} h_{js}`. No iteration of the forward solve is
stored: memory does not depend on how many there were.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn import compiled
from lembas_pyg.nn.activations import Activation, slope_at
from lembas_pyg.nn.fixed_point import (
    FixedPoint,
    accelerate,
    iterate,
    iterate_as_one,
    rounding_floor,
)
from lembas_pyg.nn.operator import SignedOperator
from lembas_pyg.nn.spectral import spectral_radius

__all__ = ["AdjointReport", "Solver", "soft_clip", "steady_state", "steady_state_of"]

# Plain steps before a condition is accelerated. By then plain iteration has chosen the state, so
# that acceleration only finishes it. Earlier it does not pay: to tell whether an accelerated state
# is stable takes an eigen-solve, as long as 100,000 compiled steps of one condition.
_PATIENCE = 5000


class AdjointReport(NamedTuple):
    """How the last adjoint solve went, condition by condition.

    Attributes:
        residual: Largest change in the last step, relative to the largest incoming gradient [S].
        num_steps: Steps taken [S].
        converged: Whether the residual met the tolerance [S].
        clipped: Whether the gradient clip was active, so that the gradient is not exact [S].
    """

    residual: Tensor
    num_steps: Tensor
    converged: Tensor
    clipped: Tensor


@dataclass
class Solver:
    """What both solves of one steady state share, and what they reported.

    Args:
        operator: The wiring.
        act: Activation of every node.
        tol: Largest change of any state accepted as steady; relative to the largest incoming
            gradient of the condition for the adjoint.
        max_steps: Steps before giving up, for each of the two solves.
        clip: Largest adjoint that passes unchanged in one step; None for no limit.
        warn: Whether to warn of adjoints that do not converge; they are always reported.
    """

    operator: SignedOperator
    act: Callable[[Tensor], Tensor]
    tol: float
    max_steps: int
    clip: float | None = None
    warn: bool = False
    adjoint: AdjointReport | None = field(default=None, init=False)
    # Conditions by the steps of their state: adjoints take about as many, the longest go first.
    order: Tensor | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        check_solver(self.tol, self.max_steps)

    def solve(self, drive: Tensor, edge_weight: Tensor, start: Tensor | None = None) -> FixedPoint:
        """State of every condition under the input `drive` (``[N, S]``), without gradient."""
        point = self._iterate(drive, edge_weight, start, min(self.max_steps, _PATIENCE))
        slow = ~point.converged & point.residual.isfinite()
        slow &= point.residual > rounding_floor(drive.dtype)
        if self.max_steps <= _PATIENCE or not bool(slow.any()):
            return point
        finished = self._accelerate(drive[:, slow], edge_weight, point.value[:, slow])
        # Where acceleration does not lead to a stable state, plain iteration has the last word.
        left = slow.nonzero().view(-1)[~finished.converged]
        for whole, part in zip(point, finished, strict=True):
            whole[..., slow] = torch.where(finished.converged, part, whole[..., slow])
        point.num_steps[slow] += _PATIENCE
        if len(left):
            again = self._iterate(
                drive[:, left], edge_weight, point.value[:, left], self.max_steps - _PATIENCE
            )
            again.num_steps.add_(_PATIENCE)
            for whole, part in zip(point, again, strict=True):
                whole[..., left] = part
        return point

    def _iterate(
        self, drive: Tensor, edge_weight: Tensor, start: Tensor | None, max_steps: int
    ) -> FixedPoint:
        """Plain iteration, in compiled code where that is possible."""
        # Steps below the rounding floor change nothing; whether `tol` was met is judged as it is.
        reach = max(self.tol, rounding_floor(drive.dtype))
        if compiled.applies_to(drive, self.act):
            point = compiled.solve_state(
                self.operator, edge_weight, drive, start, self.act, reach, max_steps
            )
        else:
            start = torch.zeros_like(drive) if start is None else start
            point = iterate(self._step(edge_weight), start, drive, tol=reach, max_steps=max_steps)
        return point._replace(converged=point.residual <= self.tol)

    def _accelerate(self, drive: Tensor, edge_weight: Tensor, start: Tensor) -> FixedPoint:
        """Anderson acceleration; converged only where the state is stable."""
        budget = self.max_steps - _PATIENCE
        point = accelerate(self._step(edge_weight), start, drive, tol=self.tol, max_steps=budget)
        z = torch.addmm(drive, self.operator.matrix(edge_weight), point.value)
        slope = slope_at(self.act, z, point.value)
        edge_index = torch.stack([self.operator.source, self.operator.target])
        for column in point.converged.nonzero().view(-1).tolist():
            scaled = edge_weight * slope[self.operator.target, column]
            radius = spectral_radius(edge_index, scaled.double(), self.operator.num_nodes)
            point.converged[column] = bool(radius < 1)
        return point

    def _step(self, edge_weight: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        """The right-hand side on the operators of torch."""
        matrix, act = self.operator.matrix(edge_weight), self.act
        return lambda h, drive: act(torch.addmm(drive, matrix, h))

    def solve_adjoint(self, grad: Tensor, slope: Tensor, edge_weight: Tensor) -> Tensor:
        """Adjoint of every condition for the incoming gradient `grad` (``[N, S]``)."""
        scale = compiled.largest(grad)
        limit = self.tol * scale
        point = self._adjoint(grad, slope, edge_weight, limit)
        clipped = torch.zeros_like(point.converged)
        if self.clip is not None:
            clipped = compiled.largest(point.value) > self.clip
        self.adjoint = AdjointReport(
            point.residual / scale.clamp(min=torch.finfo(scale.dtype).tiny),
            point.num_steps,
            point.converged,
            clipped,
        )
        if self.warn:
            warn_adjoint_not_converged(point.converged)
        return point.value

    def _adjoint(
        self, grad: Tensor, slope: Tensor, edge_weight: Tensor, limit: Tensor
    ) -> FixedPoint:
        """The adjoint in compiled code, which does not clip, or by the operators of torch."""
        if not compiled.applies_to(grad):
            return self._clipped_adjoint(grad, slope, edge_weight, limit)
        point = compiled.solve_adjoint(
            self.operator, edge_weight, grad, slope, limit, self.max_steps, self.order
        )
        if self.clip is None:
            return point
        redo = ~point.residual.isfinite() | (compiled.largest(point.value) > self.clip)
        if not bool(redo.any()):
            return point
        again = self._clipped_adjoint(grad[:, redo], slope[:, redo], edge_weight, limit[redo])
        for whole, part in zip(point, again, strict=True):
            whole[..., redo] = part
        return point

    def _clipped_adjoint(
        self, grad: Tensor, slope: Tensor, edge_weight: Tensor, limit: Tensor
    ) -> FixedPoint:
        matrix, clip = self.operator.transpose(edge_weight), self.clip

        def step(u: Tensor, slope: Tensor, grad: Tensor) -> Tensor:
            u = torch.addmm(grad, matrix, u).mul_(slope)
            return u if clip is None else soft_clip(u, clip)

        return iterate(step, slope * grad, slope, grad, tol=limit, max_steps=self.max_steps)


def check_solver(tol: float, max_steps: int) -> None:
    """Refuse a tolerance or a number of steps no solve can work with."""
    if not 0 < tol < float("inf"):
        raise ValueError(f"tol is {tol}; it must be a positive number, such as 1e-6.")
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; at least one step is needed.")


def soft_clip(u: Tensor, limit: float) -> Tensor:
    r"""Identity up to `limit`, then :math:`\pm(\mathrm{limit} + \tanh(|u| - \mathrm{limit}))`.

    Args:
        u: Adjoint, any shape.
        limit: Largest magnitude that passes unchanged.

    References:
        Nilsson et al. (2022), Suppl. Note 1: keeps gradients finite where a state is unstable.
    """
    if u.numel() == 0 or max(map(abs, map(float, u.aminmax()))) <= limit:
        return u  # the usual case
    excess = (u.abs() - limit).clamp_(min=0)
    return torch.where(excess > 0, u.sign() * (limit + excess.tanh()), u)


class _SteadyState(torch.autograd.Function):
    """Gradient of an already solved state; the solve itself happens outside of autograd."""

    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, edge_weight: Tensor, value: Tensor, solver: Solver
    ) -> Tensor:
        ctx.solver = solver
        ctx.save_for_backward(drive, edge_weight, value)
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        drive, edge_weight, h = ctx.saved_tensors
        solver: Solver = ctx.solver
        if isinstance(solver.act, Activation):
            slope = compiled.slope_from_state(h, solver.act)
        else:
            z = torch.addmm(drive, solver.operator.matrix(edge_weight), h)
            slope = slope_at(solver.act, z, h)
        u = solver.solve_adjoint(grad, slope, edge_weight)
        for_drive, for_weight = ctx.needs_input_grad[:2]
        return (
            u if for_drive else None,
            solver.operator.edge_dot(u, h) if for_weight else None,
            None,
            None,
        )


def steady_state(
    drive: Tensor, edge_weight: Tensor, solver: Solver, start: Tensor | None = None
) -> FixedPoint:
    r"""Steady state of :math:`h = \sigma(A h + \mathrm{drive})` with its exact gradient.

    Args:
        drive: Everything added to the incoming signal: stimulus, bias, perturbation.
        edge_weight: Weight of every interaction.
        solver: Wiring, activation and tolerances; keeps the report of the adjoint solve.
        start: First state; zero as in the paper if None.

    Shapes:
        - **drive, start:** ``[N, S]``
        - **edge_weight:** ``[E]``

    Returns:
        The fixed point; its `value` carries the gradient to `drive` and `edge_weight`.

    References:
        Nilsson et al. (2022), Fig. 2c, Suppl. Notes 1 and 2.
    """
    with torch.no_grad():
        point = solver.solve(drive.detach(), edge_weight.detach(), start)
    if torch.is_grad_enabled() and (drive.requires_grad or edge_weight.requires_grad):
        solver.order = point.num_steps.argsort(descending=True)
        point = point._replace(value=_SteadyState.apply(drive, edge_weight, point.value, solver))
    return point


def steady_state_of(
    step: Callable[..., Tensor],
    drive: Tensor,
    *columns: Tensor,
    tol: float,
    max_steps: int,
    mixing: bool = False,
    start: Tensor | None = None,
) -> FixedPoint:
    r"""Steady state of any differentiable ``step(h, drive, *columns)``.

    Gradients reach all that the step depends on. One differentiable step is taken after the solve;
    a hook on it replaces the incoming gradient :math:`g` by the solution of
    :math:`u = g + J^\top u`, with :math:`J` the Jacobian of the step. Slower than `steady_state`,
    but every module, hook and mask inside the step takes part.

    Args:
        step: Right-hand side.
        drive: Input with one column a condition.
        columns: Further inputs with one column a condition, such as weights of its own.
        tol: Largest accepted change of a state in one step; relative to the largest incoming
            gradient for the adjoint.
        max_steps: Steps before giving up, for each of the two solves.
        start: First state; zero if None.
        mixing: Whether columns depend on each other, so that they converge together or not.

    Shapes:
        - **drive:** ``[N, S]``
    """
    check_solver(tol, max_steps)
    with torch.no_grad():
        start = torch.zeros_like(drive) if start is None else start
        if mixing:
            point = iterate_as_one(
                lambda h: step(h, drive, *columns), start, tol=tol, max_steps=max_steps
            )
        else:
            point = iterate(step, start, drive, *columns, tol=tol, max_steps=max_steps)
    if not torch.is_grad_enabled():
        return point
    value = step(point.value, drive, *columns)
    if value.requires_grad:
        state = point.value.clone().requires_grad_()
        image = step(state, drive.detach(), *(column.detach() for column in columns))

        def solve_adjoint(grad: Tensor | None) -> Tensor | None:
            if grad is None:
                return None

            def adjoint_step(u: Tensor) -> Tensor:
                (pulled,) = torch.autograd.grad(image, state, u, retain_graph=True)
                return grad + pulled

            scale = float(grad.abs().amax().clamp(min=torch.finfo(grad.dtype).tiny))
            # The graph of `image` spans all conditions, so none can be set aside.
            adjoint = iterate_as_one(adjoint_step, grad, tol=tol * scale, max_steps=max_steps)
            warn_adjoint_not_converged(adjoint.converged)
            return adjoint.value

        value.register_hook(solve_adjoint)
    return point._replace(value=value)


def warn_adjoint_not_converged(converged: Tensor) -> None:
    """Warn that gradients are not those of a steady state."""
    if not bool(converged.all()):
        warnings.warn(
            f"The adjoint of {int((~converged).sum())} of {converged.numel()} conditions did not "
            f"converge: their gradients are not exact. Their steady states are unstable or very "
            f"slow; raise max_steps, or train with a spectral term.",
            stacklevel=2,
        )
