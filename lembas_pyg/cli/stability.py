"""The command ``stability``: slow modes of every condition, and other steady states."""

from __future__ import annotations

import argparse
from typing import Any

from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.inputs import model_of, refuse, solver_options
from lembas_pyg.cli.values import names, number, path

__all__ = ["add_stability", "stability"]


def add_stability(parser: argparse.ArgumentParser) -> None:
    """The options that the command has alone."""
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="MODES.tsv",
        help="to write: condition, mode, radius, real, imag, time_scale, period, num_nodes; one "
        "row a condition and mode, blank without a steady state or feedback",
    )
    parser.add_argument(
        "--nodes-out",
        type=path,
        metavar="NODES.tsv",
        help="to write as well: condition, mode, rank, node, label, participation",
    )
    parser.add_argument(
        "--states-out",
        type=path,
        metavar="STATES.tsv",
        help="to write as well: the distinct steady states that random starts end in",
    )
    parser.add_argument(
        "--conditions",
        type=names,
        metavar="NAME,...",
        help="rows of --ligands to look at (default: all)",
    )
    parser.add_argument(
        "--modes",
        type=number(int, at_least=1),
        metavar="INT",
        help="slowest modes of each condition (default: 3)",
    )
    parser.add_argument(
        "--top",
        type=number(int, at_least=1),
        metavar="INT",
        help="nodes of each mode (default: 10)",
    )
    parser.add_argument(
        "--starts",
        type=number(int, at_least=2),
        metavar="INT",
        help="random starts of each condition for --states-out (default: 32)",
    )
    parser.add_argument(
        "--seed",
        type=number(int, at_least=0),
        default=0,
        metavar="INT",
        help="of the random starts (default: %(default)s)",
    )


def stability(arguments: argparse.Namespace) -> int:
    """Write the modes, and nodes and steady states if asked to."""
    if arguments.starts is not None and arguments.states_out is None:
        refuse(arguments, "argument --starts: nothing starts; add --states-out FILE")
    outputs = check_outputs(arguments, "out", "nodes_out", "states_out")

    import torch

    from lembas_pyg.analysis import stability, steady_states
    from lembas_pyg.io import write_tsv

    model, data = model_of(arguments)
    options: dict[str, Any] = {"modes": arguments.modes, "nodes": arguments.top}
    options = {name: value for name, value in options.items() if value is not None}
    found = stability(model, data, arguments.conditions, **options, **solver_options(arguments))
    # A condition without modes keeps its row, so that nobody misses it silently.
    modes = found.conditions[["condition"]].merge(found.modes, how="left", on="condition")
    write_tsv(modes.astype({"mode": "Int64"}), outputs["out"])
    if "nodes_out" in outputs:
        write_tsv(found.nodes, outputs["nodes_out"])
    if "states_out" in outputs:
        generator = torch.Generator().manual_seed(arguments.seed)
        starts = {} if arguments.starts is None else {"starts": arguments.starts}
        states = steady_states(model, data, arguments.conditions, generator=generator, **starts)
        write_tsv(states.states, outputs["states_out"])
    if not found.conditions["converged"].any():
        raise RuntimeError("No condition has a steady state: all modes written are blank.")
    return 0
