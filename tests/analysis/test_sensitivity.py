"""Sensitivities against runs one at a time, finite differences and exact published results."""

import sys
import time
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import hubs, sensitivity, strongest
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_annotation, read_conditions, read_interactions
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS, LeakyReLU, sigmoid
from lembas_pyg.training import Ensemble

KEYS = ["condition", "node", "tf"]


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [1.0, 0.3, 0.0], "L2": [0.2, 0.9, 0.0]}, index=["a", "b", "c"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture(scope="module")
def model(data):
    return load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())


def raw_state(model, x):
    h = model(x).h
    return model.operator.propagate(model.conv.edge_weight, h) + model.input(x) + model.conv.bias


def test_the_table_has_a_row_a_condition_node_and_tf(model, data):
    table = sensitivity(model, data)
    assert table.columns.tolist() == [*KEYS, "control", "derivative", "elasticity"]
    assert table["node"].unique().tolist() == data.node_name
    assert table["condition"].unique().tolist() == ["a", "b", "c"]
    assert len(table) == 3 * 7 * 1
    assert sensitivity(model, data, level=0.1).columns.tolist()[3:] == [
        "control",
        "perturbed",
        "elasticity",
    ]


def test_a_finite_change_is_a_run_with_one_perturbed_node(model, data):
    table = sensitivity(model, data, ["S1", "R2"], ["c", "a"], level=0.01)
    assert table["node"].unique().tolist() == ["S1", "R2"]
    assert table["condition"].unique().tolist() == ["c", "a"]
    for row in table.itertuples():
        x = data.x[:, [data.conditions[row.condition]]].double()
        change = torch.zeros_like(x)
        node = data.node_name.index(row.node)
        change[node] = 0.01 * raw_state(model, x)[node].detach()
        model.conv.tol = 1e-13
        control, perturbed = model(x).y.item(), model(x, change).y.item()
        assert row.control == pytest.approx(control, abs=1e-11)
        assert row.perturbed == pytest.approx(perturbed, abs=1e-11)
        elasticity = (perturbed - control) / control / 0.01 if control > 0.01 else 0.0
        assert row.elasticity == pytest.approx(elasticity, abs=1e-8)


@pytest.mark.parametrize("act", [None, LeakyReLU(), sigmoid, torch.tanh])
def test_the_derivative_is_the_limit_of_finite_changes(data, act):
    options = {} if act is None else {"act": act}
    model = LEMBAS(data, generator=torch.Generator().manual_seed(3), **options).double()
    with torch.no_grad():
        model.conv.bias.fill_(0.02)  # no node sits on a kink
    exact = sensitivity(model, data)["elasticity"]
    assert exact.abs().max() > 0.1
    errors = []
    for level in (1e-2, 1e-3, 1e-4):
        change = sensitivity(model, data, level=level, tol=1e-14)["elasticity"]
        errors.append((change - exact).abs().max())
    # The error of a one-sided difference falls with the level, where it is not 0 from the start.
    assert errors[0] < 0.05
    assert all(later < max(0.2 * before, 1e-8) for before, later in pairwise(errors))


def test_both_sides_of_a_kink_have_a_derivative_of_their_own():
    data = Data(
        edge_index=torch.tensor([[0], [1]]),
        edge_sign=torch.tensor([1]),
        node_name=["L", "T"],
        ligand_mask=torch.tensor([True, False]),
        tf_mask=torch.tensor([False, True]),
        x=torch.tensor([[0.1, 0.1], [0.0, 0.0]], dtype=torch.float64),
        conditions={"c": 0, "d": 1},
        num_nodes=2,
    )
    model = LEMBAS(data, input_amplitude=1.0, output_amplitude=1.0).double()
    for bias, slope in ((-0.2, 0.01), (0.2, 1.0)):
        with torch.no_grad():
            model.conv.edge_weight.fill_(1.0)
            model.conv.bias[:, 0] = torch.tensor([0.0, bias], dtype=torch.float64)
        table = sensitivity(model, data, "L", "c")
        assert table["derivative"].item() == pytest.approx(slope, abs=1e-12)
        across = sensitivity(model, data, "L", "c", level=-10.0)  # from 0.1 to -0.9
        state = 0.01 * (bias - 0.009) if bias < 0 else bias - 0.009
        assert across["perturbed"].item() == pytest.approx(state, abs=1e-12)


def test_a_silent_tf_has_no_elasticity_but_a_derivative(model, data):
    scale = 0.005 / sensitivity(model, data)["control"].abs().max()
    faint = load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    with torch.no_grad():
        faint.output.weight.mul_(scale)
    table = sensitivity(faint, data)
    assert (table["elasticity"] == 0).all()
    assert (table["derivative"] != 0).any()
    assert (sensitivity(faint, data, level=0.01)["elasticity"] == 0).all()


def test_blocks_do_not_change_the_result(model, data, monkeypatch):
    for level in (None, 0.01):
        whole = sensitivity(model, data, level=level)
        monkeypatch.setattr(sys.modules["lembas_pyg.analysis.sensitivity"], "_COLUMNS", 1)
        parts = sensitivity(model, data, level=level)
        pd.testing.assert_frame_equal(parts, whole, rtol=0, atol=1e-9)
        monkeypatch.undo()


@pytest.fixture(scope="module")
def ensemble(data):
    models = [LEMBAS(data, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    return Ensemble(models)


@pytest.mark.parametrize("number", [3, 4])
def test_an_ensemble_says_the_median_and_the_spread(ensemble, data, number):
    table = sensitivity(Ensemble(ensemble.models[:number]), data)
    parts = [sensitivity(member, data) for member in ensemble.models[:number]]
    for name in ("control", "derivative", "elasticity"):
        members = np.stack([part[name] for part in parts])
        np.testing.assert_allclose(table[name], np.median(members, axis=0), atol=1e-12)
    np.testing.assert_allclose(table["spread"], members.std(axis=0, ddof=1), atol=1e-12)


def test_the_strongest_condition_is_found_with_and_without_the_whole_table(ensemble, data):
    for asked in (ensemble, ensemble.models[0]):
        whole = sensitivity(asked, data)
        short = sensitivity(asked, data, strongest=True)
        pd.testing.assert_frame_equal(short, strongest(whole), check_exact=True)
        assert len(short) == 7
        for row in short.itertuples():
            same = whole[whole["node"] == row.node]
            assert abs(row.elasticity) == same["elasticity"].abs().max()


def test_the_table_of_all_members_holds_that_of_each(ensemble, data):
    for short in (False, True):
        table = sensitivity(ensemble, data, by_member=True, strongest=short)
        assert table["member"].unique().tolist() == [0, 1, 2, 3]
        for number, member in enumerate(ensemble.models):
            part = table[table["member"] == number].drop(columns="member").reset_index(drop=True)
            pd.testing.assert_frame_equal(part, sensitivity(member, data, strongest=short))
    pd.testing.assert_frame_equal(
        table, strongest(sensitivity(ensemble, data, by_member=True)), check_exact=True
    )
    pd.testing.assert_frame_equal(
        sensitivity(ensemble.models[0], data, by_member=True), sensitivity(ensemble.models[0], data)
    )


HELD_OUT = [["a"], ["a", "b"], ["b"], []]  # "c" was in every training


@pytest.mark.parametrize("trained_on", [True, False])
@pytest.mark.parametrize("columns", [1, 8, 2048])
def test_conditions_are_asked_only_of_members_that_have_or_have_not_seen_them(
    ensemble, data, trained_on, columns, monkeypatch
):
    monkeypatch.setattr(sys.modules["lembas_pyg.analysis.sensitivity"], "_COLUMNS", columns)
    known = Ensemble(ensemble.models, held_out=HELD_OUT)
    table = sensitivity(known, data, trained_on=trained_on)
    assert table["condition"].unique().tolist() == (["a", "b", "c"] if trained_on else ["a", "b"])
    for condition, part in table.groupby("condition", observed=True):
        asked = [
            m
            for m, without in zip(known.models, HELD_OUT, strict=True)
            if (condition in without) != trained_on
        ]
        each = [sensitivity(member, data, conditions=condition) for member in asked]
        for name in ("control", "derivative", "elasticity"):
            members = np.stack([one[name] for one in each])
            np.testing.assert_allclose(part[name], np.median(members, axis=0), atol=1e-12)
        np.testing.assert_allclose(part["spread"], members.std(axis=0, ddof=1), atol=1e-12)
        assert (part["members"] == len(asked)).all()
        agree = np.sign(members) == np.sign(np.median(members, axis=0))
        assert part["agree"].tolist() == agree.sum(axis=0).tolist()
    found = hubs(sensitivity(known, data, trained_on=trained_on, strongest=True), data, 0.1)
    wide = table.pivot(index="condition", columns=["node", "tf"], values="elasticity")
    expected = wide.abs().max()[wide.abs().max() >= 0.1].index.get_level_values("node")
    assert set(found["node"]) == set(expected) & {"R1", "R2", "S1", "S2"} != set()
    assert found.columns.tolist()[-3:] == ["spread", "members", "agree"]
    blank = sensitivity(known, data, "S1", "a", trained_on=trained_on, by_member=True)
    assert (
        blank["elasticity"].isna() == [trained_on, trained_on, not trained_on, not trained_on]
    ).all()


def test_only_members_that_know_their_training_can_be_chosen_by_it(ensemble, data):
    with pytest.raises(ValueError, match="trained_on=True needs an ensemble that knows"):
        sensitivity(ensemble, data, trained_on=True)
    known = Ensemble(ensemble.models, held_out=HELD_OUT)
    with pytest.raises(ValueError, match="No member was trained without 'c'; leave them out"):
        sensitivity(known, data, conditions=["a", "c"], trained_on=False)
    known = Ensemble(ensemble.models, held_out=[["a"]] * 4)
    with pytest.raises(ValueError, match="Every member was trained without 'a'"):
        sensitivity(known, data, conditions="a", trained_on=True)
    with pytest.raises(ValueError, match="held_out tells of 1 members, and there are 4"):
        Ensemble(ensemble.models, held_out=[[]])


def test_hubs_are_internal_nodes_of_large_effect_in_some_condition(data):
    rows = [
        ("a", "S1", "T1", 0.6),
        ("b", "S1", "T1", -0.9),
        ("a", "R1", "T1", 0.4),
        ("a", "R2", "T1", -0.5),
        ("a", "L1", "T1", 2.0),
        ("b", "T1", "T1", 1.0),
        ("b", "S2", "T1", np.nan),
    ]
    table = pd.DataFrame(rows, columns=[*KEYS, "elasticity"])
    found = hubs(table, data)
    assert found.values.tolist() == [
        ["S1", "S1", -0.9, "T1", "b", 1],
        ["R2", "R2", -0.5, "T1", "a", 1],
    ]
    assert hubs(table, data, internal=False)["node"].tolist() == ["L1", "T1", "S1", "R2"]
    assert hubs(table, data, 0.95).empty
    pd.testing.assert_frame_equal(hubs(strongest(table), data), found)


def test_hubs_come_from_the_table_as_it_is_made(model, data):
    table = sensitivity(model, data)
    expected = {
        node for node, e in zip(table["node"], table["elasticity"], strict=True) if abs(e) >= 0.1
    } & {"R1", "R2", "S1", "S2"}
    assert set(hubs(table, data, 0.1)["node"]) == expected != set()


def test_the_model_is_not_changed(model, data):
    before = {name: value.clone() for name, value in model.named_parameters()}
    sensitivity(model, data)
    sensitivity(model, data, level=0.1)
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())
    assert all(value.grad is None for value in model.parameters())


def test_an_unstable_state_is_blank_and_named(data):
    table = ToyNetwork.parameters()
    table.attrs = {}
    model = load_parameters(LEMBAS(data, act=LeakyReLU()).double(), table)
    with torch.no_grad():
        model.conv.edge_weight[model.edge_index[1] == data.node_name.index("R1")] = 2.0
    with pytest.warns(UserWarning, match="did not reach a steady state"):
        table = sensitivity(model, data, max_steps=300)
    blank = table["elasticity"].isna()
    assert blank.any()
    assert (table["control"].isna() == blank).all()
    assert (table["derivative"].isna() == blank).all()


def test_a_derivative_that_does_not_converge_is_blank_and_named(data, monkeypatch):
    model = load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    monkeypatch.setattr(LEMBAS, "slope", lambda self, h, x: torch.full_like(h, 4.0))
    with pytest.warns(UserWarning, match=r"derivatives of 3 of 3 TFs .*T1 under a.*are blank"):
        table = sensitivity(model, data, max_steps=300)
    assert table["derivative"].isna().all()
    assert table["control"].notna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodes": "S9"}, "'S9' is not among the 7 nodes"),
        ({"nodes": []}, "No node was named"),
        ({"tfs": "S1"}, "'S1' is not a TF of this network; TFs are T1"),
        ({"tfs": "S9"}, "'S9' is not among the 7 nodes"),
        ({"conditions": "z"}, "Unknown conditions: 'z'"),
        ({"level": float("nan")}, "level is nan; it must be a finite number"),
        ({"level": True}, "level is True"),
        ({"level": 0.0}, "level is 0; leave it out"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        sensitivity(model, data, **options)


@pytest.mark.parametrize("threshold", [0, -1, float("nan"), "a"])
def test_thresholds_are_positive(model, data, threshold):
    with pytest.raises(ValueError, match="threshold is"):
        hubs(sensitivity(model, data), data, threshold)


def test_tables_of_another_kind_are_refused(data):
    with pytest.raises(ValueError, match="no column 'elasticity'"):
        hubs(pd.DataFrame(columns=KEYS), data)
    with pytest.raises(ValueError, match="has a row for each member"):
        hubs(pd.DataFrame(columns=["member", *KEYS, "elasticity"]), data)
    other = pd.DataFrame([("a", "X", "T1", 1.0)], columns=[*KEYS, "elasticity"])
    with pytest.raises(ValueError, match="'X', which is not among the 7"):
        hubs(other, data)


def golden_model(file):
    """A published model, and its conditions as data."""
    names = file["node_names"].tolist()
    masks = {}
    for role, key in (("ligand_mask", "input_index"), ("tf_mask", "output_index")):
        masks[role] = torch.zeros(len(names), dtype=torch.bool)
        masks[role][torch.from_numpy(file[key])] = True
    x = torch.zeros(len(names), len(file["X"]), dtype=torch.float64)
    x[torch.from_numpy(file["input_index"])] = torch.from_numpy(file["X"].T.copy())
    data = Data(
        edge_index=torch.from_numpy(np.stack([file["edge_source"], file["edge_target"]])),
        edge_sign=torch.from_numpy(file["edge_sign"]),
        node_name=names,
        node_label=names,
        num_nodes=len(names),
        conditions={name: i for i, name in enumerate(file["condition_names"].tolist())},
        x=x,
        **masks,
    )
    model = LEMBAS(data, radius=None).double()
    with torch.no_grad():
        model.conv.edge_weight.copy_(torch.from_numpy(file["weights"]))
        model.conv.bias.copy_(torch.from_numpy(file["bias"])[:, None])
        for part, kind in ((model.input, "input"), (model.output, "output")):
            order = np.argsort(file[f"{kind}_index"])
            part.weight.copy_(torch.from_numpy(file[f"{kind}_weights"][order]))
    return model, data, [names[i] for i in file["output_index"]]


@pytest.mark.parametrize("name", ["macrophage", "KEGGnet"])
def test_exact_results_of_published_models(name, shared_golden):
    with np.load(shared_golden / f"{name}.npz") as arrays:
        file = dict(arrays)
    model, data, tfs = golden_model(file)
    nodes, condition = file["ko_nodes"].tolist(), str(file["ko_condition"])
    limit = sensitivity(model, data, nodes, condition, tfs=tfs, tol=1e-13)
    differences = []
    for level in (0.01, 0.001):
        if f"sens_{level}_Yhat" not in file:
            continue
        table = sensitivity(model, data, nodes, condition, tfs=tfs, level=level, tol=1e-13)
        perturbed = file[f"sens_{level}_Yhat"].ravel()
        np.testing.assert_allclose(table["perturbed"], perturbed, rtol=0, atol=1e-11)
        elasticity = file[f"sens_{level}_elasticity"].ravel()
        # Divided by the level, the 1e-13 of a state are the 1e-10 that is left here.
        np.testing.assert_allclose(table["elasticity"], elasticity, rtol=1e-5, atol=1e-9)
        differences.append(np.abs(limit["elasticity"] - elasticity).max())
    assert differences[-1] < 0.02
    assert differences[0] < 0.2  # a finite change bends the curve and crosses kinks


@pytest.mark.slow
def test_all_sensitivities_of_the_ligand_screen_take_seconds(shared_data):
    start = shared_data / "lembas" / "networks" / "ligandScreen"
    data = add_conditions(
        from_interactions(
            read_interactions(f"{start}-Model.tsv"), read_annotation(f"{start}-Annotation.tsv")
        ),
        read_conditions(f"{start}-Ligands.tsv"),
    )
    model = LEMBAS(data, radius=0.95, generator=torch.Generator().manual_seed(0)).double()
    sensitivity(model, data, conditions="TNF")  # compiles
    started = time.monotonic()
    table = sensitivity(model, data)
    assert time.monotonic() - started < 30
    assert len(table) == 103 * 1262 * 74
    large = table[table["elasticity"].abs() > 0.01]
    model.conv.tol, model.conv.max_steps = 1e-14, 20_000
    for row in large.sample(20, random_state=0).itertuples():
        node = data.node_name.index(row.node)
        tf = model.tf_index.tolist().index(data.node_name.index(row.tf))
        x = data.x[:, [data.conditions[row.condition]]].double()
        z = raw_state(model, x)[node].item()
        change = torch.zeros_like(x)
        change[node] = 1e-6 * z
        up, down = (model(x, sign * change).y[tf].item() for sign in (1, -1))
        assert row.derivative == pytest.approx((up - down) / (2e-6 * z), rel=1e-4)
        assert row.elasticity == pytest.approx((up - down) / 2e-6 / row.control, rel=1e-4)
