"""The commands `sensitivity` and `explain`, as a user calls them, against the library."""

import contextlib
import inspect
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.analysis import explain_path, hubs, sensitivity, strongest
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.cli import main
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_conditions, read_graphml
from lembas_pyg.network import add_conditions
from lembas_pyg.prediction import MAX_STEPS, TOL

TOY = Path(lp.datasets.__file__).parent / "toy"
MODEL = ["--network", TOY / "toy-Model.tsv", "--annotation", TOY / "toy-Annotation.tsv"]
MODEL += ["--parameters", TOY / "toy-Parameters.tsv", "--ligands", "L.tsv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "L.tsv").write_text("\tL1\tL2\nnone\t0\t0\none\t1\t0.25\ntwo\t0\t1\n")
    return tmp_path


@pytest.fixture
def toy(folder):
    data = add_conditions(ToyNetwork()[0], read_conditions("L.tsv"))
    return load_parameters(lp.LEMBAS(data).double(), ToyNetwork.parameters()), data


def run(*argv, code=0):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main([str(word) for word in argv])
    assert found == code, err.getvalue()
    return out.getvalue() if code == 0 else err.getvalue()


def compare(path, expected):
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    assert table.columns.tolist() == expected.columns.tolist()
    for name in table:
        if expected[name].dtype.kind == "f":
            np.testing.assert_allclose(table[name], expected[name], atol=1e-12)
        else:
            assert table[name].astype(str).tolist() == expected[name].astype(str).tolist()


def test_sensitivities_are_those_of_the_library(toy):
    run("sensitivity", *MODEL, "--out", "S.tsv", "--hubs", "H.tsv", "--threshold", "0.1")
    table = sensitivity(*toy)
    compare("S.tsv", table)
    compare("H.tsv", hubs(table, toy[1], 0.1))
    run("sensitivity", *MODEL, "--out", "short.tsv", "--strongest")
    compare("short.tsv", strongest(table))


def test_some_nodes_and_conditions_with_a_finite_change(toy):
    options = ["--nodes", "S2,R1", "--conditions", "two", "--level", "0.01"]
    run("sensitivity", *MODEL, "--out", "S.tsv", *options)
    compare("S.tsv", sensitivity(*toy, ["S2", "R1"], "two", level=0.01))


def test_an_explanation_is_that_of_the_library_in_three_forms(toy):
    pytest.importorskip("matplotlib")
    asked = ["--ligand", "L2", "--tf", "T1", "--condition", "two"]
    files = ["--out", "E.tsv", "--graphml", "E.graphml", "--picture", "E.png"]
    said = run("explain", *MODEL, *asked, *files)
    found = explain_path(*toy, "L2", "T1", "two")
    compare("E.tsv", found.edges)
    assert said.strip() == str(found)
    interactions, annotation = read_graphml("E.graphml")
    assert len(interactions) == len(found.edges)
    np.testing.assert_allclose(
        sorted(interactions["attribution"]), sorted(found.edges["attribution"]), atol=1e-12
    )
    assert set(annotation["code"]) == set(found.network.node_name)
    assert Path("E.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("sensitivity", ["--level", "0"], "--level: 0 changes nothing"),
        ("sensitivity", ["--threshold", "1"], "--threshold: no hubs are asked for"),
        ("sensitivity", ["--strength", "-5"], "'--strength' is not an option"),
        ("explain", ["--picture", "E.txt"], "E.txt does not end in .png"),
        ("explain", ["--share", "2"], "--share"),
    ],
)
def test_mistakes_in_the_command_are_told(folder, command, options, message):
    asked = ["--ligand", "L2", "--tf", "T1", "--condition", "two"] if command == "explain" else []
    said = run(command, *MODEL, *asked, "--out", "O.tsv", *options, code=2)
    assert message in said
    assert not Path("O.tsv").exists()


def test_an_absent_ligand_is_told_and_nothing_written(folder):
    asked = ["--ligand", "L1", "--tf", "T1", "--condition", "two"]
    said = run("explain", *MODEL, *asked, "--out", "E.tsv", code=1)
    assert "'L1' is absent under 'two'; present are L2." in said
    assert not Path("E.tsv").exists()


@pytest.mark.parametrize("command", ["sensitivity", "explain"])
def test_defaults_in_the_help_are_those_of_the_library(command):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main([command, "--help"])
    text = " ".join(out.getvalue().split())

    def told(option):
        return float(re.search(rf"{option} (?:FLOAT|INT) .*?default: ([^)]*)", text)[1])

    assert told("--tol") == TOL
    assert told("--max-steps") == MAX_STEPS
    if command == "explain":
        known = inspect.signature(explain_path).parameters
        assert told("--share") == known["share"].default
        assert told("--max-edges") == known["max_edges"].default
    else:
        assert told("--threshold") == inspect.signature(hubs).parameters["threshold"].default
