"""The course of training, of one model or of all members of a cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lembas_pyg.plot.canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SERIES,
    SKY,
    VERMILLION,
    check_columns,
    new_axes,
    require_matplotlib,
)

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
# Columns of the histories of a cross-validation that are drawn.
_COURSES = ("loss", "rho", "sign", "not_converged")


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


def plot_training_courses(
    histories: pd.DataFrame, *, target: float | None = None, axes: Sequence[Axes] | None = None
) -> tuple[Axes, Axes, Axes]:
    """Loss, contraction rate, and violated constraints of all members over the epochs.

    Left the weighted loss (log scale). In the middle the largest contraction rate, with a line at
    1, from where a state need not be stable. Right the sum of weights whose sign contradicts the
    mode of action (log scale that ends in 0), and on its own axis the share of visits without a
    steady state. Lines are medians over members, bands reach from the 5th to the 95th percentile;
    a thin line is the worst member: that of the largest loss or sum of signs over the last quarter
    of the epochs, and of the largest rate or share at any time; none where all are 0.

    Args:
        histories: Columns `fold`, `member`, `epoch`, `loss`, `rho`, `sign` and `not_converged`
            (share of visits), one row an epoch of a member. Where all of `sign` is blank, or all of
            `rho` is 0, its panel says so.
        target: Contraction rate at which the barrier of the spectral term is about 1; drawn dashed.
        axes: Three axes to draw in; those of a new figure if None.

    Returns:
        The three axes; that of the share is drawn over the third one.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: It is no table.
        ValueError: A column is missing, there is no row, an epoch of a member is given twice, or
            there are not three axes.

    References:
        Nilsson et al. (2022), Fig. 2e, for one training.
    """
    _check_courses(histories)
    if axes is None:
        require_matplotlib()
        from matplotlib import pyplot

        axes = pyplot.subplots(1, 3, figsize=(10.5, 3.6), layout="constrained")[1]
    if len(axes) != 3:
        raise ValueError(f"{len(axes)} axes were given; the picture has three panels.")
    loss, rate, constraints = axes
    course = {
        name: histories.pivot(index="epoch", columns=["fold", "member"], values=name).astype(float)
        for name in _COURSES
    }
    _draw_course(loss, course["loss"], _at_the_end(course["loss"]), BLUE)
    loss.set(title="loss", ylabel="weighted loss", yscale="log")
    _draw_rate(rate, course["rho"], target)
    rate.set(title="largest contraction rate", xlim=loss.get_xlim())
    right = constraints.twinx()
    _draw_unsteady(right, course["not_converged"])
    _draw_sign(constraints, course["sign"])
    constraints.set_title("violated constraints")
    for ax, place in ((loss, 0.5), (rate, 0.5), (constraints, 0.15), (right, 0.85)):
        ax.set_xlabel("epoch")
        lines = ax.get_legend_handles_labels()[0]
        if lines:
            ax.legend(
                handles=lines,
                loc="upper center",
                bbox_to_anchor=(place, -0.2),
                fontsize="small",
                frameon=False,
            )
    return loss, rate, constraints


def _check_courses(histories: pd.DataFrame) -> None:
    """Refuse what holds no course, or two of one member."""
    keys = ["fold", "member", "epoch"]
    source = "take the histories of `lembas_pyg.cross_validate(...)`"
    check_columns(histories, [*keys, *_COURSES], source)
    if histories.empty:
        raise ValueError("The table has no row: the course of no training is known.")
    twice = histories.duplicated(keys)
    if twice.any():
        fold, member, epoch = histories.loc[twice, keys].iloc[0].astype(int)
        raise ValueError(
            f"The table has epoch {epoch} of fold {fold}, member {member} more than once. Give the "
            f"histories of one cross-validation."
        )


def _draw_rate(ax: Axes, course: pd.DataFrame, target: float | None) -> None:
    if (course.fillna(0) == 0).all(axis=None):
        _say(ax, "not watched:\nno spectral term")
        return
    _draw_course(ax, course, course.max(), GREEN)
    ax.axhline(1.0, color=GREY, linewidth=0.8)
    if target is not None:
        label = f"barrier target {target:.3f}"
        ax.axhline(target, color=BLACK, linewidth=0.8, dashes=(4, 2), label=label)
    ax.set_ylabel("contraction rate")


def _draw_unsteady(ax: Axes, course: pd.DataFrame) -> None:
    _draw_course(ax, course, course.max(), ORANGE)
    most = course.max(axis=None)
    ax.set_ylim(0.0, max(1.05 * most, 0.01))
    ax.yaxis.set_major_formatter("{x:.1%}" if most < 0.05 else "{x:.0%}")
    ax.set_ylabel("visits without steady state", color=ORANGE)
    ax.tick_params(axis="y", colors=ORANGE)


def _draw_sign(ax: Axes, course: pd.DataFrame) -> None:
    if course.isna().all(axis=None):
        _say(ax, "no sign term")
        return
    _draw_course(ax, course, _at_the_end(course), VERMILLION)
    most = course.max(axis=None)
    if most > 0:  # four decades, and below them a linear piece that ends in 0
        ax.set_yscale("symlog", linthresh=10.0 ** (np.floor(np.log10(most)) - 3))
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("sum of |weight| of wrong sign", color=VERMILLION)
    ax.tick_params(axis="y", colors=VERMILLION)


def _at_the_end(course: pd.DataFrame) -> pd.Series:
    """Mean of every member over the last quarter of the epochs."""
    return course.iloc[-max(1, len(course) // 4) :].mean()


def _draw_course(ax: Axes, course: pd.DataFrame, badness: pd.Series, colour: str) -> None:
    """Median and band of all members (columns), and the worst of them."""
    count = course.shape[1]
    epoch = course.index.to_numpy()
    label = "median" if count > 1 else "the only member"
    ax.plot(epoch, course.median(axis=1), color=colour, linewidth=1.4, label=label, zorder=3)
    if count > 1:
        low, high = course.quantile(0.05, axis=1), course.quantile(0.95, axis=1)
        ax.fill_between(epoch, low, high, color=colour, alpha=0.2, linewidth=0, label="5 to 95 %")
        if badness.max() > 0:
            fold, member = badness.idxmax()
            label = f"worst: fold {fold}, member {member}"
            ax.plot(epoch, course[fold, member], color=colour, linewidth=0.6, label=label)


def _say(ax: Axes, text: str) -> None:
    """Words in place of curves."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set(yticks=[])
