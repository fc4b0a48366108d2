"""Pure functions on `edge_index`: who can reach whom, who adds nothing, what chance would link."""

from collections.abc import Callable

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


def nodes_between(source_mask: Tensor, target_mask: Tensor, edge_index: Tensor) -> Tensor:
    """Nodes on a walk from any source to any target, in time linear in the edges.

    Args:
        source_mask: Nodes to start from, such as ligands.
        target_mask: Nodes to arrive at, such as transcription factors.
        edge_index: Directed edges, row 0 source, row 1 target.

    Shapes:
        - **input:** masks ``[N]`` bool, edge index ``[2, E]``
        - **output:** ``[N]`` bool

    Raises:
        ValueError: A mask is not a boolean vector, or an edge names a node it does not have.

    Example:
        >>> edge_index = torch.tensor([[0, 1, 1], [1, 2, 3]])
        >>> ligand, tf = torch.eye(4, dtype=torch.bool)[[0, 2]]
        >>> nodes_between(ligand, tf, edge_index)
        tensor([ True,  True,  True, False])
    """
    forward = reachable_from(source_mask, edge_index)
    return forward & reachable_from(target_mask, edge_index.flip(0))


def redundant_nodes(protected_mask: Tensor, edge_index: Tensor, *, repeat: bool = True) -> Tensor:
    """Nodes with a single source and a single target that are the same node.

    What such a node receives from its partner it can only give back. Without it, its partner may be
    redundant in turn: `repeat` goes on until no node is. Parallel edges count once.

    Args:
        protected_mask: Nodes that are never redundant, such as ligands and TFs.
        edge_index: Directed edges, row 0 source, row 1 target.
        repeat: Whether nodes that become redundant count too.

    Shapes:
        - **input:** mask ``[N]`` bool, edge index ``[2, E]``
        - **output:** ``[N]`` bool, on the device of `protected_mask`

    Raises:
        ValueError: The mask is not a boolean vector, or an edge names a node it does not have.

    References:
        Nilsson et al. (2022), Methods, Model reconstruction. The original code mixes up sources
        and targets; we follow the text.

    Example:
        >>> edge_index = torch.tensor([[0, 1, 2, 2, 3], [1, 2, 1, 3, 2]])  # 0 -> 1 <-> 2 <-> 3
        >>> protected = torch.tensor([True, False, False, False])
        >>> redundant_nodes(protected, edge_index, repeat=False)
        tensor([False, False, False,  True])
        >>> redundant_nodes(protected, edge_index)
        tensor([False, False,  True,  True])
    """
    num_nodes = _check_graph(protected_mask, edge_index)
    keys = np.sort(edge_index[0].cpu().numpy() * num_nodes + edge_index[1].cpu().numpy())
    keys = keys[np.diff(keys, prepend=-1) > 0]
    source, target = np.divmod(keys, max(num_nodes, 1))
    # of a node with one neighbour, the sum of neighbours is that neighbour
    num_sources = np.bincount(target, minlength=num_nodes)
    num_targets = np.bincount(source, minlength=num_nodes)
    sum_sources = np.zeros(num_nodes, dtype=np.int64)
    sum_targets = np.zeros(num_nodes, dtype=np.int64)
    np.add.at(sum_sources, target, source)
    np.add.at(sum_targets, source, target)
    redundant = protected_mask.cpu().numpy().copy()  # for now: those not to look at again
    nodes = np.arange(num_nodes)
    found = []
    while len(nodes):
        nodes = nodes[
            (num_sources[nodes] == 1)
            & (num_targets[nodes] == 1)
            & (sum_sources[nodes] == sum_targets[nodes])
            & ~redundant[nodes]
        ]
        found.append(nodes)
        redundant[nodes] = True
        partner = sum_sources[nodes]
        for number, total in ((num_sources, sum_sources), (num_targets, sum_targets)):
            np.subtract.at(number, partner, 1)
            np.subtract.at(total, partner, nodes)
        nodes = np.unique(partner) if repeat else partner[:0]
    mask = torch.zeros(num_nodes, dtype=torch.bool)
    mask[torch.from_numpy(np.concatenate([*found, nodes]))] = True
    return mask.to(protected_mask.device)


def rewire(
    edge_index: Tensor,
    edge_class: Tensor,
    num_nodes: int,
    *,
    movable: Tensor | None = None,
    rounds: int = 20,
    accept: Callable[[Tensor], bool] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Exchange the targets of random pairs of edges of the same class.

    .. math:: a \to b,\; c \to d \quad\Rightarrow\quad a \to d,\; c \to b

    Every node keeps its number of incoming and outgoing edges of each class. An exchange that
    would make a self-loop or a second edge between the same nodes does not take place.

    Args:
        edge_index: Directed edges, row 0 source, row 1 target.
        edge_class: Class of every edge, such as its sign.
        num_nodes: Number of nodes.
        movable: Edges that may change; all by default.
        rounds: How often every edge is offered an exchange.
        accept: Tells of an edge index whether it is acceptable. Exchanges that make it
            unacceptable are undone.
        generator: Source of randomness.

    Returns:
        The new edge index; edges keep their place and their source.

    Shapes:
        - **input:** edge index ``[2, E]``, class and movable ``[E]``
        - **output:** ``[2, E]``

    References:
        Maslov and Sneppen (2002), Science 296, 910.
    """
    source, target = edge_index.cpu().numpy().copy()
    kind = edge_class.cpu().numpy()
    free = np.arange(len(kind)) if movable is None else movable.cpu().numpy().nonzero()[0]

    def to_edge_index() -> Tensor:
        return torch.from_numpy(np.stack([source, target])).to(edge_index.device)

    def exchange(first: np.ndarray, second: np.ndarray) -> None:
        """Exchange targets of all pairs, or of those that are acceptable."""
        target[first], target[second] = target[second], target[first]
        if accept is None or accept(to_edge_index()):
            return
        target[first], target[second] = target[second], target[first]
        half = len(first) // 2
        if half:
            exchange(first[:half], second[:half])
            exchange(first[half:], second[half:])

    for _ in range(rounds):
        order = free[torch.randperm(len(free), generator=generator).numpy()]
        order = order[np.argsort(kind[order], kind="stable")]
        even = len(order) // 2 * 2
        first, second = order[:even:2], order[1:even:2]
        keys = source * num_nodes + target
        new = np.stack(
            [source[first] * num_nodes + target[second], source[second] * num_nodes + target[first]]
        )
        fine = _occurs_once(np.concatenate([*new, keys]))[: new.size].reshape(new.shape)
        legal = (
            (kind[first] == kind[second])
            & (source[first] != target[second])
            & (source[second] != target[first])
            & fine.all(axis=0)
        )
        if legal.any():
            exchange(first[legal], second[legal])
    return to_edge_index()


def _occurs_once(values: np.ndarray) -> np.ndarray:
    order = values.argsort()
    ordered = values[order]
    differs = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])
    single = np.empty(len(values), dtype=bool)
    single[order] = differs[1:] & differs[:-1]
    return single


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
