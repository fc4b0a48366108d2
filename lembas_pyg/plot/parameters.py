"""Parameters of a trained model against those of the model that made the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from lembas_pyg.io.parameters import check_parameters
from lembas_pyg.metrics import pearson_r
from lembas_pyg.plot.canvas import BLUE, GREY, ORANGE, identity_line, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More interactions than this are drawn without names.
_MAX_LABELS = 16
_KINDS = {"Weight": ("weights", BLUE, "o"), "Bias": ("biases", ORANGE, "s")}


def plot_parameters(true: pd.DataFrame, fitted: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Scatter of true and fitted weights and biases; the weights of a small network are named.

    Args:
        true: Parameter table of the reference, see `lembas_pyg.io.read_parameters`.
        fitted: Parameter table of the trained model, see `lembas_pyg.checkpoint.to_parameters`.
        ax: Axes to draw in; new ones if None.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: One is no table.
        ValueError: One is no parameter table, or they belong to different networks.

    References:
        Nilsson et al. (2022), Fig. 2g.
    """
    keys = ["Type", "Source", "Target"]
    true, fitted = check_parameters(true), check_parameters(fitted)
    both = true.merge(fitted, on=keys, how="outer", indicator=True, suffixes=("_true", "_fitted"))
    both = both[both["Type"].isin(_KINDS)]
    alone = both[both["_merge"] != "both"]
    if len(alone):
        kind, source, target = alone.iloc[0][keys]
        raise ValueError(
            f"The tables belong to different networks: only one of them has the {kind} of "
            f"{source}{f' -> {target}' if target else ''} ({len(alone)} such parameters)."
        )
    ax = new_axes(ax)
    identity_line(ax, both["Value_true"], both["Value_fitted"])
    for kind, (word, colour, marker) in _KINDS.items():
        rows = both[both["Type"] == kind]
        x, y = rows["Value_true"].to_numpy(), rows["Value_fitted"].to_numpy()
        r = pearson_r(torch.tensor(y), torch.tensor(x))
        # Equal true values, such as biases that are all 0, have no correlation.
        error = np.sqrt(np.mean((y - x) ** 2))
        text = f"r = {r:.3f}" if np.isfinite(r) else f"rms error {error:.3f}"
        ax.scatter(
            x, y, s=30, color=colour, marker=marker, alpha=0.8, zorder=3, label=f"{word}: {text}"
        )
    weights = both[both["Type"] == "Weight"]
    if len(weights) <= _MAX_LABELS:
        _name_weights(ax, weights)
    ax.set(xlabel="true parameter", ylabel="fitted parameter")
    ax.legend(loc="upper left", fontsize="small", handletextpad=0.1, borderaxespad=0.3)
    return ax


def _name_weights(ax: Axes, weights: pd.DataFrame) -> None:
    """Names beside the points, moved apart where they would overlap."""
    low, high = ax.get_xlim()
    offset, gap = 0.06 * (high - low), 0.062 * (high - low)
    middle = (low + high) / 2
    on_left = weights["Value_true"] > middle
    for left, rows in weights.groupby(on_left):
        rows = rows.sort_values("Value_fitted")
        heights = _spread(rows["Value_fitted"].to_numpy(), gap)
        for row, height in zip(rows.itertuples(), heights, strict=True):
            ax.annotate(
                f"{row.Source} {'→' if row.Value_true >= 0 else '⊣'} {row.Target}",
                (row.Value_true, row.Value_fitted),
                (row.Value_true + (-offset if left else offset), height),
                ha="right" if left else "left",
                va="center",
                fontsize="x-small",
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 2},
            )


def _spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Increasing positions moved apart to at least `gap`, as little as possible on average."""
    # Isotonic regression of what is left after the gaps: blocks that collide share their mean.
    shift = gap * np.arange(len(positions))
    blocks: list[list[float]] = []
    for value in positions - shift:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    return np.concatenate([np.full(int(n), mean) for mean, n in blocks]) + shift
