"""The layer against dense algebra, gradcheck, unrolled back-propagation, and message passing."""

import copy
import pickle
import warnings

import pytest
import torch

from lembas_pyg.nn import LeakyReLU, MichaelisMentenLike, Sigmoid, SignalingConv
from lembas_pyg.nn.implicit import soft_clip

# N=5, E=8, S=3: a feedback loop 0-1-2, a negative loop 3-4, a self-loop at 4.
EDGE_INDEX = torch.tensor([[0, 1, 2, 2, 3, 4, 4, 0], [1, 2, 0, 3, 4, 3, 4, 3]])


def network(act=None, **options):
    torch.manual_seed(0)
    conv = SignalingConv(5, 8, act or MichaelisMentenLike(), **({"tol": 1e-13} | options)).double()
    with torch.no_grad():
        conv.edge_weight.copy_(torch.tensor([0.8, 0.7, -0.6, 0.9, 0.5, -0.8, 0.3, 0.4]))
        conv.bias.copy_(torch.tensor([[0.1], [0.0], [-0.2], [0.3], [0.05]]))
    return conv, torch.rand(5, 3, dtype=torch.float64)


def dense(weight):
    matrix = torch.zeros(5, 5, dtype=weight.dtype)
    return matrix.index_put((EDGE_INDEX[1], EDGE_INDEX[0]), weight, accumulate=True)


@pytest.mark.parametrize("act", [MichaelisMentenLike(), LeakyReLU(), Sigmoid(), torch.tanh])
def test_state_is_a_fixed_point_of_the_dense_equation(act):
    conv, x = network(act)
    h = conv(x, EDGE_INDEX)
    torch.testing.assert_close(h, act(dense(conv.edge_weight) @ h + conv.bias + x))


@pytest.mark.parametrize("act", [MichaelisMentenLike(), LeakyReLU(), Sigmoid(), torch.tanh])
@pytest.mark.parametrize("observed", [False, True], ids=["fused", "message passing"])
def test_gradients_are_those_of_a_long_unrolled_computation(act, observed):
    conv, x = network(act)
    if observed:
        conv.register_message_forward_hook(lambda *_: None)
    x.requires_grad_()
    weight, bias = conv.edge_weight, conv.bias
    coefficient = torch.randn(5, 3, dtype=torch.float64)
    h = torch.zeros_like(x)
    for _ in range(400):
        h = act(dense(weight) @ h + bias + x)
    expected = torch.autograd.grad((coefficient * h).sum(), [weight, bias, x])
    found = torch.autograd.grad((coefficient * conv(x, EDGE_INDEX)).sum(), [weight, bias, x])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_gradcheck_on_random_graphs_with_feedback_and_self_loops(seed):
    generator = torch.Generator().manual_seed(seed)
    num_nodes, num_edges = 6, 14
    edge_index = torch.randint(num_nodes, (2, num_edges), generator=generator)
    weight = 0.8 * (torch.rand(num_edges, generator=generator, dtype=torch.float64) - 0.5)
    x = torch.randn(num_nodes, 2, generator=generator, dtype=torch.float64)
    conv = SignalingConv(num_nodes, num_edges, tol=1e-14).double()
    assert torch.autograd.gradcheck(
        lambda weight, x: conv(x, edge_index, weight),
        (weight.requires_grad_(), x.requires_grad_()),
    )


def test_conditions_do_not_mix():
    conv, x = network()
    together = conv(x, EDGE_INDEX)
    alone = torch.cat([conv(column, EDGE_INDEX) for column in x.split(1, dim=1)], dim=1)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


def test_message_passing_and_the_operator_give_the_same_state():
    conv, x = network()
    fused = conv(x, EDGE_INDEX)
    conv.register_propagate_forward_hook(lambda *_: None)
    torch.testing.assert_close(conv(x, EDGE_INDEX), fused, rtol=0, atol=1e-12)


def test_one_step_is_the_right_hand_side():
    conv, x = network()
    h = torch.rand_like(x)
    found = conv.step(h, x, edge_index=EDGE_INDEX, edge_weight=conv.edge_weight)
    torch.testing.assert_close(found, conv.act(dense(conv.edge_weight) @ h + x))


def test_a_subgraph_uses_the_parameters_at_its_positions():
    conv, x = network()
    nodes, edges = torch.tensor([3, 4]), torch.tensor([4, 5, 6])
    h = conv(x[nodes], EDGE_INDEX[:, edges] - 3, edge_pos=edges, node_pos=nodes)
    alone = SignalingConv(2, 3, tol=1e-13).double()
    with torch.no_grad():
        alone.edge_weight.copy_(conv.edge_weight[edges])
        alone.bias.copy_(conv.bias[nodes])
    torch.testing.assert_close(h, alone(x[nodes], EDGE_INDEX[:, edges] - 3))


def test_parameters_of_a_subgraph_get_their_gradient():
    conv, x = network()
    nodes, edges = torch.tensor([3, 4]), torch.tensor([4, 5, 6])
    conv(x[nodes], EDGE_INDEX[:, edges] - 3, edge_pos=edges, node_pos=nodes).sum().backward()
    assert conv.edge_weight.grad.nonzero().view(-1).tolist() == [4, 5, 6]
    assert conv.bias.grad[:, 0].nonzero().view(-1).tolist() == [3, 4]


def test_an_edge_index_changed_in_place_is_noticed():
    conv, x = network()
    edge_index = EDGE_INDEX.clone()
    before = conv(x, edge_index)
    edge_index[:, 0] = torch.tensor([0, 4])
    after = conv(x, edge_index)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, conv(x, edge_index.clone()))


def test_an_unstable_condition_is_named_with_its_remedy():
    conv = SignalingConv(1, 1, LeakyReLU(), max_steps=60)
    with torch.no_grad():
        conv.edge_weight.fill_(1.2)
    loop = torch.tensor([[0], [0]])
    with pytest.warns(UserWarning, match=r"1 of 2 conditions .* 0 \(residual .*spectral radius"):
        conv(torch.tensor([[1.0, -1.0]]), loop)


def test_a_converged_solve_does_not_warn():
    conv, x = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        conv(x, EDGE_INDEX)


def test_float32_stays_float32():
    conv = SignalingConv(5, 8)
    assert conv(torch.rand(5, 3), EDGE_INDEX).dtype == torch.float32


def test_the_clip_is_reported_only_where_it_is_active():
    conv, x = network(clip=1.0)
    h = conv(x, EDGE_INDEX)
    (grad := torch.zeros_like(h))[3, 0] = 100.0
    grad[3, 1] = 0.01
    h.backward(grad)
    assert conv.adjoint.clipped.tolist() == [True, False, False]
    assert conv.adjoint.converged.all()


def test_soft_clip_is_the_identity_and_then_saturates():
    u = torch.tensor([-50.0, -1.0, 0.3, 1.0, 2.0])
    expected = [-2.0, -1.0, 0.3, 1.0, 1 + torch.tanh(torch.tensor(1.0)).item()]
    torch.testing.assert_close(soft_clip(u, 1.0), torch.tensor(expected))
    torch.testing.assert_close(soft_clip(u[1:4], 1.0), u[1:4])


@pytest.mark.parametrize(
    ("x", "edge_index", "message"),
    [
        (torch.rand(4, 3), EDGE_INDEX, r"shape \[4, 3\]; it must be \[N, S\] with N = 5"),
        (torch.rand(5), EDGE_INDEX, r"shape \[5\]"),
        (torch.rand(5, 3), EDGE_INDEX[:, :7], "7 edges, but there are 8 weights"),
    ],
)
def test_inputs_of_another_network_are_refused(x, edge_index, message):
    with pytest.raises(ValueError, match=message):
        SignalingConv(5, 8)(x, edge_index)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_equal(duplicate):
    conv, x = network()
    h = conv(x, EDGE_INDEX)
    twin = duplicate(conv)
    torch.testing.assert_close(twin(x, EDGE_INDEX), h)
    with torch.no_grad():
        twin.edge_weight.zero_()
    torch.testing.assert_close(conv(x, EDGE_INDEX), h)


def test_repr_names_sizes_and_activation():
    assert repr(SignalingConv(5, 8)) == "SignalingConv(num_nodes=5, num_edges=8, act=MML)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c, x: c.solve(x, EDGE_INDEX, start=x[:, :2]), r"start has shape \[5, 2\]"),
        (lambda c, x: c.solve(x, EDGE_INDEX, start=x[:3]), r"start has shape \[3, 3\]"),
        (lambda c, x: c(x, EDGE_INDEX, edge_pos=torch.arange(1, 9)), "edge_pos holds 8"),
        (lambda c, x: c(x, EDGE_INDEX, node_pos=torch.tensor([-1, 0, 1, 2, 3])), "node_pos holds"),
    ],
)
def test_positions_and_starts_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*network())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0.0}, "tol is 0.0; it must be a positive number"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"max_steps": 0}, "max_steps is 0; at least one step"),
        ({"act": "MML"}, "act is 'MML'; give a function"),
    ],
)
def test_solver_settings_that_cannot_work_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SignalingConv(5, 8, **options)


def test_settings_changed_later_are_checked_as_well():
    conv, x = network()
    conv.max_steps = 0
    with pytest.raises(ValueError, match="max_steps is 0"):
        conv(x, EDGE_INDEX)


def test_inputs_of_another_precision_are_converted():
    conv = SignalingConv(5, 8)
    assert conv(torch.rand(5, 3).double(), EDGE_INDEX).dtype == torch.float32
    weight = torch.full((8,), 0.1, dtype=torch.float64)
    assert conv(torch.rand(5, 3), EDGE_INDEX, weight).dtype == torch.float32


def test_inference_mode_works():
    conv, x = network()
    expected = conv(x, EDGE_INDEX)
    with torch.inference_mode():
        torch.testing.assert_close(conv(x, EDGE_INDEX.clone()), expected)


def test_the_rounding_floor_is_named():
    conv, x = network(tol=1e-9)
    conv.float()
    with pytest.warns(UserWarning, match=r"rounding floor of torch.float32: solve in double"):
        point = conv(x.float(), EDGE_INDEX)
    assert point.isfinite().all()
    assert int(conv.solve(x.float(), EDGE_INDEX).num_steps.max()) < 200


def test_an_adjoint_that_does_not_converge_is_named():
    conv, x = network()
    h = conv(x, EDGE_INDEX)
    conv._solver.max_steps = 2
    with pytest.warns(UserWarning, match="adjoint of 3 of 3 conditions did not converge"):
        h.sum().backward()


def test_a_start_near_the_state_saves_steps():
    conv, x = network()
    point = conv.solve(x, EDGE_INDEX)
    again = conv.solve(x, EDGE_INDEX, start=point.value.detach())
    assert (again.num_steps < point.num_steps).all()
    torch.testing.assert_close(again.value, point.value)


def test_one_step_is_a_legal_limit():
    conv, x = network(max_steps=1, act=LeakyReLU())
    with pytest.warns(UserWarning, match="did not reach a steady state"):
        h = conv(x, EDGE_INDEX)
    torch.testing.assert_close(h, LeakyReLU()(x + conv.bias))


def test_slow_conditions_are_finished_by_acceleration_beside_fast_ones():
    conv = SignalingConv(2, 2, LeakyReLU(), tol=1e-12, max_steps=20_000).double()
    edges = torch.tensor([[0, 1], [1, 0]])
    with torch.no_grad():
        conv.edge_weight.fill_(0.9998)  # plain steps would take 140,000
        conv.bias.fill_(0.0)
    x = torch.tensor([[2e-4, -1.0], [2e-4, -1.0]], dtype=torch.float64)
    point = conv.solve(x, edges)
    assert point.converged.all()
    assert point.num_steps[1] < 100 < 5000 < point.num_steps[0]
    torch.testing.assert_close(point.value[:, 0], torch.ones(2).double(), rtol=0, atol=1e-8)


def test_an_adjoint_of_nothing_takes_no_time():
    conv, x = network()
    h = conv(x.requires_grad_(), EDGE_INDEX)
    (gradient,) = torch.autograd.grad(h[:, 1].sum(), x)
    assert gradient[:, 1].abs().min() > 0
    assert not gradient[:, [0, 2]].any()
    assert conv.adjoint.num_steps[[0, 2]].max() <= 4 < conv.adjoint.num_steps[1]
    assert conv.adjoint.converged.all()


def test_conditions_with_weights_of_their_own_start_where_they_are_told():
    conv, x = network()
    weight = conv.edge_weight.detach()[:, None].expand(8, 3)
    point = conv.solve(x, EDGE_INDEX, edge_weight=weight)
    again = conv.solve(x, EDGE_INDEX, edge_weight=weight, start=point.value)
    assert again.num_steps.max() <= 4 < point.num_steps.min()


def test_a_copy_carries_no_operator():
    conv, x = network()
    conv(x, EDGE_INDEX)
    assert conv._operator is not None
    assert pickle.loads(pickle.dumps(conv))._operator is None


def test_one_position_is_enough_for_one_edge():
    conv, _ = network()
    x = torch.tensor([[0.3], [0.0]], dtype=torch.float64)
    edge = torch.tensor([[0], [1]])
    h = conv(x, edge, edge_pos=torch.tensor([3]), node_pos=torch.tensor([2, 1]))
    z = torch.tensor([[0.3], [0.0]]).double() + conv.bias[[2, 1]]
    first = conv.act(z[0])
    torch.testing.assert_close(h[1], conv.act(z[1] + conv.edge_weight[3] * first))
