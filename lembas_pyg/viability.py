"""Predictions of a drug model at the true steady state, in float64."""

from __future__ import annotations

import copy
from typing import NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.prediction import MAX_STEPS, TOL

__all__ = ["DrugModels", "Viability", "exact_models", "predict_viability", "viability_table"]


class DrugModels(Protocol):
    """An ensemble of drug models."""

    @property
    def models(self) -> list[DrugResponse]:
        """The members."""


class Viability(NamedTuple):
    """What one drug model or several say of every observation.

    Attributes:
        viability: Mean over the members with a steady state ``[S]``; NaN without any.
        spread: Standard deviation over those members ``[S]``; NaN with fewer than two.
        members: Viability of every member ``[K, S]``; NaN without steady state.
        converged: Members with a steady state, by observation ``[K, S]``.
        residual: Largest change of a state in the last step ``[K, S]``.
    """

    viability: Tensor
    spread: Tensor
    members: Tensor
    converged: Tensor
    residual: Tensor


def predict_viability(
    model: DrugResponse | DrugModels,
    data: Data,
    *,
    perturbation: Tensor | None = None,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> Viability:
    """Viability of the observations of a drug screen, in float64.

    Warns of observations without a steady state.

    Args:
        model: A drug model, or an ensemble; it is not changed.
        data: Network with a drug screen; `lembas_pyg.network.select_observations` and
            `lembas_pyg.network.ask_observations` choose or make observations.
        perturbation: Added to the input of any node of the treated cells (dimensionless).
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on an observation.

    Shapes:
        - **perturbation:** ``[N, S]``

    Raises:
        ValueError: The data have no drug screen, or are not of the model's network.
    """
    found = []
    for member in exact_models(model, data, tol, max_steps):
        with torch.no_grad():
            cells = member.cells(data.expression, data.mutation)
            found.append(member.respond(data.dose, data.cell_line.view(-1), cells, perturbation))
    converged = torch.stack([part.converged for part in found])
    residual = torch.stack([part.residual for part in found])
    for part in found:
        steps = torch.zeros_like(data.cell_line.view(-1))
        warn_not_converged(FixedPoint(part.h, part.residual, steps, part.converged), tol)
    members = torch.stack([part.viability for part in found]).masked_fill(~converged, torch.nan)
    return Viability(*mean_and_spread(members), members, converged, residual)


def mean_and_spread(members: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the members that are not NaN, and their standard deviation if two or more.

    Args:
        members: One row a member ``[K, ...]``.
    """
    count = (~members.isnan()).sum(dim=0)
    mean = members.nanmean(dim=0)
    squares = (members - mean).square().nansum(dim=0)
    spread = (squares / (count - 1).clamp(min=1)).sqrt()
    return mean, spread.masked_fill(count < 2, torch.nan)


def exact_models(
    model: DrugResponse | DrugModels, data: Data, tol: float = TOL, max_steps: int = MAX_STEPS
) -> list[DrugResponse]:
    """Copies in float64 of a model, or of the members of an ensemble, that solve exactly.

    Args:
        model: A drug model, or an ensemble; it is not changed.
        data: Network with a drug screen.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on an observation.

    Raises:
        ValueError: The data have no drug screen, or are not of the model's network.
    """
    missing = [name for name in ("dose", "cell_line", "expression") if name not in data]
    if missing:
        raise ValueError(
            f"The data have no {', '.join(missing)}; add a drug screen with "
            f"`lembas_pyg.network.add_drug_screen`."
        )
    exact = []
    for member in [model] if isinstance(model, DrugResponse) else model.models:
        difference = member.network_difference(data)
        if difference is not None:
            raise ValueError(f"The data are not of the model's network: {difference}")
        member = copy.deepcopy(member).double()
        member.conv.tol, member.conv.max_steps = tol, max_steps
        exact.append(member)
    return exact


def viability_table(data: Data, found: Viability) -> pd.DataFrame:
    """Make a table of what is predicted beside what was measured.

    Args:
        data: Network with the observations that were predicted.
        found: As from `predict_viability`.

    Returns:
        One row an observation: `cell_line`, `drug` (several joined by +), `log10_dose` (a number,
        or a text of several joined alike), `measured`, `viability`, `spread`; NaN without steady
        state.
    """
    lines, drugs = list(data.cell_lines), list(data.drugs)
    present = [column.nonzero().view(-1).tolist() for column in data.dose.t()]
    return pd.DataFrame(
        {
            "cell_line": [lines[i] for i in data.cell_line.view(-1).tolist()],
            "drug": ["+".join(drugs[d] for d in row) for row in present],
            "log10_dose": _doses(data.dose, present),
            "measured": data.viability.view(-1).double().numpy(),
            "viability": found.viability.numpy(),
            "spread": found.spread.numpy(),
        }
    )


def _doses(dose: Tensor, present: list[list[int]]) -> list[float] | list[str]:
    """log10 doses of the drugs that are there: numbers where it is one each, else texts."""
    levels = [dose[row, column].tolist() for column, row in enumerate(present)]
    if all(len(level) == 1 for level in levels):
        return [level[0] for level in levels]
    return ["+".join(f"{value:g}" for value in level) for level in levels]
