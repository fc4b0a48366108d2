"""Parameters without data, for a small network: TF activities that make use of their range."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.contraction import contraction_rate
from lembas_pyg.nn.init import scale_to_radius_
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.training import TrainingConfig, losses

__all__ = ["spread_parameters"]

_RADIUS = 0.8


def spread_parameters(
    data: Data,
    *,
    steps: int = 2000,
    lr: float = 5e-3,
    input_amplitude: float = 1.0,
    output_amplitude: float = 1.0,
    generator: torch.Generator | None = None,
) -> LEMBAS:
    r"""Find parameters whose TF activities are spread evenly over all conditions.

    .. math:: L = L_{\text{uniform}}(\hat y) + L_{\text{sign}} + L_{\text{ligand bias}} + L_{\rho}
              + L_2

    Weights start uniformly in [0, 3] with their known sign, scaled to a spectral radius of 0.8,
    biases in [0, 0.01]; coefficients are those of `TrainingConfig.reference_model`. All
    conditions are used at every step, and signs are enforced in the end.

    Args:
        data: Network with conditions; measurements are not looked at.
        steps: Steps of Adam.
        lr: Learning rate.
        input_amplitude: Weight of every ligand.
        output_amplitude: Weight of every TF.
        generator: Source of randomness of the start; the global one if None.

    Returns:
        A model in float64.

    Raises:
        ValueError: The network has no conditions, or a setting is not positive.

    References:
        Nilsson et al. (2022), Methods and SI Fig. 8. Their terms against correlations between TFs
        and conditions say nothing of a single TF and are left out.
    """
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    if not (steps >= 1 and lr > 0):
        raise ValueError(f"steps={steps}, lr={lr}; both must be positive.")
    config = TrainingConfig.reference_model()
    model = LEMBAS(
        data,
        input_amplitude=input_amplitude,
        output_amplitude=output_amplitude,
        train_output=False,
        radius=None,
        max_steps=config.max_steps,
    ).double()
    weight, bias, sign = model.conv.edge_weight, model.conv.bias, model.edge_sign
    with torch.no_grad():
        drawn = torch.rand(weight.shape, generator=generator, dtype=weight.dtype)
        weight.copy_(3 * drawn * torch.where(sign < 0, -1.0, 1.0))
        bias.copy_(0.01 * torch.rand(bias.shape, generator=generator, dtype=bias.dtype))
    scale_to_radius_(weight, model.edge_index, model.num_nodes, _RADIUS)
    x = data.x.double()
    deviation = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    optimizer = torch.optim.Adam([weight, bias], lr)
    for _ in range(steps):
        point = model.steady_state(x)
        y = model.output(point.value)
        rate, deviation = contraction_rate(
            model.operator, weight, model.slope(point.value.detach(), x), deviation
        )
        deviation = deviation.nan_to_num(0.0, 0.0, 0.0) + 0.01 * torch.randn(
            x.shape, generator=generator, dtype=x.dtype
        )
        loss = _objective(model, y, rate, config)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        weight.masked_fill_(weight * sign < 0, 0.0)
    return model


def _objective(model: LEMBAS, y: Tensor, rate: Tensor, config: TrainingConfig) -> Tensor:
    """Sum of all terms, those of TF activities with a weight of 1."""
    weight, bias = model.conv.edge_weight, model.conv.bias
    spread = losses.uniform_loss(y, config.uniform_min, config.uniform_max, config.uniform_dead)
    barrier = losses.spectral_loss(
        rate, config.spectral_sharpness, config.spectral_target, config.spectral_floor
    )
    terms = [
        spread,
        config.spectral * barrier,
        config.sign * losses.sign_loss(weight, model.edge_sign),
        config.ligand_bias * losses.ligand_bias_loss(bias, model.ligand_index),
        config.l2_weight * losses.l2_loss(weight),
        config.l2_bias * losses.l2_loss(bias),
    ]
    return torch.stack(terms).sum()
