r"""How well small feed-forward networks approximate a molecular mechanism.

Many networks are one program: every parameter has a first dimension M over networks, whose
gradients do not meet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from lembas_pyg.nn.activations import Activation

__all__ = ["FeedForward", "fit_feed_forward"]

# Settings of the original script.
_LR, _WEIGHT_DECAY, _BATCH_SIZE, _RESET_EVERY = 2e-3, 1e-5, 10, 100


class FeedForward(Module):
    r"""Networks from two sources to one target, without or with a hidden layer.

    .. math:: y = s\,\sigma(w \cdot x + b) \qquad\text{or}\qquad
              y = s\,\sigma\big(w_2 \cdot s\,\sigma(W_1 x + b_1) + b_2\big)

    with a trained scale s of each network, as activities are scaled to a maximum of 1.

    Args:
        acts: Activation of every network.
        hidden: Nodes of the hidden layer; 0 for none.
        generator: Source of randomness of the initial parameters (uniform in plus or minus the
            inverse root of the inputs of a layer); the global one if None.

    Shapes:
        - **x:** ``[M, S, 2]`` or ``[S, 2]``, concentrations of the sources
        - **output:** ``[M, S]``

    References:
        Nilsson et al. (2022), Fig. 1c, Methods. The scale is one number a network, as in the
        original script.
    """

    def __init__(
        self,
        acts: Sequence[Activation],
        hidden: int = 0,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if hidden < 0 or not acts:
            raise ValueError(
                f"{len(acts)} activations and hidden={hidden}; there must be one activation a "
                f"network, and 0 or more hidden nodes."
            )
        self.acts = list(acts)
        self.scale = Parameter(torch.ones(len(acts), 1, 1))
        self.weights, self.biases = torch.nn.ParameterList(), torch.nn.ParameterList()
        sizes = [2, *([hidden] if hidden else []), 1]
        for ins, outs in itertools.pairwise(sizes):
            bound = 1 / math.sqrt(ins)
            for kind, rows in ((self.weights, ins), (self.biases, 1)):
                start = torch.rand(len(acts), rows, outs, generator=generator)
                kind.append(Parameter(bound * (2 * start - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Activity of the target, of every network."""
        x = x.expand(len(self.acts), *x.shape[-2:])
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = self.scale * self.activate(torch.baddbmm(bias, x, weight))
        return x[..., 0]

    def activate(self, z: Tensor) -> Tensor:
        """Every network's own activation; neighbours that share one are taken together."""
        parts, start = [], 0
        for end in range(1, len(self.acts) + 1):
            if end == len(self.acts) or self.acts[end] != self.acts[start]:
                parts.append(self.acts[start](z[start:end]))
                start = end
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def fit_feed_forward(
    model: FeedForward,
    x: Tensor,
    y: Tensor,
    *,
    epochs: int = 5000,
    batch_size: int = _BATCH_SIZE,
    lr: float = _LR,
    generator: torch.Generator | None = None,
) -> FeedForward:
    """Train all networks by Adam on the mean squared error; in place.

    Every network visits the conditions in an order of its own. Adam forgets its moments every 100
    epochs and decays weights by 1e-5.

    Args:
        model: The networks; they start from their current parameters.
        x: Concentrations of the sources.
        y: Activity every network has to learn.
        epochs: Visits of every condition.
        batch_size: Conditions a step.
        lr: Learning rate.
        generator: Source of randomness of the order; the global one if None.

    Shapes:
        - **x:** ``[S, 2]``
        - **y:** ``[M, S]``

    Returns:
        The model.

    Raises:
        ValueError: The shapes do not fit, or a setting is not positive.
        FloatingPointError: A loss became infinite or NaN.

    References:
        Nilsson et al. (2022), Methods: 5,000 epochs at a learning rate of 0.002.
    """
    if x.shape != (y.size(-1), 2) or y.shape[:-1] != (len(model.acts),):
        raise ValueError(
            f"x has shape {list(x.shape)} and y {list(y.shape)}; they must be [S, 2] and [M, S] "
            f"with M = {len(model.acts)} networks."
        )
    if not (epochs >= 1 and batch_size >= 1 and lr > 0):
        raise ValueError(
            f"epochs={epochs}, batch_size={batch_size}, lr={lr}; all must be positive."
        )
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr, weight_decay=_WEIGHT_DECAY, fused=True)
    for epoch in range(epochs):
        if epoch and epoch % _RESET_EVERY == 0:
            optimizer.state.clear()
        order = torch.rand(y.shape, generator=generator).argsort(dim=1)
        inputs, wanted = x[order], y.gather(1, order)
        for batch_x, batch_y in zip(
            inputs.split(batch_size, 1), wanted.split(batch_size, 1), strict=True
        ):
            optimizer.zero_grad()
            # The mean over conditions, but the sum over networks: each has its own loss.
            loss = (model(batch_x) - batch_y).square().mean(dim=1).sum()
            loss.backward()
            optimizer.step()
    if not all(bool(parameter.isfinite().all()) for parameter in parameters):
        raise FloatingPointError(
            f"A parameter became infinite or NaN. Lower the learning rate (lr={lr})."
        )
    return model
