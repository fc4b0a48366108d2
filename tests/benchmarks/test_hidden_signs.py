"""Evidence of the benchmark on hidden signs against autograd and brute force."""

import numpy as np
import pytest
import torch

from benchmarks.sign_witnesses import Study, by_flipping, gradient_at_zero, without
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import TrainingConfig


@pytest.fixture(scope="module")
def study():
    data = measure(reference_model(), ToyNetwork()[0], grid_stimuli(["L1", "L2"], 3))
    return Study("toy", data, TrainingConfig.toy(), list(data.conditions)[2:], {})


def test_the_gradient_of_an_absent_interaction_is_that_of_weight_zero(study):
    data, place = study.data, 4
    gone = torch.arange(data.num_edges) == place
    full = load_parameters(LEMBAS(data, tol=1e-13).double(), ToyNetwork.parameters())
    with torch.no_grad():
        full.conv.edge_weight[place] = 0.0
    rest = without(data, gone)
    model = LEMBAS(rest).double()
    with torch.no_grad():
        model.conv.edge_weight.copy_(full.conv.edge_weight[~gone])
        model.conv.bias.copy_(full.conv.bias)
        model.output.weight.copy_(full.output.weight)
        model.input.weight.copy_(full.input.weight)
    y = full(data.x[:, 2:]).y
    pull = size = 0.0
    for value, wanted in zip(y.flatten(), data.y[data.tf_mask][:, 2:].flatten(), strict=True):
        (grad,) = torch.autograd.grad(value, full.conv.edge_weight, retain_graph=True)
        pull += float((wanted - value.detach()) * grad[place])
        size += float(grad[place] ** 2)
    found = gradient_at_zero(model, rest, study, data.edge_index[:, [place]])
    assert size > 0
    np.testing.assert_allclose(found, [pull / size**0.5], rtol=1e-6)


def test_flipping_the_true_sign_costs(study):
    model = load_parameters(LEMBAS(study.data).double(), ToyNetwork.parameters())
    edges = [0, 1, 7]  # outside of feedback, where every sign has a steady state
    found = np.array(by_flipping(model, study.data, study, edges))
    matters = abs(found) > 1e-9
    assert matters.sum() >= 2
    weight = model.conv.edge_weight.detach().numpy()
    assert (np.sign(found) == np.sign(weight[edges]))[matters].all()
