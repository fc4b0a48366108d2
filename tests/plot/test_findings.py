"""Pictures of sensitivities and paths: what is in them, and that nothing lies on anything."""

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.colors import to_hex

import lembas_pyg as lp
from lembas_pyg.analysis import explain_path, hubs, sensitivity
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.plot import plot_path, plot_sensitivity
from lembas_pyg.plot.canvas import BLUE, VERMILLION


@pytest.fixture(autouse=True)
def close_figures():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def data():
    ligands = pd.DataFrame({"L1": [0.3, 0.3], "L2": [0.9, 0.8]}, index=["a", "b"])
    return add_conditions(ToyNetwork()[0], ligands)


@pytest.fixture(scope="module")
def model(data):
    return load_parameters(lp.LEMBAS(data).double(), ToyNetwork.parameters())


def names(ticks):
    return [text.get_text() for text in ticks]


def test_the_map_shows_hubs_by_their_signed_extreme(model, data):
    table = sensitivity(model, data)
    ax = plot_sensitivity(table, data, threshold=1e-4)
    assert set(names(ax.get_yticklabels())) == set(hubs(table, data, 1e-4)["label"])
    assert len(ax.get_yticklabels()) > 1
    assert names(ax.get_xticklabels()) == ["T1"]
    shown = ax.images[0].get_array()
    for row, node in enumerate(names(ax.get_yticklabels())):
        values = table.loc[table["node"] == node, "elasticity"]
        assert shown[row, 0] == values[values.abs().idxmax()]


def test_the_map_is_ordered_by_likeness_and_cut_to_the_strongest(data):
    rows = [
        ("a", node, tf, value)
        for node, values in {
            "R1": (1.0, -1.0),
            "S1": (-0.9, 0.9),
            "R2": (1.1, -0.9),
            "S2": (-1.2, 1.0),
        }.items()
        for tf, value in zip(("T1", "L1"), values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["condition", "node", "tf", "elasticity"])
    ax = plot_sensitivity(table, data)
    order = names(ax.get_yticklabels())
    assert {frozenset(order[:2]), frozenset(order[2:])} == {
        frozenset({"R1", "R2"}),
        frozenset({"S1", "S2"}),
    }
    ax = plot_sensitivity(table, data, top=2)
    assert set(names(ax.get_yticklabels())) == {"S2", "R2"}
    assert "(2 of 4)" in ax.get_ylabel()


def test_a_map_of_many_nodes_has_no_names_beside_it(data):
    big = data.clone()
    size = 150
    big.node_name = big.node_label = [f"n{i}" for i in range(size)]
    big.num_nodes = size
    big.ligand_mask = big.tf_mask = torch.zeros(size, dtype=torch.bool)
    values = np.linspace(0.6, 3, size)
    table = pd.DataFrame(
        {"condition": "c", "node": big.node_name, "tf": "n0", "elasticity": values}
    )
    ax = plot_sensitivity(table, big)
    assert names(ax.get_yticklabels()) == []
    assert max(ax.figure.get_size_inches()) < 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 100.0}, "No internal node has an absolute elasticity of 100 on any TF"),
        ({"top": 0}, "top is 0"),
        ({"limit": -1}, "limit is -1"),
    ],
)
def test_an_empty_map_is_not_drawn(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        plot_sensitivity(sensitivity(model, data), data, **options)


def test_a_table_of_another_kind_is_refused(data):
    with pytest.raises(ValueError, match="no column 'elasticity'"):
        plot_sensitivity(pd.DataFrame(columns=["condition", "node", "tf"]), data)


def boxes_of(ax):
    kinds = [patch for patch in ax.patches if type(patch).__name__ == "FancyBboxPatch"]
    return [(box.get_x(), box.get_y(), box.get_width(), box.get_height()) for box in kinds]


def overlap(first, second):
    return all(
        first[k] < second[k] + second[k + 2] and second[k] < first[k] + first[k + 2] for k in (0, 1)
    )


def test_a_path_runs_from_the_ligand_on_the_left_to_the_tf_on_the_right(model, data):
    found = explain_path(model, data, "L2", "T1", "a", share=0.9)
    ax = plot_path(found)
    assert ax.get_title().startswith("L2 changes T1 by")
    x = dict(zip(names(ax.texts), (text.get_position()[0] for text in ax.texts), strict=True))
    assert set(x) == set(found.network.node_label)
    assert min(x, key=x.get) == "L2" and max(x, key=x.get) == "T1"
    arrows = [patch for patch in ax.patches if type(patch).__name__ == "FancyArrowPatch"]
    assert len(arrows) == len(found.edges)
    colours = {to_hex(arrow.get_edgecolor()) for arrow in arrows}
    signs = set(np.sign(found.edges["attribution"]))
    assert colours == {{1: BLUE, -1: VERMILLION}[sign].lower() for sign in signs}
    widths = sorted(arrow.get_linewidth() for arrow in arrows)
    assert widths[-1] == pytest.approx(4.0)


def many_nodes(num_nodes, num_edges, seed):
    """An explanation of a random part of the given size, made by hand."""
    from lembas_pyg.analysis import PathExplanation

    generator = torch.Generator().manual_seed(seed)
    data = ToyNetwork()[0]
    part = data.clone()
    chain = torch.stack([torch.arange(num_nodes - 1), torch.arange(1, num_nodes)])
    jumps = torch.randint(0, num_nodes, (2, num_edges), generator=generator)
    part.edge_index = torch.unique(torch.cat([chain, jumps], dim=1), dim=1)
    size = part.edge_index.size(1)
    part.num_nodes = num_nodes
    part.node_name = [f"P{i:05d}" for i in range(num_nodes)]
    part.node_label = [f"PROT{i}" for i in range(num_nodes)]
    part.edge_attribution = torch.randn(size, generator=generator)
    part.edge_weight = torch.randn(size, generator=generator)
    nodes = torch.arange(num_nodes)
    part.ligand_mask, part.tf_mask = nodes == 0, nodes == num_nodes - 1
    part.receptor_mask = nodes == 1
    last = part.node_name[-1]
    numbers = (0.1, 0.9, 0.9, 0.9)
    table = pd.DataFrame(index=range(size))
    return PathExplanation(table, part, "P00000", last, "c", *numbers, part.edge_attribution)


@pytest.mark.parametrize("seed", range(3))
def test_nodes_of_a_large_part_do_not_lie_on_each_other(seed):
    ax = plot_path(many_nodes(40, 60, seed))
    boxes = boxes_of(ax)
    assert len(boxes) == 40
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    texts = [text.get_window_extent(renderer) for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[:i])


def test_a_part_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="has 61 nodes; a drawing can be read up to 60"):
        plot_path(many_nodes(61, 10, 0))
