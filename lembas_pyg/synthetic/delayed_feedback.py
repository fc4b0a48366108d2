r"""A TF that makes its own inhibitor, with a delay: oscillations around quasi-steady states.

Signaling is fast, so the TF activity :math:`y` is that of the steady state under the stimulus and
the inhibitor of the moment; gene expression is slow:

.. math:: \frac{dm}{dt} = \alpha_m\, y(t) - \delta_m m, \qquad
          \frac{dp}{dt} = \alpha_p\, m(t - \tau) - \delta_p\, p, \qquad
          \text{inhibitor} = f\, p
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from torch_geometric.data import Data

from lembas_pyg.network import node_index
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL

__all__ = ["DelayedFeedback", "simulate_feedback"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DelayedFeedback:
    r"""Rates of the expression of an inhibitor.

    Args:
        delay: Time :math:`\tau` from mRNA to protein.
        mrna_production: :math:`\alpha_m`, per TF activity and time.
        mrna_decay: :math:`\delta_m` (1 / time).
        protein_production: :math:`\alpha_p`, per mRNA and time.
        protein_decay: :math:`\delta_p` (1 / time).
        strength: Concentration f of the inhibitor per protein.

    Raises:
        ValueError: A value is not positive.

    References:
        Nilsson et al. (2022), SI Fig. 5a; values of the original script. Which of its rates is
        whose is our reading, as is that the delay lies between mRNA and protein.
    """

    delay: float = 10.0
    mrna_production: float = 0.05
    mrna_decay: float = 0.2
    protein_production: float = 0.2
    protein_decay: float = 0.11
    strength: float = 4.0

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{setting.name} is {value}; it must be a positive number.")


def simulate_feedback(
    model: LEMBAS,
    data: Data,
    stimulus: str,
    inhibitor: str,
    times: Sequence[float],
    *,
    concentration: float = 1.0,
    feedback: DelayedFeedback | None = None,
    rtol: float = 1e-6,
) -> pd.DataFrame:
    """Course of a TF whose inhibitor it makes itself, after a stimulus from time 0 on.

    Before time 0 there is neither stimulus nor inhibitor. The equation with delay is solved in
    pieces of one delay, in each of which the delayed mRNA is known.

    Args:
        model: Model with one TF; it is not changed.
        data: Its network.
        stimulus: Ligand that comes at time 0.
        inhibitor: Ligand that is made.
        times: Times to report, in increasing order; negative ones are before the stimulus.
        concentration: Concentration of the stimulus.
        feedback: Rates of expression; those of the paper if None.
        rtol: Relative tolerance of the integration.

    Returns:
        One row a time: `time`, the concentrations of both ligands, `mRNA`, and the activity of
        the TF, each under its name.

    Raises:
        ValueError: The data are not of the model's network, there is not one TF, a name is no
            ligand, or the times are not increasing.
        RuntimeError: The integration failed, or a state on the way is not steady.

    References:
        Nilsson et al. (2022), SI Fig. 5.
    """
    difference = model.network_difference(data)
    if difference is not None:
        raise ValueError(f"The data are not of the model's network: {difference}")
    tfs = [data.node_name[i] for i in data.tf_mask.nonzero().view(-1).tolist()]
    if len(tfs) != 1:
        raise ValueError(f"The network has {len(tfs)} TFs; the feedback is that of a single one.")
    for name in (stimulus, inhibitor):
        if not bool(data.ligand_mask[node_index(data, name)]):
            raise ValueError(f"'{name}' is no ligand of the network.")
    grid = np.asarray(times, dtype=float)
    if not (grid.size and np.isfinite(grid).all() and (np.diff(grid) > 0).all()):
        raise ValueError("The times must be finite, increasing, and one at least.")
    feedback = feedback or DelayedFeedback()
    columns = [int(node_index(data, name)) for name in (stimulus, inhibitor)]
    activity = _quasi_steady(model, data, columns)

    def derivative(protein: float, mrna: float, delayed: float) -> list[float]:
        y = activity(concentration, feedback.strength * protein)
        return [
            feedback.mrna_production * y - feedback.mrna_decay * mrna,
            feedback.protein_production * delayed - feedback.protein_decay * protein,
        ]

    course = _by_steps(derivative, feedback.delay, grid[-1], rtol)
    mrna, protein = np.stack([course(t) for t in grid], axis=1)
    given = np.where(grid >= 0, concentration, 0.0)
    made = feedback.strength * protein
    y = [activity(*pair) for pair in zip(given, made, strict=True)]
    return pd.DataFrame({"time": grid, stimulus: given, inhibitor: made, "mRNA": mrna, tfs[0]: y})


def _quasi_steady(model: LEMBAS, data: Data, columns: list[int]) -> Callable[[float, float], float]:
    """TF activity as a function of the concentrations of two ligands."""
    exact = copy.deepcopy(model).double()
    exact.conv.tol, exact.conv.max_steps = TOL, MAX_STEPS
    x = torch.zeros(model.num_nodes, 1, dtype=torch.float64)

    def activity(*concentrations: float) -> float:
        for column, value in zip(columns, concentrations, strict=True):
            x[column] = max(value, 0.0)
        with torch.no_grad():
            point = exact.steady_state(x)
            if not bool(point.converged.all()):
                raise RuntimeError(
                    f"The model has no steady state at concentrations of {concentrations}; take "
                    f"one that is steady everywhere."
                )
            return float(exact.output(point.value)[0, 0])

    return activity


def _by_steps(
    derivative: Callable[[float, float, float], list[float]], delay: float, end: float, rtol: float
) -> Callable[[float], Array]:
    """Method of steps: mRNA and protein as a function of time, 0 before time 0."""
    pieces: list[Callable[[float], Array]] = []
    state = np.zeros(2)

    def course(t: float) -> Array:
        if t <= 0:
            return np.zeros(2)
        piece = min(int(t // delay), len(pieces) - 1)
        return pieces[piece](t)

    while len(pieces) * delay <= max(end, 0.0):
        start = len(pieces) * delay
        solution = solve_ivp(
            lambda t, s: derivative(s[1], s[0], course(t - delay)[0]),
            (start, start + delay),
            state,
            dense_output=True,
            rtol=rtol,
            atol=rtol / 100,
        )
        if not solution.success:
            raise RuntimeError(f"The integration failed at time {start:g}: {solution.message}")
        pieces.append(solution.sol)
        state = solution.y[:, -1]
    return course
