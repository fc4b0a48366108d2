"""Whether TF activities are a linear combination of ligands: fits to single and to many ligands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis.activities import steady_activities
from lembas_pyg.metrics import pearson_r
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import random_stimuli
from lembas_pyg.training import Ensemble

__all__ = ["linearity"]


def linearity(
    model: LEMBAS | Ensemble,
    data: Data,
    num_active: Sequence[int] = (1, 2, 3, 5, 10),
    *,
    num_conditions: int = 2000,
    num_folds: int = 20,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    r"""How well linear models predict what a model answers to combinations of ligands.

    .. math:: \hat y = B\, x + c \quad \text{by least squares}

    Fitted to conditions of one ligand and asked for those of several (extrapolation), or fitted to
    conditions of as many ligands, of which folds are held out. A model whose effects add up is
    predicted alike at all numbers of ligands.

    Args:
        model: A model or an ensemble.
        data: Its network; conditions in it take no part.
        num_active: Numbers of ligands a condition, see `random_stimuli`.
        num_conditions: Conditions for each of them; those without a steady state are left out.
        num_folds: Folds of the cross-validation.
        generator: Source of randomness; the global one if None.

    Returns:
        One row a number of ligands: `conditions` with a steady state, `r_single` of the
        extrapolation (at one ligand its own held-out folds) and `r_fitted` of the held-out folds,
        Pearson correlations over all TFs and conditions.

    Raises:
        ValueError: There are fewer folds than two, or fewer steady conditions than folds.

    References:
        Nilsson et al. (2022), Fig. 4d: 2,000 conditions, 20 folds, raw concentrations.
    """
    if num_folds < 2:
        raise ValueError(f"num_folds is {num_folds}; cross-validation takes two or more.")
    names = [data.node_name[i] for i in data.ligand_mask.nonzero().view(-1).tolist()]

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        stimuli = random_stimuli(names, num_conditions, count, generator=generator)
        y, steady = steady_activities(model, add_conditions(data, stimuli))
        return stimuli.to_numpy()[steady.numpy()], y.T.numpy()

    single = draw(1)
    rows = []
    for count in num_active:
        x, y = single if count == 1 else draw(count)
        if len(x) < num_folds:
            raise ValueError(
                f"There are {len(x)} conditions of {count} ligands with a steady state, fewer "
                f"than the {num_folds} folds; raise num_conditions."
            )
        fitted = _held_out(x, y, num_folds, generator)
        extrapolated = fitted if count == 1 else _predict(*single, x)
        measured = torch.from_numpy(y)
        r_single, r_fitted = (
            pearson_r(torch.from_numpy(said), measured) for said in (extrapolated, fitted)
        )
        rows.append(
            {
                "num_active": count,
                "conditions": len(x),
                "r_single": r_single,
                "r_fitted": r_fitted,
            }
        )
    return pd.DataFrame(rows).set_index("num_active")


def _predict(x: np.ndarray, y: np.ndarray, x_test: np.ndarray) -> np.ndarray:
    """Least squares with an intercept; of ligands that never came, the smallest solution."""
    ones, ones_test = (np.ones((len(values), 1)) for values in (x, x_test))
    coefficients = np.linalg.lstsq(np.hstack([x, ones]), y, rcond=None)[0]
    return np.asarray(np.hstack([x_test, ones_test]) @ coefficients)


def _held_out(
    x: np.ndarray, y: np.ndarray, num_folds: int, generator: torch.Generator | None
) -> np.ndarray:
    """Prediction of every condition by a fit to the other folds."""
    order = torch.randperm(len(x), generator=generator).numpy()
    said = np.empty_like(y)
    for test in np.array_split(order, num_folds):
        train = np.setdiff1d(order, test)
        said[test] = _predict(x[train], y[train], x[test])
    return said
