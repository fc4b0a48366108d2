import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg import fit, predict
from lembas_pyg.checkpoint import load_tensors, save_tensors
from lembas_pyg.network import add_conditions, from_interactions, select_conditions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.training import (
    Ensemble,
    TrainingConfig,
    cross_validate,
    k_fold,
    leave_one_ligand_out,
    leave_one_out,
    tasks,
)

CONFIG = TrainingConfig(epochs=12, batch_size=4, lr=1e-2, reset_every=0)


@pytest.fixture(scope="module")
def data():
    """Two ligands L and C, one pathway each, two TFs; eight conditions."""
    edges = [("L", "A", 1), ("C", "A", 0), ("A", "B", 1), ("B", "A", 0), ("A", "T", 1)]
    edges += [("B", "U", 1), ("K", "B", 1)]
    interactions = pd.DataFrame(edges, columns=["source", "target", "stimulation"])
    interactions["inhibition"] = 1 - interactions["stimulation"]
    codes = ["L", "C", "K", "A", "B", "T", "U"]
    annotation = pd.DataFrame({"code": codes, "name": [f"{code}-name" for code in codes]})
    annotation["TF"] = annotation["code"].isin(["T", "U"])
    annotation["ligand"] = annotation["code"].isin(["L", "C", "K"])
    rows = [
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [1, 1, 0],
        [0.5, 0, 0],
        [0.5, 1, 0],
        [0, 0, 1],
        [0, 1, 1],
    ]
    names = [f"c{i}" for i in range(len(rows))]
    ligands = pd.DataFrame(rows, index=names, columns=["L", "C", "K"], dtype=float)
    noise = np.random.default_rng(0).normal(0, 0.02, (len(rows), 2))
    y = np.stack([0.6 * ligands["L"] * (1 - 0.5 * ligands["C"]), 0.4 * ligands["K"]], 1) + 0.1
    tfs = pd.DataFrame(y + noise, index=names, columns=["T", "U"])
    tfs.iloc[3, 1] = np.nan
    return add_conditions(from_interactions(interactions, annotation), ligands, tfs)


def run(data, folds=None, **options):
    folds = k_fold(data, 3) if folds is None else folds
    return cross_validate(data, folds, CONFIG, baselines=False, progress=False, **options)


def same(one, other):
    pd.testing.assert_frame_equal(one.predictions, other.predictions)
    columns = [name for name in one.members if name != "seconds"]
    pd.testing.assert_frame_equal(one.members[columns], other.members[columns])


def test_every_held_out_entry_has_one_row(data):
    found = run(data, members=2)
    table = found.predictions
    assert list(table) == ["fold", "condition", "tf", "measured", "predicted", "spread"]
    assert len(table) == 8 * 2
    assert not table.duplicated(["condition", "tf"]).any()
    for row in table.itertuples():
        tf = data.node_name.index(row.tf)
        np.testing.assert_equal(row.measured, data.y[tf, data.conditions[row.condition]].item())
    assert table["predicted"].between(0, 1).all()
    assert (table["spread"] >= 0).all()
    assert found.wide().shape == (8, 2)
    assert found.scores["entries"].tolist() == [15, 15]  # one was not measured
    assert found.scores["model"].tolist() == ["LEMBAS", "LEMBAS, one member"]


def test_a_fold_is_what_training_without_its_conditions_predicts(data):
    found = run(data)
    row = found.members[found.members["fold"] == 1].iloc[0]
    held_out = found.predictions.loc[found.predictions["fold"] == 1, "condition"].unique()
    train = select_conditions(data, [c for c in data.conditions if c not in held_out])
    seed = int(row["seed"])
    model = LEMBAS(data, generator=torch.Generator().manual_seed(seed), **CONFIG.model_options())
    fit(model, train, replace(CONFIG, seed=seed), progress=False)
    expected = predict(model, data, list(held_out)).y.clamp(0, 1).T.reshape(-1)
    part = found.predictions[found.predictions["fold"] == 1]
    np.testing.assert_allclose(part["predicted"], expected)


def test_the_ensemble_of_a_fold_predicts_what_was_scored(data):
    found = run(data, members=2)
    part = found.predictions[found.predictions["fold"] == 0]
    names = list(part["condition"].unique())
    ensemble = found.ensemble(data, 0).double()
    x = data.x[:, [data.conditions[name] for name in names]]
    with torch.no_grad():
        prediction = ensemble(x)
    np.testing.assert_allclose(prediction.y.T.reshape(-1), part["predicted"], atol=1e-5)
    np.testing.assert_allclose(prediction.spread.T.reshape(-1), part["spread"], atol=1e-5)
    assert len(found.ensemble(data)) == 6
    with pytest.raises(ValueError, match="There is no fold 7"):
        found.ensemble(data, 7)


def test_single_members_predict_every_entry(data, monkeypatch):
    predict = tasks.predict

    def restless(model, data, names):
        found = predict(model, data, names)
        return found._replace(converged=found.converged & (torch.rand(1) < 0.5))

    torch.manual_seed(0)
    monkeypatch.setattr(tasks, "predict", restless)
    found = run(data, members=2)
    assert not found.members["held_out_not_converged"].eq(0).all()
    alone = found.by_member
    assert list(alone) == ["fold", "member", "condition", "tf", "measured", "predicted"]
    assert len(alone) == 2 * 8 * 2 and alone["predicted"].notna().all()
    first = found.by_model[found.by_model["model"] == "LEMBAS, one member"]
    both = first.merge(alone[alone["member"] == 0], on=["fold", "condition", "tf"])
    assert len(both) == 16
    np.testing.assert_array_equal(both["predicted_x"], both["predicted_y"])


def test_an_executor_changes_nothing(data):
    with ThreadPoolExecutor(1) as executor:
        same(run(data), run(data, executor=executor))


def test_a_restart_goes_on_with_what_is_missing(data, tmp_path, monkeypatch):
    whole = run(data, members=2)
    trained = []
    train = tasks._train_member

    def interrupted(task):
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(task.file)
        return train(task)

    monkeypatch.setattr(tasks, "_train_member", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, members=2, folder=tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 4
    again = []
    monkeypatch.setattr(tasks, "_train_member", lambda task: again.append(task.file) or train(task))
    same(whole, run(data, members=2, folder=tmp_path))
    assert len(again) == 2
    assert not set(again) & set(trained)


def test_more_members_go_on_in_the_same_folder(data, tmp_path):
    run(data, folder=tmp_path)
    same(run(data, members=2), run(data, members=2, folder=tmp_path))


def test_calls_with_some_folds_each_share_a_folder(data, tmp_path, monkeypatch):
    folds = k_fold(data, 4)
    shares = [folds[folds["Index"] % 3 == number] for number in range(3)]
    with ThreadPoolExecutor(3) as at_once:
        calls = [at_once.submit(run, data, share, folder=tmp_path) for share in shares]
        assert [call.result().members["fold"].tolist() for call in calls] == [[0, 3], [1], [2]]
    whole = run(data, folds)
    monkeypatch.setattr(tasks, "_train_member", None)  # nothing is left to train
    same(whole, run(data, folds, folder=tmp_path))


def test_a_damaged_member_is_trained_again(data, tmp_path, caplog):
    whole = run(data, folder=tmp_path)
    path = tmp_path / "fold-001-member-000.pt"
    path.write_bytes(path.read_bytes()[:1000])
    (tmp_path / ".fold-002-member-000.pt.0.partial").write_bytes(b"half")
    same(whole, run(data, folder=tmp_path))
    assert "cannot be read" in caplog.text
    assert "fold 1, member 0 is trained again" in caplog.text
    assert len(path.read_bytes()) > 1000


@pytest.mark.parametrize("change", ["settings", "folds", "scramble", "model"])
def test_a_folder_of_another_run_is_refused(data, tmp_path, change):
    run(data, folder=tmp_path)
    options = {"folder": tmp_path, "baselines": False, "progress": False}
    folds, config = k_fold(data, 3), CONFIG
    if change == "settings":
        config = TrainingConfig(epochs=13, batch_size=4)
    elif change == "folds":
        folds = leave_one_out(data)
    elif change == "scramble":
        options["scramble"] = True
    else:
        options["model"] = partial(LEMBAS, act=LeakyReLU())
    with pytest.raises(ValueError, match=f"another cross-validation: it differs in {change}"):
        cross_validate(data, folds, config, **options)


def test_a_run_begun_before_a_setting_existed_goes_on(data, tmp_path):
    whole = run(data, folder=tmp_path)
    path = tmp_path / "members.json"
    record = json.loads(path.read_text())
    del record["settings"]["lr_cycles"]
    path.write_text(json.dumps(record))
    before = (tmp_path / "fold-001-member-000.pt").stat().st_mtime_ns
    same(whole, run(data, folder=tmp_path))
    assert (tmp_path / "fold-001-member-000.pt").stat().st_mtime_ns == before
    record["settings"]["gone"] = 1
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="it differs in settings"):
        run(data, folder=tmp_path)


class DyingOnce:
    """A model that takes its process with it the first time."""

    def __init__(self, marker):
        self.marker = marker

    def __call__(self, data, **options):
        if options and not os.path.exists(self.marker):
            open(self.marker, "w").close()
            os._exit(1)
        return LEMBAS(data, **options)


def test_a_worker_that_dies_costs_nothing_but_time(data, tmp_path, caplog):
    found = run(data, model=DyingOnce(str(tmp_path / "dead")), jobs=2)
    assert (tmp_path / "dead").exists()
    assert "was lost (its worker process died, exit code 1); it is tried again" in caplog.text
    same(run(data), found)


def test_an_error_of_a_member_names_it(data):
    def broken(data, **options):
        if options:
            raise ZeroDivisionError("no good")
        return LEMBAS(data)

    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError) as caught:
        run(data, model=broken, executor=executor)
    assert any("fold 0" in note for note in caught.value.__notes__)


def test_scrambled_measurements_stay_with_their_tf(data, monkeypatch):
    seen = []
    fit = tasks.fit
    monkeypatch.setattr(
        tasks,
        "fit",
        lambda model, train, *a, **k: seen.append(train) or fit(model, train, *a, **k),
    )
    run(data, scramble=True)
    for train in seen:
        true = data.y[data.tf_mask][:, [data.conditions[name] for name in train.conditions]]
        found = train.y[train.tf_mask]
        assert not torch.equal(true.nan_to_num(9), found.nan_to_num(9))
        torch.testing.assert_close(true.sort().values, found.sort().values, equal_nan=True)


def test_leaving_ligands_out(data):
    folds = leave_one_ligand_out(data)
    assert folds.groupby("Ligand")["Condition"].apply(list).to_dict() == {
        "L": ["c1", "c3", "c4", "c5"],
        "C": ["c2", "c3", "c5", "c7"],
        "K": ["c6", "c7"],
    }
    paired = leave_one_ligand_out(data, "C-name")
    assert paired["Ligand"].unique().tolist() == ["L", "K"]
    with pytest.raises(ValueError, match="'T' is no ligand"):
        leave_one_ligand_out(data, "T")


def test_folds_hold_every_condition_out_once(data):
    for folds in (leave_one_out(data), k_fold(data, 3, seed=1)):
        assert sorted(folds["Condition"]) == sorted(data.conditions)
    assert k_fold(data, 3)["Index"].value_counts().tolist() == [3, 3, 2]


@pytest.mark.parametrize(
    ("folds", "error", "text"),
    [
        (3, TypeError, "give a table"),
        (pd.DataFrame({"Index": [0]}), ValueError, "no column"),
        (pd.DataFrame({"Index": [], "Condition": []}), ValueError, "no rows"),
        (pd.DataFrame({"Index": [0], "Condition": ["x"]}), ValueError, "the data have not: 'x'"),
        (pd.DataFrame({"Index": [0, 0], "Condition": ["c1"] * 2}), ValueError, "'c1' twice"),
        (
            pd.DataFrame({"Index": 0, "Condition": [f"c{i}" for i in range(8)]}),
            ValueError,
            "nothing is left",
        ),
    ],
)
def test_fold_tables_that_do_not_fit_are_refused(data, folds, error, text):
    with pytest.raises(error, match=text):
        cross_validate(data, folds, CONFIG)


def test_an_ensemble_is_saved_and_loaded(data, tmp_path):
    models = [LEMBAS(data, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    ensemble = Ensemble(models, average="median")
    ensemble.save(tmp_path)
    loaded = Ensemble.load(tmp_path, LEMBAS(data), average="median")
    with torch.no_grad():
        one, other = ensemble(data.x), loaded(data.x)
    assert torch.equal(one.y, other.y)
    single = torch.stack([model(data.x).y.clamp(0, 1) for model in models]).detach()
    torch.testing.assert_close(one.y, single.median(dim=0).values)
    torch.testing.assert_close(one.spread, single.std(dim=0))
    with pytest.raises(FileExistsError, match="holds an ensemble already"):
        ensemble.save(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no ensemble"):
        Ensemble.load(tmp_path / "none", LEMBAS(data))


def test_members_without_steady_state_do_not_count(data):
    models = [LEMBAS(data, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    with torch.no_grad():
        models[0].conv.edge_weight.fill_(3.0)
        models[0].conv.edge_weight[1] = -3.0
        models[0].conv.act = LeakyReLU()
        prediction = Ensemble(models)(data.x)
    lost = ~prediction.converged[0]
    assert lost.any()
    expected = prediction.members[1:, :, lost].mean(dim=0)
    torch.testing.assert_close(prediction.y[:, lost], expected)


def test_ensembles_of_different_networks_are_refused(data):
    other = LEMBAS(data)
    other.node_name = [*other.node_name[:-1], "Z"]
    with pytest.raises(ValueError, match="Member 1 is a model of another network"):
        Ensemble([LEMBAS(data), other])
    with pytest.raises(ValueError, match="needs a member"):
        Ensemble([])
    with pytest.raises(ValueError, match="choose from mean, median"):
        Ensemble([LEMBAS(data)], average="mode")


def test_models_without_a_network_stand_beside_ours(data):
    found = cross_validate(
        data, k_fold(data, 2), CONFIG, costimulus="C", scramble=False, progress=False
    )
    models = found.scores["model"].tolist()
    assert models[0] == "LEMBAS"
    assert {"train mean", "mean within co-stimulus", "ridge", "PLS, unscaled"} <= set(models)
    by_model = found.by_model[found.by_model["model"] == "train mean"]
    for fold, part in by_model.groupby("fold"):
        held_out = set(part["condition"])
        train = [i for name, i in data.conditions.items() if name not in held_out]
        for tf, rows in part.groupby("tf"):
            mean = data.y[data.node_name.index(tf), train].nanmean().clamp(0, 1)
            np.testing.assert_allclose(rows["predicted"], mean, rtol=1e-6, err_msg=f"{fold} {tf}")
    by_name = found.by_model.set_index("model")["predicted"]
    mean = (by_name["LEMBAS"].to_numpy() + by_name["kernel ridge"].to_numpy()) / 2
    np.testing.assert_allclose(by_name["LEMBAS, blended with kernel ridge"], mean, rtol=1e-12)


def test_conditions_without_steady_state_are_scored_and_named(data, monkeypatch, caplog):
    predict = tasks.predict

    def restless(*arguments):
        found = predict(*arguments)
        return found._replace(converged=torch.zeros_like(found.converged))

    monkeypatch.setattr(tasks, "predict", restless)
    found = run(data)
    assert found.scores["entries"].tolist() == [15]
    assert found.members["held_out_not_converged"].sum() == 8
    assert "8 held-out conditions have no steady state" in caplog.text


COURSE = ["epoch", "lr", "loss", "fit", "r", "rho", "sign", "not_converged"]


def test_the_course_of_a_training_is_that_of_its_history(data, tmp_path):
    found = run(data, folder=tmp_path)
    table = found.histories
    assert list(table) == ["fold", "member", *COURSE]
    assert table.groupby(["fold", "member"]).size().tolist() == [12] * 3
    row = found.members.iloc[1]
    held_out = found.predictions.loc[found.predictions["fold"] == 1, "condition"].unique()
    train = select_conditions(data, [c for c in data.conditions if c not in held_out])
    seed = int(row["seed"])
    model = LEMBAS(data, generator=torch.Generator().manual_seed(seed), **CONFIG.model_options())
    expected = fit(model, train, replace(CONFIG, seed=seed), progress=False).table
    expected["not_converged"] /= 8 - len(held_out)
    ours = table[table["fold"] == 1]
    np.testing.assert_array_equal(ours[COURSE], expected[COURSE].astype("float32"))
    kept = load_tensors(tmp_path / "fold-001-member-000.pt")["history"]
    assert list(kept) == COURSE
    assert all(value.dtype == torch.float32 for value in kept.values())
    pd.testing.assert_frame_equal(run(data, folder=tmp_path).histories, table)


def test_long_courses_are_thinned_to_both_ends(data):
    config = replace(CONFIG, epochs=301, sign=0.0)
    found = cross_validate(data, k_fold(data, 2), config, baselines=False, progress=False)
    for _, table in found.histories.groupby("fold"):
        epoch = table["epoch"].to_numpy()
        assert len(epoch) == 200 and (epoch[0], epoch[-1]) == (0, 300)
        assert set(np.diff(epoch)) == {1, 2}
        assert table["sign"].isna().all() and table["fit"].notna().all()


def test_members_without_a_course_stay_readable(data, tmp_path):
    whole = run(data, folder=tmp_path)
    files = sorted(tmp_path.glob("*.pt"))
    for count, path in enumerate(files, 1):
        member = load_tensors(path)
        del member["history"]
        save_tensors(member, path)
        found = run(data, folder=tmp_path)
        same(found, whole)
        assert list(found.histories) == list(whole.histories)
        assert found.histories["fold"].unique().tolist() == [0, 1, 2][count:]


class Diverging:
    """A model whose training diverges where the seed is one of those given."""

    def __init__(self, *seeds):
        self.seeds = seeds

    def __repr__(self):
        return "Diverging"

    def __call__(self, data, *, generator=None, **options):
        model = LEMBAS(data, generator=generator, **options)
        if generator is not None and generator.initial_seed() in self.seeds:
            with torch.no_grad():
                model.output.weight.fill_(torch.inf)
        return model


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_training_that_diverges_costs_no_other(data, tmp_path, caplog, jobs):
    seed = run(data).members["seed"].tolist()
    model = Diverging(seed[0], seed[2])
    folder = tmp_path / "members"
    with pytest.raises(FloatingPointError) as caught:
        run(data, model=model, members=2, folder=folder, jobs=jobs)
    text = str(caught.value)
    assert "The training of fold 0, member 0; fold 2, member 0 diverged. Of fold 0, mem" in text
    assert "infinite or NaN in epoch 0" in text and "Lower the learning rate (lr=0.01)" in text
    assert f"The 4 members that did not diverge are kept in {folder}" in text
    assert "one without folds 0, 2 has nothing left to train" in text
    assert "fold 2, member 0 diverged; the others are trained first" in caplog.text
    trained = {path: path.stat().st_mtime_ns for path in folder.glob("*.pt")}
    names = ["fold-000-member-001", "fold-001-member-000", "fold-001-member-001"]
    assert sorted(path.stem for path in trained) == [*names, "fold-002-member-001"]
    with pytest.raises(FloatingPointError, match="fold 0, member 0; fold 2, member 0 diverged"):
        run(data, model=model, members=2, folder=folder)
    model.seeds = ()
    same(run(data, members=2), run(data, model=model, members=2, folder=folder))
    assert trained == {path: path.stat().st_mtime_ns for path in trained}


def test_without_a_folder_the_first_divergence_ends_it(data):
    model = Diverging(*run(data).members["seed"].tolist()[:2])
    with pytest.raises(FloatingPointError, match=r"of fold 0, member 0 diverged.* With folder= "):
        run(data, model=model)


class Impatient(LEMBAS):
    """A model whose user presses Ctrl-C in the first epoch."""

    def steady_state(self, *arguments):
        raise KeyboardInterrupt


def test_an_interruption_in_the_first_epoch_is_one(data):
    with pytest.raises(KeyboardInterrupt):
        run(data, model=Impatient)
