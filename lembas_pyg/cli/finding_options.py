"""The options of the commands that say why: sensitivity and explain."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.shared_options import (
    add_conditions,
    add_model,
    add_models,
    add_nodes,
    add_out,
    add_solver,
)
from lembas_pyg.cli.values import number, path

__all__ = ["add_explain", "add_sensitivity"]


def add_sensitivity(parser: argparse.ArgumentParser) -> None:
    """Options of `sensitivity`."""
    add_models(parser)
    text = (
        "condition, node, tf, control, derivative (with --level perturbed), elasticity; one row "
        "each"
    )
    add_out(parser, "S.tsv", text)
    text = "internal nodes to which some TF is sensitive in some condition"
    add_out(parser, "H.tsv", text, also="--hubs")
    add_nodes(parser, "accessions to change, one at a time (default: every node)")
    add_conditions(parser)
    parser.add_argument(
        "--trained-on",
        choices=["yes", "no"],
        help="of a cross-validation, ask of each condition only the members that were trained on "
        "it, or only those that were not (default: all members)",
    )
    parser.add_argument(
        "--level",
        type=number(float),
        metavar="FLOAT",
        help="finite change of a node, relative to its raw state, such as 0.01; the default is the "
        "exact derivative",
    )
    parser.add_argument(
        "--strongest",
        action="store_true",
        help="write one row a node and TF, that of the condition with the largest effect",
    )
    parser.add_argument(
        "--threshold",
        type=number(float, above=0),
        metavar="FLOAT",
        help="smallest absolute elasticity of a hub (default: 0.5)",
    )
    add_solver(parser)


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Options of `explain`."""
    add_model(parser)
    parser.add_argument(
        "--ligand",
        required=True,
        metavar="CODE",
        help="whose effect is explained: accession or symbol of a ligand present in --condition",
    )
    parser.add_argument(
        "--tf", required=True, metavar="CODE", help="the effect on what: accession or symbol"
    )
    parser.add_argument(
        "--condition", required=True, metavar="NAME", help="under what: a row of --ligands"
    )
    text = "source, target, their symbols, sign, weight, attribution, share"
    add_out(parser, "E.tsv", text)
    parser.add_argument(
        "--graphml", type=path, metavar="E.graphml", help="to write as well, for Cytoscape"
    )
    parser.add_argument(
        "--picture",
        type=path,
        metavar="E.png",
        help="to draw as well; .png, .svg or .pdf (needs the extra 'plot')",
    )
    parser.add_argument(
        "--share",
        type=number(float, above=0, at_most=1),
        metavar="FLOAT",
        help="of the effect that the interactions are to bring about (default: 0.8)",
    )
    parser.add_argument(
        "--max-edges",
        type=number(int, at_least=1),
        metavar="INT",
        help="largest number of interactions (default: 60)",
    )
    add_solver(parser)
