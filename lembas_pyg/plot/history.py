"""The course of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lembas_pyg.plot.canvas import BLACK, BLUE, GREY, SERIES, SKY, check_columns, new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# Columns of a history that are no term of the loss.
_NO_TERM = {
    "epoch",
    "lr",
    "loss",
    "r",
    "rho",
    "not_converged",
    "adjoint_not_converged",
    "clipped",
    "visits",
    "seconds",
}


def plot_history(
    history: pd.DataFrame,
    terms: Sequence[str] | None = None,
    *,
    baseline: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Loss terms (unweighted, log scale, left) and Pearson r (right) over the epochs.

    Epochs with conditions that reached no steady state have a mark at the lower edge.

    Args:
        history: The table of a `lembas_pyg.training.History`.
        terms: Loss terms to draw beside the weighted sum; all if None.
        baseline: Loss to compare with, such as that of predicting the mean; drawn dashed.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes of the loss; those of r are drawn over them.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or a term is none of the history.

    References:
        Nilsson et al. (2022), Fig. 2e.
    """
    check_columns(
        history, ["epoch", "loss", "r", "not_converged"], "take `lembas_pyg.fit(...).table`"
    )
    known = [name for name in history if name not in _NO_TERM]
    terms = known if terms is None else list(terms)
    unknown = [name for name in terms if name not in known]
    if unknown:
        raise ValueError(
            f"No term of this history: {', '.join(unknown)}. It has {', '.join(known)}."
        )
    ax = new_axes(ax, (5.5, 4.0))
    colours = [colour for colour in SERIES if colour not in (BLUE, SKY, GREY)]
    epoch = history["epoch"]
    lines = ax.plot(epoch, history["loss"], color=BLACK, linewidth=1.2, label="loss", zorder=3)
    for term, colour in zip(terms, colours * len(terms), strict=False):
        value = history[term].where(history[term] > 0)  # a logarithm has no zero
        lines += ax.plot(epoch, value, color=colour, linewidth=0.9, label=term)
    if baseline is not None:
        lines.append(ax.axhline(baseline, color=GREY, dashes=(4, 2), label="mean prediction"))
    ax.set(xlabel="epoch", ylabel="loss term (unweighted)" if terms else "loss", yscale="log")
    right = ax.twinx()
    lines += right.plot(epoch, history["r"], color=BLUE, linewidth=0.8, alpha=0.7, label="r")
    right.set_ylim(min(0.0, float(np.nanmin(history["r"].fillna(0.0)))), 1.02)
    right.set_ylabel("Pearson r of training", color=BLUE)
    right.tick_params(axis="y", colors=BLUE)
    failed = epoch[history["not_converged"] > 0]
    if len(failed):
        lines += ax.plot(
            failed,
            np.full(len(failed), 0.015),
            "|",
            transform=ax.get_xaxis_transform(),
            color=GREY,
            markersize=6,
            label=f"not all steady ({len(failed):,} of {len(epoch):,} epochs)",
        )
    # Below the axes: curves that fall and rise leave no corner free.
    ax.legend(
        handles=lines,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=3,
        fontsize="small",
        frameon=False,
    )
    return ax
