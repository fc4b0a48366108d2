"""The commands that say why a model predicts what it does: sensitivity and explain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import INPUTS, check_outputs
from lembas_pyg.cli.inputs import check_by_member, model_of, models_of, refuse, solver_options

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from lembas_pyg.analysis import PathExplanation

__all__ = ["explain", "sensitivity"]

_PICTURES = (".png", ".svg", ".pdf")


def sensitivity(arguments: argparse.Namespace) -> int:
    """Write how sensitive every TF is to every node."""
    if arguments.level == 0:
        refuse(arguments, "argument --level: 0 changes nothing; leave it out for the derivative")
    if arguments.threshold is not None and arguments.hubs is None:
        refuse(arguments, "argument --threshold: no hubs are asked for; add --hubs H.tsv")
    if arguments.by_member and arguments.hubs is not None:
        refuse(arguments, "argument --by-member: --hubs are of medians; leave one of the two out")
    if arguments.trained_on is not None and not any(p.is_dir() for p in arguments.parameters):
        refuse(
            arguments,
            "argument --trained-on: give the folder of a cross-validation to "
            "--parameters; other models do not tell what they were trained on",
        )
    check_by_member(arguments)
    outputs = check_outputs(arguments, "out", "hubs", inputs=(*INPUTS, "tfs"))

    from lembas_pyg.analysis import hubs, sensitivity
    from lembas_pyg.io import write_tsv

    model, data = models_of(arguments)
    table = sensitivity(
        model,
        data,
        arguments.nodes,
        arguments.conditions,
        level=arguments.level,
        strongest=arguments.strongest,
        by_member=arguments.by_member,
        trained_on=None if arguments.trained_on is None else arguments.trained_on == "yes",
        **solver_options(arguments),
    )
    write_tsv(table, outputs["out"])
    if "hubs" in outputs:
        write_tsv(hubs(table, data, **_given(arguments, "threshold")), outputs["hubs"])
    if table["elasticity"].isna().all():
        raise RuntimeError("No condition has a steady state: all that was written is blank.")
    return 0


def explain(arguments: argparse.Namespace) -> int:
    """Write the interactions that carry the effect of a ligand to a TF."""
    picture: Path | None = arguments.picture
    if picture is not None and picture.suffix.lower() not in _PICTURES:
        refuse(arguments, f"argument --picture: {picture} does not end in {', '.join(_PICTURES)}")
    outputs = check_outputs(arguments, "out", "graphml", "picture")
    if picture is not None:
        from lembas_pyg.plot.canvas import require_matplotlib

        require_matplotlib()

    from lembas_pyg.analysis import explain_path
    from lembas_pyg.io import write_tsv

    model, data = model_of(arguments)
    found = explain_path(
        model,
        data,
        _accession(data, arguments.ligand),
        _accession(data, arguments.tf),
        arguments.condition,
        **_given(arguments, "share", "max_edges"),
        **solver_options(arguments),
    )
    write_tsv(found.edges, outputs["out"])
    if "graphml" in outputs:
        _write_graphml(found, outputs["graphml"])
    if "picture" in outputs:
        _draw(found, outputs["picture"])
    print(found)
    return 0


def _given(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Options that were given; the library knows the others."""
    found = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _accession(data: Data, name: str) -> str:
    """Accession of a node that is named by it or by its symbol."""
    from lembas_pyg.network import node_index

    if name in data.node_name or name not in data.node_label:
        return name
    return data.node_name[int(node_index(data, label=name))]


def _write_graphml(found: PathExplanation, path: Path) -> None:
    """The part as GraphML, with the attribution of every interaction."""
    from lembas_pyg.io import write_graphml
    from lembas_pyg.network import to_annotation, to_interactions

    part = found.network
    interactions = to_interactions(part).assign(
        weight=part.edge_weight.numpy(),
        attribution=part.edge_attribution.numpy(),
        share=part.edge_attribution.numpy() / found.effect,
    )
    write_graphml(interactions, path, to_annotation(part))


def _draw(found: PathExplanation, path: Path) -> None:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    from lembas_pyg.io.replace import replace_file
    from lembas_pyg.plot import plot_path

    pyplot.switch_backend("agg")  # also where there is no screen
    figure = plot_path(found).figure
    assert isinstance(figure, Figure)  # of our own
    with replace_file(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=200)
    pyplot.close(figure)
