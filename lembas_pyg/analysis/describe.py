"""A network in numbers."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from torch_geometric.data import Data

from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.topology import reachable_from

__all__ = ["describe_network"]


def describe_network(data: Data) -> dict[str, int | float]:
    """Count what a network consists of.

    Args:
        data: Network, with or without conditions.

    Returns:
        By name: nodes and interactions; ligands, receptors, TFs; activations, inhibitions,
        interactions of unknown sign; self-loops; nodes on a path from a ligand to a TF; weakly
        connected components, nodes of the largest strongly connected one (feedback); the spectral
        radius of the unweighted network.
    """
    source, target = data.edge_index.cpu().numpy()
    shape = (data.num_nodes, data.num_nodes)
    graph = csr_matrix((np.ones(len(source)), (source, target)), shape=shape)
    weak, _ = connected_components(graph, directed=True, connection="weak")
    _, strong = connected_components(graph, directed=True, connection="strong")
    on_path = reachable_from(data.ligand_mask, data.edge_index) & reachable_from(
        data.tf_mask, data.edge_index.flip(0)
    )
    ones = torch.ones(data.num_edges, dtype=torch.float64, device=data.edge_index.device)
    return {
        "nodes": int(data.num_nodes),
        "interactions": int(data.num_edges),
        "ligands": int(data.ligand_mask.sum()),
        "receptors": int(data.receptor_mask.sum()),
        "TFs": int(data.tf_mask.sum()),
        "activations": int((data.edge_sign > 0).sum()),
        "inhibitions": int((data.edge_sign < 0).sum()),
        "unknown signs": int((data.edge_sign == 0).sum()),
        "self-loops": int((source == target).sum()),
        "nodes on paths from ligands to TFs": int(on_path.sum()),
        "components": int(weak),
        "nodes in the largest feedback component": int(np.bincount(strong).max(initial=0)),
        "spectral radius of |A|, unit weights": float(
            spectral_radius(data.edge_index, ones, data.num_nodes)
        ),
    }
