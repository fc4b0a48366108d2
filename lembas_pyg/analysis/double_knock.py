"""Pairs of nodes perturbed together: where two effects do not add up."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.long_table import blocks_of, long_table
from lembas_pyg.analysis.perturbed import Nodes, Perturbation, node_sets, sets_at_once
from lembas_pyg.analysis.question import Question, ask
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members

__all__ = ["double_knock_out"]


def double_knock_out(
    model: LEMBAS | Members,
    data: Data,
    nodes: Nodes,
    conditions: Iterable[str] | str | None = None,
    strength: float = -5.0,
    *,
    clamp: float | None = None,
    tfs: Iterable[str] | str | None = None,
    by_member: bool = False,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Effect on every TF of all pairs of some nodes, and what the single effects leave unsaid.

    .. math:: \mathrm{synergy} = \Delta_{ab} - (\Delta_a + \Delta_b)

    Of two knock-outs that lower a TF, a negative synergy means that each covers for the other
    (parallel ways), a positive one that they do the same thing twice (one way, or a TF that is
    silent already). :math:`K` nodes are :math:`K (K + 1) / 2` perturbations a condition.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to pair, two or more; a tuple of several counts as one.
        conditions: Names of the conditions to perturb under; all if None.
        strength: Added to the input of each node before the activation (dimensionless); above 0
            for double knock-ins.
        clamp: State to hold the nodes at (fraction of saturation) in place of `strength`.
        tfs: Accessions of the TFs to report; all if None.
        by_member: Of an ensemble, one table of all members in place of their medians.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        One row a condition, pair and TF: `condition`, `node_a`, `node_b`, `tf` (categories),
        `control` and `perturbed` (TF activity without and with both), `delta_a`, `delta_b` and
        `delta` (change by a, by b, by both), `synergy`. NaN without a steady state; a warning says
        so. Of an ensemble each number is the median over the members that have it (the median
        synergy is not the synergy of medians), with the `spread` of their synergies, `members` and
        `agree` as of `knock_out`. With `by_member`, the first column is `member` in their place.

    Raises:
        ValueError: Fewer than two nodes, or as for `knock_out`.
    """
    done = Perturbation(strength, clamp)
    inquiry = ask(model, data, conditions, tfs, tol, max_steps)
    singles = node_sets(data, nodes)
    if len(singles) < 2:
        raise ValueError(f"{len(singles)} node makes no pair; name two or more.")
    names = list(singles)
    pairs = torch.tensor(list(combinations(range(len(names)), 2)))
    both = [
        (f"{names[a]} and {names[b]}", sorted({*singles[names[a]], *singles[names[b]]}))
        for a, b in pairs.tolist()
    ]
    width = sets_at_once(len(inquiry.conditions))
    alone = [_alone(question, singles, done, width) for question in inquiry.questions]

    def answer(question: Question, items: slice) -> dict[str, Tensor]:
        perturbed = done.activity(question, dict(both[items]))
        control = question.activity().expand_as(perturbed)
        delta = perturbed - control
        effect = alone[question.number][..., question.part]
        first, second = (effect[node] for node in pairs[items].T)
        return {
            "control": control,
            "perturbed": perturbed,
            "delta_a": first,
            "delta_b": second,
            "delta": delta,
            "synergy": delta - (first + second),
        }

    items = {"node": [name for name, _ in both]}
    table = long_table(inquiry, items, answer, "synergy", num_items=width, by_member=by_member)
    return _with_both_names(table, names, pairs.numpy())


def _alone(
    question: Question, singles: dict[str, list[int]], done: Perturbation, width: int
) -> Tensor:
    """Effects of each node by itself ``[nodes, T, S]``."""
    sets = list(singles.items())
    found = [done.activity(question, dict(sets[b])) for b in blocks_of(len(sets), width)]
    return torch.cat(found) - question.activity()


def _with_both_names(table: pd.DataFrame, names: list[str], pairs: np.ndarray) -> pd.DataFrame:
    """`node_a` and `node_b` in place of the name of the pair."""
    position = table.columns.get_loc("node")
    pair = table.pop("node").cat.codes.to_numpy()
    for shift, name in enumerate(("node_a", "node_b")):
        node = pd.Categorical.from_codes(pairs[pair, shift], categories=names)
        table.insert(position + shift, name, node)
    return table
