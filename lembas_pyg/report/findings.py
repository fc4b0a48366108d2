"""What a report asks of the models of a run: states, knock-outs, stability and paths."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data
from tqdm.auto import tqdm

from lembas_pyg.analysis import PathExplanation, explain_path, knock_out, stability
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members, prepare

__all__ = ["OPTIONAL", "Findings", "KnockOuts", "States", "Unexplained", "explore", "members_of"]

logger = logging.getLogger(__name__)

# What may be left out of a report.
OPTIONAL = ("knock-outs", "stability", "paths")
# Numbers of a report are rounded to 1e-3; a state that has settled to this is as good.
_KNOCK_TOL = 1e-6
_NO_EFFECT = 1e-4


class States(NamedTuple):
    """Medians over the members with a steady state, and their standard deviations.

    Attributes:
        members: Number of models M.
        weight: Weight of every interaction ``[E]``.
        weight_spread: Its standard deviation ``[E]``; NaN with one member.
        state: State of every node (fraction of saturation) ``[N, S]``; NaN without steady state.
        state_spread: Its standard deviation ``[N, S]``.
        slope: Slope of the activation of every node at its state ``[N, S]``.
        activity: TF activity (fraction of maximum) ``[T, S]``.
        converged: Members with a steady state, by condition ``[M, S]``.
        residual: Largest change in the last step ``[M, S]``.
    """

    members: int
    weight: np.ndarray
    weight_spread: np.ndarray
    state: np.ndarray
    state_spread: np.ndarray
    slope: np.ndarray
    activity: np.ndarray
    converged: np.ndarray
    residual: np.ndarray


class KnockOuts(NamedTuple):
    """Effects of knocking out each node, one at a time.

    Attributes:
        conditions: Their names, C of them.
        delta: Median change of TF activity ``[C, N, T]``; NaN without steady state.
        agree: Members whose change has the sign of the median ``[C, N, T]``; None with one model.
    """

    conditions: list[str]
    delta: np.ndarray
    agree: np.ndarray | None


class Unexplained(NamedTuple):
    """An effect of a ligand on a TF that no path was found to carry, and why."""

    ligand: str
    tf: str
    condition: str
    reason: str


class Findings(NamedTuple):
    """All that was asked of the models; None where something was not.

    Attributes:
        states: States and activities of all conditions.
        knock_outs: Effects of knock-outs.
        stability: One row a condition: `condition`, `radius`, `time_scale` and, of an ensemble,
            `spread` and `members`; as of `lembas_pyg.analysis.stability`.
        paths: The interactions that carry the effects of ligands on TFs.
        unexplained: Effects that could not be explained so.
    """

    states: States
    knock_outs: KnockOuts | None
    stability: pd.DataFrame | None
    paths: list[PathExplanation] | None
    unexplained: list[Unexplained]


def explore(
    model: LEMBAS | Members,
    data: Data,
    conditions: Iterable[str] | None = None,
    *,
    paths: int = 1,
    without: Iterable[str] = (),
    progress: bool | None = None,
) -> Findings:
    """Ask the models of a run all that its report shows.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        conditions: Names of the conditions to knock nodes out under; all if None.
        paths: TFs to explain for each ligand: those it changes most.
        without: What is left out: `OPTIONAL`.
        progress: Whether to show a progress bar; only on a terminal if None.

    Raises:
        ValueError: A condition or a name in `without` is not known, `paths` is negative, or the
            data are not of the model's network.
    """
    left_out = set(without)
    unknown = left_out - set(OPTIONAL)
    if unknown or paths < 0:
        what = f"without names {sorted(unknown)}" if unknown else f"paths is {paths}"
        raise ValueError(f"{what}; legal are {', '.join(OPTIONAL)}, and 0 or more paths.")
    chosen = list(data.conditions if conditions is None else conditions)
    prepare(members_of(model)[0], data, chosen, TOL, MAX_STEPS)  # refuses strangers before work
    states = _states(members_of(model), data)
    asked = [name for name in OPTIONAL if name not in left_out and (name != "paths" or paths)]
    found: dict = dict.fromkeys(OPTIONAL)
    unexplained: list[Unexplained] = []
    if "knock-outs" in asked:
        found["knock-outs"] = _knock_outs(model, data, chosen, progress)
    if "stability" in asked:
        found["stability"] = _stability(model, data)
    if "paths" in asked:
        found["paths"], unexplained = _paths(model, data, paths, progress)
    return Findings(states, found["knock-outs"], found["stability"], found["paths"], unexplained)


def members_of(model: LEMBAS | Members) -> list[LEMBAS]:
    """The models that are asked."""
    return [model] if isinstance(model, LEMBAS) else list(model.models)


@torch.no_grad()
def _states(members: list[LEMBAS], data: Data) -> States:
    """Solve all conditions of all members once."""
    blocks: dict[str, list[np.ndarray]] = {
        name: [] for name in ("weight", "state", "slope", "activity", "converged", "residual")
    }
    for member in members:
        exact, columns = prepare(member, data, None, TOL, MAX_STEPS)
        x = data.x[:, list(columns.values())].to(exact.conv.bias.dtype)
        point = exact.steady_state(x)
        steady = point.converged
        values = {
            "weight": exact.conv.edge_weight,
            "state": point.value.masked_fill(~steady, torch.nan),
            "slope": exact.slope(point.value, x).masked_fill(~steady, torch.nan),
            "activity": exact.output(point.value).masked_fill(~steady, torch.nan),
            "converged": steady,
            "residual": point.residual,
        }
        for name, value in values.items():
            blocks[name].append(value.numpy())
    stacked = {name: np.stack(parts) for name, parts in blocks.items()}
    names, unsteady = list(data.conditions), ~stacked["converged"].all(axis=0)
    lacking = [names[column] for column in np.flatnonzero(unsteady)]
    if lacking:
        warnings.warn(
            f"{len(lacking)} of {len(data.conditions)} conditions have no steady state in a "
            f"member, which is left out there: {', '.join(lacking[:5])}"
            f"{' ...' if len(lacking) > 5 else ''}.",
            stacklevel=3,
        )
    spread = {name: _spread(stacked[name]) for name in ("weight", "state")}
    return States(
        len(members),
        _median(stacked["weight"]),
        spread["weight"],
        _median(stacked["state"]),
        spread["state"],
        _median(stacked["slope"]),
        _median(stacked["activity"]),
        stacked["converged"],
        stacked["residual"],
    )


def _median(values: np.ndarray) -> np.ndarray:
    """Over the members that have a number; NaN where none has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanmedian(values, axis=0)


def _spread(values: np.ndarray) -> np.ndarray:
    """Standard deviation over the members that have a number; NaN with fewer than two."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Degrees of freedom", RuntimeWarning)
        return np.nanstd(values, axis=0, ddof=1)


def _knock_outs(
    model: LEMBAS | Members, data: Data, conditions: list[str], progress: bool | None
) -> KnockOuts:
    """Every node, condition by condition: the long table of all is too long to hold."""
    shape = int(data.num_nodes), int(data.tf_mask.sum())
    delta, agree = [], []
    for name in _bar(conditions, "knock-outs", progress):
        table = knock_out(model, data, conditions=name, tol=_KNOCK_TOL)
        delta.append(table["delta"].to_numpy(np.float32).reshape(shape))
        if "agree" in table:
            agree.append(table["agree"].to_numpy().astype(np.int32).reshape(shape))
    return KnockOuts(conditions, np.stack(delta), np.stack(agree) if agree else None)


def _stability(model: LEMBAS | Members, data: Data) -> pd.DataFrame:
    found = stability(model, data, modes=1, nodes=1)
    return (found if isinstance(model, LEMBAS) else found.over_members()).conditions


def _paths(
    model: LEMBAS | Members, data: Data, most: int, progress: bool | None
) -> tuple[list[PathExplanation], list[Unexplained]]:
    """For each ligand the TFs it changes most, each in the condition where it does so most."""
    found, unexplained = [], []
    for ligand, tf, condition in _bar(
        _largest_effects(members_of(model), data, most), "paths", progress
    ):
        with warnings.catch_warnings():
            # That fewer interactions than asked for are told is said by the numbers beside it.
            warnings.filterwarnings("ignore", ".* interactions bring about", UserWarning)
            try:
                found.append(explain_path(model, data, ligand, tf, condition))
            except (RuntimeError, ValueError) as error:
                # No stable state at some dose, or members whose effects cancel.
                logger.warning("No path from %s to %s under %s: %s", ligand, tf, condition, error)
                unexplained.append(Unexplained(ligand, tf, condition, str(error)))
    return found, unexplained


@torch.no_grad()
def _largest_effects(members: list[LEMBAS], data: Data, most: int) -> list[tuple[str, str, str]]:
    """Ligand, TF and condition of the largest median effects, `most` TFs a ligand."""
    is_covariate = (
        data.covariate_mask if "covariate_mask" in data else torch.zeros_like(data.ligand_mask)
    )
    ligands = (data.ligand_mask & ~is_covariate).nonzero().view(-1).tolist()
    pairs = [(node, c) for node in ligands for c in (data.x[node] != 0).nonzero().view(-1).tolist()]
    if not pairs:
        return []
    columns = torch.tensor([c for _, c in pairs])
    lacking = data.x[:, columns].clone()
    lacking[torch.tensor([node for node, _ in pairs]), torch.arange(len(pairs))] = 0.0
    effects = []
    for member in members:
        exact, _ = prepare(member, data, None, TOL, MAX_STEPS)
        both = torch.cat([data.x[:, columns], lacking], dim=1).to(exact.conv.bias.dtype)
        point = exact.steady_state(both)
        y = exact.output(point.value).masked_fill(~point.converged, torch.nan)
        effects.append((y[:, : len(pairs)] - y[:, len(pairs) :]).numpy())
    effect = _median(np.stack(effects))  # [T, pairs]
    tfs = data.tf_mask.nonzero().view(-1).tolist()
    names, conditions = data.node_name, list(data.conditions)
    chosen = []
    for node in ligands:
        own = np.array([i for i, (ligand, _) in enumerate(pairs) if ligand == node], dtype=int)
        if not len(own):
            continue
        size = np.nan_to_num(np.abs(effect[:, own]))  # [T, conditions with the ligand]
        for t in np.argsort(-size.max(axis=1), kind="stable")[:most]:
            if size[t].max() > _NO_EFFECT:
                pair = own[size[t].argmax()]
                chosen.append((names[node], names[tfs[t]], conditions[pairs[pair][1]]))
    return chosen


def _bar(items: list, text: str, progress: bool | None) -> Iterable:
    return tqdm(items, desc=text, disable=None if progress is None else not progress)
