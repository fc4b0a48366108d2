"""The report's sections on the members: do they find steady states, and is their spread honest?"""

from __future__ import annotations

import html

import numpy as np
import pandas as pd

from lembas_pyg.report import page
from lembas_pyg.report.page import number
from lembas_pyg.training.scores import calibration

__all__ = ["calibration_section", "convergence_section"]


def convergence_section(members: pd.DataFrame) -> list[str]:
    """Whether the members found steady states: in words, and a table of all of them."""
    title = "<h2>Convergence</h2>"
    if members.empty:
        return [title, page.note("No member was trained.")]
    worst = next(members.loc[[members["residual"].fillna(np.inf).idxmax()]].itertuples())
    unstable = int((members["radius"] >= 1).sum())
    r, visits = members["train_r"], members["not_converged"].mean()
    lines = [
        f"{len(members):,} members of {members['fold'].nunique()} folds were trained in "
        f"{members['seconds'].sum():,.0f} s in all, to a mean training r of {number(r.mean())} "
        f"({number(r.min())} to {number(r.max())}). While training, {visits:.2%} of visits "
        "ended without a steady state.",
        f"The largest residual of a held-out state is {worst.residual:.1e} (fold {worst.fold}, "
        f"member {worst.member}); the largest spectral radius is "
        f"{number(members['radius'].max())}. Members with a radius of 1 or more, where a state "
        f"is not stable: {unstable}.",
    ]
    columns = {
        "fold": "fold",
        "member": "member",
        "seed": "seed",
        "train_r": "training r",
        "seconds": "seconds",
        "not_converged": "not converged in training",
        "residual": "largest residual",
        "radius": "largest radius",
    }
    if "held_out_not_converged" in members:
        columns["held_out_not_converged"] = "held-out states not converged"
        failed = members[members["held_out_not_converged"] > 0]
        if failed.empty:
            lines.append("Every held-out state of every member converged.")
        else:
            listed = "; ".join(
                f"fold {row.fold}, member {row.member}: {row.held_out_not_converged} (residual "
                f"{row.residual:.1e}, radius {number(row.radius)})"
                for row in failed.itertuples()
            )
            lines.append(f"Held-out states that did not converge: {listed}.")
    table = page.table(members.sort_values(["fold", "member"], kind="stable"), columns)
    return [
        title,
        *(f"<p>{html.escape(line)}</p>" for line in lines),
        f"<details><summary>All members, with their seeds</summary>{table}</details>",
    ]


def calibration_section(predictions: pd.DataFrame) -> list[str]:
    """What the spread of the members tells of the error; nothing with one member."""
    known = predictions.dropna(subset=["measured", "predicted", "spread"])
    if known.empty or not (known["spread"] > 0).any():
        return []
    one, two, rank = calibration(predictions).values()
    return [
        "<h2>Spread of the members</h2>",
        f"<p>{one:.0%} of held-out entries lie within one standard deviation of the members "
        f"around their average, {two:.0%} within two (of a normal error, 68 % and 95 %). Rank "
        f"correlation of spread and absolute error: {number(rank)}.</p>",
    ]
