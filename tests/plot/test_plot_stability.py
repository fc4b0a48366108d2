"""What is drawn of stability, read back from the axes."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot

from lembas_pyg.plot import plot_radius, plot_slow_nodes


@pytest.fixture(autouse=True)
def close_figures():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture
def report():
    return pd.DataFrame(
        {
            "set": ["known"] * 2 + ["random"] * 4,
            "converged": [True, True, True, False, True, True],
            "radius": [0.7, 0.6, 0.9, np.nan, 0.5, 0.8],
            "num_states": [1, 2, 1, 0, 1, 1],
        }
    )


@pytest.fixture
def nodes():
    return pd.DataFrame(
        {
            "condition": ["b", "b", "a", "a"],
            "mode": [1, 1, 1, 2],
            "node": ["P1", "P2", "P2", "P3"],
            "label": ["RAF1", "MEK1", "MEK1", "ERK2"],
            "participation": [0.6, 0.4, 1.0, 1.0],
        }
    )


def test_radii_are_ranked_within_their_set(report):
    ax = plot_radius(report)
    limit, known, several, random = ax.lines
    assert limit.get_ydata()[0] == 1
    assert known.get_ydata().tolist() == [0.6, 0.7]
    assert known.get_xdata().tolist() == [25, 75]
    assert random.get_ydata().tolist() == [0.5, 0.8, 0.9]
    assert random.get_xdata().tolist() == [12.5, 37.5, 62.5]  # the unsteady one is missing
    assert (several.get_xdata().tolist(), several.get_ydata().tolist()) == ([25], [0.6])
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == [
        "known conditions (2)",
        "1 with several states",
        "random conditions (4, 1 unsteady)",
    ]


def test_a_map_of_slow_nodes_has_the_order_of_the_conditions(nodes):
    ax = plot_slow_nodes(nodes)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["b", "a"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["MEK1", "RAF1"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.4, 1.0], [0.6, 0.0]])


def test_members_are_averaged(nodes):
    twice = pd.concat([nodes.assign(member=0), nodes.iloc[2:].assign(member=1)])
    ax = plot_slow_nodes(twice, top=1)
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.2, 1.0]])


def test_what_cannot_be_drawn_is_refused(nodes, report):
    with pytest.raises(ValueError, match="no mode 3; it has 1, 2"):
        plot_slow_nodes(nodes, mode=3)
    with pytest.raises(ValueError, match="top is 0"):
        plot_slow_nodes(nodes, top=0)
    with pytest.raises(ValueError, match="no column 'radius'"):
        plot_radius(report.drop(columns="radius"))
