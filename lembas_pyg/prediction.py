"""Predictions at the true steady state, in float64."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar, overload

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import to_conditions
from lembas_pyg.nn.fixed_point import warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS, Prediction
from lembas_pyg.spelling import did_you_mean

__all__ = ["MAX_STEPS", "TOL", "Members", "predict", "tf_table"]

# The slowest states of the published models need 1,100 steps to 1e-14.
TOL, MAX_STEPS = 1e-12, 20_000

Together = TypeVar("Together", covariant=True)
_TOGETHER = "y", "residual", "converged"


class Members(Protocol[Together]):
    """Models that predict together, such as `lembas_pyg.training.Ensemble`."""

    @property
    def models(self) -> list[LEMBAS]:
        """The members."""

    def combine(self, members: Tensor, residual: Tensor, converged: Tensor) -> Together:
        """What they say together, of TF activities ``[M, T, S]`` and ``[M, S]``."""


@overload
def predict(
    model: LEMBAS,
    data: Data,
    conditions: Iterable[str] | str | None = ...,
    *,
    perturbation: Tensor | None = ...,
    tol: float = ...,
    max_steps: int = ...,
) -> Prediction: ...
@overload
def predict(
    model: Members[Together],
    data: Data,
    conditions: Iterable[str] | str | None = ...,
    *,
    perturbation: Tensor | None = ...,
    tol: float = ...,
    max_steps: int = ...,
) -> Together: ...
def predict(
    model: LEMBAS | Members[Any],
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    perturbation: Tensor | None = None,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> Any:
    """TF activities and states of the conditions of a network, in float64.

    Warns of conditions without a steady state, by name.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        conditions: Names of conditions; all if None.
        perturbation: Added to the input of any node before the activation (dimensionless).
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a condition.

    Shapes:
        - **perturbation:** ``[N, S]``, S the number of conditions named

    Returns:
        A `lembas_pyg.nn.Prediction`; of an ensemble a `lembas_pyg.training.EnsemblePrediction`, the
        average with the spread of its members.

    Raises:
        ValueError: A condition is not known, or the data are not of the model's network.
    """
    if not isinstance(model, LEMBAS):
        names = None if conditions is None else as_list(conditions)
        parts = [
            predict(member, data, names, perturbation=perturbation, tol=tol, max_steps=max_steps)
            for member in model.models
        ]
        return model.combine(
            *(torch.stack([getattr(part, name) for part in parts]) for name in _TOGETHER)
        )
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    x = data.x[:, list(columns.values())]
    with torch.no_grad():
        point = exact.steady_state(x, perturbation)
        warn_not_converged(point, tol, {name: i for i, name in enumerate(columns)})
        return exact.predict_from(point)


def tf_table(data: Data, prediction: Prediction) -> pd.DataFrame:
    """Make a table of the predicted TF activities, NaN where there is no steady state.

    Args:
        data: Network with the conditions that were predicted.
        prediction: As from `predict`. What an ensemble says has NaN there already:
            `lembas_pyg.network.to_conditions` makes tables of its `y` and `spread`.

    Returns:
        Conditions x TFs (fraction of maximal activity).
    """
    activity = prediction.y.masked_fill(~prediction.converged, torch.nan)
    return to_conditions(data, activity, data.tf_mask)


def prepare(
    model: LEMBAS,
    data: Data,
    conditions: Iterable[str] | str | None,
    tol: float,
    max_steps: int,
) -> tuple[LEMBAS, dict[str, int]]:
    """A float64 copy of the model that solves exactly, and the conditions asked for by column."""
    difference = model.network_difference(data)
    if difference is not None:
        raise ValueError(f"The data are not of the model's network: {difference}")
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    known: dict[str, int] = data.conditions
    wanted = as_list(conditions) if conditions is not None else list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        meant = did_you_mean(unknown[0], known) if unknown else ""
        raise ValueError(
            f"Unknown conditions: {', '.join(map(repr, unknown)) or 'none was named'}. The data "
            f"have {', '.join(list(known)[:10])}{' ...' if len(known) > 10 else ''}.{meant}"
        )
    exact = copy.deepcopy(model).double()
    exact.conv.tol, exact.conv.max_steps = tol, max_steps
    return exact, {name: known[name] for name in wanted}


def as_list(names: Iterable[str] | str) -> list[str]:
    """Names as a list, each once; a single text is one name.

    Raises:
        ValueError: A name is no text, or is given twice.
    """
    found = [names] if isinstance(names, str) else list(names)
    for name in found:
        if not isinstance(name, str):
            raise ValueError(f"{name!r} is no name; nodes and conditions are given by name.")
    repeated = sorted({name for name in found if found.count(name) > 1})
    if repeated:
        raise ValueError(f"Named more than once: {', '.join(repeated)}.")
    return found
