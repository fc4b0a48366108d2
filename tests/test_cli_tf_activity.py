"""`tf-activity`, on tables of a few lines and on the published ones where at hand."""

import contextlib
import io
import shlex
from pathlib import Path

import pandas as pd
import pytest

from lembas_pyg.cli import main
from lembas_pyg.cli.tf_activity import METHODS
from lembas_pyg.io import (
    read_conditions,
    read_expression,
    read_gene_names,
    read_regulon,
    read_samples,
    read_tsv,
)
from lembas_pyg.tf_activity import METHODS as METHODS_OF_THE_LIBRARY
from lembas_pyg.tf_activity import activity_from_scores, infer_tf_activity

TABLES = Path(__file__).resolve().parents[1] / "examples" / "expression"
SCORES = "TF\tS1\tS2\tS3\tS4\nRELA\t1\t1.2\t-1\t-1.1\nJUN\t-9\t9\t-9\t9\nOLD\t0\t0\t0\t0\n"
SHEET = "sample\tcondition\nS1\tTNF\nS2\tTNF\nS3\tPBS\nS4\tPBS\n"
UNIPROT = "Entry\tGene Names (primary)\nQ04206\tRELA\nP05412\tJUN\n"
GIVEN = "tf-activity --scores S.tsv --samples SHEET.tsv --uniprot U.tab --out T.tsv"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"S.tsv": SCORES, "SHEET.tsv": SHEET, "U.tab": UNIPROT}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(command, *more):
    """Exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*shlex.split(command), *map(str, more)])
    return code, out.getvalue(), err.getvalue()


def succeed(command, *more):
    code, out, err = run(command, *more)
    assert code == 0, err
    assert out == ""
    return err


def test_scores_become_the_table_that_training_takes(folder):
    err = succeed(
        f"{GIVEN} --accessions OLD=P0 --ligands-out L.tsv --controls PBS --spread-out SD.tsv "
        "--report R.tsv --scores-out S2.tsv"
    )
    names = read_gene_names("U.tab")
    found = activity_from_scores(
        read_expression("S.tsv"), read_samples("SHEET.tsv"), names, chosen={"OLD": "P0"}
    )
    pd.testing.assert_frame_equal(read_conditions("T.tsv"), found.activity, check_names=False)
    pd.testing.assert_frame_equal(read_conditions("SD.tsv"), found.spread, check_names=False)
    pd.testing.assert_frame_equal(read_expression("S2.tsv"), found.scores, check_names=False)
    assert list(found.activity) == ["Q04206", "P0"]
    assert Path("L.tsv").read_text() == "condition\tTNF\nPBS\t0.0\nTNF\t1.0\n"
    report = read_tsv("R.tsv")
    assert report[["rule", "action", "item", "source"]].to_numpy().tolist() == [
        ["replicates", "removed", "TF", "JUN"]
    ]
    assert "2 conditions of 4 samples; 2 of 3 TFs kept." in err


def test_a_tf_without_accession_is_a_warning(folder):
    err = succeed(GIVEN)
    assert "warning: 1 of 3 TFs have no accession" in err and "OLD (unknown" in err


def test_expression_goes_the_whole_way(folder):
    pytest.importorskip("decoupler", reason="decoupler is not installed")
    succeed(
        f"tf-activity --expression {TABLES}/expression.tsv --regulon {TABLES}/regulon.csv "
        f"--levels A,B --samples {TABLES}/samples.tsv --uniprot {TABLES}/proteins.tsv "
        "--accessions ARNTL=O00327 --method ulm --min-targets 6 --max-spread 0.5 --scale "
        "--out T.tsv"
    )
    found = infer_tf_activity(
        read_expression(TABLES / "expression.tsv"),
        read_regulon(TABLES / "regulon.csv", levels=["A", "B"]),
        read_samples(TABLES / "samples.tsv"),
        read_gene_names(TABLES / "proteins.tsv"),
        chosen={"ARNTL": "O00327"},
        method="ulm",
        min_targets=6,
        max_spread=0.5,
        scale=True,
    )
    pd.testing.assert_frame_equal(read_conditions("T.tsv"), found.activity, check_names=False)


def test_a_regulon_by_accession_is_named_by_symbol(folder):
    pytest.importorskip("decoupler", reason="decoupler is not installed")
    genes = [f"G{i}" for i in range(9)]
    rows = [f"{g}\t{i + 1}\t{i % 4}\t{i * 7 % 5}\t{i * 3 % 7}\n" for i, g in enumerate(genes)]
    Path("E.tsv").write_text("\tS1\tS2\tS3\tS4\n" + "".join(rows))
    entries = "".join(f"A{i}\tG{i}\n" for i in range(9))
    Path("U.tab").write_text(UNIPROT + entries)
    regulon = "".join(f"Q04206\tA{i}\t1\n" for i in range(5))
    Path("R.tsv").write_text("source\ttarget\tweight\n" + regulon)
    command = "tf-activity --expression E.tsv --samples SHEET.tsv --out T.tsv --max-spread 1"
    succeed(f"{command} --regulon R.tsv --uniprot U.tab --log")
    assert list(read_conditions("T.tsv")) == ["Q04206"]


def test_methods_are_those_of_the_library():
    assert tuple(METHODS_OF_THE_LIBRARY) == METHODS


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ("--log", "--log: it has no effect without --expression"),
        ("--levels A", "--levels: it has no effect without --expression"),
        ("--controls PBS", "--controls: it has no effect without --ligands-out"),
        ("--accessions RELA", "--accessions: 'RELA' is not like RELA=Q04206"),
        ("--method vipper", "did you mean 'viper'"),
        ("--expression E.tsv", "not allowed with argument"),
    ],
)
def test_mistakes_of_the_command_are_refused(folder, options, match):
    code, _, err = run(f"{GIVEN} {options}")
    assert code == 2 and match in err
    assert not Path("T.tsv").exists()


def test_expression_needs_a_regulon(folder):
    code, _, err = run("tf-activity --expression E.tsv --samples SHEET.tsv --out T.tsv")
    assert code == 2 and "it needs a regulon; add --regulon" in err


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (("SHEET.tsv", "S4\tPBS\n", ""), "", "add them, or leave them out by --drop-unlisted"),
        (("SHEET.tsv", "S4\tPBS", "S4\tIL4"), "", "keep these conditions by --keep-singles"),
        (("SHEET.tsv", "S4", "S5"), "", "1 of 4 samples of the sheet are not among the 4"),
        (("S.tsv", "RELA\t1", "RELA\tNA"), "", "S.tsv, line 2, column 'S1': 'NA' is not legal"),
        (("S.tsv", "JUN", "RELA"), "", "the gene 'RELA' is given twice, in lines 2 and 3"),
        (("S.tsv", "OLD\t0", "OLD\t2"), "--max-spread 0", "Raise --max-spread"),
        (("SHEET.tsv", "TNF", "EGF+TNF+EGF"), "--ligands-out L.tsv", "the ligand 'EGF' twice"),
    ],
)
def test_bad_tables_are_refused_and_nothing_is_written(folder, change, options, match):
    name, old, new = change
    Path(name).write_text(Path(name).read_text().replace(old, new))
    code, _, err = run(f"{GIVEN} --accessions OLD=P0 {options}")
    assert code == 1
    assert match.casefold() in err.casefold()
    assert not Path("T.tsv").exists() and not Path("L.tsv").exists()


def test_singles_and_unlisted_samples_are_kept_and_left_out_on_demand(folder):
    Path("SHEET.tsv").write_text(SHEET.replace("S4\tPBS\n", ""))
    command = f"{GIVEN} --accessions OLD=P0 --report R.tsv --keep-singles --drop-unlisted"
    succeed(command)
    report = read_tsv("R.tsv").set_index("source")
    assert report.loc["S4", "detail"] == "not in the sample sheet"
    assert report.loc["PBS", "action"] == "kept"


def test_the_published_tables_come_out_again(folder, shared_data):
    data = shared_data / "lembas"
    succeed(
        "tf-activity --drop-unlisted --controls CON --ligand-prefix Ligand_ --out T.tsv "
        "--ligands-out L.tsv",
        *("--scores", data / "tf_activity" / "macrophage_DoRothEA.txt"),
        *("--samples", data / "tf_activity" / "macrophageKey.txt"),
        *("--uniprot", data / "construction" / "uniprot-human-reviewed.tab"),
    )
    for name, written in (("TFs", "T.tsv"), ("Ligands", "L.tsv")):
        published = read_conditions(data / "tf_activity" / f"macrophage-{name}.tsv")
        pd.testing.assert_frame_equal(read_conditions(written), published, rtol=0, atol=1e-9)
