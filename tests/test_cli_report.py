"""The command that writes a page of a run: where it finds its tables, and what it refuses."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

import lembas_pyg as lp
from lembas_pyg.cli import main

TOY = Path(lp.datasets.__file__).parent / "toy"
NETWORK = ["--network", TOY / "toy-Model.tsv", "--annotation", TOY / "toy-Annotation.tsv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "L.tsv").write_text("\tL1\tL2\nnone\t0\t0\none\t1\t0\ntwo\t0\t1\nboth\t1\t0.3\n")
    (tmp_path / "T.tsv").write_text("\tT1\nnone\t0.1\none\t0.2\ntwo\t0.8\nboth\t0.6\n")
    return tmp_path


@pytest.fixture
def trained(folder):
    data = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy", "--epochs", 10]
    run("train", *data, "--out", "RUN")
    return folder


def run(*argv, code=0):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main([str(word) for word in argv])
    assert found == code, err.getvalue()
    return out.getvalue() if code == 0 else err.getvalue()


def content_of(path):
    text = Path(path).read_text(encoding="utf-8")
    return json.loads(re.search(r'id="content">(.*?)</script>', text)[1])


def test_a_training_is_shown_without_naming_its_tables(trained):
    out = run("report", "RUN", "--out", "r.html")
    assert re.fullmatch(r"r\.html\t0\.\d MB\n", out)
    content = content_of("r.html")
    assert content["conditions"] == ["none", "one", "two", "both"]
    assert content["nodes"]["name"] == ["L1", "L2", "R1", "R2", "S1", "S2", "T1"]
    assert content["knockOuts"]["conditions"] == [0, 1, 2, 3]
    assert content["evidence"] is not None
    text = Path("r.html").read_text(encoding="utf-8")
    assert "A training holds nothing out" in text and "<h2>Training</h2>" in text


def test_a_cross_validation_says_which_tables_it_was_made_with(folder):
    data = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy", "--epochs", 5]
    options = ["--folds", 2, "--members", 2, "--no-baselines", "--out", "CV"]
    run("cross-validate", *data, *options)
    inputs = json.loads(Path("CV/config.json").read_text())["inputs"]
    assert inputs["ligands"] == str(folder / "L.tsv")
    few = ["--members", 2, "--conditions", "two,both", "--paths", 0]
    run("report", "CV", "--out", "r.html", *few)
    content = content_of("r.html")
    assert content["members"] == 2
    assert content["knockOuts"]["conditions"] == [2, 3] and content["paths"] is None


def test_what_takes_long_can_be_left_out(trained):
    run("report", "RUN", "--out", "r.html", "--without", "knock-outs,stability")
    assert content_of("r.html")["knockOuts"] is None
    error = run("report", "RUN", "--out", "s.html", "--without", "everything", code=1)
    assert "legal are knock-outs, stability, paths" in error
    assert not Path("s.html").exists()


def test_tables_that_have_moved_are_asked_for(trained):
    Path("L.tsv").rename("M.tsv")
    error = run("report", "RUN", "--out", "r.html", code=1)
    assert "L.tsv, which is not there any more; say where it is with --ligands FILE" in error
    run("report", "RUN", "--out", "r.html", "--ligands", "M.tsv")


def test_an_ensemble_has_to_be_told_of_its_tables(folder):
    data = lp.network.add_conditions(lp.datasets.ToyNetwork()[0], lp.io.read_conditions("L.tsv"))
    lp.Ensemble([lp.LEMBAS(data).double()]).save("E")
    error = run("report", "E", "--out", "r.html", code=1)
    assert "E does not say which network it was made with; add --network FILE" in error
    run("report", "E", "--out", "r.html", *NETWORK, "--ligands", "L.tsv")
    assert content_of("r.html")["heat"] is None


def test_a_folder_that_is_no_run_and_a_file_that_exists_are_refused(trained):
    assert "holds no trained model" in run("report", ".", "--out", "r.html", code=1)
    Path("r.html").write_text("precious")
    assert "r.html exists; add --overwrite" in run("report", "RUN", "--out", "r.html", code=1)
    run("report", "RUN", "--out", "r.html", "--overwrite")


def test_the_tables_of_another_network_are_refused(trained):
    lines = (TOY / "toy-Model.tsv").read_text().splitlines()
    assert any(line.startswith("S1\tR1") for line in lines)
    kept = [line for line in lines if not line.startswith("S1\tR1")]
    Path("N.tsv").write_text("\n".join(kept) + "\n")
    error = run("report", "RUN", "--out", "r.html", "--network", "N.tsv", code=1)
    assert "parameters.tsv" in error


def test_neither_the_run_nor_its_inputs_are_written_over(trained):
    for place in ("RUN/parameters.tsv", "L.tsv", "RUN/config.json"):
        before = Path(place).read_bytes()
        err = run("report", "RUN", "--out", place, "--overwrite", code=1)
        assert "name another" in err
        assert Path(place).read_bytes() == before
    run("report", "RUN", "--out", "RUN/page.html")
    run("report", "RUN", "--out", "RUN/page.html", "--overwrite")


@pytest.mark.parametrize("inputs", [[1], None, "L.tsv"])
def test_inputs_that_are_no_files_are_told(trained, inputs):
    record = json.loads(Path("RUN/config.json").read_text())
    Path("RUN/config.json").write_text(json.dumps(record | {"inputs": inputs}))
    err = run("report", "RUN", "--out", "r.html", code=1)
    assert "config.json is damaged: its inputs are" in err


def test_a_course_without_loss_is_told(trained):
    lines = Path("RUN/history.tsv").read_text().splitlines()
    column = lines[0].split("\t").index("loss")
    cut = ["\t".join(c for i, c in enumerate(line.split("\t")) if i != column) for line in lines]
    Path("RUN/history.tsv").write_text("\n".join(cut) + "\n")
    err = run("report", "RUN", "--out", "r.html", code=1)
    assert "history.tsv" in err and "loss" in err and not Path("r.html").exists()
