"""Graph to networkx and back, for what other libraries say of networks."""

from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.io.interactions import EVIDENCE, FLAG_COLUMNS, PAIR
from lembas_pyg.network import from_interactions, to_annotation, to_interactions

__all__ = ["Network", "from_networkx", "to_networkx"]


class Network(NamedTuple):
    """A graph and the interaction table it was made from, which holds its evidence."""

    data: Data
    interactions: pd.DataFrame


def to_networkx(data: Data, interactions: pd.DataFrame | None = None) -> nx.DiGraph:
    """Make a networkx graph of a network, its nodes named by accession.

    Nodes have ``name`` (symbol), ``TF``, ``ligand`` and ``receptor``; edges ``sign`` (+1, -1, 0
    unknown), the flags it comes from and, with `interactions`, every further column of the table.
    Conditions, stimuli and activities are not part of the graph.

    Args:
        data: The graph.
        interactions: The table the graph was made from, for its evidence.

    Returns:
        Directed graph, nodes and edges in the order of `data`.

    Raises:
        ValueError: `interactions` is the table of another network, or two edges have the same
            source and target.

    Example:
        >>> from lembas_pyg.datasets import ToyNetwork
        >>> graph = to_networkx(ToyNetwork()[0])
        >>> nx.shortest_path(graph, "L1", "T1")
        ['L1', 'R1', 'S1', 'S2', 'T1']
    """
    table = to_interactions(data, interactions)
    repeated = table.duplicated(PAIR)
    if repeated.any():
        source, target = table.loc[repeated, PAIR].iloc[0]
        raise ValueError(
            f"The graph has the edge '{source}' -> '{target}' more than once. Merge its "
            "interactions (`lembas_pyg.io.merge_interactions`) and make the graph again."
        )
    graph = nx.DiGraph()
    nodes = to_annotation(data).assign(receptor=data.receptor_mask.cpu().numpy())
    for node in nodes.to_dict("records"):
        graph.add_node(node.pop("code"), **node)
    table = table.assign(sign=data.edge_sign.cpu().numpy())
    for edge in table.astype(dict.fromkeys(FLAG_COLUMNS, int)).to_dict("records"):
        graph.add_edge(edge.pop("source"), edge.pop("target"), **edge)
    return graph


def from_networkx(graph: nx.DiGraph) -> Network:
    """Make a network of a networkx graph; the way back of `to_networkx`.

    Args:
        graph: Directed graph. Nodes may have ``name``, ``TF`` and ``ligand``; edges have ``sign``
            (1, -1, 0), or ``stimulation`` and ``inhibition``. Further attributes of edges become
            columns of the table; those of nodes are left out.

    Returns:
        The graph, and its interaction table with what the edges say.

    Raises:
        TypeError: The graph is undirected, or a multigraph.
        ValueError: An edge has no sign, a node's name is no text, or there is no interaction.
    """
    if not graph.is_directed() or graph.is_multigraph():
        raise TypeError(
            f"Signals run from source to target, once a pair: expected a networkx.DiGraph, not a "
            f"{type(graph).__name__}. Convert it with `networkx.DiGraph(graph)`."
        )
    table = nx.to_pandas_edgelist(graph, *PAIR) if graph.number_of_edges() else pd.DataFrame()
    if graph.number_of_edges() and not {"stimulation", "inhibition"} <= set(table):
        if "sign" not in table or not table["sign"].isin([1, 0, -1]).all():
            raise ValueError(
                f"The edges have the attributes {sorted(set(table) - set(PAIR))}. They need 'sign' "
                "(1, -1, or 0 for unknown), or 'stimulation' and 'inhibition'."
            )
        table["stimulation"] = (table["sign"] == 1).astype(np.int8)
        table["inhibition"] = (table["sign"] == -1).astype(np.int8)
    if table.empty:
        raise ValueError("The graph has no edge; a network needs an interaction.")
    for name, default in (("direction", 1), ("sources", ""), ("references", "")):
        if name not in table:
            table[name] = default
    standard = [*PAIR, *FLAG_COLUMNS, *EVIDENCE]
    order = standard + [name for name in table if name not in standard and name != "sign"]
    nodes = [
        {
            "code": code,
            "name": node.get("name", ""),
            "TF": node.get("TF", False),
            "ligand": node.get("ligand", False),
        }
        for code, node in graph.nodes(data=True)
    ]
    table = table[order]
    return Network(from_interactions(table, pd.DataFrame(nodes)), table)
