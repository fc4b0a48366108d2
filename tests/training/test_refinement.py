"""Refinement against the parameters that made the data, and its Jacobian against differences."""

import numpy as np
import pytest
import torch

from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import refine
from lembas_pyg.training.refinement import _Problem


def reference(name):
    network = ToyNetwork(name=name)[0]
    model = load_parameters(LEMBAS(network, radius=None).double(), ToyNetwork.parameters(name))
    ligands = [network.node_name[i] for i in network.ligand_mask.nonzero().view(-1)]
    return model, measure(model, network, grid_stimuli(ligands, num_levels=6, low=0.05))


def changed(data, scale=0.1):
    """The reference with other parameters."""
    generator = torch.Generator().manual_seed(0)
    model = LEMBAS(data, input_amplitude=1.0, output_amplitude=1.3, radius=None).double()
    name = "nfkb" if "TNF" in data.node_name else "recurrent"
    load_parameters(model, ToyNetwork.parameters(name))
    with torch.no_grad():
        weight = model.conv.edge_weight
        noise = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
        weight.mul_(1 + scale * noise)
    return model


def test_the_jacobian_is_that_of_finite_differences():
    _, data = reference("recurrent")
    problem = _Problem(changed(data), data)
    values = problem.start() + 0.01
    jacobian = problem.jacobian(values)
    for column, step in enumerate(1e-6 * np.eye(len(values))):
        slope = (problem.error(values + step) - problem.error(values - step)) / 2e-6
        np.testing.assert_allclose(jacobian[:, column], slope, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["nfkb", "recurrent"])
def test_parameters_behind_exact_data_are_found(name, seed):
    truth, data = reference(name)
    model = changed(data)
    model.conv.bias.requires_grad_(False)
    found = refine(model, data, generator=torch.Generator().manual_seed(seed))
    assert found.before > 1e-4
    assert found.after < 1e-16
    torch.testing.assert_close(model.conv.edge_weight, truth.conv.edge_weight, rtol=1e-3, atol=1e-3)
    assert (found.rank, found.num_parameters) == (data.num_edges, data.num_edges)


def test_a_pipe_does_not_determine_its_parameters():
    truth, data = reference("pipe")
    found = refine(truth, data, restarts=0)
    assert found.after < 1e-20
    assert found.rank < found.num_parameters == 8


def test_an_error_that_cannot_be_lowered_leaves_the_model_alone():
    truth, data = reference("nfkb")
    before = truth.conv.edge_weight.clone()
    refine(truth, data)
    assert torch.equal(truth.conv.edge_weight, before)


def test_what_makes_no_sense_is_refused():
    truth, data = reference("nfkb")
    with pytest.raises(ValueError, match="max_evaluations=0"):
        refine(truth, data, max_evaluations=0)
    for parameter in truth.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(ValueError, match="Neither weights nor biases"):
        refine(truth, data)
