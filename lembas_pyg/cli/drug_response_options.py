"""Options of the command ``drug-response``, and which of them go together."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.files import check_folder, is_unused
from lembas_pyg.cli.inputs import refuse
from lembas_pyg.cli.shared_options import MOST_THREADS, add_overwrite, add_threads
from lembas_pyg.cli.values import did_you_mean, listed, names, number, path

_TRAINING = ("train", "cross-validate")
ASKING = ("curves", "targets", "mutations", "combination", "knock-out")
# A test holds these to the library, which would have to import torch.
SPLITS = ("cell-line", "drug", "drug-cell-line", "random")
UNITS = ("M", "mM", "uM", "nM", "pM")
MEMBERS = "members"  # folder of what members of a cross-validation say
DEFAULTS = {"members": 1, "seed": 0, "jobs": 1, "baselines": True, "unit": "nM"}
_OF_TRAINING = (
    "epochs",
    "members",
    "seed",
    "expression_limit",
    "split",
    "folds",
    "baselines",
    "jobs",
    "resume",
)
_OF_QUESTIONS = ("models", "drug", "doses", "cell_lines", "nodes")


def add_drug_response(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "task",
        type=_task,
        metavar="TASK",
        help=f"{', '.join(_TRAINING)}; or a question to trained models: {', '.join(ASKING)}",
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
        "--unit",
        type=_unit,
        metavar="NAME",
        help=f"of concentrations.tsv: {', '.join(UNITS)} (default: nM)",
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
    group.add_argument("--members", type=whole, metavar="INT", help="models (default: 1)")
    group.add_argument(
        "--seed",
        type=number(int, at_least=0),
        metavar="INT",
        help="of initial weights, order and noise (default: 0)",
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
        help="fit ridge and gradient boosting to the same folds (default: yes)",
    )
    group.add_argument(
        "--jobs",
        type=number(int, at_least=1, at_most=MOST_THREADS),
        metavar="INT",
        help="processes, one thread each (default: 1)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        default=None,
        help="go on with what was interrupted in --out",
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


def spare_published(arguments: argparse.Namespace) -> None:
    """Refuse to write over files of the published screen."""
    published = arguments.published
    if published is not None and published.resolve() in arguments.out.resolve().parents:
        raise ValueError(
            f"--out {arguments.out} is within --published {published}; name a file elsewhere."
        )


def check_question(arguments: argparse.Namespace) -> None:
    """Refuse a question that lacks something, or has what it makes no use of."""
    task = arguments.task
    _refuse_unused(arguments, _OF_TRAINING)
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


def check_training(arguments: argparse.Namespace) -> None:
    """Refuse options of questions, and folds where there are none."""
    _refuse_unused(arguments, _OF_QUESTIONS)
    if arguments.task == "train":
        _refuse_unused(arguments, ("baselines",))
    if arguments.folds is not None and arguments.split == "drug":
        refuse(
            arguments, "argument --folds: by drug there are as many folds as drugs; leave it out"
        )
    if arguments.folds is not None and arguments.split is None:
        refuse(arguments, "argument --folds: say with --split what is held out")
    if arguments.task == "train" and arguments.split is not None:
        refuse(arguments, "argument --split: 'train' holds nothing out; use 'cross-validate'")


def _refuse_unused(arguments: argparse.Namespace, options: tuple[str, ...]) -> None:
    """Refuse options that belong to other tasks."""
    for name in options:
        if getattr(arguments, name) is not None:
            option = f"--{name.replace('_', '-')}"
            refuse(arguments, f"argument {option}: '{arguments.task}' makes no use of it")
    if arguments.unit is not None and arguments.screen is None:
        refuse(arguments, "argument --unit: that of the published screen is nM")


def check_new(arguments: argparse.Namespace) -> None:
    """Refuse a folder that cannot be written to, or would lose an earlier run."""
    folder = arguments.out
    check_folder(folder, "--out")
    can_go_on = (folder / MEMBERS).is_dir()
    if arguments.resume and not can_go_on:
        what = "unfinished training" if arguments.task == "train" else "cross-validation"
        raise ValueError(
            f"--out {folder} holds no {what} to go on with; leave out --resume to start a new "
            f"one, in a new folder."
        )
    if not arguments.resume and not is_unused(folder, MEMBERS):
        more = ", or add --resume to go on" if can_go_on else ""
        raise FileExistsError(f"--out {folder} is not empty; name a new folder{more}.")


def _unit(text: str) -> str:
    if text not in UNITS:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a unit; choose from {', '.join(UNITS)}{did_you_mean(text, UNITS)}"
        )
    return text


def _task(text: str) -> str:
    return _one_of(text, (*_TRAINING, *ASKING), "task")


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
