"""Gradient descent on the spectral loss alone: a network made stable with little change."""

from __future__ import annotations

import torch
from torch import Tensor

from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.training.losses import spectral_loss

__all__ = ["shrink_radius"]


def shrink_radius(
    edge_index: Tensor,
    edge_weight: Tensor,
    num_nodes: int,
    target: float = 0.95,
    *,
    sharpness: float = 20.0,
    lr: float = 1e-3,
    max_steps: int = 500,
) -> tuple[Tensor, list[float]]:
    """Lower the spectral radius of a weighted graph to a target, by Adam on the spectral loss.

    Args:
        edge_index: Directed interactions, row 0 source, row 1 target.
        edge_weight: Weight of every interaction; it is not changed.
        num_nodes: Molecular species.
        target: Spectral radius to stop at.
        sharpness: Steepness of the loss.
        lr: Learning rate, about the change of a weight in a step.
        max_steps: Steps before giving up.

    Shapes:
        - **edge_index:** ``[2, E]``
        - **edge_weight:** ``[E]``

    Returns:
        The new weights, and the spectral radius at the start and after every step. The last one is
        above the target where `max_steps` were not enough.

    Raises:
        ValueError: The target, learning rate or number of steps is not positive, or the inputs do
            not fit each other.

    References:
        Nilsson et al. (2022), Fig. 3b. The text descends for 200 steps, the original script to a
        radius of 0.95 in at most 500, which is what is done here.
    """
    if not (target > 0 and lr > 0 and max_steps >= 1):
        raise ValueError(
            f"target={target}, lr={lr}, max_steps={max_steps}; all three must be positive."
        )
    weight = edge_weight.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=lr)
    radii: list[float] = []
    for step in range(max_steps + 1):
        rho = spectral_radius(edge_index, weight, num_nodes)
        radii.append(float(rho.detach()))
        if radii[-1] <= target or step == max_steps:
            break
        optimizer.zero_grad()
        # A floor below the target: the loss has a gradient until the target is reached.
        spectral_loss(rho, sharpness, target, floor=target / 2).backward()
        optimizer.step()
    return weight.detach(), radii
