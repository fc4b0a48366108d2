"""Which interaction, if the network had it, would explain what the model cannot."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.gain import Linear, gain_rows, linearise
from lembas_pyg.analysis.missing.refit import Problem, Refit, refit_weight
from lembas_pyg.analysis.missing.shortlist import Shortlist, make_shortlist
from lembas_pyg.analysis.missing.structure import structure_scores
from lembas_pyg.nn.fixed_point import warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members, prepare

__all__ = ["score_missing_interactions"]

# Losses are told apart to 1 %, for which states need no more; slow candidates are refused.
_TOL, _MAX_STEPS = 1e-6, 500
# A candidate is ahead of another if its loss is lower by more than this share, or than this share
# of the loss without any.
_AHEAD, _FLOOR = 0.01, 1e-6


def score_missing_interactions(
    model: LEMBAS | Members,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    candidates: pd.DataFrame | None = None,
    top: int | None = 20,
    screen: int = 200,
    refit: int = 30,
    freedom: float = 0.0,
    structure: bool = False,
    tol: float = _TOL,
    max_steps: int = _MAX_STEPS,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    r"""Rank the interactions the network lacks by how much they would improve the fit.

    Of all pairs of nodes, `screen` are chosen by the linear model around the steady states and by
    the input that each target would need (see `lembas_pyg.analysis.missing`). They are tried with
    the weight this suggests, and the weights of the best `refit` fitted on the whole loss, all else
    fixed. A new interaction is a hypothesis: among chains of nodes, and where several nodes are
    active in the same conditions, several explain the same data (`ties`).

    Args:
        model: A trained model, or an ensemble of them; it is not changed.
        data: Network with conditions and measurements; NaN where not measured.
        conditions: Names of the conditions to use; all if None.
        candidates: Interaction table that candidates are taken from, such as interactions of lower
            quality; all pairs if None.
        top: Rows returned; all that were tried if None.
        screen: Candidates tried.
        refit: Candidates whose weight is fitted.
        freedom: How far weights and biases of the model may adapt to a new interaction, as a
            standard deviation; they stay if 0. Only gains know of it.
        structure: Whether to add what the graph alone says, see
            `lembas_pyg.analysis.structure_scores`.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before a condition counts as not steady; a candidate that leaves one
            without a steady state is refused.
        generator: Source of randomness where `freedom` is not 0.

    Returns:
        One row a candidate, best first: `rank` (that of the best candidate whose loss is no more
        than 1 % lower, else 1 + the number of candidates before it), `source`, `target`
        (accessions), `sign` and `weight` of the new interaction, `gain` (fall of the mean squared
        error by the linear model), `loss` and `loss_after` (mean squared error without and with
        it), `ties` (candidates of the same rank), `refitted`. With signs in `candidates` also
        `known_sign`. Of an ensemble, `loss_after`, `weight` and `gain` are medians over the
        members, `spread` the standard deviation of their
        falls of the loss and `agree` the share whose loss falls.

    Raises:
        ValueError: There are no measurements, no candidates, a number is not positive, or the data
            are not of the model's network.

    References:
        Nilsson et al. (2022), SI Fig. 12, for the question; they take the target from a network of
        errors and the source by correlation, see `lembas_pyg.analysis.error_network`.
    """
    for name, value in (("screen", screen), ("refit", refit), ("top", 1 if top is None else top)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more.")
    if not (np.isfinite(freedom) and freedom >= 0):
        raise ValueError(f"freedom is {freedom}; it must be a number of 0 or more, such as 0.1.")
    members = [model] if isinstance(model, LEMBAS) else list(model.models)
    pool = Candidates(data, candidates)
    with torch.no_grad():
        problems = [make_problem(m, data, conditions, tol, max_steps) for m in members]
        linear = [linearise(p, freedom=freedom, generator=generator) for p in problems]
        lists = [make_shortlist(*pair, pool, screen) for pair in zip(problems, linear, strict=True)]
        chosen = _together(lists, screen)
        gains = [_gain_of(p, one, chosen) for p, one in zip(problems, linear, strict=True)]
        fits, refitted = _refit(problems, chosen, refit)
    table = _table(data, problems, chosen, gains, fits, refitted, ensemble=model is not members[0])
    if pool.sign:
        pairs = zip(table["source"], table["target"], strict=True)
        table["known_sign"] = [pool.sign[pair] for pair in pairs]
    table = table if top is None else table.head(top)
    return structure_scores(data, table) if structure else table


def make_problem(
    model: LEMBAS,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    tol: float = _TOL,
    max_steps: int = _MAX_STEPS,
) -> Problem:
    """What candidates are judged by; conditions without a steady state are left out.

    Args:
        model: A model; it is copied.
        data: Network with conditions and measurements.
        conditions: Names of conditions; all if None.
        tol: Largest change of a state in the last step.
        max_steps: Steps before giving up on a condition.

    Raises:
        ValueError: There are no measurements in a condition with a steady state.
    """
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    if "y" not in data:
        raise ValueError(
            "The network has no measurements, so nothing can be missing; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands, tfs)`."
        )
    exact.requires_grad_(False)
    used = list(columns.values())
    x, y = data.x[:, used].double(), data.y[data.tf_mask][:, used].double()
    with torch.no_grad():
        point = exact.steady_state(x)
        warn_not_converged(point, tol, {name: i for i, name in enumerate(columns)})
        speaks = point.converged & ~y.isnan().all(dim=0)
        if not bool(speaks.any()):
            raise ValueError("No condition has both a measurement and a steady state.")
        return Problem(exact, exact.input(x), point.value, y).of(speaks)


def _together(lists: list[Shortlist], size: int) -> Shortlist:
    """One list of those of the members, the first of each before the second of any."""
    if len(lists) == 1:
        return lists[0]
    weights: dict[tuple[int, int], list[float]] = {}
    rows = [list(zip(*(part.tolist() for part in one), strict=True)) for one in lists]
    for place in range(max(map(len, rows))):
        for one in rows:
            if place < len(one):
                weights.setdefault(one[place][:2], []).append(one[place][2])
    pairs = torch.tensor(list(weights)[:size], dtype=torch.long)
    weight = torch.tensor([float(np.median(w)) for w in weights.values()][:size])
    return Shortlist(pairs[:, 0], pairs[:, 1], weight.double())


def _gain_of(problem: Problem, linear: Linear, chosen: Shortlist) -> np.ndarray:
    """Gains of chosen candidates, as a fall of the mean squared error."""
    rows, place = chosen.target.unique(return_inverse=True)
    gain, _ = gain_rows(linear, problem.h, rows)
    return problem.mean(gain[place, chosen.source]).numpy()


def _refit(
    problems: list[Problem], chosen: Shortlist, count: int
) -> tuple[list[list[Refit]], np.ndarray]:
    """Candidates x members: all tried with the suggested weight, the best fitted."""
    rows = list(zip(*(part.tolist() for part in chosen), strict=True))
    fits = [
        [refit_weight(p, source, target, [weight], steps=1) for p in problems]
        for source, target, weight in rows
    ]
    share = [
        np.median([one.loss / p.loss for one, p in zip(fit, problems, strict=True)]) for fit in fits
    ]
    best = np.argsort(share, kind="stable")[:count]
    for k in best:
        source, target, weight = rows[k]
        fits[k] = [
            refit_weight(p, source, target, [one.weight, weight], around=True, steps=8)
            for p, one in zip(problems, fits[k], strict=True)
        ]
    return fits, np.isin(np.arange(len(rows)), best)


def _table(
    data: Data,
    problems: list[Problem],
    chosen: Shortlist,
    gains: list[np.ndarray],
    fits: list[list[Refit]],
    refitted: np.ndarray,
    *,
    ensemble: bool,
) -> pd.DataFrame:
    """The long table, best candidate first."""
    name = np.asarray(data.node_name, dtype=object)
    before = np.array([p.loss for p in problems])
    after = np.array([[one.loss for one in fit] for fit in fits]).reshape(-1, len(problems))
    weight = np.median([[one.weight for one in fit] for fit in fits], axis=1)
    table = pd.DataFrame(
        {
            "source": name[chosen.source.numpy()],
            "target": name[chosen.target.numpy()],
            "sign": np.sign(weight).astype(int),
            "weight": weight,
            "gain": np.median(gains, axis=0),
            "loss": np.median(before),
            "loss_after": np.median(after, axis=1),
            "refitted": refitted,
        }
    )
    if ensemble:
        fall = before - after
        table["spread"] = fall.std(axis=1, ddof=1) if len(problems) > 1 else np.nan
        table["agree"] = (fall > _AHEAD * before).mean(axis=1)
    table = table.sort_values(
        ["refitted", "loss_after"], ascending=[False, True], kind="stable", ignore_index=True
    )
    rank = _ranks(table["loss_after"].to_numpy(), _FLOOR * float(np.median(before)))
    table.insert(0, "rank", rank)
    table.insert(8, "ties", table.groupby("rank")["rank"].transform("size"))
    return table


def _ranks(loss: np.ndarray, floor: float) -> np.ndarray:
    """Rank of every loss, in order: who is within 1 % of the first of a rank shares it.

    Never smaller than 1 + the number of losses that are lower by more than 1 %.
    """
    rank = np.ones(len(loss), dtype=int)
    for place in range(1, len(loss)):
        leader = loss[rank[place - 1] - 1]
        tied = loss[place] * (1 - _AHEAD) <= leader + floor
        rank[place] = rank[place - 1] if tied else place + 1
    return rank
