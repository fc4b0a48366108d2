"""The report of a cross-validation, read back as a person's browser would."""

import base64
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.report import write_cross_validation_report
from lembas_pyg.training.scores import fold_scores, score_table

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Text, tables and pictures of a page; refuses tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.rows, self.images, self.loads = [], [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.loads += [attrs[name] for name in ("src", "href") if name in attrs]
        if tag == "img":
            self.images.append(attrs)
        if tag == "tr":
            self.rows.append([attrs.get("class", "")])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)
        elif self.open and self.open[-1] != "style" and data.strip():
            self.words.append(data.strip())

    @property
    def text(self):
        return " ".join(self.words)


@pytest.fixture
def tables():
    """Six folds of a condition, seven TFs: ours near the truth, two baselines, one null."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(c, f"C{c}", f"T{t}") for c in range(6) for t in range(7)],
        columns=["fold", "condition", "tf"],
    )
    truth = rng.random(42)
    noise = {"LEMBAS": 0.05, "ridge": 0.2, "train mean": 0.8, "LEMBAS, scrambled y": 2.0}
    by_model = pd.concat(
        [
            table.assign(
                model=name, measured=truth, predicted=truth + scale * rng.normal(0, 0.5, 42)
            )
            for name, scale in noise.items()
        ]
    )
    ours = by_model[by_model["model"] == "LEMBAS"].drop(columns="model")
    members = pd.DataFrame(
        {
            "fold": np.repeat(range(6), 2),
            "member": [0, 1] * 6,
            "seed": range(100, 112),
            "train_r": 0.9,
            "seconds": 12.5,
            "not_converged": 0.0,
            "residual": 1e-13,
            "radius": 0.9,
        }
    )
    return {
        "predictions": ours.assign(spread=0.02),
        "scores": score_table(by_model),
        "fold_scores": fold_scores(by_model),
        "members": members,
        "settings": {"preset": "toy", "folds": "<b>F.tsv</b>", "seed": 7, "scrambled": False},
    }


def write(tmp_path, tables, **changes):
    path = write_cross_validation_report(tmp_path / "report.html", **(tables | changes))
    assert path == tmp_path / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def test_one_file_holds_everything(tmp_path, tables):
    pytest.importorskip("matplotlib")
    page = write(tmp_path, tables)
    assert len(page.images) == 5
    for image in page.images:
        kind, content = image["src"].split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content).startswith(b"\x89PNG")
        assert image["alt"]
    assert all(source.startswith("data:") for source in page.loads)
    text = (tmp_path / "report.html").read_text()
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert "@import" not in text and "url(" not in text


def test_the_verdict_is_a_sentence(tmp_path, tables):
    page = write(tmp_path, tables)
    r = tables["scores"].set_index("model")["r"]
    assert (
        f"LEMBAS beats every baseline: pooled r {r['LEMBAS']:.3f} against {r['ridge']:.3f} of "
        "ridge, the best of 2." in page.text
    )
    assert "It is better in 6 of 6 folds" in page.text
    assert "below the smallest of the baselines" in page.text


def test_defeat_is_said_as_plainly(tmp_path, tables):
    scores, folds = tables["scores"], tables["fold_scores"]
    swap = {"LEMBAS": "ridge", "ridge": "LEMBAS"}
    scores = scores.replace({"model": swap}).sort_values("model", key=lambda m: m != "LEMBAS")
    page = write(tmp_path, tables, scores=scores, fold_scores=folds.replace({"model": swap}))
    assert "LEMBAS does not beat the best baseline: pooled r" in page.text
    assert "It is better in 0 of 6 folds" in page.text
    assert "not below the smallest of the baselines" in page.text


def test_a_lead_that_folds_do_not_show_is_called_unclear(tmp_path, tables):
    folds = tables["fold_scores"].copy()
    folds.loc[folds["model"] == "LEMBAS", "r"] = [0.9, 0.1, 0.8, 0.95, 0.2, 0.99]
    page = write(tmp_path, tables, fold_scores=folds)
    assert "LEMBAS scores above every baseline, but not clearly: pooled r" in page.text


def test_without_baselines_nothing_is_claimed(tmp_path, tables):
    scores = tables["scores"][tables["scores"]["model"].str.startswith("LEMBAS")]
    page = write(tmp_path, tables, scores=scores)
    assert "No baseline was scored in this run" in page.text


def test_a_null_says_that_it_is_one(tmp_path, tables):
    page = write(tmp_path, tables, settings={"scrambled": True})
    assert "This run is a null" in page.text


@pytest.fixture
def comparisons():
    """Four nulls: beaten, beaten too rarely to be sure, better, and one of constant predictions."""
    null = ["scrambled y", "rewired", "sigmoid", "leaky ReLU"]
    return pd.DataFrame(
        {
            "null": null,
            "true_r": [0.8, 0.8, 0.8, np.nan],
            "null_r": [0.2, 0.7, 0.9, np.nan],
            "difference": [0.6, 0.1, -0.1, np.nan],
            "low": [0.5, 0.05, -0.2, np.nan],
            "high": [0.7, 0.15, -0.05, np.nan],
            "wilcoxon_p": [0.001, 0.06, 0.002, np.nan],
            "mann_whitney_p": [0.0004, 0.3, 0.5, np.nan],
            "folds": [23, 23, 23, 0],
            "repeats": [1, 3, 1, 1],
            "rewired_fraction": [np.nan, 0.937, np.nan, np.nan],
        }
    )


def test_every_null_has_its_sentence_and_row(tmp_path, tables, comparisons):
    page = write(tmp_path, tables, null_comparisons=comparisons)
    assert (
        "Single members of LEMBAS beat the null 'scrambled y': mean r of folds 0.800 against "
        "0.200, a difference of +0.600 (95 % interval +0.500 to +0.700, Wilcoxon p = 0.001, "
        "Mann-Whitney p = 0.0004, 23 folds)." in page.text
    )
    assert (
        "score above the null 'rewired' (3 networks, 94% of interactions new), but not clearly"
        in page.text
    )
    assert "Single members of LEMBAS are beaten by the null 'sigmoid': mean r" in page.text
    assert "cannot be compared with the null 'leaky ReLU': fewer than two folds" in page.text
    start = next(i for i, row in enumerate(page.rows) if row[1:3] == ["null", "models"])
    expected = "rewired 3 94% 0.800 0.700 +0.100 +0.050 +0.150 0.06 0.3 23".split()
    assert page.rows[start + 2][1:] == expected
    assert page.rows[start + 4][1:3] == ["leaky ReLU", "1"]
    equal = comparisons.assign(difference=-0.01, low=-0.1)
    text = write(tmp_path, tables, null_comparisons=equal).text
    assert "Single members of LEMBAS do not beat the null 'scrambled y'" in text
    assert "Nulls" not in write(tmp_path, tables).text
    with pytest.raises(ValueError, match="The table has no column"):
        write(tmp_path, tables, null_comparisons=comparisons[["null"]])


@pytest.fixture
def histories():
    """Three epochs of the twelve members; one passes a rate of 1, one ends with a wrong sign."""
    table = pd.DataFrame(
        [(fold, member, epoch) for fold in range(6) for member in (0, 1) for epoch in (0, 40, 79)],
        columns=["fold", "member", "epoch"],
    )
    table["loss"] = table["epoch"].map({0: 5.0, 40: 0.5, 79: 0.025})
    table["rho"], table["sign"], table["not_converged"] = 0.8, 0.0, 0.0
    table.loc[4, "rho"], table.loc[2, "sign"] = 1.25, 0.375
    return table


def test_the_course_of_training_is_told_and_drawn(tmp_path, tables, histories):
    pytest.importorskip("matplotlib")
    page = write(tmp_path, tables, histories=histories)
    assert len(page.images) == 6
    assert all(source.startswith("data:") for source in page.loads)
    assert "The loss of the median member went from 5 to 0.025 in 80 epochs." in page.text
    assert (
        "The largest contraction rate seen is 1.250; 1 of 12 members had one of 1 or more"
        in page.text
    )
    assert (
        "At the end 1 of 12 members had a weight whose sign contradicts the mode of action; the "
        "largest sum of such weights is 0.375." in page.text
    )
    assert "course of training was not kept" not in page.text
    bare = histories[histories["fold"] > 0].assign(rho=0.0, sign=np.nan)
    text = write(tmp_path, tables, histories=bare).text
    assert "Of 2 members the course of training was not kept." in text
    assert "contraction rate seen" not in text and "At the end" not in text
    text = write(tmp_path, tables, histories=histories.assign(sign=0.0)).text
    assert "At the end no weight of any member had a sign against its mode of action." in text
    text = write(tmp_path, tables, histories=histories.iloc[:0]).text
    assert "The course of training was not kept." in text
    assert "Training" not in write(tmp_path, tables).words
    with pytest.raises(ValueError, match="The table has no column"):
        write(tmp_path, tables, histories=histories[["fold"]])


def test_the_course_of_training_is_told_without_matplotlib(
    tmp_path, tables, histories, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = write(tmp_path, tables, histories=histories)
    assert page.images == []
    assert "The loss of the median member went from 5 to 0.025" in page.text


def test_scores_fall_and_ours_and_the_best_baseline_are_marked(tmp_path, tables):
    page = write(tmp_path, tables)
    start = next(i for i, row in enumerate(page.rows) if "pooled r" in row)
    rows = page.rows[start + 1 : start + 5]
    assert [row[:3] for row in rows] == [
        ["ours", "LEMBAS", "this model"],
        ["best", "ridge", "best baseline"],
        ["", "train mean", "baseline"],
        ["", "LEMBAS, scrambled y", "variant or null"],
    ]
    values = [float(row[3]) for row in rows]
    assert values == sorted(values, reverse=True)


def test_worst_folds_and_tfs_come_first(tmp_path, tables):
    bad = tables["predictions"]["tf"] == "T3"
    predictions = tables["predictions"].copy()
    predictions.loc[bad, "predicted"] = 1 - predictions.loc[bad, "measured"]
    page = write(tmp_path, tables, predictions=predictions)
    start = next(i for i, row in enumerate(page.rows) if row[1] == "TF")
    assert page.rows[start + 1][1:3] == ["T3", "-1.000"]
    start = next(i for i, row in enumerate(page.rows) if row[1:3] == ["fold", "r"])
    shown = [float(row[2]) for row in page.rows[start + 1 : start + 7]]
    folds = tables["fold_scores"]
    expected = folds.loc[folds["model"] == "LEMBAS", "r"].sort_values()
    np.testing.assert_allclose(shown, expected, atol=6e-4)


def test_names_are_escaped(tmp_path, tables):
    predictions = tables["predictions"].replace({"condition": {"C0": "<script>alert(1)</script>"}})
    page = write(tmp_path, tables, predictions=predictions)
    cells = [cell for row in page.rows for cell in row]
    assert "<script>alert(1)</script>" in cells
    assert "<b>F.tsv</b>" in cells
    assert "<script" not in (tmp_path / "report.html").read_text()


def test_every_member_is_listed_with_its_seed(tmp_path, tables):
    shuffled = tables["members"].sample(frac=1, random_state=0)
    page = write(tmp_path, tables, members=shuffled)
    start = next(i for i, row in enumerate(page.rows) if row[1:4] == ["fold", "member", "seed"])
    assert [row[3] for row in page.rows[start + 1 : start + 13]] == [
        str(seed) for seed in range(100, 112)
    ]
    assert "12 members of 6 folds were trained in 150 s in all" in page.text


def test_states_that_did_not_converge_are_named(tmp_path, tables):
    members = tables["members"].assign(held_out_not_converged=0)
    assert (
        "Every held-out state of every member converged."
        in write(tmp_path, tables, members=members).text
    )
    members.loc[5, ["held_out_not_converged", "residual", "radius"]] = [1, 0.03, 1.04]
    text = write(tmp_path, tables, members=members).text
    assert "fold 2, member 1: 1 (residual 3.0e-02, radius 1.040)" in text
    assert "where a state is not stable: 1." in text


def test_entries_without_prediction_are_named(tmp_path, tables):
    predictions = tables["predictions"].copy()
    predictions.loc[predictions["condition"] == "C4", "predicted"] = np.nan
    page = write(tmp_path, tables, predictions=predictions)
    assert "Not predicted, and not scored: C4 (fold 4)." in page.text


def test_the_same_tables_give_the_same_file(tmp_path, tables):
    write(tmp_path, tables)
    first = (tmp_path / "report.html").read_bytes()
    write(tmp_path, tables)
    assert (tmp_path / "report.html").read_bytes() == first


def test_without_matplotlib_there_are_words_and_tables(tmp_path, tables, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = write(tmp_path, tables)
    assert page.images == []
    assert 'pip install "lembas_pyg[plot]"' in page.text
    assert "The report has no pictures" in caplog.text


@pytest.mark.parametrize("name", ["predictions", "scores", "fold_scores", "members"])
def test_tables_that_do_not_fit_are_refused(tmp_path, tables, name):
    with pytest.raises(ValueError, match="The table has no column"):
        write(tmp_path, tables, **{name: tables[name].iloc[:, :2]})
    with pytest.raises(TypeError, match="Expected a pandas DataFrame, not list"):
        write(tmp_path, tables, **{name: []})
    assert not (tmp_path / "report.html").exists()
