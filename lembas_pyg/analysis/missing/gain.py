r"""How much a new interaction would lower the loss, for all pairs of nodes at once.

With :math:`U^t` the adjoint of TF t and r the residuals (prediction - measurement), the activities
change with the weight of a new interaction :math:`j \to i` by :math:`J_{ts} = U^t_{is} h_{js}`, so
that the best weight of the linear model lowers the squared error by

.. math:: \frac{\langle J, r \rangle^2}{\langle J, J \rangle}
          = \frac{(\sum_s c_{is} h_{js})^2}{\sum_s q_{is} h_{js}^2}, \qquad
          c = \sum_t r_t U^t, \quad q = \sum_t (U^t)^2 .

A model that was trained without the interaction has made up for it where it could. Its weights and
biases :math:`\theta` may therefore move along, by about their `freedom` :math:`\tau` where the
residuals are about :math:`\rho`; the gain is then that of a score test with nuisance parameters,

.. math:: \frac{\langle J, R r \rangle^2}{\langle J, R J \rangle}, \qquad
          R = I - J_\theta^\top (J_\theta J_\theta^\top + \rho^2 / \tau^2)^{-1} J_\theta .

The denominator is the variance of :math:`\langle J, R^{1/2} \omega \rangle` over random signs
:math:`\omega`: the same matrix products as for r, a few dozen times.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lembas_pyg.analysis.adjoint import Adjoints, tf_adjoints
from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.refit import Problem

__all__ = ["Linear", "best_sources", "gain_rows", "linearise", "parameter_gram"]

# Conditions whose Jacobian is laid out at once; bounds memory.
_COLUMNS = 2048


class Linear(NamedTuple):
    """The linear model of what an input at each node does.

    Attributes:
        c: Slope of half the squared error along an input ``[N, S]``.
        q: Curvature of the same ``[N, S]``, the model's parameters fixed.
        probes: Random combinations of activities, pulled back to the nodes ``[k, N, S]``, whose
            variance is the curvature where parameters adapt; None where they stay.
        converged: Whether all adjoints converged ``[S]``.
    """

    c: Tensor
    q: Tensor
    probes: Tensor | None
    converged: Tensor

    @property
    def step(self) -> Tensor:
        """Input that lowers the squared error most, node by node and condition by condition."""
        return -self.c / self.q.clamp(min=torch.finfo(self.q.dtype).tiny)


def linearise(
    problem: Problem,
    *,
    freedom: float = 0.0,
    num_probes: int = 64,
    generator: torch.Generator | None = None,
) -> Linear:
    """Linear model at the steady states of a problem.

    Args:
        problem: Model and conditions.
        freedom: How far the model's own weights and biases may adapt (standard deviation,
            dimensionless); 0 if they stay.
        num_probes: Random probes; the relative error of a curvature is sqrt(2 / num_probes).
        generator: Source of randomness of the probes; the global one if None.
    """
    r = problem.residual(problem.h)
    c, q = torch.zeros_like(problem.h), torch.zeros_like(problem.h)
    converged = torch.ones_like(r[0], dtype=torch.bool)
    left, probes = r.unsqueeze(0), None
    if freedom:
        left = _unexplained(problem, r, freedom, num_probes, generator)
        probes = problem.h.new_zeros(num_probes, *problem.h.shape)
    for u, block in _adjoints(problem):
        some = block.conditions
        pulled = torch.einsum("nts,kts->kns", u, left[:, :, some])
        c[:, some], q[:, some] = pulled[0], u.square().sum(dim=1)
        if probes is not None:
            probes[:, :, some] = pulled[1:]
        converged[some] = block.converged.all(dim=0)
    return Linear(c, q, probes, converged)


def _unexplained(
    problem: Problem, r: Tensor, freedom: float, num_probes: int, generator: torch.Generator | None
) -> Tensor:
    """R r and the root of R on random signs: what no parameter makes up for ``[k + 1, T, S]``."""
    omega = torch.randint(0, 2, (num_probes, *r.shape), generator=generator).to(r) * 2 - 1
    vectors = torch.cat([r.unsqueeze(0), omega]).masked_fill(problem.y.isnan(), 0.0)
    gram, image = parameter_gram(problem, vectors)
    value, basis = torch.linalg.eigh(gram)
    value = value.clamp(min=0.0)
    ridge = max(float(problem.mean(r.square().sum())), 1e-12) / freedom**2
    whole = 1 / (value + ridge)
    root = (1 - (ridge * whole).sqrt()) / value.clamp(min=1e-9 * ridge)
    factor = torch.cat([whole.view(1, -1), root.expand(num_probes, -1)])  # [k + 1, P]
    theta = ((image @ basis) * factor) @ basis.t()
    for u, block in _adjoints(problem):
        vectors[:, :, block.conditions] -= _push(problem, u, block.conditions, theta)
    return vectors


def parameter_gram(problem: Problem, vectors: Tensor) -> tuple[Tensor, Tensor]:
    r"""Products of the Jacobian of all weights and biases with itself and with given vectors.

    Args:
        problem: Model and conditions.
        vectors: ``[k, T, S]``, 0 where not measured.

    Returns:
        :math:`J_\theta J_\theta^\top` ``[P, P]`` and :math:`J_\theta v` ``[k, P]``; P the
        interactions, then the nodes.
    """
    source, target = problem.model.edge_index
    size = len(source) + problem.model.num_nodes
    gram = problem.h.new_zeros(size, size)
    image = problem.h.new_zeros(len(vectors), size)
    for u, block in _adjoints(problem):
        some = block.conditions
        weights = u[target] * problem.h[source][:, None, some]
        jacobian = torch.cat([weights, u]).flatten(1)  # [P, T * s]
        gram.addmm_(jacobian, jacobian.t())
        image.addmm_(vectors[:, :, some].flatten(1), jacobian.t())
    return gram, image


def gain_rows(linear: Linear, h: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Fall of the squared error and best weight of every source of some targets.

    Args:
        linear: As from `linearise`.
        h: Steady states ``[N, S]``.
        targets: Nodes ``[K]``.

    Returns:
        Gains (sums of squares) and weights, ``[K, N]`` each.
    """
    slope = linear.c[targets] @ h.t()
    if linear.probes is None:
        curvature = linear.q[targets] @ h.square().t()
    else:
        curvature = (linear.probes[:, targets] @ h.t()).square().mean(dim=0)
    curvature = curvature.clamp(min=1e-30)
    return slope.square() / curvature, -slope / curvature


def best_sources(
    linear: Linear, h: Tensor, candidates: Candidates, count: int, *, block: int = 256
) -> tuple[Tensor, Tensor, Tensor]:
    """The best sources of every target, in blocks of targets.

    Args:
        linear: As from `linearise`.
        h: Steady states ``[N, S]``.
        candidates: Pairs to choose from.
        count: Sources kept a target.
        block: Targets a matrix product.

    Returns:
        Sources in falling order of gain, gains (-1 where no more are allowed) and weights,
        ``[N, count]`` each.
    """
    found = []
    for targets in torch.arange(h.size(0), device=h.device).split(block):
        gain, weight = gain_rows(linear, h, targets)
        gain = gain.masked_fill(~candidates.rows(targets), -1.0)
        top = gain.topk(min(count, gain.size(1)), dim=1)
        found.append((top.indices, top.values, weight.gather(1, top.indices)))
    source, gain, weight = (torch.cat(part) for part in zip(*found, strict=True))
    return source, gain, weight


def _adjoints(problem: Problem) -> Iterator[tuple[Tensor, Adjoints]]:
    """Adjoints of all TFs, block by block; 0 where not measured or not converged."""
    model, drive = problem.model, problem.drive
    slope = model.slope(problem.h, torch.zeros_like(drive), drive)
    for block in tf_adjoints(model, slope, columns=_COLUMNS):
        speaks = block.converged & ~problem.y[:, block.conditions].isnan()
        yield block.u.masked_fill_(~speaks, 0.0), block


def _push(problem: Problem, u: Tensor, conditions: slice, theta: Tensor) -> Tensor:
    """Change of the activities of a block by changes of all parameters ``[k, T, s]``."""
    operator, h = problem.model.operator, problem.h[:, conditions]
    num_edges = operator.num_edges
    inputs = torch.stack(
        [operator.matrix(part[:num_edges]) @ h + part[num_edges:].view(-1, 1) for part in theta]
    )
    return torch.einsum("nts,kns->kts", u, inputs)
