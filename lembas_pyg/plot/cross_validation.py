"""Pictures of a cross-validation: what was held out, and how well it was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from lembas_pyg.metrics import pearson_r
from lembas_pyg.plot.canvas import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    check_columns,
    clustered,
    draw_map,
    identity_line,
    name_ticks,
    new_axes,
    require_matplotlib,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SOURCE = "take the predictions of `lembas_pyg.cross_validate(...)`"
_ENTRY = ["measured", "predicted"]
# More entries than this hide each other as points.
_MAX_POINTS = 1000


def measured_vs_predicted(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Held-out TF activities, all folds together, with the line of identity and pooled r.

    Points up to 1,000 entries, beyond that hexagons shaded by the logarithm of their count.

    Args:
        predictions: Columns `measured` and `predicted`, one row an entry; rows without a number
            in either are left out of picture and count.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or no row has both numbers.

    References:
        Nilsson et al. (2022), Fig. 6c.
    """
    known = _known(predictions, _ENTRY)
    ax = new_axes(ax)
    if len(known) <= _MAX_POINTS:
        ax.scatter(known["measured"], known["predicted"], s=14, color=BLUE, alpha=0.6, linewidths=0)
    else:
        hexagons = ax.hexbin(
            known["measured"],
            known["predicted"],
            gridsize=40,
            bins="log",
            mincnt=1,
            cmap="Blues",
            linewidths=0.1,
        )
        ax.figure.colorbar(hexagons, ax=ax, label="entries", shrink=0.8)
    identity_line(ax, known["measured"], known["predicted"])
    ax.text(
        0.04,
        0.96,
        f"r = {_r(known):.3f}\nn = {len(known):,}",
        transform=ax.transAxes,
        va="top",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
    )
    ax.set(
        xlabel="measured TF activity\n(fraction of maximum)",
        ylabel="predicted TF activity\n(fraction of maximum)",
    )
    return ax


def score_by_tf(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Pearson r of every TF over the held-out conditions, the worst first.

    Args:
        predictions: Columns `tf`, `measured` and `predicted`, one row an entry.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes. TFs without a correlation (no variance) are counted in the title.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or no row has both numbers.

    References:
        Nilsson et al. (2022), SI Fig. 17.
    """
    return _score_by(predictions, ["tf"], "TF", "TFs", ax)


def score_by_condition(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Pearson r of every held-out condition over the TFs, the worst first.

    Args:
        predictions: Columns `fold`, `condition`, `measured` and `predicted`, one row an entry. A
            condition that several folds hold out has a bar for each.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes. Conditions without a correlation (no variance) are counted in the title.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or no row has both numbers.

    References:
        Nilsson et al. (2022), SI Fig. 17.
    """
    return _score_by(predictions, ["condition", "fold"], "condition", "conditions", ax)


def fold_scores(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Pearson r of every fold as points over a box, one row a model in the order of the table.

    The first model, ours, is blue, as is a single member of it. Its nulls, whose names go on after
    a comma (``LEMBAS, scrambled y``), are orange, baselines grey. A box ends at the quartiles, its
    line is the median.

    Args:
        table: Columns `model`, `fold` and `r`.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes. Folds without a correlation (no variance) are left out of the row and counted in
        its name.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or no fold has a score.
    """
    check_columns(
        table, ["model", "fold", "r"], "take the fold scores of `lembas_pyg.cross_validate(...)`"
    )
    if table["r"].isna().all():
        raise ValueError("No fold has a score; a correlation needs two entries and variance.")
    groups = [(str(name), part["r"]) for name, part in table.groupby("model", sort=False)]
    ax = new_axes(ax, (6.0, 1.2 + 0.34 * len(groups)))
    ours = groups[0][0]
    for row, (name, r) in enumerate(groups):
        colour = ORANGE if name.startswith(f"{ours}, ") else GREY
        colour = BLUE if name in (ours, f"{ours}, one member") else colour
        known = r.dropna().to_numpy(float)
        ax.boxplot(
            known,
            positions=[row],
            orientation="horizontal",
            widths=0.6,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.3, "edgecolor": colour},
            medianprops={"color": BLACK, "linewidth": 1.5},
            whiskerprops={"color": colour},
            capprops={"color": colour},
        )
        # Spread by the golden ratio: even, and the same at every call.
        jitter = 0.44 * (np.arange(len(known)) * 0.618034 % 1 - 0.5)
        ax.scatter(known, row + jitter, s=9, color=colour, alpha=0.8, linewidths=0, zorder=3)
    names = [
        f"{name} ({missing} of {len(r)} blank)" if (missing := int(r.isna().sum())) else name
        for name, r in groups
    ]
    ax.set_yticks(range(len(groups)), names)
    ax.invert_yaxis()
    ax.axvline(0.0, color=GREY, linewidth=0.8)
    ax.set(xlabel="Pearson r of a held-out fold", xlim=(min(0.0, ax.get_xlim()[0]), 1.02))
    return ax


def activity_heat_map(predictions: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Measured TF activities beside predicted ones, in the same order of rows and columns.

    Rows (conditions) and columns (TFs) are ordered by average linkage of the measured
    activities, so that what responds alike lies together.

    Args:
        predictions: Columns `fold`, `condition`, `tf`, `measured` and `predicted`, one row an
            entry. A condition that several folds hold out has a row for each.
        ax: Axes to draw the measured activities in; the predicted ones are drawn to their right,
            at the same size. New ones with room for both if None.

    Returns:
        The axes of the measured activities; those of the predicted ones are beside them in the
        same figure. Cells without a number are grey.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, an entry is given twice, or no row has both numbers.

    References:
        Nilsson et al. (2022), Fig. 6b.
    """
    keys = ["fold", "condition", "tf"]
    _known(predictions, [*keys, *_ENTRY])
    twice = predictions.duplicated(keys)
    if twice.any():
        fold, condition, tf = predictions.loc[twice, keys].iloc[0]
        raise ValueError(
            f"The table has condition '{condition}', TF '{tf}' of fold {fold} more than once. "
            f"Give the predictions of one model."
        )
    measured, predicted = (
        predictions.pivot(index=["condition", "fold"], columns="tf", values=name) for name in _ENTRY
    )
    rows, columns = clustered(measured), clustered(measured.T)
    if ax is None:
        ax = _left_half(len(columns), len(rows))
    right = ax.inset_axes((1.03, 0.0, 1.0, 1.0), sharex=ax, sharey=ax)
    for part, table, word in ((ax, measured, "measured"), (right, predicted, "predicted")):
        image = draw_map(part, table.iloc[rows, columns], "viridis", 0.0, 1.0)
        part.set_title(word, fontsize="medium")
        part.set_xlabel("TF")
        name_ticks(part.set_xticks, table.columns[columns], rotation=90)
    names = measured.index.get_level_values("condition")[rows]
    name_ticks(ax.set_yticks, names)
    ax.set_ylabel(f"held-out condition ({len(rows)})")
    right.tick_params(labelleft=False)
    bar = right.inset_axes((1.03, 0.2, 0.03, 0.6))
    ax.figure.colorbar(image, cax=bar, label="TF activity (fraction of maximum)")
    return ax


def _left_half(num_columns: int, num_rows: int) -> Axes:
    """Axes on the left of a new figure, with room for the same to their right."""
    left, right, bottom, top = 1.1, 0.9, 0.8, 0.4  # inches
    wide = min(max(0.075 * num_columns, 2.5), 8.0)
    high = min(max(0.115 * num_rows, 2.0), 12.0)
    width, height = left + 2.03 * wide + right, bottom + high + top
    require_matplotlib()
    from matplotlib import pyplot

    box = left / width, bottom / height, wide / width, high / height
    return pyplot.figure(figsize=(width, height)).add_axes(box)


def _score_by(
    predictions: pd.DataFrame, keys: list[str], word: str, words: str, ax: Axes | None
) -> Axes:
    """Horizontal bars of r in increasing order, with a line at their median."""
    known = _known(predictions, [*keys, *_ENTRY])
    groups = known.groupby(keys, sort=False)
    r = pd.Series({key[0] if len(key) == 1 else key: _r(part) for key, part in groups})
    blank = int(r.isna().sum())
    r = r.dropna().sort_values(kind="stable")
    names = r.index.get_level_values(0)
    ax = new_axes(ax, (5.0, 1.2 + 0.13 * min(max(len(r), 6), 100)))
    rows = np.arange(len(r))
    ax.barh(rows, r, color=np.where(r < 0, ORANGE, BLUE), height=0.75)
    ax.axvline(0.0, color=GREY, linewidth=0.8)
    title = f"{len(r)} {words}"
    if len(r):
        ax.axvline(r.median(), color=BLACK, linewidth=1, dashes=(4, 2))
        title += f", median r = {r.median():.3f}"
    if blank:
        title += f"\n{blank} without a correlation"
    ax.set_title(title, fontsize="medium")
    name_ticks(ax.set_yticks, names)
    ax.invert_yaxis()
    ax.set(xlabel="Pearson r", ylabel=word)
    ax.margins(y=0.01)
    return ax


def _known(predictions: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows that have both numbers."""
    check_columns(predictions, columns, _SOURCE)
    known = predictions.dropna(subset=_ENTRY)
    if known.empty:
        raise ValueError(
            "No row of the table has both a measured and a predicted activity; there is nothing "
            "to draw."
        )
    return known


def _r(table: pd.DataFrame) -> float:
    return pearson_r(*(torch.tensor(table[name].to_numpy(float)) for name in _ENTRY))
