import networkx as nx
import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.exchange import from_networkx, to_networkx
from lembas_pyg.io import interaction_sign
from lembas_pyg.network import to_annotation, to_interactions


@pytest.fixture
def toy():
    return ToyNetwork()[0]


def test_nodes_have_roles_and_edges_have_signs(toy):
    graph = to_networkx(toy)
    assert list(graph) == toy.node_name
    assert graph.nodes["L1"] == {"name": "L1", "TF": False, "ligand": True, "receptor": False}
    assert graph.nodes["R1"]["receptor"] and graph.nodes["T1"]["TF"]
    assert [sign for *_, sign in graph.edges(data="sign")].count(-1) == 2
    assert type(graph.edges["L1", "R1"]["stimulation"]) is int
    assert graph.number_of_edges() == toy.num_edges


def test_evidence_goes_along_and_comes_back(toy):
    table = to_interactions(toy).assign(sources="me", strength=range(toy.num_edges))
    graph = to_networkx(toy, table)
    assert graph.edges["L1", "R1"]["sources"] == "me"
    back = from_networkx(graph)
    again = table[["source", "target"]].merge(back.interactions)
    pd.testing.assert_frame_equal(again[table.columns], table, check_dtype=False)
    pd.testing.assert_frame_equal(to_annotation(back.data), to_annotation(toy))
    assert to_interactions(back.data, back.interactions)["sources"].eq("me").all()


def test_a_graph_with_nothing_but_signs_is_enough():
    graph = nx.DiGraph()
    graph.add_node("A", ligand=True)
    graph.add_node("B", TF=True, colour="red")
    graph.add_edge("A", "B", sign=-1)
    data, table = from_networkx(graph)
    assert data.node_name == ["A", "B"] and data.node_label == ["A", "B"]
    assert data.edge_sign.tolist() == [-1]
    assert data.tf_mask.tolist() == [False, True]
    assert interaction_sign(table).tolist() == [-1]
    assert list(table.columns) == [
        "source", "target", "direction", "stimulation", "inhibition", "sources", "references"
    ]  # fmt: skip


def test_graphs_that_are_no_network_are_refused():
    with pytest.raises(TypeError, match=r"expected a networkx.DiGraph, not a Graph"):
        from_networkx(nx.Graph([("A", "B")]))
    with pytest.raises(TypeError, match="not a MultiDiGraph"):
        from_networkx(nx.MultiDiGraph([("A", "B")]))
    with pytest.raises(ValueError, match=r"attributes \['weight'\]. They need 'sign'"):
        from_networkx(nx.DiGraph([("A", "B", {"weight": 1})]))
    with pytest.raises(ValueError, match="The graph has no edge"):
        from_networkx(nx.DiGraph())
    with pytest.raises(ValueError, match=r"holds 1. Nodes are named by a text"):
        from_networkx(nx.DiGraph([(1, 2, {"sign": 1})]))


def test_parallel_edges_are_refused(toy):
    toy.edge_index = torch.cat([toy.edge_index, toy.edge_index[:, :1]], dim=1)
    toy.edge_sign = torch.cat([toy.edge_sign, toy.edge_sign[:1]])
    with pytest.raises(ValueError, match="'L1' -> 'R1' more than once"):
        to_networkx(toy)
