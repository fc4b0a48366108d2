"""What models that know no network predict of the viability of cell lines under drugs.

All are fitted to the observations trained on and asked for the others, as in
`lembas_pyg.training.baselines`. None of them sees an observation, or in its components a cell line,
that is held out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.spelling import did_you_mean

__all__ = ["RESPONSE_BASELINES", "predict_response_baselines"]

_COMPONENTS = 20
_ALPHAS = np.logspace(0, 5, 16)
# Doses of the published design are half a decade apart.
_DIGITS = 2


@dataclass(frozen=True)
class _Table:
    """Features of observations, and which of them are trained on."""

    drug: np.ndarray  # [O, D] 1 where present
    target: np.ndarray  # [O, P] 1 for the nodes that a drug of the observation acts on
    dose: np.ndarray  # [O] largest log10 dose
    components: np.ndarray  # [O, K] of expression and mutations
    told: np.ndarray  # [O, ...] expression of all drug targets, mutated genes
    viability: np.ndarray  # [O]
    train: np.ndarray  # [O] bool
    line: np.ndarray  # [O]

    @property
    def drug_dose(self) -> np.ndarray:
        """Number of the drugs and dose of every observation."""
        keys = np.hstack([self.drug, self.dose.round(_DIGITS)[:, None]])
        return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def predict_response_baselines(
    data: Data, train: Tensor, *, names: Iterable[str] | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """Fit baselines to some observations of a drug screen and predict all, on one thread.

    Args:
        data: Network with a drug screen.
        train: Whether an observation is trained on ``[O]`` bool; only measured ones are.
        names: Baselines to fit, see `RESPONSE_BASELINES`; all if None.
        seed: Of trees and components.

    Returns:
        Predicted viability ``[O]`` by name of the baseline.

    Raises:
        ValueError: Nothing measured is trained on, or there is no such baseline.
    """
    from threadpoolctl import threadpool_limits

    chosen = list(RESPONSE_BASELINES) if names is None else list(names)
    unknown = [name for name in chosen if name not in RESPONSE_BASELINES]
    if unknown:
        raise ValueError(
            f"'{unknown[0]}' is not a baseline; choose from "
            f"{', '.join(map(repr, RESPONSE_BASELINES))}."
            f"{did_you_mean(unknown[0], RESPONSE_BASELINES)}"
        )
    with threadpool_limits(1):
        table = _features(data, train.numpy().astype(bool), seed)
        return {
            name: torch.from_numpy(np.asarray(RESPONSE_BASELINES[name](table, seed), np.float64))
            for name in chosen
        }


def dose_mean(table: _Table, seed: int = 0) -> np.ndarray:
    """Mean of the drug at the dose; of the dose where the drug was not seen; of all else."""
    y, train = table.viability[table.train], table.train
    found = np.full(len(train), y.mean())
    for keys in (table.dose.round(_DIGITS), table.drug_dose):
        for key in np.unique(keys[train]):
            found[keys == key] = y[keys[train] == key].mean()
    return found


def ridge(table: _Table, seed: int = 0) -> np.ndarray:
    """Ridge regression on drug-dose, components, and components by drug.

    The penalty is that of the smallest error on groups of held-out cell lines.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold

    pair = np.eye(table.drug_dose.max() + 1)[table.drug_dose]
    doses = np.unique(table.dose.round(_DIGITS))
    by_dose = (table.dose.round(_DIGITS)[:, None] == doses).astype(float)
    by_drug = (table.drug[:, :, None] * table.components[:, None]).reshape(len(pair), -1)
    x = np.hstack([pair, by_dose, table.target, table.components, by_drug])
    train, groups = table.train, table.line[table.train]
    count = min(5, len(np.unique(groups)))
    splits = list(GroupKFold(count).split(x[train], groups=groups)) if count > 1 else None
    model = RidgeCV(_ALPHAS, cv=splits).fit(x[train], table.viability[train])
    return model.predict(x)


def boosting(table: _Table, seed: int = 0) -> np.ndarray:
    """Gradient boosting on drug, targets, dose and components."""
    x = np.hstack([table.drug, table.target, table.dose[:, None], table.components])
    return _boost(x, table, seed)


def boosting_told(table: _Table, seed: int = 0) -> np.ndarray:
    """Gradient boosting that is also told the expression of drug targets and mutated genes."""
    x = np.hstack([table.drug, table.target, table.dose[:, None], table.components, table.told])
    return _boost(x, table, seed)


RESPONSE_BASELINES: dict[str, Callable[[_Table, int], np.ndarray]] = {
    "mean of drug and dose": dose_mean,
    "ridge": ridge,
    "gradient boosting": boosting,
    "gradient boosting, targets told": boosting_told,
}


def _boost(x: np.ndarray, table: _Table, seed: int) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=150, max_features=0.3, random_state=seed
    )
    return model.fit(x[table.train], table.viability[table.train]).predict(x)


def _features(data: Data, train: np.ndarray, seed: int) -> _Table:
    viability = data.viability.view(-1).double().numpy()
    train = train & ~np.isnan(viability)
    if not train.any():
        raise ValueError("No measured observation is trained on; there is nothing to fit.")
    line = data.cell_line.view(-1).numpy()
    dose = data.dose.double().numpy().T
    drug = (dose > 0).astype(float)
    acts_on = (data.drug_sign != 0).double().numpy()  # [N, D]
    targets = acts_on.any(axis=1)
    expression, mutation = (value.double().numpy().T for value in (data.expression, data.mutation))
    genes = data.mutation_mask.double().numpy()  # [N, M]
    mutated_gene = (mutation @ genes[genes.any(axis=1)].T > 0).astype(float)
    told = np.hstack([expression[:, targets], mutated_gene])
    values = np.hstack([expression, mutation])
    return _Table(
        drug=drug,
        target=(drug @ acts_on[targets].T > 0).astype(float),
        dose=dose.max(axis=1),
        components=_components(values, np.unique(line[train]), seed)[line],
        told=told[line],
        viability=viability,
        train=train,
        line=line,
    )


def _components(values: np.ndarray, trained: np.ndarray, seed: int) -> np.ndarray:
    """Principal components of the cell lines trained on, and of the others by their axes."""
    from sklearn.decomposition import PCA

    count = min(_COMPONENTS, len(trained) - 1, values.shape[1])
    if count < 1:
        return np.zeros((len(values), 1))
    model = PCA(count, random_state=seed).fit(values[trained])
    found = model.transform(values)
    scale = found[trained].std(axis=0)
    return found / np.where(scale > 0, scale, 1.0)
