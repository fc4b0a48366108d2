"""The options of the commands that train; settings are the fields of `TrainingConfig`."""

from __future__ import annotations

import argparse
from pathlib import Path

from lembas_pyg.cli.settings import MEANING, SETTINGS, option_name
from lembas_pyg.cli.shared_options import (
    MOST_THREADS,
    add_ligands,
    add_network,
    add_tfs,
    add_threads,
)
from lembas_pyg.cli.values import did_you_mean, listed, names, number, path
from lembas_pyg.training.config import PRESETS

__all__ = ["add_cross_validate", "add_train"]


def add_train(parser: argparse.ArgumentParser) -> None:
    """Options of `train`."""
    _add_training(parser)
    parser.add_argument(
        "--out", type=path, required=True, metavar="RUN/", help="new folder for all results"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the interrupted run in --out, with the same options otherwise",
    )
    parser.add_argument(
        "--precision",
        type=_precision,
        default="float32",
        metavar="NAME",
        help="of the training: float32 or float64 (default: %(default)s)",
    )
    _finish_training(parser)


def add_cross_validate(parser: argparse.ArgumentParser) -> None:
    """Options of `cross-validate`."""
    _add_training(parser)
    parser.add_argument(
        "--folds",
        type=_folds,
        required=True,
        metavar="F.tsv",
        help="which conditions each fold holds out: Index, Condition; or a number of random "
        f"folds, {' or '.join(_FOLDS)}",
    )
    parser.add_argument(
        "--fold-seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of random folds (default: %(default)s)",
    )
    parser.add_argument(
        "--members",
        type=number(int, at_least=1),
        default=1,
        metavar="INT",
        help="models a fold, whose predictions are averaged (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=number(int, at_least=1, at_most=MOST_THREADS),
        default=1,
        metavar="INT",
        help="processes, one thread each (default: %(default)s)",
    )
    parser.add_argument(
        "--baselines",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fit ridge, PLS and others to the same folds (default: yes)",
    )
    parser.add_argument(
        "--costimulus",
        metavar="CODE",
        help="ligand that others are combined with, such as LPS (accession or symbol): for the "
        "baseline of means with and without it, and for leave-one-ligand-out",
    )
    parser.add_argument(
        "--scramble",
        action="store_true",
        help="permute the measurements among the conditions that are trained on: a null",
    )
    parser.add_argument(
        "--nulls",
        type=_nulls,
        metavar="NAME,...",
        help="nulls to train on the same folds, and to compare with single members: "
        f"{', '.join(_NULLS)}, or all",
    )
    parser.add_argument(
        "--null-repeats",
        type=number(int, at_least=1),
        metavar="INT",
        help="rewired networks of each kind (default: 3)",
    )
    parser.add_argument(
        "--out", type=path, required=True, metavar="CV/", help="new folder for all results"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the interrupted cross-validation in --out",
    )
    _finish_training(parser)


def _add_training(parser: argparse.ArgumentParser) -> None:
    """What every command that trains needs."""
    add_network(parser)
    add_ligands(parser)
    text = "measurements: conditions x TFs, activities in [0, 1], blank where not measured"
    add_tfs(parser, text)
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
    add_threads(parser)
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    parser.usage = f"{usage} [settings]".replace("%", "%%")
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """One option for every setting of `TrainingConfig`; the preset decides where it is absent."""
    group = parser.add_argument_group(
        "settings",
        "The default of each is that of the preset; config.json in --out records all of them; "
        "those of toy are printed by "
        '`python -c "import lembas_pyg as lp; print(lp.TrainingConfig.toy())"`.',
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
    for other, place in _ELSEWHERE.items():
        if name in (other, f"{other}-paper"):
            raise argparse.ArgumentTypeError(
                f"'{text}' is not of this command: {place}{listed(_PRESET_NAMES)}"
            )
    if name not in _PRESET_NAMES:
        meant = did_you_mean(name, _PRESET_NAMES)
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a preset{meant or listed(_PRESET_NAMES)}"
        )
    return name


def _folds(text: str) -> str:
    """Number of folds, the name of a rule, or a file."""
    if text.lstrip("+-").isdecimal():
        if int(text) < 2:
            raise argparse.ArgumentTypeError(f"{text} is not legal: it must be 2 folds or more")
        return text
    if text in _FOLDS or Path(text).exists():
        return text
    meant = did_you_mean(text, _FOLDS) or f", nor a number of folds, nor {' or '.join(_FOLDS)}"
    raise argparse.ArgumentTypeError(f"'{text}' is no file{meant}")


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
_FOLDS = ("leave-one-out", "leave-one-ligand-out")
# Presets of other models, and what takes them.
_ELSEWHERE = {
    "viability": "drug-response trains with it",
    "reference-model": "`lembas_pyg.synthetic.reference_model` takes it, without data",
}
_PRESET_NAMES = tuple(
    name.replace("_", "-")
    for name in PRESETS
    if not name.replace("_", "-").startswith(tuple(_ELSEWHERE))
)
# A test holds these to `lembas_pyg.training.nulls`, which would have to import torch.
_NULLS = ("scrambled-y", "rewired", "rewired-ligand-edges-kept", "leaky-relu", "sigmoid")
