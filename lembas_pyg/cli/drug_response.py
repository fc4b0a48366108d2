"""The command ``drug-response``: train drug models, hold out observations, ask questions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import check_folder, check_outputs
from lembas_pyg.cli.inputs import refuse, set_threads
from lembas_pyg.cli.shared_options import MOST_THREADS, add_overwrite, add_threads
from lembas_pyg.cli.values import did_you_mean, listed, names, number, path

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch_geometric.data import Data

__all__ = ["add_drug_response", "drug_response"]

_TRAINING = ("train", "cross-validate")
_ASKING = ("curves", "targets", "mutations", "combination", "knock-out")
# A test holds these to the library, which would have to import torch.
SPLITS = ("cell-line", "drug", "drug-cell-line", "random")
_PRESET = "viability"


def add_drug_response(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "task",
        type=_task,
        metavar="TASK",
        help=f"{', '.join(_TRAINING)}; or a question to trained models: {', '.join(_ASKING)}",
    )
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--screen",
        type=path,
        metavar="DIR",
        help="folder of tables: network, annotation, doses, cell-lines, expression, mutations, "
        "drug-targets, mutated-genes, viability-tfs, viability, folds (each .tsv)",
    )
    given.add_argument(
        "--published",
        type=path,
        metavar="DIR",
        help="in its place: the published screen, kept in this folder",
    )
    parser.add_argument(
        "--unit", default="nM", metavar="NAME", help="of concentrations.tsv (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="OUT",
        help="new folder for models or folds; a table for the answer to a question",
    )
    _add_training(parser)
    _add_questions(parser)
    add_overwrite(parser)
    add_threads(parser)


def _add_training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("train and cross-validate")
    whole = number(int, at_least=1)
    group.add_argument("--epochs", type=whole, metavar="INT", help="(default: of the preset)")
    group.add_argument(
        "--members", type=whole, default=1, metavar="INT", help="models (default: %(default)s)"
    )
    group.add_argument(
        "--seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of initial weights, order and noise (default: %(default)s)",
    )
    group.add_argument(
        "--expression-limit",
        type=number(float),
        metavar="FLOAT",
        help="largest input that expression adds to a node; 0 in the paper (default: no limit)",
    )
    group.add_argument(
        "--split",
        type=_split,
        metavar="NAME",
        help=f"what is held out as a whole: {', '.join(SPLITS)} (default: folds of the screen)",
    )
    group.add_argument(
        "--folds", type=whole, metavar="INT", help="number of folds of --split (default: 5)"
    )
    group.add_argument(
        "--baselines",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fit ridge and gradient boosting to the same folds (default: yes)",
    )
    group.add_argument(
        "--jobs",
        type=number(int, at_least=1, at_most=MOST_THREADS),
        default=1,
        metavar="INT",
        help="processes, one thread each (default: %(default)s)",
    )


def _add_questions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("questions")
    group.add_argument("--models", type=path, metavar="DIR", help="folder that 'train' has written")
    group.add_argument("--drug", type=names, metavar="NAME", help="a drug; two for 'combination'")
    group.add_argument(
        "--doses", type=_doses, metavar="FLOAT,...", help="log10 doses; one for most questions"
    )
    group.add_argument(
        "--cell-lines", type=names, metavar="NAME,...", help="cell lines (default: all)"
    )
    group.add_argument(
        "--nodes", type=names, metavar="CODE,...", help="accessions for 'knock-out' (default: all)"
    )


def drug_response(arguments: argparse.Namespace) -> int:
    """Train, cross-validate, or answer a question."""
    asks = arguments.task in _ASKING
    if asks:
        _check_question(arguments)
        outputs = check_outputs(arguments, "out", inputs=())
    else:
        _check_training(arguments)
        check_folder(arguments.out, "--out")
        if arguments.out.is_dir() and any(arguments.out.iterdir()):
            raise FileExistsError(f"--out {arguments.out} is not empty; name a new folder.")
    set_threads(arguments)
    data, folds = _screen(arguments)
    if arguments.task == "train":
        return _train(arguments, data)
    if arguments.task == "cross-validate":
        return _cross_validate(arguments, data, folds)

    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import ResponseEnsemble

    models = ResponseEnsemble.load(arguments.models, data)
    write_tsv(_answer(arguments, models, data), outputs["out"])
    return 0


def _screen(arguments: argparse.Namespace) -> tuple[Data, np.ndarray | None]:
    """The screen, and its own folds."""
    if arguments.published is not None:
        from lembas_pyg.datasets import DrugViability

        dataset = DrugViability(str(arguments.published))
        return dataset[0], dataset.folds()

    from lembas_pyg.io import read_drug_screen
    from lembas_pyg.network import from_drug_screen

    screen = read_drug_screen(arguments.screen, arguments.unit)
    return from_drug_screen(screen), screen.folds


def _config(arguments: argparse.Namespace) -> Any:
    from lembas_pyg.training import TrainingConfig

    config = replace(TrainingConfig.preset(_PRESET), seed=arguments.seed)
    return config if arguments.epochs is None else replace(config, epochs=arguments.epochs)


def _model(arguments: argparse.Namespace) -> Any:
    from lembas_pyg.nn import DrugResponse

    return partial(DrugResponse, expression_limit=arguments.expression_limit)


def _train(arguments: argparse.Namespace, data: Data) -> int:
    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import train_responses
    from lembas_pyg.viability import predict_viability, viability_table

    models = train_responses(
        data,
        _config(arguments),
        members=arguments.members,
        model=_model(arguments),
        jobs=arguments.jobs,
    )
    models.save(arguments.out)
    fit = viability_table(data, predict_viability(models, data, tol=1e-6))
    write_tsv(fit, arguments.out / "fit.tsv")
    r = fit["viability"].corr(fit["measured"])
    print(f"Pearson r of the fit: {r:.3f} ({len(models)} models)")
    return 0


def _cross_validate(arguments: argparse.Namespace, data: Data, folds: np.ndarray | None) -> int:
    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import cross_validate_response, response_folds

    if arguments.split is not None:
        count = 5 if arguments.folds is None else arguments.folds
        folds = response_folds(data, arguments.split, count, seed=arguments.seed)
    elif folds is None:
        refuse(arguments, "argument --split: the screen has no folds.tsv; say what to hold out")
    found = cross_validate_response(
        data,
        folds,
        _config(arguments),
        members=arguments.members,
        model=_model(arguments),
        baselines=arguments.baselines,
        jobs=arguments.jobs,
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in found._fields:
        write_tsv(getattr(found, name), arguments.out / f"{name.replace('_', '-')}.tsv")
    print(found.scores.round(3).to_string(index=False))
    return 0


def _answer(arguments: argparse.Namespace, models: Any, data: Data) -> pd.DataFrame:
    """The table of a question."""
    from lembas_pyg import analysis

    drug: Any = None if arguments.drug is None else arguments.drug[0]
    lines, doses = arguments.cell_lines, arguments.doses
    if arguments.task == "curves":
        return analysis.dose_response(models, data, drug, lines, doses=doses)
    if arguments.task == "combination":
        more = {} if doses is None else {"doses": doses}
        return analysis.drug_combination(models, data, tuple(arguments.drug), lines, **more)
    if arguments.task == "knock-out":
        under = {} if drug is None else {"drug": drug, "dose": doses[0]}
        return analysis.viability_knock_out(models, data, arguments.nodes, lines, **under)
    ask: Callable[..., pd.DataFrame] = {
        "targets": analysis.target_effects,
        "mutations": analysis.mutation_effects,
    }[arguments.task]
    return ask(models, data, drug, doses[0], lines)


def _check_question(arguments: argparse.Namespace) -> None:
    """Refuse a question that lacks something, or has what it makes no use of."""
    task = arguments.task
    if arguments.models is None:
        refuse(arguments, f"argument --models: '{task}' asks trained models; name their folder")
    count = 0 if arguments.drug is None else len(arguments.drug)
    wanted = {"combination": (2,), "knock-out": (0, 1)}.get(task, (1,))
    if count not in wanted:
        words = " or ".join({0: "no", 1: "one", 2: "two"}[n] for n in wanted)
        refuse(arguments, f"argument --drug: '{task}' is of {words} drug(s), {count} are named")
    doses = 0 if arguments.doses is None else len(arguments.doses)
    single = task in ("targets", "mutations") or (task == "knock-out" and count)
    if single and doses != 1:
        refuse(arguments, f"argument --doses: '{task}' needs one log10 dose, {doses} are given")
    if task == "knock-out" and not count and doses:
        refuse(arguments, "argument --doses: no drug is given; add --drug NAME")
    if task != "knock-out" and arguments.nodes is not None:
        refuse(arguments, f"argument --nodes: '{task}' knocks nothing out")


def _check_training(arguments: argparse.Namespace) -> None:
    """Refuse options of questions, and folds where there are none."""
    for name in ("models", "drug", "doses", "cell_lines", "nodes"):
        if getattr(arguments, name) is not None:
            option = f"--{name.replace('_', '-')}"
            refuse(arguments, f"argument {option}: '{arguments.task}' makes no use of it")
    if arguments.folds is not None and arguments.split is None:
        refuse(arguments, "argument --folds: say with --split what is held out")
    if arguments.task == "train" and arguments.split is not None:
        refuse(arguments, "argument --split: 'train' holds nothing out; use 'cross-validate'")


def _task(text: str) -> str:
    return _one_of(text, (*_TRAINING, *_ASKING), "task")


def _split(text: str) -> str:
    return _one_of(text, SPLITS, "split")


def _one_of(text: str, known: tuple[str, ...], what: str) -> str:
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a {what}{did_you_mean(text, known) or listed(known)}"
        )
    return text


def _doses(text: str) -> list[float]:
    read = number(float, above=0.0)
    return [float(read(part)) for part in text.split(",")]
