"""What the page knows of a network and its models, as one block of JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import PathExplanation
from lembas_pyg.network import to_interactions
from lembas_pyg.plot.canvas import clustered
from lembas_pyg.plot.network import layers_of, places_of
from lembas_pyg.report.findings import KnockOuts, States
from lembas_pyg.report.packing import pack_numbers, pack_text

__all__ = ["heat_data", "knock_out_data", "network_data", "path_data", "state_data"]

# Of states, activities and effects; what is measured is not known better.
STEP = 1e-3
# Effects of knock-outs that are kept; smaller ones, two thirds of a page, tell nobody anything.
SMALLEST = 5e-3
_LIGAND, _RECEPTOR, _TF, _COVARIATE = 1, 2, 4, 8
# Nodes of a row, and pixels of a unit, in the drawing of the whole network.
_ROW, _PIXELS = 48, (34.0, 48.0)


def network_data(data: Data, interactions: pd.DataFrame | None = None) -> dict[str, Any]:
    """Nodes with their roles and places, edges with their signs and evidence.

    Args:
        data: Network with conditions.
        interactions: The table it was made from, for resources and references.

    Raises:
        ValueError: It is the table of another network.
    """
    covariate = _covariates(data)
    role = (
        _LIGAND * (data.ligand_mask & ~covariate)
        + _RECEPTOR * data.receptor_mask
        + _TF * data.tf_mask
        + _COVARIATE * covariate
    )
    place = _positions(data, covariate)
    source, target = data.edge_index.numpy()
    block = {
        "nodes": {
            "name": list(data.node_name),
            "label": list(data.node_label),
            "role": pack_numbers(role.numpy(), dtype="int8"),
            "x": pack_numbers(place[:, 0], dtype="int32"),
            "y": pack_numbers(place[:, 1], dtype="int32"),
        },
        "edges": {
            "source": pack_numbers(source, dtype="int32"),
            "target": pack_numbers(target, dtype="int32"),
            "sign": pack_numbers(data.edge_sign.numpy(), dtype="int8"),
        },
        "conditions": list(data.conditions),
        "stimuli": _stimuli(data),
        "tfs": data.tf_mask.nonzero().view(-1).tolist(),
        "evidence": None,
    }
    if interactions is not None:
        table = to_interactions(data, interactions)
        if {"sources", "references"} & set(table):
            block["evidence"] = pack_text(_evidence(table))
    return block


def state_data(states: States) -> dict[str, Any]:
    """Weights, states and activities, rounded; spreads where there are several members.

    Args:
        states: Of all conditions.
    """
    several = states.members > 1
    return {
        "members": states.members,
        "weight": _fine(states.weight),
        "weightSpread": _fine(states.weight_spread) if several else None,
        "state": _fine(states.state),
        "stateSpread": _fine(states.state_spread) if several else None,
        "slope": _fine(states.slope),
        "activity": _fine(states.activity),
    }


def knock_out_data(data: Data, knock_outs: KnockOuts) -> dict[str, Any]:
    """Effects of knock-outs, a parcel for each condition: the page opens them one at a time.

    Effects smaller than 0.005 become 0.

    Args:
        data: Network with conditions.
        knock_outs: Of every node.
    """
    is_small = np.abs(knock_outs.delta) < SMALLEST
    delta, agree = np.where(is_small, 0.0, knock_outs.delta), knock_outs.agree
    if agree is not None:
        agree = np.where(is_small, 0, agree)
    return {
        "smallest": SMALLEST,
        "conditions": [data.conditions[name] for name in knock_outs.conditions],
        "delta": [pack_numbers(block, STEP) for block in delta],
        "agree": None if agree is None else [pack_numbers(block) for block in agree],
    }


def path_data(data: Data, paths: list[PathExplanation]) -> list[dict[str, Any]]:
    """Explained paths, their interactions by number.

    Args:
        data: Network with conditions.
        paths: As from `lembas_pyg.analysis.explain_path`.
    """
    node = {name: number for number, name in enumerate(data.node_name)}
    edge = {pair: number for number, pair in enumerate(zip(*data.edge_index.tolist(), strict=True))}
    return [
        {
            "ligand": node[path.ligand],
            "tf": node[path.tf],
            "condition": data.conditions[path.condition],
            "effect": path.effect,
            # The share is not a number where the changed network has no steady state.
            "kept": _number(path.kept),
            "lost": _number(path.lost),
            "deleted": _number(path.deleted),
            "edges": [edge[node[row.source], node[row.target]] for row in path.edges.itertuples()],
            "share": [round(share, 4) for share in path.edges["share"]],
        }
        for path in paths
    ]


def heat_data(data: Data, predictions: pd.DataFrame) -> dict[str, Any] | None:
    """Measured and predicted TF activities, ordered by clustering; None if none was measured.

    Args:
        data: Network, for the symbols of TFs.
        predictions: `fold`, `condition`, `tf`, `measured`, `predicted`; one row an entry.
    """
    if predictions["measured"].isna().all():
        return None
    measured, predicted = (
        predictions.pivot(index=["condition", "fold"], columns="tf", values=name)
        for name in ("measured", "predicted")
    )
    measured = measured.dropna(how="all").dropna(how="all", axis="columns")
    rows, columns = clustered(measured), clustered(measured.T)
    measured = measured.iloc[rows, columns]
    predicted = predicted.reindex_like(measured)
    node = {name: number for number, name in enumerate(data.node_name)}
    return {
        "conditions": [data.conditions.get(name, -1) for name, _ in measured.index],
        "rows": [name for name, _ in measured.index],
        "tfs": [node.get(name, -1) for name in measured.columns],
        "columns": [
            data.node_label[node[name]] if name in node else name for name in measured.columns
        ],
        "measured": pack_numbers(measured.to_numpy(), STEP),
        "predicted": pack_numbers(predicted.to_numpy(), STEP),
    }


def _covariates(data: Data) -> torch.Tensor:
    if "covariate_mask" in data:
        return data.covariate_mask
    return torch.zeros(int(data.num_nodes), dtype=torch.bool)


def _positions(data: Data, covariate: torch.Tensor) -> np.ndarray:
    """Places in layers, ligands on top and TFs at the bottom; covariates above all ``[N, 2]``."""
    real = ~covariate
    part = Data(
        edge_index=data.edge_index[:, real[data.edge_index].all(dim=0)],
        ligand_mask=data.ligand_mask & real,
        tf_mask=data.tf_mask,
        num_nodes=data.num_nodes,
    )
    hidden = set(covariate.nonzero().view(-1).tolist())
    layers = [[node for node in layer if node not in hidden] for layer in layers_of(part, _ROW)]
    layers = [layer for layer in layers if layer]
    widths = np.ones(int(data.num_nodes))
    place = places_of(layers, widths, part.edge_index.numpy())
    for number, node in enumerate(sorted(hidden)):
        place[node] = 3.0 * number, 3.0
    return place * [_PIXELS[0], -_PIXELS[1]]  # the page counts downwards


def _stimuli(data: Data) -> list[list[list[float]]]:
    """Of every condition the ligands that are present: node, concentration."""
    found: list[list[list[float]]] = [[] for _ in data.conditions]
    for node, condition in data.x.nonzero().tolist():
        found[condition].append([node, round(float(data.x[node, condition]), 6)])
    return found


def _evidence(table: pd.DataFrame) -> dict[str, Any]:
    """Resources by number, and references, of every edge."""
    texts = {
        name: table[name].fillna("").astype(str) if name in table else pd.Series("", table.index)
        for name in ("sources", "references")
    }
    lists = [[part for part in text.split(";") if part] for text in texts["sources"]]
    resources = sorted({name for names in lists for name in names})
    number = {name: place for place, name in enumerate(resources)}
    return {
        "resources": resources,
        "of": [[number[name] for name in names] for names in lists],
        "references": texts["references"].tolist(),
    }


def _fine(values: np.ndarray) -> dict[str, Any]:
    """Rounded to 1e-3, or less finely where numbers are too large for it."""
    largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    return pack_numbers(values, max(STEP, float(largest) / 32_000))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
