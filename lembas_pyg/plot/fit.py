"""Measured against predicted TF activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import torch

from lembas_pyg.metrics import pearson_r
from lembas_pyg.plot.canvas import SERIES, check_columns, identity_line, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_fit(table: pd.DataFrame, hue: str | None = None, *, ax: Axes | None = None) -> Axes:
    """Scatter of measured and predicted TF activities with the line of identity.

    Args:
        table: Columns `measured` and `predicted`, one row a condition and TF; rows without a
            number in either are left out of picture and count.
        hue: Column whose values get a colour and a Pearson r each, such as train and test.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or `hue` has more values than there are colours.

    References:
        Nilsson et al. (2022), Fig. 2f.
    """
    columns = ["measured", "predicted", *([] if hue is None else [hue])]
    check_columns(table, columns, "it needs one row a condition and TF")
    groups = [("", table)] if hue is None else list(table.groupby(hue, sort=False))
    if len(groups) > len(SERIES):
        raise ValueError(
            f"The column '{hue}' has {len(groups)} values, and there are {len(SERIES)} colours. "
            f"Choose a column with fewer values."
        )
    ax = new_axes(ax)
    for (name, group), colour in zip(groups, SERIES, strict=False):
        pair = group[["measured", "predicted"]].dropna()
        measured, predicted = (torch.tensor(pair[c].to_numpy(float)) for c in pair)
        text = f"r = {pearson_r(predicted, measured):.3f}, n = {len(pair):,}"
        ax.scatter(
            measured,
            predicted,
            s=24 if len(pair) < 1000 else 5,
            color=colour,
            alpha=0.75,
            linewidths=0,
            zorder=2,
            label=f"{name}: {text}" if name != "" else text,
        )
    identity_line(ax, table["measured"], table["predicted"])
    ax.set(
        xlabel="measured TF activity\n(fraction of maximum)",
        ylabel="predicted TF activity\n(fraction of maximum)",
    )
    ax.legend(loc="upper left", handletextpad=0.1, borderaxespad=0.3, fontsize="small")
    return ax
