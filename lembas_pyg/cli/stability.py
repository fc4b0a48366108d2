"""The command ``stability``: slow modes of every condition, and other steady states."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import INPUTS, check_outputs
from lembas_pyg.cli.inputs import check_by_member, models_of, refuse, solver_options
from lembas_pyg.cli.shared_options import add_conditions, add_models, add_out, add_solver
from lembas_pyg.cli.values import number

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.training import Ensemble

__all__ = ["add_stability", "stability"]


def add_stability(parser: argparse.ArgumentParser) -> None:
    """Options of `stability`."""
    add_models(parser)
    text = (
        "condition, mode, radius, real, imag, time_scale, period, num_nodes; one row a condition "
        "and mode, blank without a steady state or feedback"
    )
    add_out(parser, "MODES.tsv", text)
    text = "condition, mode, rank, node, label, participation"
    add_out(parser, "NODES.tsv", text, also="--nodes-out")
    text = "the distinct steady states that random starts end in"
    add_out(parser, "STATES.tsv", text, also="--states-out")
    add_conditions(parser, "look at")
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
    add_solver(parser)


def stability(arguments: argparse.Namespace) -> int:
    """Write the modes, and nodes and steady states if asked to."""
    if arguments.starts is not None and arguments.states_out is None:
        refuse(arguments, "argument --starts: nothing starts; add --states-out FILE")
    check_by_member(arguments)
    outputs = check_outputs(arguments, "out", "nodes_out", "states_out", inputs=(*INPUTS, "tfs"))

    from lembas_pyg.analysis import stability
    from lembas_pyg.io import write_tsv

    model, data = models_of(arguments)
    options: dict[str, Any] = {"modes": arguments.modes, "nodes": arguments.top}
    options = {name: value for name, value in options.items() if value is not None}
    each = stability(model, data, arguments.conditions, **options, **solver_options(arguments))
    several = hasattr(model, "models") and not arguments.by_member
    found = each.over_members() if several else each
    # A condition without modes keeps its row, so that nobody misses it silently.
    keys = [name for name in ("member", "condition") if name in found.conditions]
    modes = found.conditions[keys].merge(found.modes, how="left", on=keys)
    counts = [name for name in ("mode", "members", "oscillating") if name in modes]
    write_tsv(modes.astype(dict.fromkeys(counts, "Int64")), outputs["out"])
    if "nodes_out" in outputs:
        write_tsv(found.nodes, outputs["nodes_out"])
    if "states_out" in outputs:
        write_tsv(_states(model, data, arguments), outputs["states_out"])
    if not each.conditions["converged"].any():
        raise RuntimeError("No condition has a steady state: all modes written are blank.")
    return 0


def _states(model: LEMBAS | Ensemble, data: Data, arguments: argparse.Namespace) -> pd.DataFrame:
    """Distinct steady states; of an ensemble those of every member, which need not be the same."""
    import pandas as pd
    import torch

    from lembas_pyg.analysis import steady_states
    from lembas_pyg.nn import LEMBAS

    generator = torch.Generator().manual_seed(arguments.seed)
    starts = {} if arguments.starts is None else {"starts": arguments.starts}
    tables = []
    for place, member in enumerate([model] if isinstance(model, LEMBAS) else model.models):
        found = steady_states(member, data, arguments.conditions, generator=generator, **starts)
        if not isinstance(model, LEMBAS):
            found.states.insert(0, "member", place)
        tables.append(found.states)
    return pd.concat(tables, ignore_index=True)
