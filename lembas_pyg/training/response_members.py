"""Members of drug models: trained each from a seed of its own, and kept as they are done."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.checkpoint import load_tensors, save_tensors
from lembas_pyg.network import select_observations
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.response_ensemble import FORMAT, ResponseEnsemble
from lembas_pyg.training.trainer import History, fit
from lembas_pyg.training.workers import run_tasks

__all__ = ["ResponseTask", "earlier_results", "train_member", "train_responses"]

logger = logging.getLogger(__name__)

_SEEN = (
    "edge_index",
    "edge_sign",
    "drug_sign",
    "mutation_mask",
    "viability_sign",
    "dose",
    "cell_line",
    "expression",
    "mutation",
    "viability",
)
# Settings of the model among those of the training, and what a drug model calls them.
_OPTIONS = {"output_amplitude": "viability_amplitude", "radius": "radius"}


@dataclass(frozen=True)
class ResponseTask:
    """A member of a fold; member -1 are the baselines."""

    data: Data
    config: TrainingConfig
    model: Callable[..., DrugResponse]
    fold: int
    member: int
    held_out: Tensor

    def __str__(self) -> str:
        return f"fold {self.fold}, member {self.member}" if self.member >= 0 else "the baselines"

    @property
    def key(self) -> tuple[int, int]:
        return self.fold, self.member

    @property
    def file(self) -> str:
        who = f"member-{self.member:03d}" if self.member >= 0 else "baselines"
        return f"fold-{self.fold:03d}-{who}.pt"

    @property
    def seed(self) -> int:
        """Of the initial weights and the training; different in every fold and member."""
        sequence = np.random.SeedSequence([self.config.seed, self.fold, self.member])
        return int(sequence.generate_state(1)[0])

    def untrained(self) -> DrugResponse:
        """The model of the member before its training."""
        options = replace(self.config, seed=self.seed).model_options()
        return self.model(
            self.data,
            generator=torch.Generator().manual_seed(self.seed),
            **{_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS},
        )

    def keep(self, found: dict[str, Any], folder: Path) -> None:
        """Write what was found, for `earlier_results`."""
        save_tensors({"of": self.record, "found": found}, folder / self.file)

    @property
    def record(self) -> dict[str, Any]:
        """What a result depends on; a digest stands for network, inputs and measurements."""
        model = self.model
        options = model.keywords if isinstance(model, partial) else {}
        return {
            "settings": {} if self.member < 0 else self.config.to_dict(),
            "model": {} if self.member < 0 else {"format": FORMAT, **options},
            "held_out": self.held_out,
            "data": _digest(self.data),
        }


def train_responses(
    data: Data,
    config: TrainingConfig,
    *,
    members: int = 1,
    model: Callable[..., DrugResponse] = DrugResponse,
    executor: Executor | None = None,
    jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
) -> ResponseEnsemble:
    """Train drug models on all observations, each from a seed of its own.

    Args:
        data: Network with a drug screen.
        config: Settings of every training; the seed of a member follows from its seed and number.
        members: Models.
        model: Called as ``model(data, generator=..., ...)``; ``functools.partial(DrugResponse,
            relative=False)`` for other options.
        executor: Where members are trained: any `concurrent.futures.Executor`.
        jobs: Without an executor, processes on this machine, one thread each; 1 trains here.
        folder: Where each member is written once it is trained; a second call with the same
            arguments goes on with what is missing there.

    Raises:
        ValueError: The folder belongs to another training.
        FloatingPointError: The loss of a training became infinite or NaN.
    """
    nothing = torch.zeros(data.dose.size(1), dtype=torch.bool)
    tasks = [ResponseTask(data, config, model, 0, member, nothing) for member in range(members)]
    trained: dict[int, DrugResponse] = {}
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for (_, member), found in earlier_results(tasks, Path(folder)).items():
            trained[member] = tasks[member].untrained()
            trained[member].load_state_dict(found["state"])
    missing = [task for task in tasks if task.member not in trained]
    for task, (model_of_task, _) in run_tasks(train_member, missing, executor=executor, jobs=jobs):
        trained[task.member] = model_of_task
        if folder is not None:
            task.keep({"state": model_of_task.state_dict()}, Path(folder))
    return ResponseEnsemble(trained[member] for member in sorted(trained))


def train_member(task: ResponseTask) -> tuple[DrugResponse, History]:
    """Train one member on what is not held out."""
    model = task.untrained()
    train = select_observations(task.data, (~task.held_out).nonzero().view(-1))
    history = fit(model, train, replace(task.config, seed=task.seed), progress=False)
    if history.interrupted:
        raise KeyboardInterrupt  # half a training is no member
    return model, history


def earlier_results(
    tasks: list[ResponseTask], folder: Path
) -> dict[tuple[int, int], dict[str, Any]]:
    """What earlier calls have left in a folder, refused if they were other ones."""
    found = {}
    for task in tasks:
        path = folder / task.file
        if not path.is_file():
            continue
        try:
            content = load_tensors(path)
        except pickle.UnpicklingError as error:
            logger.warning("%s cannot be read: %s It is made again.", path, error)
            continue
        for name, value in task.record.items():
            there = content["of"].get(name)
            same = _same(there, value)
            if not same:
                what = "cross-validation" if bool(task.held_out.any()) else "training"
                raise ValueError(
                    f"{path} is of another {what}: it differs in {name}. Use the same "
                    f"arguments to go on, or another folder."
                )
        found[task.key] = content["found"]
    return found


def _digest(data: Data) -> str:
    """Of everything in the data that a drug model or a baseline sees."""
    digest = hashlib.sha256()
    for name in _SEEN:
        digest.update(data[name].cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, Tensor) and isinstance(here, Tensor):
        return torch.equal(there, here)
    return type(there) is type(here) and there == here
