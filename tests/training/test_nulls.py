"""The true network beside its nulls, on a network with room for other wirings."""

import logging
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS, LeakyReLU, Sigmoid
from lembas_pyg.training import (
    TrainingConfig,
    compare_nulls,
    cross_validate,
    fold_scores,
    k_fold,
    nulls,
    score_table,
    tasks,
)
from lembas_pyg.transforms import RewireEdges

CONFIG = TrainingConfig(epochs=12, batch_size=4, lr=1e-2, reset_every=0)
COLUMNS = ["null", "true_r", "null_r", "difference", "low", "high", "wilcoxon_p"]
COLUMNS += ["mann_whitney_p", "folds", "repeats", "rewired_fraction"]


@pytest.fixture(scope="module")
def data():
    """Three ligands, each with a pathway to a TF of its own; nine conditions."""
    edges = [(f"{a}{i}", f"{b}{i}", 1) for i in range(3) for a, b in ("LR", "RS", "ST")]
    edges += [("S0", "R1", 0), ("S1", "R2", 0)]
    interactions = pd.DataFrame(edges, columns=["source", "target", "stimulation"])
    interactions["inhibition"] = 1 - interactions["stimulation"]
    codes = [f"{letter}{i}" for letter in "LRST" for i in range(3)]
    annotation = pd.DataFrame({"code": codes, "name": codes})
    annotation["TF"] = annotation["code"].str.startswith("T")
    annotation["ligand"] = annotation["code"].str.startswith("L")
    rows = [*np.eye(3), *0.5 * np.eye(3), *(1 - np.eye(3))]
    names = [f"c{i}" for i in range(len(rows))]
    ligands = pd.DataFrame(rows, index=names, columns=["L0", "L1", "L2"])
    noise = np.random.default_rng(0).normal(0, 0.02, (len(rows), 3))
    tfs = pd.DataFrame(0.1 + 0.6 * np.array(rows) + noise, index=names, columns=["T0", "T1", "T2"])
    return add_conditions(from_interactions(interactions, annotation), ligands, tfs)


@pytest.fixture(scope="module")
def folds(data):
    return k_fold(data, 3)


@pytest.fixture(scope="module")
def reference(data, folds):
    return cross_validate(data, folds, CONFIG, members=2, baselines=False, progress=False)


@pytest.fixture(scope="module")
def everything(data, folds, reference):
    return compare_nulls(data, folds, CONFIG, repeats=2, reference=reference, progress=False)


def compare(data, folds, **options):
    return compare_nulls(data, folds, CONFIG, **({"progress": False} | options))


def test_every_null_has_its_models_and_a_row(data, everything):
    models = [
        "LEMBAS, one member",
        "LEMBAS, member 2",
        "LEMBAS, scrambled y",
        "LEMBAS, rewired 1",
        "LEMBAS, rewired 2",
        "LEMBAS, rewired, ligand edges kept 1",
        "LEMBAS, rewired, ligand edges kept 2",
        "LEMBAS, leaky ReLU",
        "LEMBAS, sigmoid",
    ]
    assert list(everything.by_model) == nulls._MODEL
    assert everything.by_model["model"].value_counts().to_dict() == dict.fromkeys(models, 9 * 3)
    assert everything.scores["model"].tolist() == models
    pd.testing.assert_frame_equal(everything.scores, score_table(everything.by_model))
    pd.testing.assert_frame_equal(everything.fold_scores, fold_scores(everything.by_model))
    assert everything.members["model"].unique().tolist() == models[2:]
    table = everything.comparisons
    assert list(table) == COLUMNS
    assert table["null"].tolist() == list(nulls.NULLS)
    assert table["repeats"].tolist() == [1, 2, 2, 1, 1]
    assert table["rewired_fraction"].notna().tolist() == [False, True, True, False, False]
    measured = everything.by_model["measured"]
    assert measured.sum() == pytest.approx(len(models) * float(data.y[data.tf_mask].sum()))


def test_single_members_of_the_reference_are_the_true_network(reference, everything):
    for member, name in enumerate(["LEMBAS, one member", "LEMBAS, member 2"]):
        one = everything.by_model[everything.by_model["model"] == name]
        other = reference.by_member[reference.by_member["member"] == member]
        np.testing.assert_array_equal(one["predicted"], other["predicted"])


def test_comparisons_by_hand(everything):
    r = everything.fold_scores.set_index(["model", "fold"])["r"].unstack("model")
    true = (r["LEMBAS, one member"] + r["LEMBAS, member 2"]) / 2
    null = (r["LEMBAS, rewired 1"] + r["LEMBAS, rewired 2"]) / 2
    row = everything.comparisons.set_index("null").loc["rewired"]
    assert row["true_r"] == pytest.approx(true.mean())
    assert row["null_r"] == pytest.approx(null.mean())
    assert row["difference"] == pytest.approx((true - null).mean())
    assert row["low"] <= row["difference"] <= row["high"]
    assert row["wilcoxon_p"] == pytest.approx(stats.wilcoxon(true, null).pvalue)
    p = stats.mannwhitneyu(true, null, alternative="two-sided").pvalue
    assert row["mann_whitney_p"] == pytest.approx(p)
    assert row["folds"] == 3


@pytest.mark.parametrize(
    ("null", "changes"),
    [
        ("scrambled y", {"scramble": True}),
        ("leaky ReLU", {"model": partial(LEMBAS, act=LeakyReLU())}),
        ("sigmoid", {"model": partial(LEMBAS, act=Sigmoid())}),
    ],
)
def test_a_null_is_a_cross_validation_with_one_change(data, folds, everything, null, changes):
    expected = cross_validate(data, folds, CONFIG, baselines=False, progress=False, **changes)
    found = everything.by_model[everything.by_model["model"] == f"LEMBAS, {null}"]
    np.testing.assert_array_equal(found["predicted"], expected.predictions["predicted"])


def networks(data, folds, monkeypatch, **options):
    """Names and networks that would be trained."""
    seen = {}

    def train(data, *arguments, folder=None, **options):
        seen[str(folder)] = data
        return cross_validate(data, *arguments, **options)

    monkeypatch.setattr(nulls, "cross_validate", train)
    compare(data, folds, folder="here", **options)
    monkeypatch.undo()
    return seen


def test_rewired_networks_differ_and_are_what_they_say(
    data, folds, reference, everything, monkeypatch
):
    kinds = ["rewired, ligand edges kept", "rewired"]
    options = {"nulls": kinds, "reference": reference}
    seen = networks(data, folds, monkeypatch, repeats=2, **options)
    assert set(seen) == {
        f"here/{kind}/{repeat}" for kind in map(nulls.slug, kinds) for repeat in (1, 2)
    }
    ligand = data.ligand_mask[data.edge_index[0]]
    wirings = set()
    for name, rewired in seen.items():
        wirings.add(tuple(rewired.edge_index[1].tolist()))
        torch.testing.assert_close(rewired.y, data.y, equal_nan=True)
        assert torch.equal(rewired.x, data.x)
        assert torch.equal(rewired.edge_index[0], data.edge_index[0])
        receptors = rewired.edge_index[1, ligand]
        assert rewired.receptor_mask.nonzero().view(-1).tolist() == sorted(receptors.tolist())
        if "kept" in name:
            assert torch.equal(receptors, data.edge_index[1, ligand])
    assert len(wirings) == 4
    shares = [rewired.rewired_fraction for name, rewired in seen.items() if "kept" not in name]
    row = everything.comparisons.set_index("null").loc["rewired"]
    assert row["rewired_fraction"] == pytest.approx(np.mean(shares))
    assert row["rewired_fraction"] > 0.2
    # One alone is the same network as the first of two.
    alone = networks(data, folds, monkeypatch, repeats=1, **options)
    assert torch.equal(alone["here/rewired/1"].edge_index, seen["here/rewired/1"].edge_index)


def test_without_a_reference_the_true_network_is_trained(data, folds, reference):
    found = compare(data, folds, nulls="scrambled y", repeats=2)
    expected = compare(data, folds, nulls=["scrambled y"], repeats=2, reference=reference)
    pd.testing.assert_frame_equal(found.by_model, expected.by_model)


def test_a_restart_goes_on_with_what_is_missing(data, folds, reference, tmp_path, monkeypatch):
    options = {"nulls": ["scrambled y", "rewired"], "repeats": 1, "reference": reference}
    whole = compare(data, folds, **options)
    train, trained = tasks._train_member, []

    def interrupted(task):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(task)
        return train(task)

    monkeypatch.setattr(tasks, "_train_member", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(data, folds, folder=tmp_path, **options)
    kept = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.pt"))
    assert kept == [
        "rewired/1/fold-000-member-000.pt",
        *(f"scrambled-y/fold-00{fold}-member-000.pt" for fold in range(3)),
    ]
    monkeypatch.setattr(tasks, "_train_member", lambda task: trained.append(task) or train(task))
    again = compare(data, folds, folder=tmp_path, **options)
    pd.testing.assert_frame_equal(whole.by_model, again.by_model)
    pd.testing.assert_frame_equal(whole.comparisons, again.comparisons)
    assert len(trained) == 6


def test_a_network_that_cannot_be_rewired_is_named(data, folds, reference, monkeypatch, caplog):
    monkeypatch.setattr(nulls, "RewireEdges", partial(RewireEdges, rounds=1))
    monkeypatch.setattr("lembas_pyg.transforms.rewire_edges.rewire", lambda edges, *a, **k: edges)
    with caplog.at_level(logging.WARNING):
        found = compare(data, folds, nulls="rewired", repeats=1, reference=reference)
    assert "The null 'rewired 1' is the true network" in caplog.text
    assert found.comparisons["rewired_fraction"].tolist() == [0]


def test_constant_predictions_leave_a_comparison_blank(data, folds, reference, monkeypatch):
    predict = tasks.predict

    def constant(*arguments):
        found = predict(*arguments)
        return found._replace(y=torch.full_like(found.y, 0.5))

    monkeypatch.setattr(tasks, "predict", constant)
    row = compare(data, folds, nulls="sigmoid", reference=reference).comparisons.iloc[0]
    assert row["folds"] == 0
    assert row[["difference", "low", "high", "wilcoxon_p", "mann_whitney_p"]].isna().all()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"nulls": "shuffled"}, ValueError, "'shuffled' is not a null; choose from 'scrambled y'"),
        ({"nulls": []}, ValueError, "names no null; choose from"),
        ({"nulls": ["sigmoid"] * 2}, ValueError, "'sigmoid' is named 2 times"),
        ({"repeats": 0}, ValueError, "repeats is 0; it must be a whole number of 1 or more"),
        ({"repeats": True}, ValueError, "repeats is True"),
        (
            {"model": partial(LEMBAS, act=LeakyReLU(0.1)), "nulls": ["leaky ReLU"]},
            ValueError,
            r"'leaky ReLU' is no null of a model with the activation LeakyReLU\(leak=0.1\)",
        ),
        ({"reference": 3}, TypeError, "reference is int; give a CrossValidation"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_training(data, folds, options, error, text):
    with pytest.raises(error, match=text):
        compare(data, folds, **options)


def test_without_names_all_but_the_own_activation_are_meant(data, folds):
    assert nulls.check_nulls(data, folds, None) == list(nulls.NULLS)
    names = nulls.check_nulls(data, folds, None, partial(LEMBAS, act=LeakyReLU()))
    assert names == [name for name in nulls.NULLS if name != "leaky ReLU"]


def test_folds_of_which_no_comparison_can_come_are_refused(data, folds):
    one = folds[folds["Index"] == 0]
    with pytest.raises(ValueError, match="1 of 1 folds have two different measured entries"):
        compare(data, one)
    blank = data.clone()
    blank.y[:, [data.conditions[name] for name in one["Condition"]]] = torch.nan
    blank.y[:, [data.conditions[name] for name in folds["Condition"][folds["Index"] == 1]]] = 0.5
    with pytest.raises(ValueError, match="1 of 3 folds"):
        compare(blank, folds)
    with pytest.raises(TypeError, match="config is dict"):
        compare_nulls(data, folds, {})


def test_a_reference_of_other_folds_or_measurements_is_refused(data, folds, reference):
    with pytest.raises(ValueError, match="holds out other conditions than folds"):
        compare(data, k_fold(data, 3, seed=1), reference=reference)
    other = data.clone()
    other.y = other.y + 0.01
    with pytest.raises(ValueError, match="on other measurements"):
        compare(other, folds, reference=reference)
