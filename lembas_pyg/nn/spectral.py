r"""Spectral radius of a network: exact, with its gradient, for reports.

Near a steady state a deviation evolves as :math:`\Delta h \leftarrow T \Delta h` with
:math:`T = \mathrm{diag}(\sigma') A`. It dies out if and only if the spectral radius of :math:`T`
is below 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigs
from torch import Tensor
from torch.autograd.function import once_differentiable

from lembas_pyg.nn.operator import check_edge_index

__all__ = ["spectral_radius"]

# Blocks up to this size go to dense algebra, which gets degenerate spectra right.
_DENSE = 200
# Largest block that may fall back to dense algebra when Arnoldi's answer is in doubt.
_DENSE_FALLBACK = 3000
# Eigenvalues closer than this (relative) count as one; eigenvectors of a defective one are
# orthogonal to within this.
_SAME, _ORTHOGONAL = 1e-8, 1e-7
# Share of the largest weight below which a radius may be that of a nilpotent matrix.
_NILPOTENT = 0.05


class _Eigen(NamedTuple):
    """Top eigenvalue of a block with its bi-normalised left and right eigenvectors, m a cluster."""

    value: complex
    right: NDArray[np.complex128] | None  # [n, m], None where the eigenvalue is defective
    left: NDArray[np.complex128] | None  # [n, m], left^H right = identity


def spectral_radius(edge_index: Tensor, edge_weight: Tensor, num_nodes: int) -> Tensor:
    r"""Largest absolute eigenvalue of a weighted graph, exact, with its gradient.

    .. math::
        \rho = \max_k |\lambda_k(A)|, \qquad
        \frac{\partial \rho}{\partial A_{ij}}
            = \mathrm{Re}\left(\frac{\bar\lambda}{|\lambda|} \frac{\bar y_i x_j}{y^H x}\right)

    with right and left eigenvectors :math:`x, y`. Only feedback counts: the eigenvalues of a graph
    are those of its strongly connected components, each solved by itself (small ones densely,
    large ones by Arnoldi in float64). A graph without cycles has radius 0 and gradient 0. Where
    several eigenvalues of one component coincide, the gradient is that of their mean, one
    subgradient; where distinct ones, or those of several components, tie, that of one of them.
    Components of which many eigenvalues tie, such as a plain ring, need dense algebra: seconds for
    1,000 nodes.

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
        eigenvalue of the whole matrix and, where that fails, goes on with a zero gradient; we
        solve for several per component and never replace a gradient silently.

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
        top = _top_eigenvalue(source, target, weight, num_nodes)
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


def _top_eigenvalue(
    source: NDArray, target: NDArray, weight: NDArray, num_nodes: int
) -> tuple[_Eigen, NDArray[np.int64]] | None:
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
    best: tuple[_Eigen, NDArray[np.int64]] | None = None
    for number in np.unique(component[source[component[source] == component[target]]]):
        members = np.flatnonzero(component == number)
        block = matrix[members][:, members]
        eigen = _block_eigen(block)
        if eigen is not None and (best is None or abs(eigen.value) > abs(best[0].value)):
            local = np.full(num_nodes, -1)
            local[members] = np.arange(len(members))
            best = eigen, local
    return best


def _has_cycle(matrix: sp.csr_matrix) -> bool:
    """Whether the pattern of a matrix holds any directed cycle, self-loops included."""
    count, _ = connected_components(matrix, directed=True, connection="strong")
    return count < matrix.shape[0] or bool(matrix.diagonal().any())


def _block_eigen(block: sp.csr_matrix) -> _Eigen | None:
    """Top eigenvalue of one strongly connected block; None if it is nilpotent."""
    size = block.shape[0]
    scale = abs(block).max()
    if scale == 0:
        return None
    block = block / scale
    if size > _DENSE:
        eigen = _arnoldi(block)
        if eigen is not None:
            return eigen._replace(value=eigen.value * scale)
        if size > _DENSE_FALLBACK:
            raise RuntimeError(
                f"No eigen-solver converged on a strongly connected component of {size} nodes."
            )
    dense = block.toarray()
    value, left, right = scipy.linalg.eig(dense, left=True, right=True)
    # Eigenvalues that cancellation should make zero are computed as about eps^(1/size).
    if abs(value).max() <= min(1e-13 ** (1 / size), _NILPOTENT) and _is_nilpotent(dense):
        return None
    eigen = _pair(value, left, right)
    return eigen._replace(value=eigen.value * scale)


def _arnoldi(block: sp.csr_matrix) -> _Eigen | None:
    """Top eigenvalue from Arnoldi on a block and its transpose; None where in doubt."""
    size = block.shape[0]
    start = np.random.default_rng(0).standard_normal(size)  # reproducible
    options = {"k": 6, "ncv": min(size - 1, 100), "which": "LM", "v0": start, "maxiter": 300}
    try:
        value, right = eigs(block, **options)
        value_left, left = eigs(block.T.tocsr(), **options)
    except ArpackError:
        return None
    top, top_left = np.argmax(abs(value)), np.argmax(abs(value_left))
    if abs(value[top]) < 1e-6 or abs(abs(value[top]) - abs(value_left[top_left])) > 1e-8 * abs(
        value[top]
    ):
        return None
    x = right[:, top]
    y = left[:, np.argmin(abs(value_left - value[top]))].conj()
    several = np.sum(abs(value - value[top]) <= _SAME * abs(value[top])) > 1
    overlap = y.conj() @ x
    if several or abs(overlap) < _ORTHOGONAL:
        return None
    return _Eigen(complex(value[top]), x[:, None], (y / overlap.conj())[:, None])


def _pair(value: NDArray, left: NDArray, right: NDArray) -> _Eigen:
    """Top eigenvalue of a full decomposition with bi-normalised eigenvectors, or none of them."""
    top = value[np.argmax(abs(value))]
    cluster = abs(value - top) <= _SAME * abs(top)
    x, y = right[:, cluster], left[:, cluster]
    overlap = y.conj().T @ x
    if np.linalg.svd(overlap, compute_uv=False).min() < _ORTHOGONAL:
        # Rounding spreads a defective eigenvalue over a small ring; its centre is exact.
        ring = abs(value - top) <= 10 * _ORTHOGONAL * abs(top)
        return _Eigen(complex(value[ring].mean()), None, None)
    return _Eigen(complex(top), x, y @ np.linalg.inv(overlap).conj().T)


def _is_nilpotent(dense: NDArray) -> bool:
    """Whether cancelling paths make some power of a matrix vanish.

    Each power is compared with that of the absolute values: a ring with a weak link is small but
    keeps pace with it, cancellation is not and does not.
    """
    power, bound, size = dense, abs(dense), 1
    while size < dense.shape[0]:
        power, bound, size = power @ power, bound @ bound, 2 * size
        scale = bound.max()
        if scale == 0 or abs(power).max() <= 1e-13 * scale:
            return True
        power, bound = power / scale, bound / scale
    return False
