"""What drugs add to the input of their targets: by binding, or by the logarithm of their dose."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch_geometric.data import Data

from lembas_pyg.nn.joint_effect import joint_effect
from lembas_pyg.nn.projections import SparseProjection

__all__ = ["DrugBinding", "DrugInput", "drug_layer"]

_LN10 = math.log(10.0)
# Initial effect of a drug on a target that it binds entirely, and of one unit of log10 dose.
_BOUND, _A_DECADE = 1.2, 0.3
_STEEPNESS = 0.6
_USUAL_DOSE = 2.0  # log10; where affinities start in a network without doses
# Shares of targets bound that can be told from none and all in float32.
_SMALLEST = 1e-6


class DrugInput(SparseProjection):
    r"""Every drug adds its log10 dose times a weight to each of its targets, as in the paper.

    .. math:: p_i = \sum_{d \to i} w_{di} \log_{10} c_d

    Where several drugs act on a target their doses add up, not the logarithms, see
    `lembas_pyg.nn.joint_effect.joint_effect`.

    Shapes:
        - **input:** log10 doses ``[D, S]``, 0 where a drug is absent
        - **output:** ``[num_targets, S]``

    References:
        Nilsson et al. (2022), SI Fig. 18.
    """

    def forward(self, x: Tensor) -> Tensor:
        """What drugs add to the input of every target."""
        level = x.index_select(0, self.source_index)
        if x.size(1) and int((x > 0).sum(dim=0).max()) > 1:
            return joint_effect(self, self.weight, level, self.target_index, self.num_targets)
        alone = self.effect(self.weight.view(-1, 1), level)
        return alone.new_zeros(self.num_targets, x.size(1)).index_add(0, self.target_index, alone)

    def effect(self, strength: Tensor, level: Tensor) -> Tensor:
        """What each pair of drug and target adds alone ``[P, S]``.

        Args:
            strength: Weight of every pair ``[P, 1]``.
            level: log10 dose of the drug of every pair ``[P, S]``, 0 where it is absent.
        """
        return strength * level

    def level(self, strength: Tensor, effect: Tensor) -> Tensor:
        """log10 dose at which each pair alone has an effect: `effect` turned round ``[P, S]``."""
        return effect / strength

    def level_slope(self, strength: Tensor, effect: Tensor) -> Tensor:
        """Derivative of `level` by the effect ``[P, S]``."""
        return (1 / strength).expand_as(effect)


class DrugBinding(DrugInput):
    r"""Every drug acts on each of its targets by the share of it that it binds.

    .. math:: p_i = \sum_{d \to i} w_{di}\, \theta_{di}, \qquad
        \theta_{di} = \frac{c_d^{n_{di}}}{c_d^{n_{di}} + K_{di}^{n_{di}}}

    for a dose :math:`c_d`, with an affinity and a steepness of every pair that are trained with its
    weight: one drug may bind its targets at doses that are orders of magnitude apart.

    Args:
        source_index: Drug of every pair.
        target_index: Target of every pair.
        num_targets: Rows of the output.
        affinity: Initial log10 dose that binds half of a target.
        **options: Of `SparseProjection`.

    Attributes:
        affinity: log10 :math:`K` of every pair ``[P]``, in the unit of the doses.
        log_steepness: Natural logarithm of :math:`n` of every pair ``[P]``.

    Shapes:
        - **input:** log10 doses ``[D, S]``, 0 where a drug is absent
        - **output:** ``[num_targets, S]``

    References:
        Hill (1910). The paper has `DrugInput`.
    """

    def __init__(
        self,
        source_index: Tensor,
        target_index: Tensor,
        num_targets: int,
        *,
        affinity: float,
        **options: Any,
    ) -> None:
        super().__init__(source_index, target_index, num_targets, **options)
        self.affinity = Parameter(torch.full_like(self.weight, affinity))
        self.log_steepness = Parameter(torch.full_like(self.weight, math.log(_STEEPNESS)))

    def effect(self, strength: Tensor, level: Tensor) -> Tensor:
        """What each pair of drug and target adds alone ``[P, S]``."""
        bound = torch.sigmoid(_LN10 * self.steepness * (level - self.affinity.view(-1, 1)))
        return torch.where(level > 0, strength * bound, 0.0)

    def level(self, strength: Tensor, effect: Tensor) -> Tensor:
        """log10 dose at which each pair alone has an effect; very large beyond its largest one."""
        bound = _within(effect / strength)
        return self.affinity.view(-1, 1) + torch.logit(bound) / (_LN10 * self.steepness)

    def level_slope(self, strength: Tensor, effect: Tensor) -> Tensor:
        """Derivative of `level` by the effect ``[P, S]``."""
        share = effect / strength
        bound = _within(share)
        slope = 1 / (_LN10 * self.steepness * strength * bound * (1 - bound))
        return torch.where(share == bound, slope, 0.0)  # beyond its largest effect, no more

    @property
    def steepness(self) -> Tensor:
        """Hill coefficient of every pair ``[P, 1]``."""
        return self.log_steepness.exp().view(-1, 1)


def drug_layer(data: Data, binding: bool, amplitude: float | None) -> DrugInput:
    """The projection from the drugs of a network to their targets.

    Args:
        data: Network with `drug_sign`; affinities start at the mean log10 dose of its `dose`.
        binding: Whether drugs act by the share of a target that they bind.
        amplitude: Initial effect of every pair (dimensionless); None for the usual one.
    """
    drug, target = data.drug_sign.t().nonzero().unbind(1)
    sign = data.drug_sign[target, drug]
    if amplitude is None:
        amplitude = _BOUND if binding else _A_DECADE
    about: dict[str, Any] = {"amplitude": sign * amplitude, "sign": sign}
    if not binding:
        return DrugInput(drug, target, data.num_nodes, **about)
    present = data.dose[data.dose > 0] if "dose" in data else torch.zeros(0)
    middle = float(present.double().mean()) if present.numel() else _USUAL_DOSE
    return DrugBinding(drug, target, data.num_nodes, affinity=middle, **about)


def _within(share: Tensor) -> Tensor:
    return share.clamp(_SMALLEST, 1 - _SMALLEST)
