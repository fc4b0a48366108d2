"""How stable each steady state is, what is slow in it, and which nodes make it so."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.nn.fixed_point import warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.nn.modes import Mode, leading_modes
from lembas_pyg.prediction import MAX_STEPS, TOL, Members, as_list, prepare

__all__ = ["Stability", "stability"]


class Stability(NamedTuple):
    """How stable the steady states are; long tables.

    Attributes:
        conditions: One row a condition: `condition`, `converged`, `residual`, `num_steps`,
            `radius` (spectral radius), `time_scale`, `period` of the slowest mode.
        modes: One row a condition and mode, the slowest first: `condition`, `mode` (from 1),
            `radius` (absolute eigenvalue), `real`, `imag`, `time_scale` (steps in which a deviation
            shrinks by e; infinite where it does not), `period` (steps of one oscillation; NaN where
            there is none), `num_nodes` (how many nodes share the mode: 1 over the sum of squared
            participations).
        nodes: One row a condition, mode and node, those that take part most first: `condition`,
            `mode`, `rank` (from 1), `node`, `label`, `participation` (share of the mode).

    Of an ensemble, each begins with `member` (from 0).
    """

    conditions: pd.DataFrame
    modes: pd.DataFrame
    nodes: pd.DataFrame

    def over_members(self) -> Stability:
        """What the members of an ensemble say together: medians, spread and agreement.

        The first mode of one member need not be that of another; numbers are compared by their
        place, the slowest first, and nodes say how far the members mean the same.

        Returns:
            Medians over the members with a steady state. `conditions`: `condition`, `radius`,
            `time_scale`, `period` (of members that oscillate), `spread` (standard deviation of the
            radius), `members` (those with a steady state). `modes`: `condition`, `mode`, its
            numbers, `spread`, `members` (those that have the mode), `oscillating` (members in
            which it oscillates). `nodes`: `condition`, `mode`, `rank`, `node`, `label`,
            `participation` (of members that list the node), `members` (those that do); a node that
            more members list comes first.

        Raises:
            ValueError: The tables are of one model.
        """
        if "member" not in self.conditions:
            raise ValueError("These are the modes of one model; there are no members to compare.")
        order = pd.CategoricalDtype(self.conditions["condition"].unique())
        whole, modes, nodes = (table.astype({"condition": order}) for table in self)
        keys = ["condition", "mode"]
        together = _medians(modes, keys, _COLUMNS[1][2:])
        periods = modes.groupby(keys, observed=True)["period"]
        together["oscillating"] = periods.count().to_numpy()
        shares = nodes.groupby([*keys, "node", "label"], observed=True)["participation"]
        listed = shares.agg(participation="median", members="count").reset_index()
        listed = listed.sort_values(
            [*keys, "members", "participation"], ascending=[True, True, False, False]
        )
        listed.insert(2, "rank", listed.groupby(keys, observed=True).cumcount() + 1)
        listed = listed[listed["rank"] <= nodes["rank"].max()].reset_index(drop=True)
        found = _medians(whole, ["condition"], _COLUMNS[0][-3:]), together, listed
        return Stability(*(table.astype({"condition": str}) for table in found))


def stability(
    model: LEMBAS | Members,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    modes: int = 3,
    nodes: int = 10,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> Stability:
    r"""Spectral radius and slow modes of every condition at its exact steady state.

    A small deviation evolves as :math:`\Delta h \leftarrow \mathrm{diag}(\sigma') A \Delta h`.
    Along a mode with eigenvalue :math:`\lambda` it shrinks by e in :math:`-1 / \ln |\lambda|` steps
    and oscillates with a period of :math:`2 \pi / |\arg \lambda|`. Steps are no hours: they order
    processes in time where all nodes are equally fast.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        conditions: Names of conditions; all if None.
        modes: Slowest modes to list, conjugate pairs counted once; fewer where there are fewer.
        nodes: Nodes to list for each mode.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a condition.

    Returns:
        `Stability`. Conditions without a steady state have a NaN radius and no modes, and a warning
        names them. A network without feedback has radius 0 and no modes.

    Raises:
        ValueError: A condition is not known, a number is below 1, or the data are not of the
            model's network.

    References:
        Nilsson et al. (2022), Fig. 3, Suppl. Notes 3 and 6, for the radius.
    """
    for name, value in (("modes", modes), ("nodes", nodes)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more.")
    if not isinstance(model, LEMBAS):
        names = None if conditions is None else as_list(conditions)
        parts = [
            stability(m, data, names, modes=modes, nodes=nodes, tol=tol, max_steps=max_steps)
            for m in model.models
        ]
        return Stability(*(_numbered(tables) for tables in zip(*parts, strict=True)))
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    x = data.x[:, list(columns.values())]
    with torch.no_grad():
        point = exact.steady_state(x)
        warn_not_converged(point, tol, {name: i for i, name in enumerate(columns)})
        slope = exact.slope(point.value, x)
    target, weight = exact.edge_index[1], exact.conv.edge_weight.detach()
    rows: tuple[list[dict[str, Any]], ...] = [], [], []
    for column, condition in enumerate(columns):
        steady = bool(point.converged[column])
        found = []
        if steady:
            scaled = weight * slope[target, column]
            found = leading_modes(exact.edge_index, scaled, exact.num_nodes, modes)
        own = [{"condition": condition, "mode": i, **_describe(m)} for i, m in enumerate(found, 1)]
        first = own[0] if own else {"radius": 0.0 if steady else math.nan}
        row = {"condition": condition, "converged": steady}
        row |= {name: getattr(point, name)[column].item() for name in ("residual", "num_steps")}
        rest = {name: first.get(name, math.nan) for name in ("radius", "time_scale", "period")}
        rows[0].append(row | rest)
        rows[1].extend(own)
        for number, mode in enumerate(found, start=1):
            rows[2].extend(
                {"condition": condition, "mode": number, **r} for r in _top(mode, data, nodes)
            )
    return Stability(*(pd.DataFrame(r, columns=c) for r, c in zip(rows, _COLUMNS, strict=True)))


def _medians(table: pd.DataFrame, keys: list[str], columns: list[str]) -> pd.DataFrame:
    """Medians over members in the order of the keys, and the spread of the radius."""
    groups = table.groupby(keys, observed=True)
    found = groups[columns].median()
    found["spread"], found["members"] = groups["radius"].std(), groups["radius"].count()
    return found.reset_index()


_COLUMNS = (
    ["condition", "converged", "residual", "num_steps", "radius", "time_scale", "period"],
    ["condition", "mode", "radius", "real", "imag", "time_scale", "period", "num_nodes"],
    ["condition", "mode", "rank", "node", "label", "participation"],
)


def _describe(mode: Mode) -> dict[str, float]:
    """The numbers of one mode."""
    radius = abs(mode.value)
    angle = abs(math.atan2(mode.value.imag, mode.value.real))
    return {
        "radius": radius,
        "real": mode.value.real,
        "imag": mode.value.imag,
        "time_scale": time_scale(radius),
        "period": 2 * math.pi / angle if angle else math.nan,
        "num_nodes": round(float(1 / mode.participation.square().sum()), 9),
    }


def time_scale(radius: float) -> float:
    """Steps in which a deviation shrinks by e; infinite where it does not shrink."""
    if not radius < 1:
        return math.nan if math.isnan(radius) else math.inf
    return -1 / math.log(radius) if radius > 0 else 0.0


def _top(mode: Mode, data: Data, count: int) -> list[dict[str, Any]]:
    """The nodes that take part most."""
    order = mode.participation.argsort(descending=True, stable=True)[:count].tolist()
    return [
        {
            "rank": rank,
            "node": data.node_name[i],
            "label": data.node_label[i] if "node_label" in data else data.node_name[i],
            "participation": float(mode.participation[i]),
        }
        for rank, i in enumerate(order, start=1)
        if mode.participation[i] > 0
    ]


def _numbered(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the members below each other."""
    numbered = [table.assign(member=number) for number, table in enumerate(tables)]
    joined = pd.concat(numbered, ignore_index=True)
    return joined[["member", *joined.columns.drop("member")]]
