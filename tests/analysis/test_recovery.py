"""A model is compared with the known one it learnt from."""

import numpy as np
import pytest
import torch

from lembas_pyg.analysis import compare_knock_outs, compare_models, knock_out
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import Ensemble


@pytest.fixture(scope="module")
def reference():
    return reference_model()


@pytest.fixture(scope="module")
def data(reference):
    return measure(reference, ToyNetwork()[0], grid_stimuli(["L1", "L2"], 4))


@pytest.fixture(scope="module")
def other(reference):
    model = reference_model()
    with torch.no_grad():
        source = torch.Generator().manual_seed(0)
        for parameter in (model.conv.edge_weight, model.conv.bias):
            parameter.add_(0.03 * torch.randn(parameter.shape, generator=source))
    return model


def test_a_model_compared_with_itself_agrees_in_all(other, data):
    scores, states = compare_models(other, other, data)
    assert scores.drop("mse").tolist() == pytest.approx([1.0] * 5)
    assert scores["mse"] == 0
    assert states.tolist() == pytest.approx([1.0] * len(states))


def test_scores_are_those_of_numpy(other, reference, data):
    scores, states = compare_models(other, reference, data)
    y, y_true = (predict(m, data).y.numpy() for m in (other, reference))
    assert scores["r"] == pytest.approx(np.corrcoef(y.ravel(), y_true.ravel())[0, 1], abs=1e-6)
    assert scores["mse"] == pytest.approx(((y - y_true) ** 2).mean(), rel=1e-5)
    weights = [m.conv.edge_weight.detach().double().numpy() for m in (other, reference)]
    assert scores["r_weights"] == pytest.approx(np.corrcoef(*weights)[0, 1])
    inside = ~(data.ligand_mask | data.tf_mask)
    hidden = [data.node_name[i] for i in inside.nonzero().view(-1).tolist()]
    assert scores["median_r_states"] == pytest.approx(states.reindex(hidden).dropna().median())
    assert set(states.index) <= set(reference.node_name)


def test_knock_outs_stand_beside_those_of_the_reference(other, reference, data):
    nodes = reference.node_name[2:4]
    scores, table = compare_knock_outs(other, reference, data, nodes, strength=-2.0)
    assert set(table["node"]) == set(nodes)
    truth = knock_out(reference, data, nodes, strength=-2.0)
    assert table["reference"].tolist() == truth["delta"].tolist()
    expected = np.corrcoef(table["reference"], table["delta"])[0, 1]
    assert scores["r"] == pytest.approx(expected)
    large = table["reference"].abs() > 0.01
    equal = np.sign(table["reference"]) == np.sign(table["delta"])
    assert scores["sign"] == pytest.approx(equal[large].mean())
    assert scores["large"] == pytest.approx(large.mean())
    assert scores["unsteady"] == 0


def test_every_internal_node_is_knocked_out_unless_said(reference, data):
    _, table = compare_knock_outs(Ensemble([reference]), reference, data)
    inside = ~(data.ligand_mask | data.tf_mask)
    assert set(table["node"]) == {data.node_name[i] for i in inside.nonzero().view(-1).tolist()}


def test_another_network_is_refused(other, reference, data):
    changed = data.clone()
    changed.edge_sign = -changed.edge_sign
    with pytest.raises(ValueError, match="other networks"):
        compare_models(other, reference, changed)


def test_a_node_that_the_model_holds_still_has_no_correlation(reference, data):
    model = reference_model()
    hidden = next(
        i
        for i in (~(data.ligand_mask | data.tf_mask)).nonzero().view(-1).tolist()
        if not (data.edge_index[1] == i).sum() == 0
    )
    with torch.no_grad():
        model.conv.edge_weight[data.edge_index[1] == hidden] = 0.0
        model.conv.bias[hidden] = 0.2
    _, states = compare_models(model, reference, data)
    assert states[data.node_name[hidden]] == 0.0
