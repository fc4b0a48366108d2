"""Which interactions could be missing: all pairs of nodes, or those of a table."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.io.interactions import PAIR

__all__ = ["Candidates"]


class Candidates:
    """Pairs of nodes without an interaction, as rows of targets that are made when asked for.

    Interactions of the network, of a node with itself, and into ligands are no candidates.

    Args:
        data: The network.
        table: Interaction table, such as interactions of lower quality; only its pairs are
            candidates. Pairs with a node that the network lacks are left out. All pairs if None.

    Raises:
        TypeError: The table is not a pandas DataFrame.
        ValueError: It lacks a column, or none of its pairs is a candidate.
    """

    def __init__(self, data: Data, table: pd.DataFrame | None = None) -> None:
        self.edge_index, self.ligand_mask = data.edge_index, data.ligand_mask
        self.num_nodes = int(data.num_nodes)
        self.source_mask = torch.ones_like(data.ligand_mask)
        self.pairs: Tensor | None = None
        self.sign: dict[tuple[str, str], int] = {}
        if table is None:
            return
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                f"Candidates are an interaction table (pandas DataFrame), not a "
                f"{type(table).__name__}."
            )
        missing = [name for name in PAIR if name not in table]
        if missing:
            raise ValueError(
                f"The table of candidates has no column {', '.join(missing)}; it has "
                f"{', '.join(map(str, table.columns))}."
            )
        known = pd.Index(data.node_name)
        ends = np.stack([known.get_indexer(table[name]) for name in PAIR])
        inside = (ends >= 0).all(axis=0)
        self.pairs = torch.from_numpy(ends[:, inside])
        if {"stimulation", "inhibition"} <= set(table):
            part = table[inside]
            sign = part["stimulation"].astype(int) - part["inhibition"].astype(int)
            self.sign = dict(
                zip(zip(part["source"], part["target"], strict=True), sign, strict=True)
            )
        if not bool(self.rows(self.pairs[1].unique()).any()):
            raise ValueError(
                f"None of the {len(table)} candidates could be missing: {int((~inside).sum())} "
                f"name a node that is not in the network, the others are interactions of it, of a "
                f"node with itself, or into a ligand. Candidates name nodes as the network does."
            )

    def from_sources(self, mask: Tensor) -> Candidates:
        """Those that start at marked nodes.

        Args:
            mask: ``[N]`` bool.
        """
        out = copy.copy(self)
        out.source_mask = self.source_mask & mask
        return out

    def rows(self, targets: Tensor) -> Tensor:
        """Which sources are candidates for these targets, ``[K, N]`` bool."""
        place = torch.full((self.num_nodes,), -1).index_copy(0, targets, torch.arange(len(targets)))
        allowed = torch.ones(len(targets), self.num_nodes, dtype=torch.bool)
        if self.pairs is not None:
            allowed = ~allowed
            source, target = self.pairs[:, place[self.pairs[1]] >= 0]
            allowed[place[target], source] = True
        source, target = self.edge_index[:, place[self.edge_index[1]] >= 0]
        allowed[place[target], source] = False
        allowed[torch.arange(len(targets)), targets] = False
        allowed[self.ligand_mask[targets]] = False
        return allowed & self.source_mask
