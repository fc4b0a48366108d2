"""Implicit layers around any message passing, against unrolled iteration."""

import pytest
import torch
from torch_geometric.nn import GATConv, GCNConv, GraphConv, RGCNConv

from lembas_pyg.nn import SteadyState

# N=5, E=7, F=3.
EDGE_INDEX = torch.tensor([[0, 1, 2, 3, 4, 2, 0], [1, 2, 0, 2, 3, 4, 4]])
EDGE_TYPE = torch.tensor([0, 1, 0, 1, 0, 1, 1])
LAYERS = {
    "GraphConv": (lambda: GraphConv(3, 3), {"edge_weight": torch.rand(7)}),
    "GCNConv": (lambda: GCNConv(3, 3), {}),
    "RGCNConv": (lambda: RGCNConv(3, 3, 2), {"edge_type": EDGE_TYPE}),
}


def small(layer):
    """Parameters small enough for a contraction."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(0.4)
    return layer.double()


@pytest.mark.parametrize("name", LAYERS)
def test_state_and_gradients_are_those_of_a_long_iteration(name):
    torch.manual_seed(0)
    make, kwargs = LAYERS[name]
    kwargs = {k: v.double() if v.is_floating_point() else v for k, v in kwargs.items()}
    conv = small(make())
    layer = SteadyState(conv, torch.tanh, tol=1e-13)
    x = torch.rand(5, 3, dtype=torch.float64, requires_grad=True)
    h = torch.zeros_like(x)
    for _ in range(300):
        h = torch.tanh(conv(h, EDGE_INDEX, **kwargs) + x)
    wanted = [x, *conv.parameters()]
    expected = torch.autograd.grad(h.square().sum(), wanted)
    found_h = layer(x, EDGE_INDEX, **kwargs)
    torch.testing.assert_close(found_h, h)
    found = torch.autograd.grad(found_h.square().sum(), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)


def test_the_report_says_how_it_went():
    torch.manual_seed(0)
    layer = SteadyState(small(GCNConv(3, 3)), torch.tanh)
    h = layer(torch.rand(5, 3).double(), EDGE_INDEX)
    assert layer.report.converged.all()
    assert (layer.report.residual <= layer.tol).all()
    assert torch.equal(layer.report.value, h)
    assert layer.scale == 1.0


def expanding():
    """Each node inhibits itself threefold: tanh(-3 h) jumps between two states for ever."""
    conv = GraphConv(3, 3, bias=False)
    with torch.no_grad():
        conv.lin_rel.weight.zero_()
        conv.lin_root.weight.copy_(-3 * torch.eye(3))
    return conv.double()


def test_a_layer_that_expands_is_named():
    layer = SteadyState(expanding(), torch.tanh, max_steps=40)
    with pytest.warns(UserWarning, match="did not reach a steady state"):
        layer(0.1 * torch.rand(5, 3).double(), EDGE_INDEX)
    assert not layer.report.converged.any()


def test_a_layer_that_expands_can_be_scaled_down():
    layer = SteadyState(expanding(), torch.tanh, max_steps=2000, max_radius=0.9)
    x = 0.1 * torch.rand(5, 3).double()
    h = layer(x, EDGE_INDEX)
    assert layer.report.converged.all()
    assert layer.scale < 1
    torch.testing.assert_close(
        h, layer.act(layer.scale * layer.conv(h, EDGE_INDEX) + x), rtol=0, atol=1e-5
    )


def test_a_layer_that_changes_the_shape_is_refused():
    layer = SteadyState(GraphConv(3, 4))
    with pytest.raises(ValueError, match=r"\[5, 3\] into \[5, 4\]; a fixed point needs"):
        layer(torch.rand(5, 3), EDGE_INDEX)


def test_a_radius_outside_of_its_range_is_refused():
    with pytest.raises(ValueError, match=r"max_radius is 1.5; it must lie between 0 and 1"):
        SteadyState(GATConv(3, 3), max_radius=1.5)


def test_parameters_are_those_of_the_layer_inside():
    layer = SteadyState(GraphConv(3, 3))
    before = layer.conv.lin_rel.weight.detach().clone()
    layer.reset_parameters()
    assert not torch.equal(layer.conv.lin_rel.weight, before)
    assert set(layer.state_dict()) == {f"conv.{k}" for k in layer.conv.state_dict()}


def test_further_inputs_may_come_by_position():
    torch.manual_seed(0)
    layer = SteadyState(small(RGCNConv(3, 3, 2)), torch.tanh)
    x = torch.rand(5, 3).double()
    by_name = layer(x, EDGE_INDEX, edge_type=EDGE_TYPE)
    torch.testing.assert_close(layer(x, EDGE_INDEX, EDGE_TYPE), by_name)


@pytest.mark.parametrize("radius", [0.0, 1.0, -0.1])
def test_a_radius_that_is_none_is_refused(radius):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        SteadyState(torch.nn.Linear(2, 2), max_radius=radius)
