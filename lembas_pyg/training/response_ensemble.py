"""Several drug models that predict together, and the folder they are kept in."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import torch
from torch.nn import Module, ModuleList
from torch_geometric.data import Data

from lembas_pyg.checkpoint import activation_of, activation_text, load_tensors, save_tensors
from lembas_pyg.io.replace import replace_together
from lembas_pyg.nn.drug_response import DrugResponse

__all__ = ["FORMAT", "ResponseEnsemble"]

# Of files with a drug model; another number where the same options make another model.
FORMAT = "lembas_pyg drug model 3"
_OPTIONS = ("relative", "programs", "expression_limit", "binding")
_SOLVER = ("tol", "max_steps", "clip")
_SIGNED = ("drug", "viability")
_IDENTITY = ("drug_name", "mutation_name", "dose_unit")


class ResponseEnsemble(Module):
    """Drug models of one network that differ in their parameters alone.

    `lembas_pyg.viability.predict_viability` and the questions of
    `lembas_pyg.analysis.drug_response` take it like a model.

    Args:
        members: Models of one network.

    Raises:
        ValueError: There is no member, or they are of different networks.
    """

    def __init__(self, members: Iterable[DrugResponse]) -> None:
        super().__init__()
        models = list(members)
        if not models:
            raise ValueError("An ensemble needs a member; none was given.")
        names = models[0].signaling.node_name
        for number, model in enumerate(models):
            if model.signaling.node_name != names:
                raise ValueError(f"Member {number} is of another network than member 0.")
        self.members = ModuleList(models)

    @property
    def models(self) -> list[DrugResponse]:
        """The members."""
        return list(self.members)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.members)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write every member as ``member-000.pt`` and so on; all appear together, or none.

        Args:
            folder: Made if it is not there.

        Raises:
            FileExistsError: The folder holds members already.
            ValueError: The activation is not one of `lembas_pyg.nn`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("member-*.pt")):
            raise FileExistsError(f"{folder} holds an ensemble already; name another folder.")
        with replace_together(folder) as place:
            for number, model in enumerate(self.models):
                content = {
                    "format": FORMAT,
                    "options": {name: getattr(model, name) for name in _OPTIONS},
                    "solver": {name: getattr(model.conv, name) for name in _SOLVER},
                    "activation": activation_text(model.conv.act),
                    **{name: getattr(model, name) for name in _IDENTITY},
                    "signs": {name: getattr(model, name).sign for name in _SIGNED},
                    "state": model.state_dict(),
                }
                save_tensors(content, place / f"member-{number:03d}.pt")

    @classmethod
    def load(cls, folder: str | os.PathLike[str], data: Data) -> ResponseEnsemble:
        """Read what `save` wrote.

        Args:
            folder: Of the members.
            data: The network with the drugs and mutations they were trained on.

        Raises:
            FileNotFoundError: The folder holds no members.
            ValueError: They are of another network.
        """
        files = sorted(Path(folder).glob("member-*.pt"))
        if not files or files[0].stem != "member-000":  # the last that `save` puts there
            raise FileNotFoundError(f"{folder} holds no drug models: no member-000.pt.")
        members = []
        for file in files:
            content = load_tensors(file)
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise ValueError(f"{file} is no drug model of this version ({FORMAT}).")
            about = pd.DataFrame()
            about.attrs = content["activation"]
            options = content["options"] | content["solver"]
            model = DrugResponse(data, activation_of(about), radius=None, **options)
            for what in _IDENTITY:
                if content[what] != getattr(model, what):
                    raise ValueError(
                        f"{file} is a drug model of others than these: its {what} is "
                        f"{content[what]}, here it is {getattr(model, what)}."
                    )
            for name in _SIGNED:
                if not torch.equal(content["signs"][name], getattr(model, name).sign.cpu()):
                    raise ValueError(
                        f"{file} is a drug model of others than these: the signs of its {name} "
                        f"layer differ."
                    )
            try:
                model.load_state_dict(content["state"])
            except RuntimeError as error:
                raise ValueError(f"{file} is a drug model of another network: {error}") from error
            members.append(model)
        return cls(members)
