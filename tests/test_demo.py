"""The demo, once: its numbers, and files that the readers take back."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr

pytest.importorskip("matplotlib")

from lembas_pyg import demo, io
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.demo import run_demo
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.training import TrainingConfig


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("demo") / "new" / "folder", progress=False)


def test_conditions_left_out_of_training_are_predicted(result):
    assert result.test_r > 0.99
    assert result.train_r > 0.99
    test = result.predictions[result.predictions["set"] == "test"]
    assert len(test) == 20
    assert result.test_r == pytest.approx(pearsonr(test["measured"], test["predicted"])[0])


def test_parameters_are_recovered(result):
    weights = result.parameters[result.parameters["type"] == "Weight"]
    assert weights["true"].tolist() == [1.0, 1.0, 1.0, 1.0, -1.0, 1.4, -0.9, 2.0]
    assert result.weight_r == pytest.approx(pearsonr(weights["true"], weights["fitted"])[0])
    assert result.weight_r > 0.98
    biases = result.parameters[result.parameters["type"] == "Bias"]
    assert (len(weights), len(biases)) == (8, 7)
    assert biases["fitted"].abs().max() < 0.2


def test_knock_outs_are_those_of_the_reference(result):
    table = result.knock_outs
    assert len(table) == 20 * 7
    assert set(table["condition"]).isdisjoint(
        result.predictions.loc[result.predictions["set"] == "train", "condition"]
    )
    assert result.knock_out_r > 0.98
    assert (table["delta"] - table["reference_delta"]).abs().median() < 0.05


def test_the_files_are_the_ones_it_names_and_no_others(result):
    assert sorted(path.name for path in result.folder.iterdir()) == sorted(result.files)
    assert (result.folder / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_its_tables_lead_to_the_same_predictions(result):
    folder = result.folder
    data = from_interactions(
        io.read_interactions(folder / "toy-Model.tsv"),
        io.read_annotation(folder / "toy-Annotation.tsv"),
    )
    data = add_conditions(
        data, io.read_conditions(folder / "ligands.tsv"), io.read_conditions(folder / "tfs.tsv")
    )
    assert data.x.shape == (7, 100)
    assert not data.y[data.tf_mask].isnan().any()
    parameters = io.read_parameters(folder / "parameters.tsv")
    model = load_parameters(LEMBAS(data).double(), parameters)
    table = result.predictions.set_index("condition")
    columns = [data.conditions[name] for name in table.index]
    np.testing.assert_allclose(predict(model, data).y[0, columns], table["predicted"], atol=1e-9)
    np.testing.assert_allclose(data.y[6, columns], table["measured"], atol=0)


def test_tables_on_disk_are_those_of_the_result(result):
    for name, table in (
        ("predictions.tsv", result.predictions),
        ("recovered-parameters.tsv", result.parameters),
        ("knock-out.tsv", result.knock_outs),
        ("history.tsv", result.history),
    ):
        on_disk = pd.read_csv(result.folder / name, sep="\t", keep_default_na=False)
        pd.testing.assert_frame_equal(
            on_disk, table.reset_index(drop=True), check_dtype=False, check_categorical=False
        )


def test_the_summary_fits_a_terminal_and_holds_the_numbers(result):
    text = str(result)
    assert text == result.summary()
    assert max(map(len, text.replace(str(result.folder), "demo-output").splitlines())) <= 80
    assert f"test {result.test_r:.4f}" in text
    assert "S1 -| S2" in text
    assert "demo.png" in text


@pytest.fixture
def short(monkeypatch):
    config = dataclasses.replace(TrainingConfig.toy(), epochs=2)
    monkeypatch.setattr(demo.TrainingConfig, "toy", staticmethod(lambda: config))


def test_running_again_replaces_its_own_files_only(tmp_path, short):
    (tmp_path / "mine.txt").write_text("notes")
    first = run_demo(tmp_path, seed=1, progress=False)
    before = (tmp_path / "parameters.tsv").read_bytes()
    again = run_demo(tmp_path, seed=1, progress=False)
    assert (tmp_path / "parameters.tsv").read_bytes() == before
    assert (tmp_path / "mine.txt").read_text() == "notes"
    pd.testing.assert_frame_equal(first.predictions, again.predictions)
    other = run_demo(tmp_path, seed=2, progress=False)
    assert set(other.predictions["condition"]) == set(first.predictions["condition"])
    assert not other.predictions.equals(first.predictions)


def test_a_file_in_place_of_the_folder_is_refused_before_training(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(NotADirectoryError, match="taken"):
        run_demo(tmp_path / "taken")


def test_the_reference_is_the_published_model():
    model = demo.reference_model()
    assert model.conv.edge_weight.dtype == torch.float64
    assert model.conv.edge_weight.tolist() == [1.0, 1.0, 1.0, 1.0, -1.0, 1.4, -0.9, 2.0]
    assert (model.input.weight.tolist(), model.output.weight.tolist()) == ([1.0, 1.0], [1.3])
