"""The textbook implementation computes what the package computes."""

import dataclasses

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from benchmarks import networks
from lembas_pyg.nn import LEMBAS, spectral_radius
from lembas_pyg.training import TrainingConfig, losses

# 12 nodes: two ligands (0, 1), two TFs (10, 11), feedback among the others, no node that is
# out of reach of a ligand; 17 interactions, 5 conditions.
SOURCE = [0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 5, 3, 8, 7, 2]
TARGET = [2, 3, 4, 5, 6, 5, 7, 8, 3, 9, 2, 10, 11, 11, 10, 5, 9]
SIGN = [1, 1, 1, -1, 1, 0, 1, 1, -1, 0, 1, 1, 1, -1, 0, -1, 1]
CONFIG = TrainingConfig(
    epochs=100,
    batch_size=3,
    max_steps=5000,
    adjoint_clip=0.0,
    sign=0.3,
    ligand_bias=0.2,
    l2_weight=0.1,
    l2_bias=0.05,
    anti_zero=0.02,
    uniform=0.4,
    uniform_dead=3.0,
    projection=0.7,
)
BATCH = np.array([4, 0, 2])


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.zeros(12, 5, dtype=torch.float64)
    x[:2] = torch.rand(2, 5, dtype=torch.float64, generator=generator)
    y = torch.full((12, 5), torch.nan, dtype=torch.float64)
    y[10:] = torch.rand(2, 5, dtype=torch.float64, generator=generator)
    y[10, 2] = torch.nan
    return Data(
        edge_index=torch.tensor([SOURCE, TARGET]),
        edge_sign=torch.tensor(SIGN),
        node_name=[f"n{i}" for i in range(12)],
        ligand_mask=torch.arange(12) < 2,
        tf_mask=torch.arange(12) >= 10,
        x=x,
        y=y,
        num_nodes=12,
    )


@pytest.fixture
def model(data):
    """Weights of both signs and every size, some against their mode of action."""
    generator = torch.Generator().manual_seed(2)
    model = LEMBAS(data, radius=None, tol=1e-14, max_steps=5000).double()
    with torch.no_grad():
        for parameter, scale in ((model.conv.edge_weight, 0.8), (model.conv.bias, 0.5)):
            parameter.uniform_(-scale / 2, scale, generator=generator)
        model.output.weight.uniform_(0.5, 1.5, generator=generator)
    return model


@pytest.fixture
def book(model, data):
    return networks.to_textbook(model, data, CONFIG, precision=1e-14)


def test_states_are_those_of_the_model(model, data, book):
    y, _, residual = book.predict(book.x)
    expected = model(data.x)
    assert residual < 1e-13
    np.testing.assert_allclose(y, expected.y.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_terms_and_gradients_are_those_of_the_trainer(model, data, book):
    book.loss(np.arange(5))  # the latest state of every condition
    step = book.loss(BATCH)
    batch = torch.from_numpy(BATCH)
    others = model.steady_state(data.x).value.detach()
    point = model.steady_state(data.x[:, batch])
    conv, output = model.conv, model.output
    terms = {
        "fit": losses.fit_loss(output(point.value), data.y[data.tf_mask][:, batch]),
        "uniform": losses.uniform_loss(others.index_copy(1, batch, point.value), 0.0, 0.99, 3.0),
        "sign": losses.sign_loss(conv.edge_weight, data.edge_sign),
        "ligand_bias": losses.ligand_bias_loss(conv.bias, model.ligand_index),
        "l2_weight": losses.l2_loss(conv.edge_weight),
        "l2_bias": losses.l2_loss(conv.bias),
        "anti_zero": losses.anti_zero_loss(conv.edge_weight),
        "projection": losses.projection_loss(output.weight, output.amplitude),
    }
    sum(value * getattr(CONFIG, name, 1.0) for name, value in terms.items()).backward()
    assert step.terms == pytest.approx({k: float(v.detach()) for k, v in terms.items()}, rel=1e-9)
    for ours, theirs in zip(
        (conv.edge_weight.grad, conv.bias.grad[:, 0], output.weight.grad),
        step.gradient,
        strict=True,
    ):
        np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-6, atol=1e-12)


def test_radius_and_its_gradient_are_exact(model, data, book):
    h = model.steady_state(data.x).value.detach()
    slope = model.slope(h, data.x)[:, 3]
    rho = spectral_radius(
        data.edge_index, slope[data.edge_index[1]] * model.conv.edge_weight, data.num_nodes
    )
    rho.backward()
    for _ in range(20):  # Arnoldi starts from a random vector
        radius, gradient = book.radius(slope.numpy())
        assert radius == pytest.approx(float(rho.detach()), rel=1e-8)
        np.testing.assert_allclose(gradient, model.conv.edge_weight.grad.numpy(), atol=1e-6)


def test_adjoints_beyond_the_clip_are_bent(model, data):
    config = dataclasses.replace(CONFIG, adjoint_clip=0.01)
    clipped = networks.to_textbook(model, data, config, precision=1e-14)
    grad = np.zeros((12, 5))
    grad[10:] = 1.0
    u, _ = clipped.adjoint(np.ones((12, 5)), grad)
    assert np.abs(u).max() <= 0.01 + 1
    assert np.abs(u[10:]).min() == pytest.approx(0.01 + np.tanh(1 - 0.01))


def test_training_lowers_the_loss(model, data):
    config = dataclasses.replace(CONFIG, lr=1e-2, lr_peak=0.1, spectral=1e-3, max_steps=150)
    steps = networks.to_textbook(model, data, config).train(200)
    first, last = (np.mean([s.terms["fit"] for s in part]) for part in (steps[:6], steps[-6:]))
    assert last < first
    assert all(np.isfinite(step.radius) for step in steps)


def test_the_synthetic_network_has_the_size_of_the_ligand_screen():
    data = networks.synthetic(seed=0)
    assert (data.num_nodes, data.num_edges, data.x.size(1)) == (1262, 6594, 103)
    assert (int(data.ligand_mask.sum()), int(data.tf_mask.sum())) == (60, 74)
    source, target = data.edge_index
    assert not bool((source == target).any())
    assert len(set(zip(source.tolist(), target.tolist(), strict=True))) == 6594
    assert bool(data.y[data.tf_mask].isfinite().all())
