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
from lembas_pyg.report.run_folder import thinned
from lembas_pyg.training import Ensemble, weights_by_fit


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


def test_weights_lean_to_who_fits_a_tf_best_in_training(models, data, tmp_path):
    truth = predict(models[1], data).y
    measured = data.clone()
    measured.y = torch.full_like(data.x, torch.nan)
    measured.y[data.tf_mask] = truth + 0.02
    weights = weights_by_fit(models, measured, floor=1e-3)
    errors = [(predict(m, data).y - (truth + 0.02)).square().mean() for m in models]
    torch.testing.assert_close(weights[:, 0], 1 / (torch.stack(errors) + 1e-3))
    assert weights.argmax() == 1
    ensemble = Ensemble(models, weights=weights)
    found, plain = predict(ensemble, data), predict(Ensemble(models), data)
    each = torch.stack([predict(model, data).y.clamp(0, 1) for model in models])
    share = (weights / weights.sum()).unsqueeze(2)
    torch.testing.assert_close(found.y, (share * each).sum(dim=0))
    torch.testing.assert_close(found.spread, plain.spread)
    assert (found.y - truth).abs().max() < (plain.y - truth).abs().max()
    ensemble.save(tmp_path / "kept")
    again = predict(Ensemble.load(tmp_path / "kept", models[0]), data)
    torch.testing.assert_close(again.y, found.y, rtol=0, atol=0)


def test_one_weight_a_member_is_for_all_its_tfs(models, data):
    found = predict(Ensemble(models, weights=torch.tensor([0, 3, 1, 0])), data)
    each = [predict(model, data).y.clamp(0, 1) for model in models]
    torch.testing.assert_close(found.y, 0.75 * each[1] + 0.25 * each[2], rtol=1e-6, atol=1e-7)


def test_weights_leave_out_who_has_no_steady_state(models, restless, data):
    ensemble = Ensemble([models[1], restless], weights=torch.tensor([1.0, 100.0]))
    with pytest.warns(UserWarning, match="steady"):
        found = predict(ensemble, data)
    torch.testing.assert_close(found.y, predict(models[1], data).y.clamp(0, 1))
    alone = Ensemble([models[1], restless], weights=torch.tensor([0.0, 1.0]))
    with pytest.warns(UserWarning, match="steady"):
        assert predict(alone, data).y.isnan().all()


def test_a_condition_without_steady_state_is_an_error_of_one(models, restless, data):
    measured = data.clone()
    measured.y = torch.full_like(data.x, 0.5)
    with pytest.warns(UserWarning, match="steady"):
        weights = weights_by_fit([models[1], restless], measured)
    assert weights[1].item() == pytest.approx(1 / 1.0001)


def test_a_tf_without_measurement_has_equal_weights(models, data):
    measured = data.clone()
    measured.y = torch.full_like(data.x, torch.nan)
    weights = weights_by_fit(models, measured)
    assert (weights == weights[0]).all()


@pytest.mark.parametrize(
    ("weights", "average", "message"),
    [
        ([1.0, 2.0], "mean", r"shape \[2\]; 4 members of 1 TFs need \[4\] or \[4, 1\]"),
        ([1.0, -2.0, 1.0, 1.0], "mean", r"A weight is -2\.0"),
        ([1.0, float("nan"), 1.0, 1.0], "mean", "A weight is nan"),
        ([0.0, 0.0, 0.0, 0.0], "mean", "All weights of a TF are 0"),
        ([1.0, 1.0, 1.0, 1.0], "median", "average is 'median'"),
    ],
)
def test_weights_that_make_no_average_are_refused(models, weights, average, message):
    with pytest.raises(ValueError, match=message):
        Ensemble(models, weights=torch.tensor(weights), average=average)


def test_fit_needs_members_measurements_and_a_floor(models, data):
    with pytest.raises(ValueError, match="no measurements"):
        weights_by_fit(models, data)
    measured = data.clone()
    measured.y = torch.full_like(data.x, 0.5)
    with pytest.raises(ValueError, match="needs a member"):
        weights_by_fit([], measured)
    with pytest.raises(ValueError, match=r"floor is 0\.0"):
        weights_by_fit(models, measured, floor=0.0)


def test_a_thinned_ensemble_keeps_the_weights_of_those_it_keeps(models):
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
    few = thinned(Ensemble(models, weights=weights), 2)
    assert few.weights[:, 0].tolist() == [weights[models.index(m)].item() for m in few.models]
