"""A null model: the same degrees and signs, other partners."""

import copy
import logging

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.io.report import report_rows
from lembas_pyg.network import add_report
from lembas_pyg.topology import reachable_from, rewire

logger = logging.getLogger(__name__)


@functional_transform("rewire_edges")
class RewireEdges(BaseTransform):
    r"""Exchange the targets of random pairs of interactions of the same sign.

    .. math:: a \to b,\; c \to d \quad\Rightarrow\quad a \to d,\; c \to b

    Every node keeps its number of incoming and outgoing interactions of each sign; no self-loop and
    no second interaction between the same nodes is made. A rewired edge has no row in the
    interaction table any more (``edge_id`` -1), and the targets of ligands are the receptors. The
    share of edges between nodes that were not linked before is ``rewired_fraction`` of the result.

    Args:
        seed: The same seed gives the same network.
        rounds: How often every edge is offered an exchange.
        keep_ligand_edges: Whether the interactions of ligands stay as they are.
        keep_tfs_reachable: Whether every TF that a ligand reaches stays reachable; exchanges that
            cut one off are undone.

    Raises:
        ValueError: `seed` is no whole number of 0 or more, or `rounds` none of 1 or more.

    References:
        Maslov and Sneppen (2002), Science 296, 910.
    """

    def __init__(
        self,
        seed: int,
        *,
        rounds: int = 20,
        keep_ligand_edges: bool = False,
        keep_tfs_reachable: bool = False,
    ) -> None:
        for name, value, least in (("seed", seed, 0), ("rounds", rounds, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"`{name}` is {value!r}; it must be a whole number of {least} or more."
                )
        self.seed = seed
        self.rounds = rounds
        self.keep_ligand_edges = keep_ligand_edges
        self.keep_tfs_reachable = keep_tfs_reachable

    def forward(self, data: Data) -> Data:
        before, sign = data.edge_index, data.edge_sign
        reached = data.tf_mask & reachable_from(data.ligand_mask, before)

        def tfs_are_reachable(edge_index: Tensor) -> bool:
            return bool(reachable_from(data.ligand_mask, edge_index)[reached].all())

        after = rewire(
            before,
            sign,
            data.num_nodes,
            movable=~data.ligand_mask[before[0]] if self.keep_ligand_edges else None,
            rounds=self.rounds,
            accept=tfs_are_reachable if self.keep_tfs_reachable else None,
            generator=torch.Generator().manual_seed(self.seed),
        )
        out = copy.copy(data)
        out.edge_index = after
        changed = (before != after).any(dim=0)
        out.edge_id = torch.where(changed, -1, data.edge_id)
        out.receptor_mask = torch.zeros_like(data.receptor_mask)
        out.receptor_mask[after[1, data.ligand_mask[after[0]]]] = True
        pair_before, pair_after = (edge[0] * data.num_nodes + edge[1] for edge in (before, after))
        unlinked = ~torch.isin(pair_after, pair_before)
        out.rewired_fraction = float(unlinked.double().mean()) if len(unlinked) else 0.0
        logger.info("Rewired %.1f %% of %d edges.", 100 * out.rewired_fraction, len(sign))

        name = np.array(data.node_name, dtype=object)
        source, target = name[before[:, changed].cpu().numpy()]
        details = [
            f"now {source} -> {target}"
            for source, target in zip(*name[after[:, changed].cpu().numpy()], strict=True)
        ]
        report = report_rows("RewireEdges", "changed", "interaction", source, target, details)
        add_report(out, report)
        return out

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.seed})"
