"""Conditions held out by where they lie, not at random."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import select_conditions

__all__ = ["REGIONS", "split_region"]

REGIONS = ("boundary", "stripe", "south-west")


def split_region(data: Data, region: str) -> tuple[Data, Data]:
    """Divide the conditions of a grid into those outside of a region and those inside.

    Args:
        data: Network with conditions on a grid, as of `lembas_pyg.synthetic.grid_stimuli`; it is
            not changed.
        region: ``"boundary"``, some ligand at its lowest or highest concentration (36 of a
            10 x 10 grid); ``"stripe"``, the first ligand in the middle fifth of its range (20);
            ``"south-west"``, all ligands in the lower half (25).

    Returns:
        Two copies of the network: to train on (outside of the region), and to test on (inside).

    Raises:
        ValueError: There is no such region, there are no conditions, or one part would be empty.

    References:
        Nilsson et al. (2022), SI Fig. 4a: conditions selected adversely.
    """
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    inside = _inside(data.x[data.ligand_mask], region)
    if bool(inside.all()) or not bool(inside.any()):
        raise ValueError(
            f"{int(inside.sum())} of {len(inside)} conditions are in the region '{region}'; there "
            f"must be some inside and some outside."
        )
    names = list(data.conditions)
    parts = ([names[i] for i in part.nonzero().view(-1).tolist()] for part in (~inside, inside))
    train, test = (select_conditions(data, part) for part in parts)
    return train, test


def _inside(x: Tensor, region: str) -> Tensor:
    """Whether each condition is in the region, of concentrations ``[L, S]``."""
    low, high = x.amin(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)
    share = (x - low) / (high - low).clamp(min=torch.finfo(x.dtype).tiny)
    match region:
        case "boundary":
            return ((share == 0) | (share == 1)).any(dim=0)
        case "stripe":
            return (share[0] - 0.5).abs() < 0.1
        case "south-west":
            return (share < 0.5).all(dim=0)
    raise ValueError(f"There is no region '{region}'; choose from {', '.join(REGIONS)}.")
