"""Options that several commands have: what they read, how they solve, what they write."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.values import names, number, path

__all__ = [
    "MOST_THREADS",
    "add_conditions",
    "add_ligands",
    "add_model",
    "add_models",
    "add_network",
    "add_nodes",
    "add_out",
    "add_overwrite",
    "add_solver",
    "add_strength",
    "add_tfs",
    "add_threads",
]

MOST_THREADS = 1024


def add_network(parser: argparse.ArgumentParser) -> None:
    """The tables of a network."""
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


def add_ligands(parser: argparse.ArgumentParser) -> None:
    """The table of stimuli."""
    parser.add_argument(
        "--ligands",
        type=path,
        required=True,
        metavar="L.tsv",
        help="stimuli: conditions x ligands, concentrations of 0 or more, in the unit of training",
    )


def add_tfs(parser: argparse.ArgumentParser, text: str, *, required: bool = True) -> None:
    """The table of measurements."""
    parser.add_argument("--tfs", type=path, required=required, metavar="T.tsv", help=text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Inputs of a command that asks one trained model."""
    _add_inputs(parser, "")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Inputs of a command that asks a trained model, or several as an ensemble."""
    more = "; several, or the folder of an ensemble or a cross-validation, for their medians"
    _add_inputs(parser, more, nargs="+")
    text = "measurements, for members of a cross-validation with a surrogate variable"
    add_tfs(parser, text, required=False)
    parser.add_argument(
        "--by-member",
        action="store_true",
        help="write the rows of every model of an ensemble, in place of their medians",
    )


def _add_inputs(parser: argparse.ArgumentParser, more: str, nargs: str | None = None) -> None:
    add_network(parser)
    parser.add_argument(
        "--parameters",
        type=path,
        required=True,
        nargs=nargs,
        metavar="P.tsv",
        help=f"trained model: Source, Target, Type, Value, as `train` writes it{more}",
    )
    add_ligands(parser)


def add_nodes(parser: argparse.ArgumentParser, text: str) -> None:
    """Which nodes are changed."""
    parser.add_argument("--nodes", type=names, metavar="CODE,...", help=text)


def add_conditions(parser: argparse.ArgumentParser, purpose: str = "do it under") -> None:
    """Which conditions are looked at."""
    text = f"rows of --ligands to {purpose} (default: all)"
    parser.add_argument("--conditions", type=names, metavar="NAME,...", help=text)


def add_out(parser: argparse.ArgumentParser, metavar: str, text: str, also: str = "") -> None:
    """A file that is written.

    Args:
        parser: Of the command.
        metavar: Placeholder of the file.
        text: What is in it.
        also: Option of a file that is written only if it is named; ``--out`` if empty.
    """
    words = "to write as well" if also else "to write"
    parser.add_argument(
        also or "--out", type=path, required=not also, metavar=metavar, help=f"{words}: {text}"
    )


def add_strength(parser: argparse.ArgumentParser) -> None:
    """How strongly nodes are knocked out; a test holds the default to the library's."""
    parser.add_argument(
        "--strength",
        type=number(float),
        metavar="FLOAT",
        help="added to the input of a knocked-out node, dimensionless (default: -5)",
    )


def add_solver(
    parser: argparse.ArgumentParser, *, tol: str = "1e-12", max_steps: int = 20_000
) -> None:
    """How such a command solves and writes; a test holds the defaults to the library's."""
    parser.add_argument(
        "--tol",
        type=number(float, above=0),
        metavar="FLOAT",
        help=f"largest change of a state in the last step, dimensionless (default: {tol})",
    )
    parser.add_argument(
        "--max-steps",
        type=number(int, at_least=1),
        metavar="INT",
        help=f"steps before giving up on a condition (default: {max_steps})",
    )
    add_overwrite(parser)
    add_threads(parser)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Whether files are replaced."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """How many threads are used."""
    parser.add_argument(
        "--threads",
        type=number(int, at_least=1, at_most=MOST_THREADS),
        default=1,
        metavar="INT",
        help="CPU threads; results are the same bit by bit with one (default: %(default)s)",
    )
