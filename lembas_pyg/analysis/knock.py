"""Knock-outs and knock-ins: what each node, or set of nodes, does to each TF."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.long_table import long_table
from lembas_pyg.analysis.perturbed import Nodes, Perturbation, node_sets, sets_at_once
from lembas_pyg.analysis.question import Inquiry, Question, ask
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members

__all__ = ["knock_in", "knock_out"]


def knock_out(
    model: LEMBAS | Members,
    data: Data,
    nodes: Nodes | None = None,
    conditions: Iterable[str] | str | None = None,
    strength: float = -5.0,
    *,
    clamp: float | None = None,
    tfs: Iterable[str] | str | None = None,
    by_member: bool = False,
    trained_on: bool | None = None,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Effect on every TF of silencing one node, or one set of nodes, at a time.

    .. math:: h^\ast = \sigma(A h^\ast + w_{in} \circ x + b + s\, e_{node})

    An addition can be outweighed by a strong input of the node, and leaves a small negative state
    by the leak. With `clamp`, the node's state is held at exactly this value instead, whatever
    drives it.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to perturb, one at a time; all if None. Several in a tuple,
            list or set are perturbed together: ``["A", ("A", "B")]`` is A alone, then A with B.
        conditions: Names of the conditions to perturb under; all if None.
        strength: Added to the node's input before the activation (dimensionless); -5 drives any
            ordinary node to about 0.
        clamp: State to hold the nodes at (fraction of saturation; 0 for a perfect knock-out) in
            place of `strength`; None to add `strength`.
        tfs: Accessions of the TFs to report; all if None.
        by_member: Of an ensemble, one table of all members in place of their medians.
        trained_on: Of members of a cross-validation, ask of each condition only those that were
            trained on it (True), or only those that were not (False); all if None.
            Conditions without such a member are left out, and refused if named.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        One row a condition, node and TF: `condition`, `node`, `tf` (accessions, as categories),
        `control` and `perturbed` (TF activity), `delta` (perturbed - control). Nodes perturbed
        together are named in the order of the network, such as ``A+B``. Rows without a steady
        state are NaN, and a warning says so. Of an ensemble, each is the median over the members
        with a steady state, `spread` the standard deviation of their deltas (NaN with fewer than
        two), `members` the number of these members, and `agree` of those whose delta has the sign
        of the median. With `by_member`, the first column is `member` (0, 1, ...) in their place.

    Raises:
        ValueError: A node, condition or TF is not known, a number is not finite, or the data are
            not of the model's network.

    References:
        Nilsson et al. (2022), Methods, in silico knock-outs: -5; the original script of the ligand
        screen used -3. Fig. 6e-f: medians over the models of all folds.
    """
    done = Perturbation(strength, clamp)
    inquiry = ask(model, data, conditions, tfs, tol, max_steps, trained_on)
    return _table(inquiry, node_sets(data, nodes), done, by_member)


def knock_in(
    model: LEMBAS | Members,
    data: Data,
    nodes: Nodes | None = None,
    conditions: Iterable[str] | str | None = None,
    strength: float = 5.0,
    *,
    clamp: float | None = None,
    tfs: Iterable[str] | str | None = None,
    by_member: bool = False,
    trained_on: bool | None = None,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    """Effect on every TF of activating one node, or set, at a time; as `knock_out`, with +5.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        nodes: Accessions of the nodes to perturb; several in a tuple, list or set together.
        conditions: Names of the conditions to perturb under; all if None.
        strength: Added to the node's input before the activation (dimensionless).
        clamp: State to hold the nodes at (fraction of saturation; 1 for full activity) in place
            of `strength`; None to add `strength`.
        tfs: Accessions of the TFs to report; all if None.
        by_member: Of an ensemble, one table of all members in place of their medians.
        trained_on: Of members of a cross-validation, ask of each condition only those that were
            trained on it (True), or only those that were not (False); all if None.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        As `knock_out`.

    Raises:
        ValueError: As `knock_out`.

    References:
        Nilsson et al. (2022), Fig. 6f; the original script used +3.
    """
    done = Perturbation(strength, clamp)
    inquiry = ask(model, data, conditions, tfs, tol, max_steps, trained_on)
    return _table(inquiry, node_sets(data, nodes), done, by_member)


def _table(
    inquiry: Inquiry, sets: dict[str, list[int]], done: Perturbation, by_member: bool
) -> pd.DataFrame:
    """The long table; condition by condition, node by node, TF by TF."""
    names = list(sets)

    def answer(question: Question, items: slice) -> dict[str, Tensor]:
        perturbed = done.activity(question, {name: sets[name] for name in names[items]})
        control = question.activity().expand_as(perturbed)
        return {"control": control, "perturbed": perturbed, "delta": perturbed - control}

    width = sets_at_once(len(inquiry.conditions))
    return long_table(
        inquiry, {"node": names}, answer, "delta", num_items=width, by_member=by_member
    )
