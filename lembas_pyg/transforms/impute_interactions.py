"""Adding interactions that the network lacks, with their evidence marked."""

from __future__ import annotations

import copy
import logging

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from lembas_pyg.io.report import report_rows
from lembas_pyg.network import add_report, node_index

logger = logging.getLogger(__name__)

_PAIR = ["source", "target"]


@functional_transform("impute_interactions")
class ImputeInteractions(BaseTransform):
    """Add interactions, such as the best of `lembas_pyg.analysis.score_missing_interactions`.

    New edges come last, have no row in the interaction table (``edge_id`` -1) and are marked in
    ``edge_imputed``; `lembas_pyg.network.curation_report` tells what was added, on what evidence.
    Pairs that are interactions of the network already are left as they are.

    Args:
        table: Columns `source` and `target` (accessions), and `sign` (+1, -1, 0 unknown) or the
            flags of an interaction table (`stimulation`, `inhibition`); unknown without either.
        top: Only the first rows; all if None.

    Raises:
        TypeError: The table is not a pandas DataFrame.
        ValueError: A column is missing, a sign is illegal, `top` is below 1, a pair is named twice
            with different signs, a node is not in the network, or an interaction would lead into a
            ligand or from a node to itself.
    """

    def __init__(self, table: pd.DataFrame, *, top: int | None = None) -> None:
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                f"Interactions to add are a table (pandas DataFrame), not {type(table).__name__}."
            )
        lacking = [name for name in _PAIR if name not in table]
        if lacking:
            raise ValueError(
                f"The table of interactions to add has no column {', '.join(lacking)}; it has "
                f"{', '.join(map(str, table.columns))}."
            )
        if top is not None and (isinstance(top, bool) or not isinstance(top, int) or top < 1):
            raise ValueError(f"top is {top!r}; it must be a whole number of 1 or more.")
        chosen = table if top is None else table.head(top)
        self.evidence = chosen.reset_index(drop=True)
        self.sign = _signs(self.evidence)
        self._check_pairs()

    def _check_pairs(self) -> None:
        pairs = self.evidence[_PAIR].assign(sign=self.sign).drop_duplicates()
        twice = pairs.duplicated(_PAIR)
        if twice.any():
            source, target = pairs.loc[twice, _PAIR].iloc[0]
            raise ValueError(
                f"'{source}' -> '{target}' is to be added with two different signs; keep one row, "
                f"or give the sign 0 for unknown."
            )
        own = self.evidence["source"] == self.evidence["target"]
        if own.any():
            raise ValueError(
                f"'{self.evidence.loc[own, 'source'].iloc[0]}' would act on itself; a self-loop "
                f"is no interaction of this model."
            )

    def forward(self, data: Data) -> Data:
        source, target = (
            torch.as_tensor(node_index(data, self.evidence[end].tolist())) for end in _PAIR
        )
        into = data.ligand_mask[target]
        if bool(into.any()):
            name = self.evidence["target"][int(into.nonzero()[0])]
            raise ValueError(
                f"'{name}' is a ligand, whose concentration is given: nothing acts on it. Leave "
                f"the row out, or take the role of ligand from it."
            )
        key = source * data.num_nodes + target
        known = torch.isin(key, data.edge_index[0] * data.num_nodes + data.edge_index[1])
        new = (~known).numpy() & ~pd.Series(key.numpy()).duplicated().to_numpy()
        if known.any():
            logger.info("%d interactions are in the network already.", int(known.sum()))
        rows = torch.from_numpy(np.flatnonzero(new))
        out = copy.copy(data)
        added = torch.stack([source, target])[:, rows].to(data.edge_index)
        sign = torch.from_numpy(self.sign)[rows].to(data.edge_sign)
        out.edge_index = torch.cat([data.edge_index, added], dim=1)
        out.edge_sign = torch.cat([data.edge_sign, sign])
        if "edge_id" in data:
            out.edge_id = torch.cat([data.edge_id, data.edge_id.new_full((len(rows),), -1)])
        before = data.get("edge_imputed")
        if before is None:
            before = torch.zeros_like(data.edge_sign, dtype=torch.bool)
        out.edge_imputed = torch.cat([before, before.new_ones(len(rows))])
        out.receptor_mask = data.receptor_mask.clone()
        out.receptor_mask[added[1, data.ligand_mask[added[0]]]] = True
        part = self.evidence[new]
        add_report(
            out,
            report_rows(
                type(self).__name__,
                "added",
                "interaction",
                part["source"],
                part["target"],
                [_evidence(row) for row in part.to_dict("records")],
            ),
        )
        return out

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({len(self.evidence)})"


def _signs(table: pd.DataFrame) -> np.ndarray:
    """Mode of action of every row; conflicting flags are unknown."""
    if "sign" in table:
        sign = table["sign"].to_numpy()
        if not np.isin(sign, [-1, 0, 1]).all():
            wrong = sign[~np.isin(sign, [-1, 0, 1])][0]
            raise ValueError(f"A sign is {wrong}; legal are 1, -1, and 0 for unknown.")
        return sign.astype(np.int64, copy=True)
    if {"stimulation", "inhibition"} <= set(table):
        return (
            table["stimulation"].astype(np.int64) - table["inhibition"].astype(np.int64)
        ).to_numpy(copy=True)
    return np.zeros(len(table), dtype=np.int64)


def _evidence(row: dict[str, object]) -> str:
    """What is known of an interaction, as one text."""
    parts = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in row.items()
        if name not in _PAIR
    ]
    return ", ".join(parts) or "given"
