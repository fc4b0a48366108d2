"""`drug-response`, on a folder of tables of a few lines."""

import contextlib
import io
import shlex

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.analysis import dose_response, drug_combination
from lembas_pyg.cli import main
from lembas_pyg.cli.drug_response_options import SPLITS
from lembas_pyg.io import (
    LogDose,
    read_drug_screen,
    read_tsv,
    write_conditions,
)
from lembas_pyg.network import from_drug_screen
from lembas_pyg.training import ResponseEnsemble
from lembas_pyg.training.response_splits import RESPONSE_SPLITS


@pytest.fixture
def folder(write_screen, tmp_path, monkeypatch):
    """A folder of a small screen, and beside it what commands write."""
    monkeypatch.chdir(tmp_path)
    return write_screen(tmp_path / "screen")


def run(command):
    """Exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["drug-response", *shlex.split(command)])
    return code, out.getvalue(), err.getvalue()


def succeed(command):
    code, out, err = run(command)
    assert code == 0, err
    return out


def test_the_folder_gives_the_screen_of_its_tables(folder, screen):
    data = from_drug_screen(read_drug_screen(folder, unit="uM"))
    assert data.dose_unit == "uM"
    for name in ("dose", "cell_line", "viability", "expression", "mutation", "drug_sign"):
        np.testing.assert_array_equal(data[name], screen[name], err_msg=name)


def test_models_are_trained_kept_and_asked(folder):
    out = succeed("train --screen screen --epochs 3 --members 2 --out models")
    assert "Pearson r of the fit" in out and "(2 models)" in out
    assert len(read_tsv("models/fit.tsv")) == 24
    data = from_drug_screen(read_drug_screen(folder))
    models = ResponseEnsemble.load("models", data)
    ask = "--screen screen --models models"
    succeed(f"curves {ask} --drug P --cell-lines B2 --out curves.tsv")
    expected = dose_response(models, data, "P", ["B2"])
    found = pd.read_csv("curves.tsv", sep="\t")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    succeed(f"combination {ask} --drug P,Q --doses 0.5,1 --out pairs.tsv")
    expected = drug_combination(models, data, ("P", "Q"), doses=[0.5, 1.0])
    pd.testing.assert_frame_equal(pd.read_csv("pairs.tsv", sep="\t"), expected)
    succeed(f"targets {ask} --drug P --doses 1 --out targets.tsv")
    succeed(f"mutations {ask} --drug P --doses 1 --cell-lines A1 --out mutations.tsv")
    succeed(f"knock-out {ask} --nodes S1,S2 --out ko.tsv")
    succeed(f"knock-out {ask} --drug Q --doses 1 --out ko2.tsv")
    rows = {"targets": 8, "mutations": 2, "ko": 8, "ko2": 28}
    assert {name: len(read_tsv(f"{name}.tsv")) for name in rows} == rows


def test_folds_are_held_out_with_baselines_beside(folder):
    command = "cross-validate --screen screen --epochs 2"
    out = succeed(f"{command} --split cell-line --folds 2 --out cv")
    assert "gradient boosting" in out
    names = ("predictions", "scores", "fold-scores", "members")
    assert all(len(read_tsv(f"cv/{name}.tsv")) for name in names)
    code, _, err = run(f"{command} --out cv2")
    assert code == 2 and "has no folds.tsv" in err
    folds = pd.DataFrame({"fold": [1.0, 2.0] * 12}, index=[f"o{i}" for i in range(24)])
    write_conditions(folds, folder / "folds.tsv")
    succeed(f"{command} --no-baselines --out cv2")
    assert read_tsv("cv2/predictions.tsv")["fold"].tolist() == ["1", "2"] * 12


def test_concentrations_take_the_place_of_logarithms(folder, screen_tables):
    raw = LogDose().inverse(screen_tables["doses"])
    write_conditions(raw, folder / "concentrations.tsv")
    with pytest.raises(ValueError, match=r"holds doses\.tsv and concentrations\.tsv; give either"):
        read_drug_screen(folder)
    (folder / "doses.tsv").unlink()
    np.testing.assert_allclose(read_drug_screen(folder).doses, screen_tables["doses"])
    raw.iloc[3, 0] = 0.0
    write_conditions(raw, folder / "concentrations.tsv")
    code, _, err = run("train --screen screen --unit uM --out models")
    assert code == 1 and "is 0 uM, which has no logarithm" in err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("curves --drug P", "--models: 'curves' asks trained models"),
        ("curves --models m --drug P,Q", "'curves' is of one drug(s), 2 are named"),
        ("combination --models m --drug P --doses 1", "'combination' is of two drug(s), 1 are"),
        ("targets --models m --drug P", "'targets' needs one log10 dose, 0 are given"),
        ("knock-out --models m --doses 1", "no drug is given; add --drug NAME"),
        ("curves --models m --drug P --nodes S1", "'curves' knocks nothing out"),
        ("train --drug P", "--drug: 'train' makes no use of it"),
        ("train --split drug", "'train' holds nothing out"),
        ("cross-validate --folds 3", "say with --split what is held out"),
        ("cross-validate --split line", "'line' is not a split"),
        ("curve --drug P", "'curve' is not a task; did you mean 'curves'?"),
        ("targets --models m --drug P --doses -1", "must be more than 0"),
        ("curves --models m --drug P --members 9", "--members: 'curves' makes no use of it"),
        ("curves --models m --drug P --no-baselines", "--baselines: 'curves' makes no use"),
        ("train --baselines", "--baselines: 'train' makes no use of it"),
        ("cross-validate --split drug --folds 7", "by drug there are as many folds as drugs"),
        ("train --unit banana", "'banana' is not a unit; choose from M, mM, uM, nM, pM"),
    ],
)
def test_wrong_usage_is_told(folder, command, words):
    code, out, err = run(f"{command} --screen screen --out out")
    assert code == 2 and out == ""
    assert words in err


def test_missing_files_and_folders_in_use_are_told(folder):
    (folder / "expression.tsv").unlink()
    code, _, err = run("train --screen screen --out models")
    assert code == 1 and "expression.tsv is not there" in err
    code, _, err = run("train --screen screen --out screen")
    assert code == 1 and "is not empty" in err


def test_splits_are_those_of_the_library():
    assert SPLITS == RESPONSE_SPLITS


def test_nothing_that_is_read_is_written_over(folder):
    succeed("train --screen screen --epochs 1 --out models")
    ask = "curves --screen screen --models models --drug P --overwrite"
    for place in ("models/member-000.pt", "screen/doses.tsv"):
        before = (folder.parent / place).read_bytes()
        code, _, err = run(f"{ask} --out {place}")
        assert code == 1 and "name another file" in err
        assert (folder.parent / place).read_bytes() == before


def test_an_interrupted_cross_validation_goes_on(folder):
    command = "cross-validate --screen screen --epochs 2 --split cell-line --folds 2"
    succeed(f"{command} --no-baselines --out whole")
    code, _, err = run(f"{command} --no-baselines --out part --resume")
    assert code == 1 and "holds no cross-validation to go on with" in err
    succeed(f"{command} --no-baselines --out part")
    for file in ("part/members/fold-001-member-000.pt", "part/scores.tsv"):
        (folder.parent / file).unlink()
    kept = folder.parent / "part/members/fold-002-member-000.pt"
    before = kept.stat().st_mtime_ns
    code, _, err = run(f"{command} --no-baselines --out part")
    assert code == 1 and "add --resume to go on" in err
    succeed(f"{command} --no-baselines --out part --resume")
    assert kept.stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(read_tsv("part/scores.tsv"), read_tsv("whole/scores.tsv"))


def test_tables_of_other_columns_or_folds_are_told(folder):
    write_conditions(pd.DataFrame({"alive": [1.0]}, index=["o0"]), folder / "viability.tsv")
    code, _, err = run("train --screen screen --out models")
    assert code == 1 and "has no column 'viability'; it holds observation, viability" in err
    (folder / "viability.tsv").unlink()
    folds = pd.DataFrame({"fold": [1.0, 1.7] * 12}, index=[f"o{i}" for i in range(24)])
    write_conditions(folds, folder / "folds.tsv")
    code, _, err = run("cross-validate --screen screen --out cv")
    assert code == 1 and "the fold of 'o1' is 1.7; number folds by whole numbers" in err
