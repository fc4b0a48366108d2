import pytest

from lembas_pyg.network import curation_report, from_interactions
from lembas_pyg.transforms import RemoveDeadEnds, RemoveRedundantNodes


def test_a_node_that_gives_back_to_its_only_source_is_removed(draw, edges_of):
    data = draw("L+A A+B B-A A+T A+C C+T")
    assert edges_of(RemoveRedundantNodes()(data)) == "L+A A+T A+C C+T"


def test_removal_goes_on_until_no_node_is_redundant(draw, edges_of):
    pruned = RemoveRedundantNodes()(draw("L+A A+B B+A B+C C+B C+D D+C A+T"))
    assert edges_of(pruned) == "L+A A+T"
    report = curation_report(pruned)
    nodes = report[report["item"] == "node"].set_index("source")["detail"]
    assert nodes["D"] == "its single source is its single target"
    assert nodes["B"] == nodes["C"] == f"{nodes['D']}, once other redundant nodes are gone"
    assert (report["item"] == "interaction").sum() == 6


def test_ligands_and_tfs_stay(draw, edges_of):
    text = "A+L L+A A+T T+A"
    assert edges_of(RemoveRedundantNodes()(draw(text))) == text


def test_a_node_with_a_loop_or_another_target_stays(draw, edges_of):
    text = "L+A A+B B+A B+B A+C C+A C+T A+T"
    assert edges_of(RemoveRedundantNodes()(draw(text))) == text


@pytest.mark.parametrize(
    ("name", "number"), [("ligandScreen", 93), ("macrophage", 0), ("KEGGnet", 0)]
)
def test_published_networks_hold_as_many_redundant_nodes_as_known(published, name, number):
    data = from_interactions(*published(name))
    pruned = RemoveRedundantNodes()(data)
    report = curation_report(pruned)
    reasons = report[report["item"] == "node"]["detail"]
    assert data.num_nodes - pruned.num_nodes == len(reasons) == number
    assert reasons.str.endswith("gone").sum() == (3 if number else 0)
    assert pruned.ligand_mask.sum() == data.ligand_mask.sum()
    assert pruned.tf_mask.sum() == data.tf_mask.sum()
    assert RemoveDeadEnds()(pruned).num_nodes == pruned.num_nodes
