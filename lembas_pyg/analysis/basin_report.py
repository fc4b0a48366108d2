"""Stability where nobody trained: random combinations of ligands beside the conditions known."""

from __future__ import annotations

import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis.basins import steady_states
from lembas_pyg.analysis.slow_modes import stability
from lembas_pyg.network import add_conditions
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members
from lembas_pyg.synthetic import random_stimuli

__all__ = ["basin_report"]


def basin_report(
    model: LEMBAS | Members,
    data: Data,
    num_conditions: int = 100,
    num_active: int = 5,
    *,
    concentration: float = 1.0,
    starts: int = 16,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    """Radius, convergence and number of steady states, in known and in random conditions.

    Training keeps the radius of its own conditions below 1; nothing it does speaks of others. So
    random combinations of ligands are drawn (`lembas_pyg.synthetic.random_stimuli`, the control
    without any ligand first; covariates stay 0) and looked at beside the conditions of the data.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network; its conditions, if there are any, are those known.
        num_conditions: Random conditions.
        num_active: Ligands a random condition.
        concentration: Largest concentration of a random ligand, in the unit of training.
        starts: First states a condition, see `steady_states`.
        generator: Source of randomness; the global one if None.

    Returns:
        One row a condition: `set` (``"known"`` or ``"random"``), `condition`, `num_ligands`,
        `converged` (from the start at 0), `radius`, `time_scale`, `period`, `num_states`,
        `unsteady` (share of starts without a steady state), `default_share`, `tf_range`; see
        `stability` and `steady_states`. Of an ensemble, begins with `member` (from 0). Conditions
        without a steady state are counted here, and warned of as well.

    Raises:
        ValueError: A number makes no sense, or the network has no ligand but covariates.
    """
    if not 0 < concentration < float("inf"):
        raise ValueError(f"concentration is {concentration}; it must be a positive number.")
    ligand = data.ligand_mask
    if "covariate_mask" in data:
        ligand = ligand & ~data.covariate_mask
    names = [data.node_name[i] for i in ligand.nonzero().view(-1).tolist()]
    stimuli = random_stimuli(names, num_conditions, num_active, generator=generator)
    sets = {"random": add_conditions(data, concentration * stimuli)}
    if "conditions" in data:
        sets = {"known": data, **sets}
    single = isinstance(model, LEMBAS)
    parts = []
    for number, member in enumerate([model] if isinstance(model, LEMBAS) else model.models):
        for name, conditions in sets.items():
            table = _look(member, conditions, starts, generator)
            table.insert(0, "set", name)
            if not single:
                table.insert(0, "member", number)
            parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _look(
    model: LEMBAS, data: Data, starts: int, generator: torch.Generator | None
) -> pd.DataFrame:
    """One row a condition of a network."""
    alone = stability(model, data, modes=1, nodes=1).conditions
    several = steady_states(model, data, starts=starts, generator=generator).conditions
    table = alone[["condition", "converged", "radius", "time_scale", "period"]].copy()
    table.insert(1, "num_ligands", (data.x != 0).sum(dim=0).cpu().numpy())
    table["num_states"] = several["num_states"]
    table["unsteady"] = several["unsteady"] / several["starts"]
    return table.join(several[["default_share", "tf_range"]])
