"""Cross-validation: every fold and member trained apart, baselines beside, nothing done twice."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import pickle
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data
from tqdm.auto import tqdm

from lembas_pyg.checkpoint import load_tensors, save_tensors
from lembas_pyg.io.tsv import replace_file
from lembas_pyg.network import select_conditions
from lembas_pyg.nn.lembas import LEMBAS, Prediction
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.prediction import predict
from lembas_pyg.surrogate import SURROGATE, SurrogateVariable, add_covariate, find_surrogate
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.cross_validation_results import (
    OURS,
    TOLD,
    CrossValidation,
    collect,
    course_of,
)
from lembas_pyg.training.folds import check_folds
from lembas_pyg.training.trainer import check_data, fit
from lembas_pyg.training.workers import run_tasks

__all__ = ["OURS", "CrossValidation", "cross_validate"]

logger = logging.getLogger(__name__)

_FORMAT = "lembas_pyg cross-validation 2"
# Where an unknown surrogate variable is averaged over, as shares of the conditions that tell of it.
_SHARES = torch.linspace(0.05, 0.95, 10)


@dataclass(frozen=True)
class _Task:
    """One member of one fold: all that a worker has to know."""

    data: Data
    config: TrainingConfig
    model: Callable[..., LEMBAS]
    fold: int
    member: int
    held_out: list[str]
    scramble: bool

    def __str__(self) -> str:
        return f"fold {self.fold}, member {self.member}"

    @property
    def file(self) -> str:
        return f"fold-{self.fold:03d}-member-{self.member:03d}.pt"

    @property
    def seed(self) -> int:
        """Of the initial weights and the training; different in every fold and member."""
        sequence = np.random.SeedSequence([self.config.seed, self.fold, self.member])
        return int(sequence.generate_state(1)[0])

    def __getstate__(self) -> dict[str, Any]:
        """With little to send: most entries of the data are 0 or unknown."""
        return self.__dict__ | {"data": zlib.compress(pickle.dumps(self.data), 1)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"data": pickle.loads(zlib.decompress(state["data"]))})


@dataclass(frozen=True)
class _Baselines:
    """One fold of all baselines."""

    data: Data
    config: TrainingConfig
    costimulus: str | None
    fold: int
    held_out: list[str]

    def __str__(self) -> str:
        return f"the baselines of fold {self.fold}"


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
        _Task(data, config, model, fold, member, names, scramble)
        for member in range(members)
        for fold, names in held_out.items()
    ]
    place = None if folder is None else _open_folder(Path(folder), tasks)
    results = _train_all(tasks, place, executor, jobs, progress)
    others: dict[int, dict[str, Tensor]] = {}
    if baselines:
        asked = [
            _Baselines(data, config, costimulus, fold, names) for fold, names in held_out.items()
        ]
        done = run_tasks(_baselines, asked, executor=executor, jobs=jobs)
        others = {task.fold: found for task, found in done}
    return collect(data, held_out, members, results, others)


def _attempt_member(task: _Task) -> dict[str, Any] | FloatingPointError:
    """Train one member; divergence is a result, so that it does not end the training of others."""
    try:
        return _train_member(task)
    except FloatingPointError as error:
        return error.with_traceback(None)  # which would hold the tensors of the training


def _train_member(task: _Task) -> dict[str, Any]:
    """Train one member of one fold and predict what it has not seen."""
    data, seed = task.data, task.seed
    train = select_conditions(data, [c for c in data.conditions if c not in set(task.held_out)])
    if task.scramble:
        order = np.random.default_rng(seed).permutation(train.y.size(1))
        train.y = train.y[:, torch.from_numpy(order)]
    config = replace(task.config, seed=seed)
    if config.surrogate_variable:  # what is held out may not tell its own value
        surrogate = find_surrogate(train)
        data = add_covariate(data, SURROGATE, surrogate.of(data.x))
        train = add_covariate(train, SURROGATE, surrogate.value)
    generator = torch.Generator().manual_seed(seed)
    model = task.model(data, generator=generator, **config.model_options())
    history = fit(model, train, config, progress=False)
    if history.interrupted:
        return {"interrupted": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what did not converge is part of the result
        prediction = predict(model, data, task.held_out)
        if config.surrogate_variable:
            prediction = _over_values(model, data, task.held_out, surrogate, prediction)
    return {
        "held_out": task.held_out,
        "y": prediction.y,
        "converged": prediction.converged,
        "residual": prediction.residual,
        "radius": _radius(model, data, task.held_out, prediction.h),
        "seed": seed,
        "train_r": float(history.table["r"].iloc[-1]),
        "seconds": float(history.table["seconds"].sum()),
        "not_converged": history.not_converged_share,
        "interrupted": False,
        "history": course_of(history),
        "state": {
            name: value
            for name, value in model.state_dict().items()
            if isinstance(value, Tensor) and value.is_floating_point()
        },
    }


def _over_values(
    model: LEMBAS,
    data: Data,
    conditions: list[str],
    surrogate: SurrogateVariable,
    prediction: Prediction,
) -> Prediction:
    """Activities averaged over values of the surrogate variable where none is known.

    The answer to an average value is another one, and no cell may have it. Values are those of the
    conditions that come closest (`SurrogateVariable.relatives`). A condition converged if it did
    with each of them.
    """
    part = select_conditions(data, conditions)
    unknown = ~surrogate.known(part.x[:-1])
    if not surrogate.found or not bool(unknown.any()):
        return prediction
    part = select_conditions(
        part, [name for name, is_ in zip(conditions, unknown.tolist(), strict=True) if is_]
    )
    shares = _SHARES.to(surrogate.value)
    values = torch.stack(  # [10, S']
        [surrogate.value[row].quantile(shares) for row in surrogate.relatives(part.x[:-1])], dim=1
    )
    answers = []
    for row in values:
        part.x[-1] = row
        answers.append(predict(model, part))
    y, residual = prediction.y.clone(), prediction.residual.clone()
    converged = prediction.converged.clone()
    y[:, unknown] = torch.stack([answer.y.clamp(0, 1) for answer in answers]).mean(dim=0)
    residual[unknown] = torch.stack([answer.residual for answer in answers]).amax(dim=0)
    converged[unknown] = torch.stack([answer.converged for answer in answers]).all(dim=0)
    return prediction._replace(y=y, residual=residual, converged=converged)


def _radius(model: LEMBAS, data: Data, conditions: list[str], h: Tensor) -> Tensor:
    """Exact spectral radius at the state of every held-out condition."""
    exact = copy.deepcopy(model).double()
    x = data.x[:, [data.conditions[name] for name in conditions]].double()
    slope = exact.slope(h, x)
    weight = exact.conv.edge_weight.detach()
    found = []
    for column in slope.T:
        scaled = weight * column[exact.edge_index[1]]
        finite = bool(scaled.isfinite().all())
        radius = spectral_radius(exact.edge_index, scaled, exact.num_nodes) if finite else torch.inf
        found.append(float(radius))
    return torch.tensor(found, dtype=torch.double)


def _train_all(
    tasks: list[_Task],
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
    diverged: list[tuple[_Task, FloatingPointError]] = []
    with bar:
        for task, result in run_tasks(_attempt_member, missing, executor=executor, jobs=jobs):
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
    diverged: list[tuple[_Task, FloatingPointError]], folder: Path | None, trained: int
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


def _trained_before(task: _Task, folder: Path) -> dict[str, Any] | None:
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


def _open_folder(folder: Path, tasks: list[_Task]) -> Path:
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


def _baselines(task: _Baselines) -> dict[str, Tensor]:
    """What models that know no network predict of a fold.

    Where ours is told of a surrogate variable, so is a second set of them.
    """
    data, held_out, config = task.data, task.held_out, task.config
    costimulus = task.costimulus
    from lembas_pyg.network import node_index
    from lembas_pyg.training.baselines import (
        MEAN_WITHIN,
        REGRESSIONS,
        mean_within,
        predict_baselines,
    )

    train = select_conditions(data, [name for name in data.conditions if name not in set(held_out)])
    test = select_conditions(data, held_out)
    ligands = data.ligand_mask.nonzero().view(-1)
    y = train.y[data.tf_mask].T.double().numpy()
    x, z = (part.x[ligands].T.double().numpy() for part in (train, test))
    position = None
    if costimulus is not None:
        by = "name" if costimulus in data.node_name else "label"
        position = ligands.tolist().index(int(node_index(data, **{by: costimulus})))
    found = predict_baselines(x, y, z, costimulus=position, seed=config.seed)
    if config.surrogate_variable:
        surrogate = find_surrogate(train)
        label, told = (part.numpy()[:, None] for part in (surrogate.value, surrogate.of(test.x)))
        wide = np.hstack([x, label]), y, np.hstack([z, told])
        more = predict_baselines(*wide, names=REGRESSIONS, seed=config.seed)
        if position is not None:
            # Both as ligands of their own: nothing else tells the conditions apart.
            cells = (
                np.hstack([x[:, [position]], label.round()]),
                y,
                np.hstack([z[:, [position]], told.round()]),
            )
            more[MEAN_WITHIN] = mean_within(*cells).clip(0, 1)
        found |= {f"{name}{TOLD}": value for name, value in more.items()}
    return {name: torch.from_numpy(np.ascontiguousarray(value.T)) for name, value in found.items()}
