r"""Contraction rate: how fast all conditions of a batch settle, for training.

What `lembas_pyg.nn.spectral` finds exactly for one condition is followed here for all of them at
once, from one training step to the next, at the price of a few steps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn import compiled
from lembas_pyg.nn.operator import SignedOperator

__all__ = ["NUM_STEPS", "contraction_rate"]

# Steps over which the growth of a deviation is measured in training.
NUM_STEPS = 8


def contraction_rate(
    operator: SignedOperator,
    edge_weight: Tensor,
    slope: Tensor,
    vector: Tensor,
    num_steps: int = NUM_STEPS,
) -> tuple[Tensor, Tensor]:
    r"""Growth per step of a deviation from the steady state, all conditions at once.

    .. math:: \rho \approx \left(\frac{\|T^k v\|}{\|v\|}\right)^{1/k},
              \qquad T = \mathrm{diag}(\sigma') A

    The vector returned is the deviation after `num_steps` steps; given back at the next call (the
    weights having changed little) it is all but the dominant mode, and the rate all but the
    spectral radius. The growth over k steps is right for complex pairs too, where a Rayleigh
    quotient of a real vector is not (0 for a negative loop of two nodes).

    Args:
        operator: Wiring.
        edge_weight: Weight of every interaction; receives the gradient.
        slope: Slope of every node at its steady state; no gradient flows through it.
        vector: Deviation to start from, not zero; best that of the last call.
        num_steps: Steps k, 8 or more.

    Shapes:
        - **edge_weight:** ``[E]``
        - **slope, vector:** ``[N, S]``
        - **output:** rate ``[S]``, vector ``[N, S]``

    References:
        In place of the exact radius of one random condition a step (Nilsson et al. 2022, Methods).
    """
    rate, last = _ContractionRate.apply(edge_weight, slope, vector, operator, num_steps)
    return rate, last


class _ContractionRate(torch.autograd.Function):
    """Growth over k steps; backward runs the same k steps on the transpose."""

    @staticmethod
    def forward(
        ctx: Any,
        edge_weight: Tensor,
        slope: Tensor,
        vector: Tensor,
        operator: SignedOperator,
        num_steps: int,
    ) -> tuple[Tensor, Tensor]:
        ctx.operator, ctx.compiled = operator, compiled.applies_to(vector)
        ctx.num_steps = num_steps
        if ctx.compiled:
            rate, v, kept = compiled.rate(operator, edge_weight, slope, vector, num_steps)
            ctx.save_for_backward(edge_weight, rate, slope, *kept)
            ctx.mark_non_differentiable(v)
            return rate, v
        floor = torch.finfo(vector.dtype).tiny
        matrix = operator.matrix(edge_weight)
        v = vector / vector.norm(dim=0).clamp(min=floor)
        vectors, norms = [v], []
        for _ in range(num_steps):
            v = (matrix @ v).mul_(slope)
            norm = v.norm(dim=0).clamp_(min=floor)
            v = v / norm
            vectors.append(v)
            norms.append(norm)
        rate = torch.stack(norms).log_().mean(dim=0).exp_()
        ctx.norms, ctx.vectors = norms, vectors
        ctx.save_for_backward(edge_weight, rate, slope)
        ctx.mark_non_differentiable(v)
        return rate, v

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        edge_weight, rate, slope, *kept = ctx.saved_tensors
        # d rate = rate / k * d log ||T^k v||, pulled back one step at a time.
        scale = grad * rate / ctx.num_steps
        if ctx.compiled:
            for_weight = compiled.rate_backward(
                ctx.operator, edge_weight, slope, scale, tuple(kept)
            )
            return for_weight, None, None, None, None
        transpose = ctx.operator.transpose(edge_weight)
        u = ctx.vectors[-1] * scale
        adjoints = []
        for norm in reversed(ctx.norms):
            u = u * slope / norm
            adjoints.append(u)
            u = transpose @ u
        adjoints.reverse()
        for_weight = ctx.operator.edge_dot(torch.cat(adjoints, 1), torch.cat(ctx.vectors[:-1], 1))
        return for_weight, None, None, None, None
