"""The section on how members were trained."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lembas_pyg.plot.canvas import check_columns
from lembas_pyg.report import page
from lembas_pyg.report.page import number
from lembas_pyg.report.pictures import course_picture

__all__ = ["COURSE", "training_section"]

COURSE = ["fold", "member", "epoch", "loss", "rho", "sign", "not_converged"]


def training_section(
    histories: pd.DataFrame, members: pd.DataFrame, settings: Mapping[str, Any]
) -> list[str]:
    """Where training began and ended, in words and as a picture."""
    parts = ["<h2>Training</h2>"]
    if histories.empty:
        return [*parts, page.note("The course of training was not kept.")]
    check_columns(histories, COURSE, "the course of training (history.tsv) is that of a run")
    by_member = histories.sort_values("epoch", kind="stable").groupby(["fold", "member"])
    first, last = by_member.first(), by_member.last()
    lines = [
        f"The loss of the median member went from {first['loss'].median():.3g} to "
        f"{last['loss'].median():.3g} in {histories['epoch'].max() + 1:,} epochs."
    ]
    if histories["rho"].gt(0).any():
        unstable = int((by_member["rho"].max() >= 1).sum())
        lines.append(
            f"The largest contraction rate seen is {number(float(histories['rho'].max()))}; "
            f"{unstable} of {len(last):,} members had one of 1 or more at some time."
        )
    if histories["sign"].notna().any():
        violating = int((last["sign"] > 0).sum())
        if violating:
            text = (
                f"At the end {violating} of {len(last):,} members had a weight whose sign "
                f"contradicts the mode of action; the largest sum of such weights is "
                f"{last['sign'].max():.3g}."
            )
        else:
            text = "At the end no weight of any member had a sign against its mode of action."
        lines.append(text)
    parts.append(f"<p>{html.escape(' '.join(lines))}</p>")
    if len(last) < len(members):
        missing = len(members) - len(last)
        parts.append(page.note(f"Of {missing:,} members the course of training was not kept."))
    return [*parts, course_picture(histories, settings.get("spectral_target"))]
