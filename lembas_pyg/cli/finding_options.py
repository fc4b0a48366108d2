"""The options of the commands that say why: sensitivity and explain."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.values import names, number, path

__all__ = ["add_explain", "add_sensitivity"]


def add_sensitivity(parser: argparse.ArgumentParser) -> None:
    """What `sensitivity` asks and writes, besides the model."""
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="S.tsv",
        help="to write: condition, node, tf, control, derivative (with --level perturbed), "
        "elasticity; one row each",
    )
    parser.add_argument(
        "--hubs",
        type=path,
        metavar="H.tsv",
        help="to write as well: internal nodes to which some TF is sensitive in some condition",
    )
    parser.add_argument(
        "--nodes",
        type=names,
        metavar="CODE,...",
        help="accessions to change, one at a time (default: every node)",
    )
    parser.add_argument(
        "--conditions",
        type=names,
        metavar="NAME,...",
        help="rows of --ligands to do it under (default: all)",
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


def add_explain(parser: argparse.ArgumentParser) -> None:
    """What `explain` asks and writes, besides the model."""
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
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="E.tsv",
        help="to write: source, target, their symbols, sign, weight, attribution, share",
    )
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
