"""Cutting a graph: all that belongs to a node or an edge goes together, and is reported."""

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import select

from lembas_pyg.io.report import join_reports, report_rows
from lembas_pyg.network import add_report


def remove_nodes(data: Data, keep: Tensor, rule: str, reasons: Sequence[str]) -> Data:
    """Keep these nodes and the edges between them.

    Args:
        data: The graph; it is not changed.
        keep: Nodes to keep.
        rule: What removes the others, for the report.
        reasons: Why, one for every node that is removed, in order.

    Shapes:
        - **keep:** ``[N]`` bool
    """
    keep = keep.to(data.edge_index.device)
    keep_edge = keep[data.edge_index].all(dim=0)
    gone = ~keep.cpu().numpy()
    name = np.array(data.node_name, dtype=object)
    source, target = data.edge_index[:, ~keep_edge].cpu().numpy()
    culprit = name[np.where(gone[source], source, target)]
    report = join_reports(
        report_rows(rule, "removed", "node", name[gone], detail=reasons),
        report_rows(
            rule,
            "removed",
            "interaction",
            name[source],
            name[target],
            [f"{code} is removed" for code in culprit],
        ),
    )
    return _cut(data, keep, keep_edge, report)


def remove_edges(data: Data, keep: Tensor, rule: str, reason: str) -> Data:
    """Keep these edges and all nodes.

    Args:
        data: The graph; it is not changed.
        keep: Edges to keep.
        rule: What removes the others, for the report.
        reason: Why.

    Shapes:
        - **keep:** ``[E]`` bool
    """
    name = np.array(data.node_name, dtype=object)
    source, target = data.edge_index[:, ~keep].cpu().numpy()
    report = report_rows(rule, "removed", "interaction", name[source], name[target], reason)
    everything = torch.ones(data.num_nodes, dtype=torch.bool, device=keep.device)
    return _cut(data, everything, keep, report)


def _cut(data: Data, keep: Tensor, keep_edge: Tensor, report: Any) -> Data:
    out = copy.copy(data)
    for key, value in data:
        level = _level(data, key, value)
        if level is not None:
            mask = keep_edge if level == "edge" else keep
            if isinstance(value, list | tuple):
                out[key] = type(value)(itertools.compress(value, mask.tolist()))
            else:
                out[key] = select(value, mask, dim=data.__cat_dim__(key, value))
    out.edge_index = (keep.cumsum(0) - 1)[out.edge_index]
    out.num_nodes = int(keep.sum())
    add_report(out, report)
    return out


def _level(data: Data, key: str, value: Any) -> str | None:
    """Whether an attribute has an entry a node or an edge; by its name where there are as many.

    PyG's own rule takes a list of N names for edge data where N = E.
    """
    if isinstance(value, list | tuple):
        size = len(value)
    elif isinstance(value, Tensor | np.ndarray) and value.ndim:
        size = value.shape[data.__cat_dim__(key, value)]
    else:
        return None
    if key == "edge_index":
        return "edge"
    if size == data.num_edges and ("edge" in key or data.num_nodes != data.num_edges):
        return "edge"
    return "node" if size == data.num_nodes else None
