"""Nodes by name, and what to say of a name that is none of them."""

from collections.abc import Iterable

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.spelling import close_names

__all__ = ["first_of", "marked", "node_index", "unknown_node"]


def node_index(
    data: Data,
    name: str | Iterable[str] | None = None,
    *,
    label: str | Iterable[str] | None = None,
) -> int | Tensor:
    """Look up nodes by accession, or by symbol.

    Args:
        data: The graph.
        name: One accession, or several.
        label: One symbol, or several, instead of `name`.

    Returns:
        The index of one node, or int64 ``[number of names]``.

    Raises:
        TypeError: Neither or both of `name` and `label` are given, or a name is no text.
        ValueError: There is no such node, or a symbol belongs to several.

    Example:
        >>> data = Data(node_name=["P01375", "Q04206"], node_label=["TNF", "RELA"], num_nodes=2)
        >>> node_index(data, "Q04206"), node_index(data, label=["RELA", "TNF"])
        (1, tensor([1, 0]))
    """
    given = name if label is None else label
    if given is None or (name is not None and label is not None):
        raise TypeError("Give either `name` (accessions) or `label` (symbols).")
    names = [given] if isinstance(given, str) else list(given)
    for value in names:
        if not isinstance(value, str):
            raise TypeError(f"A node is named by a text, not {value!r}.")
    known = pd.Index(data.node_name if label is None else data.node_label, dtype=object)
    for value in names:
        if value not in known:
            raise ValueError(unknown_node(data, value, by_label=label is not None))
        owners = _owners(data, value) if label is not None else []
        if len(owners) > 1:
            raise ValueError(
                f"The symbol '{value}' belongs to several nodes: {first_of(owners)}. Name one of "
                "them by its accession."
            )
    index = [known.get_loc(value) for value in names]
    return index[0] if isinstance(given, str) else torch.tensor(index, dtype=torch.long)


def unknown_node(data: Data, value: str, by_label: bool = False) -> str:
    """What to say of a name that the network does not have, with a suggestion."""
    text = f"'{value}' is not among the {data.num_nodes} nodes of the network."
    if by_label:
        text = f"'{value}' is not among the symbols of the {data.num_nodes} nodes of the network."
        if value in data.node_name:
            symbol = data.node_label[data.node_name.index(value)]
            return f"{text} '{value}' is an accession: its symbol is '{symbol}'."
    else:
        text += " Nodes are named by accession (UniProt)."
        owners = " or ".join(f"'{name}'" for name in _owners(data, value))
        if owners:
            return f"{text} '{value}' is the symbol of {owners}: use the accession."
    known = data.node_label if by_label else [*data.node_name, *data.node_label]
    close = close_names(value, known)
    if not close:
        return text
    alike = [dict.fromkeys([name, *_owners(data, name)]) for name in close]
    hints = [" = ".join(f"'{name}'" for name in names) for names in alike]
    return f"{text} Close to it: {', '.join(hints)}."


def _owners(data: Data, label: str) -> list[str]:
    """Accessions of the nodes with this symbol."""
    pairs = zip(data.node_name, data.node_label, strict=True)
    return [name for name, other in pairs if other == label]


def marked(data: Data, mask: Tensor) -> dict[str, int]:
    """Marked nodes, name -> index, in order."""
    return {data.node_name[i]: i for i in mask.nonzero().flatten().tolist()}


def first_of(names: Iterable[str], limit: int = 10) -> str:
    """The first names of many, for a message, and how many there are."""
    names = list(names)
    shown = ", ".join(f"'{name}'" for name in names[:limit])
    return (
        f"{shown}, ... ({len(names)} in all)" if len(names) > limit else f"{shown} ({len(names)})"
    )
