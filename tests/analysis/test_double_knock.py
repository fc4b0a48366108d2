"""Pairs of knock-outs against runs with both nodes perturbed, and synergies known beforehand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import double_knock_out, knock_out
from lembas_pyg.analysis import perturbed as perturbed_module
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict
from lembas_pyg.training import Ensemble

NODES = ["S2", "R1", "R2", "S1"]


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture(scope="module")
def models(data):
    return [
        LEMBAS(data, generator=torch.Generator().manual_seed(seed)).double() for seed in range(3)
    ]


def test_every_row_is_a_run_with_both_nodes_perturbed(models, data):
    table = double_knock_out(models[0], data, NODES, ["b", "a"], strength=-2)
    assert table.columns.tolist() == [
        *("condition", "node_a", "node_b", "tf", "control", "perturbed"),
        *("delta_a", "delta_b", "delta", "synergy"),
    ]
    pairs = list(combinations(NODES, 2))
    assert [(row.node_a, row.node_b) for row in table.itertuples()] == 2 * pairs
    single = knock_out(models[0], data, NODES, ["b", "a"], strength=-2)
    single = single.set_index(["condition", "node"])["delta"]
    for row in table.itertuples():
        perturbation = torch.zeros(7, 1)
        perturbation[[data.node_name.index(node) for node in (row.node_a, row.node_b)]] = -2.0
        y = predict(models[0], data, row.condition, perturbation=perturbation).y.item()
        assert row.perturbed == pytest.approx(y, abs=1e-11)
        assert row.delta_a == pytest.approx(single[row.condition, row.node_a], abs=1e-11)
        assert row.delta_b == pytest.approx(single[row.condition, row.node_b], abs=1e-11)
        assert row.synergy == pytest.approx(row.delta - row.delta_a - row.delta_b, abs=1e-15)
    assert (table["synergy"].abs() > 1e-3).any()


def test_parallel_ways_in_the_linear_range_add_up_and_one_way_is_not_cut_twice():
    """L sends 0.4 to A and 0.2 to B, both to T; A is reached through C as well as clamped."""
    data = Data(
        edge_index=torch.tensor([[0, 1, 0, 2, 3], [3, 4, 2, 4, 1]]),
        edge_sign=torch.ones(5),
        node_name=["L", "A", "B", "C", "T"],
        node_label=["L", "A", "B", "C", "T"],
        ligand_mask=torch.tensor([1, 0, 0, 0, 0], dtype=torch.bool),
        tf_mask=torch.tensor([0, 0, 0, 0, 1], dtype=torch.bool),
        x=torch.tensor([[1.0], [0.0], [0.0], [0.0], [0.0]]),
        conditions={"on": 0},
        num_nodes=5,
    )
    model = LEMBAS(data, act=LeakyReLU()).double().requires_grad_(False)
    model.input.weight.fill_(1.0)
    model.output.weight.fill_(1.0)
    model.conv.bias.zero_()
    model.conv.edge_weight.copy_(torch.tensor([0.4, 1.0, 0.2, 1.0, 1.0]))
    table = double_knock_out(model, data, ["A", "B", "C"], clamp=0.0)
    found = table.set_index(["node_a", "node_b"])[["delta_a", "delta_b", "delta", "synergy"]]
    expected = {
        ("A", "B"): [-0.4, -0.2, -0.6, 0.0],
        ("A", "C"): [-0.4, -0.4, -0.4, 0.4],
        ("B", "C"): [-0.2, -0.4, -0.6, 0.0],
    }
    for pair, numbers in expected.items():
        np.testing.assert_allclose(found.loc[pair], numbers, atol=1e-12)


def test_of_an_ensemble_every_number_is_a_median(models, data, monkeypatch):
    monkeypatch.setattr(perturbed_module, "_COLUMNS", 4)
    each = double_knock_out(Ensemble(models), data, NODES, by_member=True)
    for number, model in enumerate(models):
        part = each[each["member"] == number].drop(columns="member").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, double_knock_out(model, data, NODES), atol=1e-11)
    found = double_knock_out(Ensemble(models), data, NODES)
    for name in ("control", "perturbed", "delta_a", "delta_b", "delta", "synergy"):
        stacked = each[name].to_numpy().reshape(3, -1)
        np.testing.assert_allclose(found[name], np.median(stacked, axis=0), atol=1e-12)
    np.testing.assert_allclose(found["spread"], stacked.std(axis=0, ddof=1), atol=1e-12)


def test_a_set_is_one_partner_of_a_pair(models, data):
    table = double_knock_out(models[0], data, [("R1", "R2"), "S1"], "a")
    three = knock_out(models[0], data, [("R1", "R2", "S1")], "a")
    assert table[["node_a", "node_b"]].values.tolist() == [["R1+R2", "S1"]]
    assert table["delta"].item() == pytest.approx(three["delta"].item(), abs=1e-11)


def test_pairs_without_a_steady_state_are_blank_and_named_once(data):
    model = LEMBAS(data, act=LeakyReLU()).double().requires_grad_(False)
    model.conv.bias.zero_()
    model.conv.edge_weight.fill_(0.1)
    # R1 and S1 feed each other beyond 1; only R2 holds the loop down while it is negative.
    model.conv.edge_weight[model.edge_index[1] == data.node_name.index("R1")] = 30.0
    with pytest.warns(UserWarning, match="did not reach a steady state") as told:
        table = double_knock_out(model, data, ["S2", "R2", "R1"], "a", 2.0, max_steps=300)
    assert len(told) == 1
    assert table["synergy"].isna().any()


def test_one_node_makes_no_pair(models, data):
    with pytest.raises(ValueError, match="1 node makes no pair; name two or more"):
        double_knock_out(models[0], data, "S1")
