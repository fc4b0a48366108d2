"""Fold tables: which conditions each fold of a cross-validation holds out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.network import node_index
from lembas_pyg.spelling import did_you_mean

__all__ = ["check_folds", "k_fold", "leave_one_ligand_out", "leave_one_out"]


def leave_one_out(data: Data) -> pd.DataFrame:
    """One fold a condition.

    Args:
        data: Network with conditions.

    Returns:
        Index (number of the fold) and Condition, as `lembas_pyg.io.read_folds` gives them.
    """
    names = _names(data)
    return pd.DataFrame({"Index": np.arange(len(names)), "Condition": names})


def k_fold(data: Data, k: int = 5, *, seed: int = 0) -> pd.DataFrame:
    """Folds of equal size, conditions drawn at random; each condition is held out once.

    Args:
        data: Network with conditions.
        k: Folds, 2 or more.
        seed: Of the draw.

    Returns:
        Index and Condition, one row a condition.

    Raises:
        ValueError: There are fewer conditions than folds, or fewer than two folds.
    """
    names = _names(data)
    if not 2 <= k <= len(names):
        raise ValueError(f"k is {k}; with {len(names)} conditions it must be 2 to {len(names)}.")
    index = np.empty(len(names), dtype=np.int64)
    index[np.random.default_rng(seed).permutation(len(names))] = np.arange(len(names)) % k
    table = pd.DataFrame({"Index": index, "Condition": names})
    return table.sort_values("Index", kind="stable", ignore_index=True)


def leave_one_ligand_out(data: Data, costimulus: str | None = None) -> pd.DataFrame:
    """One fold a ligand: every condition it is in is held out.

    The model then knows of the ligand what the wiring says, and nothing else.

    Args:
        data: Network with conditions.
        costimulus: Accession or symbol of a ligand that others are combined with, such as LPS; it
            gets no fold of its own, and only ligands that were measured both with and without it
            do.

    Returns:
        Index, Condition and Ligand (accession).

    Raises:
        ValueError: The co-stimulus is no ligand of the network, or no ligand is left.
    """
    names = np.asarray(_names(data), dtype=object)
    present = data.x.cpu().numpy() != 0
    ligands = data.ligand_mask.cpu().numpy().nonzero()[0]
    with_costimulus = np.zeros(len(names), dtype=bool)
    if costimulus is not None:
        by = "name" if costimulus in data.node_name else "label"
        extra = node_index(data, **{by: costimulus})
        if extra not in ligands:
            raise ValueError(f"'{costimulus}' is no ligand of this network.")
        with_costimulus = present[extra]
        ligands = ligands[ligands != extra]
    parts: list[pd.DataFrame] = []
    for ligand in ligands:
        held_out = present[ligand]
        pairs = (held_out & with_costimulus).any() and (held_out & ~with_costimulus).any()
        if held_out.any() and not held_out.all() and (costimulus is None or pairs):
            code = data.node_name[ligand]
            parts.append(
                pd.DataFrame({"Index": len(parts), "Condition": names[held_out], "Ligand": code})
            )
    if not parts:
        raise ValueError(
            "No ligand can be held out: none is in some conditions and not in others"
            + ("." if costimulus is None else f", with and without '{costimulus}'.")
        )
    return pd.concat(parts, ignore_index=True)


def check_folds(folds: pd.DataFrame, data: Data) -> dict[int, list[str]]:
    """Conditions that every fold holds out.

    Args:
        folds: Index and Condition.
        data: Network with conditions.

    Raises:
        TypeError: It is not a table.
        ValueError: A column is missing, a condition is not known, named twice in a fold, or a fold
            leaves nothing to train on.
    """
    if not isinstance(folds, pd.DataFrame):
        raise TypeError(
            f"folds is {type(folds).__name__}; give a table with the columns Index and Condition, "
            f"as from `lembas_pyg.io.read_folds` or `lembas_pyg.training.leave_one_out`."
        )
    missing = [name for name in ("Index", "Condition") if name not in folds]
    if missing or folds.empty:
        raise ValueError(
            f"The fold table has {'no rows' if folds.empty else f'no column {missing}'}; it needs "
            f"Index (number of the fold) and Condition, one row a held-out condition."
        )
    known = set(_names(data))
    unknown = [name for name in folds["Condition"].unique() if name not in known]
    if unknown:
        raise ValueError(
            f"The fold table names conditions that the data have not: "
            f"{', '.join(map(repr, unknown[:5]))}{' ...' if len(unknown) > 5 else ''}."
            f"{did_you_mean(unknown[0], _names(data))}"
        )
    if folds.duplicated(["Index", "Condition"]).any():
        index, name = folds[folds.duplicated(["Index", "Condition"])][["Index", "Condition"]].iloc[
            0
        ]
        raise ValueError(f"Fold {index} names the condition '{name}' twice.")
    found = {int(index): list(part["Condition"]) for index, part in folds.groupby("Index")}
    for index, conditions in found.items():
        if len(conditions) == len(known):
            raise ValueError(
                f"Fold {index} holds out every condition; nothing is left to train on."
            )
    return found


def _names(data: Data) -> list[str]:
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands, tfs)`."
        )
    return list(data.conditions)
