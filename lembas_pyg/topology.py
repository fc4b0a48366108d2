"""Pure functions on `edge_index`: who can reach whom."""

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order
from torch import Tensor


def reachable_from(mask: Tensor, edge_index: Tensor) -> Tensor:
    """Nodes that a signal from the marked nodes can get to, in time linear in the edges.

    A marked node counts as reached. With ``edge_index.flip(0)`` the result is the nodes from which
    the marked ones can be reached.

    Args:
        mask: Nodes to start from.
        edge_index: Directed edges, row 0 source, row 1 target.

    Shapes:
        - **input:** mask ``[N]`` bool, edge index ``[2, E]``
        - **output:** ``[N]`` bool, on the device of `mask`

    Raises:
        ValueError: `mask` is not a boolean vector, or an edge names a node it does not have.

    Example:
        >>> edge_index = torch.tensor([[0, 1, 3], [1, 2, 2]])
        >>> reachable_from(torch.tensor([False, True, False, False]), edge_index)
        tensor([False,  True,  True, False])
    """
    num_nodes = _check_graph(mask, edge_index)
    source, target = edge_index.cpu().numpy()
    start = mask.cpu().numpy().nonzero()[0]
    # one more node, with an edge to every marked one, makes it a single search
    rows = np.concatenate([source, np.full(len(start), num_nodes)])
    columns = np.concatenate([target, start])
    size = (num_nodes + 1, num_nodes + 1)
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=size)
    order = breadth_first_order(graph, num_nodes, return_predecessors=False)
    reached = torch.zeros(num_nodes + 1, dtype=torch.bool)
    reached[torch.from_numpy(order.astype(np.int64))] = True
    return reached[:-1].to(mask.device)


def has_path(source_mask: Tensor, target_mask: Tensor, edge_index: Tensor) -> bool:
    """Whether a signal can get from any source to any target.

    A node that is both is a path of length zero.

    Args:
        source_mask: Nodes to start from.
        target_mask: Nodes to arrive at.
        edge_index: Directed edges, row 0 source, row 1 target.

    Shapes:
        - **input:** masks ``[N]`` bool, edge index ``[2, E]``

    Raises:
        ValueError: A mask is not a boolean vector, the masks differ in length, or an edge names a
            node they do not have.
    """
    _check_graph(target_mask, edge_index)
    if source_mask.shape != target_mask.shape:
        raise ValueError(
            f"The masks mark {len(source_mask)} and {len(target_mask)} nodes; both have one entry "
            "for every node of the same network."
        )
    return bool((reachable_from(source_mask, edge_index) & target_mask).any())


def _check_graph(mask: Tensor, edge_index: Tensor) -> int:
    if mask.dtype != torch.bool or mask.dim() != 1:
        raise ValueError(
            f"A node mask is a boolean vector, not {mask.dtype} of shape {list(mask.shape)}."
        )
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.is_floating_point():
        raise ValueError(
            f"An edge index holds whole numbers in the shape [2, E], not {edge_index.dtype} of "
            f"shape {list(edge_index.shape)}."
        )
    if edge_index.numel() and not 0 <= edge_index.min() <= edge_index.max() < len(mask):
        raise ValueError(
            f"The edge index names the nodes {int(edge_index.min())} to {int(edge_index.max())}, "
            f"but the mask has {len(mask)}: legal are 0 to {len(mask) - 1}."
        )
    return len(mask)
