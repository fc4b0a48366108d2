"""What a command is given: its network, model and numbers, from the arguments."""

from __future__ import annotations

import argparse
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lembas_pyg.cli.values import Parser

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.nn.activations import Activation
    from lembas_pyg.training import Ensemble

__all__ = [
    "activation_of",
    "blaming",
    "check_by_member",
    "model_of",
    "models_of",
    "network_of",
    "refuse",
    "set_threads",
    "solver_options",
    "strength_of",
]


def refuse(arguments: argparse.Namespace, text: str) -> NoReturn:
    """End with an error of usage that argparse could not see."""
    parser: Parser = arguments.parser
    parser.error(text)


def activation_of(arguments: argparse.Namespace) -> Activation:
    """The activation that was named, with its leak."""
    from lembas_pyg.nn import activation_by_name

    try:
        return activation_by_name(arguments.activation, arguments.leak)
    except ValueError as error:
        refuse(arguments, f"argument --activation, --leak: {error}")


def network_of(
    arguments: argparse.Namespace, *, ligands: Path | None = None, tfs: Path | None = None
) -> Data:
    """The network, with conditions where a ligand table is given."""
    from lembas_pyg.io import read_annotation, read_conditions, read_interactions
    from lembas_pyg.network import add_conditions, from_interactions

    interactions = read_interactions(arguments.network)
    data = from_interactions(interactions, read_annotation(arguments.annotation))
    if ligands is None:
        return data
    measured = None if tfs is None else read_conditions(tfs)
    return add_conditions(data, read_conditions(ligands), measured)


def model_of(arguments: argparse.Namespace) -> tuple[LEMBAS, Data]:
    """The trained model of a parameter text, in float64, and its network with conditions."""
    from lembas_pyg.checkpoint import activation_of, load_parameters
    from lembas_pyg.io import read_parameters
    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.topology import has_path

    if arguments.parameters.suffix == ".safetensors":
        raise ValueError(
            f"--parameters {arguments.parameters} is for `lembas_pyg.checkpoint.load` in Python; "
            "name the text of the model, parameters.tsv beside it, or a folder of models."
        )
    set_threads(arguments)
    # Only some commands compare with measurements.
    data = network_of(arguments, ligands=arguments.ligands, tfs=getattr(arguments, "tfs", None))
    parameters = read_parameters(arguments.parameters)
    with blaming(f"--parameters {arguments.parameters}"):
        act = activation_of(parameters)
    model = LEMBAS(data, act, radius=None).double()
    with blaming(f"--parameters {arguments.parameters}"):
        load_parameters(model, parameters)
    if not has_path(data.ligand_mask, data.tf_mask, data.edge_index):
        warnings.warn(
            "No path leads from any ligand to any TF of this network: the predicted activities "
            "are the same in every condition.",
            stacklevel=2,
        )
    return model, data


def models_of(arguments: argparse.Namespace) -> tuple[LEMBAS | Ensemble, Data]:
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
    if (folder / "checkpoint.pt").is_file():
        raise ValueError(
            f"--parameters {folder} is the folder of one training; name the model in it: "
            f"{folder / 'parameters.tsv'}, or {folder / 'best-parameters.tsv'}."
        )
    if any(folder.glob("member-*.safetensors")):
        return Ensemble.load(folder, LEMBAS(data, radius=None).double()), data
    return load_members(folder, data)


def check_by_member(arguments: argparse.Namespace) -> None:
    """Refuse rows of every member where there is one model."""
    alone = len(arguments.parameters) == 1 and not arguments.parameters[0].is_dir()
    if arguments.by_member and alone:
        refuse(arguments, "argument --by-member: there is one model; give several --parameters")


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """Say which option an error is about, where the library cannot know."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def set_threads(arguments: argparse.Namespace) -> None:
    """Use as many threads as were asked for."""
    import torch

    torch.set_num_threads(arguments.threads)


def strength_of(arguments: argparse.Namespace) -> float:
    """The strength that was given, or that of the library's knock-outs."""
    from lembas_pyg.analysis import knock_out

    default = inspect.signature(knock_out).parameters["strength"].default
    return default if arguments.strength is None else arguments.strength


def solver_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The solver's options that were given; the library knows the others."""
    given = {name: getattr(arguments, name) for name in ("tol", "max_steps")}
    return {name: value for name, value in given.items() if value is not None}
