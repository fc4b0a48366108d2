"""Every loss term against numbers worked out by hand."""

import math

import pytest
import torch

from lembas_pyg.nn import compiled
from lembas_pyg.training import losses


def test_fit_counts_only_what_was_measured():
    measured = torch.tensor([[1.0, torch.nan, 0.0], [0.5, 0.5, torch.nan]])
    y = torch.tensor([[0.0, 9.0, 0.5], [0.5, 1.0, 9.0]], requires_grad=True)
    loss = losses.fit_loss(y, measured)
    assert loss.item() == pytest.approx((1 + 0.25 + 0 + 0.25) / 4)
    loss.backward()
    expected = torch.tensor([[-2.0, 0, 1.0], [0, 1.0, 0]]) / 4
    torch.testing.assert_close(y.grad, expected)


def test_fit_of_nothing_is_zero():
    assert losses.fit_loss(torch.ones(2, 3), torch.full((2, 3), torch.nan)).item() == 0


def test_sign_loss_sums_contradictions_and_leaves_unknown_signs_alone():
    weight = torch.tensor([-0.3, 0.2, 0.5, -0.7, -9.0], requires_grad=True)
    sign = torch.tensor([1, 1, -1, -1, 0])
    loss = losses.sign_loss(weight, sign)
    assert loss.item() == pytest.approx(0.3 + 0.5)
    loss.backward()
    assert weight.grad.tolist() == [-1, 0, 1, 0, 0]


def test_ligand_bias_loss_sees_ligands_only():
    bias = torch.tensor([[1.0], [2.0], [3.0]])
    assert losses.ligand_bias_loss(bias, torch.tensor([0, 2])).item() == 10


def test_l2_anti_zero_and_projection():
    weight = torch.tensor([0.0, 1.0, -2.0])
    assert losses.l2_loss(weight).item() == 5
    assert losses.anti_zero_loss(weight).item() == pytest.approx(2 + 1 / 1.5 + 1 / 4.5)
    assert losses.projection_loss(weight, 1.0).item() == 1 + 0 + 9


def test_states_spread_like_a_uniform_distribution_cost_next_to_nothing():
    spread = torch.linspace(0.2, 0.8, 4001, dtype=torch.float64).expand(3, -1)
    assert losses.uniform_loss(spread, 0.2, 0.8, dead=10).item() == pytest.approx(0, abs=1e-8)


def test_uniform_loss_by_hand():
    h = torch.tensor([[0.0, 1.0], [-0.5, -0.5]])
    low, high, dead = 0.0, 0.5, 3.0
    mean = (0.5 - 0.25) ** 2 + (-0.5 - 0.25) ** 2
    variance = (0.25 - 0.25 / 12) ** 2 + (0 - 0.25 / 12) ** 2
    bounds = (0 + 0.25) + (0.25 + 1)
    found = losses.uniform_loss(h, low, high, dead).item()
    assert found == pytest.approx(mean + variance + bounds + dead * 0.5)


@pytest.mark.parametrize("backend", ["kernel", "torch"])
def test_uniform_loss_has_the_gradient_of_its_value(backend, monkeypatch):
    if backend == "torch":
        monkeypatch.setattr(compiled, "_kernels", lambda: None)
    h = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    h[3] -= 5  # never active
    assert torch.autograd.gradcheck(
        lambda h: losses.uniform_loss(h, 0.1, 0.8, 2.0), h.requires_grad_()
    )


@pytest.mark.parametrize("backend", ["kernel", "torch"])
def test_conditions_that_tie_for_an_extreme_share_its_gradient(backend, monkeypatch):
    if backend == "torch":
        monkeypatch.setattr(compiled, "_kernels", lambda: None)
    h = torch.tensor([[0.9, 0.1, 0.9, 0.1]], requires_grad=True)
    losses.uniform_loss(h, 0.0, 0.5, 0.0).backward()
    assert h.grad[0, 0] == h.grad[0, 2]
    assert h.grad[0, 1] == h.grad[0, 3]
    moments = 2 * 0.25 / 4 + 4 * (0.16 - 0.25 / 12) * 0.4 / 4
    assert h.grad[0, 0].item() == pytest.approx(moments + 2 * 0.4 / 2)


def test_the_wanted_mean_is_the_middle_of_the_range():
    # The text has (b - a) / 2, wrong for a > 0.
    spread = torch.linspace(0.5, 0.9, 4001, dtype=torch.float64)[None]
    assert losses.uniform_loss(spread, 0.5, 0.9, dead=0).item() == pytest.approx(0, abs=1e-8)


def test_spectral_barrier_above_and_below_its_floor():
    rho = torch.tensor([0.4, 0.9], dtype=torch.float64, requires_grad=True)
    loss = losses.spectral_loss(rho, 10.0, 0.9, 0.5)
    expected = (math.exp(9) - 1) / math.exp(9)
    assert loss.item() == pytest.approx(expected / 2)
    loss.backward()
    assert rho.grad.tolist() == pytest.approx([0, 10 / 2])


def test_a_steep_barrier_does_not_overflow():
    loss = losses.spectral_loss(torch.tensor(1.1), 200.0, 0.95, 0.5)
    assert loss.item() == pytest.approx(math.exp(200 * 0.15), rel=1e-3)
