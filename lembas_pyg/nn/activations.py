r"""Activation functions of a signaling node: value, slope, and slope from the state.

Every activation here maps the raw input :math:`z` of a node (dimensionless) to its state
:math:`h = \sigma(z)` (fraction of saturation), is non-decreasing, and therefore knows its slope
from the state alone. That is all the adjoint and the spectral radius need, so raw inputs are
never stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

__all__ = [
    "Activation",
    "LeakyReLU",
    "MichaelisMentenLike",
    "Sigmoid",
    "activation_by_name",
    "leaky_relu",
    "michaelis_menten_like",
    "sigmoid",
    "slope_at",
]


@dataclass(frozen=True)
class Activation:
    """A scalar function applied to every node, with its slope.

    Subclasses give `__call__`, `slope`, `slope_from_state` and `inverse`; all work elementwise on
    tensors of any shape and keep device and dtype.
    """

    name: ClassVar[str]

    def __call__(self, z: Tensor) -> Tensor:
        """State of a node whose raw input is `z`."""
        raise NotImplementedError

    def slope(self, z: Tensor) -> Tensor:
        """Derivative of the state with respect to the raw input `z`."""
        raise NotImplementedError

    def slope_from_state(self, h: Tensor) -> Tensor:
        """The same derivative, from the state `h` instead of the raw input."""
        raise NotImplementedError

    def inverse(self, h: Tensor) -> Tensor:
        """Raw input that gives the state `h`."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Leaky(Activation):
    """Activations whose negative side is a straight line of slope `leak`."""

    leak: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.leak < 1:
            raise ValueError(f"leak is {self.leak}; it must lie in [0, 1), the paper uses 0.01.")


class MichaelisMentenLike(_Leaky):
    r"""Michaelis-Menten-like activation (MML): leaky, then linear, then saturating.

    .. math::
        \sigma(z) = \begin{cases}
            \mathrm{leak}\, z & z \le 0 \\
            z & 0 < z \le 1/2 \\
            1 - 1/(4z) & z > 1/2
        \end{cases}
        \qquad
        \sigma'(z) = \begin{cases}
            \mathrm{leak} & h \le 0 \\ 1 & 0 < h \le 1/2 \\ 4 (1 - h)^2 & h > 1/2
        \end{cases}

    States stay below 1 (saturation). At 0, where the two sides disagree, the slope is `leak`.

    Args:
        leak: Slope for negative input (dimensionless), in [0, 1).

    Raises:
        ValueError: `leak` is outside [0, 1).

    References:
        Nilsson et al. (2022), Fig. 1b.
    """

    name: ClassVar[str] = "MML"

    def __call__(self, z: Tensor) -> Tensor:
        """State of a node whose raw input is `z`."""
        # 1 - 1/(4z) is the tangent-continuous lower bound of z, so the pieces are a min and a max:
        # three fused passes instead of a chain of selections.
        saturating = 1 - 0.25 / z.clamp(min=0.5)
        return torch.where(z > 0, torch.minimum(z, saturating), self.leak * z)

    def slope(self, z: Tensor) -> Tensor:
        """Derivative of the state with respect to the raw input `z`."""
        saturating = 0.25 / z.clamp(min=0.5).square()
        return torch.where(z > 0, saturating, torch.full_like(z, self.leak))

    def slope_from_state(self, h: Tensor) -> Tensor:
        """The same derivative, from the state `h` instead of the raw input."""
        saturating = h.clamp(min=0.5).neg().add_(1).square_().mul_(4)
        return saturating.masked_fill_(h <= 0, self.leak)

    def inverse(self, h: Tensor) -> Tensor:
        """Raw input that gives the state `h`; a leak of 0 sends negative states to 0."""
        saturating = 0.25 / (1 - h.clamp(min=0.5))
        negative = h / self.leak if self.leak > 0 else torch.zeros_like(h)
        return torch.where(h > 0.5, saturating, torch.where(h > 0, h, negative))


class LeakyReLU(_Leaky):
    r"""Leaky rectifier, :math:`\sigma(z) = \max(z, \mathrm{leak}\, z)`; states are unbounded.

    Args:
        leak: Slope for negative input (dimensionless), in [0, 1); also the slope at 0.

    Raises:
        ValueError: `leak` is outside [0, 1).

    References:
        Nilsson et al. (2022), SI Fig. 17a (compared with MML on the ligand screen).
    """

    name: ClassVar[str] = "leakyRelu"

    def __call__(self, z: Tensor) -> Tensor:
        """State of a node whose raw input is `z`."""
        return torch.where(z > 0, z, self.leak * z)

    def slope(self, z: Tensor) -> Tensor:
        """Derivative of the state with respect to the raw input `z`."""
        return torch.where(z > 0, torch.ones_like(z), torch.full_like(z, self.leak))

    def slope_from_state(self, h: Tensor) -> Tensor:
        """The same derivative, from the state `h` instead of the raw input."""
        return self.slope(h)

    def inverse(self, h: Tensor) -> Tensor:
        """Raw input that gives the state `h`; a leak of 0 sends negative states to 0."""
        negative = h / self.leak if self.leak > 0 else torch.zeros_like(h)
        return torch.where(h > 0, h, negative)


@dataclass(frozen=True)
class Sigmoid(Activation):
    r"""Logistic activation, :math:`\sigma(z) = 1/(1 + e^{-z})`, slope :math:`h(1-h)`.

    References:
        Nilsson et al. (2022), SI Fig. 17a (could not be fitted to the ligand screen).
    """

    name: ClassVar[str] = "sigmoid"

    def __call__(self, z: Tensor) -> Tensor:
        """State of a node whose raw input is `z`."""
        return torch.sigmoid(z)

    def slope(self, z: Tensor) -> Tensor:
        """Derivative of the state with respect to the raw input `z`."""
        return self.slope_from_state(torch.sigmoid(z))

    def slope_from_state(self, h: Tensor) -> Tensor:
        """The same derivative, from the state `h` instead of the raw input."""
        return h * (1 - h)

    def inverse(self, h: Tensor) -> Tensor:
        """Raw input that gives the state `h`."""
        return torch.logit(h)


michaelis_menten_like = MichaelisMentenLike()
leaky_relu = LeakyReLU()
sigmoid = Sigmoid()

_CLASSES: dict[str, type[Activation]] = {
    cls.name: cls for cls in (MichaelisMentenLike, LeakyReLU, Sigmoid)
}


def activation_by_name(name: str, leak: float | None = None) -> Activation:
    """Activation called `name` in parameter texts and options.

    Args:
        name: ``"MML"``, ``"leakyRelu"`` or ``"sigmoid"`` (any case).
        leak: Slope for negative input; the activation's own if None.

    Raises:
        ValueError: No activation has that name, or it takes no leak.

    Example:
        >>> activation_by_name("mml", leak=0.1)
        MichaelisMentenLike(leak=0.1)
    """
    by_lower = {known.lower(): cls for known, cls in _CLASSES.items()}
    if name.lower() not in by_lower:
        raise ValueError(f"Activation '{name}' is not known; choose from {', '.join(_CLASSES)}.")
    cls = by_lower[name.lower()]
    if leak is None:
        return cls()
    if not issubclass(cls, _Leaky):
        raise ValueError(f"Activation '{cls.name}' takes no leak, but leak={leak} was given.")
    return cls(leak=leak)


def slope_at(act: Callable[[Tensor], Tensor], z: Tensor, h: Tensor) -> Tensor:
    r"""Slope :math:`\sigma'` of any elementwise function at raw input `z` and state `h`.

    Args:
        act: An `Activation`, or any differentiable elementwise function such as ``torch.tanh``.
        z: Raw input (dimensionless).
        h: State, ``act(z)``.

    Shapes:
        - **input:** any shape, the same for `z` and `h`
        - **output:** that shape
    """
    if isinstance(act, Activation):
        return act.slope_from_state(h)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad(act(z).sum(), z)
    return slope
