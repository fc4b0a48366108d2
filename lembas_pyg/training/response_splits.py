"""Which observations of a drug screen are held out together."""

from __future__ import annotations

import numpy as np
from torch_geometric.data import Data

__all__ = ["RESPONSE_SPLITS", "response_folds"]

RESPONSE_SPLITS = ("cell-line", "drug", "drug-cell-line", "random")


def response_folds(data: Data, split: str, num_folds: int = 5, *, seed: int = 0) -> np.ndarray:
    """Fold of every observation of a drug screen, from 1.

    Args:
        data: Network with a drug screen.
        split: What is held out as a whole: ``"cell-line"``, a line under all drugs (how does a new
            patient respond?); ``"drug"``, a drug in all lines, one a fold; ``"drug-cell-line"``,
            the curve of a drug in a line, other curves of both being known; ``"random"``, single
            observations, whose neighbours on the curve are known.
        num_folds: Number of folds; by drug there are as many as drugs.
        seed: Of the order of cell lines, curves or observations.

    Returns:
        Number of the fold that holds out each observation ``[O]``.

    Raises:
        ValueError: The split is not known, there are not enough units for the folds, or by drug an
            observation has several.
    """
    if split not in RESPONSE_SPLITS:
        raise ValueError(f"split is {split!r}; choose from {', '.join(RESPONSE_SPLITS)}.")
    line = data.cell_line.view(-1).numpy()
    present = (data.dose > 0).numpy()
    if split == "drug":
        several = np.flatnonzero(present.sum(axis=0) != 1)
        if len(several):
            raise ValueError(
                f"Observation {several[0]} has {present[:, several[0]].sum()} drugs; to hold out "
                f"drugs, every observation needs one."
            )
        return present.argmax(axis=0) + 1
    if split == "cell-line":
        unit = line
    elif split == "random":
        unit = np.arange(len(line))
    else:
        keys = np.vstack([present, line])
        unit = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    units = np.unique(unit)
    if not 2 <= num_folds <= len(units):
        raise ValueError(
            f"num_folds is {num_folds}; it must be 2 to {len(units)}, the units held out."
        )
    order = np.random.default_rng(seed).permutation(len(units))
    fold_of_unit = np.empty(len(units), dtype=np.int64)
    fold_of_unit[order] = np.arange(len(units)) % num_folds + 1
    return fold_of_unit[np.searchsorted(units, unit)]
