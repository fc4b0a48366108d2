"""Nodes that no ligand reaches, or that reach no transcription factor."""

from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.topology import reachable_from
from lembas_pyg.transforms.prune import remove_nodes


@functional_transform("remove_dead_ends")
class RemoveDeadEnds(BaseTransform):
    """Keep the nodes that lie on a walk from a ligand to a transcription factor.

    Time is linear in the edges. A ligand counts as reached by itself, a TF as reaching itself.
    Nothing is left to remove by a second pass.

    Raises:
        ValueError: Nothing would be left, as no ligand reaches any TF.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Methods, Model reconstruction.
    """

    def forward(self, data: Data) -> Data:
        from_ligand = reachable_from(data.ligand_mask, data.edge_index)
        to_tf = reachable_from(data.tf_mask, data.edge_index.flip(0))
        keep = from_ligand & to_tf
        if not keep.any():
            raise ValueError(
                f"No ligand reaches a transcription factor: the network has "
                f"{int(data.ligand_mask.sum())} ligands and {int(data.tf_mask.sum())} TFs among "
                f"{data.num_nodes} nodes, and every node would be removed as a dead end. Mark "
                "ligands and TFs in the annotation, or check the direction of interactions."
            )
        reason = {
            (False, True): "no path from any ligand",
            (True, False): "no path to any TF",
            (False, False): "no path from any ligand, nor to any TF",
        }
        pairs = zip(from_ligand[~keep].tolist(), to_tf[~keep].tolist(), strict=True)
        reasons = [reason[pair] for pair in pairs]
        return remove_nodes(data, keep, "RemoveDeadEnds", reasons)
