"""Drawing of a small network, from ligands down to TFs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.plot.canvas import BLUE, GREY, VERMILLION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_NODES = 60
_SIGNS: dict[int, tuple[str, str, Any]] = {
    1: ("activation", BLUE, "-"),
    -1: ("inhibition", VERMILLION, "-"),
    0: ("unknown", GREY, "--"),
}
ARROW, BAR = "-|>,head_width=.3,head_length=.6", "-[,widthB=.45,lengthB=0"
_SCALE = 0.62  # inches a unit in a figure of our own
# Layers lie this many units apart, the nodes of a layer at least this gap; all boxes are as high.
_LAYER, _GAP, HEIGHT = 1.5, 0.6, 0.62
_MAX_IN_ROW = 10


def plot_network(
    data: Data,
    edge_weight: Tensor | None = None,
    state: Tensor | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw a small network: ligands on top, then by distance from them, TFs at the bottom.

    Colour is the known mode of action: activation blue, inhibition red, unknown grey and dashed.
    The head of an edge, arrow or flat bar, is the sign of its weight where weights are given, so
    that a weight that contradicts its mode of action can be seen.

    Args:
        data: Network of up to 60 nodes.
        edge_weight: Weights; the width of an arrow follows their size.
        state: State of every node in one condition (fraction of saturation); fills the nodes.
        ax: Axes to draw in; new ones of fitting size if None.

    Shapes:
        - **edge_weight:** ``[E]``
        - **state:** ``[N]``

    Returns:
        The axes, without frame.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: The network is too large to be read, or a tensor does not fit it.

    References:
        Nilsson et al. (2022), Fig. 2a.
    """
    if not 0 < data.num_nodes <= _MAX_NODES:
        raise ValueError(
            f"The network has {data.num_nodes:,} nodes; a drawing can be read up to {_MAX_NODES}. "
            f"Draw a part of it, `data.subgraph(mask)`, or open the whole in Cytoscape."
        )
    weight = _as_numbers("edge_weight", edge_weight, data.num_edges, "edges")
    fill = _as_numbers("state", state, data.num_nodes, "nodes")
    layers = layers_of(data)
    widths = np.array([max(0.62, 0.2 + 0.17 * len(label)) for label in data.node_label])
    place = places_of(layers, widths, data.edge_index.cpu().numpy())
    left = min(place[:, 0] - widths / 2) - 0.2
    right = max(place[:, 0] + widths / 2) + 0.2
    bottom = min(place[:, 1]) - 0.6
    size_in = _SCALE * (right - left) + 1.6, _SCALE * (1.2 - bottom) + 0.5
    ax = new_axes(ax, (max(3.2, size_in[0]), max(2.4, size_in[1])))
    ax.set(xlim=(left - 1.6, right), ylim=(bottom, 0.6), aspect="equal")
    ax.axis("off")
    size = font_size(ax)
    boxes = draw_nodes(ax, data, place, widths, fill, size)
    _draw_edges(ax, data, place, boxes, weight, size)
    _name_layers(ax, data, layers, left, size)
    if fill is not None:
        _draw_colour_bar(ax, fill)
    return ax


def _as_numbers(name: str, value: Tensor | None, size: int, what: str) -> np.ndarray | None:
    """A vector of the expected length."""
    if value is None:
        return None
    flat = torch.as_tensor(value).detach().cpu().double()
    if flat.shape != (size,):
        raise ValueError(
            f"{name} has shape {list(flat.shape)}; it must be [{size}], one number for each of "
            f"the {what}{', such as prediction.h[:, 0]' if name == 'state' else ''}."
        )
    return flat.numpy()


def layers_of(data: Data, most: int = _MAX_IN_ROW) -> list[list[int]]:
    """Nodes by distance from the ligands, ligands first, TFs last; large layers take more rows."""
    source, target = data.edge_index.cpu().numpy()
    distance = np.full(data.num_nodes, -1)
    front = data.ligand_mask.cpu().numpy()
    for step in range(data.num_nodes):
        distance[front & (distance < 0)] = step
        reached = np.zeros_like(front)
        reached[target[front[source]]] = True
        front = reached & (distance < 0)
    is_tf = data.tf_mask.cpu().numpy() & ~data.ligand_mask.cpu().numpy()
    # What no ligand reaches stands beside the farthest that they do reach, but below ligands.
    distance[distance < 0] = max(1, distance[~is_tf].max(initial=0))
    distance[is_tf] = distance[~is_tf].max(initial=0) + 1
    found = [np.flatnonzero(distance == step) for step in range(distance.max() + 1)]
    return [
        part.tolist()
        for layer in found
        if len(layer)
        for part in np.array_split(layer, -(-len(layer) // most))
    ]


def places_of(layers: list[list[int]], widths: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Centre of every node; layers are ordered so that neighbours stand near each other."""
    place = np.zeros((len(widths), 2))
    neighbours: list[list[int]] = [[] for _ in widths]
    for a, b in edges.T:
        if a != b:
            neighbours[a].append(b)
            neighbours[b].append(a)
    for row, layer in enumerate(layers):
        _line_up(place, layer, widths, row)
    if len(layers) > 1:
        for _ in range(8):
            for row, layer in enumerate(layers):
                pull = {i: np.mean([place[j, 0] for j in neighbours[i]] or [0.0]) for i in layer}
                layer.sort(key=lambda i: (round(pull[i], 6), place[i, 0]))
                _line_up(place, layer, widths, row)
    return place


def _line_up(place: np.ndarray, layer: list[int], widths: np.ndarray, row: int) -> None:
    """Put the nodes of a layer side by side around 0."""
    right = np.cumsum(widths[layer] + _GAP)
    place[layer, 0] = right - (widths[layer] + _GAP) / 2 - right[-1] / 2
    place[layer, 1] = -_LAYER * row


def font_size(ax: Axes) -> float:
    """Points of text that fits a node, from the size the axes will have."""
    extent = ax.get_window_extent()
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    unit = 72 / ax.figure.dpi * min(extent.width / (x1 - x0), extent.height / (y1 - y0))
    return float(np.clip(0.3 * unit, 4.5, 11))


def draw_nodes(
    ax: Axes,
    data: Data,
    place: np.ndarray,
    widths: np.ndarray,
    fill: np.ndarray | None,
    size: float,
) -> list[Any]:
    """A box with the symbol for every node."""
    from matplotlib import colormaps
    from matplotlib.patches import FancyBboxPatch

    colour_of = colormaps["viridis"]
    boxes = []
    for i, (x, y) in enumerate(place):
        colour = "white" if fill is None or np.isnan(fill[i]) else colour_of(np.clip(fill[i], 0, 1))
        boxes.append(
            FancyBboxPatch(
                (x - widths[i] / 2, y - HEIGHT / 2),
                widths[i],
                HEIGHT,
                boxstyle=f"round,pad=0,rounding_size={HEIGHT / 2 - 0.01}",
                facecolor=colour,
                edgecolor="#333333",
                linewidth=0.9,
                zorder=3,
            )
        )
        ax.add_patch(boxes[i])
        dark = fill is not None and fill[i] < 0.55  # viridis is dark at its low end
        ax.text(
            x,
            y,
            data.node_label[i],
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark else "black",
            zorder=4,
        )
    return boxes


def _draw_edges(
    ax: Axes,
    data: Data,
    place: np.ndarray,
    boxes: list[Any],
    weight: np.ndarray | None,
    size: float,
) -> None:
    """An arrow for every edge, curved where a straight one would be hidden."""
    from matplotlib.lines import Line2D

    signs = data.edge_sign.cpu().numpy().astype(int).copy()
    pairs = [tuple(pair) for pair in data.edge_index.cpu().numpy().T]
    largest = np.nanmax(np.abs(weight), initial=0.0) if weight is not None else 0.0
    for e, (a, b) in enumerate(pairs):
        _, colour, line = _SIGNS[signs[e]]
        head = signs[e] if weight is None or not weight[e] else np.sign(weight[e])
        width = 1.2 if weight is None or not largest else 0.5 + 2.5 * abs(weight[e]) / largest
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": line,
            "linewidth": width,
            "mutation_scale": size,
            "arrowstyle": BAR if head < 0 else ARROW,
            "zorder": 2,
        }
        x, y = place[a, 0] + boxes[a].get_width() / 2 - 0.12, place[a, 1]
        loop = (x, y + 0.24), (x, y - 0.24)  # at the right side of the box
        bend = 0.0 if a == b else _bend(a, b, pairs, place, boxes)
        draw_arrow(ax, (a, b), bend, place, boxes, loop, **style)
    present = [_SIGNS[sign] for sign in _SIGNS if (signs == sign).any()]
    handles = [Line2D([], [], color=c, linestyle=s, label=word) for word, c, s in present]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=len(handles) or 1,
        frameon=False,
        fontsize="small",
    )


def draw_arrow(
    ax: Axes,
    edge: tuple[int, int],
    bend: float,
    place: np.ndarray,
    boxes: list[Any],
    loop: tuple[tuple[float, float], tuple[float, float]],
    **style: Any,
) -> None:
    """An arrow between two boxes, or from a box to itself.

    Args:
        ax: Where the boxes are.
        edge: Source and target.
        bend: Curvature, 0 for a straight arrow.
        place: Centre of every box ``[N, 2]``.
        boxes: Patches of all nodes.
        loop: Ends of the arrow if source and target are one node.
        **style: Of the patch.
    """
    from matplotlib.patches import FancyArrowPatch

    a, b = edge
    style |= {"shrinkA": 0, "shrinkB": 2, "clip_on": False}
    if a == b:
        arrow = FancyArrowPatch(*loop, connectionstyle="arc3,rad=-1.8", **style)
    else:
        style |= {"patchA": boxes[a], "patchB": boxes[b]}
        ends = tuple(place[a]), tuple(place[b])
        arrow = FancyArrowPatch(*ends, connectionstyle=f"arc3,rad={bend}", **style)
    ax.add_patch(arrow)


def _bend(
    a: int, b: int, pairs: list[tuple[int, ...]], place: np.ndarray, boxes: list[Any]
) -> float:
    """Curvature of an edge: none, unless it has a way back or a node in its way."""
    start, way = place[a], place[b] - place[a]
    length = float(np.hypot(*way))
    if (b, a) in pairs:
        return min(0.22, 0.6 / length)
    for i, box in enumerate(boxes):
        if i in (a, b):
            continue
        share = np.clip(np.dot(place[i] - start, way) / np.dot(way, way), 0, 1)
        gap = np.abs(start + share * way - place[i])
        if gap[0] < box.get_width() / 2 and gap[1] < HEIGHT / 2:
            return min(0.3, 1.2 / length)
    return 0.0


def _name_layers(ax: Axes, data: Data, layers: list[list[int]], left: float, size: float) -> None:
    """What the first and last layers are, where all of their nodes are the same."""
    roles = {"ligands": data.ligand_mask, "TFs": data.tf_mask, "receptors": data.receptor_mask}
    for row, layer in enumerate(layers):
        names = [name for name, mask in roles.items() if bool(mask[layer].all())]
        if names:
            y = -_LAYER * row
            ax.text(left - 1.5, y, names[0], va="center", fontsize=size, color="#555555")


def _draw_colour_bar(ax: Axes, fill: np.ndarray) -> None:
    """The scale of the states, with pointed ends where some lie outside."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    outside = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    ends = bool(np.nanmin(fill) < -0.005), bool(np.nanmax(fill) > 1.005)
    ax.figure.colorbar(
        ScalarMappable(Normalize(0, 1), "viridis"),
        ax=ax,
        label="state (fraction of saturation)",
        shrink=0.8,
        extend=outside.get(ends, "both"),
    )
