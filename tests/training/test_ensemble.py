"""An ensemble where a model is expected: predicted, perturbed, explained."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from lembas_pyg.analysis import Response, knock_in, knock_out
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions, to_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict
from lembas_pyg.training import Ensemble


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture
def models(data):
    found = []
    for seed in range(4):
        model = LEMBAS(data, generator=torch.Generator().manual_seed(seed), tol=1e-12).double()
        found.append(model.requires_grad_(False))
    found[0].output.weight.fill_(4.0)  # predicts more than 1
    return found


@pytest.fixture
def restless(data):
    """A model that has no steady state under any condition."""
    model = LEMBAS(data, act=LeakyReLU()).double().requires_grad_(False)
    model.conv.edge_weight.fill_(3.0)
    model.conv.bias.fill_(1.0)
    return model


def test_it_is_predicted_exactly_with_the_spread_of_its_members(models, data):
    names = ["c", "a"]
    found = predict(Ensemble(models).float(), data, iter(names))
    exact = [model.float().double() for model in models]
    each = np.stack([predict(model, data, names).y.clamp(0, 1) for model in exact])
    np.testing.assert_allclose(found.y, each.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.spread, each.std(axis=0, ddof=1), atol=1e-12)
    assert each.max() == 1
    assert found.y.dtype == torch.float64
    assert found.converged.shape == (4, 2)
    every = predict(Ensemble(models), data)
    assert to_conditions(data, every.spread, data.tf_mask).shape == (3, 1)


def test_a_perturbation_reaches_every_member(models, data):
    perturbation = torch.zeros_like(data.x)
    perturbation[data.node_name.index("S1")] = -5.0
    found = predict(Ensemble(models), data, perturbation=perturbation)
    each = [predict(model, data, perturbation=perturbation).y.clamp(0, 1) for model in models]
    torch.testing.assert_close(found.y, torch.stack(each).mean(dim=0))


@pytest.mark.parametrize("function", [knock_out, knock_in])
def test_effects_are_medians_over_members_with_their_spread(models, data, function):
    found = function(Ensemble(models), data, iter(["S1", "R2"]), iter(["b", "a"]))
    tables = [function(model, data, ["S1", "R2"], ["b", "a"]) for model in models]
    keys = ["condition", "node", "tf"]
    together = ["spread", "members", "agree"]
    assert found.columns.tolist() == [*keys, "control", "perturbed", "delta", *together]
    pd.testing.assert_frame_equal(found[keys], tables[0][keys])
    for name in ("control", "perturbed", "delta"):
        each = np.stack([table[name] for table in tables])
        np.testing.assert_allclose(found[name], np.median(each, axis=0))
    np.testing.assert_allclose(found["spread"], each.std(axis=0, ddof=1))
    assert (found["members"] == len(models)).all()
    same_sign = np.sign(each) == np.sign(np.median(each, axis=0))
    assert found["agree"].tolist() == same_sign.sum(axis=0).tolist()


@pytest.mark.filterwarnings("ignore:.*did not reach a steady state")
def test_members_without_steady_state_do_not_count(models, restless, data):
    together = Ensemble([*models[1:], restless])
    found, rest = predict(together, data, max_steps=200), predict(Ensemble(models[1:]), data)
    assert not found.converged[-1].any()
    torch.testing.assert_close(found.y, rest.y)
    torch.testing.assert_close(found.spread, rest.spread)
    pd.testing.assert_frame_equal(
        knock_out(together, data, "L1", max_steps=200), knock_out(Ensemble(models[1:]), data, "L1")
    )
    alone = knock_out(Ensemble([models[1], restless]), data, "L1", max_steps=200)
    assert alone["delta"].notna().all()
    assert alone["spread"].isna().all()


def test_a_mask_of_edges_is_a_mask_of_every_member(models, data):
    response = Response(Ensemble(models))
    x, edges = data.x.double(), models[0].edge_index
    mask = torch.ones(edges.size(1), dtype=torch.double, requires_grad=True)
    set_masks(response, mask, edges, apply_sigmoid=False)
    y = response(x, edges)
    torch.testing.assert_close(y, Ensemble(models)(x).y)
    slope = torch.autograd.grad(y.sum(), mask)[0]
    for edge in range(edges.size(1)):  # finite differences of the weights of all members
        change = []
        for step in (1e-4, -1e-4):
            weights = [model.conv.edge_weight.clone() for model in models]
            clear_masks(response)
            for model in models:
                model.conv.edge_weight[edge] *= 1 + step
            change.append(float(Ensemble(models)(x).y.sum()))
            for model, weight in zip(models, weights, strict=True):
                model.conv.edge_weight.copy_(weight)
        assert slope[edge].item() == pytest.approx((change[0] - change[1]) / 2e-4, abs=1e-6)


def test_the_explainer_of_pyg_explains_an_ensemble(models, data):
    torch.manual_seed(0)
    ensemble = Ensemble(models)
    explainer = Explainer(
        Response(ensemble),
        algorithm=GNNExplainer(epochs=20, lr=0.1, edge_size=0.0, edge_ent=0.0),
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
    )
    x = data.x[:, [0]].double()
    explanation = explainer(x, models[0].edge_index, index=0)
    torch.testing.assert_close(explanation.prediction, ensemble(x).y)
    assert explanation.edge_mask.shape == (8,)
    assert 0 < explanation.edge_mask.min() <= explanation.edge_mask.max() < 1


def test_other_edges_than_those_of_the_model_are_refused(models, data):
    x, edges = data.x.double(), models[0].edge_index
    for response in (Response(Ensemble(models)), Response(models[0])):
        with pytest.raises(ValueError, match="7 edges that are not the 8 of the model"):
            response(x, edges[:, 1:])
        with pytest.raises(ValueError, match="in their order"):
            response(x, edges.flip(1))
