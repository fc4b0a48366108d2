"""The command ``knock-out``: which nodes are perturbed in which models, and what is written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import INPUTS, check_outputs
from lembas_pyg.cli.inputs import check_by_member, models_of, solver_options, strength_of
from lembas_pyg.cli.shared_options import (
    add_conditions,
    add_models,
    add_nodes,
    add_out,
    add_solver,
    add_strength,
)
from lembas_pyg.cli.values import Parser, number

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["add_knock_out", "knock_out"]

# Between nodes that are perturbed together; a test holds it to the library's.
_JOIN = "+"


def add_knock_out(parser: argparse.ArgumentParser) -> None:
    """Options of `knock-out`."""
    add_models(parser)
    add_out(parser, "KO.tsv", "condition, node, tf, control, perturbed, delta; one row each")
    text = (
        "accessions to knock out, one at a time (default: every node); those joined by + together, "
        "as in A,B,A+B"
    )
    add_nodes(parser, text)
    add_conditions(parser)
    add_strength(parser)
    parser.add_argument(
        "--clamp",
        type=number(float),
        metavar="FLOAT",
        help="hold the states of the nodes at this value, a fraction of saturation, in place of "
        "--strength",
    )
    parser.add_argument(
        "--pairs",
        action="store_true",
        help="knock out all pairs of --nodes, for the synergy of both",
    )
    parser.add_argument(
        "--rank",
        metavar="CODE",
        help="write the nodes ranked by their effect on this TF (accession or symbol) instead; of "
        "several conditions, the largest effect",
    )
    add_solver(parser)


def knock_out(arguments: argparse.Namespace) -> int:
    """Write the effect of every knock-out, of all pairs, or a ranked list."""
    _check_usage(arguments)
    outputs = check_outputs(arguments, "out", inputs=(*INPUTS, "tfs"))

    from lembas_pyg.analysis import double_knock_out, knock_out, rank_knock_outs
    from lembas_pyg.io import write_tsv

    model, data = models_of(arguments)
    options: dict[str, Any] = {
        "conditions": arguments.conditions,
        "strength": strength_of(arguments),
        "clamp": arguments.clamp,
        "by_member": arguments.by_member,
        **solver_options(arguments),
    }
    tf = None
    if arguments.rank is not None:
        tf = _tf(data, arguments.rank)
        options |= {"tfs": tf, "by_member": hasattr(model, "models")}
    nodes = None if arguments.nodes is None else _sets(data, arguments.nodes)
    if arguments.pairs and nodes is not None:
        table = double_knock_out(model, data, nodes, **options)
    else:
        table = knock_out(model, data, nodes, **options)
    blank = table["delta"].isna().all()
    if tf is not None:
        table = rank_knock_outs(table, tf, data=data)
    write_tsv(table, outputs["out"])
    if blank:
        raise RuntimeError("No knock-out has a steady state: all effects written are blank.")
    return 0


def _check_usage(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict each other."""
    parser: Parser = arguments.parser
    if arguments.clamp is not None and arguments.strength is not None:
        parser.error("argument --clamp: it takes the place of --strength; leave one of the two out")
    if arguments.pairs and arguments.nodes is None:
        parser.error("argument --pairs: name the nodes to pair; add --nodes CODE,...")
    for option in ("pairs", "by_member"):
        if arguments.rank is not None and getattr(arguments, option):
            name = option.replace("_", "-")
            parser.error(f"argument --{name}: --rank writes one row a node; leave one of them out")
    check_by_member(arguments)


def _tf(data: Data, name: str) -> str:
    """Accession of a TF given by accession or symbol."""
    from lembas_pyg.network import node_index
    from lembas_pyg.network.nodes import first_of, marked

    by = "name" if name in data.node_name else "label"
    try:
        return data.node_name[int(node_index(data, **{by: name}))]
    except ValueError as error:
        known = first_of(data.node_label[i] for i in marked(data, data.tf_mask).values())
        raise ValueError(f"--rank: {error} The TFs are {known}.") from error


def _sets(data: Data, entries: list[str]) -> list[str | tuple[str, ...]]:
    """Nodes, and sets of nodes where an entry is no node but joins several."""
    return [
        entry
        if entry in data.node_name or _JOIN not in entry
        else tuple(part.strip() for part in entry.split(_JOIN))
        for entry in entries
    ]
