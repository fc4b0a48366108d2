"""Several steady states: a toggle whose states are known in closed form, and a contraction."""

import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import basin_report, steady_states
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.surrogate import add_covariate
from lembas_pyg.training import Ensemble

LEAK, WEIGHT, BIAS = 0.01, 2.0, -0.5
# h = leak z with z = w h + b; and h = 1 - 1 / (4z), z the larger root of z^2 - (w + b) z + w / 4.
LOW = LEAK * BIAS / (1 - LEAK * WEIGHT)
HIGH = 0.75


def toggle(weight=WEIGHT):
    """Two nodes that activate each other; the ligand can switch them on."""
    data = Data(
        edge_index=torch.tensor([[0, 1, 2], [1, 2, 1]]),
        edge_sign=torch.ones(3, dtype=torch.long),
        node_name=["L", "A", "B"],
        node_label=["L", "A", "B"],
        ligand_mask=torch.tensor([True, False, False]),
        tf_mask=torch.tensor([False, False, True]),
        num_nodes=3,
    )
    model = LEMBAS(data, radius=None, input_amplitude=1.0, output_amplitude=1.25).double()
    with torch.no_grad():
        model.conv.edge_weight.copy_(torch.tensor([3.0, weight, weight]))
        model.conv.bias.copy_(torch.tensor([[0.0], [BIAS], [BIAS]]))
    ligands = pd.DataFrame({"L": [0.0, 1.0]}, index=["off", "on"])
    return model, add_conditions(data, ligands)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_toggle_has_the_two_states_of_the_closed_form():
    model, data = toggle()
    found = steady_states(model, data, "off", starts=40, generator=seeded())
    row = found.conditions.iloc[0]
    assert row["num_states"] == 2
    assert found.activities["activity"].tolist() == pytest.approx(
        [1.25 * LOW, 1.25 * HIGH], abs=1e-8
    )
    assert row["tf_range"] == pytest.approx(1.25 * (HIGH - LOW))
    # Slopes: leak, and 4 (1 - 3/4)^2 = 1/4.
    assert found.states["radius"].tolist() == pytest.approx([LEAK * WEIGHT, WEIGHT / 4])
    assert found.states["default"].tolist() == [True, False]
    assert found.states["share"].sum() + row["unsteady"] / 40 == pytest.approx(1)
    assert row["default_share"] == found.states["share"].iloc[0]
    assert found.states["share"].between(0.1, 0.9).all()
    assert (found.states["error"] < 1e-9).all()


def test_the_ligand_leaves_one_state():
    model, data = toggle()
    found = steady_states(model, data, generator=seeded()).conditions.set_index("condition")
    assert found["num_states"].to_dict() == {"off": 2, "on": 1}
    assert found.loc["on", "default_share"] == 1
    assert found.loc["on", "tf_range"] == 0


def test_a_contraction_has_exactly_one_state_which_is_the_prediction():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    data = add_conditions(ToyNetwork()[0], ligands)
    model = LEMBAS(data, radius=None).double()
    with torch.no_grad():  # all slopes are at most 1: the largest row sum bounds the growth
        rows = torch.zeros(7, dtype=torch.float64)
        rows.index_add_(0, model.edge_index[1], model.conv.edge_weight.abs())
        model.conv.edge_weight.mul_(0.9 / rows.max())
    found = steady_states(model, data, starts=20, generator=seeded())
    assert (found.conditions["num_states"] == 1).all()
    assert (found.conditions["unsteady"] == 0).all()
    assert (found.states["share"] == 1).all()
    y = predict(model, data).y
    assert found.activities["activity"].tolist() == pytest.approx(y.T.flatten().tolist(), abs=1e-9)


def test_a_slow_state_is_one_state():
    # At w = 0.999 the low branch is gone and deviations shrink by 0.1 % a step.
    model, data = toggle(0.999)
    with torch.no_grad():
        model.conv.bias.fill_(1e-4)
    found = steady_states(model, data, "off", starts=12, max_steps=50_000, generator=seeded())
    assert found.conditions["num_states"].item() == 1
    assert found.conditions["unsteady"].item() == 0


def test_states_that_may_be_one_are_warned_of():
    model, data = toggle(0.9999)
    with torch.no_grad():
        model.conv.bias.fill_(1e-5)
    with pytest.warns(UserWarning, match="so slow that two may be one: off"):
        found = steady_states(
            model, data, "off", tol=5e-5, distance=1e-4, starts=12, generator=seeded()
        )
    assert found.conditions["num_states"].item() > 1


def test_starts_without_steady_state_are_counted():
    model, data = toggle()
    found = steady_states(model, data, "off", max_steps=1, tol=1e-9, generator=seeded())
    row = found.conditions.iloc[0]
    assert row["unsteady"] == row["starts"] == 32
    assert row["num_states"] == 0
    assert pd.isna(row["default_share"])
    assert found.states.empty


def test_the_same_seed_gives_the_same_starts():
    model, data = toggle()
    first, second = (steady_states(model, data, generator=seeded(3)).states for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_numbers_that_make_no_sense_are_refused():
    model, data = toggle()
    for wrong in ({"starts": 1}, {"tol": 1e-3}, {"low": 1.0}):
        with pytest.raises(ValueError, match="do not go together"):
            steady_states(model, data, **wrong)


def test_the_report_sets_random_conditions_beside_the_known_ones():
    model, data = toggle()
    with torch.no_grad():
        model.input.weight.fill_(0.2)  # full ligand and half of it: switched on or not
    report = basin_report(model, data, 6, 1, starts=8, generator=seeded(1))
    assert report["set"].tolist() == ["known"] * 2 + ["random"] * 6
    assert report.loc[2, "condition"] == "(none)"
    assert report["num_ligands"].tolist() == [0, 1, 0, 1, 1, 1, 1, 1]
    assert report["converged"].all()
    assert report.loc[[0, 2], "num_states"].tolist() == [2, 2]
    assert report["radius"].between(0, 1).all()


def test_the_report_of_an_ensemble_numbers_its_members():
    model, data = toggle()
    report = basin_report(Ensemble([model, model]), data, 3, 1, starts=4, generator=seeded())
    assert report["member"].tolist() == [0] * 5 + [1] * 5


def test_covariates_are_no_ligands_to_draw():
    _, data = toggle()
    told = add_covariate(data, "batch", torch.tensor([0.0, 1.0]))
    model = LEMBAS(told).double()
    report = basin_report(model, told, 8, 3, starts=2, generator=seeded())
    assert report[report["set"] == "random"]["num_ligands"].max() == 1


def test_a_trained_toy_model_is_read_as_it_is():
    ligands = pd.DataFrame({"L1": [1.0, 0.0], "L2": [0.2, 0.0]}, index=["a", "b"])
    data = add_conditions(ToyNetwork()[0], ligands)
    model = load_parameters(LEMBAS(data), ToyNetwork.parameters())
    before = model.conv.edge_weight.clone()
    report = basin_report(model, data, 5, 2, starts=4, generator=seeded())
    assert torch.equal(before, model.conv.edge_weight)
    assert report["converged"].all()
