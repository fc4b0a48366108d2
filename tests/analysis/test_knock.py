"""Knock-outs and predictions against one run at a time."""

import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import perturbed as perturbed_module
from lembas_pyg.analysis import knock_in, knock_out
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict


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
    ],
)
def test_what_is_not_there_cannot_be_perturbed(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        knock_out(model, data, **options)


def test_data_without_conditions_or_of_another_network_are_refused(model, data):
    with pytest.raises(ValueError, match="has no conditions; add them with"):
        knock_out(model, ToyNetwork()[0])
    other = data.clone()
    other.edge_sign = -other.edge_sign
    with pytest.raises(ValueError, match="not of the model's network"):
        predict(model, other)
