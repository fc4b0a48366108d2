"""The command that looks for interactions the network lacks."""

from __future__ import annotations

import argparse

from lembas_pyg.cli.files import INPUTS, check_outputs
from lembas_pyg.cli.inputs import model_of, refuse
from lembas_pyg.cli.shared_options import add_model, add_out, add_solver, add_tfs
from lembas_pyg.cli.values import number, path

__all__ = ["add_impute", "impute"]

_OPTIONS = "top", "screen", "refit", "freedom", "tol", "max_steps"


def add_impute(parser: argparse.ArgumentParser) -> None:
    """Options of `impute`; defaults are the library's."""
    add_model(parser)
    text = "measurements to explain: conditions x TFs, activities, blank where not measured"
    add_tfs(parser, text)
    text = (
        "rank, source, target, sign, weight, gain, loss, loss_after and more; one row a candidate, "
        "best first"
    )
    add_out(parser, "NEW.tsv", text)
    parser.add_argument(
        "--top",
        type=number(int, at_least=1),
        metavar="INT",
        help="candidates to write (default: 20)",
    )
    parser.add_argument(
        "--candidates",
        type=path,
        metavar="C.tsv",
        help="interactions to choose from, such as those of lower quality: source, target, "
        "direction, stimulation, inhibition (default: all pairs of nodes)",
    )
    parser.add_argument(
        "--freedom",
        type=number(float, at_least=0),
        metavar="FLOAT",
        help="how far weights and biases of the model may adapt, for the gains (default: 0)",
    )
    parser.add_argument(
        "--structure",
        action="store_true",
        help="add columns of link prediction: what the graph alone says",
    )
    add_out(parser, "M2.tsv", "the network with the best --add candidates", also="--network-out")
    text = (
        "parameters of that network, to go on from; new weights are those fitted one at a time "
        "(one candidate) or 0 (several)"
    )
    add_out(parser, "P2.tsv", text, also="--parameters-out")
    parser.add_argument(
        "--add",
        type=number(int, at_least=1),
        metavar="INT",
        help="candidates in --network-out (default: 1)",
    )
    for name, text in (
        ("screen", "candidates tried (default: 200)"),
        ("refit", "candidates whose weight is fitted (default: 30)"),
    ):
        parser.add_argument(f"--{name}", type=number(int, at_least=1), metavar="INT", help=text)
    add_solver(parser, tol="1e-6", max_steps=500)


def impute(arguments: argparse.Namespace) -> int:
    """Write the candidates and, if asked to, the larger network."""
    if arguments.add is not None and arguments.network_out is None:
        refuse(arguments, "argument --add: no network is written; name it with --network-out")
    if arguments.parameters_out is not None and arguments.network_out is None:
        refuse(
            arguments,
            "argument --parameters-out: its network is not written; name it with --network-out",
        )
    outputs = check_outputs(
        arguments, "out", "network_out", "parameters_out", inputs=(*INPUTS, "tfs", "candidates")
    )

    from lembas_pyg.analysis import score_missing_interactions
    from lembas_pyg.checkpoint import to_parameters
    from lembas_pyg.io import read_interactions, write_interactions, write_parameters, write_tsv
    from lembas_pyg.network import to_interactions
    from lembas_pyg.nn import enlarge
    from lembas_pyg.transforms import ImputeInteractions

    model, data = model_of(arguments)
    prior = None if arguments.candidates is None else read_interactions(arguments.candidates)
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    table = score_missing_interactions(
        model,
        data,
        candidates=prior,
        structure=arguments.structure,
        **{name: value for name, value in given.items() if value is not None},
    )
    write_tsv(table, outputs["out"])
    if "network_out" in outputs:
        count = arguments.add or 1
        larger = ImputeInteractions(table, top=count)(data)
        interactions = read_interactions(arguments.network)
        write_interactions(to_interactions(larger, interactions), outputs["network_out"])
        if "parameters_out" in outputs:
            weight = float(table["weight"].iloc[0]) if count == 1 else 0.0
            write_parameters(
                to_parameters(enlarge(model, larger, weight)), outputs["parameters_out"]
            )
    return 0
