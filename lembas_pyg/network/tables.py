"""Tables of interactions and nodes to the graph and back."""

import warnings

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.interactions import (
    as_objects,
    check_directed,
    interaction_sign,
    merge_interactions,
)
from lembas_pyg.io.report import REPORT_COLUMNS, check_report, empty_report, join_reports
from lembas_pyg.network.nodes import first_of

__all__ = ["add_report", "curation_report", "from_interactions", "to_annotation", "to_interactions"]


def from_interactions(interactions: pd.DataFrame, annotation: pd.DataFrame) -> Data:
    """Make the graph of a network.

    Edges follow the rows of the interaction table after `merge_interactions`; nodes follow the
    annotation. Annotated nodes without any interaction are left out, with a warning. Every target
    of a ligand is a receptor.

    Args:
        interactions: Interaction table; rows of the same pair are merged.
        annotation: Names and roles; the symbol of a node without a name is its code.

    Returns:
        The graph, without conditions.

    Raises:
        TypeError: An argument is not a table.
        ValueError: A table lacks a column or holds something illegal, there is no interaction, an
            interaction has no direction, or a node is not annotated.
    """
    check_directed(interactions)
    table = merge_interactions(interactions)
    annotation = check_annotation(annotation)
    if table.empty:
        raise ValueError("The interaction table is empty; a network needs an interaction.")
    codes = pd.Index(as_objects(annotation["code"]), dtype=object)
    edges = np.stack([codes.get_indexer(as_objects(table[end])) for end in ("source", "target")])
    if (edges < 0).any():
        ends = pd.concat([table["source"], table["target"]])
        unknown = pd.unique(ends[edges.ravel() < 0])
        raise ValueError(
            f"{first_of(unknown)} of the interaction table are not in the annotation. Add them to "
            "its column 'code', or remove their interactions."
        )
    is_used = np.bincount(edges.ravel(), minlength=len(codes)) > 0
    if not is_used.all():
        warnings.warn(
            f"Left out of the network, as no interaction names them: "
            f"{first_of(annotation['code'][~is_used])}.",
            stacklevel=2,
        )
    nodes = annotation[is_used]
    for role, word in (("ligand", "ligand"), ("TF", "transcription factor")):
        if not nodes[role].any():
            warnings.warn(
                f"The network has no {word}: no node with an interaction is marked in the column "
                f"'{role}' of the annotation.",
                stacklevel=2,
            )

    edge_index = torch.from_numpy((is_used.cumsum() - 1)[edges])
    ligand_mask = torch.from_numpy(nodes["ligand"].to_numpy(bool, copy=True))
    receptor_mask = torch.zeros_like(ligand_mask)
    receptor_mask[edge_index[1, ligand_mask[edge_index[0]]]] = True
    return Data(
        edge_index=edge_index,
        edge_sign=torch.from_numpy(interaction_sign(table).astype(np.int64)),
        edge_id=torch.arange(len(table)),
        node_name=nodes["code"].tolist(),
        node_label=nodes["name"].where(nodes["name"] != "", nodes["code"]).tolist(),
        ligand_mask=ligand_mask,
        receptor_mask=receptor_mask,
        tf_mask=torch.from_numpy(nodes["TF"].to_numpy(bool, copy=True)),
        num_nodes=len(nodes),
    )


def to_interactions(data: Data, interactions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Make the interaction table of a graph, one row an edge, in the order of the edges.

    Without `interactions` the signs of the graph win and evidence is blank. With it, rows are
    looked up by `edge_id` and keep all their columns; table and graph have to agree, also in sign.
    To write signs that were changed on the graph, leave `interactions` out, or change the flags
    of the table likewise. An edge with `edge_id` -1 was added on the graph: its row comes from the
    graph alone.

    Args:
        data: The graph, pruned or not.
        interactions: The table the graph was made from, merged or not.

    Returns:
        Interaction table, numbered from 0.

    Raises:
        ValueError: `interactions` is the table of another network, or a sign was changed.
    """
    name = np.asarray(data.node_name, dtype=object)
    source, target = data.edge_index.cpu().numpy()
    sign = data.edge_sign.cpu().numpy()
    plain = pd.DataFrame(
        {
            "source": pd.Series(name[source], dtype=str),
            "target": pd.Series(name[target], dtype=str),
            "direction": np.ones(len(sign), dtype=np.int8),
            "stimulation": (sign > 0).astype(np.int8),
            "inhibition": (sign < 0).astype(np.int8),
            "sources": pd.Series("", index=range(len(sign)), dtype=str),
            "references": pd.Series("", index=range(len(sign)), dtype=str),
        }
    )
    if interactions is None:
        return plain
    table = merge_interactions(interactions)
    edge_id = data.edge_id.cpu().numpy()
    from_table = edge_id >= 0
    if edge_id.max(initial=-1) >= len(table):
        raise ValueError(
            f"The graph points to row {edge_id.max()}, but the merged interaction table has "
            f"{len(table)} rows. Give the table the graph was made from."
        )
    rows = table.iloc[edge_id[from_table]].set_axis(np.flatnonzero(from_table), axis="index")
    _check_rows(rows, plain[from_table])
    if from_table.all():
        return rows.reset_index(drop=True)
    added = plain.loc[~from_table, [column for column in plain if column in rows]]
    return pd.concat([rows, added]).sort_index()


def to_annotation(data: Data) -> pd.DataFrame:
    """Make the annotation table of a graph: code, name, TF, ligand, one row a node.

    Args:
        data: The graph.

    Returns:
        Annotation table, numbered from 0.
    """
    return pd.DataFrame(
        {
            "code": pd.Series(data.node_name, dtype=str),
            "name": pd.Series(data.node_label, dtype=str),
            "TF": data.tf_mask.cpu().numpy(),
            "ligand": data.ligand_mask.cpu().numpy(),
        }
    )


def curation_report(data: Data) -> pd.DataFrame:
    """What transforms have removed from a graph or changed in it, and why.

    Args:
        data: The graph.

    Returns:
        One row for every node and interaction, in the order of the transforms: rule, action, item,
        source, target, detail (see `lembas_pyg.io.report`). Empty if nothing was done.
    """
    if "curation" not in data:
        return empty_report()
    columns = {name: pd.Series(data.curation[name], dtype=str) for name in REPORT_COLUMNS}
    return pd.DataFrame(columns)


def add_report(data: Data, report: pd.DataFrame) -> None:
    """Put a report below those that a graph has, in place.

    Args:
        data: The graph; its ``curation`` (column -> list) is replaced.
        report: What was done to it.

    Raises:
        ValueError: The table is not a report.
    """
    joined = join_reports(curation_report(data), check_report(report))
    data.curation = {name: joined[name].tolist() for name in REPORT_COLUMNS}


def _check_rows(rows: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Raise where rows found by `edge_id` are not the edges of the graph."""
    differs = pd.Series(False, index=rows.index)
    for end in ("source", "target"):
        differs |= as_objects(rows[end]) != as_objects(expected[end])
    if differs.any():
        edge = differs.index[differs][0]
        raise ValueError(
            f"Edge {edge} of the graph runs from '{expected['source'][edge]}' to "
            f"'{expected['target'][edge]}', but its row of the interaction table from "
            f"'{rows['source'][edge]}' to '{rows['target'][edge]}': this is the table of another "
            "network. Give the table the graph was made from."
        )
    row_sign, edge_sign = interaction_sign(rows), interaction_sign(expected)
    if (row_sign != edge_sign).any():
        i = np.flatnonzero(row_sign != edge_sign)[0]
        source, target = rows[["source", "target"]].iloc[i]
        raise ValueError(
            f"The sign of '{source}' -> '{target}' is {edge_sign[i]:+d} in the graph and "
            f"{row_sign[i]:+d} in the interaction table. Give the table the graph was made from; "
            "if the sign was changed on the graph, change the flags of the table likewise, or "
            "call `to_interactions(data)` for the signs of the graph without evidence."
        )
