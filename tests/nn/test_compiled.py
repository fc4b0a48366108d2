"""Compiled kernels against the operators of torch, where the two could part ways."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lembas_pyg.nn import LeakyReLU, MichaelisMentenLike, SignalingConv, compiled


@pytest.fixture
def backend():
    """Both are compared here, so nothing is switched off."""
    if compiled._kernels() is None:
        pytest.skip("numba is not installed")


def on_torch(monkeypatch, call):
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "_kernels", lambda: None)
        return call()


def test_a_condition_that_diverges_leaves_the_others_alone(monkeypatch):
    conv = SignalingConv(3, 3, LeakyReLU())
    with torch.no_grad():
        conv.edge_weight.copy_(torch.tensor([20.0, 20.0, 0.97]))
        conv.bias.zero_()
    edge_index = torch.tensor([[0, 1, 2], [1, 0, 2]])
    x = torch.zeros(3, 2)
    x[0, 0], x[2] = 1.0, 1.0
    with torch.no_grad():
        point = conv.solve(x, edge_index)
        other = on_torch(monkeypatch, lambda: conv.solve(x, edge_index))
    assert point.converged.tolist() == other.converged.tolist() == [False, True]
    assert point.residual[0] == torch.inf
    assert point.value.isfinite().all()
    torch.testing.assert_close(point.value[:, 1], other.value[:, 1], rtol=1e-4, atol=1e-4)


def test_an_adjoint_that_diverges_leaves_the_others_alone():
    conv = SignalingConv(3, 3, max_steps=2000).double()
    with torch.no_grad():
        conv.edge_weight.copy_(torch.tensor([1.6, -1.6, 0.97]))
        conv.bias.zero_()
    edge_index = torch.tensor([[0, 1, 2], [1, 0, 2]])
    x = torch.zeros(3, 2, dtype=torch.float64)
    x[0, 0], x[2] = 0.4, 0.001
    x.requires_grad_()
    with pytest.warns(UserWarning, match="did not"):
        conv(x, edge_index)[2].sum().backward()
    torch.testing.assert_close(x.grad[2, 1].item(), 1 / (1 - 0.97), rtol=1e-5, atol=0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    num_conditions=st.integers(1, 75),
    gain=st.floats(0.1, 2.0),
    leaky=st.booleans(),
    double=st.booleans(),
)
def test_both_backends_say_the_same(seed, num_conditions, gain, leaky, double):
    generator = torch.Generator().manual_seed(seed)
    edge_index = torch.randint(9, (2, 20), generator=generator)
    dtype = torch.float64 if double else torch.float32
    act = LeakyReLU() if leaky else MichaelisMentenLike()
    conv = SignalingConv(9, 20, act, tol=1e-5, max_steps=400).to(dtype)
    with torch.no_grad():
        conv.edge_weight.copy_(gain * (torch.rand(20, generator=generator) - 0.5))
        conv.bias.copy_(torch.rand(9, 1, generator=generator) - 0.3)
    x = torch.randn(9, num_conditions, generator=generator, dtype=dtype)
    coefficient = torch.randn(9, num_conditions, generator=generator, dtype=dtype)
    results = []
    for kernels in (compiled._kernels, lambda: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "_kernels", kernels)
            point = conv.solve(x, edge_index)
            weight = torch.autograd.grad((point.value * coefficient).sum(), conv.edge_weight)[0]
        results.append((point, weight))
    (one, grad), (two, other) = results
    settled = one.converged & two.converged
    # A condition at the edge of its tolerance may fall on either side of it.
    assert (one.converged == two.converged).float().mean() > 0.9
    torch.testing.assert_close(one.value[:, settled], two.value[:, settled], rtol=1e-3, atol=2e-3)
    if settled.all() and conv.adjoint.converged.all():
        torch.testing.assert_close(grad, other, rtol=2e-2, atol=2e-2)


def test_an_adjoint_that_only_plain_steps_find():
    # A textbook case: plain iteration is nilpotent, sweeps in place grow by 2 each.
    matrix = torch.tensor([[0.0, -2, 2], [-1, 0, -1], [-2, -2, 0]], dtype=torch.float64)
    source, target = matrix.nonzero().T  # the adjoint applies the transpose
    conv = SignalingConv(3, 6, LeakyReLU(), max_steps=2000).double()
    with torch.no_grad():
        conv.edge_weight.copy_(matrix[source, target])
        conv.bias.zero_()
    # All states become 1, all slopes are 1.
    x = (torch.eye(3) - matrix.T).sum(dim=1, keepdim=True).requires_grad_()
    state = conv.solve(x, torch.stack([source, target]), start=torch.ones(3, 1)).value
    coefficient = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    (state * coefficient).sum().backward()
    exact = torch.linalg.solve(torch.eye(3) - matrix, coefficient)
    torch.testing.assert_close(x.grad, exact)
    assert conv.adjoint.converged.all()
    assert conv.adjoint.num_steps.item() > 200


@pytest.mark.parametrize("chosen", [range(3), range(20, 31), range(1, 90, 4)])
def test_results_do_not_depend_on_the_company(chosen):
    generator = torch.Generator().manual_seed(0)
    edge_index = torch.randint(60, (2, 300), generator=generator)
    conv = SignalingConv(60, 300)
    with torch.no_grad():
        conv.edge_weight.copy_(0.9 * (torch.rand(300, generator=generator) - 0.4))
    x = torch.rand(60, 90, generator=generator)
    results = []
    for part in (x, x[:, list(chosen)]):
        part = part.clone().requires_grad_()
        point = conv.solve(part, edge_index)
        point.value.square().sum().backward()
        results.append((point.value, point.num_steps, part.grad))
    for whole, part in zip(*results, strict=True):
        torch.testing.assert_close(whole[..., list(chosen)], part, rtol=0, atol=0)
