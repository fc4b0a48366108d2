"""The file of a run's page: what is in it, what is absent, and that it asks nothing of anybody."""

import base64
import dataclasses
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.report import explore, findings, read_run, write_run_report
from lembas_pyg.report.packing import pack_numbers, pack_text, script_json
from lembas_pyg.training import TrainingConfig, cross_validate, k_fold


@pytest.fixture(scope="module")
def data():
    names = ["none", "one", "two", "both"]
    ligands = pd.DataFrame([[0, 0], [1, 0], [0, 1], [1, 0.3]], names, ["L1", "L2"], dtype=float)
    tfs = pd.DataFrame({"T1": [0.1, 0.2, 0.8, 0.6]}, names)
    return lp.network.add_conditions(lp.datasets.ToyNetwork()[0], ligands, tfs)


@pytest.fixture
def ensemble(data, tmp_path):
    """The folder of an ensemble."""
    lp.Ensemble([lp.LEMBAS(data).double(), lp.LEMBAS(data).double()]).save(tmp_path / "E")
    return tmp_path / "E"


def write(run_folder, data, tmp_path, **options):
    run = read_run(run_folder)
    model, data = run.load(data)
    path = write_run_report(tmp_path / "r.html", run, data, explore(model, data, **options))
    return path.read_text(encoding="utf-8")


def content_of(text):
    block = re.search(r'<script type="application/json" id="content">(.*?)</script>', text)
    return json.loads(block[1])


@pytest.mark.parametrize(("dtype", "limit"), [("int8", 127), ("int16", 32767)])
def test_numbers_come_back_within_half_a_step(dtype, limit):
    values = np.array([[0.0, -0.4004, 1.04], [np.nan, 1e9, -1e9]])
    parcel = pack_numbers(values, 0.01, dtype)
    content = gzip.decompress(base64.b64decode(parcel["data"]))
    raw = np.frombuffer(content, {"int8": "<i1", "int16": "<i2"}[dtype])
    np.testing.assert_allclose(raw[:3] * parcel["step"], values[0], rtol=0, atol=0.005)
    assert raw[3] == -limit - 1
    assert raw[4] == limit and raw[5] == -limit


def test_text_comes_back_as_it_was():
    content = {"resources": ["NF-κB </script>"], "of": [[0], []]}
    found = gzip.decompress(base64.b64decode(pack_text(content)["data"]))
    assert json.loads(found) == content


def test_no_name_can_end_the_script_it_is_in():
    text = script_json({"name": "</script><!-- & \u2028 κ"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script><!-- & \u2028 κ"}


def test_the_page_needs_nothing_beside_it(ensemble, data, tmp_path):
    text = write(ensemble, data, tmp_path)
    assert "default-src 'none'" in text
    page = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "@import" not in page and "url(" not in page
    assert "The Cytoscape Consortium" in text  # whose licence is to be kept with it


def test_the_same_run_gives_the_same_page(ensemble, data, tmp_path):
    assert write(ensemble, data, tmp_path) == write(ensemble, data, tmp_path)


def test_what_is_absent_is_said_to_be(ensemble, data, tmp_path):
    text = write(ensemble, data, tmp_path, without=["knock-outs", "stability", "paths"])
    content = content_of(text)
    assert content["knockOuts"] is None and content["paths"] is None
    assert content["evidence"] is None
    for words in (
        "Spectral radii were not asked for",
        "The folder holds members alone, without scores",
        "The course of training was not kept",
    ):
        assert words in text


def test_one_model_has_no_spread(data, tmp_path):
    lp.Ensemble([lp.LEMBAS(data).double()]).save(tmp_path / "one")
    run = read_run(tmp_path / "one")
    model = lp.LEMBAS(data).double()
    path = write_run_report(tmp_path / "r.html", run, data, explore(model, data))
    content = content_of(path.read_text(encoding="utf-8"))
    assert content["members"] == 1
    assert content["stateSpread"] is None and content["weightSpread"] is None
    assert content["knockOuts"]["agree"] is None


def test_conditions_that_were_not_measured_have_no_heat_map(data, tmp_path):
    bare = data.clone()
    del bare.y
    lp.Ensemble([lp.LEMBAS(bare).double()]).save(tmp_path / "one")
    text = write(tmp_path / "one", bare, tmp_path)
    assert content_of(text)["heat"] is None
    assert "No TF activity was measured" in text


def test_a_cross_validation_shows_its_scores_and_held_out_predictions(data, tmp_path):
    config = dataclasses.replace(TrainingConfig.toy(), epochs=5)
    folder = tmp_path / "CV"
    found = cross_validate(data, k_fold(data, 2), config, folder=folder / "members", progress=False)
    unfinished = write(folder, data, tmp_path, without=["paths", "stability"])
    assert "The cross-validation is not finished, so it has no scores yet" in unfinished
    for name, table in (
        ("predictions", found.predictions),
        ("scores", found.scores),
        ("fold-scores", found.fold_scores),
        ("members", found.members),
        ("history", found.histories),
    ):
        lp.io.write_tsv(table, folder / f"{name}.tsv")
    text = write(folder, data, tmp_path, without=["paths", "stability"])
    assert "<h2>Scores</h2>" in text and "<h2>Where it fails</h2>" in text
    assert "Measured and predicted activities of held-out conditions" in text
    heat = content_of(text)["heat"]
    assert sorted(heat["rows"]) == ["both", "none", "one", "two"]
    raw = gzip.decompress(base64.b64decode(heat["predicted"]["data"]))
    shown = dict(zip(heat["rows"], np.frombuffer(raw, "<i2") * 1e-3, strict=True))
    expected = found.predictions.set_index("condition")["predicted"]
    assert shown == pytest.approx(expected.to_dict(), abs=5.1e-4)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist; name the folder of a run"):
        read_run(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match="is a file"):
        read_run(tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="holds no trained model: neither"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", "{", "config.json is damaged"),
        ("config.json", "[1]", "config.json is damaged: it holds list, not settings"),
        ("scores.tsv", b"\xff\xfe\x00", "scores.tsv is damaged"),
    ],
)
def test_damaged_files_are_named(ensemble, file, content, words):
    mode = "wb" if isinstance(content, bytes) else "w"
    with open(ensemble / file, mode) as out:
        out.write(content)
    with pytest.raises(ValueError, match=words):
        read_run(ensemble)


def test_the_table_of_another_network_is_refused(ensemble, data, tmp_path):
    run = read_run(ensemble)
    model, _ = run.load(data)
    table = lp.network.to_interactions(data).iloc[::-1]
    findings = explore(model, data, without=["knock-outs", "stability", "paths"])
    with pytest.raises(ValueError, match="this is the table of another network"):
        write_run_report(tmp_path / "r.html", run, data, findings, table)
    assert not (tmp_path / "r.html").exists()


def test_effects_without_a_path_are_listed_with_the_reason(ensemble, data, tmp_path, monkeypatch):
    real = findings.explain_path

    def sometimes(model, data, ligand, tf, condition):
        if ligand == "L1":
            raise RuntimeError("No <steady> state at half the dose.")
        return real(model, data, ligand, tf, condition)

    monkeypatch.setattr(findings, "explain_path", sometimes)
    text = write(ensemble, data, tmp_path)
    assert "1 of 2 effects that were to be explained has no path to show." in text
    assert "No &lt;steady&gt; state at half the dose." in text
    assert len(content_of(text)["paths"]) == 1
    monkeypatch.undo()
    assert "no path to show" not in write(ensemble, data, tmp_path)
