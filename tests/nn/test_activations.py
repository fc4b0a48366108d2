"""Activations against their closed forms and autograd."""

import pytest
import torch

from lembas_pyg.nn import activations
from lembas_pyg.nn.activations import (
    LeakyReLU,
    MichaelisMentenLike,
    Sigmoid,
    activation_by_name,
    slope_at,
)

ALL = [MichaelisMentenLike(), MichaelisMentenLike(leak=0.1), LeakyReLU(), Sigmoid()]


@pytest.mark.parametrize(
    ("z", "h", "slope"),
    [
        (-2.0, -0.02, 0.01),
        (0.0, 0.0, 0.01),
        (0.25, 0.25, 1.0),
        (0.5, 0.5, 1.0),
        (2.0, 0.875, 1 / 16),
    ],
)
def test_michaelis_menten_like_has_its_three_segments(z, h, slope):
    act = activations.michaelis_menten_like
    z = torch.tensor([z], dtype=torch.float64)
    assert act(z).item() == pytest.approx(h)
    assert act.slope(z).item() == pytest.approx(slope)
    assert act.slope_from_state(act(z)).item() == pytest.approx(slope)


@pytest.mark.parametrize("act", ALL, ids=repr)
def test_slopes_are_the_derivative_autograd_finds(act):
    z = torch.linspace(-3, 3, 61, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(act(z).sum(), z)
    z = z.detach()
    torch.testing.assert_close(act.slope(z), expected)
    torch.testing.assert_close(act.slope_from_state(act(z)), expected)
    torch.testing.assert_close(slope_at(act, z, act(z)), expected)


@pytest.mark.parametrize("act", ALL, ids=repr)
def test_inverse_returns_the_raw_input(act):
    z = torch.linspace(-3, 3, 61, dtype=torch.float64)
    torch.testing.assert_close(act.inverse(act(z)), z)


@pytest.mark.parametrize("cls", [MichaelisMentenLike, LeakyReLU])
def test_without_a_leak_negative_states_go_back_to_zero(cls):
    act = cls(leak=0.0)
    assert act.inverse(torch.tensor([-0.3])).item() == 0.0


def test_any_elementwise_function_has_a_slope():
    z = torch.linspace(-2, 2, 5, dtype=torch.float64)
    torch.testing.assert_close(slope_at(torch.tanh, z, z.tanh()), 1 - z.tanh() ** 2)


def test_activations_are_found_by_name():
    assert activation_by_name("MML") == activations.michaelis_menten_like
    assert activation_by_name("leakyrelu", leak=0.2) == LeakyReLU(leak=0.2)
    assert activation_by_name("Sigmoid") == Sigmoid()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: activation_by_name("relu6"), "'relu6' is not known; choose from MML"),
        (lambda: activation_by_name("sigmoid", leak=0.1), "'sigmoid' takes no leak"),
        (lambda: MichaelisMentenLike(leak=1.5), r"leak is 1.5; it must lie in \[0, 1\)"),
    ],
)
def test_bad_activations_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
