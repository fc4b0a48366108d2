"""`impute` on the toy network, against the library."""

from pathlib import Path

import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.analysis import score_missing_interactions
from lembas_pyg.cli import main
from lembas_pyg.io import (
    read_annotation,
    read_interactions,
    read_parameters,
    write_annotation,
    write_conditions,
    write_interactions,
    write_parameters,
)
from lembas_pyg.network import from_interactions
from lembas_pyg.synthetic import grid_stimuli

TOY = Path(lp.datasets.__file__).parent / "toy"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The toy network without S1 -| S2, and measurements of the whole one."""
    monkeypatch.chdir(tmp_path)
    network = read_interactions(TOY / "toy-Model.tsv")
    annotation = read_annotation(TOY / "toy-Annotation.tsv")
    ligands = grid_stimuli(["L1", "L2"], 3, low=0.1)
    data = lp.network.add_conditions(from_interactions(network, annotation), ligands)
    parameters = lp.datasets.ToyNetwork.parameters()
    model = lp.checkpoint.load_parameters(lp.LEMBAS(data).double(), parameters)
    write_conditions(ligands, "L.tsv")
    write_conditions(lp.prediction.tf_table(data, lp.predict(model, data)), "T.tsv")
    hidden = (network["source"] == "S1") & (network["target"] == "S2")
    write_interactions(network[~hidden], "M.tsv")
    write_interactions(network[hidden], "C.tsv")
    write_annotation(annotation, "A.tsv")
    lost = (parameters["Source"] == "S1") & (parameters["Target"] == "S2")
    write_parameters(parameters[~lost], "P.tsv")
    return tmp_path


def impute(*options):
    inputs = "--network M.tsv --annotation A.tsv --parameters P.tsv --ligands L.tsv --tfs T.tsv"
    return main(["impute", *inputs.split(), *map(str, options)])


def test_the_table_is_that_of_the_library(folder):
    assert impute("--out", "NEW.tsv", "--top", 5) == 0
    table = pd.read_csv("NEW.tsv", sep="\t")
    assert len(table) == 5
    assert table.loc[0, ["source", "target", "sign"]].tolist() == ["S1", "S2", -1]
    data = from_interactions(read_interactions("M.tsv"), read_annotation("A.tsv"))
    data = lp.network.add_conditions(
        data, lp.io.read_conditions("L.tsv"), lp.io.read_conditions("T.tsv")
    )
    model = lp.LEMBAS(data).double()
    lp.checkpoint.load_parameters(model, read_parameters("P.tsv"))
    pd.testing.assert_frame_equal(table, score_missing_interactions(model, data, top=5))


def test_the_larger_network_and_its_parameters_predict_the_measurements(folder):
    options = "--out NEW.tsv --network-out M2.tsv --parameters-out P2.tsv".split()
    assert impute(*options) == 0
    code = main(
        "predict --network M2.tsv --annotation A.tsv --parameters P2.tsv --ligands L.tsv "
        "--out Y.tsv".split()
    )
    assert code == 0
    measured, predicted = (pd.read_csv(name, sep="\t", index_col=0) for name in ("T.tsv", "Y.tsv"))
    assert (measured - predicted).abs().max().max() < 1e-3
    added = read_interactions("M2.tsv").iloc[-1]
    assert added[["source", "target", "inhibition"]].tolist() == ["S1", "S2", 1]


def test_candidates_come_from_a_table(folder):
    assert impute("--out", "NEW.tsv", "--candidates", "C.tsv", "--structure") == 0
    table = pd.read_csv("NEW.tsv", sep="\t")
    assert table[["source", "target", "known_sign"]].to_numpy().tolist() == [["S1", "S2", -1]]
    assert "adamic_adar" in table


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--add", "2"], "no network is written"),
        (["--parameters-out", "P2.tsv"], "its network is not written"),
        (["--top", "0"], "it must be 1 or more"),
    ],
)
def test_options_that_do_not_fit_are_refused(folder, capsys, options, text):
    assert impute("--out", "NEW.tsv", *options) == 2
    assert text in capsys.readouterr().err
    assert not Path("NEW.tsv").exists()


def test_an_input_is_never_written_over(folder, capsys):
    assert impute("--out", "T.tsv", "--overwrite") == 1
    assert "--out T.tsv is also --tfs" in capsys.readouterr().err
