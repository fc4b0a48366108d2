"""Drawing of the part of a network that carries a signal, from a ligand on the left to a TF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis.paths import PathExplanation
from lembas_pyg.plot.canvas import BLUE, GREEN, ORANGE, VERMILLION, new_axes
from lembas_pyg.plot.network import ARROW, BAR, HEIGHT, draw_arrow, draw_nodes, font_size, layers_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_NODES = 60
_SCALE = 0.55  # inches a unit in a figure of our own
# Room between columns for arrows; between the rows of a column, which holds at most so many.
_GAP, _ROW, _MAX_IN_COLUMN = 1.7, 1.15, 9
# Columns of up to this many nodes are shifted up and down in turn, so that ways around stay clear.
_SPARSE = 2
# Curvatures to choose from, the best first.
_BENDS = [0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.4, -0.4]


def plot_path(found: PathExplanation, *, ax: Axes | None = None) -> Axes:
    """Draw what `lembas_pyg.analysis.explain_path` found, from the ligand (left) to the TF (right).

    The width of an edge is its attribution, the colour the direction in which it pushes the TF:
    blue up, red down. Its head, arrow or flat bar, is the sign of its weight.

    Args:
        found: An explanation of up to 60 nodes.
        ax: Axes to draw in; new ones of fitting size if None.

    Returns:
        The axes, without frame.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: The part is too large to be read.
    """
    data = found.network
    if data.num_nodes > _MAX_NODES:
        raise ValueError(
            f"The part has {data.num_nodes:,} nodes; a drawing can be read up to {_MAX_NODES}. "
            f"Explain with a lower share or max_edges, or open it in Cytoscape."
        )
    widths = np.array([max(0.62, 0.25 + 0.19 * len(label)) for label in data.node_label])
    place = _places(data, found, widths)
    left, right = min(place[:, 0] - widths / 2), max(place[:, 0] + widths / 2)
    low, high = min(place[:, 1]) - 1.0, max(place[:, 1]) + 0.9
    size_in = _SCALE * (right - left + 0.4), _SCALE * (high - low) + 0.9
    ax = new_axes(ax, (max(4.0, size_in[0]), max(2.2, size_in[1])))
    ax.set(xlim=(left - 0.2, right + 0.2), ylim=(low, high), aspect="equal")
    ax.axis("off")
    size = font_size(ax)
    boxes = draw_nodes(ax, data, place, widths, None, size)
    _mark_ends(boxes, data, found)
    label = dict(zip(data.node_name, data.node_label, strict=True))
    _draw_flow(ax, data, place, boxes, size, label[found.tf])
    ax.set_title(
        f"{label[found.ligand]} changes {label[found.tf]} by {found.effect:+.2g} under "
        f"{found.condition}\n{found.kept:.0%} of it along these {data.num_edges} interactions",
        fontsize="medium",
    )
    return ax


def _places(data: Data, found: PathExplanation, widths: np.ndarray) -> np.ndarray:
    """Centre of every node: columns by distance from the ligand, the TF alone in the last."""
    nodes = np.array(data.node_name)
    view = Data(
        edge_index=data.edge_index,
        ligand_mask=torch.from_numpy(nodes == found.ligand),
        tf_mask=torch.from_numpy(nodes == found.tf),
        num_nodes=data.num_nodes,
    )
    columns = layers_of(view, _MAX_IN_COLUMN)
    neighbours = [[] for _ in nodes]  # type: list[list[int]]
    for a, b in data.edge_index.T.tolist():
        if a != b:
            neighbours[a].append(b)
            neighbours[b].append(a)
    place, x = np.zeros((len(nodes), 2)), 0.0
    for column in columns:
        half = max(widths[column]) / 2
        place[column, 0] = x + half
        x += 2 * half + _GAP
        _stack(place, column, 0.0)
    for _ in range(12):
        for column in columns:
            pull = {i: np.mean([place[j, 1] for j in neighbours[i]] or [0.0]) for i in column}
            column.sort(key=lambda i: (-round(pull[i], 6), -place[i, 1]))
            _stack(place, column, 0.0)
    for number, column in enumerate(columns[1:-1]):
        if len(column) <= _SPARSE:
            _stack(place, column, (-1) ** number * _ROW / 3)
    return place


def _bend(
    a: int, b: int, pairs: list[tuple[int, ...]], place: np.ndarray, boxes: list[Any]
) -> float:
    """Curvature of an edge: the least that leads around nodes, and beside the way back."""
    bends = [0.15, 0.25, 0.35] if (b, a) in pairs else _BENDS
    start, way = place[a], place[b] - place[a]
    along = np.linspace(0, 1, 41)[:, None]
    sizes = np.array([[box.get_width() / 2, HEIGHT / 2] for box in boxes]) + 0.06
    others = [i for i in range(len(boxes)) if i not in (a, b)]

    def hits(bend: float) -> int:
        turn = start + way / 2 + bend * np.array([way[1], -way[0]])
        curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * turn + along**2 * place[b]
        off = np.abs(curve[:, None] - place[others])
        return int((off < sizes[others]).all(axis=2).any(axis=0).sum())

    return min(bends, key=hits)


def _stack(place: np.ndarray, column: list[int], middle: float) -> None:
    """Put the nodes of a column below each other."""
    place[column, 1] = middle + _ROW * ((len(column) - 1) / 2 - np.arange(len(column)))


def _mark_ends(boxes: list[Any], data: Data, found: PathExplanation) -> None:
    """Ligand and TF stand out; receptors and other TFs have a coloured frame."""
    fills = {found.ligand: "#fff1d0", found.tf: "#d9f2e8"}
    for i, (name, box) in enumerate(zip(data.node_name, boxes, strict=True)):
        box.set_facecolor(fills.get(name, "white"))
        if data.ligand_mask[i] or data.receptor_mask[i]:
            box.set_edgecolor(ORANGE)
        elif data.tf_mask[i]:
            box.set_edgecolor(GREEN)


def _draw_flow(
    ax: Axes, data: Data, place: np.ndarray, boxes: list[Any], size: float, tf: str
) -> None:
    """An edge for every interaction, the strongest on top."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    flow, weight = data.edge_attribution.numpy(), data.edge_weight.numpy()
    pairs = [tuple(pair) for pair in data.edge_index.T.tolist()]
    largest = np.abs(flow).max()
    order = np.argsort(np.abs(flow))
    for rank, e in enumerate(order):
        a, b = pairs[e]
        style: dict[str, Any] = {
            "color": BLUE if flow[e] > 0 else VERMILLION,
            "linewidth": 0.6 + 3.4 * abs(flow[e]) / largest,
            "mutation_scale": size * 0.9,
            "arrowstyle": BAR if weight[e] < 0 else ARROW,
            "zorder": 2 + rank / len(pairs),
        }
        x, y = place[a, 0], place[a, 1] + HEIGHT / 2 - 0.1
        loop = (x - 0.2, y), (x + 0.2, y)  # over the box
        bend = 0.0 if a == b else _bend(a, b, pairs, place, boxes)
        draw_arrow(ax, (a, b), bend, place, boxes, loop, **style)
    words = ((flow > 0, BLUE, f"raises {tf}"), (flow < 0, VERMILLION, f"lowers {tf}"))
    handles: list[Any] = [
        Line2D([], [], color=colour, linewidth=2, label=word)
        for present, colour, word in words
        if present.any()
    ]
    roles = data.receptor_mask | data.ligand_mask, ORANGE, "ligand or receptor"
    others = data.tf_mask, GREEN, "TF"
    handles += [
        Patch(facecolor="white", edgecolor=colour, label=word)
        for mask, colour, word in (roles, others)
        if bool(mask.any())
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=len(handles),
        frameon=False,
        fontsize="small",
    )
