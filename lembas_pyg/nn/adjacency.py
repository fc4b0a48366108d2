"""The forms in which PyG hands over edges, as one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch_geometric import EdgeIndex

__all__ = ["edges_of"]

_SPARSE = {torch.sparse_csr, torch.sparse_csc, torch.sparse_coo}


def edges_of(adjacency: Any) -> tuple[Tensor, Tensor | None]:
    """Edge index of any adjacency, and for each of its edges the position of its parameters.

    Sparse matrices are PyG's transposed adjacency: rows are targets, columns sources. Integer
    values are positions into the layer's weights; without values, or with those of an unweighted
    matrix (all one), the order of the entries is that of the rows.

    Args:
        adjacency: ``[2, E]`` edge index, `torch_geometric.EdgeIndex`, sparse torch tensor
            ``[N, N]``, or ``torch_sparse.SparseTensor``.

    Returns:
        The edge index ``[2, E]``, and the positions ``[E]`` or None.

    Raises:
        ValueError: It is none of these, or its values are no positions.
    """
    if isinstance(adjacency, Tensor):
        if adjacency.layout == torch.strided:
            return (adjacency.as_tensor() if isinstance(adjacency, EdgeIndex) else adjacency), None
        if adjacency.layout in _SPARSE:
            entries = adjacency.detach().to_sparse_coo()
            # Not coalesced: that would add the positions of parallel edges.
            (row, col), value = entries._indices(), entries._values()
            order = torch.argsort(row * entries.size(1) + col, stable=True)
            return torch.stack([col, row])[:, order], _positions(value[order])
    elif type(adjacency).__module__.startswith("torch_sparse"):
        row, col, value = adjacency.coo()
        return torch.stack([col, row]), None if value is None else _positions(value)
    raise ValueError(
        f"Edges of type {type(adjacency).__name__} are not known; give an edge index [2, E], an "
        f"EdgeIndex, a sparse torch tensor or a torch_sparse.SparseTensor (rows are targets)."
    )


def _positions(value: Tensor) -> Tensor | None:
    """Values of a sparse adjacency as positions; None for an unweighted matrix."""
    if value.dim() == 1 and not value.is_floating_point() and value.dtype != torch.bool:
        return value.long()
    if bool((value == 1).all()):
        return None
    raise ValueError(
        f"The values of a sparse adjacency are positions into edge_weight and must be integers, "
        f"not {value.dtype}; pass weights as edge_weight."
    )
