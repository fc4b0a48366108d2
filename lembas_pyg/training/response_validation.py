"""Cross-validation of drug models: folds of observations, members, baselines beside."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.metrics import pearson_r
from lembas_pyg.network import select_observations
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.response_baselines import predict_response_baselines
from lembas_pyg.training.response_members import ResponseTask, earlier_results, train_member
from lembas_pyg.training.workers import run_tasks
from lembas_pyg.viability import (
    Viability,
    mean_and_spread,
    predict_viability,
    viability_table,
)

__all__ = ["OURS_RESPONSE", "ResponseValidation", "cross_validate_response"]

OURS_RESPONSE = "LEMBAS"
ONE_MEMBER = "LEMBAS, one member"
BLEND = "mean of LEMBAS and "
_TOL = 1e-6


class ResponseValidation(NamedTuple):
    """What a cross-validation of drug models found.

    Attributes:
        predictions: One row an observation: `fold`, `cell_line`, `drug`, `log10_dose`, `measured`,
            `spread` (over members), and a column for every model.
        scores: One row a model: `r` (pooled over all folds), `fold_mean`, `fold_sd`, `fold_worst`
            (of the r of folds), `mse`.
        fold_scores: `model`, `fold`, `r`, `mse`.
        members: One row a trained member: `fold`, `member`, `train_r`, `seconds`, `not_converged`
            (share of solves while training), `held_out_not_converged` (observations).
    """

    predictions: pd.DataFrame
    scores: pd.DataFrame
    fold_scores: pd.DataFrame
    members: pd.DataFrame


def cross_validate_response(
    data: Data,
    folds: np.ndarray,
    config: TrainingConfig,
    *,
    members: int = 1,
    baselines: bool = True,
    model: Callable[..., DrugResponse] = DrugResponse,
    executor: Executor | None = None,
    jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
) -> ResponseValidation:
    """Train on all observations but those of a fold, predict these, for every fold.

    Args:
        data: Network with a drug screen.
        folds: Fold of every observation ``[O]``, as from `lembas_pyg.training.response_folds` or
            `lembas_pyg.datasets.DrugViability.folds`.
        config: Settings of every training; the seed of a member follows from its seed, fold and
            number.
        members: Models a fold, averaged.
        baselines: Whether the models of `lembas_pyg.training.response_baselines` are fitted to the
            same folds. Their scores come with those of their mean with ours.
        model: Called as ``model(data, generator=..., ...)``; ``functools.partial(DrugResponse,
            relative=False)`` for other options.
        executor: Where members are trained: any `concurrent.futures.Executor`.
        jobs: Without an executor, processes on this machine, one thread each; 1 trains here.
        folder: Where what each member says is written once it is trained; a second call with the
            same arguments goes on with what is missing there.

    Returns:
        Predictions, scores and members.

    Raises:
        ValueError: The folds do not fit the data, a number is not legal, or the folder belongs to
            another cross-validation.
        FloatingPointError: The loss of a training became infinite or NaN.

    References:
        Nilsson et al. (2022), SI Fig. 18c: mean and standard deviation of the r of five folds.
    """
    for name, value in (("members", members), ("jobs", jobs)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more.")
    folds = np.asarray(folds)
    if folds.shape != (data.dose.size(1),):
        raise ValueError(
            f"folds has shape {list(folds.shape)}; it names the fold of each of the "
            f"{data.dose.size(1)} observations."
        )
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise ValueError("All observations are in one fold: nothing would be trained on.")
    tasks = [
        ResponseTask(data, config, model, int(fold), member, torch.from_numpy(folds == fold))
        for member in range(-1 if baselines else 0, members)
        for fold in numbers
    ]
    results = {}
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        results = earlier_results(tasks, Path(folder))
    missing = [task for task in tasks if task.key not in results]
    for task, found in run_tasks(_work, missing, executor=executor, jobs=jobs):
        results[task.key] = found
        if folder is not None:
            task.keep(found, Path(folder))
    return _collect(data, folds, members, results)


def _work(task: ResponseTask) -> dict[str, Any]:
    """Train one member and predict what it has not seen, or fit the baselines."""
    held_out = task.held_out
    if task.member < 0:
        found = predict_response_baselines(task.data, ~held_out, seed=task.config.seed)
        return {name: value[held_out] for name, value in found.items()}
    model, history = train_member(task)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what did not converge is part of the result
        test = select_observations(task.data, held_out.nonzero().view(-1))
        prediction = predict_viability(model, test, tol=_TOL)
    return {
        "viability": prediction.members[0],
        "train_r": float(history.table["r"].iloc[-1]),
        "seconds": float(history.table["seconds"].sum()),
        "not_converged": history.not_converged_share,
    }


def _collect(
    data: Data, folds: np.ndarray, members: int, results: dict[tuple[int, int], dict[str, Any]]
) -> ResponseValidation:
    """Predictions of all folds in the order of the observations, their scores."""
    said = torch.full((members, len(folds)), torch.nan, dtype=torch.float64)
    others: dict[str, np.ndarray] = {}
    rows = []
    for (fold, member), found in sorted(results.items()):
        place = folds == fold
        if member < 0:
            for name, value in found.items():
                others.setdefault(name, np.full(len(folds), np.nan))[place] = value.numpy()
            continue
        said[member, torch.from_numpy(place)] = found["viability"]
        kept = {key: found[key] for key in ("train_r", "seconds", "not_converged")}
        lost = int(found["viability"].isnan().sum())
        rows.append({"fold": fold, "member": member, **kept, "held_out_not_converged": lost})
    mean, spread = mean_and_spread(said)
    verdict = ~said.isnan()
    table = viability_table(data, Viability(mean, spread, said, verdict, torch.zeros_like(said)))
    table = table.rename(columns={"viability": OURS_RESPONSE})
    table.insert(0, "fold", folds)
    models = {OURS_RESPONSE: mean.numpy()}
    if members > 1:
        models[ONE_MEMBER] = said[0].numpy()
    models |= others
    # Models that err differently are better together, and a reader may want to know how much.
    models |= {BLEND + name: (mean.numpy() + value) / 2 for name, value in others.items()}
    predictions = table.assign(**models)
    by_fold = _fold_scores(predictions, list(models))
    return ResponseValidation(
        predictions, _scores(predictions, by_fold, list(models)), by_fold, pd.DataFrame(rows)
    )


def _fold_scores(predictions: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    rows = [
        {"model": name, "fold": fold, **_score(part[name], part["measured"])}
        for name in models
        for fold, part in predictions.groupby("fold")
    ]
    return pd.DataFrame(rows)


def _scores(predictions: pd.DataFrame, by_fold: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    rows = []
    for name in models:
        r = by_fold.loc[by_fold["model"] == name, "r"]
        pooled = _score(predictions[name], predictions["measured"])
        row = {"model": name, "r": pooled["r"], "fold_mean": r.mean(), "fold_sd": r.std()}
        rows.append({**row, "fold_worst": r.min(), "mse": pooled["mse"]})
    return pd.DataFrame(rows)


def _score(predicted: pd.Series, measured: pd.Series) -> dict[str, float]:
    """Pearson r and mean squared error over what was measured and has a steady state."""
    known = ~(predicted.isna() | measured.isna())
    p, m = (torch.tensor(v[known].to_numpy(np.float64)) for v in (predicted, measured))
    return {"r": pearson_r(p, m), "mse": float((p - m).square().mean())}
