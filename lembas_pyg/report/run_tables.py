"""The tables of the folder of a run, read whole or refused."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from lembas_pyg.io.tsv import is_cut, read_tsv
from lembas_pyg.training.cross_validation import OURS

__all__ = ["read_tables"]

# Tables of a cross-validation, by the names that `write_cross_validation_report` has for them.
_TABLES = {
    "predictions": "predictions.tsv",
    "scores": "scores.tsv",
    "fold_scores": "fold-scores.tsv",
    "members": "members.tsv",
    "null_comparisons": "null-comparisons.tsv",
    "histories": "history.tsv",
}
# Columns of names, also where one reads like a number or NA; all others are numbers.
_NAMES = ("model", "condition", "tf", "null")
_CURE = "The command that made the run writes it again, without new training, if --resume is added."


def read_tables(
    folder: Path, kind: str, settings: dict[str, Any], summary: dict[str, Any]
) -> dict[str, pd.DataFrame]:
    """Tables that are there, by the names of `write_cross_validation_report`.

    A file that was cut short, or lost lines, would make a page that looks right and is not. So a
    table is held against the other tables, and against what the run says of itself.

    Args:
        folder: Folder of the run.
        kind: ``"train"``, ``"cross-validate"`` or ``"ensemble"``.
        settings: What was run, by name.
        summary: The main numbers of the run; empty where it did not come to its end.

    Raises:
        ValueError: A table is damaged; the message names the file and the cure.
    """
    tables = {
        name: _read(folder / file) for name, file in _TABLES.items() if (folder / file).is_file()
    }
    find = _lacking_of_training if kind == "train" else _lacking_of_folds
    for name, what in find(tables, settings, summary):
        raise ValueError(f"{folder / _TABLES[name]} is damaged: {what}. {_CURE}")
    if "members" in tables and len(tables.get("histories", ())):
        known = len(tables["histories"].groupby(["fold", "member"]))
        if known < len(tables["members"]):  # as where some were trained by an earlier version
            warnings.warn(
                f"{folder / _TABLES['histories']} has the course of {known} of "
                f"{len(tables['members'])} members. {_CURE}",
                stacklevel=3,
            )
    return tables


def _read(path: Path) -> pd.DataFrame:
    """A table as it was written, to its last line end."""
    try:
        table = read_tsv(path)
        if is_cut(path):
            raise ValueError(f"{path} ends in the midst of line {table.index.max()}.")
        for name in table.columns.difference(_NAMES):
            table[name] = _numbers(table[name], path)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error} {_CURE}") from error
    return table.reset_index(drop=True)


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    """Numbers, blank ones as NaN; an infinite one, as of an unstable model, is legal."""
    numbers = pd.to_numeric(column.mask(column == ""), errors="coerce")
    bad = numbers.isna() & ~column.isin(["", "nan"])
    if bad.any():
        line, value = column.index[bad][0], column[bad].iloc[0]
        raise ValueError(f"{path}, line {line}, column '{column.name}': '{value}' is no number.")
    return numbers


def _lacking_of_training(
    tables: dict[str, pd.DataFrame], settings: dict[str, Any], summary: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Tables of a training that lost lines, and what they lack."""
    epochs = summary.get("epochs")
    if "histories" in tables and isinstance(epochs, int):
        found = len(tables["histories"])
        if found != epochs:
            yield "histories", f"it has {found} epochs, summary.json tells of {epochs}"


def _lacking_of_folds(
    tables: dict[str, pd.DataFrame], settings: dict[str, Any], summary: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Tables of a cross-validation that lost lines, and what they lack."""
    if {"scores", "fold_scores"} <= set(tables):
        scored = tables["fold_scores"].groupby("model")["fold"].nunique()
        models, folds = tables["scores"]["model"], scored.max()
        if set(models) < set(scored.index):
            lost = sorted(set(scored.index) - set(models))
            yield "scores", f"it has no model {lost[0]!r}, which fold-scores.tsv has"
        elif not set(models) <= set(scored.index) or (scored < folds).any():
            yield "fold_scores", "it has fewer models or folds than scores.tsv"
    if {"scores", "predictions"} <= set(tables):
        known = int(tables["predictions"][["measured", "predicted"]].notna().all(axis=1).sum())
        entries = tables["scores"].set_index("model")["entries"].get(OURS, known)
        if known != entries:
            yield "predictions", f"it has {known} scored entries, scores.tsv tells of {entries}"
    members = summary.get("folds", 0) * summary.get("members", 0)
    if "members" in tables and members and len(tables["members"]) != members:
        found = len(tables["members"])
        yield "members", f"it has {found} members, summary.json tells of {members}"
    if len(tables.get("histories", ())):
        last = tables["histories"].groupby(["fold", "member"])["epoch"].max()
        if last.nunique() > 1:
            fold, member = last.idxmin()
            yield "histories", f"the course of fold {fold}, member {member} ends before the others"
    nulls = settings.get("nulls") or []
    if "null_comparisons" in tables and len(tables["null_comparisons"]) != len(nulls):
        found = len(tables["null_comparisons"])
        yield "null_comparisons", f"it has {found} nulls, config.json tells of {len(nulls)}"
