"""What knock-outs do to a TF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.perturbed import JOIN
from lembas_pyg.analysis.ranking import symbols_of
from lembas_pyg.plot.canvas import BLUE, GREY, VERMILLION, check_columns, draw_map, new_axes
from lembas_pyg.spelling import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More conditions than this are drawn without names.
_MAX_CONDITION_NAMES = 40
_UNIT = "(fraction of maximum)"


def plot_knock_out(
    table: pd.DataFrame,
    data: Data,
    *,
    tf: str | None = None,
    condition: str | None = None,
    top: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Changes of one TF: a map of nodes and conditions, or ranked bars for one condition.

    Args:
        table: As from `lembas_pyg.analysis.knock_out` (or `knock_in`).
        data: The network, for the symbols of its nodes.
        tf: Accession of the TF; may be left out if the table has only one.
        condition: Condition to rank the nodes in; a map of all conditions if None.
        top: Nodes to show: those with the largest change in any condition shown.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes. Cells and bars without a steady state are left blank, and counted in the title.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or TF, condition or a node is not known.

    References:
        Nilsson et al. (2022), Fig. 5c and 6e, f.
    """
    check_columns(
        table, ["condition", "node", "tf", "delta"], "take `lembas_pyg.analysis.knock_out(...)`"
    )
    if not isinstance(top, int) or top < 1:
        raise ValueError(f"top is {top!r}; it must be a whole number of 1 or more.")
    label = dict(zip(data.node_name, data.node_label, strict=True))
    tf = _one_tf(table, tf, label)
    effects = table[table["tf"] == tf].pivot(index="node", columns="condition", values="delta")
    effects = effects[table["condition"].unique()]  # pivot sorts; the table has the user's order
    strangers = [
        node for node in effects.index if node not in label and set(node.split(JOIN)) - set(label)
    ]
    if strangers:
        raise ValueError(
            f"The table has the node '{strangers[0]}', which is not among the {data.num_nodes} of "
            f"the network. Give the network the knock-outs were made with."
        )
    if condition is not None:
        if condition not in effects:
            known = ", ".join(map(repr, effects.columns[:5]))
            raise ValueError(
                f"'{condition}' is not a condition of this table; it has {known}"
                f"{' ...' if effects.shape[1] > 5 else ''}."
            )
        effects = effects[[condition]]
    largest = effects.abs().max(axis="columns").fillna(0.0)
    shown = effects.loc[largest.sort_values(ascending=False, kind="stable").index[:top]]
    num_nodes, num_conditions = shown.shape
    missing = int(shown.isna().to_numpy().sum())
    title = f"effect on {label[tf]}"
    if num_nodes < len(effects):
        title += f", {num_nodes} of {len(effects):,} nodes"
    if missing:
        title += f"\n{missing} without steady state"
    symbols = symbols_of(list(shown.index), data)
    if condition is None:
        ax = new_axes(ax, (2.2 + 0.25 * min(num_conditions, 40), 1.5 + 0.22 * num_nodes))
        _draw_map(ax, shown, symbols)
    else:
        ax = new_axes(ax, (4.5, 1.2 + 0.22 * num_nodes))
        title += f"\nunder {condition}"
        _draw_bars(ax, shown[condition].to_numpy(), symbols)
    ax.set_title(title, fontsize="medium")
    return ax


def _one_tf(table: pd.DataFrame, tf: str | None, label: dict[str, str]) -> str:
    """The TF asked for, or the only one."""
    known = list(table["tf"].unique())
    if tf is None and len(known) == 1:
        tf = known[0]
    if tf is None or tf not in known or tf not in label:
        asked = "Name one with tf=" if tf is None else f"'{tf}' is not a TF of this table"
        names = ", ".join(f"{name} ({label.get(name, 'not in the network')})" for name in known[:8])
        meant = "" if tf is None else did_you_mean(tf, known)
        raise ValueError(f"{asked}; it has {names}{' ...' if len(known) > 8 else ''}.{meant}")
    return tf


def _draw_map(ax: Axes, shown: pd.DataFrame, symbols: list[str]) -> None:
    """Nodes as rows, conditions as columns."""
    limit = np.nanmax(np.abs(shown.to_numpy()), initial=0.0) or 1.0
    image = draw_map(ax, shown, "PuOr", -limit, limit)
    ax.set_yticks(range(len(symbols)), symbols, fontsize="small")
    if shown.shape[1] <= _MAX_CONDITION_NAMES:
        ax.set_xticks(range(shown.shape[1]), shown.columns, rotation=90, fontsize="x-small")
        ax.set_xlabel("condition")
    else:
        ax.set_xlabel(f"{shown.shape[1]:,} conditions, in the order of the table")
    ax.set_ylabel("perturbed node")
    ax.figure.colorbar(image, ax=ax, label=f"change of TF activity\n{_UNIT}")


def _draw_bars(ax: Axes, delta: np.ndarray, symbols: list[str]) -> None:
    """The largest change on top."""
    rows = np.arange(len(delta))
    ax.barh(rows, delta, color=np.where(delta < 0, BLUE, VERMILLION), height=0.7)
    ax.axvline(0.0, color=GREY, linewidth=0.8)
    ax.set_yticks(rows, symbols, fontsize="small")
    ax.invert_yaxis()
    ax.set(xlabel=f"change of TF activity {_UNIT}", ylabel="perturbed node")
