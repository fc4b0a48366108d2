"""A model's parameters as a table, and as a file that knows its network.

`load_parameters` and `to_parameters` speak the plain text of the paper (through
`lembas_pyg.io.read_parameters`), which biologists can read; `save` and `load` keep tensors as they
are. Neither executes anything that is stored in a file.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from lembas_pyg.io.parameters import check_parameters
from lembas_pyg.io.replace import replace_file
from lembas_pyg.nn.activations import Activation, activation_by_name, michaelis_menten_like
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.spelling import close_names

__all__ = ["activation_of", "load", "load_parameters", "save", "to_parameters"]

_FORMAT = "lembas_pyg model 1"
# What a damaged file, another one, or one that holds code raises.
_DAMAGED = (safetensors.SafetensorError, pickle.UnpicklingError, RuntimeError, KeyError, TypeError)


def to_parameters(model: LEMBAS) -> pd.DataFrame:
    """Make the parameter table of a model.

    Args:
        model: Any precision; float64 values survive, float32 ones are written exactly.

    Returns:
        Source, Target, Type (Weight, Bias, Input, Projection), Value (dimensionless; Input in
        1 / concentration); ``.attrs`` names the activation and its leak.
    """
    names = np.asarray(model.node_name, dtype=object)
    source, target = model.edge_index.cpu().numpy()
    blocks = [
        (names[source], names[target], "Weight", model.conv.edge_weight),
        (names, "", "Bias", model.conv.bias),
        (names[model.ligand_index.cpu().numpy()], "", "Input", model.input.weight),
        (names[model.tf_index.cpu().numpy()], "", "Projection", model.output.weight),
    ]
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "Source": s,
                    "Target": t,
                    "Type": kind,
                    "Value": value.detach().double().cpu().view(-1).numpy(),
                }
            )
            for s, t, kind, value in blocks
        ],
        ignore_index=True,
    )
    table.attrs = activation_text(model.conv.act)
    return table


def load_parameters(model: LEMBAS, table: pd.DataFrame) -> LEMBAS:
    """Give a model the parameters of a table; in place.

    Every parameter of the model has to be in the table, and no other: the table of another network
    is refused and changes nothing. Texts of the original code are loaded as they are.

    Args:
        model: Model of the network the table belongs to.
        table: As from `lembas_pyg.io.read_parameters` or `to_parameters`.

    Returns:
        The model.

    Raises:
        TypeError: It is not a table.
        ValueError: The table belongs to another network or activation, or is no parameter table.

    References:
        The original code rounds to float32 on loading; we do so only if the model is float32.
    """
    table = check_parameters(table)
    act = model.conv.act
    if table.attrs.get("activation") and activation_of(table) != act:
        raise ValueError(
            f"The parameters were made with the activation {activation_of(table)}, the model has "
            f"{act}. Make the model with `LEMBAS(data, act=activation_of(table))`."
        )
    mine = to_parameters(model)
    keys = ["Type", "Source", "Target"]
    merged = mine[keys].merge(table, on=keys, how="outer", indicator=True)
    for side, text in (("left_only", "lack"), ("right_only", "have, and this network has not,")):
        alone = merged[merged["_merge"] == side]
        if len(alone):
            counts = ", ".join(f"{n} {kind}" for kind, n in alone["Type"].value_counts().items())
            first = alone.iloc[0]
            arrow = f" -> {first['Target']}" if first["Target"] else ""
            raise ValueError(
                f"The parameters belong to another network: they {text} {len(alone)} parameters "
                f"({counts}), such as the {first['Type']} of {first['Source']}{arrow}. Give the "
                f"parameters of this network, or the network and annotation they were made for."
            )
    ordered = mine[keys].merge(table, on=keys, how="left")["Value"]
    value = torch.from_numpy(ordered.to_numpy(copy=True))
    parameters = model.conv.edge_weight, model.conv.bias, model.input.weight, model.output.weight
    with torch.no_grad():
        for parameter, block in zip(
            parameters, value.split([p.numel() for p in parameters]), strict=True
        ):
            parameter.copy_(block.view_as(parameter))
    return model


def activation_of(table: pd.DataFrame) -> Activation:
    """Activation a parameter table was made with; the paper's (MML, leak 0.01) if it says nothing.

    Args:
        table: As from `lembas_pyg.io.read_parameters`.

    Raises:
        ValueError: The activation is not known, the leak is no number, or a key above the table
            looks like one of the two.
    """
    for key in table.attrs:
        meant = close_names(str(key), ["activation", "leak"], most=1, cutoff=0.8)
        if meant and meant[0] != key:
            raise ValueError(
                f"The parameters have '{key}: {table.attrs[key]}' above the table, which says "
                f"nothing of the activation. Write '{meant[0]}', or remove the line."
            )
    if "activation" not in table.attrs:
        if "leak" in table.attrs:
            return activation_by_name("MML", leak=_leak(table.attrs["leak"]))
        return michaelis_menten_like
    leak = table.attrs.get("leak")
    return activation_by_name(table.attrs["activation"], None if leak is None else _leak(leak))


def save(model: LEMBAS, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters with the identity of its network.

    Args:
        model: The model.
        path: File to write or replace; ``.safetensors``, or ``.pt`` for a state dict of torch.

    Raises:
        OSError: The file cannot be written.
        ValueError: The ending is neither.
    """
    path = Path(path)
    about = {
        "format": _FORMAT,
        "node_name": json.dumps(model.node_name),
        "activation": json.dumps(activation_text(model.conv.act)),
    }
    match path.suffix:
        case ".safetensors":
            # One entry: safetensors writes several in any order, and the bytes would differ.
            content = safetensors.torch.save(_tensors(model), metadata={"about": json.dumps(about)})
            with replace_file(path) as file:
                file.write(content)
        case ".pt":
            save_tensors({"about": about, "tensors": _tensors(model)}, path)
        case _:
            raise _unknown_suffix(path)


def load(model: LEMBAS, path: str | os.PathLike[str]) -> LEMBAS:
    """Give a model the parameters of a file written by `save`; in place.

    Args:
        model: Model of the same network and activation; of any precision and device.
        path: ``.safetensors`` or ``.pt`` file.

    Returns:
        The model.

    Raises:
        OSError: There is no such file.
        ValueError: The file is no model, or one of another network or activation; the first
            difference is named, and the model stays as it was.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `lembas_pyg.checkpoint.save` makes one.")
    try:
        match path.suffix:
            case ".safetensors":
                with safetensors.safe_open(path, framework="pt") as file:
                    about = json.loads((file.metadata() or {}).get("about", "{}"))
                    tensors = {name: file.get_tensor(name) for name in file.keys()}
            case ".pt":
                content = load_tensors(path)
                about, tensors = content["about"], content["tensors"]
            case _:
                raise _unknown_suffix(path)
    except _DAMAGED as error:
        raise ValueError(f"{path} is no model written by lembas_pyg: {error}") from error
    if about.get("format") != _FORMAT:
        raise ValueError(f"{path} is no model of this version ({_FORMAT}).")
    act = activation_text(model.conv.act)
    if json.loads(about["activation"]) != act:
        raise ValueError(f"{path} has the activation {about['activation']}, the model {act}.")
    # Names first: of two networks of one size, they say what differs.
    model.set_extra_state({"node_name": json.loads(about["node_name"])})
    model.load_state_dict({**tensors, "_extra_state": model.get_extra_state()})
    return model


def save_tensors(content: Any, path: Path) -> None:
    """Write tensors, numbers, texts and containers; the file is always the old or the new one.

    Args:
        content: What `load_tensors` will give back.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
    """
    # To memory first: of a full disk torch says "unexpected pos 4544 vs 4436", and an interruption
    # in the midst of its write to a file would end as a RuntimeError.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replace_file(path) as file:
        file.write(buffer.getbuffer())


def load_tensors(path: Path, device: torch.device | str = "cpu") -> Any:
    """Read what ``torch.save`` wrote: tensors, numbers, texts and containers, never code.

    Args:
        path: The file.
        device: Where the tensors go.

    Raises:
        pickle.UnpicklingError: The file is something else, is damaged, or holds more than that.
    """
    # The reader of old formats takes any bytes for a program and fails in any way.
    # torch does not look at the checksums it wrote: a flipped bit would become a weight.
    damaged = None
    try:
        is_archive = zipfile.is_zipfile(path)
        if is_archive:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise pickle.UnpicklingError(f"it is damaged ({error}).") from error
    if not is_archive:
        raise pickle.UnpicklingError("it was not written by torch.save, or only in part.")
    if damaged is not None:
        raise pickle.UnpicklingError(f"it is damaged (checksum of {damaged}).")
    return torch.load(path, map_location=device, weights_only=True)


def _tensors(model: LEMBAS) -> dict[str, Tensor]:
    """The model's state without what is no tensor."""
    return {k: v.contiguous() for k, v in model.state_dict().items() if isinstance(v, Tensor)}


def activation_text(act: Any) -> dict[str, str]:
    """Name and leak of an activation, as the head of a parameter text holds them."""
    if not isinstance(act, Activation):
        name = getattr(act, "__name__", repr(act))
        raise ValueError(
            f"The activation '{name}' is not one of lembas_pyg.nn and cannot be written to a file; "
            f"save model.state_dict() instead."
        )
    leak = getattr(act, "leak", None)
    return {"activation": act.name} | ({} if leak is None else {"leak": repr(leak)})


def _leak(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"The leak of the parameters is '{text}'; it must be a number in [0, 1)."
        ) from None


def _unknown_suffix(path: Path) -> ValueError:
    return ValueError(f"{path} ends in '{path.suffix}'; models are .safetensors or .pt files.")
