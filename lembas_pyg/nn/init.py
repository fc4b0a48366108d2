"""Initial parameters of a signaling network, as in the paper."""

from __future__ import annotations

import torch
from torch import Tensor

from lembas_pyg.nn.spectral import spectral_radius

__all__ = ["basal_bias_", "scale_to_radius_", "signed_uniform_"]


def signed_uniform_(
    edge_weight: Tensor,
    edge_sign: Tensor,
    low: float = 0.1,
    high: float = 0.2,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw weights uniformly from [low, high), negative for known inhibitions; in place.

    Args:
        edge_weight: Weights to fill (dimensionless).
        edge_sign: Mode of action: +1 activation, -1 inhibition, 0 unknown (starts positive).
        low: Smallest magnitude.
        high: Largest magnitude.
        generator: Source of randomness; the global one if None.

    Shapes:
        - **edge_weight, edge_sign:** ``[E]``

    References:
        Nilsson et al. (2022), Methods: 0.1 + U(0, 0.1). The reference model uses [0, 3).
    """
    with torch.no_grad():
        edge_weight.uniform_(low, high, generator=generator)
        return edge_weight.mul_(torch.where(edge_sign < 0, -1.0, 1.0).to(edge_weight))


def basal_bias_(
    bias: Tensor,
    edge_index: Tensor,
    edge_sign: Tensor,
    value: float = 1e-3,
    inhibited_only: float = 1.0,
) -> Tensor:
    """Set the basal input of every node: high where nothing but inhibition arrives; in place.

    A node that is only inhibited would start, and stay, in the leaky range.

    Args:
        bias: Basal input to fill (dimensionless).
        edge_index: Directed interactions.
        edge_sign: Mode of action of each.
        value: Basal input of an ordinary node, one without any input included.
        inhibited_only: Basal input of a node all of whose known inputs are inhibitions.

    Shapes:
        - **bias:** ``[N, 1]``
        - **edge_index:** ``[2, E]``
        - **edge_sign:** ``[E]``

    References:
        Nilsson et al. (2022), Methods. An input of unknown sign starts as an activation.
    """
    target, num_nodes = edge_index[1], bias.size(0)
    inputs = torch.bincount(target, minlength=num_nodes)
    inhibitions = torch.bincount(target[edge_sign < 0], minlength=num_nodes)
    only = (inputs > 0) & (inhibitions == inputs)
    with torch.no_grad():
        bias.fill_(value)
        bias[only] = inhibited_only
    return bias


def scale_to_radius_(
    edge_weight: Tensor, edge_index: Tensor, num_nodes: int, radius: float = 0.8
) -> Tensor:
    """Scale all weights so that the network's spectral radius is `radius`; in place.

    The slopes of the activation do not enter. They are at most 1, so steady states are likely to be
    stable at the start, but with inhibitions that is no guarantee. A network without feedback has
    radius 0 and is left as it is.

    Args:
        edge_weight: Weights to scale (dimensionless).
        edge_index: Directed interactions.
        num_nodes: Molecular species :math:`N`.
        radius: Wanted spectral radius, positive.

    Shapes:
        - **edge_weight:** ``[E]``
        - **edge_index:** ``[2, E]``

    Raises:
        ValueError: `radius` is not positive.

    References:
        Nilsson et al. (2022), Methods: 0.8; the original ligand screen used 0.7.
    """
    if not radius > 0:
        raise ValueError(f"radius is {radius}; it must be positive (the paper uses 0.8).")
    with torch.no_grad():
        now = float(spectral_radius(edge_index, edge_weight.double(), num_nodes))
        return edge_weight.mul_(radius / now) if now > 0 else edge_weight
