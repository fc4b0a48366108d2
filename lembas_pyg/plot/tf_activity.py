"""Pictures of TF activities: how replicates differ, and what responds alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from lembas_pyg.plot.canvas import (
    BLACK,
    BLUE,
    GREY,
    VERMILLION,
    draw_map,
    linked,
    name_ticks,
    new_axes,
    require_matplotlib,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPREAD = "take `lembas_pyg.tf_activity.replicate_spread(...)`"


def plot_replicate_spread(
    spread: pd.DataFrame,
    *,
    by: str = "tf",
    limit: float | None = 0.2,
    ax: Axes | None = None,
) -> Axes:
    """Standard deviations among replicates: a box for each TF, or for each condition.

    A box goes from the 25th to the 75th percentile, its whiskers to the extremes. Boxes are in
    order of the 75th percentile; those above the limit are red.

    Args:
        spread: Conditions x TFs, as `lembas_pyg.tf_activity.replicate_spread` gives it. Conditions
            of one sample, which are NaN, are left out and counted in the title.
        by: tf or condition.
        limit: Spread beyond which a TF is left out, drawn as a line; none if None.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: `by` is unknown, or no condition has replicates.

    References:
        Nilsson et al. (2022), SI Fig. 13 and 16.
    """
    if not isinstance(spread, pd.DataFrame):
        raise TypeError(f"Expected a pandas DataFrame, not {type(spread).__name__}; {_SPREAD}.")
    if by not in ("tf", "condition"):
        raise ValueError(f"`by` is {by!r}. Legal are tf, condition.")
    known = spread.dropna(how="all")
    if known.empty:
        raise ValueError("No condition has replicates; there is no spread to draw.")
    table = known if by == "tf" else known.T
    upper = table.quantile(0.75).sort_values(kind="stable")
    ax = new_axes(ax, (min(2.0 + 0.11 * len(upper), 14.0), 3.6))
    wide = upper > limit if by == "tf" and limit is not None else upper.isna()
    for at, (name, red) in enumerate(wide.items()):
        colour = VERMILLION if red else BLUE
        ax.boxplot(
            table[name].dropna().to_numpy(),
            positions=[at],
            widths=0.7,
            whis=(0, 100),
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": colour, "alpha": 0.4, "edgecolor": colour},
            medianprops={"color": BLACK},
            whiskerprops={"color": colour, "linewidth": 0.6},
            capprops={"color": colour, "linewidth": 0.6},
        )
    if limit is not None and by == "tf":
        ax.axhline(limit, color=GREY, linewidth=1, dashes=(4, 2))
    name_ticks(ax.set_xticks, upper.index, rotation=90)
    words = {"tf": "TFs", "condition": "conditions"}
    title = f"{len(upper)} {words[by]}"
    if wide.any():
        title += f", {wide.sum()} above {limit:g}"
    if len(known) < len(spread):
        title += f"; {len(spread) - len(known)} conditions of one sample not shown"
    ax.set_title(title, fontsize="medium")
    ax.set(xlim=(-1, len(upper)), ylabel="standard deviation of\nactivity among replicates")
    ax.set_ylim(bottom=0)
    return ax


def plot_activity_clusters(
    activity: pd.DataFrame,
    *,
    mark: Collection[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Heat map of activities, conditions and TFs clustered, with both trees.

    Average linkage of Euclidean distances; branches are turned so that neighbours are alike.

    Args:
        activity: In [0, 1], conditions x TFs; columns named as they are to be shown.
        mark: Conditions whose name is drawn red, such as those with LPS.
        ax: Axes of the heat map; the trees are drawn above and to the left of it, the names
            below and to the right. New ones with room for all if None.

    Returns:
        The axes of the heat map. Cells without a number are grey.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: There are fewer than 3 conditions or TFs.

    References:
        Nilsson et al. (2022), SI Fig. 14; Fig. 6b.
    """
    if not isinstance(activity, pd.DataFrame):
        raise TypeError(
            f"Expected a pandas DataFrame (conditions x TFs), not {type(activity).__name__}; take "
            "`lembas_pyg.tf_activity.infer_tf_activity(...).activity`."
        )
    if min(activity.shape) < 3:
        raise ValueError(
            f"{activity.shape[0]} conditions x {activity.shape[1]} TFs cannot be clustered; 3 of "
            "each are needed."
        )
    ax = _room_for(activity) if ax is None else ax
    from scipy.cluster.hierarchy import dendrogram

    above = ax.inset_axes((0.0, 1.005, 1.0, 0.12))
    left = ax.inset_axes((-0.1, 0.0, 0.097, 1.0))
    orders = []
    for tree, table, side in ((left, activity, "left"), (above, activity.T, "top")):
        drawn = dendrogram(
            linked(table),
            ax=tree,
            orientation=side,
            no_labels=True,
            color_threshold=0,
            above_threshold_color=BLACK,
        )
        for line in tree.collections:
            line.set_linewidth(0.6)
        tree.set_axis_off()
        orders.append(drawn["leaves"])
    left.invert_yaxis()  # the tree counts from below, the rows of a picture from above
    rows, columns = orders
    image = draw_map(ax, activity.iloc[rows, columns], "viridis", 0.0, 1.0)
    name_ticks(ax.set_xticks, activity.columns[columns], rotation=90)
    ax.yaxis.tick_right()
    name_ticks(ax.set_yticks, activity.index[rows])
    for label in ax.get_yticklabels():
        label.set_color(VERMILLION if label.get_text() in set(mark) else BLACK)
    bar = ax.inset_axes((-0.1, 1.09, 0.07, 0.02))
    ax.figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 1])
    bar.set_title("activity", fontsize="small")
    return ax


def _room_for(activity: pd.DataFrame) -> Axes:
    """Axes of a heat map, with room for trees above and left, for names below and right."""
    require_matplotlib()
    from matplotlib import pyplot

    num_rows, num_columns = activity.shape
    wide, high = min(max(0.11 * num_columns, 3.0), 12.0), min(max(0.13 * num_rows, 2.5), 14.0)
    left, right, bottom, top = 0.2 + 0.1 * wide, 1.8, 0.8, 0.3 + 0.13 * high
    width, height = left + wide + right, bottom + high + top
    box = left / width, bottom / height, wide / width, high / height
    return pyplot.figure(figsize=(width, height)).add_axes(box)
