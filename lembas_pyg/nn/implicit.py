r"""Gradient of a steady state, by the adjoint fixed point.

At a steady state :math:`h = \sigma(z)`, :math:`z = A h + x`, the implicit function theorem gives
the gradient of any loss from one more fixed point,

.. math:: u = \sigma'(z) \circ (A^\top u + g), \qquad g = \partial L / \partial h,

with :math:`\partial L / \partial x = u` and
:math:`\partial L / \partial w_{ji} = \sum_s u_{is} h_{js}`. No iteration of the forward solve is
stored: memory does not depend on how many there were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn import compiled
from lembas_pyg.nn.activations import slope_at
from lembas_pyg.nn.fixed_point import FixedPoint, iterate
from lembas_pyg.nn.operator import SignedOperator

__all__ = ["AdjointReport", "Solver", "soft_clip", "steady_state"]


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
    """

    operator: SignedOperator
    act: Callable[[Tensor], Tensor]
    tol: float
    max_steps: int
    clip: float | None = None
    adjoint: AdjointReport | None = field(default=None, init=False)

    def solve(self, drive: Tensor, edge_weight: Tensor, start: Tensor | None = None) -> FixedPoint:
        """State of every condition under the input `drive` (``[N, S]``), without gradient."""
        start = torch.zeros_like(drive) if start is None else start
        if compiled.applies_to(drive, self.act):
            return compiled.solve_state(
                self.operator, edge_weight, drive, start, self.act, self.tol, self.max_steps
            )
        matrix, act = self.operator.matrix(edge_weight), self.act

        def step(h: Tensor, drive: Tensor) -> Tensor:
            return act(torch.addmm(drive, matrix, h))

        return iterate(step, start, drive, tol=self.tol, max_steps=self.max_steps)

    def solve_adjoint(self, grad: Tensor, slope: Tensor, edge_weight: Tensor) -> Tensor:
        """Adjoint of every condition for the incoming gradient `grad` (``[N, S]``)."""
        scale = grad.abs().amax(dim=0) if grad.numel() else grad.new_zeros(grad.size(1))
        limit = self.tol * scale
        point = self._adjoint(grad, slope, edge_weight, limit)
        clipped = torch.zeros_like(point.converged)
        if self.clip is not None and grad.numel():
            clipped = point.value.abs().amax(dim=0) > self.clip
        self.adjoint = AdjointReport(
            point.residual / scale.clamp(min=torch.finfo(scale.dtype).tiny),
            point.num_steps,
            point.converged,
            clipped,
        )
        return point.value

    def _adjoint(
        self, grad: Tensor, slope: Tensor, edge_weight: Tensor, limit: Tensor
    ) -> FixedPoint:
        """The adjoint in compiled code, which does not clip, or by the operators of torch."""
        if not compiled.applies_to(grad):
            return self._clipped_adjoint(grad, slope, edge_weight, limit)
        point = compiled.solve_adjoint(
            self.operator, edge_weight, grad, slope, limit, self.max_steps
        )
        if self.clip is None or not grad.numel():
            return point
        redo = ~point.converged | (point.value.abs().amax(dim=0) > self.clip)
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
        z = torch.addmm(drive, solver.operator.matrix(edge_weight), h)
        u = solver.solve_adjoint(grad, slope_at(solver.act, z, h), edge_weight)
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
        point = point._replace(value=_SteadyState.apply(drive, edge_weight, point.value, solver))
    return point


def steady_state_of(
    step: Callable[[Tensor, Tensor], Tensor], drive: Tensor, *, tol: float, max_steps: int
) -> FixedPoint:
    r"""Steady state of any differentiable ``step(h, drive)``, gradients to all it depends on.

    One differentiable step is taken after the solve; a hook on it replaces the incoming gradient
    :math:`g` by the solution of :math:`u = g + J^\top u`, with :math:`J` the Jacobian of the step.
    Slower than `steady_state`, but every module, hook and mask inside the step takes part.

    Args:
        step: Right-hand side; treats every column (condition) by itself.
        drive: Input with one column a condition.
        tol: Largest accepted change of a state in one step; relative to the largest incoming
            gradient for the adjoint.
        max_steps: Steps before giving up, for each of the two solves.

    Shapes:
        - **drive:** ``[N, S]``
    """
    with torch.no_grad():
        point = iterate(step, torch.zeros_like(drive), drive, tol=tol, max_steps=max_steps)
    if not torch.is_grad_enabled():
        return point
    value = step(point.value, drive)
    if value.requires_grad:
        state = point.value.clone().requires_grad_()
        image = step(state, drive.detach())

        def solve_adjoint(grad: Tensor) -> Tensor:
            def adjoint_step(u: Tensor) -> Tensor:
                (pulled,) = torch.autograd.grad(image, state, u, retain_graph=True)
                return grad + pulled

            scale = grad.abs().amax().clamp(min=torch.finfo(grad.dtype).tiny)
            columns = grad.size(1)
            # The graph of `image` spans all conditions, so none can be set aside.
            flat = iterate(
                lambda u: adjoint_step(u.view(-1, columns)).view(-1, 1),
                grad.reshape(-1, 1),
                tol=float(tol * scale),
                max_steps=max_steps,
            )
            return flat.value.view_as(grad)

        value.register_hook(solve_adjoint)
    return point._replace(value=value)
