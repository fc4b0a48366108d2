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


def test_the_folder_of_the_demo_is_told_from_a_run(trained):
    Path("RUN/recovered-parameters.tsv").write_text("source\n")
    assert "RUN is the folder of `lembas-pyg demo`" in run(
        "report", "RUN", "--out", "r.html", code=1
    )


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


# ---- damaged files

QUICK = ["--without", "knock-outs,stability,paths"]


@pytest.fixture
def crossed(folder):
    data = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy", "--epochs", 5]
    run("cross-validate", *data, "--folds", 2, "--members", 2, "--out", "RUN", "--jobs", 1)
    return folder


def cuts(whole):
    """A file without its last bytes: within its first line, a number, a line, and between lines."""
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    between = {end + 1 for end in (ends[len(ends) // 2 : -1] or ends[:-1])[:1] + ends[-2:-1]}
    return sorted({0, min(3, len(whole)), len(whole) // 2, len(whole) - 2} | between)


def assert_damage_is_told(ask, page, is_told=()):
    """Cut every file of the run; an error names it, or the page is as it was."""
    ask()
    whole_page, told = page.read_bytes(), set()
    for file in sorted(path for path in Path("RUN").rglob("*") if path.is_file()):
        whole = file.read_bytes()
        for size in cuts(whole):
            file.write_bytes(whole[:size])
            page.unlink(missing_ok=True)
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = ask(None)
            text = err.getvalue()
            where = f"{file} cut to {size} of {len(whole)} bytes: {text}"
            assert "Traceback" not in text, where
            if code:
                assert code == 1 and file.name in text, where
                assert not page.exists(), where
                told.add(file.name)
            elif page.read_bytes() != whole_page:
                assert file.name in text, f"unnoticed: {where}"
        file.write_bytes(whole)
    assert set(is_told) <= told


def asker(*command):
    def ask(code=0):
        with contextlib.ExitStack() as stack:
            if code == 0:
                stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            found = main([str(word) for word in command])
        assert code is None or found == code
        return found

    return ask


@pytest.mark.slow
def test_a_training_cut_short_is_told(trained):
    ask = asker("report", "RUN", "--out", "r.html", *QUICK)
    assert_damage_is_told(ask, Path("r.html"), ["history.tsv", "parameters.tsv", "config.json"])


@pytest.mark.slow
def test_a_cross_validation_cut_short_is_told(crossed):
    ask = asker("report", "RUN", "--out", "r.html", *QUICK)
    files = ["scores.tsv", "fold-scores.tsv", "members.tsv", "history.tsv", "predictions.tsv"]
    assert_damage_is_told(ask, Path("r.html"), [*files, "members.json"])


def test_a_training_that_lost_lines_is_told_and_mended(trained):
    error_of_lines("RUN/history.tsv", r"it has \d+ epochs, summary.json tells of 10")


def test_a_cross_validation_that_lost_lines_is_told_and_mended(crossed):
    error_of_lines("RUN/predictions.tsv", r"it has \d scored entries, scores.tsv tells of 4")
    error_of_lines("RUN/history.tsv", "fold 1, member 1 ends before the others")


def error_of_lines(file, words):
    """A table that lost whole lines, which no line tells; the same command writes it again."""
    path = Path(file)
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-2]))
    error = run("report", "RUN", "--out", "r.html", "--overwrite", *QUICK, code=1)
    assert f"{file} is damaged" in error and re.search(words, error) and "--resume" in error
    command = json.loads(Path("RUN/config.json").read_text())["command"]
    data = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy"]
    more = ["--folds", 2, "--members", 2] if command == "cross-validate" else []
    run(command, *data, "--epochs", 5 if more else 10, *more, "--out", "RUN", "--resume")
    assert len(path.read_bytes().splitlines()) == len(whole.splitlines())
    run("report", "RUN", "--out", "r.html", "--overwrite", *QUICK)


@pytest.mark.slow
def test_a_cross_validation_goes_on_whatever_was_cut(crossed):
    data = [*NETWORK, "--ligands", "L.tsv", "--tfs", "T.tsv", "--preset", "toy", "--epochs", 5]
    more = ["--folds", 2, "--members", 2, "--out", "RUN", "--resume"]
    ask, page = asker("cross-validate", *data, *more), Path("RUN/predicted.tsv")
    ask()
    whole_page = page.read_bytes()
    for file in sorted(path for path in Path("RUN").rglob("*") if path.is_file()):
        whole = file.read_bytes()
        for size in (0, len(whole) // 2, len(whole) - 2):
            file.write_bytes(whole[:size])
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = ask(None)
            where = f"{file} cut to {size} of {len(whole)} bytes: {err.getvalue()}"
            assert "Traceback" not in where
            if code:
                assert code == 1 and file.name in err.getvalue(), where
            else:
                assert page.read_bytes() == whole_page, where
        file.write_bytes(whole)


# ---- options without use, and folders of other kinds


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--members", 2], "argument --members: RUN holds one model; leave it out"),
        (["--paths", 2, "--without", "paths"], "argument --paths: --without paths leaves out"),
        (
            ["--conditions", "one", "--without", "knock-outs"],
            "argument --conditions: --without knock-outs leaves out",
        ),
    ],
)
def test_options_that_would_do_nothing_are_refused(trained, options, words):
    assert words in run("report", "RUN", "--out", "r.html", *options, code=2)
    assert not Path("r.html").exists()


def test_drug_models_have_no_report_but_commands_that_ask_them(folder):
    Path("DRUG").mkdir()
    Path("DRUG/member-000.pt").write_bytes(b"")
    error = run("report", "DRUG", "--out", "r.html", code=1)
    assert "drug models, of which there is no report" in error
    assert "`lembas-pyg drug-response TASK --models DRUG`" in error
    Path("CV/members").mkdir(parents=True)
    Path("CV/members/fold-000-baselines.pt").write_bytes(b"")
    error = run("report", "CV", "--out", "r.html", code=1)
    assert "cross-validation of drug models" in error and "scores.tsv" in error
