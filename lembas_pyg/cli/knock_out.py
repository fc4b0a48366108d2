"""The command ``knock-out``: which nodes are perturbed in which models, and what is written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.inputs import model_of, network_of, set_threads, solver_options, strength_of
from lembas_pyg.cli.values import Parser, names, number, path

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import Ensemble

__all__ = ["add_knock_out", "knock_out"]

# Between nodes that are perturbed together; a test holds it to the library's.
_JOIN = "+"


def add_knock_out(parser: argparse.ArgumentParser) -> None:
    """The options that the command has alone."""
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="KO.tsv",
        help="to write: condition, node, tf, control, perturbed, delta; one row each",
    )
    parser.add_argument(
        "--nodes",
        type=names,
        metavar="CODE,...",
        help="accessions to knock out, one at a time (default: every node); those joined by + "
        "together, as in A,B,A+B",
    )
    parser.add_argument(
        "--conditions",
        type=names,
        metavar="NAME,...",
        help="rows of --ligands to do it under (default: all)",
    )
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
    parser.add_argument(
        "--by-member",
        action="store_true",
        help="write the rows of every model of an ensemble, in place of their medians",
    )
    parser.add_argument(
        "--tfs",
        type=path,
        metavar="T.tsv",
        help="measurements, for members of a cross-validation with a surrogate variable",
    )


def knock_out(arguments: argparse.Namespace) -> int:
    """Write the effect of every knock-out, of all pairs, or a ranked list."""
    _check_usage(arguments)
    inputs = ("network", "annotation", "parameters", "ligands", "tfs")
    outputs = check_outputs(arguments, "out", inputs=inputs)

    from lembas_pyg.analysis import double_knock_out, knock_out, rank_knock_outs
    from lembas_pyg.io import write_tsv

    model, data = _models(arguments)
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
    alone = len(arguments.parameters) == 1 and not arguments.parameters[0].is_dir()
    if arguments.by_member and alone:
        parser.error("argument --by-member: there is one model; give several --parameters")


def _models(arguments: argparse.Namespace) -> tuple[LEMBAS | Ensemble, Data]:
    """The model of one parameter text, or an ensemble: of several, or of a folder."""
    given = arguments.parameters
    folders = [place for place in given if place.is_dir()]
    if folders and len(given) > 1:
        raise ValueError(f"--parameters {folders[0]} is a folder; give it alone, or only files.")
    if not folders:
        found = [
            model_of(argparse.Namespace(**vars(arguments) | {"parameters": file})) for file in given
        ]
        if len(found) == 1:
            return found[0]
        from lembas_pyg.training import Ensemble

        return Ensemble(model for model, _ in found), found[0][1]

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import Ensemble, load_members

    set_threads(arguments)
    data = network_of(arguments, ligands=arguments.ligands, tfs=arguments.tfs)
    (folder,) = folders
    if any(folder.glob("member-*.safetensors")):
        return Ensemble.load(folder, LEMBAS(data, radius=None).double()), data
    return load_members(folder, data)


def _tf(data: Data, name: str) -> str:
    """Accession of a TF given by accession or symbol."""
    from lembas_pyg.network import node_index

    by = "name" if name in data.node_name else "label"
    return data.node_name[int(node_index(data, **{by: name}))]


def _sets(data: Data, entries: list[str]) -> list[str | tuple[str, ...]]:
    """Nodes, and sets of nodes where an entry is no node but joins several."""
    return [
        entry
        if entry in data.node_name or _JOIN not in entry
        else tuple(part.strip() for part in entry.split(_JOIN))
        for entry in entries
    ]
