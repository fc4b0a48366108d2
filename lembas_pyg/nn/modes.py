r"""The slow modes of a network: eigenvalues below the top one, and the nodes that form them.

A deviation from a steady state evolves as :math:`\Delta h \leftarrow T \Delta h`. Its part along a
mode shrinks by :math:`|\lambda|` a step and, where :math:`\lambda` is complex, goes around.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigs
from torch import Tensor

from lembas_pyg.nn.operator import check_edge_index

__all__ = ["Mode", "leading_modes"]

# Blocks up to this size go to dense algebra; larger ones only where Arnoldi is in doubt, up to the
# second number.
_DENSE, _DENSE_FALLBACK = 300, 3000
# Arnoldi: eigenvalues asked for beyond those wanted, and how closely (relative to the largest)
# those of the block and of its transpose have to agree.
_SPARE, _SAME = 8, 1e-9
# Eigenvalues below this are rounding of zero.
_ZERO = 1e-12


class Mode(NamedTuple):
    """One eigenvalue of a network; of a complex pair the one with positive imaginary part.

    Attributes:
        value: The eigenvalue.
        participation: Share of every node in the mode ``[N]``, sums to 1.
    """

    value: complex
    participation: Tensor


def leading_modes(
    edge_index: Tensor, edge_weight: Tensor, num_nodes: int, k: int = 3
) -> list[Mode]:
    r"""The k modes of largest absolute eigenvalue, exact, with the nodes that form them.

    .. math:: p_i = \frac{|y_i x_i|}{\sum_j |y_j x_j|}

    with right and left eigenvectors :math:`x, y`: a node takes part as far as it is moved by the
    mode and moves it. That is also how much the eigenvalue depends on a self-loop of the node.

    Args:
        edge_index: Directed interactions, row 0 source, row 1 target.
        edge_weight: Weight of every interaction (dimensionless), times the slope at its target
            for the modes of a steady state; parallel interactions add up.
        num_nodes: Molecular species :math:`N`.
        k: Modes wanted.

    Shapes:
        - **edge_index:** ``[2, E]``
        - **edge_weight:** ``[E]``

    Returns:
        At most k modes, the slowest first; conjugate pairs count once, and eigenvalues of 0, which
        are those of everything outside of feedback, not at all.

    Raises:
        ValueError: The inputs do not fit each other or are not finite, or k is below 1.
        RuntimeError: Arnoldi did not converge on a component of more than 3,000 nodes.

    References:
        Perez-Arriaga, Verghese and Schweppe (1982), IEEE Trans. Power Appar. Syst. 101, 3117, for
        the participation.

    Example:
        >>> loop = torch.tensor([[0, 1], [1, 0]])
        >>> (mode,) = leading_modes(loop, torch.tensor([0.9, -0.9]), 3)
        >>> round(abs(mode.value), 6), [round(p, 6) for p in mode.participation.tolist()]
        (0.9, [0.5, 0.5, 0.0])
    """
    check_edge_index(edge_index, num_nodes)
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least one mode.")
    if edge_weight.shape != edge_index.shape[1:] or not bool(edge_weight.isfinite().all()):
        raise ValueError(
            f"edge_weight has shape {list(edge_weight.shape)}; it must be [{edge_index.size(1)}], "
            f"one finite weight an edge."
        )
    source, target = edge_index.cpu().numpy()
    weight = edge_weight.detach().cpu().double().numpy()
    matrix = sp.csr_matrix((weight, (target, source)), shape=(num_nodes, num_nodes))
    matrix.eliminate_zeros()
    _, component = connected_components(matrix, directed=True, connection="strong")
    size = np.bincount(component)
    cyclic = set(np.flatnonzero(size > 1)) | set(component[matrix.diagonal() != 0])
    found: list[tuple[complex, NDArray, NDArray]] = []
    for number in sorted(cyclic):
        members = np.flatnonzero(component == number)
        value, share = _modes_of(matrix[members][:, members], k)
        found += [(complex(value[i]), share[:, i], members) for i in range(len(value))]
    found = [found[i] for i in _ranked(np.array([mode[0] for mode in found]))]
    modes = []
    for top, share, members in found[:k]:
        participation = np.zeros(num_nodes)
        participation[members] = share
        modes.append(Mode(top, torch.from_numpy(participation)))
    return modes


def _modes_of(block: sp.csr_matrix, k: int) -> tuple[NDArray, NDArray]:
    """Eigenvalues of one strongly connected block and the participation ``[n, k]``."""
    size = block.shape[0]
    found = _by_arnoldi(block, k) if size > _DENSE else None
    if found is None and size > _DENSE_FALLBACK:
        raise RuntimeError(
            f"No eigen-solver converged on a strongly connected component of {size} nodes."
        )
    value, left, right = found or scipy.linalg.eig(block.toarray(), left=True, right=True)
    chosen = _leading(value, k)
    product = abs(left[:, chosen]) * abs(right[:, chosen])
    return value[chosen], product / product.sum(axis=0)


def _leading(value: NDArray, k: int) -> NDArray:
    """Places of the k largest eigenvalues, one of each conjugate pair."""
    order = _ranked(value)
    return order[(value[order].imag >= 0) & (abs(value[order]) > _ZERO)][:k]


def _ranked(value: NDArray) -> NDArray:
    """Order of eigenvalues, the largest first; of equal ones that which oscillates least."""
    size = abs(value)
    rank = np.round(size / max(size.max(initial=0.0), _ZERO) / _SAME)
    return np.lexsort((-value.real, -rank))


def _by_arnoldi(block: sp.csr_matrix, k: int) -> tuple[NDArray, NDArray, NDArray] | None:
    """Leading eigenvalues with both eigenvectors; None where block and transpose disagree."""
    wanted = 2 * k + _SPARE
    start = np.random.default_rng(0).standard_normal(block.shape[0])  # reproducible
    try:
        (value, right), (value_left, left) = (
            eigs(part, k=wanted, ncv=4 * wanted, which="LM", v0=start, maxiter=1000)
            for part in (block, block.T.tocsr())
        )
    except ArpackError:
        return None
    chosen = _leading(value, k)
    if len(chosen) < k:
        return None
    allowed = _SAME * abs(value).max()
    top, top_left = (np.sort(abs(v[_leading(v, k)])) for v in (value, value_left))
    if len(top) != len(top_left) or abs(top - top_left).max() > allowed:
        return None
    # A mode and its partner have the same eigenvalue; two of one eigenvalue cannot be told apart.
    distance = abs(value[chosen, None] - value_left[None])
    close = np.sort(distance, axis=1)
    if close[:, 0].max() > allowed or close[:, 1].min() < 1e3 * allowed:
        return None
    return value[chosen], left[:, distance.argmin(axis=1)], right[:, chosen]
