"""A drug screen as a folder of tables."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lembas_pyg.io.annotation import read_annotation
from lembas_pyg.io.conditions import read_conditions
from lembas_pyg.io.doses import LogDose
from lembas_pyg.io.interactions import read_interactions
from lembas_pyg.io.tsv import FilePath, check_filled, check_unique, read_tsv

__all__ = ["DrugScreen", "read_drug_screen"]

_DOSES, _CONCENTRATIONS = "doses.tsv", "concentrations.tsv"
_NEEDED = (
    "network.tsv",
    "annotation.tsv",
    "cell-lines.tsv",
    "expression.tsv",
    "mutations.tsv",
    "drug-targets.tsv",
    "mutated-genes.tsv",
    "viability-tfs.tsv",
)


class DrugScreen(NamedTuple):
    """Tables of a drug screen, as `lembas_pyg.network.add_drug_screen` takes them.

    Attributes:
        interactions: The signaling network.
        annotation: Its nodes.
        doses: log10 doses, observations x drugs, 0 where absent.
        cell_lines: Cell line of every observation.
        expression: z-scores, cell lines x nodes.
        mutations: 0 or 1, cell lines x mutations.
        drug_targets: Interactions from drugs to nodes.
        mutated: Node that each mutation changes.
        viability_tfs: Interactions from TFs to viability.
        viability: Of every observation; None if not given.
        folds: Fold of every observation; None if not given.
        unit: Of the concentrations behind the doses.
    """

    interactions: pd.DataFrame
    annotation: pd.DataFrame
    doses: pd.DataFrame
    cell_lines: pd.Series
    expression: pd.DataFrame
    mutations: pd.DataFrame
    drug_targets: pd.DataFrame
    mutated: pd.Series
    viability_tfs: pd.DataFrame
    viability: pd.Series | None
    folds: np.ndarray | None
    unit: str


def read_drug_screen(folder: FilePath, unit: str = "nM") -> DrugScreen:
    """Read the tables of a drug screen from a folder.

    Args:
        folder: With ``network.tsv`` and ``annotation.tsv``; ``doses.tsv`` (log10 doses,
            observations x drugs, 0 where absent) or ``concentrations.tsv`` (blank where absent);
            ``cell-lines.tsv`` (observation, cell_line); ``expression.tsv`` (z-scores, cell lines x
            accessions); ``mutations.tsv`` (0 or 1, cell lines x mutations); ``mutated-genes.tsv``
            (mutation, node); ``drug-targets.tsv`` and ``viability-tfs.tsv`` (interactions: source,
            target, direction, stimulation, inhibition); and where there are ``viability.tsv``
            (observation, viability) and ``folds.tsv`` (observation, fold).
        unit: Of the concentrations.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is damaged, both or none of doses and concentrations are there, a
            concentration is not positive, or an observation has no fold.
    """
    folder = Path(folder)
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} is no folder of a drug screen: {', '.join(missing)} is not there. It holds "
            f"{', '.join(_NEEDED)}, and {_DOSES} or {_CONCENTRATIONS}."
        )
    given = [name for name in (_DOSES, _CONCENTRATIONS) if (folder / name).is_file()]
    if len(given) != 1:
        raise ValueError(
            f"{folder} holds {' and '.join(given) or 'no doses'}; give either {_DOSES} (log10, 0 "
            f"where absent) or {_CONCENTRATIONS} (blank where absent)."
        )
    doses = read_conditions(folder / given[0])
    if given[0] == _CONCENTRATIONS:
        doses = LogDose(unit).transform(doses)
    viability = folds = None
    if (folder / "viability.tsv").is_file():
        viability = _column(folder / "viability.tsv", "viability")
    if (folder / "folds.tsv").is_file():
        folds = _folds(folder / "folds.tsv", doses.index)
    return DrugScreen(
        read_interactions(folder / "network.tsv"),
        read_annotation(folder / "annotation.tsv"),
        doses,
        _names(folder / "cell-lines.tsv", "observation", "cell_line"),
        read_conditions(folder / "expression.tsv"),
        read_conditions(folder / "mutations.tsv"),
        read_interactions(folder / "drug-targets.tsv"),
        _names(folder / "mutated-genes.tsv", "mutation", "node"),
        read_interactions(folder / "viability-tfs.tsv"),
        viability,
        folds,
        unit,
    )


def _names(path: Path, key: str, value: str) -> pd.Series:
    """A column of names by another, each key once."""
    table = read_tsv(path, [key, value])
    check_filled(table, [key, value], path)
    check_unique(table, [key], path)
    return pd.Series(table[value].tolist(), index=table[key].tolist(), dtype=object)


def _column(path: Path, name: str) -> pd.Series:
    """A column of numbers by observation."""
    table = read_conditions(path)
    if name not in table:
        raise ValueError(f"{path} has no column '{name}'; it holds observation, {name}.")
    return table[name]


def _folds(path: Path, observations: pd.Index) -> np.ndarray:
    folds = _column(path, "fold")
    without = observations.difference(folds.index[folds.notna()], sort=False)
    if len(without):
        raise ValueError(
            f"{path}: the observation '{without[0]}' has no fold; every one needs one."
        )
    folds = folds.loc[observations]
    broken = folds.index[folds != folds.round()]
    if len(broken):
        raise ValueError(
            f"{path}: the fold of '{broken[0]}' is {folds[broken[0]]:g}; number folds by whole "
            f"numbers."
        )
    return folds.to_numpy(np.int64)
