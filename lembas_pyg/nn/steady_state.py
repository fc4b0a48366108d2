"""Any message passing layer, iterated to its fixed point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from lembas_pyg.nn.activations import michaelis_menten_like
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.implicit import steady_state_of

__all__ = ["SteadyState"]

# Applications of the Jacobian that estimate its growth, and attempts to rescale by it.
_POWERS, _ATTEMPTS = 16, 8


class SteadyState(Module):
    r"""Fixed point of a width-preserving message passing layer, as an implicit layer.

    .. math:: h^\ast = \sigma\big(s \, \mathrm{conv}(h^\ast, \mathcal{E}) + x\big)

    For layers that mix channels, such as `GraphConv`, `GCNConv` or `RGCNConv`, so the whole graph
    converges or not. Gradients are those of the fixed point and reach the layer's parameters,
    `x` and every keyword tensor. Nothing makes an arbitrary layer a contraction: look at the
    report, or set `max_radius` to scale the layer down (s < 1) until it is one.

    Args:
        conv: Layer called as ``conv(h, edge_index, *args, **kwargs)`` that keeps the shape of `h`.
        act: Activation :math:`\sigma`.
        tol: Largest change of any entry in one step accepted as steady; relative to the largest
            incoming gradient for the adjoint.
        max_steps: Steps before giving up, for the state and for the adjoint.
        max_radius: Growth of a deviation per step above which the layer is scaled down; None to
            leave it as it is.

    Attributes:
        report: `FixedPoint` of the last call: value, residual, steps and verdict, one for every
            channel (the same for all).
        scale: Factor s of the last call.

    Shapes:
        - **x:** ``[N, F]``
        - **output:** ``[N, F]``

    Raises:
        ValueError: The layer changes the shape of the state.

    References:
        Bai et al. (2019), deep equilibrium models; Gu et al. (2020), implicit graph networks.

    Example:
        >>> from torch_geometric.nn import GraphConv
        >>> layer = SteadyState(GraphConv(4, 4), torch.tanh, max_radius=0.9)
        >>> layer(torch.rand(3, 4), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 4])
    """

    def __init__(
        self,
        conv: Module,
        act: Callable[[Tensor], Tensor] = michaelis_menten_like,
        *,
        tol: float = 1e-6,
        max_steps: int = 1000,
        max_radius: float | None = None,
    ) -> None:
        super().__init__()
        if max_radius is not None and not 0 < max_radius < 1:
            raise ValueError(f"max_radius is {max_radius}; it must lie between 0 and 1.")
        self.conv, self.act = conv, act
        self.tol, self.max_steps, self.max_radius = tol, max_steps, max_radius
        self.report: FixedPoint | None = None
        self.scale = 1.0

    def reset_parameters(self) -> None:
        """Initial parameters of the layer inside."""
        reset: Callable[[], None] = self.conv.reset_parameters  # type: ignore[assignment]
        reset()

    def forward(self, x: Tensor, edge_index: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Fixed point; warns where there is none.

        Args:
            x: Input added at every step.
            edge_index: Edges, in any form the layer takes.
            args: Further inputs of the layer by position, such as edge types.
            kwargs: Further inputs of the layer by name, such as edge weights.
        """
        point = self.solve(x, edge_index, *args, **kwargs)
        warn_not_converged(
            point._replace(residual=point.residual[:1], converged=point.converged[:1]), self.tol
        )
        return point.value

    def solve(self, x: Tensor, edge_index: Any, *args: Any, **kwargs: Any) -> FixedPoint:
        """As `forward`, but with the residual and verdict, and no warning.

        Args:
            x: Input added at every step.
            edge_index: Edges, in any form the layer takes.
            args: Further inputs of the layer by position.
            kwargs: Further inputs of the layer by name.
        """

        def step(h: Tensor, x: Tensor) -> Tensor:
            image = self.conv(h, edge_index, *args, **kwargs)
            if image.shape != x.shape:
                raise ValueError(
                    f"The layer turns a state of shape {list(x.shape)} into {list(image.shape)}; a "
                    f"fixed point needs a layer that keeps it, such as GraphConv(F, F)."
                )
            return self.act(self.scale * image + x)

        self.scale = 1.0
        solve = partial(
            steady_state_of, step, x, tol=self.tol, max_steps=self.max_steps, mixing=True
        )
        if self.max_radius is not None:
            self._find_scale(solve, lambda h: step(h, x), self.max_radius)
        point = solve()
        self.report = point._replace(value=point.value.detach())
        return point

    def _find_scale(
        self,
        solve: Callable[[], FixedPoint],
        step: Callable[[Tensor], Tensor],
        max_radius: float,
    ) -> None:
        """Scale the layer down until a deviation from the state it reaches shrinks fast enough."""
        with torch.no_grad():
            for _ in range(_ATTEMPTS):
                point = solve()
                growth = _growth(step, point.value)
                if not bool(point.converged.all()):
                    self.scale *= 0.5  # the growth at a state that is none says nothing
                elif growth > max_radius:
                    self.scale *= max_radius / growth
                else:
                    return


def _growth(step: Callable[[Tensor], Tensor], h: Tensor) -> float:
    """Growth per step of a deviation from `h`, by powers of the Jacobian."""
    generator = torch.Generator(h.device).manual_seed(0)
    v = torch.randn(h.shape, generator=generator, dtype=h.dtype, device=h.device)
    v = v / v.norm()
    norms = []
    for _ in range(_POWERS):
        v = torch.func.jvp(step, (h,), (v,))[1]
        norms.append(float(v.norm()))
        v = v / max(norms[-1], torch.finfo(v.dtype).tiny)
    late = torch.tensor(norms[_POWERS // 2 :])
    return float(late.clamp(min=1e-30).log().mean().exp())
