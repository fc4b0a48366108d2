"""Commands that are given several models, from files or a folder, against the library."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.analysis import hubs, sensitivity, stability, steady_states
from lembas_pyg.cli import main
from lembas_pyg.io import read_conditions

TOY = Path(lp.datasets.__file__).parent / "toy"
NETWORK = ["--network", TOY / "toy-Model.tsv", "--annotation", TOY / "toy-Annotation.tsv"]
NETWORK += ["--ligands", "L.tsv"]
FILES = ["P.tsv", TOY / "toy-Parameters.tsv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "L.tsv").write_text("\tL1\tL2\nnone\t0\t0\none\t1\t0\ntwo\t0\t1\nboth\t1\t0.3\n")
    (tmp_path / "T.tsv").write_text("\tT1\nnone\t0.1\none\t0.2\ntwo\t0.8\nboth\t0.6\n")
    return tmp_path


@pytest.fixture
def ensemble(folder):
    """The models of two parameter texts, which are also in the folder E."""
    data = network()
    models = [lp.LEMBAS(data).double(), lp.LEMBAS(data).double()]
    lp.checkpoint.load_parameters(models[1], lp.datasets.ToyNetwork.parameters())
    found = lp.Ensemble(models)
    found.save("E")
    lp.io.write_parameters(lp.checkpoint.to_parameters(models[0]), "P.tsv")
    return found


def network(tfs=None):
    measured = None if tfs is None else read_conditions(tfs)
    return lp.network.add_conditions(
        lp.datasets.ToyNetwork()[0], read_conditions("L.tsv"), measured
    )


def run(command, *options, code=0):
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        found = main([str(word) for word in (command, *NETWORK, *options)])
    assert found == code, err.getvalue()
    return err.getvalue()


def same(file, table):
    found = pd.read_csv(file, sep="\t", keep_default_na=False, na_values=[""])
    assert found.columns.tolist() == table.columns.tolist()
    for name in found:
        if pd.api.types.is_numeric_dtype(table[name]):
            numbers = table[name].to_numpy(dtype=float)
            np.testing.assert_allclose(found[name], numbers, rtol=0, atol=1e-12)
        else:
            assert found[name].astype(str).tolist() == table[name].astype(str).tolist()


@pytest.mark.parametrize("given", [FILES, ["E"]])
def test_sensitivities_of_several_models(ensemble, given):
    data = network()
    extra = ["--hubs", "H.tsv", "--threshold", "0.1"]
    run("sensitivity", "--parameters", *given, "--out", "S.tsv", *extra)
    table = sensitivity(ensemble, data)
    assert table.columns.tolist()[-3:] == ["spread", "members", "agree"]
    same("S.tsv", table)
    same("H.tsv", hubs(table, data, 0.1))
    run("sensitivity", "--parameters", *given, "--out", "each.tsv", "--by-member", "--strongest")
    same("each.tsv", sensitivity(ensemble, data, by_member=True, strongest=True))


@pytest.mark.parametrize("given", [FILES, ["E"]])
def test_stability_of_several_models(ensemble, given):
    data = network()
    options = ["--modes", "1", "--top", "2", "--nodes-out", "N.tsv", "--parameters", *given]
    run("stability", *options, "--out", "M.tsv", "--states-out", "S.tsv", "--starts", "4")
    each = stability(ensemble, data, modes=1, nodes=2)
    same("M.tsv", each.over_members().modes)
    same("N.tsv", each.over_members().nodes)
    states = pd.read_csv("S.tsv", sep="\t")
    assert states.columns[0] == "member"
    for number, member in enumerate(ensemble.models):
        expected = steady_states(member, data, starts=4).states
        default = states[(states["member"] == number) & states["default"]]
        np.testing.assert_allclose(
            default["radius"], expected[expected["default"]]["radius"], atol=1e-8
        )
    run("stability", *options, "--out", "M.tsv", "--by-member", "--overwrite")
    same("M.tsv", each.modes)
    same("N.tsv", each.nodes)


def test_a_condition_is_asked_of_the_members_that_have_or_have_not_seen_it(folder):
    settings = ["--preset", "toy", "--epochs", "3", "--folds", "2", "--no-baselines"]
    run("cross-validate", "--tfs", "T.tsv", *settings, "--out", "CV")
    ensemble, data = lp.training.load_members("CV", network("T.tsv"))
    run("stability", "--parameters", "CV", "--out", "M.tsv")
    same("M.tsv", stability(ensemble, data).over_members().modes)
    for word, seen in (("yes", True), ("no", False)):
        run("sensitivity", "--parameters", "CV", "--out", f"{word}.tsv", "--trained-on", word)
        same(f"{word}.tsv", sensitivity(ensemble, data, trained_on=seen))


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("sensitivity", ["--by-member"], "--by-member: there is one model"),
        ("stability", ["--by-member"], "--by-member: there is one model"),
        ("knock-out", ["--by-member"], "--by-member: there is one model"),
        ("sensitivity", ["--by-member", "--hubs", "H.tsv"], "--hubs are of medians"),
        ("sensitivity", ["--trained-on", "no"], "--trained-on: give the folder of a cross-val"),
        ("sensitivity", ["--trained-on", "maybe"], "argument --trained-on"),
    ],
)
def test_options_of_members_need_members(folder, command, options, message):
    said = run(command, "--parameters", FILES[1], "--out", "O.tsv", *options, code=2)
    assert message in said
    assert not Path("O.tsv").exists()


def test_folders_and_files_are_not_mixed(ensemble):
    said = run("stability", "--parameters", "E", FILES[1], "--out", "O.tsv", code=1)
    assert "--parameters E is a folder; give it alone, or only files" in said
