"""The compiled kernels, run as the Python they are written in: every line seen, bounds checked.

Vectors of lanes become arrays of numpy. What comes out is compared with the operators of torch.
"""

import copy
import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

import lembas_pyg.training
from lembas_pyg.nn import (
    LEMBAS,
    LeakyReLU,
    MichaelisMentenLike,
    SignalingConv,
    compiled,
    contraction_rate,
)
from lembas_pyg.nn.operator import SignedOperator
from lembas_pyg.training import TrainingConfig, direct_step, losses
from lembas_pyg.training.run import Run

numba = pytest.importorskip("numba", reason="the kernels are written for numba")

PACKAGE = Path(lembas_pyg.training.__file__).parents[1]
EDGES = torch.tensor([[0, 1, 2, 3, 4, 1, 5, 0, 3], [1, 2, 3, 1, 2, 4, 3, 5, 4]])


def _rows(array, width):
    return array.reshape(-1, width)


def _store(array, row, value):
    array.reshape(-1, len(value))[row] = value


LANES = {
    "load": lambda array, row, width: _rows(array, width)[row].copy(),
    "zeros": lambda array, width: np.zeros(width, array.dtype),
    "store": _store,
    "fma": lambda total, factor, value: total + factor * value,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "larger": lambda a, b: np.where(a > b, a, b),
    "smaller": lambda a, b: np.where(a < b, a, b),
    "magnitude": np.abs,
    "where_positive": lambda condition, a, b: np.where(condition > 0, a, b),
    "lane_sum": np.sum,
}


def uncompiled(monkeypatch, file):
    """A module of kernels whose functions are plain Python."""
    lanes = ModuleType("lembas_pyg.nn.simd")
    vars(lanes).update(LANES)
    spec = importlib.util.spec_from_file_location(f"uncompiled_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "lembas_pyg.nn.simd", lanes)
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def in_python(monkeypatch):
    """All that is compiled, uncompiled."""
    parts = {"sweeps": "nn", "powers": "nn", "kernels": "training"}
    found = SimpleNamespace(
        **{
            name: uncompiled(monkeypatch, PACKAGE / folder / f"{name}.py")
            for name, folder in parts.items()
        }
    )
    assert isinstance(found.sweeps.step_columns, type(lambda: None))
    monkeypatch.setattr(compiled, "_kernels", lambda: found.sweeps)
    monkeypatch.setattr(compiled, "_powers", lambda width: found.powers.KERNELS[width])
    monkeypatch.setattr(direct_step, "_kernels", lambda: found.kernels)
    monkeypatch.setattr(lembas_pyg.training, "kernels", found.kernels, raising=False)
    return found


def solved(conv, x):
    """State and gradients of a weighted sum of it."""
    conv.zero_grad()
    x = x.clone().requires_grad_()
    h = conv(x, EDGES)
    (h * torch.linspace(-1, 1, h.numel(), dtype=h.dtype).view_as(h)).sum().backward()
    return h.detach(), x.grad, conv.edge_weight.grad, conv.bias.grad


def on_torch(call, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "_kernels", lambda: None)
        return call(*arguments)


@pytest.mark.parametrize("act", [MichaelisMentenLike(0.01), LeakyReLU(0.1)], ids=repr)
@pytest.mark.parametrize("count", [3, 12, 20, 45])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_states_and_adjoints_are_those_of_torch(in_python, dtype, count, act):
    generator = torch.Generator().manual_seed(count)
    conv = SignalingConv(6, EDGES.size(1), act, tol=1e-12 if dtype == torch.float64 else 1e-6)
    with torch.no_grad():
        conv.edge_weight.copy_(torch.randn(EDGES.size(1), generator=generator) / 3)
        conv.bias.copy_(torch.randn(conv.bias.shape, generator=generator) / 5)
    conv = conv.to(dtype)
    x = torch.randn(6, count, generator=generator, dtype=dtype)
    close = {"rtol": 1e-8, "atol": 1e-9} if dtype == torch.float64 else {"rtol": 1e-3, "atol": 1e-5}
    for one, other in zip(solved(conv, x), on_torch(solved, conv, x), strict=True):
        torch.testing.assert_close(one, other, **close)


@pytest.mark.parametrize("settles", [True, False], ids=["slowly", "not"])
def test_adjoints_that_sweeps_in_place_do_not_find_at_once(in_python, settles):
    """A loop of gain 0.99, or a matrix whose third power is 0 while sweeps in place double."""
    matrix = torch.tensor([[0.0, -2, 2], [-1, 0, -1], [-2, -2, 0]], dtype=torch.float64)
    if settles:
        matrix = torch.tensor([[0.0, 0.995, 0], [0.995, 0, 0], [0, 0, -0.995]]).double()
    source, target = matrix.nonzero().T  # the adjoint applies the transpose
    conv = SignalingConv(3, source.numel(), LeakyReLU(), tol=1e-10, max_steps=5000).double()
    with torch.no_grad():
        conv.edge_weight.copy_(matrix[source, target])
        conv.bias.zero_()
    x = (torch.eye(3) - matrix.T).sum(dim=1, keepdim=True).requires_grad_()  # all states are 1
    start = torch.ones(3, 1, dtype=torch.float64)
    state = conv.solve(x, torch.stack([source, target]), start=start).value
    coefficient = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    (state * coefficient).sum().backward()
    exact = torch.linalg.solve(torch.eye(3).double() - matrix, coefficient)
    torch.testing.assert_close(x.grad, exact, rtol=1e-6, atol=1e-6)
    assert conv.adjoint.num_steps.item() > 200


def test_what_diverges_gets_all_its_steps_and_no_more(in_python):
    conv = SignalingConv(6, EDGES.size(1), LeakyReLU(), max_steps=30).double()
    with torch.no_grad():
        conv.edge_weight.fill_(1.5)
    point = conv.solve(torch.ones(6, 2, dtype=torch.float64), EDGES)
    assert not point.converged.any()
    assert (point.num_steps == 30).all()


@pytest.mark.parametrize("count", [1, 5, 11, 19])
def test_rates_are_those_of_torch(in_python, count):
    operator = SignedOperator(EDGES, 6)
    generator = torch.Generator().manual_seed(count)

    def rates():
        weight = torch.linspace(-1, 1.1, EDGES.size(1), dtype=torch.float64).requires_grad_()
        slope = torch.rand(6, count, generator=generator.manual_seed(1), dtype=torch.float64)
        start = torch.randn(6, count, generator=generator, dtype=torch.float64)
        rate, last = contraction_rate(operator, weight, slope, start)
        (rate * torch.arange(1.0, count + 1)).sum().backward()
        return rate.detach(), last, weight.grad

    for one, other in zip(rates(), on_torch(rates), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_the_uniform_loss_is_that_of_torch(in_python):
    h = torch.rand(5, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    h[2] = 0.0
    h[3, 2:4] = h[3].max()  # two that tie

    def found():
        value = h.clone().requires_grad_()
        loss = losses.uniform_loss(value, 0.0, 0.99, 1.0)
        loss.backward()
        return loss.detach(), value.grad

    for one, other in zip(found(), on_torch(found), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("batch_size", [2, 7], ids="{} a batch".format)
def test_steps_of_training_are_those_of_autograd(in_python, batch_size):
    generator = torch.Generator().manual_seed(0)
    data = Data(
        edge_index=EDGES,
        edge_sign=torch.randint(-1, 2, (EDGES.size(1),), generator=generator),
        node_name=list("abcdef"),
        ligand_mask=torch.arange(6) == 0,
        tf_mask=torch.arange(6) > 3,
        x=torch.rand(6, 7, generator=generator) * (torch.arange(6) == 0).view(-1, 1),
        y=torch.rand(6, 7, generator=generator),
        conditions=list("1234567"),
        num_nodes=6,
    )
    data.y[4, 1] = torch.nan
    config = TrainingConfig(
        epochs=1,
        batch_size=batch_size,
        sign=0.3,
        l2_weight=1e-3,
        l2_bias=1e-3,
        anti_zero=1e-2,
        uniform=1e-2,
        spectral=1e-2,
        spectral_floor=0.1,
        tol=1e-12,
    )
    model = LEMBAS(data, generator=generator).double()
    model.conv.tol = 1e-12
    runs = [Run(copy.deepcopy(model), data, config) for _ in range(2)]
    batch = torch.arange(batch_size)
    found = runs[0].direct(batch, 1e-3)
    expected = on_torch(runs[1].step, batch, 1e-3)
    for name, value in found[0].items():
        assert float(value) == pytest.approx(float(expected[0][name]), rel=1e-7), name
    for one, other in zip(runs[0].parameters, runs[1].parameters, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-9)
