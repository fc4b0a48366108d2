"""Knock-outs and knock-ins: what each node, or set of nodes, does to each TF."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.long_table import LongTable
from lembas_pyg.analysis.perturbed import Nodes, Screen, node_sets
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
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        One row a condition, node and TF: `condition`, `node`, `tf` (accessions, as categories),
        `control` and `perturbed` (TF activity), `delta` (perturbed - control). Nodes perturbed
        together are named in the order of the network, such as ``A+B``. Rows without a steady
        state are NaN, and a warning says so. Of an ensemble, each is the median over the members
        with a steady state, and `spread` the standard deviation of their deltas; NaN with fewer
        than two. With `by_member`, the first column is `member` (0, 1, ...) and there is no
        `spread`.

    Raises:
        ValueError: A node, condition or TF is not known, a number is not finite, or the data are
            not of the model's network.

    References:
        Nilsson et al. (2022), Methods, in silico knock-outs: -5; the original script of the ligand
        screen used -3. Fig. 6e-f: medians over the models of all folds.
    """
    screen = Screen.of(model, data, conditions, tfs, strength, clamp, tol, max_steps)
    return _table(screen, node_sets(data, nodes), by_member)


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
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a steady state.

    Returns:
        As `knock_out`.

    Raises:
        ValueError: As `knock_out`.

    References:
        Nilsson et al. (2022), Fig. 6f; the original script used +3.
    """
    screen = Screen.of(model, data, conditions, tfs, strength, clamp, tol, max_steps)
    return _table(screen, node_sets(data, nodes), by_member)


def _table(screen: Screen, sets: dict[str, list[int]], by_member: bool) -> pd.DataFrame:
    """The long table; condition by condition, node by node, TF by TF."""
    table = LongTable(screen, list(sets), by_member)
    control = screen.control()[:, :, None]  # [M, C, 1, T]
    for block, perturbed in screen.perturbed(sets):
        values = {
            "control": np.broadcast_to(control, perturbed.shape),
            "perturbed": perturbed,
            "delta": perturbed - control,
        }
        table.put(block, values, spread_of="delta")
    screen.warn()
    return table.table()
