"""Command line: parse, call the library, write. No science here.

Torch and PyG take seconds to import, so each command imports what it needs once its arguments
are known to be good; `--help` and errors of usage answer at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import inspect
import json
import logging
import math
import os
import re
import signal
import sys
import threading
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lembas_pyg.training.config import PRESETS, TrainingConfig

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS, Prediction
    from lembas_pyg.nn.activations import Activation
    from lembas_pyg.training import History

__all__ = ["main"]

logger = logging.getLogger("lembas_pyg")

EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lembas-pyg`` and return its exit code: 0 only on success.

    Args:
        argv: Arguments without the program's name; those of the process if None.
    """
    try:
        with _speaking_on_stderr(), _ending_in_order():
            arguments = _parser().parse_args(argv)
            code = arguments.run(arguments) or 0
            print(end="", flush=True)  # also where there is no stdout
            return code
    except SystemExit as end:  # argparse has said what there is to say
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return _complain("Interrupted.", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except (ValueError, OSError, ArithmeticError, RuntimeError, MemoryError, ImportError) as error:
        return _complain(f"error: {_describe(error)}", EXIT_ERROR)


# ---- what each command does


def _demo(arguments: argparse.Namespace) -> int:
    folder = arguments.out
    _check_folder(folder, "--out")
    is_earlier_demo = (folder / "recovered-parameters.tsv").is_file()
    if folder.is_dir() and any(folder.iterdir()) and not is_earlier_demo:
        raise ValueError(
            f"--out {folder} is not empty, and the demo replaces files; name another folder."
        )

    from lembas_pyg.demo import run_demo

    _set_threads(arguments)
    print(run_demo(folder, seed=arguments.seed).summary())
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from lembas_pyg.analysis import describe_network

    for key, value in describe_network(_network(arguments)).items():
        print(f"{key}\t{value}")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    folder = arguments.out
    _check_run_folder(folder, resume=arguments.resume)

    import torch

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import fit
    from lembas_pyg.training.trainer import check_data

    _set_threads(arguments)
    act = _activation(arguments)
    data = _network(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    model = LEMBAS(
        data, act, generator=torch.Generator().manual_seed(config.seed), **config.model_options()
    )
    if arguments.precision == "float64":
        model = model.double()
    check_data(model, data)
    record = _record(arguments, config, act)
    if arguments.resume:
        _check_same_run(folder, record)
        for partial in folder.glob(".*.partial"):  # of a run that was killed while it wrote
            partial.unlink(missing_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(record, folder / "config.json")
    try:
        history = fit(
            model, data, config, checkpoint=folder / "checkpoint.pt", resume=arguments.resume
        )
    except FloatingPointError as error:
        raise FloatingPointError(
            f"{error} {folder} holds the state before it (checkpoint.pt); name another --out."
        ) from error
    summary = _write_run(folder, model, data, history)
    _print_history(history.table)
    for key, value in summary.items():
        print(f"{key}\t{value:.4g}" if isinstance(value, float) else f"{key}\t{value}")
    if history.interrupted:
        return _complain(
            f"Interrupted after {len(history.table)} of {config.epochs} epochs. {folder} holds the "
            f"last parameters (parameters.tsv) and, after the first epoch, the best "
            f"(best-parameters.tsv); the same command with --resume goes on.",
            EXIT_INTERRUPTED,
        )
    return 0


def _predict(arguments: argparse.Namespace) -> int:
    if arguments.strength is not None and arguments.knock_out is None:
        _refuse(arguments, "argument --strength: nothing is knocked out; add --knock-out CODE")
    outputs = _outputs(arguments, "out", "states")

    import torch

    from lembas_pyg.analysis import predict
    from lembas_pyg.io import write_conditions
    from lembas_pyg.network import node_index, to_conditions

    model, data = _model(arguments)
    perturbation = None
    if arguments.knock_out is not None:
        perturbation = torch.zeros_like(data.x)
        perturbation[node_index(data, arguments.knock_out)] = _strength(arguments)
    prediction = predict(model, data, perturbation=perturbation, **_solver_options(arguments))
    write_conditions(_tf_table(data, prediction), outputs["out"])
    if "states" in outputs:
        states = prediction.h.masked_fill(~prediction.converged, torch.nan)
        write_conditions(to_conditions(data, states), outputs["states"])
    return 0


def _knock_out(arguments: argparse.Namespace) -> int:
    outputs = _outputs(arguments, "out")

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
    return 0


# ---- from arguments to the library's objects


def _refuse(arguments: argparse.Namespace, text: str) -> NoReturn:
    """End with an error of usage that argparse could not see."""
    parser: _Parser = arguments.parser
    parser.error(text)


def _config(arguments: argparse.Namespace) -> TrainingConfig:
    """Settings of the preset, with those that were given in their place."""
    chosen = {name: value for name in _SETTINGS if (value := getattr(arguments, name)) is not None}
    try:
        return dataclasses.replace(TrainingConfig.preset(arguments.preset), **chosen)
    except ValueError as error:
        blamed = [name for name in chosen if re.search(rf"\b{name}\b", str(error))]
        _refuse(arguments, f"argument {', '.join(map(_option, blamed))}: {error}")


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
    data = _network(arguments, ligands=arguments.ligands)
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


def _tf_table(data: Data, prediction: Prediction) -> pd.DataFrame:
    """TF activities, blank where there is no steady state."""
    from lembas_pyg.network import to_conditions

    activity = prediction.y.masked_fill(~prediction.converged, float("nan"))
    return to_conditions(data, activity, data.tf_mask)


# ---- the folder of a run


def _check_run_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that cannot be written to, or would lose an earlier run."""
    _check_folder(folder, "--out")
    if resume:
        if not (folder / "checkpoint.pt").is_file():
            raise ValueError(
                f"--out {folder} holds no checkpoint.pt to resume from; leave out --resume to "
                "start a new run, in a new folder."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise ValueError(
            f"--out {folder} is not empty. Name another folder, or add --resume to go on with the "
            "run in it."
        )


def _check_folder(folder: Path, option: str) -> None:
    """Refuse a folder that could not be made or written to; make nothing yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{option} {folder}: {there} is a file, not a folder.")
    if not os.access(there, os.W_OK):
        raise PermissionError(f"{option} {folder}: the folder {there} is not writable.")


def _record(arguments: argparse.Namespace, config: TrainingConfig, act: Activation) -> dict:
    """All that decides the result of a run."""
    return {
        "command": "train",
        "preset": arguments.preset,
        "settings": config.to_dict(),
        "activation": repr(act),
        "precision": arguments.precision,
        "inputs": {
            name: str(getattr(arguments, name).resolve())
            for name in ("network", "annotation", "ligands", "tfs")
        },
        "versions": {name: version(name) for name in ("lembas_pyg", "torch", "torch_geometric")},
    }


def _check_same_run(folder: Path, record: dict[str, Any]) -> None:
    """Refuse to go on with a run under other settings than it was started with."""
    path = folder / "config.json"
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        before, now = (
            {"activation": run["activation"], "precision": run["precision"], **run["settings"]}
            for run in (earlier, record)
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is missing or damaged, so the settings of the run are not known. Start a new "
            "run, in a new folder."
        ) from error
    changed = [
        f"{_option(name)} was {before.get(name)}, is {value}"
        for name, value in now.items()
        if before.get(name) != value
    ]
    if changed:
        raise ValueError(
            f"--out {folder} belongs to a run with other settings: {'; '.join(changed)}. Resume "
            "with the settings of that run, or start a new one in a new folder."
        )


def _write_run(folder: Path, model: LEMBAS, data: Data, history: History) -> dict[str, Any]:
    """Write what a training brought; its summary."""
    from lembas_pyg.analysis import predict
    from lembas_pyg.checkpoint import save, to_parameters
    from lembas_pyg.io import write_conditions, write_parameters, write_tsv
    from lembas_pyg.metrics import mean_squared_error, pearson_r

    write_parameters(to_parameters(model), folder / "parameters.tsv")
    save(model, folder / "model.safetensors")
    if len(history.table):
        write_tsv(history.table, folder / "history.tsv")
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
        "seconds": round(sum(history.table.get("seconds", ())), 1),
    }
    if history.best:
        model.load_state_dict(history.best)
        write_parameters(to_parameters(model), folder / "best-parameters.tsv")
        summary["epoch of the smallest loss"] = history.best_epoch
    _write_json(summary, folder / "summary.json")
    return summary


# ---- what is written


def _outputs(arguments: argparse.Namespace, *options: str) -> dict[str, Path]:
    """Files to write, refused before any work where writing would fail or lose something."""
    inputs = {
        value.resolve(): name
        for name in ("network", "annotation", "parameters", "ligands")
        if (value := getattr(arguments, name)) is not None
    }
    found: dict[str, Path] = {}
    for option in options:
        path = getattr(arguments, option)
        if path is None:
            continue
        place = path.resolve()
        if place in inputs:
            raise ValueError(f"--{option} {path} is also --{inputs[place]}; name another file.")
        if place in [other.resolve() for other in found.values()]:
            raise ValueError(f"--{option} {path} is also --{options[0]}; name another file.")
        _check_file(path, f"--{option}", arguments.overwrite)
        found[option] = path
    return found


def _check_file(path: Path, option: str, overwrite: bool) -> None:
    """Refuse a file that could not be written, or is there already."""
    from lembas_pyg.io.tsv import is_stream

    if path.is_dir():
        raise IsADirectoryError(f"{option} {path} is a folder; name a file.")
    if is_stream(path):
        return  # /dev/stdout and the like
    if path.exists() and not overwrite:
        raise FileExistsError(f"{option} {path} exists; add --overwrite to replace it.")
    folder = path.parent
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{option} {path}: {folder} is a file, not a folder.")
    if not folder.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {folder} does not exist; make it.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{option} {path}: the folder {folder} is not writable.")


def _write_json(content: dict[str, Any], path: Path) -> None:
    """Write JSON; a number that is none (no variance, no correlation) becomes null."""
    from lembas_pyg.io.tsv import replace_file

    numbers = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in content.items()
    }
    with replace_file(path) as file:
        file.write(f"{json.dumps(numbers, indent=2, allow_nan=False)}\n".encode())


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


def _complain(text: str, code: int) -> int:
    """One paragraph on stderr."""
    print(f"lembas-pyg: {_one_line(text)}", file=sys.stderr)
    return code


def _describe(error: Exception) -> str:
    """What went wrong; of the system's own errors without their number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return str(error) or type(error).__name__


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


@contextmanager
def _speaking_on_stderr() -> Iterator[None]:
    """Warnings and notes of the library, a line each, on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("lembas-pyg: %(message)s"))
    level = logger.level

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"lembas-pyg: warning: {_one_line(message)}", file=sys.stderr)

    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            warnings.simplefilter("always", UserWarning)
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let the end that `kill`, `timeout` and batch systems ask for be that of Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ---- options


class _Parser(argparse.ArgumentParser):
    """Errors of usage in one paragraph, with the option or command that was probably meant."""

    commands: Iterable[str] = ()

    def error(self, message: str) -> NoReturn:
        text = _one_line(message)
        stop = "" if text.endswith((".", "?")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: error: {text}{stop} See '{self.prog} --help'.\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, after a look at the names: it would complain of other things first."""
        words = _with_negative_numbers(sys.argv[1:] if args is None else args)
        self._check_names(words)
        return super().parse_known_args(words, namespace)

    def _check_names(self, words: list[str]) -> None:
        for word in words:
            if word == "--":
                return
            if word.startswith(_DASHES) and not _is_number(word):
                name = word.partition("=")[0]
                if name not in self._option_string_actions:
                    plain = "--" + name.lstrip("".join(_DASHES)).replace("_", "-").lower()
                    meant = _did_you_mean(plain, self._option_string_actions)
                    self.error(f"'{name}' is not an option of {self.prog}{meant}")
            elif self.commands:
                if word not in self.commands:
                    meant = _did_you_mean(word, self.commands)
                    self.error(f"'{word}' is not a command{meant or _listed(self.commands)}")
                return


# Word processors and PDFs turn the first into the others.
_DASHES = tuple("-\u2010\u2011\u2012\u2013\u2014\u2212")


def _with_negative_numbers(words: Iterable[str]) -> list[str]:
    """Tie a negative number to its option: argparse takes -1e-3 for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and word[:1] == "-" and _is_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    """The name that was probably meant, or else nothing."""
    known, bare = list(known), word.strip("-")
    close = [name for name in known if len(bare) > 2 and bare in name]
    close += difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean '{close[0]}'?" if close else ""


def _listed(names: Iterable[str]) -> str:
    return f"; choose from {', '.join(names)}"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lembas-pyg",
        description="Simulate cell signaling: ligand concentrations in, TF activities out. Tables "
        "are tab-separated text, conditions are rows.",
        epilog="'lembas-pyg COMMAND --help' lists the options of a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('lembas_pyg')}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    parser.commands = commands.choices

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=run, parser=sub)
        return sub

    demo = command("demo", _demo, "Train the embedded toy network, offline, and show what it says.")
    demo.add_argument(
        "--out",
        type=_path,
        default=Path("demo-output"),
        metavar="DIR",
        help="new folder, or that of an earlier demo (default: %(default)s)",
    )
    demo.add_argument(
        "--seed",
        type=_number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of the conditions and the training (default: %(default)s)",
    )
    _add_threads(demo)

    info = command("info", _info, "Describe a network: counts, roles, signs, components.")
    _add_network(info)

    train = command("train", _train, "Fit a model to measured TF activities.")
    _add_network(train)
    _add_ligands(train)
    train.add_argument(
        "--tfs",
        type=_path,
        required=True,
        metavar="T.tsv",
        help="measurements: conditions x TFs, activities in [0, 1], blank where not measured",
    )
    train.add_argument(
        "--preset",
        type=_preset,
        required=True,
        metavar="P",
        help=f"settings to start from: {', '.join(_PRESET_NAMES)}",
    )
    train.add_argument(
        "--out", type=_path, required=True, metavar="RUN/", help="new folder for all results"
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on with the interrupted run in --out, with the same options otherwise",
    )
    train.add_argument(
        "--activation",
        default="MML",
        metavar="NAME",
        help="of every node: MML, leakyRelu or sigmoid (default: %(default)s)",
    )
    train.add_argument(
        "--leak",
        type=_number(float),
        metavar="FLOAT",
        help="slope of the activation for negative input, in [0, 1) (default: 0.01)",
    )
    train.add_argument(
        "--precision",
        type=_precision,
        default="float32",
        metavar="NAME",
        help="of the training: float32 or float64 (default: %(default)s)",
    )
    _add_threads(train)
    usage = train.format_usage().removeprefix("usage: ").rstrip()
    train.usage = f"{usage} [settings]".replace("%", "%%")
    _add_settings(train)

    predict = command("predict", _predict, "TF activities of a trained model at its steady state.")
    _add_model(predict)
    predict.add_argument(
        "--out",
        type=_path,
        required=True,
        metavar="Y.tsv",
        help="to write: conditions x TFs, activities; blank without a steady state",
    )
    predict.add_argument(
        "--states",
        type=_path,
        metavar="H.tsv",
        help="to write as well: conditions x nodes, states (fractions of saturation)",
    )
    predict.add_argument(
        "--knock-out",
        type=_names,
        metavar="CODE,...",
        help="accessions of nodes to knock out together",
    )
    _add_solver(predict)

    knock_out = command("knock-out", _knock_out, "Effect on every TF of knocking out each node.")
    _add_model(knock_out)
    knock_out.add_argument(
        "--out",
        type=_path,
        required=True,
        metavar="KO.tsv",
        help="to write: condition, node, tf, control, perturbed, delta; one row each",
    )
    knock_out.add_argument(
        "--nodes",
        type=_names,
        metavar="CODE,...",
        help="accessions to knock out, one at a time (default: every node)",
    )
    knock_out.add_argument(
        "--conditions",
        type=_names,
        metavar="NAME,...",
        help="rows of --ligands to do it under (default: all)",
    )
    _add_solver(knock_out)
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        type=_path,
        required=True,
        metavar="M.tsv",
        help="interactions: source, target, direction, stimulation, inhibition",
    )
    parser.add_argument(
        "--annotation",
        type=_path,
        required=True,
        metavar="A.tsv",
        help="nodes: code (accession), name (symbol), TF, ligand",
    )


def _add_ligands(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ligands",
        type=_path,
        required=True,
        metavar="L.tsv",
        help="stimuli: conditions x ligands, concentrations of 0 or more, in the unit of training",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    """Inputs of every command that asks a trained model."""
    _add_network(parser)
    parser.add_argument(
        "--parameters",
        type=_path,
        required=True,
        metavar="P.tsv",
        help="trained model: Source, Target, Type, Value, as `train` writes it",
    )
    _add_ligands(parser)


def _add_solver(parser: argparse.ArgumentParser) -> None:
    """How such a command solves and writes; a test holds the defaults to the library's."""
    parser.add_argument(
        "--strength",
        type=_number(float),
        metavar="FLOAT",
        help="added to the input of a knocked-out node, dimensionless (default: -5)",
    )
    parser.add_argument(
        "--tol",
        type=_number(float, above=0),
        metavar="FLOAT",
        help="largest change of a state in the last step, dimensionless (default: 1e-12)",
    )
    parser.add_argument(
        "--max-steps",
        type=_number(int, at_least=1),
        metavar="INT",
        help="steps before giving up on a condition (default: 20000)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    _add_threads(parser)


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=_number(int, at_least=1, at_most=_MOST_THREADS),
        default=1,
        metavar="INT",
        help="CPU threads; results are the same bit by bit with one (default: %(default)s)",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """One option for every setting of `TrainingConfig`; the preset decides where it is absent."""
    group = parser.add_argument_group(
        "settings",
        "The default of each is that of the preset; RUN/config.json records all of them.",
    )
    for name, kind in _SETTINGS.items():
        text = _MEANING.get(name, "").replace("%", "%%")
        if kind is bool:
            group.add_argument(
                _option(name), action=argparse.BooleanOptionalAction, default=None, help=text
            )
        else:
            read = kind if kind is str else _number(kind)
            group.add_argument(_option(name), type=read, metavar=_METAVAR[kind], help=text)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


# ---- readers of one value for argparse


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the file or folder is empty")
    return Path(text).expanduser()


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"'{text}' holds an empty name; separate names by a comma")
    return names


def _preset(text: str) -> str:
    name = text.replace("_", "-").lower()
    if name not in _PRESET_NAMES:
        meant = _did_you_mean(name, _PRESET_NAMES)
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a preset{meant or _listed(_PRESET_NAMES)}"
        )
    return name


def _precision(text: str) -> str:
    known = ("float32", "float64")
    if text not in known:
        raise argparse.ArgumentTypeError(f"'{text}' is not a precision{_listed(known)}")
    return text


def _number(
    kind: type[int] | type[float],
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    above: float = -math.inf,
) -> Callable[[str], int | float]:
    """Reader of a finite number in a range."""
    noun = "whole number" if kind is int else "number"

    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            hint = " (write the decimal sign as a point)" if _is_number(text, comma=True) else ""
            raise argparse.ArgumentTypeError(f"'{text}' is not a {noun}{hint}") from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"'{text}' is not a finite number")
        for ok, words in (
            (value >= at_least, f"{at_least} or more"),
            (value <= at_most, f"{at_most} or less"),
            (value > above, f"more than {above}"),
        ):
            if not ok:
                raise argparse.ArgumentTypeError(f"{text} is not legal: it must be {words}")
        return value

    return read


def _is_number(text: str, *, comma: bool = False) -> bool:
    try:
        float(text.replace(",", ".", 1) if comma else text)
    except ValueError:
        return False
    return not comma or "," in text


def _settings() -> dict[str, type]:
    """Name and type of every training setting, optional ones by the type they hold."""
    found: dict[str, type] = {}
    for name, kind in typing.get_type_hints(TrainingConfig).items():
        if isinstance(kind, types.UnionType):
            kind = next(option for option in kind.__args__ if option is not types.NoneType)
        found[name] = kind
    return found


def _meaning() -> dict[str, str]:
    """What the docstring of `TrainingConfig` says of every setting."""
    arguments = inspect.cleandoc(TrainingConfig.__doc__ or "").partition("Args:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments.partition("\n\n")[0], re.M)
    return {name: _one_line(text).rstrip(".").replace("`", "") for name, text in entries}


_SETTINGS, _MEANING = _settings(), _meaning()
_METAVAR = {int: "INT", float: "FLOAT", str: "NAME"}
_PRESET_NAMES = tuple(name.replace("_", "-") for name in PRESETS)
_MOST_THREADS = 1024
