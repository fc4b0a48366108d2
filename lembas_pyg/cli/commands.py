"""What each command does: arguments to the library's objects, a call, and what is written.

Torch and PyG take seconds to import, so each command imports what it needs once its arguments
are known to be good; `--help` and errors of usage answer at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import re
import time
from functools import partial
from typing import TYPE_CHECKING

from lembas_pyg.cli import cross_validation, runs
from lembas_pyg.cli.files import check_folder, check_outputs, is_unused
from lembas_pyg.cli.inputs import (
    activation_of,
    model_of,
    network_of,
    refuse,
    set_threads,
    solver_options,
    strength_of,
)
from lembas_pyg.cli.settings import SETTINGS, option_name
from lembas_pyg.cli.speech import complain
from lembas_pyg.training.config import TrainingConfig

if TYPE_CHECKING:
    pass

__all__ = ["cross_validate", "demo", "info", "predict", "train"]

logger = logging.getLogger(__name__)

EXIT_INTERRUPTED = 130


def demo(arguments: argparse.Namespace) -> int:
    """Train the toy network and say what was found."""
    folder = arguments.out
    check_folder(folder, "--out")
    is_earlier_demo = (folder / "recovered-parameters.tsv").is_file()  # the first that is written
    if not is_earlier_demo and not is_unused(folder):
        raise ValueError(
            f"--out {folder} is not empty, and the demo replaces files; name another folder."
        )

    from lembas_pyg.demo import run_demo

    set_threads(arguments)
    print(run_demo(folder, seed=arguments.seed).summary())
    return 0


def info(arguments: argparse.Namespace) -> int:
    """Describe a network."""
    from lembas_pyg.analysis import describe_network

    for key, value in describe_network(network_of(arguments)).items():
        print(f"{key}\t{round(value, 6)}")
    return 0


def train(arguments: argparse.Namespace) -> int:
    """Fit a model, in a folder of its own."""
    config = _config(arguments)
    folder = arguments.out
    runs.check_run_folder(folder, resume=arguments.resume)

    import torch

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import fit
    from lembas_pyg.training.trainer import check_data

    set_threads(arguments)
    act = activation_of(arguments)
    data = network_of(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    if config.surrogate_variable:
        logger.info(
            "A surrogate variable is told in cross-validation alone: a model of the plain network "
            "is trained. `lembas_pyg.surrogate` adds it to a network in Python."
        )
    model = LEMBAS(
        data, act, generator=torch.Generator().manual_seed(config.seed), **config.model_options()
    )
    if arguments.precision == "float64":
        model = model.double()
    check_data(model, data)
    record = runs.record_of(arguments, config, act)
    if arguments.resume:
        runs.check_same_run(folder, record)
        for partial in folder.glob(".*.partial"):  # of a run that was killed while it wrote
            partial.unlink(missing_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        runs.write_json(record, folder / "config.json")
    try:
        history = fit(
            model, data, config, checkpoint=folder / "checkpoint.pt", resume=arguments.resume
        )
    except FloatingPointError as error:
        raise FloatingPointError(
            f"{error} {folder} holds the state before it (checkpoint.pt); name another --out."
        ) from error
    summary = runs.write_run(folder, model, data, history)
    runs.print_history(history.table)
    for key, value in summary.items():
        print(f"{key}\t{value:.4g}" if isinstance(value, float) else f"{key}\t{value}")
    if history.interrupted:
        return complain(
            f"Interrupted after {len(history.table)} of {config.epochs} epochs. {folder} holds the "
            f"last parameters (parameters.tsv) and, after the first epoch, the best "
            f"(best-parameters.tsv); the same command with --resume goes on.",
            EXIT_INTERRUPTED,
        )
    return 0


def cross_validate(arguments: argparse.Namespace) -> int:
    """Hold out fold after fold; predictions, scores and a report in a folder."""
    if arguments.nulls is None and arguments.null_repeats is not None:
        refuse(arguments, "argument --null-repeats: there are no nulls; add --nulls NAME,...")
    if arguments.nulls is not None and arguments.scramble:
        refuse(
            arguments,
            "argument --nulls: with --scramble the run is itself a null, and there is nothing to "
            "compare others with; leave one of the two out",
        )
    config = _config(arguments)
    folder = arguments.out
    cross_validation.check_folder_of_folds(folder, resume=arguments.resume)

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import compare_nulls, cross_validate
    from lembas_pyg.training.nulls import check_nulls

    set_threads(arguments)
    act = activation_of(arguments)
    data = network_of(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    folds = cross_validation.folds_of(arguments, data)
    model = partial(LEMBAS, act=act)
    chosen = cross_validation.null_options(arguments)
    if chosen is not None:
        check_nulls(data, folds, chosen["nulls"], model)  # before hours of training
    started = time.monotonic()
    found = cross_validate(
        data,
        folds,
        config,
        model=model,
        members=arguments.members,
        baselines=arguments.baselines,
        costimulus=arguments.costimulus,
        scramble=arguments.scramble,
        jobs=arguments.jobs,
        folder=folder / "members",
    )
    write = partial(cross_validation.write_results, folder, config, arguments, repr(act))
    summary = write(found, time.monotonic() - started)
    if chosen is not None:
        nulls = compare_nulls(
            data,
            folds,
            config,
            model=model,
            jobs=arguments.jobs,
            folder=folder / "nulls",
            reference=found,
            **chosen,
        )
        found = cross_validation.join_nulls(found, nulls)
        summary = write(found, time.monotonic() - started, nulls)
    cross_validation.print_scores(found.scores)
    for key, value in summary.items():
        print(f"{key}\t{value:.4g}" if isinstance(value, float) else f"{key}\t{value}")
    return 0


def predict(arguments: argparse.Namespace) -> int:
    """Write TF activities, and states if asked to."""
    if arguments.strength is not None and arguments.knock_out is None:
        refuse(arguments, "argument --strength: nothing is knocked out; add --knock-out CODE")
    outputs = check_outputs(arguments, "out", "states")

    import torch

    from lembas_pyg.io import write_conditions
    from lembas_pyg.network import node_index, to_conditions
    from lembas_pyg.prediction import predict, tf_table

    model, data = model_of(arguments)
    perturbation = None
    if arguments.knock_out is not None:
        perturbation = torch.zeros_like(data.x)
        perturbation[node_index(data, arguments.knock_out)] = strength_of(arguments)
    prediction = predict(model, data, perturbation=perturbation, **solver_options(arguments))
    write_conditions(tf_table(data, prediction), outputs["out"])
    if "states" in outputs:
        states = prediction.h.masked_fill(~prediction.converged, torch.nan)
        write_conditions(to_conditions(data, states), outputs["states"])
    if not prediction.converged.any():
        raise RuntimeError("No condition has a steady state: all that was written is blank.")
    return 0


def _config(arguments: argparse.Namespace) -> TrainingConfig:
    """Settings of the preset, with those that were given in their place."""
    chosen = {name: value for name in SETTINGS if (value := getattr(arguments, name)) is not None}
    try:
        return dataclasses.replace(TrainingConfig.preset(arguments.preset), **chosen)
    except ValueError as error:
        blamed = [name for name in chosen if re.search(rf"\b{name}\b", str(error))]
        refuse(arguments, f"argument {', '.join(map(option_name, blamed))}: {error}")
