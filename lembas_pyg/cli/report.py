"""The command ``report``: one page of a run to look at."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.inputs import network_of, refuse, set_threads
from lembas_pyg.cli.shared_options import add_conditions, add_out, add_overwrite, add_threads
from lembas_pyg.cli.values import names, number, path

if TYPE_CHECKING:
    from lembas_pyg.report import RunFolder

__all__ = ["add_report", "report"]

logger = logging.getLogger(__name__)

_INPUTS = ("network", "annotation", "ligands", "tfs")


def add_report(parser: argparse.ArgumentParser) -> None:
    """Options of `report`."""
    parser.add_argument(
        "run_folder",
        type=path,
        metavar="RUN/",
        help="folder of a run: the --out of `train` or `cross-validate`, or that of an ensemble",
    )
    add_out(parser, "report.html", "a page that needs no other file, and no network access")
    tables = {
        "network": ("M.tsv", "interactions that were trained on"),
        "annotation": ("A.tsv", "nodes: code (accession), name (symbol), TF, ligand"),
        "ligands": ("L.tsv", "stimuli: conditions x ligands"),
        "tfs": ("T.tsv", "measurements: conditions x TFs"),
    }
    for name, (metavar, text) in tables.items():
        parser.add_argument(
            f"--{name}",
            type=path,
            metavar=metavar,
            help=f"{text} (default: the file that RUN/config.json names)",
        )
    add_conditions(parser, "knock nodes out under")
    parser.add_argument(
        "--members",
        type=number(int, at_least=1),
        metavar="INT",
        help="models to ask at most, evenly over the folds; fewer are faster (default: all)",
    )
    parser.add_argument(
        "--paths",
        type=number(int, at_least=0),
        metavar="INT",
        help="TFs whose path is explained, for each ligand (default: 1)",
    )
    parser.add_argument(
        "--without",
        type=names,
        default=[],
        metavar="NAME,...",
        help="leave out what takes long: knock-outs, stability, paths",
    )
    add_overwrite(parser)
    add_threads(parser)


def report(arguments: argparse.Namespace) -> int:
    """Write the page."""
    for option in ("paths", "conditions"):
        part = "knock-outs" if option == "conditions" else option
        if getattr(arguments, option) and part in arguments.without:
            refuse(arguments, f"argument --{option}: --without {part} leaves out what it is for")
    outputs = check_outputs(arguments, "out", inputs=_INPUTS)
    _spare_run(arguments)

    from lembas_pyg.io import read_interactions
    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.report import explore, read_run, thinned, write_run_report

    run = read_run(arguments.run_folder)
    if arguments.members is not None and run.kind == "train":
        refuse(arguments, f"argument --members: {run.path} holds one model; leave it out")
    _find_inputs(arguments, run)
    check_outputs(arguments, "out", inputs=_INPUTS)  # now that those of the run are known
    set_threads(arguments)
    data = network_of(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    model, data = run.load(data)
    if arguments.members is not None and not isinstance(model, LEMBAS):
        model = thinned(model, arguments.members)
    paths = {} if arguments.paths is None else {"paths": arguments.paths}
    findings = explore(model, data, arguments.conditions, without=arguments.without, **paths)
    interactions = read_interactions(arguments.network)
    written = write_run_report(outputs["out"], run, data, findings, interactions)
    print(f"{written}\t{written.stat().st_size / 1e6:.1f} MB")
    return 0


def _spare_run(arguments: argparse.Namespace) -> None:
    """Refuse to write over anything of the run but an earlier page."""
    out, folder = arguments.out.resolve(), arguments.run_folder.resolve()
    if out.exists() and folder in out.parents and out.suffix not in (".html", ".htm"):
        raise ValueError(f"--out {arguments.out} is a file of the run; name another, .html, file.")


def _find_inputs(arguments: argparse.Namespace, run: RunFolder) -> None:
    """Take the files the run was made with, where no others were given."""
    for name in _INPUTS:
        given: Path | None = getattr(arguments, name) or run.inputs.get(name)
        if given is None and name == "tfs":
            logger.info("No --tfs: the page has no measured activities beside those of the run.")
        elif given is None:
            raise ValueError(
                f"{run.path} does not say which {name} it was made with; add --{name} FILE."
            )
        elif not given.is_file() and getattr(arguments, name) is None:
            raise FileNotFoundError(
                f"{run.path} was made with {given}, which is not there any more; say where it is "
                f"with --{name} FILE."
            )
        setattr(arguments, name, given)
