"""Agreement with exact steady states and gradients of published models."""

import json

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.nn import LEMBAS, contraction_rate, spectral_radius
from lembas_pyg.training import losses


class Golden:
    """One published model with its exact results, in our classes."""

    def __init__(self, file):
        with np.load(file) as arrays:
            self.file = dict(arrays)
        size = len(self["node_names"])
        masks = {}
        for role, key in (("ligand_mask", "input_index"), ("tf_mask", "output_index")):
            masks[role] = torch.zeros(size, dtype=torch.bool)
            masks[role][torch.from_numpy(self[key])] = True
        self.data = Data(
            edge_index=torch.from_numpy(np.stack([self["edge_source"], self["edge_target"]])),
            edge_sign=torch.from_numpy(self["edge_sign"]),
            node_name=self["node_names"].tolist(),
            num_nodes=size,
            **masks,
        )
        self.model = LEMBAS(
            self.data, radius=None, tol=1e-13, max_steps=5000, train_input=True
        ).double()
        # Golden projections are in the order of their names, ours in that of the nodes.
        self.input_order = np.argsort(self["input_index"])
        self.output_order = np.argsort(self["output_index"])
        with torch.no_grad():
            self.model.conv.edge_weight.copy_(torch.from_numpy(self["weights"]))
            self.model.conv.bias.copy_(torch.from_numpy(self["bias"])[:, None])
            for part, key, order in (
                (self.model.input, "input_weights", self.input_order),
                (self.model.output, "output_weights", self.output_order),
            ):
                part.weight.copy_(torch.from_numpy(self[key][order]))

    def __getitem__(self, key):
        return self.file[key]

    def rows(self, key):
        """Positions of the conditions named under a key."""
        names = self["condition_names"].tolist()
        return [names.index(name) for name in np.atleast_1d(self[key]).tolist()]

    def stimulus(self, rows):
        x = torch.zeros(self.data.num_nodes, len(rows), dtype=torch.float64)
        x[torch.from_numpy(self["input_index"])] = torch.from_numpy(self["X"][rows].T.copy())
        return x


@pytest.fixture(scope="module", params=["macrophage", "KEGGnet"])
def golden(request, shared_golden):
    return Golden(shared_golden / f"{request.param}.npz")


def test_states_and_activities(golden):
    prediction = golden.model(golden.stimulus(range(len(golden["condition_names"]))))
    assert prediction.converged.all()
    np.testing.assert_allclose(prediction.h.T.detach(), golden["state"], atol=1e-11, rtol=0)
    expected = golden["Yhat"][:, golden.output_order]
    np.testing.assert_allclose(prediction.y.T.detach(), expected, atol=1e-11, rtol=0)


def relative(found, expected):
    return abs(np.asarray(found) - expected).max() / abs(expected).max()


def test_gradients_of_all_parameters(golden):
    if golden["grad_loss"] < 1e-15:
        pytest.skip("the targets of this model are its own output: there is no gradient")
    model, rows = golden.model, golden.rows("grad_batch")
    model.zero_grad()
    measured = torch.from_numpy(golden["Y_data"][rows][:, golden.output_order].T.copy())
    loss = losses.fit_loss(model(golden.stimulus(rows)).y, measured)
    assert loss.item() == pytest.approx(golden["grad_loss"], rel=1e-12)
    loss.backward()
    assert relative(model.conv.edge_weight.grad, golden["grad_weights"]) < 1e-10
    assert relative(model.conv.bias.grad[:, 0], golden["grad_bias"]) < 1e-10
    found, order = model.input.weight.grad, golden.input_order
    assert relative(found, golden["grad_input_weights"][order]) < 1e-10
    found, order = model.output.weight.grad, golden.output_order
    assert relative(found, golden["grad_output_weights"][order]) < 1e-10


def test_knock_outs(golden):
    (row,) = golden.rows("ko_condition")
    names = golden.data.node_name
    for key, strength in (("ko_m5", -5.0), ("ko_m3", -3.0), ("ki_p3", 3.0)):
        if f"{key}_Yhat" not in golden.file:
            continue
        nodes = [names.index(name) for name in golden["ko_nodes"].tolist()]
        perturbation = torch.zeros(golden.data.num_nodes, len(nodes), dtype=torch.float64)
        perturbation[nodes, range(len(nodes))] = strength
        x, model = golden.stimulus([row] * len(nodes)), golden.model
        point = model.steady_state(x, perturbation)
        golden_state = torch.from_numpy(golden[f"{key}_state"].T.copy())
        # Knocking in IKBKB (O14920) of the macrophage model has no steady state: the golden loop
        # ended on its way, and we have to say so.
        drive = model.input(x) + perturbation + model.conv.bias
        again = model.conv.act(
            model.operator.propagate(model.conv.edge_weight, golden_state) + drive
        )
        steady = (again - golden_state).abs().amax(dim=0) < 1e-12
        assert point.converged.tolist() == steady.tolist()
        assert steady.sum() >= 9
        torch.testing.assert_close(
            point.value[:, steady], golden_state[:, steady], atol=1e-11, rtol=0
        )


def test_spectral_radius_and_its_gradient(golden):
    data = golden.data
    weight = golden.model.conv.edge_weight.detach().clone().requires_grad_()
    rho = spectral_radius(data.edge_index, weight, data.num_nodes)
    assert rho.item() == pytest.approx(float(golden["spectral_radius_weights_only"]), rel=1e-10)
    slope = torch.from_numpy(golden["onestep_factor"])
    for i, expected in enumerate(golden["spectral_radius"]):
        scaled = slope[i][data.edge_index[1]] * weight
        rho = spectral_radius(data.edge_index, scaled, data.num_nodes)
        assert rho.item() == pytest.approx(expected, rel=1e-9)
        if i == 0:
            (grad,) = torch.autograd.grad(rho, weight)
            assert relative(grad, golden["dspectral_dweight"]) < 1e-9


def test_slopes_and_contraction_rate(golden):
    model, rows = golden.model, golden.rows("sr_conditions")
    x = golden.stimulus(rows)
    slope = model.slope(model(x).h.detach(), x)
    np.testing.assert_allclose(slope.T, golden["onestep_factor"], atol=1e-10)
    vector = torch.randn(
        slope.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    rates = []
    for _ in range(60):
        rate, vector = contraction_rate(model.operator, model.conv.edge_weight, slope, vector)
        rates.append(rate.detach().log())
    mean = torch.stack(rates[20:]).mean(dim=0).exp()
    np.testing.assert_allclose(mean, golden["spectral_radius"], rtol=0.02)


def test_losses_of_the_original(golden):
    options = json.loads(str(golden["uniform_loss_args"]))
    high, dead = options["targetMax"], options["maxConstraintFactor"]
    states = torch.from_numpy(golden["state"].T.copy())
    found = losses.uniform_loss(states, 0.0, high, dead)
    assert found.item() == pytest.approx(golden["uniform_loss_all_conditions"], rel=1e-10)
    batch = states[:, golden.rows("grad_batch")].requires_grad_()
    found = losses.uniform_loss(batch, 0.0, high, dead)
    assert found.item() == pytest.approx(golden["uniform_loss_batch"], rel=1e-10)
    (grad,) = torch.autograd.grad(found, batch)
    # Conditions that tie for a node's extreme share its gradient here; there one takes it all.
    expected = golden["uniform_loss_grad"].T
    assert relative(grad.sum(dim=1), expected.sum(axis=1)) < 1e-9
    distinct = [len(set(row)) == len(row) for row in batch.detach().tolist()]
    assert sum(distinct) > 100
    assert relative(grad[distinct], expected[distinct]) < 1e-9
    weight, sign = golden.model.conv.edge_weight.detach(), golden.data.edge_sign
    expected = float(golden["sign_loss_sum_abs"])
    assert losses.sign_loss(weight, sign).item() == pytest.approx(expected)
    sharpness, target = float(golden["spectral_loss_expfactor"]), float(golden["spectral_target"])
    rho = torch.tensor(golden["spectral_radius"][0])
    found = losses.spectral_loss(rho, sharpness, target, 0.5).item()
    assert found == pytest.approx(float(golden["spectral_loss_at_sr0"]), rel=1e-9)
