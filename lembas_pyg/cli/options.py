"""The options of every command; those of training are the fields of `TrainingConfig`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from lembas_pyg.cli import commands as run
from lembas_pyg.cli import findings, networks
from lembas_pyg.cli.finding_options import add_explain, add_sensitivity
from lembas_pyg.cli.imputation import add_impute
from lembas_pyg.cli.imputation import impute as run_impute
from lembas_pyg.cli.knock_out import add_knock_out
from lembas_pyg.cli.knock_out import knock_out as run_knock_out
from lembas_pyg.cli.network_options import add_convert, add_curate
from lembas_pyg.cli.settings import MEANING, SETTINGS, option_name
from lembas_pyg.cli.stability import add_stability
from lembas_pyg.cli.stability import stability as run_stability
from lembas_pyg.cli.tf_activity import add_tf_activity
from lembas_pyg.cli.tf_activity import tf_activity as run_tf_activity
from lembas_pyg.cli.values import Parser, did_you_mean, listed, names, number, path
from lembas_pyg.training.config import PRESETS

__all__ = ["make_parser"]


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(
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

    text = "Train the embedded toy network, offline, and show what it says."
    demo = command("demo", run.demo, text)
    demo.add_argument(
        "--out",
        type=path,
        default=Path("demo-output"),
        metavar="DIR",
        help="new folder, or that of an earlier demo (default: %(default)s)",
    )
    demo.add_argument(
        "--seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of the conditions and the training (default: %(default)s)",
    )
    _add_threads(demo)

    info = command("info", run.info, "Describe a network: counts, roles, signs, components.")
    _add_network(info)

    text = "Make a network from tables of databases."
    add_convert(command("convert", networks.convert, text))

    curate = command("curate", networks.curate, "Remove what cannot carry a signal to a TF.")
    _add_network(curate)
    add_curate(curate)

    text = "TF activities of conditions, from the expression of samples or from scores."
    add_tf_activity(command("tf-activity", run_tf_activity, text))

    train = command("train", run.train, "Fit a model to measured TF activities.")
    _add_network(train)
    _add_ligands(train)
    _add_training(train)
    train.add_argument(
        "--out", type=path, required=True, metavar="RUN/", help="new folder for all results"
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on with the interrupted run in --out, with the same options otherwise",
    )
    train.add_argument(
        "--precision",
        type=_precision,
        default="float32",
        metavar="NAME",
        help="of the training: float32 or float64 (default: %(default)s)",
    )
    _finish_training(train)

    text = "Hold conditions out, fold by fold: scores beside those of models without a network."
    cross = command("cross-validate", run.cross_validate, text)
    _add_network(cross)
    _add_ligands(cross)
    _add_training(cross)
    cross.add_argument(
        "--folds",
        required=True,
        metavar="F.tsv",
        help="which conditions each fold holds out: Index, Condition; or a number of random "
        "folds, leave-one-out, or leave-one-ligand-out",
    )
    cross.add_argument(
        "--fold-seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of random folds (default: %(default)s)",
    )
    cross.add_argument(
        "--members",
        type=number(int, at_least=1),
        default=1,
        metavar="INT",
        help="models a fold, whose predictions are averaged (default: %(default)s)",
    )
    cross.add_argument(
        "--jobs",
        type=number(int, at_least=1, at_most=_MOST_THREADS),
        default=1,
        metavar="INT",
        help="processes, one thread each (default: %(default)s)",
    )
    cross.add_argument(
        "--baselines",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fit ridge, PLS and others to the same folds (default: yes)",
    )
    cross.add_argument(
        "--costimulus",
        metavar="CODE",
        help="ligand that others are combined with, such as LPS (accession or symbol): for the "
        "baseline of means with and without it, and for leave-one-ligand-out",
    )
    cross.add_argument(
        "--scramble",
        action="store_true",
        help="permute the measurements among the conditions that are trained on: a null",
    )
    cross.add_argument(
        "--nulls",
        type=_nulls,
        metavar="NAME,...",
        help="nulls to train on the same folds, and to compare with single members: "
        f"{', '.join(_NULLS)}, or all",
    )
    cross.add_argument(
        "--null-repeats",
        type=number(int, at_least=1),
        metavar="INT",
        help="rewired networks of each kind (default: 3)",
    )
    cross.add_argument(
        "--out", type=path, required=True, metavar="CV/", help="new folder for all results"
    )
    cross.add_argument(
        "--resume",
        action="store_true",
        help="go on with the interrupted cross-validation in --out",
    )
    _finish_training(cross)

    text = "TF activities of a trained model at its steady state."
    predict = command("predict", run.predict, text)
    _add_model(predict)
    predict.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="Y.tsv",
        help="to write: conditions x TFs, activities; blank without a steady state",
    )
    predict.add_argument(
        "--states",
        type=path,
        metavar="H.tsv",
        help="to write as well: conditions x nodes, states (fractions of saturation)",
    )
    predict.add_argument(
        "--knock-out",
        type=names,
        metavar="CODE,...",
        help="accessions of nodes to knock out together",
    )
    _add_solver(predict)

    text = "Effect on every TF of knocking out each node, sets of nodes, or pairs."
    knock_out = command("knock-out", run_knock_out, text)
    _add_model(knock_out, several=True)
    add_knock_out(knock_out)
    _add_solver(knock_out)

    text = "Relative change of every TF for a small relative change of each node."
    sensitivity = command("sensitivity", findings.sensitivity, text)
    _add_model(sensitivity)
    add_sensitivity(sensitivity)
    _add_solver(sensitivity, strength=False)

    text = "The interactions that carry the effect of a ligand to a TF."
    explain = command("explain", findings.explain, text)
    _add_model(explain)
    add_explain(explain)
    _add_solver(explain, strength=False)

    text = "How stable each steady state is, its slow modes, and which nodes form them."
    stability = command("stability", run_stability, text)
    _add_model(stability)
    add_stability(stability)
    _add_solver(stability, strength=False)

    text = "Interactions the network lacks, by how much each would improve the fit."
    impute = command("impute", run_impute, text)
    _add_model(impute)
    add_impute(impute)
    _add_threads(impute)
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        type=path,
        required=True,
        metavar="M.tsv",
        help="interactions: source, target, direction, stimulation, inhibition",
    )
    parser.add_argument(
        "--annotation",
        type=path,
        required=True,
        metavar="A.tsv",
        help="nodes: code (accession), name (symbol), TF, ligand",
    )


def _add_ligands(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ligands",
        type=path,
        required=True,
        metavar="L.tsv",
        help="stimuli: conditions x ligands, concentrations of 0 or more, in the unit of training",
    )


def _add_model(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Inputs of every command that asks a trained model, or several as an ensemble."""
    _add_network(parser)
    text = "trained model: Source, Target, Type, Value, as `train` writes it"
    more = "; several, or the folder of an ensemble or a cross-validation, for their medians"
    parser.add_argument(
        "--parameters",
        type=path,
        required=True,
        nargs="+" if several else None,
        metavar="P.tsv",
        help=text + more if several else text,
    )
    _add_ligands(parser)


def _add_solver(parser: argparse.ArgumentParser, *, strength: bool = True) -> None:
    """How such a command solves and writes; a test holds the defaults to the library's."""
    if strength:
        parser.add_argument(
            "--strength",
            type=number(float),
            metavar="FLOAT",
            help="added to the input of a knocked-out node, dimensionless (default: -5)",
        )
    parser.add_argument(
        "--tol",
        type=number(float, above=0),
        metavar="FLOAT",
        help="largest change of a state in the last step, dimensionless (default: 1e-12)",
    )
    parser.add_argument(
        "--max-steps",
        type=number(int, at_least=1),
        metavar="INT",
        help="steps before giving up on a condition (default: 20000)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    _add_threads(parser)


def _add_training(parser: argparse.ArgumentParser) -> None:
    """What every command that trains needs besides network and ligands."""
    parser.add_argument(
        "--tfs",
        type=path,
        required=True,
        metavar="T.tsv",
        help="measurements: conditions x TFs, activities in [0, 1], blank where not measured",
    )
    parser.add_argument(
        "--preset",
        type=_preset,
        required=True,
        metavar="P",
        help=f"settings to start from: {', '.join(_PRESET_NAMES)}",
    )
    parser.add_argument(
        "--activation",
        default="MML",
        metavar="NAME",
        help="of every node: MML, leakyRelu or sigmoid (default: %(default)s)",
    )
    parser.add_argument(
        "--leak",
        type=number(float),
        metavar="FLOAT",
        help="slope of the activation for negative input, in [0, 1) (default: 0.01)",
    )


def _finish_training(parser: argparse.ArgumentParser) -> None:
    """Threads and, last and outside of the usage line, all settings."""
    _add_threads(parser)
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    parser.usage = f"{usage} [settings]".replace("%", "%%")
    _add_settings(parser)


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=number(int, at_least=1, at_most=_MOST_THREADS),
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
    for name, kind in SETTINGS.items():
        text = MEANING.get(name, "").replace("%", "%%")
        if kind is bool:
            group.add_argument(
                option_name(name), action=argparse.BooleanOptionalAction, default=None, help=text
            )
        else:
            read = kind if kind is str else number(kind)
            group.add_argument(option_name(name), type=read, metavar=_METAVAR[kind], help=text)


def _preset(text: str) -> str:
    name = text.replace("_", "-").lower()
    if name not in _PRESET_NAMES:
        meant = did_you_mean(name, _PRESET_NAMES)
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a preset{meant or listed(_PRESET_NAMES)}"
        )
    return name


def _precision(text: str) -> str:
    known = ("float32", "float64")
    if text not in known:
        raise argparse.ArgumentTypeError(f"'{text}' is not a precision{listed(known)}")
    return text


def _nulls(text: str) -> list[str]:
    """Nulls by name, or all of them."""
    found = names(text)
    for name in found:
        if name not in (*_NULLS, "all"):
            meant = did_you_mean(name, _NULLS) or listed((*_NULLS, "all"))
            raise argparse.ArgumentTypeError(f"'{name}' is not a null{meant}")
    if "all" in found and len(found) > 1:
        raise argparse.ArgumentTypeError(f"'{text}' names others beside 'all', which holds them")
    return found


_METAVAR = {int: "INT", float: "FLOAT", str: "NAME"}
_PRESET_NAMES = tuple(name.replace("_", "-") for name in PRESETS)
# A test holds these to `lembas_pyg.training.nulls`, which would have to import torch.
_NULLS = ("scrambled-y", "rewired", "rewired-ligand-edges-kept", "leaky-relu", "sigmoid")
_MOST_THREADS = 1024
