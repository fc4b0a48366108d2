import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot

from lembas_pyg.plot import plot_activity_clusters, plot_replicate_spread


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


@pytest.fixture
def spread():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 0.1, (6, 4)), list("abcdef"), ["T1", "T2", "T3", "T4"])
    table["T2"] += 0.3
    table.loc["d"] = np.nan
    return table


def texts(labels):
    return [label.get_text() for label in labels]


def test_boxes_of_tfs_are_in_order_of_what_they_exceed(spread):
    ax = plot_replicate_spread(spread)
    order = spread.quantile(0.75).sort_values().index
    assert texts(ax.get_xticklabels()) == list(order) and order[-1] == "T2"
    assert ax.get_title() == "4 TFs, 1 above 0.2; 1 conditions of one sample not shown"
    medians = [
        line.get_ydata()[0] for line in ax.lines if list(line.get_color()) == list("#000000")
    ]
    np.testing.assert_allclose(medians, spread[order].median())


def test_boxes_of_conditions_leave_out_those_of_one_sample(spread):
    ax = plot_replicate_spread(spread, by="condition")
    assert sorted(texts(ax.get_xticklabels())) == list("abcef")
    assert "above" not in ax.get_title()


@pytest.mark.parametrize(
    ("change", "options", "error", "match"),
    [
        (lambda s: s, {"by": "donor"}, ValueError, "'donor'. Legal are tf, condition"),
        (lambda s: s * np.nan, {}, ValueError, "No condition has replicates"),
        (lambda s: s.to_numpy(), {}, TypeError, "not ndarray; take `lembas_pyg.tf_activity"),
    ],
)
def test_what_cannot_be_drawn_is_said(spread, change, options, error, match):
    with pytest.raises(error, match=match):
        plot_replicate_spread(change(spread), **options)


def test_rows_of_the_heat_map_lie_beside_their_leaves():
    """Two groups of conditions, opposite in all TFs, far apart in the table."""
    rng = np.random.default_rng(1)
    base = np.where(np.arange(8)[:, None] % 2 == 0, 0.8, 0.2) * np.ones(5)
    activity = pd.DataFrame(
        base + rng.uniform(0, 0.1, (8, 5)), [f"C{i}" for i in range(8)], list("ABCDE")
    )
    ax = plot_activity_clusters(activity, mark=["C3"])
    rows = texts(ax.get_yticklabels())
    groups = [int(name[1:]) % 2 for name in rows]
    assert groups in ([0] * 4 + [1] * 4, [1] * 4 + [0] * 4)
    image = ax.images[0].get_array()
    np.testing.assert_array_equal(image, activity.loc[rows, texts(ax.get_xticklabels())])
    red = {label.get_text() for label in ax.get_yticklabels() if label.get_color() != "#000000"}
    assert red == {"C3"}
    assert ax.yaxis_inverted()  # the first leaf of the tree is on top, too
    assert [child for child in ax.child_axes if child.yaxis_inverted()]


@pytest.mark.parametrize(
    ("table", "error", "match"),
    [
        (pd.DataFrame(np.ones((2, 5))), ValueError, "2 conditions x 5 TFs cannot be clustered"),
        (np.ones((4, 4)), TypeError, "not ndarray"),
    ],
)
def test_what_cannot_be_clustered_is_said(table, error, match):
    with pytest.raises(error, match=match):
        plot_activity_clusters(table)
