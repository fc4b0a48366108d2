"""What all pictures share: axes, colours and a line of identity.

The colours are those of Okabe and Ito, which stay apart for colour-blind readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, GREY = "#000000", "#999999"
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILLION, YELLOW, GREY)

# More bars or rows than this are drawn without names.
MAX_NAMES = 110


def new_axes(ax: Axes | None, figsize: tuple[float, float] = (4.5, 4.0)) -> Axes:
    """The axes given, or those of a new figure.

    Args:
        ax: Axes to draw in, or None.
        figsize: Width and height of a new figure (inches).

    Raises:
        ImportError: matplotlib is not installed.
    """
    if ax is not None:
        return ax
    require_matplotlib()
    from matplotlib import pyplot

    return pyplot.subplots(figsize=figsize, layout="constrained")[1]


def require_matplotlib() -> None:
    """Say early and clearly that drawing needs an extra.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'Drawing needs matplotlib, which is not installed: pip install "lembas_pyg[plot]"'
        ) from error


def draw_map(ax: Axes, values: Any, cmap: str, low: float, high: float) -> Any:
    """A table as colours, grey where there is no number.

    Args:
        ax: Axes to draw in.
        values: Rows from top to bottom ``[rows, columns]``.
        cmap: Colour map of matplotlib.
        low: Value at its lower end.
        high: Value at its upper end.

    Returns:
        The image, for a colour bar.
    """
    ax.set_facecolor("#dddddd")
    colours: dict[str, Any] = {"cmap": cmap, "vmin": low, "vmax": high}
    return ax.imshow(np.asarray(values, float), aspect="auto", interpolation="nearest", **colours)


def identity_line(ax: Axes, *values: Any) -> None:
    """Equal limits for both axes around all values, and the line on which they are equal."""
    flat = np.concatenate([np.asarray(value, dtype=float).ravel() for value in values])
    low, high = (np.nanmin(flat), np.nanmax(flat)) if np.isfinite(flat).any() else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    limits = low - margin, high + margin
    ax.plot(limits, limits, color=GREY, linewidth=1, zorder=1)
    ax.set(xlim=limits, ylim=limits, box_aspect=1)


def check_columns(table: pd.DataFrame, columns: list[str], source: str) -> None:
    """Refuse a table without the columns a picture is made of.

    Args:
        table: The table.
        columns: What it needs.
        source: The call that makes such a table.

    Raises:
        TypeError: It is no table.
        ValueError: A column is missing.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"Expected a pandas DataFrame, not {type(table).__name__}; {source}.")
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"The table has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}. {source[0].upper()}{source[1:]}."
        )


def name_ticks(set_ticks, names: pd.Index, **options: float) -> None:  # type: ignore[no-untyped-def]
    """Names beside the axis as long as there is room for them."""
    if len(names) > MAX_NAMES:
        set_ticks([])
    else:
        set_ticks(range(len(names)), names, fontsize=5 if len(names) > 40 else 7, **options)


def clustered(table: pd.DataFrame) -> np.ndarray:
    """Order of the rows in which alike ones are neighbours."""
    from scipy.cluster.hierarchy import leaves_list

    return np.arange(len(table)) if len(table) < 3 else leaves_list(linked(table))


def linked(table: pd.DataFrame) -> np.ndarray:
    """Tree of the rows by average linkage, turned so that neighbours are alike."""
    from scipy.cluster.hierarchy import linkage, optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    values = table.fillna(table.stack().mean()).to_numpy(float)
    distance = pdist(values)
    return optimal_leaf_ordering(linkage(distance, "average"), distance)
