"""Knock-outs and predictions against one run at a time."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import knock_in, knock_out
from lembas_pyg.analysis import perturbed as perturbed_module
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict
from lembas_pyg.training import Ensemble


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture(scope="module")
def model(data):
    return load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())


def test_the_table_has_a_row_a_condition_node_and_tf(model, data):
    table = knock_out(model, data)
    assert table.columns.tolist() == ["condition", "node", "tf", "control", "perturbed", "delta"]
    assert len(table) == 3 * 7 * 1
    assert table["node"].unique().tolist() == data.node_name
    assert table["condition"].unique().tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(("function", "strength"), [(knock_out, -5.0), (knock_in, 5.0)])
def test_every_row_is_a_run_with_one_perturbed_node(model, data, function, strength):
    table = function(model, data, nodes=["S1", "R2"], conditions=["b", "a"])
    assert table["node"].unique().tolist() == ["S1", "R2"]
    assert table["condition"].unique().tolist() == ["b", "a"]
    model.conv.tol = 1e-13
    for row in table.itertuples():
        x = data.x[:, [data.conditions[row.condition]]]
        perturbation = torch.zeros_like(x)
        perturbation[data.node_name.index(row.node)] = strength
        assert row.control == pytest.approx(model(x).y.item(), abs=1e-11)
        assert row.perturbed == pytest.approx(model(x, perturbation).y.item(), abs=1e-11)
        assert row.delta == row.perturbed - row.control


def test_a_strength_of_zero_changes_nothing(model, data):
    assert (knock_out(model, data, strength=0.0)["delta"].abs() < 1e-11).all()


def test_blocks_do_not_change_the_result(model, data, monkeypatch):
    whole = knock_out(model, data)
    monkeypatch.setattr(perturbed_module, "_COLUMNS", 4)
    pd.testing.assert_frame_equal(knock_out(model, data), whole, rtol=0, atol=1e-11)


def test_a_single_name_will_do(model, data):
    table = knock_out(model, data, nodes="S1", conditions="c")
    assert table[["condition", "node"]].values.tolist() == [["c", "S1"]]


def test_names_may_come_from_a_table(model, data):
    nodes = pd.Series(["S1", "R2"])
    for names in (nodes, nodes.to_numpy(), pd.Index(nodes)):
        assert knock_out(model, data, names)["node"].unique().tolist() == ["S1", "R2"]


def test_the_model_is_not_changed(model, data):
    before = {name: value.clone() for name, value in model.named_parameters()}
    knock_out(model, data)
    assert model.conv.tol != 1e-12
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


def test_a_float32_model_is_solved_in_float64(model, data):
    assert predict(LEMBAS(data), data).y.dtype == torch.float64


def test_predictions_follow_the_conditions_named(model, data):
    whole = predict(model, data)
    assert whole.converged.all()
    torch.testing.assert_close(predict(model, data, ["c", "a"]).y, whole.y[:, [2, 0]])


def test_a_perturbation_without_steady_state_is_blank_and_named(data):
    model = load_parameters(LEMBAS(data, act=LeakyReLU()).double(), plain_parameters())
    with torch.no_grad():
        model.conv.edge_weight[model.edge_index[1] == data.node_name.index("R1")] = 2.0
    with pytest.warns(UserWarning, match="R2 under c|did not reach a steady state"):
        table = knock_in(model, data, nodes=["L1", "R2"], conditions="c", max_steps=500)
    assert table["perturbed"].isna().any()
    assert (table["delta"].isna() == table["perturbed"].isna()).all()


def plain_parameters():
    table = ToyNetwork.parameters()
    table.attrs = {}
    return table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodes": "S9"}, "'S9' is not among the 7 nodes"),
        ({"nodes": []}, "No node was named"),
        ({"nodes": ["S1", "S1"]}, "Named more than once: S1"),
        ({"nodes": [3]}, "3 is no name; nodes and conditions are given by name"),
        ({"conditions": ["a", "a"]}, "Named more than once: a"),
        ({"strength": "a"}, "strength is 'a'"),
        ({"conditions": "z"}, "Unknown conditions: 'z'. The data have a, b, c"),
        ({"conditions": []}, "none was named"),
        ({"strength": float("nan")}, "strength is nan; it must be a finite number"),
        ({"clamp": float("inf")}, "clamp is inf; it must be a finite number, such as 0"),
        ({"nodes": [("S1", "S9")]}, "'S9' is not among the 7 nodes"),
        ({"nodes": [("S1", "S1")]}, "Named more than once: S1"),
        ({"nodes": [("S1", "R1"), ("R1", "S1")]}, r"Named more than once: R1\+S1"),
        ({"nodes": [()]}, "A set of nodes is empty"),
        ({"tfs": "S1"}, "'S1' is not a TF of this network; TFs are T1"),
    ],
)
def test_what_is_not_there_cannot_be_perturbed(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        knock_out(model, data, **options)


def test_a_set_is_not_mistaken_for_a_node_of_that_name(model, data):
    other = data.clone()
    other.node_name = [*data.node_name[:-1], "R1+S1"]
    with pytest.raises(ValueError, match="would be named 'R1\\+S1', as another node is"):
        knock_out(LEMBAS(other), other, [("R1", "S1")])


def test_data_without_conditions_or_of_another_network_are_refused(model, data):
    with pytest.raises(ValueError, match="has no conditions; add them with"):
        knock_out(model, ToyNetwork()[0])
    other = data.clone()
    other.edge_sign = -other.edge_sign
    with pytest.raises(ValueError, match="not of the model's network"):
        predict(model, other)


@pytest.fixture(scope="module")
def tangle():
    """A random network with feedback and a self-loop, and a model of it."""
    generator = np.random.default_rng(3)
    wiring = (generator.random((9, 9)) < 0.3) & ~np.eye(9, dtype=bool)
    wiring[4, 4] = True
    edge_index = torch.from_numpy(np.stack(np.nonzero(wiring)))
    data = Data(
        edge_index=edge_index,
        edge_sign=torch.zeros(edge_index.size(1)),
        node_name=[f"N{i}" for i in range(9)],
        node_label=[f"n{i}" for i in range(9)],
        ligand_mask=torch.arange(9) < 2,
        receptor_mask=torch.zeros(9, dtype=torch.bool),
        tf_mask=torch.arange(9) > 5,
        num_nodes=9,
    )
    x = torch.zeros(9, 4)
    x[:2] = torch.tensor([[0.5, 0.0, 1.0, 0.2], [0.0, 0.7, 1.0, 0.1]])
    data.x, data.conditions = x, {name: i for i, name in enumerate("abcd")}
    model = LEMBAS(data, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        model.conv.edge_weight.mul_(1.4)
        model.conv.bias.uniform_(-0.1, 0.4, generator=torch.Generator().manual_seed(2))
    return data, model.requires_grad_(False)


def held(model, x, nodes, value):
    """Dense iteration in which some states are overwritten in every step."""
    matrix = torch.zeros(9, 9, dtype=torch.double)
    matrix[model.edge_index[1], model.edge_index[0]] = model.conv.edge_weight
    h = torch.zeros(9, 4, dtype=torch.double)
    for _ in range(3000):
        h[nodes] = value
        h = model.conv.act(matrix @ h + model.conv.bias + model.input(x.double()))
    h[nodes] = value
    return model.output(h)


@pytest.mark.parametrize("value", [0.0, 0.6, 1.0, -0.3])
def test_a_clamped_state_is_held_whatever_drives_it(tangle, value):
    data, model = tangle
    sets = [["N0"], ["N4"], ["N7"], ["N3", "N4"], ["N1", "N5", "N8"]]
    table = knock_out(model, data, sets, clamp=value)
    for nodes in sets:
        expected = held(model, data.x, [int(name[1]) for name in nodes], value)
        found = table[table["node"] == "+".join(nodes)]
        found = found.pivot(index="tf", columns="condition", values="perturbed")
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    assert (table["delta"].abs() > 1e-3).any()


def test_a_knock_in_may_clamp_as_well(tangle):
    data, model = tangle
    pd.testing.assert_frame_equal(
        knock_in(model, data, "N5", clamp=0.9), knock_out(model, data, "N5", clamp=0.9)
    )


def test_nodes_of_a_set_are_perturbed_together_and_named_in_the_order_of_the_network(model, data):
    for nodes in ([("S1", "R2"), "S1"], [["R2", "S1"], ("S1",)], [{"S1", "R2"}, frozenset(["S1"])]):
        table = knock_out(model, data, nodes, "b", strength=-3)
        assert table["node"].tolist() == ["R2+S1", "S1"]
        perturbation = torch.zeros(7, 1)
        perturbation[[3, 4]] = -3.0
        together = predict(model, data, "b", perturbation=perturbation).y.item()
        assert table["perturbed"].iloc[0] == pytest.approx(together, abs=1e-11)


def test_some_tfs_in_the_order_named(tangle):
    data, model = tangle
    whole = knock_out(model, data, ["N3", "N2"])
    part = knock_out(model, data, ["N3", "N2"], tfs=["N8", "N6"])
    assert part["tf"].unique().tolist() == ["N8", "N6"]
    both = whole.merge(part, on=["condition", "node", "tf"])
    assert len(both) == len(part) == 16
    assert (both["delta_x"] == both["delta_y"]).all()


def test_the_table_of_all_members_holds_that_of_each(model, data):
    other = LEMBAS(data, generator=torch.Generator().manual_seed(5)).double()
    table = knock_out(Ensemble([model, other]), data, ["S1", "R2"], by_member=True)
    assert table["member"].unique().tolist() == [0, 1]
    for number, member in enumerate((model, other)):
        part = table[table["member"] == number].drop(columns="member").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, knock_out(member, data, ["S1", "R2"]))


def test_only_members_that_were_trained_without_the_condition(model, data):
    other = LEMBAS(data, generator=torch.Generator().manual_seed(5)).double()
    both = Ensemble([model, other], held_out=[["a"], ["b"]])
    table = knock_out(both, data, ["S1", "R2"], trained_on=False)
    for member, condition in ((model, "a"), (other, "b")):
        part = table[table["condition"] == condition]
        alone = knock_out(member, data, ["S1", "R2"], condition)
        np.testing.assert_allclose(part["delta"], alone["delta"], atol=1e-12)
        assert (part["members"] == 1).all()
    assert len(table) == 4


def test_all_that_has_no_steady_state_is_named_in_one_warning(data):
    restless = LEMBAS(data, act=LeakyReLU()).double().requires_grad_(False)
    restless.conv.edge_weight.fill_(3.0)
    restless.conv.bias.fill_(1.0)
    calm = LEMBAS(data, act=LeakyReLU(), generator=torch.Generator().manual_seed(0))
    with pytest.warns(UserWarning, match=r"4 of 8 conditions .* b in member 1 \(residual.* S1 und"):
        table = knock_out(Ensemble([calm, restless]), data, "S1", ["a", "b"], max_steps=500)
    assert table["delta"].notna().all()
    assert table["spread"].isna().all()
