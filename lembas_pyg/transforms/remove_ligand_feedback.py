"""Interactions that act on a ligand."""

from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.transforms.prune import remove_edges


@functional_transform("remove_ligand_feedback")
class RemoveLigandFeedback(BaseTransform):
    """Remove every interaction whose target is a ligand, so that stimuli alone set its state.

    Nodes stay, also those that become dead ends: let `RemoveDeadEnds` follow. No ligand is a
    receptor afterwards.

    References:
        Nilsson et al. (2022): part of the recipes of the ligand-screen and the macrophage network,
        in which no such interaction remains, and not of the KEGG network, which keeps 5.
    """

    def forward(self, data: Data) -> Data:
        keep = ~data.ligand_mask[data.edge_index[1]]
        out = remove_edges(data, keep, "RemoveLigandFeedback", "acts on a ligand")
        out.receptor_mask = data.receptor_mask & ~data.ligand_mask
        return out
