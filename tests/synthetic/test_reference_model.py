"""Parameters found without data: what they are for is measured on fresh stimuli."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import (
    measure,
    parameterise,
    random_model,
    random_stimuli,
    reference_model,
)
from lembas_pyg.synthetic.reference_model import _correlation
from lembas_pyg.training import TrainingConfig


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def toy():
    return ToyNetwork()[0]


@pytest.fixture(scope="module")
def config():
    return replace(TrainingConfig.reference_model(), epochs=200, batch_size=50)


@pytest.fixture(scope="module")
def found(toy, config):
    return parameterise(toy, config, num_active=2, generator=generator())


def spread(model, toy):
    stimuli = random_stimuli(["L1", "L2"], 200, 2, generator=generator(1))
    return measure(model, toy, stimuli).y[toy.tf_mask].std(dim=1).mean()


def test_activities_vary_more_than_with_parameters_at_random(found, toy):
    at_random = LEMBAS(toy, generator=generator(2)).double()
    assert spread(found, toy) > 1.5 * spread(at_random, toy)


def test_no_weight_contradicts_its_mode_of_action(found):
    assert (found.conv.edge_weight * found.edge_sign >= 0).all()


def test_fresh_conditions_have_a_steady_state(found, toy):
    stimuli = random_stimuli(["L1", "L2"], 100, 2, generator=generator(3))
    assert not measure(found, toy, stimuli).y[toy.tf_mask].isnan().any()


def test_a_seed_gives_one_model(found, toy, config):
    again = parameterise(toy, config, num_active=2, generator=generator())
    assert torch.equal(again.conv.edge_weight, found.conv.edge_weight)
    by_seed = [parameterise(toy, replace(config, epochs=2, seed=s)) for s in (0, 0, 1)]
    weights = [model.conv.edge_weight for model in by_seed]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("shape", [(4, 30), (30, 4)])
def test_correlation_is_the_mean_square_of_the_coefficients_of_numpy(shape):
    y = 1e3 * torch.rand(shape, generator=generator(), dtype=torch.float64)
    coefficients = np.corrcoef(y.numpy())
    assert float(_correlation(y)) == pytest.approx((coefficients**2).mean(), rel=1e-6)


def test_what_does_not_vary_has_no_correlation_and_no_steep_gradient():
    y = torch.rand(3, 20, generator=generator(), dtype=torch.float64)
    alone = float(_correlation(y[:2]))
    y[2] = 0.5 + 1e-6 * y[0]
    y.requires_grad_()
    still = _correlation(y)
    assert float(still.detach()) == pytest.approx(alone * 4 / 9, rel=1e-3)
    still.backward()
    assert y.grad.abs().max() < 1


def test_random_parameters_are_those_the_search_starts_from(toy, config):
    model = random_model(toy, config, generator=generator(4))
    weight = model.conv.edge_weight.detach()
    assert weight.dtype == torch.float64
    assert (weight * model.edge_sign > 0).all()
    dense = np.zeros((model.num_nodes, model.num_nodes))
    dense[model.edge_index[1], model.edge_index[0]] = weight
    assert abs(np.linalg.eigvals(dense)).max() == pytest.approx(0.8, rel=1e-5)
    bias = model.conv.bias.detach()
    assert 0 <= bias.min() < bias.max() < 0.01
    stopped = parameterise(toy, replace(config, epochs=1, lr=1e-9), generator=generator(4))
    torch.testing.assert_close(stopped.conv.edge_weight.detach(), weight)


def test_an_objective_that_explodes_is_an_error_with_a_cure(toy, config):
    with pytest.raises(FloatingPointError, match="Lower the learning rate"):
        parameterise(toy, replace(config, lr=1e30))


def test_no_draw_and_no_start_are_refused(toy, config):
    with pytest.raises(ValueError, match="num_active is 0"):
        parameterise(toy, config, num_active=0)
    with pytest.raises(ValueError, match="starts is True; a search starts once"):
        parameterise(toy, config, starts=True)


def test_a_search_that_leaves_a_dead_tf_starts_anew(toy, config, monkeypatch):
    searches, dead = [], iter([["TF"], [], ["TF"], ["TF"]])
    original = reference_model._search

    def search(*arguments):
        model, _ = original(*arguments)
        searches.append(model)
        return model, next(dead)

    monkeypatch.setattr(reference_model, "_search", search)
    short = replace(config, epochs=1)
    assert parameterise(toy, short, generator=generator()) is searches[1]
    weights = [model.conv.edge_weight for model in searches]
    assert not torch.equal(*weights)
    with pytest.warns(UserWarning, match=r"1 of 1 TFs .* in the best of 2 searches: TF\. Raise"):
        found = parameterise(toy, short, starts=2, generator=generator())
    assert found is searches[2]


def test_a_tf_is_dead_if_it_could_respond_and_does_not(toy, config, monkeypatch):
    still = replace(config, epochs=1, lr=1e-9)

    def dead(data):
        return reference_model._search(data, still, 2, generator(4))[1]

    assert dead(toy) == []
    monkeypatch.setattr(reference_model, "_DEAD", 1.0)  # more than any activity varies
    assert dead(toy) == [toy.node_name[i] for i in toy.tf_mask.nonzero()]
    cut = toy.clone()
    kept = ~toy.tf_mask[toy.edge_index[1]]
    cut.edge_index, cut.edge_sign = toy.edge_index[:, kept], toy.edge_sign[kept]
    assert dead(cut) == []  # no ligand reaches it
