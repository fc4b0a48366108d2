"""What is drawn, read back from the axes: positions, words, colours."""

import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.colors import to_hex

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import from_interactions
from lembas_pyg.plot import (
    plot_fit,
    plot_history,
    plot_knock_out,
    plot_network,
    plot_parameters,
    plot_ranked_knock_outs,
    plot_synergy,
    plot_training_courses,
)
from lembas_pyg.plot.canvas import BLUE, GREY, VERMILLION
from lembas_pyg.plot.parameters import _spread


@pytest.fixture(autouse=True)
def close_figures():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture
def ax():
    return pyplot.subplots()[1]


@pytest.fixture
def network():
    return ToyNetwork()[0]


@pytest.fixture
def predictions():
    return pd.DataFrame(
        {
            "set": ["train", "train", "train", "test", "test", "test"],
            "measured": [0.0, 0.5, 1.0, 0.2, np.nan, 0.8],
            "predicted": [0.1, 0.4, 0.9, 0.3, 0.5, 0.7],
        }
    )


@pytest.fixture
def history():
    return pd.DataFrame(
        {
            "epoch": [0, 1, 2],
            "lr": 1e-3,
            "loss": [1.0, 0.1, 0.01],
            "fit": [0.9, 0.09, 0.009],
            "sign": [0.1, 0.0, 0.0],
            "r": [np.nan, 0.5, 0.9],
            "not_converged": [0, 2, 0],
        }
    )


@pytest.fixture
def knock_outs():
    """Two conditions in an order that is not alphabetical, two TFs, three nodes."""
    effect = {"L1": [-0.1, 0.0], "R1": [-0.4, 0.2], "S1": [np.nan, 0.3]}
    return pd.DataFrame(
        [
            {"condition": condition, "node": node, "tf": tf, "delta": scale * effect[node][i]}
            for i, condition in enumerate(["stimulus", "control"])
            for node in effect
            for tf, scale in (("T1", 1.0), ("S2", 10.0))
        ]
    )


def words_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_a_fit_shows_the_measured_entries_and_their_correlation(predictions):
    ax = plot_fit(predictions)
    points = ax.collections[0].get_offsets()
    assert len(points) == 5
    known = predictions.dropna()
    np.testing.assert_allclose(points, known[["measured", "predicted"]])
    r = pearsonr(known["measured"], known["predicted"]).statistic
    assert words_of(ax.get_legend()) == [f"r = {r:.3f}, n = 5"]
    assert ax.get_xlim() == ax.get_ylim()
    assert "fraction of maximum" in ax.get_xlabel()


def test_every_group_of_a_fit_has_its_colour_and_correlation(predictions, ax):
    assert plot_fit(predictions, hue="set", ax=ax) is ax
    train, test = ax.collections
    assert to_hex(train.get_facecolor()[0]) != to_hex(test.get_facecolor()[0])
    assert words_of(ax.get_legend())[1] == "test: r = 1.000, n = 2"


def test_the_course_of_training_shows_terms_baseline_and_trouble(history):
    ax = plot_history(history, baseline=0.3)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == [
        "loss",
        "fit",
        "sign",
        "mean prediction",
        "not all steady (1 of 3 epochs)",
    ]
    assert np.isnan(lines["sign"].get_ydata()[1:]).all()  # 0 has no logarithm
    assert lines["not all steady (1 of 3 epochs)"].get_xdata().tolist() == [1]
    assert ax.get_yscale() == "log"
    right = next(other for other in ax.figure.axes if other is not ax)
    np.testing.assert_array_equal(right.get_lines()[0].get_ydata(), history["r"])


def test_terms_may_be_chosen(history):
    assert [line.get_label() for line in plot_history(history, ["fit"]).get_lines()][:2] == [
        "loss",
        "fit",
    ]
    with pytest.raises(ValueError, match=r"No term of this history: spectral\. It has fit, sign"):
        plot_history(history, ["spectral"])


def test_parameters_are_paired_by_name_not_by_row():
    true = ToyNetwork.parameters()
    ax = plot_parameters(true, true.iloc[::-1].assign(Value=lambda t: t["Value"] * 2))
    weights, biases = ax.collections
    points = np.asarray(weights.get_offsets())
    np.testing.assert_allclose(points[:, 1], 2 * points[:, 0])
    assert (len(points), len(biases.get_offsets())) == (8, 7)
    names = {text.get_text() for text in ax.texts}
    assert {"S1 ⊣ S2", "S2 → T1"} <= names
    assert len(names) == 8
    assert words_of(ax.get_legend()) == ["weights: r = 1.000", "biases: rms error 0.000"]


def test_parameters_of_another_network_are_refused():
    true = ToyNetwork.parameters()
    with pytest.raises(ValueError, match="only one of them has the Weight of S2 -> T1"):
        plot_parameters(true, true.drop(index=7))


def test_names_move_apart_and_no_further_than_needed():
    np.testing.assert_allclose(_spread(np.array([0.0, 5.0]), 1.0), [0.0, 5.0])
    np.testing.assert_allclose(_spread(np.array([1.0, 1.0, 1.0]), 0.5), [0.5, 1.0, 1.5])
    np.testing.assert_allclose(_spread(np.array([0.0, 0.2, 9.0]), 1.0), [-0.4, 0.6, 9.0])


def test_a_map_of_knock_outs_has_the_order_of_the_table(knock_outs, network):
    ax = plot_knock_out(knock_outs, network, tf="T1")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["stimulus", "control"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R1", "S1", "L1"]
    expected = [[-0.4, 0.2], [np.nan, 0.3], [-0.1, 0.0]]
    np.testing.assert_allclose(ax.images[0].get_array().filled(np.nan), expected)
    assert ax.images[0].get_clim() == (-0.4, 0.4)  # white is no change
    assert ax.get_title() == "effect on T1\n1 without steady state"


def test_bars_are_ranked_by_size_and_coloured_by_direction(knock_outs, network):
    ax = plot_knock_out(knock_outs, network, tf="S2", condition="control", top=2)
    assert [bar.get_width() for bar in ax.patches] == [3.0, 2.0]
    assert {to_hex(bar.get_facecolor()) for bar in ax.patches} == {VERMILLION.lower()}
    assert ax.get_title() == "effect on S2, 2 of 3 nodes\nunder control"
    assert ax.yaxis_inverted()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"Name one with tf=; it has T1 \(T1\), S2 \(S2\)"),
        ({"tf": "RELA"}, "'RELA' is not a TF of this table"),
        ({"tf": "T1", "condition": "heat"}, "'heat' is not a condition .* 'stimulus', 'control'"),
        ({"tf": "T1", "top": 0}, "top is 0"),
    ],
)
def test_knock_outs_that_are_not_there_are_refused(knock_outs, network, options, message):
    with pytest.raises(ValueError, match=message):
        plot_knock_out(knock_outs, network, **options)


def test_knock_outs_of_another_network_are_refused(knock_outs, network):
    knock_outs["node"] = knock_outs["node"].replace("L1", "IL6")
    with pytest.raises(ValueError, match="node 'IL6', which is not among the 7"):
        plot_knock_out(knock_outs, network, tf="T1")


def test_a_drawing_runs_from_ligands_down_to_tfs(network):
    ax = plot_network(network)
    height = {text.get_text(): text.get_position()[1] for text in ax.texts}
    rows = [["L1", "L2"], ["R1", "R2"], ["S1", "S2"], ["T1"]]
    assert len({height[row[0]] for row in rows}) == 4
    for above, below in pairwise(rows):
        assert height[above[0]] > height[below[0]]
    for row in rows:
        assert len({height[name] for name in row}) == 1
    assert height["ligands"] == height["L1"]
    assert height["TFs"] == height["T1"]


def arrows_of(ax):
    from matplotlib.patches import FancyArrowPatch

    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def test_colour_is_the_mode_of_action_and_width_the_weight(network):
    network.edge_sign[0] = 0
    weight = torch.tensor([1.0, 1.0, 1.0, 1.0, -1.0, 1.4, -0.9, 2.0])
    ax = plot_network(network, weight)
    arrows = arrows_of(ax)
    expected = [GREY, BLUE, BLUE, BLUE, VERMILLION, BLUE, VERMILLION, BLUE]
    assert [to_hex(arrow.get_edgecolor()) for arrow in arrows] == [c.lower() for c in expected]
    width = np.array([arrow.get_linewidth() for arrow in arrows])
    np.testing.assert_allclose(np.diff(width), 2.5 / 2 * np.diff(weight.abs()), rtol=1e-6)
    assert words_of(ax.get_legend()) == ["activation", "inhibition", "unknown"]


def test_the_head_shows_a_weight_that_contradicts_its_mode_of_action(network):
    weight = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5, -0.2, -0.9, 2.0])
    heads = [
        type(arrow.get_arrowstyle()).__name__ for arrow in arrows_of(plot_network(network, weight))
    ]
    assert [head == "BracketB" for head in heads] == [w < 0 for w in weight.tolist()]


def test_nodes_are_filled_by_their_state_and_named_readably(network):
    state = torch.tensor([0.0, 1.0, 0.3, 0.9, -0.05, 0.5, 0.2])
    ax = plot_network(network, state=state)
    boxes = [patch for patch in ax.patches if patch not in arrows_of(ax)]
    assert boxes[1].get_facecolor() == pyplot.get_cmap("viridis")(1.0)
    colour = {text.get_text(): text.get_color() for text in ax.texts}
    assert (colour["L1"], colour["L2"]) == ("white", "black")
    bar = next(other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == "state (fraction of saturation)"


def test_loops_and_nodes_off_every_path_are_drawn_too():
    pairs = [("L", "A"), ("A", "A"), ("A", "T"), ("U", "T")]
    interactions = pd.DataFrame(pairs, columns=["source", "target"]).assign(
        stimulation=1, inhibition=0
    )
    annotation = pd.DataFrame(
        {"code": list("LATU"), "name": "", "TF": [0, 0, 1, 0], "ligand": [1, 0, 0, 0]}
    )
    ax = plot_network(from_interactions(interactions, annotation))
    assert len(arrows_of(ax)) == 4
    height = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert height["A"] == height["U"]
    ax.figure.canvas.draw()


def test_a_network_too_large_to_read_is_refused():
    names = [f"N{i}" for i in range(61)]
    interactions = pd.DataFrame(
        {"source": names[:-1], "target": names[1:], "stimulation": 1, "inhibition": 0}
    )
    annotation = pd.DataFrame({"code": names, "name": "", "TF": False, "ligand": False})
    annotation.loc[0, "ligand"], annotation.loc[60, "TF"] = True, True
    with pytest.raises(ValueError, match=r"has 61 nodes; a drawing can be read up to 60"):
        plot_network(from_interactions(interactions, annotation))


@pytest.mark.parametrize("name", ["edge_weight", "state"])
def test_numbers_of_the_wrong_length_are_refused(network, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \[5\]; it must be \[[78]\]"):
        plot_network(network, **{name: torch.zeros(5)})


@pytest.mark.parametrize("plot", [plot_fit, plot_history])
def test_tables_without_their_columns_are_refused(plot):
    with pytest.raises(ValueError, match="The table has no column"):
        plot(pd.DataFrame({"loss": [1.0]}))
    with pytest.raises(TypeError, match="Expected a pandas DataFrame, not list"):
        plot([1.0])


def test_without_matplotlib_the_cure_is_named(predictions, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "lembas_pyg\[plot\]"'):
        plot_fit(predictions)


@pytest.fixture
def histories():
    """Five members of five epochs; fold 2 is the worst in all but the share of visits."""
    rows = [
        {
            "fold": fold,
            "member": 0,
            "epoch": epoch,
            "loss": (1 + fold % 3) * 10.0**-epoch,
            "rho": 0.5 + 0.1 * epoch + 0.2 * (fold == 2),
            "sign": 0.0 if epoch > 2 and fold != 2 else 1.0 + fold / 10,
            "not_converged": 0.03 * (fold == 4 and epoch == 1),
        }
        for fold in range(5)
        for epoch in range(5)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def drawn(ax):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in ax.get_lines()}


def test_training_courses_are_medians_bands_and_the_worst(histories):
    loss, rate, constraints = plot_training_courses(histories, target=0.94)
    right = next(ax for ax in loss.figure.axes if ax not in (loss, rate, constraints))
    axes = {"loss": loss, "rho": rate, "sign": constraints, "not_converged": right}
    for name, ax in axes.items():
        values = np.empty((5, 5))
        values[histories["epoch"], histories["fold"]] = histories[name]
        lines = drawn(ax)
        np.testing.assert_allclose(lines["median"], np.median(values, axis=1))
        worst = 4 if name == "not_converged" else 2
        np.testing.assert_allclose(lines[f"worst: fold {worst}, member 0"], values[:, worst])
        low, high = np.percentile(values, [5, 95], axis=1)
        corners = ax.collections[0].get_paths()[0].vertices
        for epoch in range(5):
            at = corners[corners[:, 0] == epoch, 1]
            np.testing.assert_allclose([at.min(), at.max()], [low[epoch], high[epoch]])
    assert loss.get_yscale() == "log" and constraints.get_yscale() == "symlog"
    np.testing.assert_array_equal(drawn(rate)["barrier target 0.940"], [0.94, 0.94])
    assert [1.0, 1.0] in [list(line.get_ydata()) for line in rate.get_lines()]
    assert right.get_ylabel() == "visits without steady state"


def test_courses_that_were_not_watched_are_said_to_be_so(histories):
    bare = histories.assign(rho=0.0, sign=np.nan)
    _, rate, constraints = plot_training_courses(bare)
    assert [text.get_text() for text in rate.texts] == ["not watched:\nno spectral term"]
    assert [text.get_text() for text in constraints.texts] == ["no sign term"]
    loss = plot_training_courses(histories[histories["fold"] == 0])[0]
    assert list(drawn(loss)) == ["the only member"]


def test_training_courses_go_into_axes_that_are_given(histories):
    axes = pyplot.subplots(1, 3)[1]
    assert plot_training_courses(histories, axes=axes) == tuple(axes)
    with pytest.raises(ValueError, match="2 axes were given; the picture has three panels"):
        plot_training_courses(histories, axes=axes[:2])


def test_histories_that_cannot_be_drawn_are_refused(histories):
    with pytest.raises(ValueError, match=r"epoch \d of fold \d, member 0 more than once"):
        plot_training_courses(pd.concat([histories, histories]))
    with pytest.raises(ValueError, match="no row: the course of no training is known"):
        plot_training_courses(histories.iloc[:0])
    with pytest.raises(ValueError, match="no column 'sign'"):
        plot_training_courses(histories.drop(columns="sign"))
    with pytest.raises(TypeError, match="not list"):
        plot_training_courses([])


@pytest.fixture
def members():
    """Effects of three members on T1, under two conditions."""
    effects = {"L1": [0.1, 0.2, -0.1], "R1+S1": [-0.5, -0.4, -0.6], "R2": [np.nan, 0.3, 0.2]}
    return pd.DataFrame(
        [
            {"member": m, "condition": c, "node": node, "tf": "T1", "delta": scale * values[m]}
            for m in range(3)
            for c, scale in (("stimulus", 1.0), ("control", 0.5))
            for node, values in effects.items()
        ]
    )


def test_boxes_are_ranked_by_their_median_and_hold_every_member(members, network):
    ax = plot_ranked_knock_outs(members, network, condition="stimulus", top=2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R1+S1", "R2"]
    first, second = ax.patches
    assert (first.get_x(), first.get_width()) == pytest.approx((-0.55, 0.1))
    assert (second.get_x(), second.get_width()) == pytest.approx((0.225, 0.05))
    assert to_hex(first.get_facecolor()) == to_hex(BLUE)
    assert to_hex(second.get_facecolor()) == to_hex(VERMILLION)
    points = [c.get_offsets()[:, 0] for c in ax.collections if len(c.get_offsets()) > 1]
    np.testing.assert_allclose(points[0], [-0.5, -0.4, -0.6])
    np.testing.assert_allclose(points[1], [0.3, 0.2])
    assert ax.get_title() == "effect on T1 under stimulus\n2 of 3 nodes, 3 models"
    assert ax.yaxis_inverted()


def test_of_several_conditions_a_box_names_its_own(members, network, ax):
    assert plot_ranked_knock_outs(members, network, ax=ax) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        *("R1+S1, stimulus", "R2, stimulus", "L1, stimulus"),
    ]
    with pytest.raises(ValueError, match=r"no column 'member'.*by_member=True"):
        plot_ranked_knock_outs(members.drop(columns="member"), network)


def test_sets_of_nodes_are_drawn_by_their_symbols(members, network):
    network.node_label = [f"{name}-symbol" for name in network.node_name]
    table = members[members["member"] == 1].drop(columns="member")
    ax = plot_knock_out(table, network, condition="stimulus")
    assert ax.get_yticklabels()[0].get_text() == "R1-symbol+S1-symbol"


def test_synergy_is_a_map_that_is_the_same_both_ways(network):
    pairs = [("L1", "R1", 0.1), ("L1", "S1", -0.3), ("R1", "S1", np.nan)]
    table = pd.DataFrame(pairs, columns=["node_a", "node_b", "synergy"])
    table = table.assign(condition="stimulus", tf="T1")
    ax = plot_synergy(table, network)
    drawn = ax.images[0].get_array().filled(np.nan)
    nan = np.nan
    np.testing.assert_allclose(drawn, [[nan, 0.1, -0.3], [0.1, nan, nan], [-0.3, nan, nan]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["L1", "R1", "S1"]
    assert ax.images[0].get_clim() == (-0.3, 0.3)
    with pytest.raises(ValueError, match="tf is 'T2'; name one of 'T1'"):
        plot_synergy(table, network, tf="T2")
    with pytest.raises(ValueError, match="draw it without by_member=True"):
        plot_synergy(table.assign(member=0), network)
