"""How stable conditions are, and which nodes are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lembas_pyg.plot.canvas import BLACK, GREY, SERIES, check_columns, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More conditions than this are drawn without names.
_MAX_CONDITION_NAMES = 40


def plot_radius(report: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Spectral radius of every condition, ranked, known conditions beside random ones.

    Args:
        report: As from `lembas_pyg.analysis.basin_report`.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes; the legend counts conditions without a steady state, which have no radius, and
        circles mark those with several steady states.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing.
    """
    columns = ["set", "converged", "radius", "num_states"]
    check_columns(report, columns, "take `lembas_pyg.analysis.basin_report(...)`")
    ax = new_axes(ax, (4.8, 3.4))
    ax.axhline(1.0, color=GREY, linewidth=1, linestyle="--")
    for (name, part), color in zip(report.groupby("set", sort=False), SERIES, strict=False):
        steady = part[part["converged"]].sort_values("radius", ignore_index=True)
        share = 100 * (np.arange(len(steady)) + 0.5) / max(1, len(part))
        label = f"{name} conditions ({len(part):,}"
        label += f", {len(part) - len(steady):,} unsteady)" if len(steady) < len(part) else ")"
        ax.plot(share, steady["radius"], color=color, marker=".", markersize=4, label=label)
        several = (steady["num_states"] > 1).to_numpy()
        if several.any():
            ax.plot(
                share[several],
                steady["radius"][several],
                color=color,
                marker="o",
                markersize=8,
                linestyle="none",
                fillstyle="none",
                label=f"{int(several.sum()):,} with several states",
            )
    ax.set(xlim=(0, 100), xlabel="conditions, ranked (%)", ylabel="spectral radius")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize="small", loc="lower right")
    return ax


def plot_slow_nodes(
    nodes: pd.DataFrame, *, mode: int = 1, top: int = 20, ax: Axes | None = None
) -> Axes:
    """Which nodes form the slowest mode of each condition.

    Args:
        nodes: As `nodes` of `lembas_pyg.analysis.stability`; of an ensemble, the mean over
            members is shown.
        mode: Which mode, from 1.
        top: Nodes to show: those that take part most, on average over the conditions.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes: nodes as rows, conditions as columns, darker where the node takes part more.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, there is no such mode, or `top` is below 1.
    """
    columns = ["condition", "mode", "node", "label", "participation"]
    check_columns(nodes, columns, "take `lembas_pyg.analysis.stability(...).nodes`")
    if not isinstance(top, int) or top < 1:
        raise ValueError(f"top is {top!r}; it must be a whole number of 1 or more.")
    chosen = nodes[nodes["mode"] == mode]
    if chosen.empty:
        known = ", ".join(map(str, sorted(nodes["mode"].unique()))) or "none"
        raise ValueError(f"The table has no mode {mode}; it has {known}.")
    members = chosen["member"].nunique() if "member" in chosen else 1
    conditions = list(dict.fromkeys(chosen["condition"]))
    share = chosen.pivot_table(
        index="node", columns="condition", values="participation", aggfunc="sum", fill_value=0.0
    )
    share = share[conditions] / members
    order = share.mean(axis="columns").sort_values(ascending=False, kind="stable").index[:top]
    label = dict(zip(chosen["node"], chosen["label"], strict=True))
    shown = share.loc[order].to_numpy()
    ax = new_axes(ax, (2.4 + 0.22 * min(len(conditions), 40), 1.6 + 0.2 * len(order)))
    image = ax.imshow(shown, cmap="Blues", vmin=0, aspect="auto", interpolation="nearest")
    ax.set_yticks(range(len(order)), [label[node] for node in order], fontsize="small")
    if len(conditions) <= _MAX_CONDITION_NAMES:
        ax.set_xticks(range(len(conditions)), conditions, rotation=90, fontsize="x-small")
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(conditions):,} conditions")
    ax.set_title(f"nodes of mode {mode}", fontsize="medium", color=BLACK)
    ax.figure.colorbar(image, ax=ax, label="participation (share)")
    return ax
