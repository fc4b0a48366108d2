import pandas as pd
import pytest
import torch

from lembas_pyg.network import curation_report, from_interactions, to_annotation, to_interactions
from lembas_pyg.transforms import RemoveLigandFeedback


def test_no_interaction_acts_on_a_ligand(draw, edges_of):
    data = draw("L+A A-L A+T L+M M+A", ligands="LM")
    pruned = RemoveLigandFeedback()(data)
    assert edges_of(pruned) == "L+A A+T M+A"
    assert pruned.node_name == data.node_name
    assert pruned.edge_id.tolist() == [0, 2, 4]
    report = curation_report(pruned)
    assert report[["rule", "action", "item", "source", "target"]].to_numpy().tolist() == [
        ["RemoveLigandFeedback", "removed", "interaction", "A", "L"],
        ["RemoveLigandFeedback", "removed", "interaction", "L", "M"],
    ]


def test_a_ligand_is_no_receptor_any_more(draw):
    data = draw("L+M M+T L+T", ligands="LM")
    assert data.receptor_mask.tolist() == [False, True, True]
    pruned = RemoveLigandFeedback()(data)
    again = from_interactions(to_interactions(pruned), to_annotation(pruned))
    assert pruned.receptor_mask.tolist() == again.receptor_mask.tolist() == [False, False, True]


def test_names_and_edge_attributes_are_told_apart_where_there_are_as_many(draw):
    data = draw("L+A A+L A+T", ligands="L")
    assert data.num_nodes == data.num_edges == 3
    data.x = torch.ones(3, 2)
    pruned = RemoveLigandFeedback()(data)
    assert pruned.node_name == ["L", "A", "T"]
    assert pruned.x.shape == (3, 2)
    assert pruned.edge_sign.shape == (2,)


@pytest.mark.parametrize(
    ("name", "number"), [("ligandScreen", 0), ("macrophage", 0), ("KEGGnet", 5)]
)
def test_only_the_kegg_network_keeps_feedback_on_ligands(published, name, number):
    interactions, annotation = published(name)
    data = from_interactions(interactions, annotation)
    pruned = RemoveLigandFeedback()(data)
    assert data.num_edges - pruned.num_edges == number == len(curation_report(pruned))
    ligands = annotation["code"][annotation["ligand"]]
    expected = interactions[~interactions["target"].isin(ligands)].reset_index(drop=True)
    pd.testing.assert_frame_equal(to_interactions(pruned, interactions), expected)
