"""Nodes that give back what they receive from their only neighbour."""

import numpy as np
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.topology import redundant_nodes
from lembas_pyg.transforms.prune import remove_nodes


@functional_transform("remove_redundant_nodes")
class RemoveRedundantNodes(BaseTransform):
    """Remove nodes with a single source and a single target that are the same node.

    Repeated until there is none, since a partner may become redundant. Ligands and TFs stay. A
    network without dead ends has none afterwards either.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Methods, Model reconstruction. The published
        ligand-screen network was not pruned in this way: it holds 90 such nodes, and 3 more become
        redundant with them. The two other published networks hold none.
    """

    def forward(self, data: Data) -> Data:
        protected = data.ligand_mask | data.tf_mask
        redundant = redundant_nodes(protected, data.edge_index)
        at_once = redundant_nodes(protected, data.edge_index, repeat=False)
        reasons = np.where(
            at_once[redundant].cpu().numpy(),
            "its single source is its single target",
            "its single source is its single target, once other redundant nodes are gone",
        )
        return remove_nodes(data, ~redundant, "RemoveRedundantNodes", reasons.tolist())
