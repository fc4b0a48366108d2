"""Command line: parse, call the library, write. No science here."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import time
import types
import typing
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import describe_network, knock_out, predict
from lembas_pyg.analysis.predict import MAX_STEPS, TOL
from lembas_pyg.checkpoint import activation_of, load_parameters, save, to_parameters
from lembas_pyg.demo import run_demo
from lembas_pyg.io import (
    read_annotation,
    read_conditions,
    read_interactions,
    read_parameters,
    write_conditions,
    write_parameters,
    write_tsv,
)
from lembas_pyg.io.tsv import replace_file
from lembas_pyg.metrics import mean_squared_error, pearson_r
from lembas_pyg.network import add_conditions, from_interactions, node_index, to_conditions
from lembas_pyg.nn import LEMBAS, Prediction, activation_by_name
from lembas_pyg.training import PRESETS, TrainingConfig, fit

__all__ = ["main"]

logger = logging.getLogger("lembas_pyg")

EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lembas-pyg`` and return its exit code: 0 only on success.

    Args:
        argv: Arguments without the program's name; those of the process if None.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    _speak_on_stderr()
    torch.set_num_threads(getattr(arguments, "threads", 1))
    try:
        return arguments.run(arguments) or 0
    except KeyboardInterrupt:
        return _complain("Interrupted.", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except (ValueError, OSError, ArithmeticError, RuntimeError, MemoryError) as error:
        return _complain(str(error) or type(error).__name__, EXIT_ERROR)


# ---- what each command does


def _demo(arguments: argparse.Namespace) -> int:

    result = run_demo(_folder(arguments.out), seed=arguments.seed)
    print(result.summary())
    return 0


def _info(arguments: argparse.Namespace) -> int:

    data = _network(arguments)
    for key, value in describe_network(data).items():
        print(f"{key}\t{value}")
    return 0


def _train(arguments: argparse.Namespace) -> int:

    config = TrainingConfig.preset(arguments.preset)
    chosen = {
        name: getattr(arguments, name)
        for name in _SETTINGS
        if getattr(arguments, name, None) is not None
    }
    config = dataclasses.replace(config, **chosen)
    data = _network(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    act = activation_by_name(arguments.activation, arguments.leak)
    folder = Path(arguments.out)
    _claim_run_folder(folder, resume=arguments.resume)

    model = LEMBAS(
        data, act, generator=torch.Generator().manual_seed(config.seed), **config.model_options()
    )
    if arguments.precision == "float64":
        model = model.double()
    settings = {
        "command": "train",
        "preset": arguments.preset,
        "settings": config.to_dict(),
        "activation": repr(act),
        "precision": arguments.precision,
        "inputs": {
            name: str(Path(getattr(arguments, name)).resolve())
            for name in ("network", "annotation", "ligands", "tfs")
        },
        "versions": {name: version(name) for name in ("lembas_pyg", "torch", "torch_geometric")},
    }
    _write_json(settings, folder / "config.json")
    started = time.perf_counter()
    history = fit(model, data, config, checkpoint=folder / "checkpoint.pt", resume=arguments.resume)
    seconds = time.perf_counter() - started
    write_tsv(history.table, folder / "history.tsv")
    write_parameters(to_parameters(model), folder / "parameters.tsv")
    save(model, folder / "model.safetensors")
    prediction = predict(model, data)
    write_conditions(_tf_table(data, prediction), folder / "fit.tsv")
    measured = data.y[data.tf_mask]
    summary = {
        "epochs": len(history.table),
        "interrupted": history.interrupted,
        "train r": pearson_r(prediction.y, measured),
        "train MSE": mean_squared_error(prediction.y, measured),
        "conditions not converged at the end": int((~prediction.converged).sum()),
        "share not converged while training": history.not_converged_share,
        "seconds": round(seconds, 1),
    }
    if history.best:
        model.load_state_dict(history.best)
        write_parameters(to_parameters(model), folder / "best-parameters.tsv")
        summary["epoch of the smallest loss"] = history.best_epoch
    _write_json(summary, folder / "summary.json")
    _print_history(history.table)
    for key, value in summary.items():
        print(f"{key}\t{value:.4g}" if isinstance(value, float) else f"{key}\t{value}")
    if history.interrupted:
        return _complain(
            f"Interrupted after {len(history.table)} of {config.epochs} epochs. {folder} holds the "
            f"last (parameters.tsv) and the best (best-parameters.tsv) state; the same command "
            f"with --resume goes on.",
            EXIT_INTERRUPTED,
        )
    return 0


def _predict(arguments: argparse.Namespace) -> int:

    outputs = _outputs(arguments, "out", "states")
    model, data = _model(arguments)
    perturbation = None
    if arguments.knock_out is not None:
        nodes = node_index(data, _codes(arguments.knock_out, "--knock-out"))
        perturbation = torch.zeros_like(data.x)
        perturbation[nodes] = arguments.strength
    prediction = predict(
        model, data, perturbation=perturbation, tol=arguments.tol, max_steps=arguments.max_steps
    )
    write_conditions(_tf_table(data, prediction), outputs["out"])
    if outputs["states"] is not None:
        states = prediction.h.masked_fill(~prediction.converged, torch.nan)
        write_conditions(to_conditions(data, states), outputs["states"])
    return 0


def _knock_out(arguments: argparse.Namespace) -> int:

    outputs = _outputs(arguments, "out")
    model, data = _model(arguments)
    nodes = None if arguments.nodes is None else _codes(arguments.nodes, "--nodes")
    conditions = (
        None if arguments.conditions is None else _codes(arguments.conditions, "--conditions")
    )
    table = knock_out(
        model,
        data,
        nodes,
        conditions,
        arguments.strength,
        tol=arguments.tol,
        max_steps=arguments.max_steps,
    )
    write_tsv(table, outputs["out"])
    return 0


# ---- from arguments to the library's objects


def _network(
    arguments: argparse.Namespace, *, ligands: str | None = None, tfs: str | None = None
) -> Data:
    """The network, with conditions where a ligand table is given."""
    interactions, annotation = arguments.network, arguments.annotation
    data = from_interactions(read_interactions(interactions), read_annotation(annotation))
    if ligands is None:
        return data
    measured = None if tfs is None else read_conditions(tfs)
    return add_conditions(data, read_conditions(ligands), measured)


def _model(arguments: argparse.Namespace) -> tuple[LEMBAS, Data]:
    """The trained model of a parameter text, in float64, and its network with conditions."""
    parameters = read_parameters(arguments.parameters)
    data = _network(arguments, ligands=arguments.ligands)
    model = LEMBAS(data, activation_of(parameters), radius=None).double()
    return load_parameters(model, parameters), data


def _tf_table(data: Data, prediction: Prediction) -> pd.DataFrame:
    """TF activities, blank where there is no steady state."""
    activity = prediction.y.masked_fill(~prediction.converged, torch.nan)
    return to_conditions(data, activity, data.tf_mask)


def _codes(text: str, option: str) -> list[str]:
    """Names separated by commas."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError(f"{option} '{text}' holds an empty name; give CODE or CODE,CODE,...")
    return names


def _folder(path: str) -> Path:
    """A folder that exists, made if need be."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _claim_run_folder(folder: Path, *, resume: bool) -> None:
    """Make the folder of a run, refusing to write over an earlier one."""
    if resume:
        if not (folder / "checkpoint.pt").is_file():
            raise ValueError(
                f"{folder} holds no checkpoint.pt to resume from; leave out --resume to start."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise ValueError(
            f"{folder} is not empty. Give another --out, or --resume to go on with the run in it."
        )
    _folder(str(folder))
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} is not writable.")


def _outputs(arguments: argparse.Namespace, *options: str) -> dict[str, Path | None]:
    """Files to write, refused before any work where writing would fail or lose something."""
    inputs = {
        Path(value).resolve(): name
        for name in ("network", "annotation", "parameters", "ligands")
        if (value := getattr(arguments, name, None)) is not None
    }
    found: dict[str, Path | None] = {}
    for option in options:
        value = getattr(arguments, option)
        if value is None:
            found[option] = None
            continue
        path = Path(value)
        if path.resolve() in inputs:
            raise ValueError(f"--{option} {path} is also --{inputs[path.resolve()]}.")
        if path in found.values():
            raise ValueError(f"--{option} {path} is named twice as an output.")
        if path.is_dir():
            raise IsADirectoryError(f"--{option} {path} is a folder; name a file.")
        if path.exists() and not arguments.overwrite:
            raise FileExistsError(f"--{option} {path} exists; add --overwrite to replace it.")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"--{option} {path}: the folder {path.parent} does not exist.")
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(f"--{option} {path}: the folder {path.parent} is not writable.")
        found[option] = path
    return found


# ---- what the user sees


def _print_history(table: pd.DataFrame, rows: int = 12) -> None:
    """The loss curve as a small table: some epochs from the first to the last."""
    if table.empty:
        return
    step = max(1, (len(table) - 1) // (rows - 1))
    shown = table.iloc[[*range(0, len(table) - 1, step), len(table) - 1]]
    columns = [c for c in ("epoch", "lr", "loss", "fit", "r", "rho", "not_converged") if c in shown]
    formats = {"epoch": "{:.0f}", "lr": "{:.1e}", "r": "{:.3f}", "not_converged": "{:.0f}"}
    print("\t".join(columns))
    for row in shown[columns].to_dict("records"):
        print("\t".join(formats.get(name, "{:.4f}").format(row[name]) for name in columns))


def _write_json(content: dict[str, Any], path: Path) -> None:
    with replace_file(path) as file:
        file.write(f"{json.dumps(content, indent=2)}\n".encode())


def _complain(text: str, code: int) -> int:
    """One paragraph on stderr."""
    print(f"lembas-pyg: {' '.join(text.split())}", file=sys.stderr)
    return code


def _speak_on_stderr() -> None:
    """Warnings and notes of the library, a line each, on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("lembas-pyg: %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"lembas-pyg: warning: {' '.join(str(message).split())}", file=sys.stderr)

    warnings.showwarning = show
    warnings.simplefilter("always", UserWarning)


# ---- options


class _Parser(argparse.ArgumentParser):
    """Errors of usage in one paragraph, with where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}. See '{self.prog} --help'.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lembas-pyg",
        description="Simulate cell signaling: ligand concentrations in, TF activities out. Tables "
        "are tab-separated text, conditions are rows.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('lembas_pyg')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=run)
        return sub

    demo = command("demo", _demo, "Train the embedded toy network, offline, and show what it says.")
    demo.add_argument("--out", default="demo-output", metavar="DIR", help="folder (%(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="of the random split and the training")
    _add_threads(demo)

    info = command("info", _info, "Describe a network: counts, roles, signs, components.")
    _add_network(info)

    train = command("train", _train, "Fit a model to measured TF activities.")
    _add_network(train)
    train.add_argument("--ligands", required=True, metavar="L.tsv", help="concentrations")
    train.add_argument("--tfs", required=True, metavar="T.tsv", help="measured TF activities")
    presets = "one of " + ", ".join(name.replace("_", "-") for name in PRESETS)
    train.add_argument("--preset", required=True, metavar="P", help=presets)
    train.add_argument("--out", required=True, metavar="RUN/", help="folder of the run")
    train.add_argument("--resume", action="store_true", help="go on with the run in --out")
    train.add_argument("--activation", default="MML", help="MML, leakyRelu, sigmoid")
    train.add_argument("--leak", type=float, help="slope for negative input (0.01)")
    train.add_argument("--precision", choices=["float32", "float64"], default="float32")
    _add_threads(train)
    _add_settings(train)

    predict = command("predict", _predict, "TF activities of a trained model at its steady state.")
    _add_model(predict)
    predict.add_argument("--out", required=True, metavar="Y.tsv", help="TF activities to write")
    predict.add_argument("--states", metavar="H.tsv", help="states of all nodes to write")
    predict.add_argument("--knock-out", metavar="CODE,...", help="nodes to knock out together")

    knock_out = command("knock-out", _knock_out, "Effect on every TF of knocking out each node.")
    _add_model(knock_out)
    knock_out.add_argument("--out", required=True, metavar="KO.tsv", help="long table to write")
    knock_out.add_argument("--nodes", metavar="CODE,...", help="one at a time; all if absent")
    knock_out.add_argument("--conditions", metavar="NAME,...", help="all if absent")
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", required=True, metavar="M.tsv", help="interactions")
    parser.add_argument("--annotation", required=True, metavar="A.tsv", help="names and roles")


def _add_model(parser: argparse.ArgumentParser) -> None:
    """Options of every command that asks a trained model."""
    _add_network(parser)
    parser.add_argument("--parameters", required=True, metavar="P.tsv", help="of the trained model")
    parser.add_argument("--ligands", required=True, metavar="L.tsv", help="concentrations")
    parser.add_argument(
        "--strength", type=float, default=-5.0, help="added to a knocked-out node (%(default)s)"
    )
    parser.add_argument(
        "--tol", type=_positive(float), default=TOL, help="largest change of a steady state"
    )
    parser.add_argument(
        "--max-steps", type=_positive(int), default=MAX_STEPS, help="before giving up"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    _add_threads(parser)


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=_positive(int), default=1, help="of torch; one is reproducible bit by bit"
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """One option for every setting of `TrainingConfig`; the preset decides where it is absent."""
    group = parser.add_argument_group("settings, in place of those of the preset")
    for name, kind in _SETTINGS.items():
        option = "--" + name.replace("_", "-")
        if kind is bool:
            group.add_argument(option, action=argparse.BooleanOptionalAction, default=None)
        else:
            group.add_argument(option, type=kind, default=None, metavar=kind.__name__.upper())


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """Reader of a positive number for argparse."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not 0 < value < float("inf"):
            noun = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"'{text}' is not a positive {noun}")
        return value

    return read


def _settings() -> dict[str, type]:
    """Name and type of every training setting, optional ones by the type they hold."""
    found: dict[str, type] = {}
    for name, kind in typing.get_type_hints(TrainingConfig).items():
        if isinstance(kind, types.UnionType):
            kind = next(option for option in kind.__args__ if option is not types.NoneType)
        found[name] = kind
    return found


_SETTINGS = _settings()
