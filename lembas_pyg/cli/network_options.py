"""The options of `convert` and `curate`."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.networks import FORMATS
from lembas_pyg.cli.shared_options import add_network, add_out, add_overwrite
from lembas_pyg.cli.values import did_you_mean, listed, names, path

__all__ = ["add_convert", "add_curate"]


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Options of `convert`."""
    parser.add_argument(
        "--format",
        type=_format,
        required=True,
        metavar="NAME",
        help=f"of the files: {', '.join(FORMATS)} (interactions as this program writes them)",
    )
    parser.add_argument(
        "files", type=path, nargs="+", metavar="FILE", help="downloaded from the database; merged"
    )
    add_out(parser, "M.tsv", "interactions")
    text = "names and roles of the nodes"
    add_out(parser, "A.tsv", text, also="--annotation-out")
    text = "what was added, changed and removed, and by which rule"
    add_out(parser, "R.tsv", text, also="--report")
    parser.add_argument(
        "--resources",
        type=names,
        metavar="NAME,...",
        help="databases to trust; an interaction that none of them states is removed. Names are "
        "compared whole (default: all)",
    )
    parser.add_argument(
        "--referenced", action="store_true", help="remove interactions without a reference"
    )
    parser.add_argument(
        "--curation",
        type=path,
        metavar="DIR",
        help="folder with add.tsv, remove.tsv or edit.tsv, applied before anything is removed",
    )
    parser.add_argument(
        "--uniprot",
        type=path,
        metavar="U.tab",
        help="table of UniProt with the proteins to keep: Entry and, for names, 'Gene Names "
        "(primary)'; with kgml also KEGG, for the accessions of its gene ids",
    )
    parser.add_argument(
        "--ligand-receptor",
        type=path,
        metavar="RL.tsv",
        help="interactions of ligands (source) and receptors, which are added",
    )
    parser.add_argument(
        "--ligand-receptor-resources",
        type=names,
        metavar="NAME,...",
        help="databases to trust among those of --ligand-receptor (default: all)",
    )
    parser.add_argument(
        "--ligands",
        type=names,
        metavar="CODE,...",
        help="accessions of the ligands of the network (default: all sources of --ligand-receptor)",
    )
    roles = parser.add_mutually_exclusive_group()
    roles.add_argument(
        "--regulon",
        type=path,
        metavar="R.tsv",
        help="table of regulons, whose sources are the TFs of --annotation-out",
    )
    roles.add_argument(
        "--tfs",
        type=names,
        metavar="CODE,...",
        help="accessions of the TFs, in place of --regulon",
    )
    add_overwrite(parser)


def add_curate(parser: argparse.ArgumentParser) -> None:
    """Options of `curate`."""
    add_network(parser)
    add_out(parser, "M2.tsv", "interactions")
    text = "names and roles of the nodes that are left"
    add_out(parser, "A2.tsv", text, also="--annotation-out")
    text = "every node and interaction that was removed, and by which rule"
    add_out(parser, "R.tsv", text, also="--report")
    parser.add_argument(
        "--remove-ligand-feedback",
        action="store_true",
        help="remove interactions whose target is a ligand (done first)",
    )
    parser.add_argument(
        "--remove-dead-ends",
        action="store_true",
        help="remove nodes that no ligand reaches, or that reach no TF (done second)",
    )
    parser.add_argument(
        "--remove-redundant",
        action="store_true",
        help="remove nodes whose single source is their single target (done last)",
    )
    add_overwrite(parser)


def _format(text: str) -> str:
    name = text.lower()
    if name not in FORMATS:
        meant = did_you_mean(name, FORMATS)
        raise argparse.ArgumentTypeError(f"'{text}' is not a format{meant or listed(FORMATS)}")
    return name
