"""Does the steady state depend on where the cell starts from?"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.slow_modes import time_scale
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.prediction import prepare

__all__ = ["SteadyStates", "steady_states"]

# Columns (start x condition) solved side by side; bounds memory, not the result.
_COLUMNS = 2048
# Plain iteration, as acceleration may leave the basin it started in; the layer accelerates only
# what needs more steps than this.
_PLAIN_STEPS = 5000


class SteadyStates(NamedTuple):
    """The distinct steady states of every condition; long tables.

    Attributes:
        conditions: One row a condition: `condition`, `num_states` (distinct steady states found),
            `starts`, `unsteady` (starts that reached none), `default_share` (share of starts that
            end where the start from 0, the one of predictions, ends; NaN where that is unsteady),
            `tf_range` (largest difference of a TF between two of the states).
        states: One row a distinct steady state, that of the start from 0 first, then by share:
            `condition`, `state` (from 1), `share` (of all starts), `default` (whether the start
            from 0 ends here), `radius` (spectral radius), `time_scale` (steps in which a deviation
            shrinks by e), `num_steps` (most that a start took), `error` (bound on the distance to
            the exact state along its slowest mode, residual / (1 - radius)).
        activities: One row a state and TF: `condition`, `state`, `tf`, `activity`.
    """

    conditions: pd.DataFrame
    states: pd.DataFrame
    activities: pd.DataFrame


def steady_states(
    model: LEMBAS,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    starts: int = 32,
    low: float = 0.0,
    high: float = 1.0,
    distance: float = 1e-4,
    tol: float = 1e-10,
    max_steps: int = _PLAIN_STEPS,
    generator: torch.Generator | None = None,
) -> SteadyStates:
    """Look for other steady states of every condition, from many first states.

    A model predicts the state that iteration from 0 ends in. Positive feedback can hold others, in
    which a cell with another history would stay. Plain iteration from random states finds those
    with a basin that is not too small; that none is found is no proof that there is none.

    The first start is 0 everywhere, the second `high` everywhere, which leads to the highest state
    of a network without inhibition. The rest are random, each with a level of its own, as
    independent nodes alone would all start near the middle. Shares of starts are those of the
    solver, which updates one node after the other; in a cell nobody knows the order.

    Args:
        model: A model; it is not changed. Of an ensemble, ask each of its `models`.
        data: Network with conditions.
        conditions: Names of conditions; all if None.
        starts: First states a condition, at least 2.
        low: Smallest state of a random start (fraction of saturation).
        high: Largest state of a random start; 1 is the ceiling of saturating activations.
        distance: Largest difference of any node (fraction of saturation) that two starts may end
            apart and still count as one state.
        tol: Largest change of a state in the last step accepted as steady (dimensionless).
        max_steps: Steps before a start counts as unsteady.
        generator: Source of randomness; the global one if None.

    Returns:
        `SteadyStates`. A warning names conditions of which two states may be one that is slowly
        approached (`error` above a quarter of `distance`): lower `tol`.

    Raises:
        ValueError: A condition is not known, a number makes no sense, or the data are not of the
            model's network.
    """
    if starts < 2 or not 0 < tol < distance or not low < high:
        raise ValueError(
            f"starts={starts}, low={low}, high={high}, tol={tol}, distance={distance} do not go "
            f"together: take two starts or more, low below high, and tol far below distance."
        )
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    names, place = list(columns), list(columns.values())
    rows: tuple[list[dict[str, Any]], ...] = [], [], []
    width = max(1, _COLUMNS // starts)
    for first in range(0, len(names), width):
        part = names[first : first + width]
        x = data.x[:, place[first : first + width]].to(exact.conv.bias)
        point = _solve(exact, x, _draw(exact.num_nodes, len(part), starts, low, high, generator))
        for number, name in enumerate(part):
            own = FixedPoint(
                *(value[..., number * starts : (number + 1) * starts] for value in point)
            )
            _add_rows(rows, exact, name, x[:, [number]], own, distance)
    tables = SteadyStates(*(pd.DataFrame(r, columns=c) for r, c in zip(rows, _NAMES, strict=True)))
    _warn_of_slow_states(tables.states, distance)
    return tables


_NAMES = (
    ["condition", "num_states", "starts", "unsteady", "default_share", "tf_range"],
    ["condition", "state", "share", "default", "radius", "time_scale", "num_steps", "error"],
    ["condition", "state", "tf", "activity"],
)


def _draw(
    num_nodes: int,
    num_conditions: int,
    starts: int,
    low: float,
    high: float,
    generator: torch.Generator | None,
) -> Tensor:
    """First states ``[N, S * starts]``, the starts of a condition side by side."""
    shape = (num_nodes, num_conditions, starts)
    start = torch.rand(shape, generator=generator, dtype=torch.float64)
    # Uniform numbers to a power have any level as their mean, the same share of starts above 1/2.
    level = torch.rand((1, num_conditions, starts), generator=generator, dtype=torch.float64)
    start = low + (high - low) * start.pow(8 ** (1 - 2 * level))
    start[:, :, 0], start[:, :, 1] = 0.0, high
    return start.flatten(1)


def _solve(model: LEMBAS, x: Tensor, start: Tensor) -> FixedPoint:
    """Where every start of every condition ends."""
    repeated = x.repeat_interleave(start.size(1) // x.size(1), dim=1)
    with torch.no_grad():
        return model.steady_state(repeated, start=start.to(x))


def _add_rows(
    rows: tuple[list[dict[str, Any]], ...],
    model: LEMBAS,
    condition: str,
    x: Tensor,
    point: FixedPoint,
    distance: float,
) -> None:
    """What the starts of one condition ended in."""
    steady = point.converged.nonzero().view(-1)
    label = _cluster(point.value[:, steady], distance)
    starts = point.converged.numel()
    default = label[0] if len(steady) and int(steady[0]) == 0 else None
    groups = [steady[torch.from_numpy(label == k)] for k in np.unique(label)]
    groups.sort(key=lambda group: (int(group[0]) != 0, -len(group), int(group[0])))
    activity = [model.output(point.value[:, [int(group[0])]]).detach()[:, 0] for group in groups]
    spread = torch.stack(activity) if activity else x.new_zeros(0, len(model.tf_index))
    rows[0].append(
        {
            "condition": condition,
            "num_states": len(groups),
            "starts": starts,
            "unsteady": starts - len(steady),
            "default_share": math.nan if default is None else len(groups[0]) / starts,
            "tf_range": float((spread.amax(0) - spread.amin(0)).amax()) if groups else math.nan,
        }
    )
    tfs = [model.node_name[i] for i in model.tf_index.tolist()]
    for number, (group, values) in enumerate(zip(groups, activity, strict=True), start=1):
        radius = _radius(model, point.value[:, [int(group[0])]], x)
        residual = float(point.residual[group].max())
        rows[1].append(
            {
                "condition": condition,
                "state": number,
                "share": len(group) / starts,
                "default": default is not None and number == 1,
                "radius": radius,
                "time_scale": time_scale(radius),
                "num_steps": int(point.num_steps[group].max()),
                "error": residual / (1 - radius) if radius < 1 else math.inf,
            }
        )
        rows[2].extend(
            {"condition": condition, "state": number, "tf": tf, "activity": value}
            for tf, value in zip(tfs, values.tolist(), strict=True)
        )


def _cluster(states: Tensor, distance: float) -> np.ndarray:
    """Which states are one: chains of states, each within a distance of the next."""
    if states.size(1) < 2:
        return np.ones(states.size(1), dtype=int)
    tree = linkage(states.T.cpu().numpy(), method="single", metric="chebyshev")
    return fcluster(tree, distance, criterion="distance")


def _radius(model: LEMBAS, h: Tensor, x: Tensor) -> float:
    scaled = model.conv.edge_weight.detach() * model.slope(h, x)[model.edge_index[1], 0]
    return float(spectral_radius(model.edge_index, scaled, model.num_nodes))


def _warn_of_slow_states(states: pd.DataFrame, distance: float) -> None:
    """Warn where two states may be one that was not quite reached."""
    several = states.groupby("condition")["state"].transform("count") > 1
    doubtful = states[several & (states["error"] > distance / 4)]["condition"].unique()
    if len(doubtful):
        warnings.warn(
            f"{len(doubtful)} conditions have states so slow that two may be one: "
            f"{', '.join(doubtful[:5])}{' ...' if len(doubtful) > 5 else ''}. Lower tol, and raise "
            f"max_steps, or distance.",
            stacklevel=3,
        )
