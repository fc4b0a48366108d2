"""The commands on the toy network, and on the published ones where they are at hand."""

import contextlib
import dataclasses
import inspect
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.cli import main
from lembas_pyg.io import read_annotation, read_conditions, read_interactions, read_parameters
from lembas_pyg.io.replace import replace_file
from lembas_pyg.nn import activation_by_name
from lembas_pyg.prediction import MAX_STEPS, TOL
from lembas_pyg.training import PRESETS, compare_nulls
from lembas_pyg.training.nulls import NULLS, slug

TOY = Path(lp.datasets.__file__).parent / "toy"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"
NETWORK = ["--network", str(TOY / "toy-Model.tsv"), "--annotation", str(TOY / "toy-Annotation.tsv")]
LIGANDS = "\tL1\tL2\nnone\t0\t0\none\t1\t0\ntwo\t0\t1\nboth\t1\t0.3\n"
TFS = "\tT1\nnone\t0.1\none\t0.2\ntwo\t0.8\nboth\tNA\n"
COMMANDS = ["demo", "convert", "curate", "info", "tf-activity", "train", "cross-validate"]
COMMANDS += ["predict", "knock-out", "sensitivity", "explain", "stability", "impute", "report"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "L.tsv").write_text(LIGANDS)
    (tmp_path / "T.tsv").write_text(TFS)
    return tmp_path


def run(*argv):
    """Output and errors of a command that succeeds."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in argv])
    assert code == 0, err.getvalue()
    return out.getvalue(), err.getvalue()


def predict(*options, command="predict", parameters=TOY / "toy-Parameters.tsv"):
    run(command, *NETWORK, "--parameters", parameters, "--ligands", "L.tsv", *options)


def train(out, *options):
    inputs = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv"]
    return run("train", *inputs, "--preset", "toy", "--epochs", 30, "--out", out, *options)


def read(path, index=None):
    """A table whose numbers are read to the last digit, which not every pandas does by itself."""
    table = pd.read_csv(path, sep="\t", dtype=str)
    for name in table.columns.difference(["condition", "node", "label", "tf", table.columns[0]]):
        table[name] = table[name].astype(float)
    return table if index is None else table.set_index(index)


def test_info_counts_the_toy_network(folder):
    out, err = run("info", *NETWORK)
    told = dict(line.split("\t") for line in out.splitlines())
    # By hand: R1 <-> S1 is the only feedback, so the spectral radius is that of one 2-cycle.
    assert told.pop("spectral radius of |A|, unit weights") == pytest.approx("1.0")
    assert told == {
        "nodes": "7",
        "interactions": "8",
        "ligands": "2",
        "receptors": "2",
        "TFs": "1",
        "activations": "6",
        "inhibitions": "2",
        "unknown signs": "0",
        "self-loops": "0",
        "nodes on paths from ligands to TFs": "7",
        "components": "1",
        "nodes in the largest feedback component": "2",
    }
    assert err == ""


def test_prediction_is_that_of_the_equations_solved_by_hand(folder):
    predict("--out", "Y.tsv", "--states", "H.tsv")
    y, h = read("Y.tsv", index="condition"), read("H.tsv", index="condition")
    assert list(y.index) == list(h.index) == ["none", "one", "two", "both"]
    assert list(y.columns) == ["T1"]
    assert list(h.columns) == ["L1", "L2", "R1", "R2", "S1", "S2", "T1"]
    assert (h.loc["none"] == 0).all()
    # L2 alone: R2 is 2/3; S1 is inhibited, and with R1 on the leaking side of the activation.
    s1 = -0.01 * 0.9 * (2 / 3) / (1 - 0.01 * 0.01 * 1.4)
    s2 = 1 - 0.25 / (2 / 3 - s1)
    t1 = 1 - 0.25 / (2 * s2)
    expected = [0, 0.75, 0.014 * s1, 2 / 3, s1, s2, t1]
    np.testing.assert_allclose(h.loc["two"], expected, rtol=0, atol=1e-12)
    assert y.loc["two", "T1"] == pytest.approx(1.3 * t1, abs=1e-12)


def test_numbers_are_written_so_that_float64_survives(folder):
    predict("--out", "Y.tsv")
    data = lp.network.add_conditions(lp.datasets.ToyNetwork()[0], read_conditions("L.tsv"))
    model = lp.checkpoint.load_parameters(
        lp.LEMBAS(data).double(), lp.datasets.ToyNetwork.parameters()
    )
    expected = lp.predict(model, data).y.T.numpy()
    assert (read("Y.tsv", index="condition").to_numpy() == expected).all()
    assert read_conditions("Y.tsv").to_numpy().tolist() == expected.tolist()


def test_knock_outs_are_one_long_table_of_every_node(folder):
    predict("--out", "KO.tsv", command="knock-out")
    table = read("KO.tsv")
    assert list(table.columns) == ["condition", "node", "tf", "control", "perturbed", "delta"]
    nodes = ["L1", "L2", "R1", "R2", "S1", "S2", "T1"]
    assert list(table["condition"]) == [c for c in ("none", "one", "two", "both") for _ in nodes]
    assert list(table["node"]) == nodes * 4
    assert set(table["tf"]) == {"T1"}
    assert (table["delta"] == table["perturbed"] - table["control"]).all()


def test_stability_writes_modes_nodes_and_steady_states(folder):
    extra = ["--nodes-out", "N.tsv", "--states-out", "S.tsv", "--starts", 6]
    predict("--out", "M.tsv", "--modes", 1, "--top", 2, *extra, command="stability")
    data = lp.network.add_conditions(lp.datasets.ToyNetwork()[0], read_conditions("L.tsv"))
    model = lp.checkpoint.load_parameters(
        lp.LEMBAS(data).double(), lp.datasets.ToyNetwork.parameters()
    )
    expected = lp.analysis.stability(model, data, modes=1, nodes=2)
    modes = read("M.tsv")
    assert list(modes["condition"]) == ["none", "one", "two", "both"]
    pd.testing.assert_frame_equal(modes, expected.modes, check_dtype=False)
    nodes = read("N.tsv")
    assert nodes.columns.tolist() == expected.nodes.columns.tolist()
    assert nodes["node"].tolist() == expected.nodes["node"].tolist()
    assert nodes["participation"].tolist() == expected.nodes["participation"].tolist()
    states = pd.read_csv("S.tsv", sep="\t")
    assert states.groupby("condition")["share"].sum().between(0.99, 1.01).all()
    assert main([*_stability_words(), "--starts", "3"]) == 2


def test_conditions_without_steady_state_keep_a_blank_row(folder):
    words = [*_stability_words(), "--max-steps", "1"]
    assert main(words) == 0
    modes = read("M.tsv").drop_duplicates("condition").set_index("condition")
    assert list(modes.index) == ["none", "one", "two", "both"]
    assert modes["radius"].isna().to_dict() == {
        "none": False,
        "one": True,
        "two": True,
        "both": True,
    }
    assert main([*words, "--conditions", "one", "--overwrite"]) == 1


def _stability_words():
    return [
        *("stability", *NETWORK, "--parameters", str(TOY / "toy-Parameters.tsv")),
        *("--ligands", "L.tsv", "--out", "M.tsv"),
    ]


@pytest.mark.parametrize("strength", [None, -3, -1e-2])
def test_prediction_with_a_knock_out_is_the_perturbed_column(folder, strength):
    option = [] if strength is None else ["--strength", strength]
    predict("--out", "KO.tsv", "--nodes", "S1,L2", *option, command="knock-out")
    predict("--out", "Y.tsv", "--knock-out", "S1", *option)
    predict("--out", "control.tsv")
    table = read("KO.tsv").query("node == 'S1'").set_index("condition")
    knocked_out, control = (
        read(name, index="condition")["T1"] for name in ("Y.tsv", "control.tsv")
    )
    np.testing.assert_allclose(table["perturbed"], knocked_out, rtol=0, atol=1e-11)
    np.testing.assert_allclose(table["control"], control, rtol=0, atol=1e-11)
    assert (knocked_out != control).any()


def test_the_default_strength_is_minus_five(folder):
    predict("--out", "default.tsv", "--knock-out", "S1,R2")
    predict("--out", "five.tsv", "--knock-out", "R2, S1", "--strength", "-5")
    assert Path("default.tsv").read_bytes() == Path("five.tsv").read_bytes()


def toy_data(tfs=None):
    data = lp.datasets.ToyNetwork()[0]
    measured = None if tfs is None else read_conditions(tfs)
    return lp.network.add_conditions(data, read_conditions("L.tsv"), measured)


def toy_model(data):
    model = lp.LEMBAS(data).double()
    return lp.checkpoint.load_parameters(model, lp.datasets.ToyNetwork.parameters())


def same(file, table):
    """Whether a file holds the texts and numbers of a table."""
    found = pd.read_csv(file, sep="\t", keep_default_na=False, na_values=[""])
    assert found.columns.tolist() == table.columns.tolist()
    for name in found:
        if pd.api.types.is_numeric_dtype(found[name]):
            numbers = table[name].to_numpy(dtype=float)
            np.testing.assert_allclose(found[name], numbers, rtol=0, atol=1e-12)
        else:
            assert found[name].tolist() == table[name].tolist()


def test_sets_of_nodes_are_joined_by_a_plus_and_may_be_held_at_a_state(folder):
    predict("--out", "KO.tsv", "--nodes", "S1,R2+L1", "--clamp", "0.5", command="knock-out")
    data = toy_data()
    same("KO.tsv", lp.analysis.knock_out(toy_model(data), data, ["S1", ("L1", "R2")], clamp=0.5))


def test_pairs_of_nodes_come_with_their_synergy(folder):
    predict("--out", "P.tsv", "--nodes", "S1,R2,R1", "--pairs", command="knock-out")
    data = toy_data()
    same("P.tsv", lp.analysis.double_knock_out(toy_model(data), data, ["S1", "R2", "R1"]))


@pytest.fixture
def several(folder):
    """Two parameter texts, the models of both as an ensemble in a folder, and the ensemble."""
    data = toy_data()
    models = [lp.LEMBAS(data).double(), toy_model(data)]
    ensemble = lp.Ensemble(models)
    ensemble.save("E")
    lp.io.write_parameters(lp.checkpoint.to_parameters(models[0]), "P.tsv")
    return ["P.tsv", str(TOY / "toy-Parameters.tsv")], ensemble, data


def test_several_models_are_an_ensemble_from_files_or_a_folder(several):
    files, ensemble, data = several
    inputs = ["knock-out", *NETWORK, "--ligands", "L.tsv", "--nodes", "S1,R2", "--parameters"]
    expected = lp.analysis.knock_out(ensemble, data, ["S1", "R2"])
    run(*inputs, *files, "--out", "files.tsv")
    run(*inputs, "E", "--out", "folder.tsv")
    for file in ("files.tsv", "folder.tsv"):
        same(file, expected)
    run(*inputs, "E", "--by-member", "--out", "each.tsv")
    same("each.tsv", lp.analysis.knock_out(ensemble, data, ["S1", "R2"], by_member=True))
    run(*inputs, "E", "--rank", "T1", "--out", "ranked.tsv")
    each = lp.analysis.knock_out(ensemble, data, ["S1", "R2"], by_member=True)
    same("ranked.tsv", lp.analysis.rank_knock_outs(each, data=data))


def test_one_model_is_ranked_by_its_largest_effect(folder):
    predict("--out", "R.tsv", "--rank", "T1", command="knock-out")
    data = toy_data()
    same(
        "R.tsv",
        lp.analysis.rank_knock_outs(lp.analysis.knock_out(toy_model(data), data), data=data),
    )


def test_members_of_a_cross_validation_are_knocked_out(folder):
    inputs = [*NETWORK, "--ligands", "L.tsv"]
    settings = ["--preset", "toy", "--epochs", "3", "--folds", "2", "--no-baselines"]
    run("cross-validate", *inputs, "--tfs", "T.tsv", *settings, "--out", "CV")
    run("knock-out", *inputs, "--parameters", "CV", "--nodes", "S1", "--out", "KO.tsv")
    data = toy_data("T.tsv")
    ensemble, _ = lp.training.load_members("CV", data)
    assert len(ensemble) == 2
    same("KO.tsv", lp.analysis.knock_out(ensemble, data, "S1"))


def test_knock_outs_of_some_nodes_under_some_conditions(folder):
    predict("--out", "KO.tsv", "--nodes", "R2,L1", "--conditions", "two,one", command="knock-out")
    table = read("KO.tsv")
    assert set(zip(table["condition"], table["node"], strict=True)) == {
        ("one", "R2"), ("one", "L1"), ("two", "R2"), ("two", "L1")
    }  # fmt: skip


def test_an_output_can_be_replaced_piped_and_compressed(folder):
    predict("--out", "Y.tsv")
    expected = Path("Y.tsv").read_bytes()
    Path("Y.tsv").write_text("old")
    predict("--out", "Y.tsv", "--overwrite")
    predict("--out", "Y.tsv.gz")
    assert Path("Y.tsv").read_bytes() == expected
    pd.testing.assert_frame_equal(read("Y.tsv.gz"), read("Y.tsv"))


def test_a_link_stays_and_a_device_is_no_file_to_replace(folder):
    Path("real.tsv").write_text("old")
    Path("link.tsv").symlink_to("real.tsv")
    predict("--out", "link.tsv", "--overwrite")
    predict("--out", "/dev/null")
    assert Path("link.tsv").is_symlink()
    assert Path("real.tsv").read_text().startswith("condition\tT1\n")
    assert Path("/dev/null").is_char_device()
    assert sorted(path.name for path in folder.iterdir()) == [
        "L.tsv", "T.tsv", "link.tsv", "real.tsv"
    ]  # fmt: skip


def test_an_error_of_the_system_names_the_file():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        with replace_file("/dev/full") as file:
            file.write(b"x" * 100_000)


def test_training_writes_a_run_that_predict_can_use(folder):
    train("RUN")
    assert sorted(path.name for path in Path("RUN").iterdir()) == [
        "best-parameters.tsv",
        "checkpoint.pt",
        "config.json",
        "fit.tsv",
        "history.tsv",
        "model.safetensors",
        "parameters.tsv",
        "summary.json",
    ]
    config = json.loads(Path("RUN/config.json").read_text())
    assert config["preset"] == "toy"
    expected = dataclasses.replace(lp.TrainingConfig.toy(), epochs=30)
    assert lp.TrainingConfig.from_dict(config["settings"]) == expected
    history = read("RUN/history.tsv")
    assert list(history["epoch"]) == [str(epoch) for epoch in range(30)]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    summary = json.loads(Path("RUN/summary.json").read_text())
    assert summary["epochs"] == 30 and summary["interrupted"] is False
    assert summary["epoch of the smallest loss"] == history["loss"].idxmin()

    predict("--out", "Y.tsv", parameters="RUN/parameters.tsv")
    assert Path("Y.tsv").read_bytes() == Path("RUN/fit.tsv").read_bytes()
    model = lp.LEMBAS(lp.datasets.ToyNetwork()[0])
    lp.checkpoint.load(model, "RUN/model.safetensors")
    table = lp.checkpoint.to_parameters(model)
    pd.testing.assert_frame_equal(table, read_parameters("RUN/parameters.tsv"))


def test_the_summary_scores_the_fit(folder):
    train("RUN")
    summary = json.loads(Path("RUN/summary.json").read_text())
    known = ["none", "one", "two"]  # `both` was not measured
    y, measured = (read_conditions(name).loc[known, "T1"] for name in ("RUN/fit.tsv", "T.tsv"))
    assert summary["train r"] == pytest.approx(np.corrcoef(y, measured)[0, 1])
    assert summary["train MSE"] == pytest.approx(((y - measured) ** 2).mean())


def test_training_prints_the_loss_curve(folder):
    out, err = train("RUN")
    header, *rows = out.splitlines()[: out.splitlines().index("epochs\t30")]
    assert header.split("\t")[:4] == ["epoch", "lr", "loss", "fit"]
    assert rows[0].startswith("0\t") and rows[-1].startswith("29\t")
    assert 10 <= len(rows) <= 18
    assert err == ""  # no progress bar in a pipe


def test_the_same_seed_gives_the_same_files_and_another_seed_others(folder):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        train(name, "--seed", seed)
    for file in ("parameters.tsv", "best-parameters.tsv", "model.safetensors", "fit.tsv"):
        first, second, other = (Path(name, file).read_bytes() for name in ("one", "two", "other"))
        assert first == second, file
        assert first != other, file
    histories = [read(f"{name}/history.tsv").drop(columns="seconds") for name in ("one", "two")]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    assert Path("one/config.json").read_bytes() == Path("two/config.json").read_bytes()


def test_a_summary_without_correlation_is_still_json(folder):
    (folder / "T.tsv").write_text("\tT1\nnone\t0.5\none\t0.5\ntwo\t0.5\nboth\t0.5\n")
    train("RUN")
    content = Path("RUN/summary.json").read_text()
    assert json.loads(content, parse_constant=pytest.fail)["train r"] is None


def cross_validate(out, *options):
    inputs = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy", "--epochs", 10]
    return run("cross-validate", *inputs, "--out", out, *options)


def test_cross_validation_writes_what_can_be_read(folder):
    (folder / "F.tsv").write_text("Index\tCondition\n0\tnone\n0\tone\n1\ttwo\n")
    out, _ = cross_validate("CV", "--folds", "F.tsv", "--members", 2, "--no-baselines")
    predictions = pd.read_csv("CV/predictions.tsv", sep="\t")
    assert list(predictions) == ["fold", "condition", "tf", "measured", "predicted", "spread"]
    assert predictions["condition"].tolist() == ["none", "one", "two"]
    assert predictions["measured"].tolist() == [0.1, 0.2, 0.8]
    summary = json.loads(Path("CV/summary.json").read_text())
    scores = pd.read_csv("CV/scores.tsv", sep="\t").set_index("model")
    assert summary["MSE"] == pytest.approx(scores.loc["LEMBAS", "mse"])
    assert summary["folds"] == summary["members"] == 2
    assert len(pd.read_csv("CV/members.tsv", sep="\t")) == 4
    history = pd.read_csv("CV/history.tsv", sep="\t")
    assert list(history)[:4] == ["fold", "member", "epoch", "lr"]
    assert len(history) == 4 * 10 and history["loss"].gt(0).all()
    assert "<h2>Training</h2>" in Path("CV/report.html").read_text(encoding="utf-8")
    assert out.splitlines()[1].startswith("LEMBAS\t")
    assert "<html" in Path("CV/report.html").read_text(encoding="utf-8")


def test_cross_validation_goes_on_where_it_stopped(folder):
    cross_validate("CV", "--folds", "leave-one-out", "--no-baselines")
    before = Path("CV/predictions.tsv").read_bytes()
    times = {path: path.stat().st_mtime_ns for path in Path("CV/members").glob("*.pt")}
    lost = next(iter(times))
    lost.unlink()
    cross_validate("CV", "--folds", "leave-one-out", "--no-baselines", "--resume")
    assert Path("CV/predictions.tsv").read_bytes() == before
    kept = [path for path, time in times.items() if path.stat().st_mtime_ns == time]
    assert len(kept) == len(times) - 1


def test_nulls_stand_beside_the_cross_validation(folder):
    names = [f"c{i}" for i in range(8)]
    rows = [f"{name}\t{i % 2}\t{i / 8}\n" for i, name in enumerate(names)]
    (folder / "L.tsv").write_text("".join(["\tL1\tL2\n", *rows]))
    rows = [f"{name}\t{0.1 + i / 10}\n" for i, name in enumerate(names)]
    (folder / "T.tsv").write_text("".join(["\tT1\n", *rows]))
    options = ["--folds", "2", "--members", 2]
    cross_validate("CV", *options)
    alone = pd.read_csv("CV/scores.tsv", sep="\t")
    nulls = ["--nulls", "rewired,scrambled-y", "--null-repeats", 2]
    out, _ = cross_validate("CV", *options, *nulls, "--resume")
    both = pd.read_csv("CV/scores.tsv", sep="\t")
    added = ["LEMBAS, rewired 1", "LEMBAS, rewired 2", "LEMBAS, scrambled y"]
    ours = alone["model"].str.startswith("LEMBAS")
    assert both["model"].tolist() == [*alone["model"][ours], *added, *alone["model"][~ours]]
    kept = both[~both["model"].isin(added)].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, alone)
    for name in ("fold-scores", "predictions-by-model", "null-members"):
        assert set(added) <= set(pd.read_csv(f"CV/{name}.tsv", sep="\t")["model"])
    compared = pd.read_csv("CV/null-comparisons.tsv", sep="\t").set_index("null")
    assert compared.index.tolist() == ["rewired", "scrambled y"]
    assert compared["repeats"].tolist() == [2, 1]
    folds = pd.read_csv("CV/fold-scores.tsv", sep="\t").pivot(index="fold", columns="model")["r"]
    assert compared["folds"].tolist() == [2, 2]
    assert compared.loc["scrambled y", "null_r"] == pytest.approx(
        folds["LEMBAS, scrambled y"].mean()
    )
    assert "fold r above 'rewired'" in out
    text = Path("CV/report.html").read_text(encoding="utf-8")
    assert "the null &#x27;rewired&#x27; (2 networks" in text
    config = json.loads(Path("CV/config.json").read_text())
    assert config["nulls"] == ["rewired", "scrambled y"]
    times = {path: path.stat().st_mtime_ns for path in Path("CV/nulls").rglob("*.pt")}
    assert len(times) == 6
    cross_validate("CV", *options, *nulls, "--resume")
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_nulls_of_the_command_line_are_those_of_the_library():
    text = help_of("cross-validate")
    listed = re.search(r"--nulls NAME,\.\.\. .*?single members: (.*?), or all", text)[1]
    assert listed.replace("- ", "-").split(", ") == [slug(name) for name in NULLS]
    default = inspect.signature(compare_nulls).parameters["repeats"].default
    assert int(re.search(r"--null-repeats INT .*?default: (\d+)", text)[1]) == default


def test_settings_reach_the_training(folder):
    train("RUN", "--lr", "3e-4", "--no-train-output", "--noise", "0.5", "--activation", "LEAKYRELU")
    config = json.loads(Path("RUN/config.json").read_text())
    assert config["settings"]["lr"] == 3e-4
    assert config["settings"]["noise"] == 0.5
    assert config["settings"]["train_output"] is False
    assert config["activation"] == "LeakyReLU(leak=0.01)"
    assert read_parameters("RUN/parameters.tsv").attrs["activation"] == "leakyRelu"


def test_a_finished_run_can_be_resumed_and_stays_as_it_is(folder):
    train("RUN")
    before = {name: Path("RUN", name).read_bytes() for name in ("parameters.tsv", "history.tsv")}
    train("RUN", "--resume")
    assert before == {name: Path("RUN", name).read_bytes() for name in before}


def help_of(*command):
    out, err = run(*command, "--help")
    assert err == ""
    return " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    assert help_of(command).startswith(f"usage: lembas-pyg {command}")
    assert f" {command} " in help_of()


def test_every_training_setting_is_an_option_that_is_described():
    text = help_of("train")
    for field in dataclasses.fields(lp.TrainingConfig):
        option = "--" + field.name.replace("_", "-")
        assert re.search(rf" {option} (INT|FLOAT|NAME) \S|{option}, --no-", text), option


def test_defaults_in_the_help_are_those_of_the_library():
    for command in ("predict", "knock-out", "stability"):
        text = help_of(command)
        assert float(re.search(r"--tol FLOAT .*?default: ([^)]*)", text)[1]) == TOL
        assert int(re.search(r"--max-steps INT .*?default: ([^)]*)", text)[1]) == MAX_STEPS
        if command == "stability":
            for option, (function, name) in {
                "modes": (lp.analysis.stability, "modes"),
                "top": (lp.analysis.stability, "nodes"),
                "starts": (lp.analysis.steady_states, "starts"),
            }.items():
                default = inspect.signature(function).parameters[name].default
                found = re.search(rf"--{option} INT .*?default: ([^)]*)", text)
                assert int(found[1]) == default
            continue
        assert float(re.search(r"--strength FLOAT .*?default: ([^)]*)", text)[1]) == -5
    text = help_of("train")
    words = re.search(r"--activation NAME of every node: (.*?) \(default", text)[1]
    for name in re.split(", | or ", words):
        activation_by_name(name)
    leak = re.search(r"--leak FLOAT .*?default: ([^)]*)", text)[1]
    assert activation_by_name("MML").leak == float(leak)


def test_help_version_and_usage_errors_do_not_wait_for_torch():
    code = (
        "import sys; from lembas_pyg.cli import main\n"
        "codes = [main(words) for words in (['--help'], ['train', '--help'], ['--version'],"
        " ['train', '--lr', 'nan'], ['predict', '--tols', '1'])]\n"
        "assert codes == [0, 0, 0, 2, 2], codes\n"
        "assert not {'torch', 'pandas', 'torch_geometric'} & set(sys.modules)"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.perf_counter() - started < 3  # 0.1 s on an idle machine


def test_the_version_is_that_of_the_package():
    assert run("--version")[0] == f"lembas-pyg {lp.__version__}\n"


@pytest.mark.parametrize("name", lp.__all__)
def test_every_name_of_the_package_is_there_on_first_use(name):
    code = f"import lembas_pyg as lp, sys; sys.exit(0 if lp.{name} is not None else 1)"
    assert name in dir(lp) and getattr(lp, name) is not None
    if name in ("nn", "TrainingConfig"):  # one module and one class, before anything is imported
        subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_the_package_has_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"lembas_pyg.*wiring"):
        lp.wiring  # noqa: B018


def test_the_examples_of_the_page_run_as_they_are(folder):
    """But for the demo, whose tables stand in for it here."""
    text = PAGE.read_text(encoding="utf-8")
    demo = folder / "demo-output"
    demo.mkdir()
    (folder / "T.tsv").write_text(TFS.replace("NA", "0.4"))  # the demo measures everything
    for name in ("L.tsv", "T.tsv"):  # a condition of the demo
        text_of = (folder / name).read_text()
        (folder / name).write_text(text_of.replace("both", "L1=1.00 L2=1.00"))
    for name, source in (
        ("toy-Model.tsv", TOY / "toy-Model.tsv"),
        ("toy-Annotation.tsv", TOY / "toy-Annotation.tsv"),
        ("parameters.tsv", TOY / "toy-Parameters.tsv"),
        ("ligands.tsv", folder / "L.tsv"),
        ("tfs.tsv", folder / "T.tsv"),
    ):
        (demo / name).write_bytes(source.read_bytes())
    shutil.copytree(PAGE.parents[1] / "examples" / "expression", folder / "expression")
    examples = re.findall(r"^```\nlembas-pyg (.*?)\n```", text, re.DOTALL | re.MULTILINE)
    assert {example.split()[0] for example in examples} == set(COMMANDS)
    for example in examples:
        if example != "demo":
            run(*shlex.split(example.replace("\\\n", " ")))
    for path in Path("RUN").iterdir():
        assert f"| `{path.name}` |" in text


def test_the_page_names_every_preset():
    text = PAGE.read_text(encoding="utf-8")
    for name in PRESETS:
        if name in ("reference_model_paper", "viability_paper"):
            continue  # of other models, whose page has them
        assert f"`{name.replace('_', '-')}`" in text


# ---- published networks


class Published:
    """A published network as files, with exact results."""

    def __init__(self, name, data, golden, folder):
        with np.load(golden / f"{name}.npz") as file:
            self.golden = dict(file)
        self.network = data / "lembas" / "networks"
        self.ligands = folder / "L.tsv"
        pd.DataFrame(self["X"], index=self["condition_names"], columns=self["input_names"]).to_csv(
            self.ligands, sep="\t"
        )
        self.name, self.parameters = name, golden / f"{name}-Parameters.tsv"

    def __getitem__(self, key):
        return self.golden[key]

    def run(self, command, out, *options, parameters=None, ligands=None):
        run(
            command,
            *("--network", self.network / f"{self.name}-Model.tsv"),
            *("--annotation", self.network / f"{self.name}-Annotation.tsv"),
            *("--parameters", parameters or self.parameters),
            *("--ligands", ligands or self.ligands),
            *("--out", out),
            *options,
        )
        return read(out)

    def compare(self, table, key, names, rows="condition_names", atol=1e-9):
        """Hold a table, conditions x nodes, to golden values."""
        table = table.set_index("condition").loc[np.atleast_1d(self[rows]), self[names]]
        np.testing.assert_allclose(table, self[key], rtol=0, atol=atol)


@pytest.fixture(params=["macrophage", "KEGGnet"])
def published(request, shared_data, shared_golden, tmp_path):
    return Published(request.param, shared_data, shared_golden, tmp_path)


def test_predictions_of_published_models_are_exact(published, tmp_path):
    y = published.run("predict", tmp_path / "Y.tsv", "--states", tmp_path / "H.tsv")
    assert len(y) == len(published["condition_names"])
    published.compare(y, "Yhat", "output_names")
    published.compare(read(tmp_path / "H.tsv"), "state", "node_names")


def test_knock_outs_of_published_models_are_exact(published, tmp_path):
    strengths = {"-5": "ko_m5_Yhat", "-3": "ko_m3_Yhat"}
    for strength, key in strengths.items():
        if key not in published.golden:
            continue
        table = published.run(
            "knock-out",
            tmp_path / f"KO{strength}.tsv",
            *("--nodes", ",".join(published["ko_nodes"])),
            *("--conditions", published["ko_condition"]),
            *("--strength", strength),
        )
        assert set(table["condition"]) == {str(published["ko_condition"])}
        wide = table.pivot(index="node", columns="tf", values="perturbed")
        wide = wide.loc[published["ko_nodes"], published["output_names"]]
        np.testing.assert_allclose(wide, published[key], rtol=0, atol=1e-9)


def test_the_published_ligand_table_is_read_as_it_is(shared_data, shared_golden, tmp_path):
    published = Published("macrophage", shared_data, shared_golden, tmp_path)
    table = shared_data / "lembas" / "networks" / "macrophage-Ligands.tsv"
    y = published.run("predict", tmp_path / "Y.tsv", ligands=table)
    assert len(y) == 23
    published.compare(y, "Yhat", "output_names")


def test_the_published_parameter_text_is_read_as_it_is(shared_data, shared_golden, tmp_path):
    published = Published("KEGGnet", shared_data, shared_golden, tmp_path)
    text = shared_data / "lembas" / "networks" / "KEGGnet-Parameters.txt"
    y = published.run("predict", tmp_path / "Y.tsv", parameters=text)
    published.compare(y, "Yhat", "output_names", atol=1e-5)  # the original rounded to float32


def test_the_whole_published_network_is_described(shared_data):
    network = shared_data / "lembas" / "networks"
    model, annotation = network / "macrophage-Model.tsv", network / "macrophage-Annotation.tsv"
    out, _ = run("info", "--network", model, "--annotation", annotation)
    told = dict(line.split("\t") for line in out.splitlines())
    interactions, nodes = read_interactions(model), read_annotation(annotation)
    assert told["interactions"] == str(len(interactions)) == "5732"
    assert told["nodes"] == "1128"
    assert (told["ligands"], told["TFs"]) == ("12", str(nodes["TF"].sum())) == ("12", "58")
