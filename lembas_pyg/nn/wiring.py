"""What makes the wiring of a model what it is, and how two of them differ."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["WIRING", "wiring_difference"]

# The tensors that make a network what it is, and what their entries are called.
WIRING = {
    "edge_index": "interactions",
    "edge_sign": "modes of action",
    "ligand_index": "ligands",
    "tf_index": "TFs",
}


def wiring_difference(mine: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """The first thing in which two networks differ, in words; None if there is none.

    Args:
        mine: `node_name` and the tensors of `WIRING` of the network here.
        theirs: Those to compare, all or some; the order of `WIRING` is that of the search.
    """
    names = mine["node_name"]
    if "node_name" in theirs and names != theirs["node_name"]:
        lacking = [name for name in names if name not in set(theirs["node_name"])]
        extra = [name for name in theirs["node_name"] if name not in set(names)]
        if not lacking and not extra:
            return "the same nodes in another order."
        return (
            f"{len(names)} nodes here and {len(theirs['node_name'])} there; only here: "
            f"{_some(lacking)}; only there: {_some(extra)}."
        )
    for name in WIRING:
        if name not in theirs:
            continue
        here, there = mine[name].cpu(), theirs[name].cpu()
        if here.shape != there.shape:
            return f"{here.size(-1)} {WIRING[name]} here and {there.size(-1)} there."
        if not torch.equal(here, there):
            unequal = (here != there).view(-1, here.size(-1)).any(dim=0)
            first = int(unequal.nonzero()[0])
            return (
                f"{int(unequal.sum())} of {here.size(-1)} {WIRING[name]} differ, the first at "
                f"position {first}."
            )
    return None


def _some(names: list[str]) -> str:
    """The first names of a list that may be long."""
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "none"
