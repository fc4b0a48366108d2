"""The whole model on a network small enough to draw."""

import io

import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.nn import LEMBAS, LeakyReLU, spectral_radius


def small_network():
    """Two ligands A, B; C, D, E inside; TFs D and F. N=6, E=7."""
    return Data(
        edge_index=torch.tensor([[0, 1, 2, 3, 2, 4, 3], [2, 3, 3, 2, 4, 5, 5]]),
        edge_sign=torch.tensor([1, 1, 1, 1, -1, -1, 0]),
        node_name=["A", "B", "C", "D", "E", "F"],
        ligand_mask=torch.tensor([True, True, False, False, False, False]),
        tf_mask=torch.tensor([False, False, False, True, False, True]),
        num_nodes=6,
    )


@pytest.fixture
def data():
    return small_network()


@pytest.fixture
def x():
    """Three conditions, ligands only."""
    x = torch.zeros(6, 3, dtype=torch.float64)
    x[0] = torch.tensor([0.0, 0.5, 1.0])
    x[1] = torch.tensor([1.0, 0.2, 0.0])
    return x


def model_of(data, **options):
    return LEMBAS(data, generator=torch.Generator().manual_seed(1), **options).double()


def test_the_prediction_solves_the_dense_equation(data, x):
    model = model_of(data, tol=1e-13)
    with torch.no_grad():
        model.input.weight.copy_(torch.tensor([2.0, 0.7]))
        model.output.weight.copy_(torch.tensor([1.1, 0.9]))
    perturbation = torch.rand(6, 3, dtype=torch.float64)
    y, h, residual, converged = model(x, perturbation)
    matrix = torch.zeros(6, 6, dtype=torch.float64)
    matrix[data.edge_index[1], data.edge_index[0]] = model.conv.edge_weight.detach()
    drive = x * torch.tensor([2.0, 0.7, 0, 0, 0, 0]).double().view(-1, 1)
    expected = model.conv.act(matrix @ h + model.conv.bias + drive + perturbation)
    torch.testing.assert_close(h, expected)
    torch.testing.assert_close(y, torch.stack([1.1 * h[3], 0.9 * h[5]]))
    assert converged.all()
    assert (residual <= 1e-13).all()


def test_gradients_of_all_parameters_pass_gradcheck(data, x):
    model = model_of(data, tol=1e-14, train_input=True)
    names = [name for name, _ in model.named_parameters()]
    values = tuple(p.detach().clone().requires_grad_() for p in model.parameters())

    def predicted(*values):
        return torch.func.functional_call(model, dict(zip(names, values, strict=True)), (x,)).y

    assert sorted(names) == ["conv.bias", "conv.edge_weight", "input.weight", "output.weight"]
    assert torch.autograd.gradcheck(predicted, values)


def test_initial_parameters_are_those_of_the_paper(data):
    model = model_of(data)
    assert model.input.weight.tolist() == [3, 3]
    assert model.output.weight.tolist() == pytest.approx([1.2, 1.2])
    assert not model.input.weight.requires_grad
    assert model.output.weight.requires_grad
    weight = model.conv.edge_weight.detach()
    assert (weight < 0).tolist() == [False, False, False, False, True, True, False]
    # E is only inhibited and starts active; F has an input of unknown sign and does not.
    assert model.conv.bias.view(-1).tolist() == pytest.approx([1e-3] * 4 + [1, 1e-3])
    assert spectral_radius(model.edge_index, weight, 6).item() == pytest.approx(0.8, rel=1e-6)


def test_the_generator_decides_the_initial_weights(data):
    first, same = (model_of(data).conv.edge_weight for _ in range(2))
    assert torch.equal(first, same)


def test_a_float32_model_takes_float64_conditions(data, x):
    assert LEMBAS(data)(x).y.dtype == torch.float32


def test_slopes_are_those_of_the_activation(data, x):
    for act in (LeakyReLU(), torch.tanh):
        model = model_of(data, act=act, tol=1e-13)
        h = model(x).h.detach()
        expected = torch.where(h > 0, 1.0, 0.01) if act is not torch.tanh else 1 - h**2
        torch.testing.assert_close(model.slope(h, x), expected.double())


def test_a_state_dict_carries_the_model_and_its_names(data, x):
    model, other = model_of(data), LEMBAS(data).double()
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x).y, model(x).y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.edge_index.__setitem__((0, 0), 1), "1 of 7 interactions differ, the first at"),
        (lambda d: d.edge_sign.__setitem__(6, 1), "1 of 7 modes of action differ"),
        (lambda d: d.tf_mask.__setitem__(4, True), "2 TFs here and 3 there|3 TFs here and 2"),
        (lambda d: d.node_name.__setitem__(4, "Z"), "only here: .*only there: "),
        (lambda d: d.node_name.reverse(), "the same nodes in another order"),
    ],
)
def test_parameters_of_another_network_are_refused(data, change, message):
    other = small_network()
    change(other)
    with pytest.raises(ValueError, match=message):
        LEMBAS(other).load_state_dict(LEMBAS(data).state_dict())
    assert LEMBAS(data).network_difference(other) is not None
    assert LEMBAS(data).network_difference(data) is None


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(5, 3), r"x has shape \[5, 3\]; it must be \[N, S\] with N = 6"),
        (torch.zeros(6), r"x has shape \[6\]"),
        (torch.full((6, 3), torch.nan), "x holds NaN or infinite concentrations"),
        (torch.ones(6, 3), "x is not zero at 'C', which is no ligand"),
    ],
)
def test_stimuli_that_do_not_fit_are_refused(data, x, message):
    with pytest.raises(ValueError, match=message):
        LEMBAS(data)(x)


def test_a_perturbation_of_another_shape_is_refused(data, x):
    with pytest.raises(ValueError, match=r"perturbation has shape \[3, 6\]"):
        LEMBAS(data)(x, torch.zeros(3, 6))
    with pytest.raises(ValueError, match="perturbation has 2 conditions, but x has 3"):
        LEMBAS(data)(x, torch.zeros(6, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.__delattr__("edge_sign"), "has no edge_sign; make it with"),
        (lambda d: d.ligand_mask.fill_(False), "has no ligand. Roles come from"),
        (lambda d: d.tf_mask.fill_(False), "has no transcription factor"),
        (lambda d: setattr(d, "edge_index", d.edge_index[:, :0]), "has no interaction"),
        (lambda d: setattr(d, "tf_mask", d.tf_mask[:3]), "tf_mask is torch.bool of 3 entries"),
        (lambda d: setattr(d, "ligand_mask", d.ligand_mask.int()), "ligand_mask is torch.int32"),
        (lambda d: setattr(d, "edge_sign", d.edge_sign[:5]), "5 modes of action for 7 interac"),
        (lambda d: setattr(d, "node_name", ["A"]), "1 node names for 6 nodes"),
    ],
)
def test_a_network_without_what_the_model_needs_is_refused(data, change, message):
    change(data)
    with pytest.raises(ValueError, match=message):
        LEMBAS(data)


def test_the_model_lives_on_the_device_of_the_tests(data, x, device):
    model = model_of(data).to(device)
    assert model(x.to(device)).y.device.type == torch.device(device).type
