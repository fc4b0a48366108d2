"""Stability of steady states: closed forms, and the golden files."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import stability
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_parameters
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS, spectral_radius
from lembas_pyg.training import Ensemble


def loop_of_two(forward, back):
    """L -> A -> B -> A; the state of A and B is in the linear range of the activation."""
    data = Data(
        edge_index=torch.tensor([[0, 1, 2], [1, 2, 1]]),
        edge_sign=torch.tensor([1, 1, -1 if back < 0 else 1]),
        node_name=["L", "A", "B"],
        node_label=["ligand", "kinase", "substrate"],
        ligand_mask=torch.tensor([True, False, False]),
        tf_mask=torch.tensor([False, False, True]),
        num_nodes=3,
    )
    model = LEMBAS(data, radius=None, input_amplitude=1.0).double()
    with torch.no_grad():
        model.conv.edge_weight.copy_(torch.tensor([1.0, forward, back]))
        model.conv.bias.zero_()
    return model, add_conditions(data, pd.DataFrame({"L": [0.05, 0.1]}, index=["low", "high"]))


def test_negative_feedback_oscillates_with_a_period_of_four_steps():
    model, data = loop_of_two(0.9, -0.9)
    found = stability(model, data)
    assert found.conditions["condition"].tolist() == ["low", "high"]
    row = found.conditions.iloc[1]
    assert row["converged"]
    assert row["radius"] == pytest.approx(0.9)
    assert row["time_scale"] == pytest.approx(-1 / math.log(0.9))
    assert row["period"] == pytest.approx(4)
    assert len(found.modes) == 2  # a pair counts once
    assert found.modes["num_nodes"].tolist() == pytest.approx([2, 2])
    assert found.nodes["node"].tolist() == ["A", "B"] * 2
    assert found.nodes["label"].tolist() == ["kinase", "substrate"] * 2
    assert found.nodes["participation"].tolist() == pytest.approx([0.5] * 4)


def test_positive_feedback_does_not_oscillate():
    model, data = loop_of_two(0.5, 0.5)
    modes = stability(model, data, "low").modes.sort_values("real", ascending=False)
    np.testing.assert_allclose(modes["real"], [0.5, -0.5])
    assert math.isnan(modes["period"].iloc[0])
    assert modes["period"].iloc[1] == pytest.approx(2)


def test_a_condition_without_steady_state_is_warned_of_and_has_no_mode():
    model, data = loop_of_two(3.0, -3.0)
    with pytest.warns(UserWarning, match="did not reach a steady state"):
        found = stability(model, data, "high", max_steps=50)
    assert not found.conditions["converged"].item()
    assert math.isnan(found.conditions["radius"].item())
    assert found.modes.empty
    assert found.modes.columns[0] == "condition"


def test_without_feedback_the_radius_is_zero():
    model, data = loop_of_two(0.5, 0.5)
    with torch.no_grad():
        model.conv.edge_weight[2] = 0.0
    found = stability(model, data, "low")
    assert found.conditions["radius"].item() == 0
    assert found.modes.empty


def test_members_together_are_medians_with_spread_and_agreement():
    data, models = loop_of_two(0.9, -0.9)[1], []
    for forward, back in ((0.9, -0.9), (0.5, 0.5), (0.8, 0.2), (0.0, 0.7)):
        models.append(loop_of_two(0.9, -0.9)[0])
        with torch.no_grad():
            models[-1].conv.edge_weight[1:] = torch.tensor([forward, back])
    each = stability(Ensemble(models), data, nodes=1)
    found = each.over_members()
    assert found.conditions["condition"].tolist() == ["low", "high"]
    for row in found.conditions.itertuples():
        radius = each.conditions.query("condition == @row.condition")["radius"]
        assert (row.radius, row.members) == (pytest.approx(np.median(radius)), 4)
        assert row.spread == pytest.approx(np.std(radius, ddof=1))
    assert found.modes[["condition", "mode"]].values.tolist() == [
        [condition, mode] for condition in ("low", "high") for mode in (1, 2)
    ]
    for row in found.modes.itertuples():
        part = each.modes.query("condition == @row.condition and mode == @row.mode")
        assert row.members == len(part)
        assert row.radius == pytest.approx(np.median(part["radius"]))
        assert row.oscillating == part["period"].notna().sum()
    for row in found.nodes.itertuples():
        part = each.nodes.query(
            "condition == @row.condition and mode == @row.mode and node == @row.node"
        )
        assert (row.rank, row.members) == (1, len(part))
        assert row.participation == pytest.approx(np.median(part["participation"]))
    with pytest.raises(ValueError, match="modes of one model; there are no members"):
        stability(models[0], data).over_members()


def test_members_of_an_ensemble_are_listed_one_after_the_other():
    first, data = loop_of_two(0.9, -0.9)
    second, _ = loop_of_two(0.9, -0.4)
    found = stability(Ensemble([first, second]), data, ["low"])
    assert found.conditions["member"].tolist() == [0, 1]
    assert found.conditions["radius"].tolist() == pytest.approx([0.9, 0.6])
    assert found.nodes.columns[0] == "member"


def test_the_model_is_not_changed():
    model, data = loop_of_two(0.5, 0.5)
    before = {
        name: value.clone() for name, value in model.state_dict().items() if "extra" not in name
    }
    stability(model, data)
    assert model.conv.tol != 1e-12
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in before)


def test_numbers_below_one_are_refused():
    model, data = loop_of_two(0.5, 0.5)
    with pytest.raises(ValueError, match="modes is 0"):
        stability(model, data, modes=0)
    with pytest.raises(ValueError, match=r"nodes is 2\.5"):
        stability(model, data, nodes=2.5)


def test_the_radius_is_the_exact_one_of_the_toy_network():
    ligands = pd.DataFrame({"L1": [1.0, 0.3], "L2": [0.2, 0.9]}, index=["a", "b"])
    data = add_conditions(ToyNetwork()[0], ligands)
    model = load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    found = stability(model, data).conditions
    h = model(data.x).h.detach()
    for column, radius in enumerate(found["radius"]):
        scaled = model.conv.edge_weight * model.slope(h, data.x)[model.edge_index[1], column]
        exact = spectral_radius(model.edge_index, scaled, 7).item()
        assert radius == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("name", ["macrophage", "KEGGnet"])
def test_radius_and_modes_of_published_models(name, shared_golden):
    with np.load(shared_golden / f"{name}.npz") as arrays:
        file = dict(arrays)
    names = file["node_names"].tolist()
    masks = {}
    for role, key in (("ligand_mask", "input_index"), ("tf_mask", "output_index")):
        masks[role] = torch.zeros(len(names), dtype=torch.bool)
        masks[role][torch.from_numpy(file[key])] = True
    edge_index = torch.from_numpy(np.stack([file["edge_source"], file["edge_target"]]))
    sign = torch.from_numpy(file["edge_sign"])
    data = Data(
        edge_index=edge_index, edge_sign=sign, node_name=names, num_nodes=len(names), **masks
    )
    data.node_label = names
    model = LEMBAS(data, radius=None).double()
    load_parameters(model, read_parameters(shared_golden / f"{name}-Parameters.tsv"))
    chosen = np.atleast_1d(file["sr_conditions"]).tolist()
    rows = [file["condition_names"].tolist().index(c) for c in chosen]
    columns = [names[i] for i in file["input_index"]]
    data = add_conditions(data, pd.DataFrame(file["X"][rows], index=chosen, columns=columns))
    found = stability(model, data, modes=5, nodes=len(names))
    np.testing.assert_allclose(found.conditions["radius"], file["spectral_radius"], rtol=1e-7)
    for number, condition in enumerate(chosen):
        own = found.modes[found.modes["condition"] == condition]
        golden = file["spectral_top5"][number]
        for value in golden[golden.imag >= 0]:
            distance = abs(own["real"] + 1j * own["imag"] - value)
            assert distance.min() < 1e-6
    # The nodes: dense eigenvectors of the golden slopes, left ones by inversion.
    slope, weight = file["onestep_factor"][0], file["weights"]
    dense = np.zeros((len(names), len(names)))
    dense[file["edge_target"], file["edge_source"]] = weight * slope[file["edge_target"]]
    value, right = np.linalg.eig(dense)
    top = np.argmax(abs(value))
    value_left, left = np.linalg.eig(dense.T)
    share = abs(left[:, np.argmin(abs(value_left - value[top]))] * right[:, top])
    expected = pd.Series(share / share.sum(), index=names)
    nodes = found.nodes[(found.nodes["condition"] == chosen[0]) & (found.nodes["mode"] == 1)]
    participation = nodes.set_index("node")["participation"].reindex(names).fillna(0.0)
    np.testing.assert_allclose(participation, expected, atol=1e-6)
    assert nodes["participation"].is_monotonic_decreasing
