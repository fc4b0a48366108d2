"""Contraction rate against dense linear algebra."""

import numpy as np
import pytest
import torch

from lembas_pyg.nn import contraction_rate
from lembas_pyg.nn.operator import SignedOperator


def random_network(size, density, seed):
    """Dense matrix with rows as targets, edges and weights."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((size, size)) * (generator.random((size, size)) < density)
    weight = torch.from_numpy(matrix)
    target, source = weight.nonzero().T
    return matrix, torch.stack([source, target]), weight[target, source]


def test_contraction_rate_becomes_the_radius_of_every_condition():
    size = 30
    matrix, edge_index, weight = random_network(size, 0.2, 3)
    operator = SignedOperator(edge_index, size)
    generator = torch.Generator().manual_seed(0)
    slope = torch.rand(size, 4, generator=generator, dtype=torch.float64)
    vector = torch.randn(size, 4, generator=generator, dtype=torch.float64)
    rates = []
    for _ in range(200):
        rate, vector = contraction_rate(operator, weight, slope, vector)
        rates.append(rate)
    scaled = [slope[:, s].numpy()[:, None] * matrix for s in range(4)]
    expected = [abs(np.linalg.eigvals(each)).max() for each in scaled]
    # A complex pair makes the growth over k steps oscillate around the radius.
    mean = torch.stack(rates[50:]).log().mean(dim=0).exp()
    np.testing.assert_allclose(mean, expected, rtol=0.02)


def test_contraction_rate_of_a_negative_loop_is_right():
    edge_index, weight = torch.tensor([[1, 0], [0, 1]]), torch.tensor([-0.95, 0.95]).double()
    slope, vector = torch.ones(2, 1).double(), torch.tensor([[0.3], [0.8]]).double()
    rate, _ = contraction_rate(SignedOperator(edge_index, 2), weight, slope, vector)
    assert rate.item() == pytest.approx(0.95, rel=1e-5)


def test_contraction_rate_passes_gradcheck():
    size = 7
    _, edge_index, weight = random_network(size, 0.4, 1)
    operator = SignedOperator(edge_index, size)
    slope, vector = torch.rand(2, size, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda weight: contraction_rate(operator, weight, slope, vector)[0],
        weight.requires_grad_(),
    )


def test_the_deviation_that_is_left_has_no_gradient():
    operator = SignedOperator(torch.tensor([[0, 1], [1, 0]]), 2)
    weight = torch.tensor([0.5, 0.4], requires_grad=True)
    rate, last = contraction_rate(operator, weight, torch.ones(2, 1), torch.ones(2, 1))
    assert rate.requires_grad
    assert not last.requires_grad
