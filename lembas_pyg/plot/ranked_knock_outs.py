"""Which perturbations move a TF, by how much in each model, and which pairs do not add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.ranking import rank_knock_outs, symbols_of
from lembas_pyg.plot.canvas import BLACK, BLUE, GREY, VERMILLION, check_columns, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNIT = "(fraction of maximum)"


def plot_ranked_knock_outs(
    table: pd.DataFrame,
    data: Data,
    *,
    tf: str | None = None,
    condition: str | None = None,
    top: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Box plots of the largest effects on one TF, over the members of an ensemble.

    Boxes span the quartiles of the members, with the median as a line; whiskers reach the last
    member within 1.5 times that; every member is a point. A box across 0 says that the members do
    not agree on the sign.

    Args:
        table: As from `lembas_pyg.analysis.knock_out` (or `knock_in`) with ``by_member=True``.
        data: The network, for the symbols of its nodes.
        tf: Accession of the TF; may be left out if the table has only one.
        condition: Condition to rank in; the one of the largest effect of each node if None.
        top: Perturbations to show: those with the largest absolute median.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes; the largest effect is on top.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or TF or condition are not known.

    References:
        Nilsson et al. (2022), Fig. 6e-f.
    """
    source = "take `lembas_pyg.analysis.knock_out(..., by_member=True)` of an ensemble"
    check_columns(table, ["member", "condition", "node", "tf", "delta"], source)
    ranked = rank_knock_outs(table, tf, condition, top=top, data=data)
    count = len(ranked)
    shown = ranked.dropna(subset="effect").iloc[:top]
    if tf is None:
        tf = table["tf"].iloc[0]
    rows = table[(table["tf"] == tf) & table["node"].isin(shown["node"])]
    by_node = rows.set_index(["node", "condition"])["delta"]
    effects = [
        by_node.loc[[(row.node, row.condition)]].dropna().to_numpy() for row in shown.itertuples()
    ]
    names = shown["label"].tolist()
    several = condition is None and table["condition"].nunique() > 1
    if several:
        names = [f"{row.label}, {row.condition}" for row in shown.itertuples()]
    ax = new_axes(ax, (5.5 if several else 4.5, 1.4 + 0.3 * len(shown)))
    _draw_boxes(ax, effects, names)
    title = f"effect on {symbols_of([tf], data)[0]}"
    title += "" if condition is None else f" under {condition}"
    members = table["member"].nunique()
    ax.set_title(f"{title}\n{len(shown)} of {count:,} nodes, {members} models", fontsize="medium")
    return ax


def _draw_boxes(ax: Axes, effects: list[np.ndarray], names: list[str]) -> None:
    """One row a perturbation, the first on top."""
    rows = np.arange(len(effects))
    for row, values in zip(rows, effects, strict=True):
        color = BLUE if np.median(values) < 0 else VERMILLION
        low, median, high = np.percentile(values, [25, 50, 75])
        reach = 1.5 * (high - low)
        inside = values[(values >= low - reach) & (values <= high + reach)]
        ax.hlines(row, inside.min(), inside.max(), color=BLACK, linewidth=0.8, zorder=1)
        ax.barh(row, high - low, 0.62, low, color=color, alpha=0.35, linewidth=0, zorder=2)
        ax.vlines(median, row - 0.31, row + 0.31, color=BLACK, linewidth=1.4, zorder=4)
        # Side by side in the order of the members, so that equal effects stay visible.
        place = np.linspace(-0.24, 0.24, len(values)) if len(values) > 1 else np.zeros(1)
        ax.scatter(values, row + place, s=5, color=color, linewidths=0, alpha=0.8, zorder=3)
    ax.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    ax.set_yticks(rows, names, fontsize="small")
    ax.locator_params(axis="x", nbins=6)  # more numbers would run into each other
    ax.set(xlabel=f"change of TF activity\n{_UNIT}", ylabel="perturbed node")
    ax.set_ylim(len(effects) - 0.4, -0.6)


def plot_synergy(
    table: pd.DataFrame,
    data: Data,
    *,
    tf: str | None = None,
    condition: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Map of pairs: what both do beyond the sum of what each does alone.

    Args:
        table: As from `lembas_pyg.analysis.double_knock_out`.
        data: The network, for the symbols of its nodes.
        tf: Accession of the TF; may be left out if the table has only one.
        condition: The condition; may be left out if the table has only one.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes, nodes in the order of the table; pairs without a steady state are grey.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, TF or condition are not known or not named, or the table
            has a row for each member.
    """
    source = "take `lembas_pyg.analysis.double_knock_out(...)`"
    check_columns(table, ["condition", "node_a", "node_b", "tf", "synergy"], source)
    if "member" in table:
        raise ValueError("The table has a row for each member; draw it without by_member=True.")
    tf, condition = (
        _only(table, name, column) for name, column in ((tf, "tf"), (condition, "condition"))
    )
    rows = table[(table["tf"] == tf) & (table["condition"] == condition)]
    names = list(dict.fromkeys([*rows["node_a"], *rows["node_b"]]))
    place = {name: position for position, name in enumerate(names)}
    synergy = np.full((len(names), len(names)), np.nan)
    for row in rows.itertuples():
        a, b = place[row.node_a], place[row.node_b]
        synergy[a, b] = synergy[b, a] = row.synergy
    ax = new_axes(ax, (2.6 + 0.26 * len(names), 1.6 + 0.26 * len(names)))
    limit = np.nanmax(np.abs(synergy), initial=0.0) or 1.0
    ax.set_facecolor("#dddddd")
    image = ax.imshow(synergy, cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.plot([-0.5, len(names) - 0.5], [-0.5, len(names) - 0.5], color=GREY, linewidth=0.8)
    symbols = symbols_of(names, data)
    ax.set_yticks(range(len(names)), symbols, fontsize="small")
    ax.set_xticks(range(len(names)), symbols, fontsize="small", rotation=90)
    ax.set_title(f"synergy on {symbols_of([tf], data)[0]} under {condition}", fontsize="medium")
    ax.figure.colorbar(image, ax=ax, label=f"beyond the sum of both {_UNIT}", shrink=0.8)
    return ax


def _only(table: pd.DataFrame, name: str | None, column: str) -> str:
    """The name asked for, or the only one."""
    known = list(table[column].unique())
    if name is None and len(known) == 1:
        return known[0]
    if name is None or name not in known:
        raise ValueError(
            f"{column} is {name!r}; name one of {', '.join(map(repr, known[:8]))}"
            f"{' ...' if len(known) > 8 else ''}."
        )
    return name
