"""Dose-response curves, and what two drugs do beyond each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lembas_pyg.plot.canvas import GREY, SERIES, check_columns, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_combination", "plot_dose_response"]

_CURVES = ["log10_dose", "viability"]
_PAIRS = ["dose_a", "dose_b", "drug_a", "drug_b"]
_EXCESSES = ("bliss_excess", "loewe_excess")


def plot_dose_response(
    table: pd.DataFrame, *, by: str = "cell_line", unit: str = "nM", ax: Axes | None = None
) -> Axes:
    """Predicted viability over the dose as lines, with their spread, and what was measured.

    Args:
        table: As from `lembas_pyg.analysis.dose_response`; several rows of a curve and dose are
            averaged.
        by: Column whose values are curves of their own, at most eight.
        unit: Of the doses.
        ax: Axes to draw in; new ones if None.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, or there are too many curves.
    """
    check_columns(table, [*_CURVES, by], "take `lembas_pyg.analysis.dose_response(...)`")
    names = list(dict.fromkeys(table[by]))
    if len(names) > len(SERIES):
        raise ValueError(
            f"There are {len(names)} values of '{by}', and colours for {len(SERIES)}: choose rows, "
            f"or give by= another column, such as a group."
        )
    ax = new_axes(ax)
    ax.axhline(1.0, color=GREY, linewidth=0.8, zorder=0)
    for name, color in zip(names, SERIES, strict=False):
        part = table[table[by] == name]
        numbers = [c for c in ("viability", "spread", "measured") if c in part]
        mean = part.groupby("log10_dose")[numbers].mean()
        ax.plot(mean.index, mean["viability"], color=color, label=str(name))
        if "spread" in mean and mean["spread"].notna().any():
            low, high = (mean["viability"] + sign * mean["spread"] for sign in (-1, 1))
            ax.fill_between(mean.index, low, high, color=color, alpha=0.15, linewidth=0)
        if "measured" in mean:
            ax.plot(mean.index, mean["measured"], "o", color=color, markersize=4)
    ax.set(xlabel=f"log10 dose ({unit})", ylabel="viability (fraction of untreated)")
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_combination(
    table: pd.DataFrame, *, excess: str = "bliss_excess", ax: Axes | None = None
) -> Axes:
    """Map of what a combination does beyond independent drugs, over the doses of both.

    Args:
        table: As from `lembas_pyg.analysis.drug_combination`; cell lines are averaged.
        excess: ``"bliss_excess"`` or ``"loewe_excess"``.
        ax: Axes to draw in; new ones if None.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, `excess` is another, or there are several pairs of drugs.
    """
    if excess not in _EXCESSES:
        raise ValueError(f"excess is {excess!r}; choose from {', '.join(_EXCESSES)}.")
    source = "take `lembas_pyg.analysis.drug_combination(...)`"
    check_columns(table, [*_PAIRS, excess], source)
    drugs = table[["drug_a", "drug_b"]].drop_duplicates()
    if len(drugs) != 1:
        raise ValueError(f"The table is of {len(drugs)} pairs of drugs; choose the rows of one.")
    wide = table.groupby(["dose_b", "dose_a"])[excess].mean().unstack()
    ax = new_axes(ax)
    limit = float(np.nanmax(np.abs(wide.to_numpy()))) or 1.0
    image = ax.imshow(
        wide.to_numpy(), origin="lower", cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto"
    )
    for row, column in np.ndindex(*wide.shape):
        ax.text(column, row, f"{wide.iat[row, column]:+.2f}", ha="center", va="center", fontsize=7)
    ax.set_xticks(range(wide.shape[1]), [f"{dose:g}" for dose in wide.columns])
    ax.set_yticks(range(wide.shape[0]), [f"{dose:g}" for dose in wide.index])
    ax.set(
        xlabel=f"log10 dose of {drugs['drug_a'].iloc[0]}",
        ylabel=f"log10 dose of {drugs['drug_b'].iloc[0]}",
    )
    word = excess.split("_")[0].capitalize()
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label=f"excess over {word} (viability)")
    return ax
