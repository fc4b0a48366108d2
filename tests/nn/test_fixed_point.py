"""The plain iteration and its verdict."""

import pytest
import torch

from lembas_pyg.nn.fixed_point import accelerate, iterate


def half_way(h, target, factor):
    return target + factor * (h - target)


def test_each_condition_stops_at_its_own_pace_at_the_fixed_point():
    target = torch.rand(3, 6, dtype=torch.float64)
    factor = torch.tensor([0.0, 0.1, 0.5, 0.9, 0.99, 0.3], dtype=torch.float64).expand(3, 6)
    point = iterate(half_way, torch.zeros_like(target), target, factor, tol=1e-12, max_steps=10_000)
    assert point.converged.all()
    assert (point.residual <= 1e-12).all()
    torch.testing.assert_close(point.value, target, atol=2e-10, rtol=0)
    steps = point.num_steps
    assert steps[0] < steps[2] < steps[3] < steps[4]


def test_an_oscillation_is_reported_and_does_not_hold_up_the_others():
    factor = torch.tensor([[0.5, -1.0, 0.2]])
    point = iterate(half_way, torch.zeros(1, 3), torch.ones(1, 3), factor, tol=1e-6, max_steps=50)
    assert point.converged.tolist() == [True, False, True]
    assert point.num_steps.tolist()[1] == 50
    assert point.residual[1] == 2.0


def test_a_condition_that_overflows_goes_back_to_its_first_state():
    factor = torch.tensor([[1e20, 0.5]])
    point = iterate(half_way, torch.zeros(1, 2), torch.ones(1, 2), factor, tol=1e-6, max_steps=99)
    assert point.converged.tolist() == [False, True]
    assert point.residual[0] == torch.inf


def test_an_input_of_nan_is_not_converged():
    target = torch.tensor([[torch.nan, 1.0]])
    point = iterate(half_way, torch.zeros(1, 2), target, torch.zeros(1, 2), tol=1e-6, max_steps=9)
    assert point.converged.tolist() == [False, True]


def test_the_tolerance_may_differ_by_condition():
    factor = torch.full((1, 2), 0.9)
    tol = torch.tensor([1e-1, 1e-5])
    point = iterate(half_way, torch.zeros(1, 2), torch.ones(1, 2), factor, tol=tol, max_steps=999)
    assert point.num_steps[0] < point.num_steps[1]


def test_no_conditions_and_no_nodes_are_already_steady():
    for shape in [(3, 0), (0, 3)]:
        start = torch.zeros(shape)
        point = iterate(lambda h: h + 1, start, tol=1e-6, max_steps=5)
        assert point.converged.all()
        assert point.value.shape == shape


def test_zero_steps_are_refused():
    with pytest.raises(ValueError, match="max_steps is 0"):
        iterate(lambda h: h, torch.zeros(1, 1), tol=1.0, max_steps=0)


def test_acceleration_finds_a_slow_state_in_a_fraction_of_the_steps():
    torch.manual_seed(0)
    matrix = torch.randn(20, 20, dtype=torch.float64)
    matrix *= 0.995 / torch.linalg.eigvals(matrix).abs().max()
    target = torch.randn(20, 3, dtype=torch.float64)

    def step(h, target):
        return target + matrix @ (h - target)

    plain = iterate(step, torch.zeros_like(target), target, tol=1e-11, max_steps=20_000)
    found = accelerate(step, torch.zeros_like(target), target, tol=1e-11, max_steps=2_000)
    assert plain.converged.all()
    assert found.converged.all()
    torch.testing.assert_close(found.value, target, rtol=0, atol=1e-8)
    assert (10 * found.num_steps < plain.num_steps).all()


def test_acceleration_reports_what_it_could_not_finish():
    found = accelerate(
        lambda h, x: h + x, torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), tol=1e-6, max_steps=20
    )
    assert found.converged.tolist() == [False, True]
