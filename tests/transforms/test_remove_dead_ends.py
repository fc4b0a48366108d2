import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.transforms import Compose

from lembas_pyg.io import merge_interactions
from lembas_pyg.network import curation_report, from_interactions, to_annotation, to_interactions
from lembas_pyg.transforms import RemoveDeadEnds

NETWORKS = ["KEGGnet", "ligandScreen", "macrophage"]


def test_only_walks_from_a_ligand_to_a_tf_are_kept(draw, edges_of):
    data = draw("L+A A-T A+D B+A E?F F+E T+G")
    pruned = RemoveDeadEnds()(data)
    assert edges_of(pruned) == "L+A A-T"
    assert pruned.node_name == ["L", "A", "T"]
    assert pruned.node_label == ["l", "a", "t"]
    assert pruned.edge_id.tolist() == [0, 1]
    assert pruned.num_nodes == 3
    assert data.num_nodes == 8


def test_loops_behind_a_tf_and_before_a_ligand_stay(draw, edges_of):
    text = "L+A A+T T+A A+L A-A"
    assert edges_of(RemoveDeadEnds()(draw(text))) == text


def test_a_ligand_that_is_a_tf_is_a_walk(draw, edges_of):
    assert RemoveDeadEnds()(draw("L+A L+T", tfs="LT")).node_name == ["L", "T"]


def test_the_report_says_why_a_node_and_which_interactions_are_gone(draw):
    report = curation_report(RemoveDeadEnds()(draw("L+A A-T A+D B+A E?F")))
    assert set(report["rule"] + " " + report["action"]) == {"RemoveDeadEnds removed"}
    nodes, interactions = (report[report["item"] == item] for item in ("node", "interaction"))
    assert dict(zip(nodes["source"], nodes["detail"], strict=True)) == {
        "D": "no path to any TF",
        "B": "no path from any ligand",
        "E": "no path from any ligand, nor to any TF",
        "F": "no path from any ligand, nor to any TF",
    }
    assert interactions[["source", "target", "detail"]].to_numpy().tolist() == [
        ["A", "D", "D is removed"],
        ["B", "A", "B is removed"],
        ["E", "F", "E is removed"],
    ]


def test_conditions_and_all_else_are_cut_along(draw):
    data = draw("L+A A+T A+D B+A E+F")  # N = 7, E = 5
    data.x = torch.arange(14.0).reshape(7, 2)
    data.y = -data.x
    data.conditions = {"one": 0, "two": 1}
    data.edge_weight = torch.arange(5.0)
    data.edge_note = list("vwxyz")
    data.train_mask = torch.tensor([True, False, True, False, True, False, True])
    pruned = RemoveDeadEnds()(data)
    assert torch.equal(pruned.x, data.x[:3])
    assert torch.equal(pruned.y, data.y[:3])
    assert pruned.conditions == data.conditions
    assert pruned.edge_weight.tolist() == [0, 1]
    assert pruned.edge_note == ["v", "w"]
    assert pruned.train_mask.tolist() == [True, False, True]


def test_names_are_not_taken_for_edges_where_there_are_as_many(draw):
    data = draw("D+A L+A A+T T+A")
    assert data.num_nodes == data.num_edges == 4
    data.edge_note = list("wxyz")
    pruned = RemoveDeadEnds()(data)
    assert pruned.node_name == ["A", "L", "T"]
    assert pruned.edge_note == ["x", "y", "z"]
    assert pruned.edge_index.tolist() == [[1, 0, 2], [0, 2, 0]]


def test_transforms_compose_and_their_reports_add_up(draw):
    data = draw("L+A A+T A+D")
    twice = Compose([RemoveDeadEnds(), RemoveDeadEnds()])(data)
    pd.testing.assert_frame_equal(curation_report(twice), curation_report(RemoveDeadEnds()(data)))
    assert curation_report(data).empty


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("A+T", "No ligand reaches .* 0 ligands and 1 TFs among 2 nodes"),
        ("L+A", "1 ligands and 0 TFs"),
        ("T+L", "No ligand reaches a transcription factor"),
    ],
)
@pytest.mark.filterwarnings("ignore:The network has no")
def test_a_network_without_any_walk_is_an_error(draw, text, match):
    with pytest.raises(ValueError, match=match):
        RemoveDeadEnds()(draw(text))


def with_decoys(interactions, annotation, seed):
    """Plant dead-end chains, islands, sources of nothing and repeated rows; shuffle."""
    rng = np.random.default_rng(seed)
    code = annotation["code"].to_numpy()
    decoys = np.array([f"X{i}" for i in range(300)], dtype=object)
    out, into, island = decoys.reshape(3, 100)
    start = rng.choice(code, 10)
    pairs = [
        *zip(start, out[:10], strict=True),  # chains that lead nowhere
        *zip(out[:-10], out[10:], strict=True),
        *zip(into[:-10], into[10:], strict=True),  # chains from nowhere
        *zip(into[-10:], rng.choice(code, 10), strict=True),
        *zip(island, np.roll(island, 7), strict=True),  # rings apart from the network
        *zip(rng.choice(out, 50), rng.choice(island, 50), strict=True),
        *zip(rng.choice(into, 50), rng.choice(out, 50), strict=True),
    ]
    fake = pd.DataFrame(pairs, columns=["source", "target"])
    fake = fake.assign(direction=1, stimulation=1, inhibition=0, sources="", references="")
    again = interactions.sample(200, random_state=seed)
    table = pd.concat([interactions, fake, again]).sample(frac=1, random_state=seed)
    names = pd.DataFrame({"code": decoys, "name": decoys, "TF": False, "ligand": False})
    nodes = pd.concat([annotation, names]).sample(frac=1, random_state=seed)
    return table.reset_index(drop=True), nodes.reset_index(drop=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_have_no_dead_end(published, name):
    interactions, annotation = published(name)
    data = from_interactions(interactions, annotation)
    pruned = RemoveDeadEnds()(data)
    pd.testing.assert_frame_equal(to_interactions(pruned, interactions), interactions)
    pd.testing.assert_frame_equal(to_annotation(pruned), to_annotation(data))
    assert curation_report(pruned).empty


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_are_restored_from_among_decoys(published, name, seed):
    interactions, annotation = published(name)
    table, nodes = with_decoys(interactions, annotation, seed)
    pruned = RemoveDeadEnds()(from_interactions(table, nodes))

    restored = to_interactions(pruned, table).sort_values(["source", "target"], ignore_index=True)
    expected = interactions.sort_values(["source", "target"], ignore_index=True)
    flags = ["source", "target", "direction", "stimulation", "inhibition"]
    pd.testing.assert_frame_equal(restored[flags], expected[flags])
    for name in ("sources", "references"):
        known = [set(text.split(";")) for text in expected[name]]
        assert [set(text.split(";")) for text in restored[name]] == known
    roles = to_annotation(pruned).sort_values("code", ignore_index=True)
    published_roles = to_annotation(from_interactions(interactions, annotation))
    pd.testing.assert_frame_equal(roles, published_roles.sort_values("code", ignore_index=True))
    gone = curation_report(pruned).query("item == 'node'")
    assert set(gone["source"]) == {f"X{i}" for i in range(300)}
    assert (
        len(merge_interactions(table)) - len(restored)
        == (curation_report(pruned)["item"] == "interaction").sum()
    )
