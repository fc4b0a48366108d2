"""Cross-validation: every fold and member trained apart, baselines beside, nothing done twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pickle
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor
from torch_geometric.data import Data
from tqdm.auto import tqdm

from lembas_pyg.checkpoint import load_tensors, save_tensors
from lembas_pyg.io.replace import replace_file
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.surrogate import find_surrogate
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.cross_validation_results import (
    OURS,
    CrossValidation,
    collect,
)
from lembas_pyg.training.folds import check_folds
from lembas_pyg.training.tasks import BaselinesTask, MemberTask, attempt_member, fit_baselines
from lembas_pyg.training.trainer import check_data
from lembas_pyg.training.workers import run_tasks

__all__ = ["OURS", "CrossValidation", "cross_validate"]

logger = logging.getLogger(__name__)

_FORMAT = "lembas_pyg cross-validation 2"


def cross_validate(
    data: Data,
    folds: pd.DataFrame,
    config: TrainingConfig,
    *,
    model: Callable[..., LEMBAS] = LEMBAS,
    members: int = 1,
    baselines: bool = True,
    costimulus: str | None = None,
    scramble: bool = False,
    executor: Executor | None = None,
    jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> CrossValidation:
    """Train on all conditions but those of a fold, predict these, for every fold.

    Conditions that are in no fold are always trained on. Predictions of models and baselines are
    clipped to [0, 1]. The seed of a member follows from ``config.seed``, its fold and its number,
    so results do not depend on where or in which order folds are trained.

    Args:
        data: Network with measured conditions.
        folds: Index (number of the fold) and Condition, one row a held-out condition, as from
            `lembas_pyg.io.read_folds` or `lembas_pyg.training.leave_one_out`.
        config: Settings of every training.
        model: Called as ``model(data, generator=..., **config.model_options())``;
            ``functools.partial(LEMBAS, act=...)`` for another activation.
        members: Models a fold, averaged.
        baselines: Whether the models of `lembas_pyg.training.baselines` are fitted to the same
            folds.
        costimulus: Accession or symbol of a ligand; one baseline is the mean with and without it.
        scramble: Whether measurements are permuted among the conditions that are trained on: a
            null, which shows what a model reaches that learns nothing but the mean of every TF.
        executor: Where members are trained: any `concurrent.futures.Executor`, such as that of a
            Dask client; the caller shuts it down. Its workers need this package.
        jobs: Without an executor, processes on this machine, one thread each; 1 trains here. A
            script that asks for more needs ``if __name__ == "__main__":``.
        folder: Where each member is written once it is trained; a second call with the same
            arguments goes on with what is missing there. Calls with other folds of one table may
            share it, also at the same time and from several machines; a last call with all folds
            then has nothing left to train.
        progress: Show a progress bar; on a terminal only if None.

    Returns:
        Predictions, scores and members.

    Raises:
        TypeError: `folds` or `config` is of another type.
        ValueError: The folds do not fit the data, a number is not legal, or the folder belongs to
            another cross-validation.
        FloatingPointError: The loss of a training became infinite or NaN. With a folder all other
            members are trained first and kept there; a second call repeats only those that failed.
        RuntimeError: A worker died again and again; what was trained is in the folder.

    References:
        Nilsson et al. (2022), Fig. 6c, SI Fig. 15: pooled Pearson correlation over all folds.
    """
    if not isinstance(config, TrainingConfig):
        raise TypeError(f"config is {type(config).__name__}; give a TrainingConfig.")
    for name, value in (("members", members), ("jobs", jobs)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more.")
    held_out = check_folds(folds, data)
    check_data(model(data), data)
    if config.surrogate_variable:
        logger.info("In all conditions: %s. Each fold looks for its own.", find_surrogate(data))
    tasks = [
        MemberTask(data, config, model, fold, member, names, scramble)
        for member in range(members)
        for fold, names in held_out.items()
    ]
    place = None if folder is None else _open_folder(Path(folder), tasks)
    results = _train_all(tasks, place, executor, jobs, progress)
    others: dict[int, dict[str, Tensor]] = {}
    if baselines:
        asked = [
            BaselinesTask(data, config, costimulus, fold, names) for fold, names in held_out.items()
        ]
        done = run_tasks(fit_baselines, asked, executor=executor, jobs=jobs)
        others = {task.fold: found for task, found in done}
    return collect(data, held_out, members, results, others)


def _train_all(
    tasks: list[MemberTask],
    folder: Path | None,
    executor: Executor | None,
    jobs: int,
    progress: bool | None,
) -> dict[tuple[int, int], dict[str, Any]]:
    """Results of all tasks: those in the folder, and the others trained."""
    results = {}
    if folder is not None:
        for task in tasks:
            earlier = _trained_before(task, folder)
            if earlier is not None:
                results[task.fold, task.member] = earlier
    missing = [task for task in tasks if (task.fold, task.member) not in results]
    if results:
        logger.info("%d of %d members were trained before.", len(results), len(tasks))
    bar = tqdm(
        total=len(tasks),
        initial=len(results),
        unit="member",
        disable=None if progress is None else not progress,
    )
    diverged: list[tuple[MemberTask, FloatingPointError]] = []
    with bar:
        for task, result in run_tasks(attempt_member, missing, executor=executor, jobs=jobs):
            if isinstance(result, FloatingPointError):
                diverged.append((task, result))
                if folder is None:  # nothing would be kept of the others
                    break
                logger.warning("%s diverged; the others are trained first. %s", task, result)
                continue
            if result["interrupted"]:
                raise KeyboardInterrupt
            if folder is not None:
                save_tensors(result, folder / task.file)
            results[task.fold, task.member] = result
            bar.update()
            bar.set_postfix(fold=task.fold, train_r=f"{result['train_r']:.3f}", refresh=False)
    if diverged:
        raise _divergence(diverged, folder, len(results))
    return results


def _divergence(
    diverged: list[tuple[MemberTask, FloatingPointError]], folder: Path | None, trained: int
) -> FloatingPointError:
    """Which trainings diverged, and what to do with the others."""
    diverged = sorted(diverged, key=lambda pair: (pair[0].fold, pair[0].member))
    first, error = diverged[0]
    listed = "; ".join(str(task) for task, _ in diverged[:5])
    if len(diverged) > 5:
        listed += f" and {len(diverged) - 5} more"
    numbers = list(dict.fromkeys(task.fold for task, _ in diverged))
    folds = f"fold{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
    text = f"The training of {listed} diverged."
    if len(diverged) > 1:
        text += f" Of {first}:"
    text += (
        f" {error} As all members are trained alike, other settings start a new cross-validation"
    )
    if folder is None:
        text += ". With folder= the other members would have been trained and kept."
    else:
        text += (
            f", in another folder. The {trained} members that did not diverge are kept in "
            f"{folder}: the same call repeats only the others, and one without {folds} has "
            f"nothing left to train."
        )
    return FloatingPointError(text)


def _trained_before(task: MemberTask, folder: Path) -> dict[str, Any] | None:
    """What an earlier call has left of a task; None if there is nothing that can be read."""
    path = folder / task.file
    if not path.is_file():
        return None
    try:
        result = load_tensors(path)
    except pickle.UnpicklingError as error:
        logger.warning("%s cannot be read: %s %s is trained again.", path, error, task)
        return None
    if result["held_out"] != task.held_out:
        raise _another(folder, ["folds"])
    return result


def _open_folder(folder: Path, tasks: list[MemberTask]) -> Path:
    """The folder of the members, refused where it belongs to another cross-validation."""
    first = tasks[0]
    data = hashlib.sha256()
    for tensor in (
        first.data.edge_index,
        first.data.edge_sign,
        first.data.x,
        first.data.y,
    ):
        data.update(tensor.cpu().contiguous().numpy().tobytes())
    record = {
        "format": _FORMAT,
        "settings": first.config.to_dict(),
        "model": _describe(first.model),
        "scramble": first.scramble,
        "data": data.hexdigest(),
    }
    path = folder / "members.json"
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is damaged; use another folder.") from error
        earlier["settings"] = first.config.defaults | dict(earlier.get("settings") or {})
        changed = [name for name, value in record.items() if earlier.get(name) != value]
        if changed:
            raise _another(folder, changed)
    else:
        with replace_file(path) as file:
            file.write(json.dumps(record, indent=1).encode())
    return folder


def _another(folder: Path, changed: list[str]) -> ValueError:
    return ValueError(
        f"{folder} holds members of another cross-validation: it differs in {', '.join(changed)}. "
        f"Use the same arguments to go on, or another folder."
    )


def _describe(model: Callable[..., LEMBAS]) -> str:
    if isinstance(model, partial):
        return f"{_describe(model.func)} {model.args} {model.keywords}"
    return f"{getattr(model, '__module__', '')}.{getattr(model, '__qualname__', repr(model))}"
