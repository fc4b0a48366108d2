r"""Other ways to the steady state and its adjoint: Newton's method and a linear solver.

Iteration costs a pass over the interactions a step. What is here factorises a sparse matrix of all
nodes, one condition at a time, and is there to be compared with: on signaling networks it is slower
(Nilsson et al. 2022, SI Fig. 3). It needs no contraction, so it also finds states that are not
stable, and says nothing of their stability.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from torch import Tensor

from lembas_pyg.nn.activations import slope_at
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.operator import SignedOperator

__all__ = ["newton_state", "solve_adjoint_directly"]


def newton_state(
    operator: SignedOperator,
    edge_weight: Tensor,
    drive: Tensor,
    act: Callable[[Tensor], Tensor],
    *,
    tol: float = 1e-6,
    max_steps: int = 100,
) -> FixedPoint:
    r"""State by Newton's method, from 0, condition by condition.

    .. math:: h \leftarrow h - \left(I - D A\right)^{-1} \left(h - \sigma(A h + x)\right),
              \qquad D = \mathrm{diag}(\sigma'(A h + x))

    Where such a step does not reduce the largest change, the plain :math:`h \leftarrow \sigma(A h +
    x)` is taken.

    Args:
        operator: Wiring.
        edge_weight: Weight of every interaction.
        drive: Input of every node, bias included.
        act: Activation of every node.
        tol: Largest change of any state in one plain step accepted as steady (dimensionless).
        max_steps: Newton steps before giving up on a condition.

    Shapes:
        - **edge_weight:** ``[E]``
        - **drive:** ``[N, S]``
        - **output:** state ``[N, S]``, without gradient

    Returns:
        As the iteration gives it; `num_steps` counts Newton steps. Whether a state is stable is not
        looked at.

    Raises:
        ValueError: `max_steps` is below 1.

    References:
        Nilsson et al. (2022), SI Fig. 3a.
    """
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; at least one step is needed.")
    matrix = _scipy(operator, edge_weight)

    def residual(h: NDArray[np.floating], x: Tensor) -> tuple[NDArray[np.floating], Tensor]:
        z = torch.from_numpy(matrix @ h) + x
        return h - act(z).numpy(), z

    value = torch.zeros_like(drive)
    change = drive.new_zeros(drive.size(1))
    num_steps = torch.zeros(drive.size(1), dtype=torch.long)
    for column in range(drive.size(1)):
        x = drive[:, column].detach()
        h = np.zeros(len(x), dtype=drive.detach().numpy().dtype)
        off, z = residual(h, x)
        step, plain = 0, 1
        while step < max_steps and not abs(off).max() <= tol:
            step += 1
            slope = slope_at(act, z, act(z)).numpy()
            try:
                candidate = h - _factorise(matrix, slope).solve(off)
            except RuntimeError:  # singular: there is no Newton step
                candidate = h
            off_there, z_there = residual(candidate, x)
            # A Newton step may jump to and fro between the pieces of the activation.
            if abs(off_there).max() < abs(off).max():
                h, off, z = candidate, off_there, z_there
                continue
            for _ in range(plain):
                h = h - off
                off, z = residual(h, x)
            plain *= 2
        value[:, column] = torch.from_numpy(h)
        change[column], num_steps[column] = float(abs(off).max()), step
    return FixedPoint(value, change, num_steps, change <= tol)


def solve_adjoint_directly(
    operator: SignedOperator, edge_weight: Tensor, slope: Tensor, grad: Tensor
) -> Tensor:
    r"""Adjoint by a sparse factorisation a condition, :math:`(I - D A^\top) u = D g`.

    Args:
        operator: Wiring.
        edge_weight: Weight of every interaction.
        slope: Slope of every node's activation at the steady state, the diagonal of D.
        grad: Gradient of the loss with respect to the state.

    Shapes:
        - **edge_weight:** ``[E]``
        - **slope, grad:** ``[N, S]``
        - **output:** ``[N, S]``, without gradient

    Raises:
        RuntimeError: The matrix of a condition is singular.

    References:
        Nilsson et al. (2022), SI Fig. 3b.
    """
    transpose = _scipy(operator, edge_weight).T.tocsr()
    columns = [
        _factorise(transpose, d).solve(d * g)
        for d, g in zip(slope.T.numpy(), grad.detach().T.numpy(), strict=True)
    ]
    return torch.from_numpy(np.stack(columns, axis=1)).to(slope)


def _scipy(operator: SignedOperator, edge_weight: Tensor) -> sp.csr_matrix:
    """The wiring with its weights; interactions between the same nodes add up."""
    shape = operator.num_nodes, operator.num_nodes
    places = operator.target.numpy(), operator.source.numpy()
    return sp.csr_matrix((edge_weight.detach().numpy(), places), shape=shape)


def _factorise(matrix: sp.csr_matrix, slope: NDArray[np.floating]) -> sp.linalg.SuperLU:
    """Sparse LU of the identity less the scaled matrix."""
    identity = sp.identity(len(slope), dtype=slope.dtype, format="csr")
    scaled = sp.diags(slope) @ matrix
    # Fills in least on signaling networks.
    return splu((identity - scaled).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1)
