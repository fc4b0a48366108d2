"""The report of a cross-validation, section by section."""

from __future__ import annotations

import html
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lembas_pyg.io.replace import FilePath, replace_file
from lembas_pyg.plot.canvas import check_columns
from lembas_pyg.report import page
from lembas_pyg.report.convergence import calibration_section, convergence_section
from lembas_pyg.report.failures import failure_section
from lembas_pyg.report.nulls import COMPARED, null_section
from lembas_pyg.report.page import number
from lembas_pyg.report.pictures import picture_sections
from lembas_pyg.report.training import COURSE, training_section
from lembas_pyg.training.scores import compare_folds

__all__ = [
    "member_sections",
    "score_sections",
    "settings_section",
    "write_cross_validation_report",
]

_NEEDED = {
    "predictions": ["fold", "condition", "tf", "measured", "predicted", "spread"],
    "scores": [
        "model",
        "r",
        "r_centred",
        "fold_mean",
        "fold_sd",
        "fold_median",
        "fold_worst",
        "tf_median",
        "condition_median",
        "mse",
        "entries",
    ],
    "fold_scores": ["model", "fold", "r", "mse"],
    "members": [
        "fold",
        "member",
        "seed",
        "train_r",
        "seconds",
        "not_converged",
        "residual",
        "radius",
    ],
}


def write_cross_validation_report(
    path: FilePath,
    *,
    predictions: pd.DataFrame,
    scores: pd.DataFrame,
    fold_scores: pd.DataFrame,
    members: pd.DataFrame,
    settings: Mapping[str, Any],
    null_comparisons: pd.DataFrame | None = None,
    histories: pd.DataFrame | None = None,
) -> Path:
    """Write what was run, how it compares with every baseline, and where it fails.

    The first model of `scores` is ours. Models whose name continues that name after a comma
    (``LEMBAS, one member``) are variants and nulls of it, all others baselines. Without
    matplotlib the report has no pictures, and says so. The same tables give the same file.

    Args:
        path: File to write or replace.
        predictions: Of our model: `fold`, `condition`, `tf`, `measured`, `predicted`, `spread`.
        scores: One row a model, as from `lembas_pyg.training.score_table`: `model`, `r`,
            `r_centred`, `fold_mean`, `fold_sd`, `fold_median`, `fold_worst`, `tf_median`,
            `condition_median`, `mse`, `entries`.
        fold_scores: `model`, `fold`, `r`, `mse`.
        members: `fold`, `member`, `seed`, `train_r`, `seconds`, `not_converged` (share of
            training visits), `residual`, `radius`; a column `held_out_not_converged`
            (conditions) is used where there is one.
        settings: What was run, by name. Where `scrambled` is true, the report says that the run
            is a null.
        null_comparisons: `comparisons` of `lembas_pyg.training.compare_nulls`; the report has a
            section on nulls where they are given.
        histories: How members were trained: `fold`, `member`, `epoch`, `loss`, `rho`, `sign` and
            `not_converged` (share of visits); the report has a section on it where it is given.

    Returns:
        The path.

    Raises:
        OSError: The file cannot be written.
        TypeError: One is no table.
        ValueError: A column is missing, or there is no score.
    """
    if histories is not None:
        check_columns(histories, COURSE, "histories= is that of a `CrossValidation`")
    scored = score_sections(predictions, scores, fold_scores, members, settings, null_comparisons)
    title = f"Cross-validation of {scores['model'].iloc[0]}"
    sections = [
        f"<h1>{html.escape(title)}</h1>",
        *scored,
        *member_sections(predictions, members, settings, histories),
        *settings_section(predictions, members, settings),
    ]
    with replace_file(path) as file:
        file.write(page.document(title, sections).encode("utf-8"))
    return Path(path)


def score_sections(
    predictions: pd.DataFrame,
    scores: pd.DataFrame,
    fold_scores: pd.DataFrame,
    members: pd.DataFrame,
    settings: Mapping[str, Any],
    null_comparisons: pd.DataFrame | None = None,
    *,
    heat_map: bool = True,
) -> list[str]:
    """How the model compares with every baseline, and where it fails.

    Args:
        predictions: As for `write_cross_validation_report`, as are all tables.
        scores: One row a model.
        fold_scores: One row a fold and model.
        members: One row a training.
        settings: What was run.
        null_comparisons: Of nulls, where there are any.
        heat_map: Whether the picture of TF activities is among the others.

    Raises:
        TypeError: One is no table.
        ValueError: A column is missing, or there is no score.
    """
    tables = {
        "predictions": predictions,
        "scores": scores,
        "fold_scores": fold_scores,
        "members": members,
    }
    for name, table in tables.items():
        check_columns(table, _NEEDED[name], f"{name}= is that of a `CrossValidation`")
    if null_comparisons is not None:
        source = "null_comparisons= is the `comparisons` of a `NullComparison`"
        check_columns(null_comparisons, COMPARED, source)
    if scores.empty:
        raise ValueError("scores= has no row; give the scores of a cross-validation.")
    ours = str(scores["model"].iloc[0])
    return [
        _verdict(ours, scores, fold_scores, settings),
        "<h2>Scores</h2>",
        _scores(ours, scores),
        *([] if null_comparisons is None else null_section(ours, null_comparisons)),
        *picture_sections(predictions, fold_scores, heat_map=heat_map),
        *failure_section(ours, _best_baseline(ours, scores), predictions, fold_scores),
    ]


def member_sections(
    predictions: pd.DataFrame,
    members: pd.DataFrame,
    settings: Mapping[str, Any],
    histories: pd.DataFrame | None = None,
) -> list[str]:
    """How the members were trained, whether they converge, and what their spread tells.

    Args:
        predictions: As for `write_cross_validation_report`, as are all tables.
        members: One row a training.
        settings: What was run.
        histories: How members were trained, where that was kept.
    """
    return [
        *([] if histories is None else training_section(histories, members, settings)),
        *convergence_section(members),
        *calibration_section(predictions),
    ]


def _verdict(
    ours: str, scores: pd.DataFrame, fold_scores: pd.DataFrame, settings: Mapping[str, Any]
) -> str:
    """Plain sentences: does the model beat what knows no network?"""
    own, others = scores.iloc[0], scores[_kinds(ours, scores) == "baseline"]
    lines = []
    if settings.get("scrambled"):
        lines.append(
            "This run is a null: TF activities of training were scrambled over conditions. Its "
            "scores show what is reached without a relation of stimulus and response."
        )
    if others["r"].isna().all() or np.isnan(own["r"]):
        lines.append(
            f"{ours} reaches a pooled r of {number(own['r'])} and a mean squared error of "
            f"{number(own['mse'], 'mse')}. No baseline was scored in this run, so that whether "
            "this is good cannot be said."
        )
        return page.paragraphs(lines)
    best = others.loc[others["r"].idxmax()]
    name, compared = str(best["model"]), _compare(ours, str(best["model"]), fold_scores)
    numbers = (
        f"pooled r {number(own['r'])} against {number(best['r'])} of {name}, the best of "
        f"{len(others)}."
    )
    if not own["r"] > best["r"]:
        text = f"{ours} does not beat the best baseline: {numbers}"
    elif compared is not None and compared[1].low > 0:
        text = f"{ours} beats every baseline: {numbers}"
    else:
        text = f"{ours} scores above every baseline, but not clearly: {numbers}"
    if compared is not None:
        wins, result = compared
        text += (
            f" It is better in {wins} of {result.folds} folds; the mean difference of r is "
            f"{result.difference:+.3f} (95 % interval {result.low:+.3f} to {result.high:+.3f}, "
            f"Wilcoxon p = {result.p:.2g})."
        )
    lines.append(text)
    least = others.loc[others["mse"].idxmin()]
    relation = "below" if own["mse"] < least["mse"] else "not below"
    lines.append(
        f"Its mean squared error is {number(own['mse'], 'mse')}, {relation} the smallest of the "
        f"baselines, {number(least['mse'], 'mse')} of {least['model']}."
    )
    return page.paragraphs(lines)


def _compare(ours: str, other: str, fold_scores: pd.DataFrame) -> tuple[int, Any] | None:
    """Folds won, and the paired comparison; None with fewer than two common folds."""
    r = fold_scores.pivot_table(index="fold", columns="model", values="r")
    if not {ours, other} <= set(r.columns):
        return None
    both = r[[ours, other]].dropna()
    if len(both) < 2:
        return None
    return int((both[ours] > both[other]).sum()), compare_folds(both[ours], both[other])


def _kinds(ours: str, scores: pd.DataFrame) -> pd.Series:
    """Which models are ours, a variant or null of it, or a baseline."""
    model = scores["model"].astype(str)
    variant = model.str.startswith(f"{ours}, ")
    kinds = np.where(model == ours, "this model", np.where(variant, "variant or null", "baseline"))
    return pd.Series(kinds, index=scores.index)


def _best_baseline(ours: str, scores: pd.DataFrame) -> str | None:
    """The baseline of the largest r."""
    r = scores.loc[_kinds(ours, scores) == "baseline", "r"].dropna()
    return None if r.empty else str(scores.loc[r.idxmax(), "model"])


def _scores(ours: str, scores: pd.DataFrame) -> str:
    """All models by falling r; ours and the best baseline are marked."""
    table = scores.assign(kind=_kinds(ours, scores)).sort_values(
        "r", ascending=False, kind="stable", na_position="last"
    )
    others = table.loc[table["kind"] == "baseline", "r"].dropna()
    best = others.index[0] if len(others) else None
    marks = {table.index[table["kind"] == "this model"][0]: "ours"}
    if best is not None:
        marks[best] = "best"
        table.loc[best, "kind"] = "best baseline"
    columns = {
        "model": "model",
        "kind": "",
        "r": "pooled r",
        "r_centred": "less TF means",
        "mse": "MSE",
        "fold_mean": "r of folds, mean",
        "fold_sd": "sd",
        "fold_median": "median",
        "fold_worst": "worst",
        "tf_median": "r of TFs, median",
        "condition_median": "r of conditions, median",
        "entries": "entries",
    }
    note = (
        "Pearson r and mean squared error (MSE) over all held-out entries (condition and TF) of "
        "all folds together, predictions clipped to [0, 1]; 'less TF means' is the pooled r once "
        "the mean of every TF is subtracted from measured and from predicted: about 0, or below, "
        "for what knows the means alone. Baselines know the ligands of a condition and no network; "
        "they are fitted to the same training conditions."
    )
    return page.table(table, columns, marks) + page.note(note)


def settings_section(
    predictions: pd.DataFrame, members: pd.DataFrame, settings: Mapping[str, Any]
) -> list[str]:
    """What was run: settings in the order given, the size of the data, and versions.

    Args:
        predictions: As for `write_cross_validation_report`, as are all tables.
        members: One row a training.
        settings: What was run.
    """
    entries = predictions.dropna(subset=["measured"])
    shown = {
        **settings,
        "number of folds": predictions["fold"].nunique(),
        "held-out conditions": len(predictions[["fold", "condition"]].drop_duplicates()),
        "TFs": predictions["tf"].nunique(),
        "held-out entries measured": len(entries),
        "members trained": len(members),
    }
    packages = ("lembas_pyg", "torch", "torch-geometric", "numpy", "scipy", "scikit-learn")
    for name in packages:
        shown.setdefault(f"version of {name}", version(name))
    shown.setdefault("version of Python", platform.python_version())
    table = pd.DataFrame({"setting": list(shown), "value": [str(v) for v in shown.values()]})
    return ["<h2>What was run</h2>", page.table(table, {"setting": "setting", "value": "value"})]
