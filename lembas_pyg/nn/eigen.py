r"""Top eigenvalue of one strongly connected block of a network, with both eigenvectors.

Three ways: dense algebra for small blocks; for large ones Arnoldi, which looks for the largest
eigenvalues from outside, and inverse iteration, which gets value and both eigenvectors to the last
digits; and a power of the block where all its cycles are multiples of one length. Where an answer
is in doubt, dense algebra decides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path
from scipy.sparse.linalg import ArpackError, eigs, splu

__all__ = ["Eigen", "top_eigenvalue"]

# Blocks up to this size go to dense algebra, which gets degenerate spectra right.
_DENSE = 200
# Largest block whose left eigenvector comes from a sparse factorisation: signaling networks fill
# in little, random graphs so much that beyond this Arnoldi on the transpose is faster.
_FACTORED = 1500
# Largest block that may fall back to dense algebra when Arnoldi's answer is in doubt.
_DENSE_FALLBACK = 3000
# Eigenvalues closer than this (relative) count as one; eigenvectors of a defective one are
# orthogonal to within this.
_SAME, _ORTHOGONAL = 1e-8, 1e-7
# Arnoldi's eigenvalues (relative): tolerance, how far below the largest one may be the largest
# after refinement, and how far at least the last one is below. Inverse iteration: its shift is off
# by the first, its steps, residual wanted, and how close the next eigenvalue may be.
_ROUGH, _CANDIDATE, _CROWDED = 1e-6, 1e-4, 2e-3
_OFF, _STEPS, _RESIDUAL, _NEXT = 1e-9, 3, 1e-11, 1e-5
# Share of the largest weight below which a radius may be that of a nilpotent matrix; and what
# rounding leaves of a product that should vanish.
_NILPOTENT, _CANCELLED = 0.05, 1e-11


class Eigen(NamedTuple):
    """Top eigenvalue of a block, m times there.

    Attributes:
        value: The eigenvalue.
        right: Right eigenvectors ``[n, m]``; None where the eigenvalue is defective.
        left: Left eigenvectors ``[n, m]``, left^H right = identity; None as above.
    """

    value: complex
    right: NDArray[np.complex128] | None
    left: NDArray[np.complex128] | None


def top_eigenvalue(block: sp.csr_matrix) -> Eigen | None:
    """Eigenvalue of largest absolute value.

    Args:
        block: Strongly connected matrix, finite.

    Returns:
        The eigenvalue and its eigenvectors; None if the block is nilpotent.

    Raises:
        RuntimeError: No eigen-solver converged on a block of more than 3,000 nodes.
    """
    size = block.shape[0]
    scale = abs(block).max()
    if scale == 0:
        return None
    block = block / scale
    if size > _DENSE:
        eigen = _large_block(block)
    else:
        eigen = _dense(block.toarray())
    return None if eigen is None else eigen._replace(value=eigen.value * scale)


def _large_block(block: sp.csr_matrix) -> Eigen | None:
    """Top eigenvalue of a sparse block by the cheapest way that leaves no doubt."""
    size = block.shape[0]
    period, classes = _period(block)
    members = np.flatnonzero(classes == np.bincount(classes).argmin())
    if period > 1 and len(members) <= _DENSE:
        return _cyclic(block, period, members)
    eigen = _refined_arnoldi(block) if size <= _FACTORED else _twofold_arnoldi(block)
    if eigen is not None:
        return eigen
    if size > _DENSE_FALLBACK:
        raise RuntimeError(
            f"No eigen-solver converged on a strongly connected component of {size} nodes."
        )
    return _dense(block.toarray())


def _dense(dense: NDArray) -> Eigen | None:
    """Top eigenvalue by dense algebra; None if the matrix is nilpotent."""
    value, left, right = scipy.linalg.eig(dense, left=True, right=True)
    # Eigenvalues that cancellation should make zero are computed as about eps^(1/size).
    small = abs(value).max() <= min(1e-13 ** (1 / len(dense)), _NILPOTENT)
    if small and _is_nilpotent(dense):
        return None
    return _pair(value, left, right)


def _period(block: sp.csr_matrix) -> tuple[int, NDArray[np.int64]]:
    """Greatest common divisor of the lengths of all cycles, and each node's class modulo it.

    1, which promises nothing, where weights of zero cut the block into parts.
    """
    pattern = sp.csr_matrix((np.ones(block.nnz), block.indices, block.indptr), shape=block.shape)
    steps = shortest_path(pattern, unweighted=True, indices=0)
    if not np.isfinite(steps).all():
        return 1, np.zeros(len(steps), dtype=np.int64)
    distance = steps.astype(np.int64)
    row, col = pattern.nonzero()
    period = int(np.gcd.reduce(distance[row] + 1 - distance[col]))
    return period, distance % period


def _cyclic(block: sp.csr_matrix, period: int, members: NDArray[np.int64]) -> Eigen | None:
    """Top eigenvalue of a block of which all cycles are multiples of a period long.

    Every path of that many steps leads from the members of one class back to them, so the power of
    the block is a small matrix on them, and its eigenvalues are the powers of the block's.
    """
    power = np.zeros((block.shape[0], len(members)))
    power[members, np.arange(len(members))] = 1.0
    log_scale = 0.0
    for _ in range(period):
        product = block @ power
        if _cancels(product, block, power):
            return None
        scale = abs(product).max()
        power, log_scale = product / scale, log_scale + np.log(scale)
    eigen = _dense(power[members])
    if eigen is None:
        return None
    value = complex(np.exp((np.log(complex(eigen.value)) + log_scale) / period))
    if eigen.right is None or eigen.left is None:
        return eigen._replace(value=value)
    right = _around(block, value, members, eigen.right, period)
    left = _around(block.T.tocsr(), value.conjugate(), members, eigen.left, period)
    return Eigen(value, right, left / period)


def _around(
    block: sp.csr_matrix, value: complex, members: NDArray, vector: NDArray, period: int
) -> NDArray[np.complex128]:
    """Eigenvector of a cyclic block from its part on one class."""
    part = np.zeros((block.shape[0], vector.shape[1]), complex)
    part[members] = vector
    whole = part
    for _ in range(period - 1):
        part = block @ part / value
        whole = whole + part
    return whole


def _arnoldi(block: sp.csr_matrix, num_vectors: int, tol: float) -> tuple[NDArray, NDArray] | None:
    """Eigenvalues of the largest size and right eigenvectors; None where it does not converge."""
    start = np.random.default_rng(0).standard_normal(block.shape[0])  # reproducible
    try:
        return eigs(block, k=6, ncv=num_vectors, which="LM", v0=start, maxiter=300, tol=tol)
    except ArpackError:
        return None


def _refined_arnoldi(block: sp.csr_matrix) -> Eigen | None:
    """Top eigenvalue: roughly by Arnoldi, then by inverse iteration; None where in doubt."""
    rough = _arnoldi(block, 60, _ROUGH)
    if rough is None:
        return None
    value = rough[0].real + 1j * abs(rough[0].imag)  # one of each conjugate pair
    largest = abs(value).max()
    if largest < 1e-6 or abs(value).min() > (1 - _CROWDED) * largest:
        return None  # of a crowd that is as large, as on a ring, Arnoldi may miss the largest
    best: Eigen | None = None
    for shift in value[abs(value) >= (1 - _CANDIDATE) * largest]:
        if best is not None and abs(shift - best.value) <= _NEXT * largest:
            continue
        eigen = _inverse_iteration(block, complex(shift))
        if eigen is None:
            return None
        if best is None or abs(eigen.value) > abs(best.value):
            best = eigen
    return best


def _inverse_iteration(block: sp.csr_matrix, near: complex) -> Eigen | None:
    """Eigenvalue near a shift, with both eigenvectors; None where another is as near.

    Two vectors are iterated, so that a second copy of the eigenvalue is seen.
    """
    shift = near * (1 + _OFF) if near.imag else near.real * (1 + _OFF)
    size = block.shape[0]
    matrix = (block - shift * sp.identity(size)).tocsc()
    try:
        # Fills in least on signaling networks; the residual tells whether it was accurate.
        factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1)
    except RuntimeError:  # the shift is an eigenvalue to the last digit
        return None
    x = y = np.random.default_rng(0).standard_normal((size, 2)).astype(type(shift))
    for _ in range(_STEPS):
        x, y = factors.solve(x), factors.solve(y, "H")
        x, y = np.linalg.qr(x)[0], np.linalg.qr(y)[0]
    right, left = _ritz(block, x, near), _ritz(block.T, y, near.conjugate())
    if right is None or left is None:
        return None
    return _normalised(right[0], right[1], left[1])


def _ritz(
    block: sp.csr_matrix, basis: NDArray, near: complex
) -> tuple[complex, NDArray[np.complex128]] | None:
    """Eigenvalue near a number and its eigenvector, within a basis; None where in doubt."""
    value, vector = np.linalg.eig(basis.conj().T @ (block @ basis))
    order = np.argsort(abs(value - near))
    first, second = value[order]
    x = basis @ vector[:, order[0]]
    residual = np.linalg.norm(block @ x - first * x)
    allowed = abs(near)
    if (
        abs(first - near) > _CANDIDATE * allowed
        or abs(first - second) <= _NEXT * allowed
        or residual > _RESIDUAL * allowed
    ):
        return None
    return complex(first), x


def _twofold_arnoldi(block: sp.csr_matrix) -> Eigen | None:
    """Top eigenvalue from Arnoldi on a block and its transpose; None where in doubt."""
    of_right, of_left = _arnoldi(block, 100, 0.0), _arnoldi(block.T.tocsr(), 100, 0.0)
    if of_right is None or of_left is None:
        return None
    (value, right), (value_left, left) = of_right, of_left
    top = np.argmax(abs(value))
    largest = abs(value[top])
    several = np.sum(abs(value - value[top]) <= _SAME * largest) > 1
    if largest < 1e-6 or abs(largest - abs(value_left).max()) > _SAME * largest or several:
        return None
    y = left[:, np.argmin(abs(value_left - value[top].conj()))]
    return _normalised(complex(value[top]), right[:, top], y)


def _normalised(value: complex, x: NDArray, y: NDArray) -> Eigen | None:
    """Eigenvectors scaled to left^H right = 1; None where they are orthogonal."""
    overlap = y.conj() @ x / (np.linalg.norm(x) * np.linalg.norm(y))
    if abs(overlap) < _ORTHOGONAL:
        return None
    return Eigen(value, x[:, None], (y / (y.conj() @ x).conj())[:, None])


def _pair(value: NDArray, left: NDArray, right: NDArray) -> Eigen:
    """Top eigenvalue of a full decomposition with bi-normalised eigenvectors, or none of them."""
    top = value[np.argmax(abs(value))]
    cluster = abs(value - top) <= _SAME * abs(top)
    x, y = right[:, cluster], left[:, cluster]
    overlap = y.conj().T @ x
    if np.linalg.svd(overlap, compute_uv=False).min() < _ORTHOGONAL:
        # Rounding spreads a defective eigenvalue over a small ring; its centre is exact.
        ring = abs(value - top) <= 10 * _ORTHOGONAL * abs(top)
        return Eigen(complex(value[ring].mean()), None, None)
    return Eigen(complex(top), x, y @ np.linalg.inv(overlap).conj().T)


def _is_nilpotent(dense: NDArray) -> bool:
    """Whether cancelling paths make some power of a matrix vanish."""
    power, exponent = dense, 1
    while exponent < len(dense):
        square = power @ power
        if _cancels(square, power, power):
            return True
        power, exponent = square / abs(square).max(), 2 * exponent
    return False


def _cancels(product: NDArray, left: Any, right: NDArray) -> bool:
    """Whether nothing but rounding is left of a product.

    It is compared with that of the absolute values: a ring with a weak link is small but keeps
    pace with it. Only ever over one product: over many, every network of mixed signs falls behind.
    """
    return bool(abs(product).max() <= _CANCELLED * (abs(left) @ abs(right)).max())
