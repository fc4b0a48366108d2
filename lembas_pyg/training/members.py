"""Trained members of a cross-validation, read from their folder as one model."""

from __future__ import annotations

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from lembas_pyg.checkpoint import load_tensors
from lembas_pyg.nn.activations import Activation, LeakyReLU, MichaelisMentenLike, Sigmoid
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.surrogate import SURROGATE, add_covariate, find_surrogate
from lembas_pyg.training.ensemble import Ensemble

__all__ = ["load_members"]


def load_members(folder: str | os.PathLike[str], data: Data) -> tuple[Ensemble, Data]:
    """The members that `cross_validate` left in a folder, of all folds, as one model.

    For what a model is asked after its score is known: what all folds agree on is better supported
    than what one of them says. Each was trained without the conditions of its fold.

    Args:
        folder: As given to `cross_validate`, or that of ``lembas-pyg cross-validate`` above it.
        data: The network, with the conditions to ask about. Where the cross-validation looked for
            a surrogate variable, it needs the measured TFs, to look for them again.

    Returns:
        The ensemble, folds first, which knows the conditions that each was trained without
        (`held_out`), and the network it is of: that of `data`, with the covariate of its surrogate
        variable where the members know of it.

    Raises:
        FileNotFoundError: The folder holds no members.
        ValueError: The members are of another network or of another activation than those of
            lembas_pyg, a file is damaged, or a surrogate variable cannot be found for want of
            measurements.

    References:
        Nilsson et al. (2022), Fig. 6e-f: knock-outs by the models of all folds.
    """
    folder = Path(folder)
    if not (folder / "members.json").is_file() and (folder / "members").is_dir():
        folder = folder / "members"
    files = sorted(folder.glob("fold-*-member-*.pt"))
    if not files or not (folder / "members.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds no members of a cross-validation: no members.json, or no "
            "fold-000-member-000.pt beside it. `lembas-pyg cross-validate` writes them, and "
            "`lembas_pyg.cross_validate` if it is given a folder."
        )
    record = _record(folder / "members.json")
    if record["settings"]["surrogate_variable"]:
        data = _with_surrogate(folder, data)
    act = _activation(folder, record["model"])
    found = [_member(file, LEMBAS(data, act, radius=None)) for file in files]
    return Ensemble((m for m, _ in found), held_out=(names for _, names in found)), data


def _record(path: Path) -> dict[str, Any]:
    """How the members were trained."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {"settings": dict(record["settings"]), "model": str(record["model"])}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged; how the members were trained is lost.") from error


def _with_surrogate(folder: Path, data: Data) -> Data:
    """The network with the covariate that members of a surrogate variable were trained with."""
    if "y" not in data or bool(data.y.isnan().all()):
        raise ValueError(
            f"The members of {folder} know of a surrogate variable, which is found in the measured "
            f"TF activities; give these too (`add_conditions(data, ligands, tfs)`, or --tfs)."
        )
    if SURROGATE in data.node_name:
        return data
    return add_covariate(data, SURROGATE, find_surrogate(data).value)


def _activation(folder: Path, model: str) -> Activation:
    """The activation in the description of what made the members."""
    if "'act'" not in model and model.startswith(f"{LEMBAS.__module__}.{LEMBAS.__qualname__}"):
        return MichaelisMentenLike()
    for cls in (MichaelisMentenLike, LeakyReLU, Sigmoid):
        found = re.search(rf"{cls.__name__}\((?:leak=([^)]+))?\)", model)
        if found:
            leak = found.group(1)
            return cls() if leak is None else cls(leak=float(leak))  # type: ignore[call-arg]
    raise ValueError(
        f"The members of {folder} were made by {model}, whose activation is not one of lembas_pyg; "
        f"call `cross_validate` again, and `ensemble` of what it returns."
    )


def _member(file: Path, model: LEMBAS) -> tuple[LEMBAS, list[str]]:
    """Give a model the parameters in a file; and the conditions it was trained without."""
    try:
        content = load_tensors(file)
        state, held_out = content["state"], list(content["held_out"])
    except (pickle.UnpicklingError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no member of a cross-validation: {error}") from error
    for name, parameter in model.named_parameters():
        there = list(state[name].shape) if name in state else "nothing"
        if there != list(parameter.shape):
            raise ValueError(
                f"{file} is of another network: {name} has the shape {there} there and "
                f"{list(parameter.shape)} here. Give the network that was trained."
            )
    model.to(state["conv.bias"].dtype).load_state_dict(state, strict=False)
    return model, held_out
