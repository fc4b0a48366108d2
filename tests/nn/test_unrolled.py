"""Back-propagation through time against the adjoint, and its memory counted by hand."""

import pytest
import torch

from lembas_pyg.nn import SignalingConv, michaelis_menten_like, saved_bytes, unrolled_state

EDGES = torch.tensor([[0, 1, 2, 3, 1, 2], [1, 2, 1, 2, 3, 0]])  # N = 4, E = 6, S = 3


def drive_and_weight():
    generator = torch.Generator().manual_seed(0)
    drive = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    weight = 0.6 * torch.randn(6, generator=generator, dtype=torch.float64)
    return drive, weight.requires_grad_()


def test_many_steps_have_the_value_and_gradient_of_the_steady_state():
    conv = SignalingConv(4, 6, tol=1e-14).double()
    torch.nn.init.zeros_(conv.bias)
    values, gradients = [], []
    for state in (
        lambda drive, weight: conv(drive, EDGES, edge_weight=weight),
        lambda drive, weight: unrolled_state(drive, EDGES, weight, michaelis_menten_like, 300),
    ):
        drive, weight = drive_and_weight()
        value = state(drive, weight)
        value.square().sum().backward()
        values.append(value.detach())
        gradients.append(weight.grad)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)


def test_memory_of_the_record_grows_with_the_steps_that_of_the_adjoint_does_not():
    drive, weight = drive_and_weight()
    _, few = saved_bytes(lambda: unrolled_state(drive, EDGES, weight, michaelis_menten_like, 10))
    _, many = saved_bytes(lambda: unrolled_state(drive, EDGES, weight, michaelis_menten_like, 100))
    assert many > 8 * few
    kept = []
    for tol in (1e-2, 1e-14):
        conv = SignalingConv(4, 6, tol=tol).double()
        kept.append(saved_bytes(lambda conv=conv: conv(drive, EDGES, edge_weight=weight))[1])
    assert kept[0] == kept[1] < few


def test_memory_is_that_of_the_tensors_kept_each_once():
    x = torch.rand(5, dtype=torch.float64, requires_grad=True)
    assert saved_bytes(lambda: x.square())[1] == 40
    assert saved_bytes(lambda: x * x)[1] == 40


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="num_steps is 0"):
        unrolled_state(*drive_and_weight()[:1], EDGES, torch.rand(6), michaelis_menten_like, 0)
