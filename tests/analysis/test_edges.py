"""Edge effects against models with another weight."""

import copy
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import edge_effects, strongest
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.training import Ensemble

KEYS = ["condition", "source", "target", "tf"]


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture(scope="module")
def model(data):
    return load_parameters(LEMBAS(data, tol=1e-14).double(), ToyNetwork.parameters())


def with_weight(model, edge, weight, x):
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.conv.edge_weight[edge] = weight
        return other(x).y.item()


def test_derivatives_and_deletions_are_those_of_a_model_with_another_weight(model, data):
    table = edge_effects(model, data, delete=True)
    values = ["control", "derivative", "first_order", "deleted", "delta"]
    assert table.columns.tolist() == [*KEYS, *values]
    assert len(table) == 3 * 8 * 1
    for row in table.itertuples():
        pair = [data.node_name.index(row.source), data.node_name.index(row.target)]
        edge = data.edge_index.T.tolist().index(pair)
        x = data.x[:, [data.conditions[row.condition]]].double()
        weight = model.conv.edge_weight[edge].item()
        up, down = (with_weight(model, edge, weight + step, x) for step in (1e-6, -1e-6))
        assert row.derivative == pytest.approx((up - down) / 2e-6, abs=1e-7)
        assert row.first_order == pytest.approx(-weight * row.derivative, abs=1e-14)
        assert row.deleted == pytest.approx(with_weight(model, edge, 0.0, x), abs=1e-11)
        assert row.delta == row.deleted - row.control


def test_all_derivatives_agree_with_those_of_training(model, data):
    table = edge_effects(model, data, conditions=["b", "a"])
    trained = copy.deepcopy(model)
    trained(data.x[:, :2]).y.sum().backward()
    found = table.groupby(["source", "target"], sort=False, observed=True)["derivative"].sum()
    np.testing.assert_allclose(found, trained.conv.edge_weight.grad, atol=1e-11)


def test_edges_come_in_the_order_they_are_named(model, data):
    pairs = [("S2", "T1"), ("L1", "R1")]
    table = edge_effects(model, data, pairs, "a", tfs="T1")
    assert table[["source", "target"]].values.tolist() == [list(pair) for pair in pairs]


@pytest.mark.parametrize("delete", [False, True])
def test_the_strongest_condition_and_blocks(model, data, delete, monkeypatch):
    whole = edge_effects(model, data, delete=delete)
    by = "delta" if delete else "first_order"
    short = edge_effects(model, data, delete=delete, strongest=True)
    size = whole[by].abs().groupby([whole["source"], whole["target"]], observed=True).max()
    keys = pd.MultiIndex.from_frame(short[["source", "target"]].astype(str))
    np.testing.assert_array_equal(short[by].abs(), size[keys])
    monkeypatch.setattr(sys.modules["lembas_pyg.analysis.edges"], "_NUMBERS", 1)
    again = edge_effects(model, data, delete=delete)
    pd.testing.assert_frame_equal(again, whole, rtol=0, atol=1e-10)


def test_an_ensemble_says_the_median_and_the_spread(data):
    models = [LEMBAS(data, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    table = edge_effects(Ensemble(models), data)
    parts = [edge_effects(member, data) for member in models]
    for name in ("control", "derivative", "first_order"):
        members = np.stack([part[name] for part in parts])
        np.testing.assert_allclose(table[name], np.median(members, axis=0), atol=1e-12)
    np.testing.assert_allclose(table["spread"], members.std(axis=0, ddof=1), atol=1e-12)


def test_a_state_that_is_not_steady_is_blank_and_named(data):
    model = LEMBAS(data, act=LeakyReLU()).double()
    name, pairs = data.node_name.index, data.edge_index.T.tolist()
    with torch.no_grad():  # S1 and R1 excite each other without bound
        model.conv.edge_weight.zero_()
        for source, target in (("R1", "S1"), ("S1", "R1")):
            model.conv.edge_weight[pairs.index([name(source), name(target)])] = 2.0
    edges = [("S1", "R1"), ("L1", "R1")]
    with pytest.warns(UserWarning) as said:
        table = edge_effects(model, data, edges, "a", delete=True, max_steps=200)
    assert len(said) == 1
    assert "2 of 3 conditions did not reach a steady state" in str(said[0].message)
    assert "a (residual" in str(said[0].message)
    assert "a without L1 -> R1" in str(said[0].message)
    assert table[["control", "derivative", "delta"]].isna().all(axis=None)
    assert table["deleted"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([("S1", "S9")], "'S9' is not among the 7 nodes"),
        ([("T1", "L1")], "no interaction T1 -> L1 among the 8"),
        ([("S2", "T1"), ("S2", "T1")], "more than once"),
        ([], "No edge was named"),
        ([("S1",)], "pairs of accessions"),
    ],
)
def test_edges_that_are_not_there_are_refused(model, data, edges, message):
    with pytest.raises(ValueError, match=message):
        edge_effects(model, data, edges)


def test_tables_are_made_shorter_by_any_column(model, data):
    table = edge_effects(model, data)
    with pytest.raises(ValueError, match="no column 'node'"):
        strongest(table, by="first_order")
