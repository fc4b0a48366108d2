"""Which TFs are sensitive to which nodes."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.hubs import hubs, strongest
from lembas_pyg.plot.canvas import check_columns, clustered, draw_map, name_ticks, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEEDED = ["condition", "node", "tf", "elasticity"]


def plot_sensitivity(
    table: pd.DataFrame,
    data: Data,
    *,
    threshold: float = 0.5,
    limit: float = 2.0,
    top: int | None = None,
    internal: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Map of hubs and TFs: the signed extreme of the sensitivity over all conditions.

    Rows are the hubs of the table, columns the TFs that are sensitive to one of them; both are
    ordered by average linkage, so that what acts alike lies together.

    Args:
        table: As from `lembas_pyg.analysis.sensitivity`, of all conditions or of the strongest.
        data: The network, for the symbols of its nodes.
        threshold: Smallest absolute elasticity that makes a node a hub and a TF sensitive.
        limit: Elasticity at which the colours end; some are ten times as large.
        top: Hubs to show, the strongest; all if None.
        internal: Whether to leave out ligands and TFs as hubs.
        ax: Axes to draw in; new ones of fitting size if None.

    Returns:
        The axes. Cells without a steady state are grey; names are left out where there are more
        than 110.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, a number is not legal, or there is no hub.

    References:
        Nilsson et al. (2022), Fig. 6g.
    """
    check_columns(table, _NEEDED, "take `lembas_pyg.analysis.sensitivity(...)`")
    if top is not None and (not isinstance(top, int) or top < 1):
        raise ValueError(f"top is {top!r}; it must be a whole number of 1 or more, or None.")
    if not isinstance(limit, Real) or not limit > 0:
        raise ValueError(f"limit is {limit!r}; it must be a positive number, such as 2.")
    found = hubs(table, data, threshold, internal=internal)
    if found.empty:
        raise ValueError(
            f"No{' internal' if internal else ''} node has an absolute elasticity of {threshold:g} "
            f"on any TF; take a lower threshold."
        )
    shown = found["node"].tolist()[:top]
    extreme = strongest(table[table["node"].isin(shown)]).astype({"node": str, "tf": str})
    wide = extreme.pivot(index="node", columns="tf", values="elasticity")
    wide = wide.loc[:, (wide.abs() >= threshold).any()]
    bounded = wide.clip(-limit, limit)
    wide = wide.iloc[clustered(bounded), clustered(bounded.T)]
    num_nodes, num_tfs = wide.shape
    size = 2.4 + min(max(0.1 * num_tfs, 1.5), 9.0), 1.4 + min(max(0.11 * num_nodes, 1.2), 11.0)
    ax = new_axes(ax, size)
    image = draw_map(ax, wide, "PuOr_r", -limit, limit)
    label = dict(zip(data.node_name, data.node_label, strict=True))
    name_ticks(ax.set_xticks, pd.Index([label[tf] for tf in wide.columns]), rotation=90)
    name_ticks(ax.set_yticks, pd.Index([label[node] for node in wide.index]))
    of = f" of {len(found)}" if len(found) > num_nodes else ""
    kind = "internal nodes" if internal else "nodes"
    ax.set(xlabel=f"TF ({num_tfs})", ylabel=f"{kind} ({num_nodes}{of})")
    ax.set_title("strongest sensitivity over all conditions", fontsize="medium")
    beyond = wide.abs().max(axis=None) > limit
    ax.figure.colorbar(
        image,
        ax=ax,
        shrink=0.6,
        extend="both" if beyond else "neither",
        label="elasticity (relative change of TF activity\nby relative change of the node)",
    )
    return ax
