r"""Spectral radius of a network: exact, with its gradient, for reports.

Near a steady state a deviation evolves as :math:`\Delta h \leftarrow T \Delta h` with
:math:`T = \mathrm{diag}(\sigma') A`. It dies out if and only if the spectral radius of :math:`T`
is below 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn.eigen import Eigen, top_eigenvalue
from lembas_pyg.nn.operator import check_edge_index

__all__ = ["spectral_radius"]


def spectral_radius(edge_index: Tensor, edge_weight: Tensor, num_nodes: int) -> Tensor:
    r"""Largest absolute eigenvalue of a weighted graph, exact, with its gradient.

    .. math::
        \rho = \max_k |\lambda_k(A)|, \qquad
        \frac{\partial \rho}{\partial A_{ij}}
            = \mathrm{Re}\left(\frac{\bar\lambda}{|\lambda|} \frac{\bar y_i x_j}{y^H x}\right)

    with right and left eigenvectors :math:`x, y`. Only feedback counts: the eigenvalues of a graph
    are those of its strongly connected components, each solved by itself in float64 (small ones
    densely, large ones by Arnoldi and inverse iteration). A graph without cycles has radius 0 and
    gradient 0. Where several eigenvalues of one component coincide, the gradient is that of their
    mean, one subgradient; where distinct ones, or those of several components, tie, that of one of
    them. Components of which many eigenvalues nearly tie, such as a ring of 1,000 nodes with one
    chord, need dense algebra: seconds, and from 3,000 nodes on an error; a plain ring does not.

    For the stability of a steady state pass the weights times the slope at their targets.

    Args:
        edge_index: Directed interactions, row 0 source, row 1 target.
        edge_weight: Weight of every interaction (dimensionless); parallel edges add up.
        num_nodes: Molecular species :math:`N`.

    Shapes:
        - **edge_index:** ``[2, E]``
        - **edge_weight:** ``[E]``
        - **output:** scalar, dtype and device of the weights

    Raises:
        ValueError: The inputs do not fit each other or are not finite; or, on backward, the top
            eigenvalue is defective and the radius has no gradient.
        RuntimeError: No eigen-solver converged on a component of more than 3,000 nodes.

    References:
        Nilsson et al. (2022), Fig. 3, Suppl. Notes 3 and 6. The original code solves for one
        eigenvalue of the whole matrix to 1e-6 and, where that fails, goes on with a zero gradient;
        we solve for several per component, to the last digits, and never replace a gradient
        silently.

    Example:
        >>> loop = torch.tensor([[0, 1], [1, 0]])
        >>> rho = spectral_radius(loop, torch.tensor([0.95, -0.95], dtype=torch.float64), 2)
        >>> round(rho.item(), 12)
        0.95
    """
    check_edge_index(edge_index, num_nodes)
    if not edge_weight.is_floating_point():
        raise ValueError(f"edge_weight holds {edge_weight.dtype}; weights must be floating point.")
    if edge_weight.shape != edge_index.shape[1:]:
        raise ValueError(
            f"edge_weight has shape {list(edge_weight.shape)}; it must be [{edge_index.size(1)}], "
            f"one weight an edge."
        )
    if not bool(edge_weight.isfinite().all()):
        raise ValueError("edge_weight holds NaN or infinite values; the radius is not defined.")
    return _SpectralRadius.apply(edge_weight, edge_index, num_nodes)


class _SpectralRadius(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, edge_weight: Tensor, edge_index: Tensor, num_nodes: int) -> Tensor:
        source, target = edge_index.cpu().numpy()
        weight = edge_weight.detach().cpu().to(torch.float64).numpy()
        top = _over_components(source, target, weight, num_nodes)
        ctx.top, ctx.edges = top, (source, target)
        return edge_weight.new_tensor(0.0 if top is None else abs(top[0].value))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        source, target = ctx.edges
        derivative = np.zeros(len(source))
        if ctx.top is not None:
            eigen, local = ctx.top
            if eigen.left is None:
                raise ValueError(
                    f"The top eigenvalue {eigen.value:.6g} is defective (its eigenvectors "
                    f"coincide): the spectral radius has no gradient at these weights. Change any "
                    f"weight of the cycle slightly, or use the contraction rate."
                )
            inside = (local[source] >= 0) & (local[target] >= 0)
            row, col = local[target[inside]], local[source[inside]]
            product = (eigen.left.conj()[row] * eigen.right[col]).mean(axis=1)
            derivative[inside] = (np.conj(eigen.value) / abs(eigen.value) * product).real
        return grad * torch.from_numpy(derivative).to(grad), None, None


def _over_components(
    source: NDArray, target: NDArray, weight: NDArray, num_nodes: int
) -> tuple[Eigen, NDArray[np.int64]] | None:
    """Top eigenvalue over all components, with each node's place in its component (else -1)."""
    shape = (num_nodes, num_nodes)
    matrix = sp.csr_matrix((weight, (target, source)), shape=shape)
    # Cycles are those of non-zero weights; edges of weight zero still get their gradient.
    nonzero = sp.csr_matrix(matrix)
    nonzero.eliminate_zeros()
    if not _has_cycle(nonzero):
        return None
    structure = sp.csr_matrix((np.ones(len(source)), (target, source)), shape=shape)
    _, component = connected_components(structure, directed=True, connection="strong")
    best: tuple[Eigen, NDArray[np.int64]] | None = None
    for number in np.unique(component[source[component[source] == component[target]]]):
        members = np.flatnonzero(component == number)
        block = matrix[members][:, members]
        eigen = top_eigenvalue(block)
        if eigen is not None and (best is None or abs(eigen.value) > abs(best[0].value)):
            local = np.full(num_nodes, -1)
            local[members] = np.arange(len(members))
            best = eigen, local
    return best


def _has_cycle(matrix: sp.csr_matrix) -> bool:
    """Whether the pattern of a matrix holds any directed cycle, self-loops included."""
    count, _ = connected_components(matrix, directed=True, connection="strong")
    return count < matrix.shape[0] or bool(matrix.diagonal().any())
