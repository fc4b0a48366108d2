"""Candidates worth a solve, by three kinds of evidence, the target before the source.

The gain of the linear model; the same as a rank of the target times that of the source; and how
well a source follows the input that its target needs. Each is blind where another is not, so their
lists are taken in turn.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.gain import Linear, best_sources
from lembas_pyg.analysis.missing.refit import Problem
from lembas_pyg.analysis.missing.signal import needed_signals, predicted_loss

__all__ = ["Shortlist", "make_shortlist"]

# Sources looked at for each target, and targets whose needed input is solved for.
_SOURCES, _TARGETS = 256, 40
# Nodes that are never more active than this share of saturation carry no signal: any data could be
# explained by a huge weight of their leak.
_ACTIVE = 1e-2


class Shortlist(NamedTuple):
    """Candidates in the order of their promise.

    Attributes:
        source: Where each starts ``[K]``.
        target: Where it ends ``[K]``.
        weight: Weight that the evidence suggests ``[K]``.
    """

    source: Tensor
    target: Tensor
    weight: Tensor


def make_shortlist(
    problem: Problem, linear: Linear, candidates: Candidates, size: int
) -> Shortlist:
    """The most promising candidates.

    Args:
        problem: Model and conditions.
        linear: Its linear model.
        candidates: Pairs to choose from.
        size: Candidates wanted; fewer where there are not as many.
    """
    candidates = candidates.from_sources(problem.h.abs().amax(dim=1) > _ACTIVE)
    source, gain, weight = best_sources(linear, problem.h, candidates, _SOURCES)
    target = torch.arange(len(source)).view(-1, 1).expand_as(source)
    position = torch.arange(1, source.size(1) + 1)
    rank = _target_rank(linear, gain[:, 0] >= 0)
    ranked = (rank.view(-1, 1) * position).to(gain).masked_fill(gain < 0, torch.inf)
    lists = [
        _ordered(source, target, weight, (-gain).masked_fill(gain < 0, torch.inf), size),
        _ordered(source, target, weight, ranked, size),
    ]
    chosen = rank.argsort()[:_TARGETS]
    chosen = chosen[gain[chosen, 0] >= 0]
    if len(chosen):
        lists.insert(0, _by_signal(problem, linear, candidates, chosen, size))
    return _in_turn(lists, problem.h.size(0), size)


def _by_signal(
    problem: Problem, linear: Linear, candidates: Candidates, targets: Tensor, size: int
) -> Shortlist:
    """Sources that follow the input that the targets need."""
    signals = needed_signals(problem, targets, linear.step[targets], linear.q[targets])
    loss, weight = predicted_loss(signals)
    loss = loss.masked_fill(~candidates.rows(targets), torch.inf)
    rank = torch.minimum(_rank(signals.after.sum(dim=1)), _rank(loss.amin(dim=1)))
    order = loss.argsort(dim=1)[:, :_SOURCES]
    score = (rank.view(-1, 1) * torch.arange(1, order.size(1) + 1)).to(loss)
    score = score.masked_fill(loss.gather(1, order).isinf(), torch.inf)
    rows = targets.view(-1, 1).expand_as(order)
    return _ordered(order, rows, weight.gather(1, order), score, size)


def _target_rank(linear: Linear, possible: Tensor) -> Tensor:
    """Rank of every target by the loss that any input could take away, however large or bounded."""
    step = linear.step
    bounded = step.clamp(-1.0, 1.0)
    falls = [-(2 * s * linear.c + s.square() * linear.q).sum(dim=1) for s in (step, bounded)]
    return torch.stack([_rank((-fall).masked_fill(~possible, torch.inf)) for fall in falls]).amin(0)


def _rank(value: Tensor) -> Tensor:
    """1 for the smallest."""
    return value.argsort().argsort() + 1


def _ordered(source: Tensor, target: Tensor, weight: Tensor, score: Tensor, size: int) -> Shortlist:
    """Candidates of a table by score, those with a finite one."""
    flat = score.flatten()
    order = flat.argsort()[: min(size, int(flat.isfinite().sum()))]
    return Shortlist(*(part.flatten()[order] for part in (source, target, weight)))


def _in_turn(lists: list[Shortlist], num_nodes: int, size: int) -> Shortlist:
    """The first of every list, then the second of every list; each candidate once."""
    keys = [(part.target * num_nodes + part.source).tolist() for part in lists]
    seen: dict[int, float] = {}
    for place in range(max(map(len, keys), default=0)):
        for part, key in zip(lists, keys, strict=True):
            if place < len(key):
                seen.setdefault(key[place], float(part.weight[place]))
    pairs = torch.tensor(list(seen)[:size], dtype=torch.long)
    weight = torch.tensor(list(seen.values())[:size], dtype=lists[0].weight.dtype)
    return Shortlist(pairs % num_nodes, pairs // num_nodes, weight)
