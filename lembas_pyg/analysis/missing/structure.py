"""What the graph alone says of a missing interaction: link prediction."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from torch_geometric.data import Data

from lembas_pyg.network import node_index

__all__ = ["structure_scores"]


def structure_scores(data: Data, pairs: pd.DataFrame) -> pd.DataFrame:
    r"""Add scores of link prediction to pairs of nodes.

    With :math:`\Gamma` the neighbours of a node in either direction and k their number,

    .. math::
        \text{adamic\_adar} = \sum_{v \in \Gamma_i \cap \Gamma_j} \frac{1}{\ln k_v}, \qquad
        \text{resource\_allocation} = \sum_{v \in \Gamma_i \cap \Gamma_j} \frac{1}{k_v} .

    They know no direction and no data: a column to compare with, or a prior to weigh evidence by.

    Args:
        data: The network.
        pairs: Table with `source` and `target`, such as from `score_missing_interactions`.

    Returns:
        A copy with `common_neighbours`, `adamic_adar`, `resource_allocation`,
        `preferential_attachment` (outgoing of the source times incoming of the target), `paths`
        (directed paths of two interactions from source to target) and `path_sign` (sum of the
        products of their signs).

    Raises:
        ValueError: A node is not in the network.

    References:
        Adamic and Adar (2003), Soc. Networks 25, 211; Zhou, Lü and Zhang (2009), Eur. Phys. J. B
        71, 623.
    """
    size = int(data.num_nodes)
    source, target = (
        np.asarray(node_index(data, pairs[end].tolist())) for end in ("source", "target")
    )
    start, end = data.edge_index.cpu().numpy()
    ones = np.ones(len(start))
    directed = _sparse(ones, start, end, size)
    signed = _sparse(data.edge_sign.cpu().numpy().astype(float), start, end, size)
    either = ((directed + directed.T) > 0).astype(float).tocsr()
    either.setdiag(0)
    degree = np.asarray(either.sum(axis=1)).ravel()
    common = either[source].multiply(either[target]).tocsr()
    paths = directed[source].multiply(directed.T.tocsr()[target])
    net = signed[source].multiply(signed.T.tocsr()[target])
    out_degree, in_degree = (np.bincount(ends, minlength=size) for ends in (start, end))
    return pairs.assign(
        common_neighbours=_sum(common).astype(int),
        adamic_adar=common @ (1 / np.log(np.maximum(degree, 2))),
        resource_allocation=common @ (1 / np.maximum(degree, 1)),
        preferential_attachment=out_degree[source] * in_degree[target],
        paths=_sum(paths).astype(int),
        path_sign=_sum(net).astype(int),
    )


def _sparse(value: np.ndarray, row: np.ndarray, column: np.ndarray, size: int) -> csr_matrix:
    """One entry a pair; parallel interactions count once, and cancel where their signs differ."""
    matrix = csr_matrix((value, (row, column)), shape=(size, size))
    matrix.data = np.clip(matrix.data, -1, 1)
    return matrix


def _sum(matrix: csr_matrix) -> np.ndarray:
    return np.asarray(matrix.sum(axis=1)).ravel()
