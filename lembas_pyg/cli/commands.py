"""What each command does: arguments to the library's objects, a call, and what is written.

Torch and PyG take seconds to import, so each command imports what it needs once its arguments
are known to be good; `--help` and errors of usage answer at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import logging
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lembas_pyg.cli import cross_validation, runs
from lembas_pyg.cli.files import check_folder, check_outputs
from lembas_pyg.cli.settings import SETTINGS, option_name
from lembas_pyg.cli.speech import complain
from lembas_pyg.cli.values import Parser
from lembas_pyg.training.config import TrainingConfig

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.nn.activations import Activation

__all__ = ["cross_validate", "demo", "info", "knock_out", "predict", "train"]

logger = logging.getLogger(__name__)

EXIT_INTERRUPTED = 130


def demo(arguments: argparse.Namespace) -> int:
    """Train the toy network and say what was found."""
    folder = arguments.out
    check_folder(folder, "--out")
    is_earlier_demo = (folder / "recovered-parameters.tsv").is_file()
    if folder.is_dir() and any(folder.iterdir()) and not is_earlier_demo:
        raise ValueError(
            f"--out {folder} is not empty, and the demo replaces files; name another folder."
        )

    from lembas_pyg.demo import run_demo

    _set_threads(arguments)
    print(run_demo(folder, seed=arguments.seed).summary())
    return 0


def info(arguments: argparse.Namespace) -> int:
    """Describe a network."""
    from lembas_pyg.analysis import describe_network

    for key, value in describe_network(_network(arguments)).items():
        print(f"{key}\t{value}")
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

    _set_threads(arguments)
    act = _activation(arguments)
    data = _network(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    if config.hidden_batches:
        logger.info(
            "Hidden batches are told in cross-validation alone: a model of the plain network is "
            "trained. `lembas_pyg.batches` adds them to a network in Python."
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
        _refuse(arguments, "argument --null-repeats: there are no nulls; add --nulls NAME,...")
    if arguments.nulls is not None and arguments.scramble:
        _refuse(
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

    _set_threads(arguments)
    act = _activation(arguments)
    data = _network(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
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
        _refuse(arguments, "argument --strength: nothing is knocked out; add --knock-out CODE")
    outputs = check_outputs(arguments, "out", "states")

    import torch

    from lembas_pyg.io import write_conditions
    from lembas_pyg.network import node_index, to_conditions
    from lembas_pyg.prediction import predict, tf_table

    model, data = _model(arguments)
    perturbation = None
    if arguments.knock_out is not None:
        perturbation = torch.zeros_like(data.x)
        perturbation[node_index(data, arguments.knock_out)] = _strength(arguments)
    prediction = predict(model, data, perturbation=perturbation, **_solver_options(arguments))
    write_conditions(tf_table(data, prediction), outputs["out"])
    if "states" in outputs:
        states = prediction.h.masked_fill(~prediction.converged, torch.nan)
        write_conditions(to_conditions(data, states), outputs["states"])
    if not prediction.converged.any():
        raise RuntimeError("No condition has a steady state: all that was written is blank.")
    return 0


def knock_out(arguments: argparse.Namespace) -> int:
    """Write the effect of every knock-out."""
    outputs = check_outputs(arguments, "out")

    from lembas_pyg.analysis import knock_out
    from lembas_pyg.io import write_tsv

    model, data = _model(arguments)
    table = knock_out(
        model,
        data,
        arguments.nodes,
        arguments.conditions,
        _strength(arguments),
        **_solver_options(arguments),
    )
    write_tsv(table, outputs["out"])
    if table["delta"].isna().all():
        raise RuntimeError("No knock-out has a steady state: all effects written are blank.")
    return 0


def _refuse(arguments: argparse.Namespace, text: str) -> NoReturn:
    """End with an error of usage that argparse could not see."""
    parser: Parser = arguments.parser
    parser.error(text)


def _config(arguments: argparse.Namespace) -> TrainingConfig:
    """Settings of the preset, with those that were given in their place."""
    chosen = {name: value for name in SETTINGS if (value := getattr(arguments, name)) is not None}
    try:
        return dataclasses.replace(TrainingConfig.preset(arguments.preset), **chosen)
    except ValueError as error:
        blamed = [name for name in chosen if re.search(rf"\b{name}\b", str(error))]
        _refuse(arguments, f"argument {', '.join(map(option_name, blamed))}: {error}")


def _activation(arguments: argparse.Namespace) -> Activation:
    from lembas_pyg.nn import activation_by_name

    try:
        return activation_by_name(arguments.activation, arguments.leak)
    except ValueError as error:
        _refuse(arguments, f"argument --activation, --leak: {error}")


def _network(
    arguments: argparse.Namespace, *, ligands: Path | None = None, tfs: Path | None = None
) -> Data:
    """The network, with conditions where a ligand table is given."""
    from lembas_pyg.io import read_annotation, read_conditions, read_interactions
    from lembas_pyg.network import add_conditions, from_interactions

    interactions = read_interactions(arguments.network)
    data = from_interactions(interactions, read_annotation(arguments.annotation))
    if ligands is None:
        return data
    measured = None if tfs is None else read_conditions(tfs)
    return add_conditions(data, read_conditions(ligands), measured)


def _model(arguments: argparse.Namespace) -> tuple[LEMBAS, Data]:
    """The trained model of a parameter text, in float64, and its network with conditions."""
    from lembas_pyg.checkpoint import activation_of, load_parameters
    from lembas_pyg.io import read_parameters
    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.topology import has_path

    _set_threads(arguments)
    # Only some commands compare with measurements.
    tfs = getattr(arguments, "tfs", None)
    data = _network(arguments, ligands=arguments.ligands, tfs=tfs)
    parameters = read_parameters(arguments.parameters)
    with _blaming(f"--parameters {arguments.parameters}"):
        act = activation_of(parameters)
    model = LEMBAS(data, act, radius=None).double()
    with _blaming(f"--parameters {arguments.parameters}"):
        load_parameters(model, parameters)
    if not has_path(data.ligand_mask, data.tf_mask, data.edge_index):
        warnings.warn(
            "No path leads from any ligand to any TF of this network: the predicted activities "
            "are the same in every condition.",
            stacklevel=2,
        )
    return model, data


@contextmanager
def _blaming(what: str) -> Iterator[None]:
    """Say which option an error is about, where the library cannot know."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def _set_threads(arguments: argparse.Namespace) -> None:
    import torch

    torch.set_num_threads(arguments.threads)


def _strength(arguments: argparse.Namespace) -> float:
    """The strength that was given, or that of the library's knock-outs."""
    from lembas_pyg.analysis import knock_out

    default = inspect.signature(knock_out).parameters["strength"].default
    return default if arguments.strength is None else arguments.strength


def _solver_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The solver's options that were given; the library knows the others."""
    given = {name: getattr(arguments, name) for name in ("tol", "max_steps")}
    return {name: value for name, value in given.items() if value is not None}
