"""The section on nulls: what is left of a score without the network, the data or the activation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lembas_pyg.report import page

__all__ = ["COMPARED", "null_section"]

COMPARED = ["null", "true_r", "null_r", "difference", "low", "high", "wilcoxon_p"]
COMPARED += ["mann_whitney_p", "folds", "repeats", "rewired_fraction"]


def null_section(ours: str, comparisons: pd.DataFrame) -> list[str]:
    """A sentence for every null, and all numbers."""
    columns = {
        "null": "null",
        "repeats": "models",
        "rewired_fraction": "rewired",
        "true_r": f"{ours}, one member: r of folds",
        "null_r": "null: r of folds",
        "difference": "difference",
        "low": "95 % from",
        "high": "to",
        "wilcoxon_p": "Wilcoxon p",
        "mann_whitney_p": "Mann-Whitney p",
        "folds": "folds",
    }
    note = (
        "Nulls are trained on the same folds with the same settings. 'scrambled y': measurements "
        "permuted among the training conditions. 'rewired': interactions with other targets, the "
        "degrees and signs of all nodes kept. Other activations: the same network. A null is one "
        f"model, so it stands against single members of {ours}, not against their average. r of "
        "folds is averaged over members and over rewired networks; the interval is a bootstrap "
        "over folds; Wilcoxon's test is paired by fold, Mann-Whitney's is not. A difference is "
        "clear where the interval leaves out 0 and Wilcoxon's p is below 0.05, which takes six "
        "folds or more."
    )
    rows = comparisons.to_dict("records")
    return [
        "<h2>Nulls</h2>",
        page.paragraphs(_null_sentence(ours, row) for row in rows),
        page.table(comparisons, columns),
        page.note(note),
    ]


def _null_sentence(ours: str, row: Mapping[str, Any]) -> str:
    """By how much single members win over a null, or that they do not."""
    null = f"the null '{row['null']}'"
    if not np.isnan(row["rewired_fraction"]):
        number = "network" if row["repeats"] == 1 else "networks"
        null += f" ({row['repeats']} {number}, {row['rewired_fraction']:.0%} of interactions new)"
    if np.isnan(row["difference"]):
        return (
            f"Single members of {ours} cannot be compared with {null}: fewer than two folds have "
            "a correlation in both."
        )
    is_clear = row["wilcoxon_p"] < 0.05 and not row["low"] <= 0 <= row["high"]
    if is_clear:
        verdict = f"beat {null}" if row["difference"] > 0 else f"are beaten by {null}"
    elif row["difference"] > 0:
        verdict = f"score above {null}, but not clearly"
    else:
        verdict = f"do not beat {null}"
    return (
        f"Single members of {ours} {verdict}: mean r of folds {row['true_r']:.3f} against "
        f"{row['null_r']:.3f}, a difference of {row['difference']:+.3f} (95 % interval "
        f"{row['low']:+.3f} to {row['high']:+.3f}, Wilcoxon p = {row['wilcoxon_p']:.2g}, "
        f"Mann-Whitney p = {row['mann_whitney_p']:.2g}, {row['folds']} folds)."
    )
