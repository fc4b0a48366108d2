"""Pictures of drug response: what is in them, and what is refused."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot

from lembas_pyg.plot import plot_combination, plot_dose_response


@pytest.fixture(autouse=True)
def close_figures():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def curves():
    return pd.DataFrame(
        {
            "cell_line": ["A", "A", "B", "B"],
            "log10_dose": [1.0, 2.0, 1.0, 2.0],
            "viability": [0.9, 0.5, 1.0, 0.7],
            "spread": [0.1, 0.1, np.nan, np.nan],
            "measured": [0.8, np.nan, 1.0, 0.6],
        }
    )


def pairs():
    return pd.DataFrame(
        {
            "drug_a": "P",
            "drug_b": "Q",
            "dose_a": [1.0, 1.0, 2.0, 2.0] * 2,
            "dose_b": [1.0, 3.0, 1.0, 3.0] * 2,
            "bliss_excess": [0.1, 0.2, 0.3, -0.4, 0.3, 0.2, 0.1, 0.0],
            "loewe_excess": 0.0,
        }
    )


def test_curves_bands_and_points_are_those_of_the_table():
    ax = plot_dose_response(curves())
    by_label = {line.get_label(): line for line in ax.lines}
    assert by_label["A"].get_ydata().tolist() == [0.9, 0.5]
    assert by_label["B"].get_xdata().tolist() == [1.0, 2.0]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [p.get_ydata()[0] for p in points] == [0.8, 1.0]
    assert len(ax.collections) == 1  # the band of A
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A", "B"]


def test_lines_of_a_group_are_averaged():
    ax = plot_dose_response(curves().assign(group="all"), by="group")
    (line,) = [line for line in ax.lines if line.get_label() == "all"]
    np.testing.assert_allclose(line.get_ydata(), [0.95, 0.6])


def test_map_shows_the_mean_excess_of_every_pair_of_doses():
    ax = plot_combination(pairs())
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.2, 0.2], [0.2, -0.2]])
    assert ax.get_xlabel().endswith("P") and ax.get_ylabel().endswith("Q")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "3"]
    plot_combination(pairs(), excess="loewe_excess")  # nothing but zeros


def test_what_cannot_be_drawn_is_refused():
    many = pd.concat([curves().assign(cell_line=f"L{i}") for i in range(9)])
    with pytest.raises(ValueError, match="9 values of 'cell_line', and colours for 8"):
        plot_dose_response(many)
    with pytest.raises(ValueError, match="no column 'viability'"):
        plot_dose_response(curves().drop(columns="viability"))
    with pytest.raises(ValueError, match="excess is 'hsa'"):
        plot_combination(pairs(), excess="hsa")
    two = pd.concat([pairs(), pairs().assign(drug_b="R")])
    with pytest.raises(ValueError, match="of 2 pairs of drugs"):
        plot_combination(two)
