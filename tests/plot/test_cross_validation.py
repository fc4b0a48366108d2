"""What is drawn of a cross-validation, read back from the axes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.colors import to_hex

from lembas_pyg.plot import (
    activity_heat_map,
    fold_scores,
    measured_vs_predicted,
    score_by_condition,
    score_by_tf,
)
from lembas_pyg.plot.canvas import BLUE, GREY, ORANGE

PLOTS = [activity_heat_map, measured_vs_predicted, score_by_condition, score_by_tf]


@pytest.fixture(autouse=True)
def close_figures():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture
def predictions():
    """Three folds of two conditions, five TFs; predictions near the measurements, T4 opposed."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(c // 2, f"C{c}", f"T{t}") for c in range(6) for t in range(5)],
        columns=["fold", "condition", "tf"],
    )
    table["measured"] = rng.random(30)
    table["predicted"] = (0.7 * table["measured"] + 0.3 * rng.random(30)).clip(0, 1)
    opposed = table["tf"] == "T4"
    table.loc[opposed, "predicted"] = 1 - table.loc[opposed, "measured"]
    table["spread"] = 0.1
    table.loc[7, "measured"] = np.nan
    return table


def r_by(table, key):
    return {
        name: pearsonr(part["measured"], part["predicted"]).statistic
        for name, part in table.dropna().groupby(key)
    }


def test_entries_are_pooled_over_folds(predictions):
    ax = measured_vs_predicted(predictions)
    known = predictions.dropna()
    np.testing.assert_allclose(ax.collections[0].get_offsets(), known[["measured", "predicted"]])
    r = pearsonr(known["measured"], known["predicted"]).statistic
    assert ax.texts[0].get_text() == f"r = {r:.3f}\nn = 29"
    assert ax.get_xlim() == ax.get_ylim()


def test_many_entries_are_counted_in_hexagons(predictions):
    many = pd.concat([predictions] * 40)
    ax = measured_vs_predicted(many)
    assert ax.collections[0].get_array().sum() == 29 * 40
    assert ax.texts[0].get_text().endswith("n = 1,160")


def test_tfs_are_ranked_the_worst_first(predictions):
    ax = score_by_tf(predictions)
    expected = pd.Series(r_by(predictions, "tf")).sort_values()
    assert [label.get_text() for label in ax.get_yticklabels()] == list(expected.index)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], expected)
    assert expected.index[0] == "T4"
    assert to_hex(ax.patches[0].get_facecolor()) == ORANGE.lower()
    assert ax.yaxis_inverted()
    assert ax.get_title() == f"5 TFs, median r = {expected.median():.3f}"


def test_conditions_without_variance_are_counted_not_drawn(
    predictions,
):
    predictions.loc[predictions["condition"] == "C2", "predicted"] = 0.5
    ax = score_by_condition(predictions)
    drawn = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(drawn) == ["C0", "C1", "C3", "C4", "C5"]
    assert ax.get_title().endswith("\n1 without a correlation")


def test_a_condition_held_out_twice_has_a_bar_for_each(predictions):
    predictions.loc[predictions["condition"] == "C5", "condition"] = "C0"
    drawn = [label.get_text() for label in score_by_condition(predictions).get_yticklabels()]
    assert drawn.count("C0") == 2
    assert len(drawn) == 6


@pytest.fixture
def scores():
    return pd.DataFrame(
        {
            "model": ["LEMBAS"] * 3 + ["ridge"] * 3,
            "fold": [0, 1, 2] * 2,
            "r": [0.9, 0.5, 0.7, np.nan, 0.6, -0.2],
        }
    )


def test_every_fold_is_a_point_and_ours_is_blue(scores):
    ax = fold_scores(scores)
    ours, other = (points.get_offsets() for points in ax.collections)
    np.testing.assert_allclose(ours[:, 0], [0.9, 0.5, 0.7])
    np.testing.assert_allclose(other[:, 0], [0.6, -0.2])
    colours = [to_hex(points.get_facecolor()[0]) for points in ax.collections]
    assert colours == [BLUE.lower(), GREY.lower()]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["LEMBAS", "ridge (1 of 3 blank)"]
    assert ax.yaxis_inverted()
    assert ax.get_xlim()[0] < -0.2


def test_nulls_stand_beside_ours_in_a_colour_of_their_own(scores):
    names = ["LEMBAS, one member", "LEMBAS, scrambled y", "LEMBAS, rewired 1", "LEMBASTE"]
    more = [scores.iloc[:3].assign(model=name) for name in names]
    ax = fold_scores(pd.concat([scores, *more]))
    colours = [to_hex(points.get_facecolor()[0]).upper() for points in ax.collections]
    assert colours == [BLUE, GREY, BLUE, ORANGE, ORANGE, GREY]


def test_medians_are_drawn(scores):
    lines = [line.get_xdata() for line in fold_scores(scores).get_lines()]
    for median in (0.7, 0.2):
        assert any(len(x) == 2 and np.allclose(x, median) for x in lines)


def test_both_maps_have_the_same_order_and_scale(predictions):
    left = activity_heat_map(predictions)
    right = left.child_axes[0]
    rows = [label.get_text() for label in left.get_yticklabels()]
    columns = [label.get_text() for label in left.get_xticklabels()]
    assert sorted(rows) == [f"C{i}" for i in range(6)]
    assert sorted(columns) == [f"T{i}" for i in range(5)]
    for part, name in ((left, "measured"), (right, "predicted")):
        wide = predictions.pivot(index="condition", columns="tf", values=name)
        image = part.images[0]
        expected = wide.loc[rows, columns].to_numpy()
        np.testing.assert_allclose(image.get_array().filled(np.nan), expected)
        assert image.get_clim() == (0, 1)
        assert part.get_title() == name


def test_what_responds_alike_lies_together():
    low, high = [0.1, 0.1, 0.9, 0.9], [0.9, 0.9, 0.1, 0.1]
    values = np.array([low, high, low, high, low]) + np.linspace(0, 0.01, 20).reshape(5, 4)
    table = pd.DataFrame(values[:, [0, 2, 1, 3]], [f"C{i}" for i in range(5)], list("acbd"))
    long = table.rename_axis("condition").reset_index().melt("condition", var_name="tf")
    long = long.assign(fold=0, measured=long["value"], predicted=0.5)
    ax = activity_heat_map(long)
    rows = "".join(label.get_text()[1] for label in ax.get_yticklabels())
    assert {frozenset(rows[:2]), frozenset(rows[-2:])} & {frozenset("13")}
    columns = "".join(label.get_text() for label in ax.get_xticklabels())
    assert {frozenset(columns[:2]), frozenset(columns[2:])} == {frozenset("ab"), frozenset("cd")}


def test_axes_may_be_given(predictions, scores):
    for plot in PLOTS:
        ax = pyplot.subplots()[1]
        assert plot(predictions, ax=ax) is ax
        ax.figure.canvas.draw()
    ax = pyplot.subplots()[1]
    assert fold_scores(scores, ax=ax) is ax


@pytest.mark.parametrize("plot", [*PLOTS, fold_scores])
def test_tables_that_do_not_fit_are_refused(plot, predictions, scores):
    with pytest.raises(ValueError, match="The table has no column"):
        plot(pd.DataFrame({"loss": [1.0]}))
    with pytest.raises(TypeError, match="Expected a pandas DataFrame, not list"):
        plot([1.0])
    with pytest.raises(ValueError, match=r"No row of the table has both|No fold has a score"):
        plot(predictions.assign(predicted=np.nan, model="LEMBAS", r=np.nan))


def test_predictions_of_two_models_are_no_map(predictions):
    with pytest.raises(ValueError, match=r"condition 'C0', TF 'T0' of fold 0 more than once"):
        activity_heat_map(pd.concat([predictions, predictions]))
