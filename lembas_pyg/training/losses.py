r"""Every term of the loss, unweighted, as a pure function.

The trainer multiplies each with the coefficient of the same name in `TrainingConfig` and logs it
under that name.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn import compiled

__all__ = [
    "anti_zero_loss",
    "fit_loss",
    "l2_loss",
    "ligand_bias_loss",
    "projection_loss",
    "sign_loss",
    "spectral_loss",
    "uniform_loss",
]


def fit_loss(y: Tensor, measured: Tensor) -> Tensor:
    r"""Mean squared error over what was measured, :math:`\mathrm{mean}\,(\hat y - y)^2`.

    Args:
        y: Predicted TF activity.
        measured: Measured TF activity, NaN where not measured.

    Shapes:
        - **input:** ``[T, S]`` twice
        - **output:** scalar; 0 if nothing was measured

    References:
        Nilsson et al. (2022), Fig. 2c.
    """
    known = ~measured.isnan()
    # NaN times zero is NaN, so the gap is filled before the difference is taken.
    error = (y - torch.where(known, measured, 0.0)) * known
    return error.square().sum() / known.sum().clamp(min=1)


def sign_loss(edge_weight: Tensor, edge_sign: Tensor) -> Tensor:
    r"""Sum of :math:`|w|` over interactions whose sign contradicts the known mode of action.

    Args:
        edge_weight: Weight of every interaction.
        edge_sign: +1 activation, -1 inhibition, 0 unknown (free).

    Shapes:
        - **input:** ``[E]`` twice
        - **output:** scalar

    References:
        Nilsson et al. (2022), Methods, soft constraints.
    """
    return (-edge_weight * edge_sign).clamp(min=0).sum()


def ligand_bias_loss(bias: Tensor, ligand_index: Tensor) -> Tensor:
    r"""Sum of squared biases of ligands, whose concentration is given as input.

    Args:
        bias: Basal input of every node.
        ligand_index: Nodes that are ligands.

    Shapes:
        - **bias:** ``[N, 1]``
        - **ligand_index:** ``[L]``
        - **output:** scalar

    References:
        Nilsson et al. (2022), Methods, soft constraints.
    """
    return bias[ligand_index].square().sum()


def l2_loss(parameter: Tensor) -> Tensor:
    r"""Sum of squares of a parameter, :math:`\sum_i \theta_i^2`.

    Args:
        parameter: Weights or biases, any shape.

    References:
        Nilsson et al. (2022), Methods. The text gives a coefficient of 1e-8; the scripts of both
        screens use 1e-6.
    """
    return parameter.square().sum()


def anti_zero_loss(edge_weight: Tensor) -> Tensor:
    r"""Term that keeps weights from getting stuck at zero, :math:`\sum_i 1 / (w_i^2 + 1/2)`.

    Args:
        edge_weight: Weight of every interaction ``[E]``.

    References:
        Nilsson et al. (2022), Eq. 1.
    """
    return (edge_weight.square() + 0.5).reciprocal().sum()


def uniform_loss(h: Tensor, low: float, high: float, dead: float) -> Tensor:
    r"""How far every node's states over all conditions are from a uniform distribution.

    .. math::
        \sum_i \Big(\mu_i - \tfrac{a+b}{2}\Big)^2 + \Big(\sigma_i^2 - \tfrac{(b-a)^2}{12}\Big)^2
        + (\min_s h_{is} - a)^2 + (\max_s h_{is} - b)^2
        - d \sum_{i:\, \max_s h_{is} \le 0} \max_s h_{is}

    Keeps nodes active and within their dynamic range. The variance is the biased one. Conditions
    that tie for a node's smallest or largest state share the gradient.

    Args:
        h: State of every node in every condition; conditions outside of the batch hold their
            latest state, detached.
        low: Smallest state wanted (a).
        high: Largest state wanted (b).
        dead: Weight of nodes that are never active (d).

    Shapes:
        - **h:** ``[N, S]``
        - **output:** scalar

    References:
        Nilsson et al. (2022), Eq. 2. The text gives a mean of (b - a) / 2, right only for a = 0;
        we use (a + b) / 2.
    """
    return _UniformLoss.apply(h, low, high, dead)


class _UniformLoss(torch.autograd.Function):
    """Value and gradient in one pass where states are many: autograd takes a dozen."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, low: float, high: float, dead: float) -> Tensor:
        if compiled.applies_to(h):
            value, gradient = _compiled_uniform(h, low, high, dead)
        else:
            value, gradient = _uniform(h, low, high, dead)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return grad * gradient, None, None, None


def _compiled_uniform(h: Tensor, low: float, high: float, dead: float) -> tuple[Tensor, Tensor]:
    """Value and gradient of `uniform_loss` in compiled code."""
    from lembas_pyg.training import kernels

    h = h.detach().contiguous()
    values, gradient = h.new_empty(h.size(0)), torch.empty_like(h)
    kernels.uniform(h.numpy(), low, high, dead, values.numpy(), gradient.numpy())
    return values.sum(), gradient


def _uniform(h: Tensor, low: float, high: float, dead: float) -> tuple[Tensor, Tensor]:
    """Value and gradient of `uniform_loss` by the operators of torch."""
    count = h.size(1)
    centred = h - h.mean(dim=1, keepdim=True)
    smallest, largest = h.amin(dim=1, keepdim=True), h.amax(dim=1, keepdim=True)
    off_mean = h.mean(dim=1, keepdim=True) - (low + high) / 2
    off_variance = centred.square().mean(dim=1, keepdim=True) - (high - low) ** 2 / 12
    off_smallest, off_largest = smallest - low, largest - high
    squares = (off_mean, off_variance, off_smallest, off_largest)
    value = torch.stack([off.square().sum() for off in squares]).sum()
    value = value - dead * largest.clamp(max=0).sum()
    gradient = centred * (off_variance * (4 / count)) + off_mean * (2 / count)
    for extreme, slope in (
        (smallest, 2 * off_smallest),
        (largest, 2 * off_largest - dead * (largest <= 0)),
    ):
        tied = (h == extreme).to(h.dtype)
        gradient.addcmul_(tied, slope / tied.sum(dim=1, keepdim=True))
    return value, gradient


def spectral_loss(rho: Tensor, sharpness: float, target: float, floor: float) -> Tensor:
    r"""Barrier against slow or unstable steady states.

    .. math:: \frac{e^{k \rho} - 1}{e^{k \rho^\ast}} \text{ where } \rho > \rho_0,
              \text{ else } 0

    Args:
        rho: Spectral radius or contraction rate of one or more conditions.
        sharpness: Steepness k.
        target: Radius :math:`\rho^\ast` at which the barrier is about 1.
        floor: Radius :math:`\rho_0` below which there is no barrier.

    Shapes:
        - **rho:** any; averaged
        - **output:** scalar

    References:
        Nilsson et al. (2022), Eq. 3, without the -1; we follow the original code. The target is
        exp(ln(precision) / steps): the text lacks the logarithm.
    """
    # One exponent, so that a large k cannot overflow the quotient.
    barrier = (sharpness * (rho - target)).exp() - math.exp(-sharpness * target)
    return torch.where(rho > floor, barrier, 0.0).mean()


def projection_loss(weight: Tensor, amplitude: float | Tensor) -> Tensor:
    r"""Squared distance of TF weights from their initial value, :math:`\sum_t (w_t - a)^2`.

    Args:
        weight: Weight of every TF ``[T]``.
        amplitude: Value they started from.

    References:
        Original script of the ligand screen; not in the text.
    """
    return (weight - amplitude).square().sum()
