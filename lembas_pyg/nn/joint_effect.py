"""Several drugs on one target: doses add up, not their effects."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["joint_effect"]

_LN10 = math.log(10.0)
_HALVINGS = 60
_SMALLEST = 1e-6


class Curve(Protocol):
    """Effect of each pair of a drug and its target, alone, over log10 doses."""

    def effect(self, strength: Tensor, level: Tensor) -> Tensor:
        """Effect at a log10 dose ``[P, S]``."""

    def level(self, strength: Tensor, effect: Tensor) -> Tensor:
        """log10 dose for an effect ``[P, S]``."""

    def level_slope(self, strength: Tensor, effect: Tensor) -> Tensor:
        """Derivative of `level` by the effect ``[P, S]``."""


def joint_effect(
    curve: Curve, weight: Tensor, level: Tensor, target: Tensor, num_targets: int
) -> Tensor:
    r"""Effect of drugs that share targets, as if each were a dilution of the others.

    .. math:: \sum_d \frac{a_d}{D_d(p)} = 1

    for concentrations :math:`a_d = 10^{level}` of the drugs that are present, where :math:`D_d(p)`
    is what the drug alone needs for an effect: the effect :math:`p` which the doses reach together
    (Loewe additivity at the target). One drug has the effect of its curve. Drugs that inhibit a
    target and drugs that activate it are taken apart.

    Args:
        curve: Effect of a drug on a target alone.
        weight: Weight of every pair of drug and target in its curve.
        level: log10 dose of the drug of every pair, 0 where it is absent.
        target: Target of every pair.
        num_targets: Rows of the output.

    Shapes:
        - **weight, target:** ``[P]``
        - **level:** ``[P, S]``
        - **output:** ``[num_targets, S]``

    References:
        Loewe & Muischnek (1926). Nilsson et al. (2022) have one drug an observation.
    """
    total = level.new_zeros(num_targets, level.size(1))
    for sign in (1.0, -1.0):
        strength = (sign * weight).clamp(min=_SMALLEST).view(-1, 1)
        acting = (level > 0) & (sign * weight > _SMALLEST).view(-1, 1)
        total = total + sign * _effect(curve, strength, level, acting, target, num_targets)
    return total


def _effect(
    curve: Curve, strength: Tensor, level: Tensor, acting: Tensor, target: Tensor, num_targets: int
) -> Tensor:
    """Effect of the drugs that act in one direction ``[num_targets, S]``."""

    def gather(values: Tensor) -> Tensor:
        empty = level.new_zeros(num_targets, level.size(1))
        return empty.index_add(0, target, torch.where(acting, values, 0.0))

    def share(effect: Tensor) -> Tensor:
        """Dose that is there by the dose that would do it alone."""
        needed = curve.level(strength, effect[target])
        return torch.exp(_LN10 * (level - needed).clamp(max=30.0))

    with torch.no_grad():
        count = gather(torch.ones_like(level))
        more = level + count[target].clamp(min=1).log10()
        alone, together = (
            torch.where(acting, curve.effect(strength, dose), 0.0) for dose in (level, more)
        )
        index = target.view(-1, 1).expand_as(alone)
        zeros = torch.zeros_like(count)
        low = zeros.scatter_reduce(0, index, alone, "amax")
        high = zeros.scatter_reduce(0, index, together, "amax")
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            enough = gather(share(middle)) > 1  # a larger effect is reached
            low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
        effect = (low + high) / 2
        slope = gather(-_LN10 * share(effect) * curve.level_slope(strength, effect[target]))
        slope = slope.clamp(max=-_SMALLEST)
    # One step of Newton, which changes nothing but carries the gradient.
    error = torch.where(count > 0, gather(share(effect)) - 1, 0.0)
    return effect - error / slope
