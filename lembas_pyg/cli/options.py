"""The parser of all commands; their options are beside them, or in modules of their kind."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from lembas_pyg.cli import commands as run
from lembas_pyg.cli import findings, networks
from lembas_pyg.cli.drug_response import drug_response as run_drug_response
from lembas_pyg.cli.drug_response_options import add_drug_response
from lembas_pyg.cli.finding_options import add_explain, add_sensitivity
from lembas_pyg.cli.imputation import add_impute
from lembas_pyg.cli.imputation import impute as run_impute
from lembas_pyg.cli.knock_out import add_knock_out
from lembas_pyg.cli.knock_out import knock_out as run_knock_out
from lembas_pyg.cli.network_options import add_convert, add_curate
from lembas_pyg.cli.report import add_report
from lembas_pyg.cli.report import report as run_report
from lembas_pyg.cli.shared_options import (
    add_model,
    add_network,
    add_out,
    add_solver,
    add_strength,
    add_threads,
)
from lembas_pyg.cli.stability import add_stability
from lembas_pyg.cli.stability import stability as run_stability
from lembas_pyg.cli.tf_activity import add_tf_activity
from lembas_pyg.cli.tf_activity import tf_activity as run_tf_activity
from lembas_pyg.cli.training_options import add_cross_validate, add_train
from lembas_pyg.cli.values import Parser, names, number, path

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
    _add_demo(command("demo", run.demo, text))

    text = "Describe a network: counts, roles, signs, components."
    add_network(command("info", run.info, text))

    text = "Make a network from tables of databases."
    add_convert(command("convert", networks.convert, text))

    text = "Remove what cannot carry a signal to a TF."
    add_curate(command("curate", networks.curate, text))

    text = "TF activities of conditions, from the expression of samples or from scores."
    add_tf_activity(command("tf-activity", run_tf_activity, text))

    text = "Fit a model to measured TF activities."
    add_train(command("train", run.train, text))

    text = "Hold conditions out, fold by fold: scores beside those of models without a network."
    add_cross_validate(command("cross-validate", run.cross_validate, text))

    text = "TF activities of a trained model at its steady state."
    _add_predict(command("predict", run.predict, text))

    text = "Effect on every TF of knocking out each node, sets of nodes, or pairs."
    add_knock_out(command("knock-out", run_knock_out, text))

    text = "Relative change of every TF for a small relative change of each node."
    add_sensitivity(command("sensitivity", findings.sensitivity, text))

    text = "The interactions that carry the effect of a ligand to a TF."
    add_explain(command("explain", findings.explain, text))

    text = "How stable each steady state is, its slow modes, and which nodes form them."
    add_stability(command("stability", run_stability, text))

    text = "Interactions the network lacks, by how much each would improve the fit."
    add_impute(command("impute", run_impute, text))

    text = "Viability of cell lines under drugs: train, hold out, and ask drug models."
    add_drug_response(command("drug-response", run_drug_response, text))
    text = "A page of a run to look at: network, knock-outs, paths, activities, scores."
    add_report(command("report", run_report, text))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=path,
        default=Path("demo-output"),
        metavar="DIR",
        help="new folder, or that of an earlier demo (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of the conditions and the training (default: %(default)s)",
    )
    add_threads(parser)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_out(parser, "Y.tsv", "conditions x TFs, activities; blank without a steady state")
    text = "conditions x nodes, states (fractions of saturation)"
    add_out(parser, "H.tsv", text, also="--states")
    parser.add_argument(
        "--knock-out",
        type=names,
        metavar="CODE,...",
        help="accessions of nodes to knock out together",
    )
    add_strength(parser)
    add_solver(parser)
