import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import KEGGSynthetic, LigandScreen, LiteratureMacrophage, ToyNetwork
from lembas_pyg.datasets.published import MIRROR


@pytest.fixture
def mirror(shared_data, monkeypatch):
    monkeypatch.setenv(MIRROR, str(shared_data / "lembas" / "networks"))


def test_toy_network_is_that_of_the_paper():
    dataset = ToyNetwork()
    assert len(dataset) == 1
    data = dataset[0]
    named = [f"{data.node_name[s]}>{data.node_name[t]}" for s, t in data.edge_index.T.tolist()]
    assert named == "L1>R1 L2>R2 R1>S1 R2>S2 S1>S2 S1>R1 R2>S1 S2>T1".split()
    assert data.edge_sign.tolist() == [1, 1, 1, 1, -1, 1, -1, 1]
    assert data.node_name == "L1 L2 R1 R2 S1 S2 T1".split()
    assert data.ligand_mask.nonzero().flatten().tolist() == [0, 1]
    assert data.receptor_mask.nonzero().flatten().tolist() == [2, 3]
    assert data.tf_mask.nonzero().flatten().tolist() == [6]
    assert "x" not in data


def test_toy_parameters_belong_to_the_toy_network():
    table = ToyNetwork.parameters()
    value = table.groupby("Type")["Value"].apply(list).to_dict()
    assert value == {
        "Weight": [1, 1, 1, 1, -1, 1.4, -0.9, 2],
        "Bias": [0] * 7,
        "Input": [1, 1],
        "Projection": [1.3],
    }
    data = ToyNetwork()[0]
    weight = table[table["Type"] == "Weight"]
    name = pd.Series(data.node_name)
    assert weight["Source"].tolist() == name[data.edge_index[0].tolist()].tolist()
    assert weight["Target"].tolist() == name[data.edge_index[1].tolist()].tolist()


def test_toy_parameters_are_the_published_ones(shared_data):
    path = shared_data / "lembas" / "networks" / "ToyNetRecurrent-Parameters.txt"
    keys = ["Type", "Source", "Target"]
    published = pd.read_csv(path, sep="\t", keep_default_na=False).set_index(keys)["Value"]
    ours = ToyNetwork.parameters().set_index(keys)["Value"]
    assert ours.sort_index().to_dict() == published.sort_index().to_dict()


def test_transforms_are_applied_to_the_toy_network():
    def keep_named(data):
        return data.subgraph(torch.arange(6))

    assert ToyNetwork(transform=keep_named)[0].num_nodes == 6
    assert ToyNetwork(pre_transform=keep_named)[0].num_nodes == 6


def test_ligand_screen_has_its_published_sizes(mirror, tmp_path):
    dataset = LigandScreen(str(tmp_path))
    data = dataset[0]
    assert (data.num_nodes, data.num_edges) == (1262, 6594)
    assert data.x.shape == data.y.shape == (1262, 103)
    folds = dataset.folds()
    assert folds["Index"].nunique() == 28
    assert folds["Condition"].is_unique
    assert set(folds["Condition"]) <= set(data.conditions)


def test_literature_macrophage_warns_of_the_tfs_it_does_not_model(mirror, tmp_path):
    with pytest.warns(UserWarning, match=r"30 in all\) of the 88 measured TFs"):
        dataset = LiteratureMacrophage(str(tmp_path))
    data = dataset[0]
    assert (data.num_nodes, data.num_edges) == (1128, 5732)
    assert len(data.conditions) == 23
    assert len(data.unmodeled_tfs) == 30
    assert len(dataset.folds()) == 20


def test_kegg_synthetic_has_parameters_for_every_edge_and_node(mirror, tmp_path):
    dataset = KEGGSynthetic(str(tmp_path))
    data, table = dataset[0], dataset.parameters()
    assert (data.num_nodes, data.num_edges) == (409, 832)
    assert "x" not in data
    assert (table["Type"] == "Weight").sum() == 832
    assert set(table.loc[table["Type"] == "Bias", "Source"]) == set(data.node_name)


def test_processed_graph_is_loaded_again_and_curation_is_kept(mirror, tmp_path):
    def drop_last_node(data):
        return data.subgraph(torch.arange(data.num_nodes - 1))

    first = KEGGSynthetic(str(tmp_path), pre_transform=drop_last_node)[0]
    again = KEGGSynthetic(str(tmp_path), pre_transform=drop_last_node)[0]
    assert first.num_nodes == again.num_nodes == 408
    assert first.node_name == again.node_name
    assert first.edge_index.equal(again.edge_index)


def test_edited_raw_file_is_refused(mirror, tmp_path):
    KEGGSynthetic(str(tmp_path))
    path = tmp_path / "raw" / "KEGGnet-Model.tsv"
    path.write_bytes(path.read_bytes() + b"P1\tP2\t1\t1\t0\t\t\n")
    with pytest.raises(ValueError, match="is not the published file"):
        KEGGSynthetic(str(tmp_path), force_reload=True)


@pytest.mark.online
def test_published_files_can_be_downloaded(monkeypatch, tmp_path):
    monkeypatch.delenv(MIRROR, raising=False)
    assert KEGGSynthetic(str(tmp_path))[0].num_edges == 832
