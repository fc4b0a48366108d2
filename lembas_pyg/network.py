"""Tables to graph and back: names become indices here, once.

The graph is a PyG `Data` with

* ``edge_index [2, E]``, ``edge_sign [E]`` (+1, -1, 0 unknown; int64), ``edge_id [E]`` (row of the
  merged interaction table, where the evidence stays; -1 for an edge that has no row there),
* ``node_name`` and ``node_label`` (accession and symbol), ``ligand_mask``, ``receptor_mask`` and
  ``tf_mask [N]``,
* after `add_conditions` also ``x`` and ``y [N, S]`` and ``conditions`` (name -> column).

What is not one entry a node or an edge is a dictionary, because PyG takes a list of length N (or
E) for node (or edge) data and would slice it with the nodes.
"""

import difflib
import logging
import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.conditions import check_conditions
from lembas_pyg.io.interactions import (
    as_objects,
    check_directed,
    interaction_sign,
    merge_interactions,
)
from lembas_pyg.io.report import REPORT_COLUMNS, check_report, empty_report, join_reports

logger = logging.getLogger(__name__)


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
            f"{_first(unknown)} of the interaction table are not in the annotation. Add them to "
            "its column 'code', or remove their interactions."
        )
    is_used = np.bincount(edges.ravel(), minlength=len(codes)) > 0
    if not is_used.all():
        warnings.warn(
            f"Left out of the network, as no interaction names them: "
            f"{_first(annotation['code'][~is_used])}.",
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


def node_index(
    data: Data,
    name: str | Iterable[str] | None = None,
    *,
    label: str | Iterable[str] | None = None,
) -> int | Tensor:
    """Look up nodes by accession, or by symbol.

    Args:
        data: The graph.
        name: One accession, or several.
        label: One symbol, or several, instead of `name`.

    Returns:
        The index of one node, or int64 ``[number of names]``.

    Raises:
        TypeError: Neither or both of `name` and `label` are given, or a name is no text.
        ValueError: There is no such node, or a symbol belongs to several.

    Example:
        >>> data = Data(node_name=["P01375", "Q04206"], node_label=["TNF", "RELA"], num_nodes=2)
        >>> node_index(data, "Q04206"), node_index(data, label=["RELA", "TNF"])
        (1, tensor([1, 0]))
    """
    given = name if label is None else label
    if given is None or (name is not None and label is not None):
        raise TypeError("Give either `name` (accessions) or `label` (symbols).")
    names = [given] if isinstance(given, str) else list(given)
    for value in names:
        if not isinstance(value, str):
            raise TypeError(f"A node is named by a text, not {value!r}.")
    known = pd.Index(data.node_name if label is None else data.node_label, dtype=object)
    for value in names:
        if value not in known:
            raise ValueError(_unknown_node(data, value, by_label=label is not None))
        owners = _owners(data, value) if label is not None else []
        if len(owners) > 1:
            raise ValueError(
                f"The symbol '{value}' belongs to several nodes: {_first(owners)}. Name one of "
                "them by its accession."
            )
    index = [known.get_loc(value) for value in names]
    return index[0] if isinstance(given, str) else torch.tensor(index, dtype=torch.long)


def add_conditions(data: Data, ligands: pd.DataFrame, tfs: pd.DataFrame | None = None) -> Data:
    """Add stimuli and, where measured, TF activities; earlier conditions are replaced.

    Ligands of the network without a column have concentration 0 in every condition. TFs without a
    column were not measured, like NaN; TFs that are not in the network are named in a warning and
    in ``unmodeled_tfs`` (name -> column of `tfs`).

    Args:
        data: The graph; it is not changed.
        ligands: Concentrations, conditions x ligands, not negative, in the unit of the experiment
            (the weight of the ligand takes it up). Its order of conditions rules.
        tfs: Activities, conditions x TFs, as a fraction of saturation (logistic of the score).

    Returns:
        A copy with ``x`` and ``y`` (float64; no ``y`` without `tfs`) and ``conditions``.

    Shapes:
        - **x:** ``[N, S]``, 0 for all nodes but ligands
        - **y:** ``[N, S]``, NaN where not measured

    Raises:
        TypeError: A table is not a pandas DataFrame.
        ValueError: A table is not numeric, or names a node that is no ligand (or no TF) of the
            network, a concentration is missing or negative, or the tables differ in conditions.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Methods. The published macrophage table has
        88 TFs, of which the network has 58.
    """
    ligands = check_conditions(ligands, "The table of ligands")
    _check_ligands(data, ligands)
    conditions = ligands.index
    x = _to_nodes(data, ligands, fill=0.0)
    _report_uncovered(data, data.ligand_mask, ligands.columns, "concentration 0 for the ligands")

    out = data.clone()
    for key in ("y", "unmodeled_tfs"):
        if key in out:
            del out[key]
    out.x = x
    out.conditions = {name: column for column, name in enumerate(conditions)}
    if tfs is None:
        return out

    tfs = check_conditions(tfs, "The table of TFs")
    _check_same_conditions(conditions, tfs.index)
    modeled, unmodeled = _split_tfs(data, tfs.columns)
    activity = tfs.loc[conditions, modeled]
    _check_activity(activity)
    if unmodeled:
        warnings.warn(
            f"Not in the network, so not modeled: {_first(unmodeled)} of the {tfs.shape[1]} "
            "measured TFs. All are named in `data.unmodeled_tfs`.",
            stacklevel=2,
        )
    _report_uncovered(data, data.tf_mask, activity.columns, "no measurement of the TFs")
    out.y = _to_nodes(data, activity, fill=float("nan"))
    out.unmodeled_tfs = {name: tfs.columns.get_loc(name) for name in unmodeled}
    return out


def to_conditions(data: Data, values: Tensor, mask: Tensor | None = None) -> pd.DataFrame:
    """Make a table of what a model says of every condition; the way back of `add_conditions`.

    Args:
        data: The graph, with conditions.
        values: One number for every marked node and condition.
        mask: The nodes `values` speaks of, such as ``data.tf_mask``; all if None.

    Shapes:
        - **values:** ``[number of marked nodes, S]``
        - **mask:** ``[N]`` bool

    Returns:
        float64, conditions x nodes (accessions), in the order of the graph.

    Raises:
        ValueError: The shape of `values` is not that of the marked nodes and conditions.
    """
    names = data.node_name if mask is None else list(_names(data, mask))
    expected = [len(names), len(data.conditions)]
    if list(values.shape) != expected:
        raise ValueError(
            f"The values have the shape {list(values.shape)}; {expected[0]} nodes and "
            f"{expected[1]} conditions need {expected}."
        )
    return pd.DataFrame(
        values.detach().to("cpu", torch.float64).numpy().T,
        index=pd.Index(list(data.conditions), name="condition"),
        columns=pd.Index(names, dtype=str),
    )


def _to_nodes(data: Data, table: pd.DataFrame, fill: float) -> Tensor:
    """The one transposition: conditions x some nodes to ``[N, S]``."""
    values = torch.full((data.num_nodes, len(table)), fill, dtype=torch.float64)
    index = torch.from_numpy(pd.Index(data.node_name).get_indexer(table.columns))
    values[index] = torch.tensor(table.to_numpy().T)
    return values.to(data.edge_index.device)


def _check_ligands(data: Data, ligands: pd.DataFrame) -> None:
    ligand = _names(data, data.ligand_mask)
    for name in ligands.columns:
        if name not in ligand:
            if name in data.node_name:
                raise ValueError(
                    f"The table of ligands has the column '{name}', which is a node of the network "
                    "but not a ligand. Mark it in the column 'ligand' of the annotation."
                )
            transposed = any(condition in ligand for condition in ligands.index)
            hint = " Its first column names ligands: conditions are rows." if transposed else ""
            raise ValueError(
                f"The table of ligands has a column that names no node. "
                f"{_unknown_node(data, name)}{hint}"
            )
    for bad, word in (
        (ligands.isna(), "no concentration (NaN)"),
        (ligands < 0, "a negative concentration"),
    ):
        if bad.to_numpy().any():
            row, column = np.argwhere(bad.to_numpy())[0]
            raise ValueError(
                f"The table of ligands has {word} for the ligand '{ligands.columns[column]}' in "
                f"the condition '{ligands.index[row]}': {ligands.iat[row, column]}. A "
                "concentration is 0 or more; write 0 where the ligand is absent."
            )


def _check_same_conditions(ligands: pd.Index, tfs: pd.Index) -> None:
    problems = [
        f"only the table of {word} has {_first(names)}"
        for word, names in (
            ("ligands", ligands.difference(tfs, sort=False)),
            ("TFs", tfs.difference(ligands, sort=False)),
        )
        if len(names)
    ]
    if problems:
        raise ValueError(
            f"The tables of ligands and TFs differ in conditions: {'; '.join(problems)}. Give "
            "both tables the same conditions; a TF that was not measured is NaN."
        )


def _split_tfs(data: Data, columns: pd.Index) -> tuple[list[str], list[str]]:
    """TFs of the network, and the others after a check that they are not misnamed nodes."""
    tf, node, label = _names(data, data.tf_mask), set(data.node_name), set(data.node_label)
    modeled = [name for name in columns if name in tf]
    unmodeled = [name for name in columns if name not in node]
    for name in columns:
        if name in node and name not in tf:
            raise ValueError(
                f"The table of TFs has the column '{name}', which is a node of the network but "
                "not a TF. Mark it in the column 'TF' of the annotation."
            )
        if name not in node and name in label:
            raise ValueError(
                f"The table of TFs has a column that names no node. {_unknown_node(data, name)}"
            )
    if not modeled:
        raise ValueError(
            f"None of the {len(columns)} columns of the table of TFs is a TF of the network: "
            f"{_first(columns)}. TFs of the network are {_first(sorted(tf))}. Are the conditions "
            "rows?"
        )
    return modeled, unmodeled


def _check_activity(activity: pd.DataFrame) -> None:
    outside = ((activity < -0.5) | (activity > 1.5)).to_numpy()
    if outside.any():
        row, column = np.argwhere(outside)[0]
        warnings.warn(
            f"{outside.sum():,} of {activity.size:,} TF activities lie outside [-0.5, 1.5], such "
            f"as {activity.iat[row, column]:.3g} for '{activity.columns[column]}' in the condition "
            f"'{activity.index[row]}'. Activities are fractions of saturation; were the scores put "
            "through the logistic function 1 / (1 + exp(-score))?",
            stacklevel=3,
        )


def _report_uncovered(data: Data, mask: Tensor, columns: pd.Index, what: str) -> None:
    uncovered = [name for name in _names(data, mask) if name not in columns]
    if uncovered:
        logger.info("Without a column, so %s: %s", what, ", ".join(uncovered))


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


def _unknown_node(data: Data, value: str, by_label: bool = False) -> str:
    """What to say of a name that the network does not have, with a suggestion."""
    text = f"'{value}' is not among the {data.num_nodes} nodes of the network."
    if by_label:
        text = f"'{value}' is not among the symbols of the {data.num_nodes} nodes of the network."
        if value in data.node_name:
            return f"{text} '{value}' is an accession: try `node_index(data, '{value}')`."
    else:
        text += " Nodes are named by accession (UniProt)."
        owners = " or ".join(f"'{name}'" for name in _owners(data, value))
        if owners:
            return (
                f"{text} '{value}' is the symbol of {owners}: use the accession, or try "
                f"`node_index(data, label='{value}')`."
            )
    known = data.node_label if by_label else [*data.node_name, *data.node_label]
    spelled = {name.casefold(): name for name in reversed(known)}
    close = [spelled[name] for name in difflib.get_close_matches(value.casefold(), spelled, n=3)]
    if not close:
        return text
    alike = [dict.fromkeys([name, *_owners(data, name)]) for name in close]
    hints = [" = ".join(f"'{name}'" for name in names) for names in alike]
    return f"{text} Close to it: {', '.join(hints)}."


def _owners(data: Data, label: str) -> list[str]:
    """Accessions of the nodes with this symbol."""
    pairs = zip(data.node_name, data.node_label, strict=True)
    return [name for name, other in pairs if other == label]


def _names(data: Data, mask: Tensor) -> dict[str, int]:
    """Marked nodes, name -> index, in order."""
    return {data.node_name[i]: i for i in mask.nonzero().flatten().tolist()}


def select_conditions(data: Data, conditions: Iterable[str]) -> Data:
    """Make a copy of a network with some of its conditions, in the order given.

    Args:
        data: Network with conditions; it is not changed.
        conditions: Names of conditions.

    Returns:
        A copy whose `x`, `y` (where measured) and `conditions` hold these conditions alone.

    Raises:
        ValueError: There are no conditions, or one is not known or named twice.
    """
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    known: dict[str, int] = data.conditions
    names = list(conditions)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"Unknown conditions: {_first(unknown)}. The data have {_first(list(known))}."
        )
    if len(set(names)) < len(names):
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise ValueError(f"Conditions named more than once: {_first(repeated)}.")
    out = data.clone()
    columns = torch.tensor([known[name] for name in names], dtype=torch.long, device=data.x.device)
    out.x = data.x[:, columns]
    if "y" in data:
        out.y = data.y[:, columns]
    out.conditions = {name: i for i, name in enumerate(names)}
    return out


def _first(names: Iterable[str], limit: int = 10) -> str:
    names = list(names)
    shown = ", ".join(f"'{name}'" for name in names[:limit])
    return (
        f"{shown}, ... ({len(names)} in all)" if len(names) > limit else f"{shown} ({len(names)})"
    )
