"""Training: the loop around a run, its checkpoints, and a history that hides nothing."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
from torch_geometric.data import Data
from tqdm.auto import tqdm

from lembas_pyg.checkpoint import save_tensors
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.topology import has_path
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.response_run import ResponseRun, check_response_data
from lembas_pyg.training.run import Run

__all__ = ["History", "fit"]

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_CHECKPOINTS = 30.0


@dataclass
class History:
    """What happened during training.

    Attributes:
        table: One row an epoch: `epoch`, `lr`, `loss` (weighted sum), every unweighted loss term
            by name, `r` (Pearson r of the predictions made while training, noise included),
            `rho` (largest contraction rate or radius seen; a rate fluctuates around the radius, so
            the largest of many is above the largest radius), `visits` (conditions),
            `not_converged` (conditions without steady state), `adjoint_not_converged`, `clipped`
            (conditions with an active gradient clip), `seconds`.
        best: Parameters after the epoch of the smallest loss, a state dict.
        best_epoch: That epoch.
        interrupted: Whether training was stopped by the user before the last epoch.
    """

    table: pd.DataFrame
    best: dict[str, Any]
    best_epoch: int
    interrupted: bool = False

    @property
    def not_converged_share(self) -> float:
        """Share of all training conditions, over all epochs, without a steady state."""
        if self.table.empty:  # interrupted in the first epoch
            return 0.0
        return float(self.table["not_converged"].sum() / self.table["visits"].sum())


def fit(
    model: LEMBAS | DrugResponse,
    data: Data,
    config: TrainingConfig,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: bool | None = None,
) -> History:
    """Train a model on the conditions of a network, from its current parameters; in place.

    Every epoch visits each condition once, in random order. Ctrl-C ends training early: the model
    keeps the parameters of the last complete epoch, the history those of the best one.

    Args:
        model: Starts from its current parameters; trained in its own precision and device. A
            `lembas_pyg.nn.DrugResponse` is trained on the observations of a drug screen.
        data: Network with conditions, see `lembas_pyg.network.add_conditions`, or with a drug
            screen, see `lembas_pyg.network.add_drug_screen`.
        config: All settings.
        checkpoint: File to which the whole state is written now and then, and at the end.
        resume: Go on from `checkpoint` where it exists; on one thread the result is, bit for bit,
            that of a run without interruption.
        progress: Show a progress bar; on a terminal only if None.

    Returns:
        The history; the model holds the parameters of the last epoch.

    Raises:
        ValueError: The data do not fit the model, hold no measurement or no path from a ligand to
            a TF; the checkpoint belongs to another run.
        FloatingPointError: The loss became infinite or NaN; the model is that of the epoch before.
        TypeError: `config` is no `TrainingConfig`.

    References:
        Nilsson et al. (2022), Methods.
    """
    if not isinstance(config, TrainingConfig):
        raise TypeError(
            f"config is {type(config).__name__}; give a TrainingConfig, or make one of a "
            f"dictionary with TrainingConfig.from_dict."
        )
    run: Run
    if isinstance(model, DrugResponse):
        check_response_data(model, data)
        # A run asks nothing of its model that `ResponseRun` does not answer for a drug model.
        run = ResponseRun(cast(LEMBAS, model), data, config)
    else:
        check_data(model, data)
        run = Run(model, data, config)
    file = None if checkpoint is None else Path(checkpoint)
    if resume:
        if file is None:
            raise ValueError("resume=True needs checkpoint=, the file to go on from.")
        if file.exists():
            run.load(file)
    solver = model.conv.tol, model.conv.max_steps, model.conv.clip
    model.conv.tol, model.conv.max_steps = config.tol, config.max_steps
    model.conv.clip = config.adjoint_clip or None
    bar = tqdm(
        total=config.epochs,
        initial=run.epoch,
        unit="epoch",
        disable=None if progress is None else not progress,
    )
    complete, saved = run.snapshot(), time.monotonic()
    interrupted = False
    try:
        if file is not None:  # whatever happens from here on, there is something to go on from
            save_tensors(complete, file)
        while run.epoch < config.epochs:
            row = run.run_epoch()
            complete = run.snapshot()
            bar.update()
            bar.set_postfix(loss=f"{row['loss']:.4g}", r=f"{row['r']:.3f}", refresh=False)
            if file is not None and time.monotonic() - saved > _SECONDS_BETWEEN_CHECKPOINTS:
                save_tensors(complete, file)
                saved = time.monotonic()
    except FloatingPointError:
        run.restore(complete)
        raise
    except KeyboardInterrupt:
        interrupted = True
        run.restore(complete)
        logger.warning("Training interrupted after %d of %d epochs.", run.epoch, config.epochs)
    finally:
        bar.close()
        model.conv.tol, model.conv.max_steps, model.conv.clip = solver
        if file is not None:
            save_tensors(complete, file)
    return History(pd.DataFrame(run.rows), run.best, run.best_epoch, interrupted)


def check_data(model: LEMBAS, data: Data) -> None:
    """Refuse data the model cannot be trained on.

    Args:
        model: The model.
        data: Network with conditions.

    Raises:
        ValueError: The data do not fit the model, hold no measurement or no path from a ligand to
            a TF.
    """
    missing = [name for name in ("x", "y", "conditions") if name not in data]
    if missing:
        raise ValueError(
            f"The data have no {', '.join(missing)}; add conditions with "
            f"`lembas_pyg.network.add_conditions(data, ligands, tfs)`."
        )
    difference = model.network_difference(data)
    if difference is not None:
        raise ValueError(f"The data are not of the model's network: {difference}")
    if data.y[data.tf_mask].isnan().all():
        raise ValueError("No TF activity of this network was measured; there is nothing to fit.")
    if not has_path(data.ligand_mask, data.tf_mask, data.edge_index):
        raise ValueError(
            "No path leads from any ligand to any TF of this network: no stimulus can have an "
            "effect. Check the direction of the interactions and the roles in the annotation."
        )
