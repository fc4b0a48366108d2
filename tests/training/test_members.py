"""Members read from the folder of a cross-validation are those that it returned."""

import json
from functools import partial

import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict
from lembas_pyg.surrogate import SURROGATE
from lembas_pyg.training import TrainingConfig, cross_validate, k_fold, load_members

CONFIG = TrainingConfig(epochs=3, batch_size=4, lr=1e-3, reset_every=0)


@pytest.fixture
def data():
    ligands = pd.DataFrame(
        {
            "L1": [0.0, 1.0, 0.0, 1.0, 0.5, 0.2, 0.3, 0.8],
            "L2": [0.0, 0.0, 1.0, 1.0, 0.1, 0.7, 0.4, 0.2],
        },
        index=list("abcdefgh"),
    )
    tfs = pd.DataFrame({"T1": [0.1, 0.2, 0.8, 0.9, 0.3, 0.5, 0.4, 0.2]}, index=ligands.index)
    return add_conditions(ToyNetwork()[0], ligands, tfs)


def train(data, folder, config=CONFIG, model=LEMBAS):
    return cross_validate(
        data, k_fold(data, 2), config, model=model, members=2, folder=folder, baselines=False
    )


@pytest.mark.parametrize("model", [LEMBAS, partial(LEMBAS, act=LeakyReLU(leak=0.05))])
def test_they_predict_as_those_of_the_cross_validation(data, tmp_path, model):
    found = train(data, tmp_path / "members", model=model)
    for folder in (tmp_path, tmp_path / "members"):
        ensemble, network = load_members(folder, data)
        assert network is data
        assert len(ensemble) == 4
        held_out = k_fold(data, 2).groupby("Index")["Condition"].agg(frozenset)
        assert ensemble.held_out == [held_out[0], held_out[0], held_out[1], held_out[1]]
        again = found.ensemble(data, model=model)
        assert sorted(map(sorted, again.held_out)) == sorted(map(sorted, ensemble.held_out))
        together = predict(found.ensemble(data, model=model), data)
        assert torch.equal(predict(ensemble, data).members, together.members)
        assert ensemble.models[0].conv.act == model(data).conv.act


def test_members_that_know_of_surrogate_variable_come_with_their_network(data, tmp_path):
    data.y[data.tf_mask] = torch.tensor([[0.1, 0.9]]).double().repeat(1, 4)
    config = TrainingConfig(**CONFIG.to_dict() | {"surrogate_variable": True})
    train(data, tmp_path, config)
    ensemble, network = load_members(tmp_path, data)
    assert network.node_name == [*data.node_name, SURROGATE]
    again, same = load_members(tmp_path, network)
    assert same is network
    assert torch.equal(predict(again, same).y, predict(ensemble, network).y)
    del data.y
    with pytest.raises(ValueError, match="know of a surrogate variable, which is found"):
        load_members(tmp_path, data)


def test_folders_of_something_else_are_refused(data, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no members of a cross-validation"):
        load_members(tmp_path, data)
    train(data, tmp_path)
    smaller = data.edge_subgraph(torch.arange(7))
    with pytest.raises(ValueError, match=r"of another network: conv.edge_weight has the shape \[8"):
        load_members(tmp_path, smaller)
    record = tmp_path / "members.json"
    text = record.read_text()
    record.write_text(json.dumps(json.loads(text) | {"model": "mine.Model () {'act': cube}"}))
    with pytest.raises(ValueError, match=r"made by mine\.Model .* not one of lembas_pyg"):
        load_members(tmp_path, data)
    record.write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        load_members(tmp_path, data)
    record.write_text(text)
    (tmp_path / "fold-000-member-000.pt").write_text("nothing")
    with pytest.raises(ValueError, match=r"000\.pt is no member of a cross-validation"):
        load_members(tmp_path, data)
