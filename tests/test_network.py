import copy
import logging
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, InMemoryDataset

from lembas_pyg.io import (
    interaction_sign,
    merge_interactions,
    read_annotation,
    read_conditions,
    read_interactions,
    read_tsv,
)
from lembas_pyg.network import (
    add_conditions,
    from_interactions,
    node_index,
    select_conditions,
    to_annotation,
    to_interactions,
)

# N = 5, E = 6; the annotation is not in the order of the interactions
NODES = [
    ("P3", "RELA", True, False),
    ("P1", "TNF", False, True),
    ("P2", "TNFR1", False, False),
    ("P4", "STAT1", True, False),
    ("P0", "IFNG", False, True),
]
EDGES = [
    ("P1", "P2", 1, 0),
    ("P0", "P4", 0, 0),
    ("P2", "P3", 1, 0),
    ("P3", "P2", 0, 1),
    ("P0", "P2", 1, 1),
    ("P4", "P3", 0, 1),
]


def make_interactions(edges=EDGES):
    table = pd.DataFrame(edges, columns=["source", "target", "stimulation", "inhibition"])
    table.insert(2, "direction", 1)
    table["sources"] = [f"KEGG;S{i}" for i in range(len(table))]
    table["references"] = [f"KEGG:{i}" for i in range(len(table))]
    table["score"] = np.linspace(0, 1, len(table))
    return table


def make_annotation(nodes=NODES):
    return pd.DataFrame(nodes, columns=["code", "name", "TF", "ligand"])


@pytest.fixture
def data():
    return from_interactions(make_interactions(), make_annotation())


def make_table(values, columns, index=("ctrl", "TNF", "both")):
    return pd.DataFrame(values, list(index), list(columns), dtype=float)


@pytest.fixture
def ligands():
    return make_table([[0, 0], [1, 0], [1, 0.5]], ["P1", "P0"])


@pytest.fixture
def tfs():
    return make_table([[0.1, 0.4], [0.2, np.nan], [0.3, 0.6]], ["P4", "P3"])


# from_interactions


def test_nodes_follow_the_annotation_and_edges_the_table(data):
    assert data.node_name == ["P3", "P1", "P2", "P4", "P0"]
    assert data.node_label == ["RELA", "TNF", "TNFR1", "STAT1", "IFNG"]
    assert data.edge_index.tolist() == [[1, 4, 2, 0, 4, 3], [2, 3, 0, 2, 2, 0]]
    assert data.edge_sign.tolist() == [1, 0, 1, -1, 0, -1]
    assert data.edge_id.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.num_nodes == 5


def test_roles_are_masks_and_receptors_are_targets_of_ligands(data):
    assert data.ligand_mask.tolist() == [False, True, False, False, True]
    assert data.tf_mask.tolist() == [True, False, False, True, False]
    assert data.receptor_mask.tolist() == [False, False, True, True, False]
    assert data.validate()


def test_repeated_interactions_are_merged_first(data):
    table = make_interactions([*EDGES[:3], ("P1", "P2", 0, 1), *EDGES[3:]])
    network = from_interactions(table, make_annotation())
    assert network.edge_index.tolist() == data.edge_index.tolist()
    assert network.edge_sign.tolist() == [0, 0, 1, -1, 0, -1]
    assert network.edge_id.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_node_without_a_name_is_labelled_by_its_code():
    nodes = [("P3", "", True, False), ("P1", None, False, True), *NODES[2:]]
    network = from_interactions(make_interactions(), make_annotation(nodes))
    assert network.node_label[:2] == ["P3", "P1"]


def test_annotated_nodes_without_interaction_are_left_out_with_a_warning():
    spare = [(f"Q{i:02}", "x", False, True) for i in range(12)]
    with pytest.warns(UserWarning, match=r"no interaction names them: 'Q00'.*'Q09', .*12 in all"):
        network = from_interactions(make_interactions(), make_annotation([*spare, *NODES]))
    assert network.node_name == ["P3", "P1", "P2", "P4", "P0"]


@pytest.mark.parametrize(("column", "word"), [("ligand", "ligand"), ("TF", "transcription")])
def test_a_network_without_a_role_is_made_with_a_warning(column, word):
    with pytest.warns(UserWarning, match=f"has no {word}"):
        from_interactions(make_interactions(), make_annotation().assign(**{column: False}))


def test_nodes_that_are_not_annotated_are_named():
    with pytest.raises(ValueError, match=r"'P1', 'P0' \(2\) of the interaction table are not in"):
        from_interactions(make_interactions(), make_annotation([NODES[0], *NODES[2:4]]))


def test_an_interaction_without_a_direction_is_refused():
    table = make_interactions([*EDGES, EDGES[0]])
    table.loc[6, "direction"] = 0
    with pytest.raises(ValueError, match=r"row 6: 'P1' and 'P2' .* once in each direction"):
        from_interactions(table, make_annotation())


def test_an_empty_table_makes_no_network():
    with pytest.raises(ValueError, match="interaction table is empty"):
        from_interactions(make_interactions().iloc[:0], make_annotation())


def test_arguments_have_to_be_tables():
    with pytest.raises(TypeError, match="Interactions are a pandas DataFrame, not list"):
        from_interactions([], make_annotation())
    with pytest.raises(TypeError, match="annotation is a pandas DataFrame, not list"):
        from_interactions(make_interactions(), [])


# to_interactions, to_annotation


def test_table_with_evidence_is_given_back(data):
    expected = merge_interactions(make_interactions())
    pd.testing.assert_frame_equal(to_interactions(data, make_interactions()), expected)


@st.composite
def tables(draw):
    names = [f"N{i}" for i in range(draw(st.integers(2, 5)))]
    flag = st.integers(0, 1)
    edge = st.tuples(st.sampled_from(names), st.sampled_from(names), flag, flag)
    table = make_interactions(draw(st.lists(edge, min_size=1, max_size=15)))
    role = st.lists(st.booleans(), min_size=len(names), max_size=len(names))
    code = draw(st.permutations(names))
    annotation = {"code": code, "name": names, "TF": draw(role), "ligand": draw(role)}
    return table, pd.DataFrame(annotation)


@given(tables())
@settings(max_examples=60, deadline=None)
def test_tables_survive_the_way_through_the_graph(drawn):
    table, annotation = drawn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = from_interactions(table, annotation)
    merged = merge_interactions(table)
    pd.testing.assert_frame_equal(to_interactions(network, table), merged)
    pd.testing.assert_frame_equal(to_interactions(network, merged), merged)
    plain = to_interactions(network)
    assert plain["source"].tolist() == merged["source"].tolist()
    assert plain["target"].tolist() == merged["target"].tolist()
    np.testing.assert_array_equal(interaction_sign(plain), interaction_sign(merged))
    used = annotation["code"].isin([*table["source"], *table["target"]])
    back = to_annotation(network)
    assert back.to_numpy().tolist() == annotation[used].to_numpy().tolist()
    again = from_interactions_quietly(plain, back)
    assert again.edge_index.tolist() == network.edge_index.tolist()


def from_interactions_quietly(*tables):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return from_interactions(*tables)


def test_without_the_table_the_graph_speaks_for_itself(data):
    data.edge_sign[1] = 1
    table = to_interactions(data)
    assert table.loc[1].tolist() == ["P0", "P4", 1, 1, 0, "", ""]
    assert interaction_sign(table).tolist() == [1, 1, 1, -1, 0, -1]


def test_a_sign_changed_on_the_graph_does_not_pass_for_evidence(data):
    data.edge_sign[1] = -1
    with pytest.raises(ValueError, match=r"sign of 'P0' -> 'P4' is -1 in the graph and \+0 in"):
        to_interactions(data, make_interactions())


def test_the_table_of_another_network_is_refused(data):
    other = make_interactions([*EDGES[:2], ("P3", "P3", 1, 0), *EDGES[3:]])
    with pytest.raises(ValueError, match=r"Edge 2 of the graph runs from 'P2' to 'P3'.*another"):
        to_interactions(data, other)
    with pytest.raises(ValueError, match=r"points to row 5, but .* has 3 rows"):
        to_interactions(data, make_interactions(EDGES[:3]))


def test_pruned_graph_keeps_the_evidence_of_its_edges(data):
    pruned = data.subgraph(torch.tensor([True, True, True, False, False]))
    table = to_interactions(pruned, make_interactions())
    expected = merge_interactions(make_interactions()).iloc[[0, 2, 3]].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected)


def test_edges_added_on_the_graph_have_no_evidence(data):
    data.edge_index = torch.cat([torch.tensor([[1], [0]]), data.edge_index], dim=1)
    data.edge_sign = torch.cat([torch.tensor([-1]), data.edge_sign])
    data.edge_id = torch.cat([torch.tensor([-1]), data.edge_id])
    table = to_interactions(data, make_interactions())
    assert table.loc[0, "source":"references"].tolist() == ["P1", "P3", 1, 0, 1, "", ""]
    assert table["score"].isna().tolist() == [True] + [False] * 6
    assert table["sources"].tolist()[1:] == make_interactions()["sources"].tolist()
    assert from_interactions(table, make_annotation()).edge_sign.equal(data.edge_sign)


# node_index


def test_nodes_are_looked_up_by_name_or_label(data):
    assert node_index(data, "P2") == 2
    assert node_index(data, label="TNFR1") == 2
    assert node_index(data, ["P0", "P3"]).tolist() == [4, 0]
    assert node_index(data, label=pd.Series(["RELA"])).tolist() == [0]
    assert node_index(data, []).dtype == torch.long


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ({"name": "TNF"}, r"'TNF' is not among the 5 nodes.*symbol of 'P1': use the accession"),
        ({"name": ["P1", "P9"]}, "'P9' is not among the 5 nodes .* Close to it: 'P0' = 'P0'|'P9'"),
        ({"name": "rela"}, "Close to it: 'RELA' = 'P3'"),
        ({"name": "xxxxxx"}, r"by accession \(UniProt\)\.$"),
        ({"label": "P1"}, "'P1' is an accession: its symbol is 'TNF'"),
        ({"label": "STAT3"}, "not among the symbols .* Close to it: 'STAT1' = 'P4'"),
    ],
)
def test_unknown_names_get_a_suggestion(data, query, match):
    with pytest.raises(ValueError, match=match):
        node_index(data, **query)


def test_a_symbol_of_several_nodes_is_ambiguous(data):
    data.node_label = ["RELA", "TNF", "X", "X", "IFNG"]
    assert node_index(data, label="IFNG") == 4
    with pytest.raises(ValueError, match=r"'X' belongs to several nodes: 'P2', 'P4'"):
        node_index(data, label="X")
    with pytest.raises(ValueError, match="'X' is the symbol of 'P2' or 'P4'"):
        node_index(data, "X")


def test_a_query_is_one_kind_of_text(data):
    with pytest.raises(TypeError, match="either `name`"):
        node_index(data)
    with pytest.raises(TypeError, match="either `name`"):
        node_index(data, "P1", label="TNF")
    with pytest.raises(TypeError, match="named by a text, not 3"):
        node_index(data, [3])


# add_conditions


def test_tables_become_node_first_tensors(data, ligands, tfs):
    out = add_conditions(data, ligands, tfs)
    nan = float("nan")
    x = [[0, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0.5]]
    y = [[0.4, nan, 0.6], [nan] * 3, [nan] * 3, [0.1, 0.2, 0.3], [nan] * 3]
    torch.testing.assert_close(out.x, torch.tensor(x, dtype=torch.float64), rtol=0, atol=0)
    expected = torch.tensor(y, dtype=torch.float64)
    torch.testing.assert_close(out.y, expected, rtol=0, atol=0, equal_nan=True)
    assert out.conditions == {"ctrl": 0, "TNF": 1, "both": 2}
    assert out.unmodeled_tfs == {}
    assert out.validate()


def test_order_of_tf_conditions_does_not_matter(data, ligands, tfs):
    out = add_conditions(data, ligands, tfs.iloc[[2, 0, 1]])
    torch.testing.assert_close(out.y, add_conditions(data, ligands, tfs).y, equal_nan=True)


def test_input_graph_is_not_changed(data, ligands, tfs):
    before = copy.deepcopy(data)
    out = add_conditions(data, ligands, tfs)
    out.edge_sign[0] = -1
    out.ligand_mask[:] = False
    out.node_name[0] = "other"
    assert sorted(data.keys()) == sorted(before.keys())
    assert data.edge_sign.equal(before.edge_sign)
    assert data.ligand_mask.equal(before.ligand_mask)
    assert data.node_name == before.node_name


def test_later_conditions_replace_earlier_ones(data, ligands, tfs):
    out = add_conditions(add_conditions(data, ligands, tfs), ligands.iloc[:1])
    assert out.x.shape == (5, 1)
    assert "y" not in out
    assert "unmodeled_tfs" not in out


def test_ligands_without_a_column_are_absent_and_reported(data, ligands, caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    out = add_conditions(data, ligands[["P0"]])
    assert (out.x[1] == 0).all()
    assert "concentration 0 for the ligands: P1" in caplog.text


def test_tfs_without_a_column_are_not_measured_and_reported(data, ligands, tfs, caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    out = add_conditions(data, ligands, tfs[["P3"]])
    assert out.y[3].isnan().all()
    assert "no measurement of the TFs: P4" in caplog.text


def test_tfs_outside_the_network_are_named_and_kept_on_the_graph(data, ligands, tfs):
    wider = tfs.assign(Q9=0.5, Q8=0.5)[["Q9", "P3", "Q8", "P4"]]
    with pytest.warns(UserWarning, match=r"not modeled: 'Q9', 'Q8' \(2\) of the 4 measured TFs"):
        out = add_conditions(data, ligands, wider)
    assert out.unmodeled_tfs == {"Q9": 0, "Q8": 2}
    torch.testing.assert_close(out.y, add_conditions(data, ligands, tfs).y, equal_nan=True)


def test_activities_that_are_no_fractions_are_suspicious(data, ligands, tfs):
    tfs.loc["TNF", "P4"] = -3.25
    with pytest.warns(UserWarning, match=r"1 of 6 .* -3.25 for 'P4' in the condition 'TNF'.*logis"):
        add_conditions(data, ligands, tfs)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.rename(columns={"P0": "P7"}), "table of ligands .* names no node. 'P7' is"),
        (lambda t: t.rename(columns={"P0": "IFNG"}), "'IFNG' is the symbol of 'P0'"),
        (lambda t: t.rename(columns={"P0": "P2"}), "'P2', which is a node .* but not a ligand"),
        (lambda t: t.replace(0.5, np.nan), r"\(NaN\) for the ligand 'P0' in the condition 'both'"),
        (lambda t: t.replace(0.5, np.inf), "inf for the condition 'both' in the column 'P0'"),
        (lambda t: t.replace(0.5, -1), r"negative .* ligand 'P0' in the condition 'both'"),
        (lambda t: t.rename(index={"both": "TNF"}), "the condition 'TNF' more than once"),
        (lambda t: t.rename(columns={"P0": "P1"}), "the column 'P1' more than once"),
        (lambda t: t.astype(str), "values of type .* Expected numbers"),
        (lambda t: t.iloc[:0], "table of ligands is empty"),
        (lambda t: t.drop("ctrl"), r"differ in conditions: only the table of TFs has 'ctrl' \(1\)"),
        (lambda t: t.rename(index={"ctrl": "PBS"}), "ligands has 'PBS' .* TFs has 'ctrl'"),
    ],
)
def test_illegal_ligands_are_described(data, ligands, tfs, change, match):
    with pytest.raises(ValueError, match=match):
        add_conditions(data, change(ligands), tfs)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.rename(columns={"P4": "STAT1"}), "table of TFs .*symbol of 'P4'"),
        (lambda t: t.rename(columns={"P4": "P2"}), "'P2', which is a node .* but not a TF"),
        (lambda t: t.replace(0.6, np.inf), "table of TFs has inf for the condition 'both'"),
        (lambda t: t.rename(columns=lambda name: "Q" + name), "None of the 2 columns .* is a TF"),
        (lambda t: t.rename(index={"both": "TNF"}), "table of TFs has the condition 'TNF' more"),
        (lambda t: t.astype(str), "table of TFs has values of type"),
    ],
)
def test_illegal_tfs_are_described(data, ligands, tfs, change, match):
    with pytest.raises(ValueError, match=match):
        add_conditions(data, ligands, change(tfs))


def test_conditions_have_to_be_tables(data, ligands, tfs):
    with pytest.raises(TypeError, match="table of ligands is to be a pandas DataFrame"):
        add_conditions(data, ligands.to_numpy())
    with pytest.raises(TypeError, match="table of TFs is to be a pandas DataFrame"):
        add_conditions(data, ligands, tfs.to_dict())


# what PyG does to it


def square(num_nodes=4):
    """A ring: E = N, and as many conditions."""
    names = [f"P{i}" for i in range(num_nodes)]
    ring = [(a, b, 1, 0) for a, b in zip(names, names[1:] + names[:1], strict=True)]
    nodes = [(n, n.lower(), n == "P3", n == "P0") for n in names]
    network = from_interactions(make_interactions(ring), make_annotation(nodes))
    index = [f"c{i}" for i in range(num_nodes)]
    tfs = pd.DataFrame(
        np.linspace(0, 1, num_nodes * (num_nodes + 1)).reshape(num_nodes, -1),
        index,
        ["P3", *(f"Q{i}" for i in range(num_nodes))],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return add_conditions(network, pd.DataFrame({"P0": np.arange(4.0)}, index), tfs)


def assert_same(found, expected):
    assert sorted(found.keys()) == sorted(expected.keys())
    for key, value in expected:
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(found[key], value, equal_nan=True, rtol=0, atol=0)
        else:
            assert found[key] == value


@pytest.mark.parametrize("by_mask", [True, False])
def test_subgraph_keeps_all_aligned_when_nodes_edges_and_conditions_are_equally_many(by_mask):
    network = square()
    keep = torch.tensor([True, False, True, True])
    pruned = network.subgraph(keep if by_mask else keep.nonzero().flatten())
    assert pruned.node_name == ["P0", "P2", "P3"]
    assert pruned.node_label == ["p0", "p2", "p3"]
    assert pruned.edge_index.tolist() == [[1, 2], [2, 0]]
    assert pruned.edge_id.tolist() == [2, 3]
    assert pruned.edge_sign.tolist() == [1, 1]
    assert pruned.ligand_mask.tolist() == [True, False, False]
    assert pruned.receptor_mask.tolist() == [False, False, False]
    assert pruned.tf_mask.tolist() == [False, False, True]
    assert pruned.num_nodes == 3
    assert pruned.x.equal(network.x[keep])
    torch.testing.assert_close(pruned.y, network.y[keep], equal_nan=True)
    assert pruned.conditions == {"c0": 0, "c1": 1, "c2": 2, "c3": 3}
    assert pruned.unmodeled_tfs == {"Q0": 1, "Q1": 2, "Q2": 3, "Q3": 4}
    assert pruned.validate()
    assert pruned.subgraph(torch.tensor([False, True, True])).node_name == ["P2", "P3"]


def test_graph_survives_saving(tmp_path):
    network = square()
    torch.save(network, tmp_path / "data.pt")
    assert_same(torch.load(tmp_path / "data.pt", weights_only=False), network)


@pytest.mark.parametrize("num_graphs", [1, 2])
def test_graph_survives_a_dataset(tmp_path, num_graphs):
    network = square()
    InMemoryDataset.save([network] * num_graphs, str(tmp_path / "data.pt"))
    dataset = InMemoryDataset()
    dataset.load(str(tmp_path / "data.pt"))
    assert len(dataset) == num_graphs
    assert_same(dataset[0], network)


def test_graphs_are_batched(data):
    batch = Batch.from_data_list([data, data])
    assert batch.num_nodes == 10
    assert batch.edge_index[:, 6:].equal(data.edge_index + 5)
    assert batch[1].node_name == data.node_name


def test_no_name_is_sliced_or_shifted_by_pyg(data, ligands, tfs):
    for key in add_conditions(data, ligands, tfs).keys():
        assert key == "edge_index" or not ("index" in key or "batch" in key)


# the published networks


@pytest.mark.parametrize(
    ("name", "sizes", "shape", "num_unmodeled"),
    [
        ("ligandScreen", (1262, 6594, 60, 74), (1262, 103), 0),
        ("macrophage", (1128, 5732, 12, 58), (1128, 23), 30),
    ],
)
@pytest.mark.filterwarnings("ignore:Not in the network")
def test_published_networks_have_their_published_sizes(
    shared_data, name, sizes, shape, num_unmodeled
):
    start = str(shared_data / "lembas" / "networks" / name)
    table = read_interactions(f"{start}-Model.tsv")
    network = from_interactions(table, read_annotation(f"{start}-Annotation.tsv"))
    tfs = read_conditions(f"{start}-TFs.tsv")
    out = add_conditions(network, read_conditions(f"{start}-Ligands.tsv"), tfs)
    counts = (out.num_nodes, out.num_edges, int(out.ligand_mask.sum()), int(out.tf_mask.sum()))
    assert counts == sizes
    assert out.x.shape == out.y.shape == shape
    assert len(out.unmodeled_tfs) == num_unmodeled
    assert not out.y[out.tf_mask].isnan().any()
    node, condition = int(out.tf_mask.nonzero()[3]), list(out.conditions)[7]
    assert out.y[node, 7].item() == tfs.loc[condition, out.node_name[node]]
    pd.testing.assert_frame_equal(to_interactions(out, table), table)


def test_raw_rows_give_the_same_graph_as_merged_ones(shared_data):
    start = str(shared_data / "lembas" / "networks" / "ligandScreen")
    annotation = read_annotation(f"{start}-Annotation.tsv")
    flags = ["direction", "stimulation", "inhibition"]
    raw = read_tsv(f"{start}-Model.tsv").astype(dict.fromkeys(flags, int))
    assert len(raw) == 6597
    merged = from_interactions(read_interactions(f"{start}-Model.tsv"), annotation)
    assert_same(from_interactions(raw, annotation), merged)


def test_graph_agrees_with_the_golden_network(shared_data, shared_golden):
    with np.load(shared_golden / "macrophage.npz") as file:
        golden = dict(file)
    start = str(shared_data / "lembas" / "networks" / "macrophage")
    annotation = read_annotation(f"{start}-Annotation.tsv")
    network = from_interactions(read_interactions(f"{start}-Model.tsv"), annotation)
    name = np.array(network.node_name)
    source, target = network.edge_index.numpy()
    found = set(zip(name[source], name[target], network.edge_sign.tolist(), strict=True))
    names = golden["node_names"].astype(str)
    expected = set(
        zip(
            names[golden["edge_source"]],
            names[golden["edge_target"]],
            golden["edge_sign"].tolist(),
            strict=True,
        )
    )
    assert found == expected
    assert sorted(network.node_name) == names.tolist()
    assert isinstance(network, Data)


def test_selected_conditions_come_in_the_order_given(data, ligands, tfs):
    data = add_conditions(data, ligands, tfs)
    selected = select_conditions(data, ["both", "ctrl"])
    assert selected.conditions == {"both": 0, "ctrl": 1}
    assert torch.equal(selected.x, data.x[:, [2, 0]])
    assert torch.equal(selected.y.nan_to_num(9), data.y[:, [2, 0]].nan_to_num(9))
    assert list(data.conditions) == ["ctrl", "TNF", "both"]


@pytest.mark.parametrize(
    ("names", "text"),
    [(["ctrl", "LPS"], "Unknown conditions: 'LPS'"), (["ctrl", "ctrl"], "more than once: 'ctrl'")],
)
def test_conditions_that_cannot_be_selected_are_named(data, ligands, names, text):
    with pytest.raises(ValueError, match=text):
        select_conditions(add_conditions(data, ligands), names)


def test_a_network_without_conditions_has_none_to_select(data):
    with pytest.raises(ValueError, match="no conditions"):
        select_conditions(data, ["ctrl"])
