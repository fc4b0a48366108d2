"""The section on where a model fails: its worst folds, TFs and conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lembas_pyg.report import page

__all__ = ["failure_section"]

_WORST = 10


def failure_section(
    ours: str, best: str | None, predictions: pd.DataFrame, fold_scores: pd.DataFrame
) -> list[str]:
    """The worst folds, TFs and conditions of our model, beside the best baseline."""
    parts = ["<h2>Where it fails</h2>"]
    folds = fold_scores[fold_scores["model"] == ours].copy()
    names = (
        predictions.groupby("fold")["condition"]
        .unique()
        .map(lambda found: ", ".join(map(str, found)))
    )
    folds["conditions"] = folds["fold"].map(names)
    columns = {"fold": "fold", "r": "r", "mse": "MSE"}
    if best is not None:
        other = fold_scores[fold_scores["model"] == best].set_index("fold")["r"]
        folds["baseline"] = folds["fold"].map(other)
        columns["baseline"] = f"r of {best}"
    columns["conditions"] = "held-out conditions"
    parts += ["<h3>Worst folds</h3>", page.table(_worst(folds), columns)]
    for key, word in (("tf", "TF"), ("condition", "condition")):
        keys = ["tf"] if key == "tf" else ["condition", "fold"]
        found = _score_groups(predictions, keys)
        shown = {name: name for name in keys} | {
            "r": "r",
            "mse": "MSE",
            "mean": "measured, mean",
            "sd": "sd",
            "entries": "entries",
        }
        shown[key] = word
        parts += [f"<h3>Worst {word}s</h3>", page.table(_worst(found), shown)]
    lost = predictions[predictions["predicted"].isna() & predictions["measured"].notna()]
    if len(lost):
        where = lost[["fold", "condition"]].drop_duplicates()
        listed = ", ".join(f"{c} (fold {f})" for f, c in where.itertuples(index=False))
        parts.append(page.note(f"Not predicted, and not scored: {listed}."))
    return parts


def _score_groups(predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """R and MSE of every TF or condition."""
    rows = []
    for key, part in predictions.dropna(subset=["measured", "predicted"]).groupby(keys, sort=False):
        measured, predicted = part["measured"].to_numpy(), part["predicted"].to_numpy()
        varies = len(part) > 1 and np.ptp(measured) > 0 and np.ptp(predicted) > 0
        rows.append(
            {
                **dict(zip(keys, key, strict=True)),
                "r": np.corrcoef(measured, predicted)[0, 1] if varies else np.nan,
                "mse": np.square(measured - predicted).mean(),
                "mean": measured.mean(),
                "sd": measured.std(),
                "entries": len(part),
            }
        )
    return pd.DataFrame(rows, columns=[*keys, "r", "mse", "mean", "sd", "entries"])


def _worst(table: pd.DataFrame) -> pd.DataFrame:
    """Smallest r first; no correlation at all is worse than a small one."""
    return table.sort_values("r", kind="stable", na_position="first").head(_WORST)
