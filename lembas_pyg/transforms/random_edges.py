"""A null model without biology: the same nodes, as many edges, drawn anywhere."""

import copy

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.io.report import report_rows
from lembas_pyg.network import add_report


@functional_transform("random_edges")
class RandomEdges(BaseTransform):
    """Replace all interactions by as many between random nodes.

    Sources and targets are uniform over all nodes, without self-loops and without a second
    interaction between the same nodes; there are as many of each sign as before. Names of nodes,
    ligands and TFs stay; degrees do not (`RewireEdges` keeps them), nor has a TF to be within reach
    of a ligand. An edge drawn has no row in the interaction table (``edge_id`` -1), and the
    targets of ligands are the receptors.

    Args:
        seed: The same seed gives the same network.

    Raises:
        ValueError: `seed` is no whole number of 0 or more, or the network has more interactions
            than pairs of nodes.

    References:
        Nilsson et al. (2022), SI Fig. 7: matrices with random structure and similar sparsity.
    """

    def __init__(self, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"`seed` is {seed!r}; it must be a whole number of 0 or more.")
        self.seed = seed

    def forward(self, data: Data) -> Data:
        num_nodes, num_edges = int(data.num_nodes), int(data.num_edges)
        pairs = num_nodes * (num_nodes - 1)
        if num_edges > pairs:
            raise ValueError(
                f"The network has {num_edges} interactions, but {num_nodes} nodes make {pairs} "
                f"pairs; merge repeated interactions first."
            )
        generator = torch.Generator().manual_seed(self.seed)
        drawn = torch.randperm(pairs, generator=generator)[:num_edges]
        target, source = drawn // (num_nodes - 1), drawn % (num_nodes - 1)
        source = source + (source >= target).long()  # leaves out the target itself
        out = copy.copy(data)
        out.edge_index = torch.stack([source, target]).to(data.edge_index)
        out.edge_id = torch.full_like(data.edge_id, -1)
        out.receptor_mask = torch.zeros_like(data.receptor_mask)
        out.receptor_mask[out.edge_index[1, data.ligand_mask[out.edge_index[0]]]] = True
        name = np.array(data.node_name, dtype=object)
        (source, target), after = (name[part.edge_index.cpu().numpy()] for part in (data, out))
        details = [f"now {a} -> {b}" for a, b in after.T]
        report = report_rows("RandomEdges", "changed", "interaction", source, target, details)
        add_report(out, report)
        return out

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.seed})"
