"""Cytoscape JSON (``.cyjs``), for Cytoscape and cytoscape.js."""

import json
from typing import Any

import pandas as pd

from lembas_pyg.io.export import checked_tables, interaction_words, losses
from lembas_pyg.io.tsv import FilePath, write_text

# Columns that Cytoscape keeps for itself, or that say something else here.
NODE_KEYS = {"id", "SUID", "selected", "shared_name", "role"}
EDGE_KEYS = {"id", "SUID", "selected", "shared_name", "shared_interaction", "interaction", "name",
             "sign"}  # fmt: skip


def write_cytoscape(
    interactions: pd.DataFrame, path: FilePath, annotation: pd.DataFrame | None = None
) -> list[str]:
    """Write a network as Cytoscape JSON, ready to be styled.

    Nodes have ``id`` (code), ``name`` (symbol, or the code where there is none), ``role`` (ligand,
    receptor, TF, or signaling; a receptor is the target of a ligand) and all columns of the
    annotation; edges have ``interaction`` (activation, inhibition, unknown, conflict), ``sign`` and
    all columns of the interaction table. A column named like one of Cytoscape's own is left out;
    otherwise nothing is lost but the provenance in ``.attrs``.

    Args:
        interactions: Interaction table.
        path: File to write or replace, commonly ``.cyjs``.
        annotation: Names and roles of all nodes, with interactions or without.

    Returns:
        A sentence for everything the file does not hold.

    Raises:
        OSError: The file cannot be written.
        ValueError: A table is not what it should be, a node is not annotated, or a number is
            infinite.
    """
    interactions, annotation = checked_tables(interactions, annotation)
    kept = [name for name in annotation if name not in NODE_KEYS]
    nodes = annotation[kept].assign(
        id=annotation["code"],
        name=annotation["name"].where(annotation["name"] != "", annotation["code"]),
        role=_roles(interactions, annotation),
    )
    kept_edges = [name for name in interactions if name not in EDGE_KEYS]
    edges = interactions[kept_edges].assign(
        id=[f"e{row}" for row in range(len(interactions))],
        interaction=interaction_words(interactions),
        sign=interactions["stimulation"].astype(int) - interactions["inhibition"],
    )
    content = {
        "format_version": "1.0",
        "generated_by": "lembas_pyg",
        "data": {"name": "network"},
        "elements": {"nodes": _elements(nodes), "edges": _elements(edges)},
    }
    try:
        text = json.dumps(content, indent=1, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{path}: JSON holds no infinite number; replace or drop it.") from error
    write_text(f"{text}\n", path)
    return losses(interactions, annotation, [*kept, *kept_edges], path)


def _roles(interactions: pd.DataFrame, annotation: pd.DataFrame) -> pd.Series:
    ligands = annotation["code"][annotation["ligand"]]
    receptors = interactions["target"][interactions["source"].isin(ligands)]
    role = pd.Series("signaling", index=annotation.index)
    role[annotation["code"].isin(receptors)] = "receptor"
    role[annotation["TF"]] = "TF"
    role[annotation["ligand"]] = "ligand"
    return role


def _elements(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A dictionary for every row; a value that is missing is left out."""
    columns = {name: table[name].tolist() for name in table}
    given = {name: table[name].notna().tolist() for name in table}
    return [
        {"data": {name: values[row] for name, values in columns.items() if given[name][row]}}
        for row in range(len(table))
    ]
