"""TF activities of a set of conditions in numbers: how they spread, and in how many directions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from scipy.spatial import ConvexHull
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.training import Ensemble

__all__ = ["activity_by_tf", "activity_space", "describe_activities", "steady_activities"]

# A TF whose activity has a smaller variance than this does not respond.
_DEAD = 1e-4


def steady_activities(model: LEMBAS | Ensemble, data: Data) -> tuple[Tensor, Tensor]:
    """TF activities of the conditions that have a steady state, and which those are.

    Args:
        model: A model, or an ensemble, which counts as steady where every member is.
        data: Its network with conditions.

    Shapes:
        - **output:** ``[T, S']``, float64; ``[S]`` bool

    Raises:
        ValueError: No condition has a steady state, or the data are of another network.
    """
    found = predict(model, data)
    steady = found.converged.view(-1, found.y.size(1)).all(dim=0)
    if not bool(steady.any()):
        raise ValueError(
            f"None of {len(steady)} conditions has a steady state, so there are no activities to "
            f"describe. Train with a spectral term, or draw other stimuli."
        )
    return found.y[:, steady], steady


def activity_by_tf(model: LEMBAS | Ensemble, data: Data) -> pd.DataFrame:
    """Mean and variance of every TF over the conditions with a steady state.

    Args:
        model: A model or an ensemble.
        data: Its network with conditions.

    Returns:
        One row a TF (accession): `mean`, `variance` (biased; fractions of maximal activity).

    Raises:
        ValueError: As `steady_activities`.
    """
    y, _ = steady_activities(model, data)
    names = [data.node_name[i] for i in data.tf_mask.nonzero().view(-1).tolist()]
    table = {"mean": y.mean(dim=1).numpy(), "variance": y.var(dim=1, unbiased=False).numpy()}
    return pd.DataFrame(table, index=pd.Index(names, name="tf"))


def describe_activities(models: Mapping[str, LEMBAS | Ensemble], data: Data) -> pd.DataFrame:
    r"""Set side by side how the TF activities of models vary over the same conditions.

    The dimension is that of the covariance of TFs with eigenvalues :math:`\lambda_k`,

    .. math:: d = \frac{(\sum_k \lambda_k)^2}{\sum_k \lambda_k^2},

    1 where all TFs move together, T where they vary independently and alike.

    Args:
        models: Models or ensembles by name.
        data: Their network with conditions.

    Returns:
        One column a model, one row a property: share of steady conditions; mean over all TFs and
        conditions, and standard deviation of the means of the TFs; mean, median and smallest
        variance of a TF; share of dead TFs (variance below 1e-4); mean absolute correlation of two
        TFs, dead ones left out, and of two conditions; dimension, and principal components that
        hold 90 % of the variance.

    Raises:
        ValueError: As `steady_activities`.

    References:
        Nilsson et al. (2022), Fig. 4 b-c: what the reference model is optimised for. Uniform
        activities from 0 to 1 have mean 1/2 and variance 1/12.
    """
    return pd.DataFrame({name: _describe(model, data) for name, model in models.items()})


def _describe(model: LEMBAS | Ensemble, data: Data) -> pd.Series:
    y, steady = steady_activities(model, data)
    mean, variance = y.mean(dim=1), y.var(dim=1, unbiased=False)
    alive = variance >= _DEAD
    share = _explained(y)
    properties: dict[str, Tensor | float] = {
        "share of steady conditions": steady.double().mean(),
        "mean": mean.mean(),
        "standard deviation of the means of TFs": mean.std(unbiased=False),
        "variance of a TF, mean": variance.mean(),
        "variance of a TF, median": variance.quantile(0.5),
        "variance of a TF, smallest": variance.min(),
        "share of dead TFs": 1 - alive.double().mean(),
        "mean absolute correlation of two TFs": _mean_correlation(y[alive]),
        "mean absolute correlation of two conditions": _mean_correlation(y.T),
        "dimension": 1 / share.square().sum(),
        "components for 90 % of the variance": (share.cumsum(0) < 0.9).sum() + 1,
    }
    return pd.Series({name: float(value) for name, value in properties.items()})


def activity_space(activities: Mapping[int, Tensor]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Principal components of several sets of conditions together, and how much each set covers.

    Args:
        activities: TF activities ``[T, S]`` by what tells the sets apart, such as the number of
            ligands in a condition.

    Returns:
        Coordinates: one row a condition, columns `set`, `pc1`, `pc2`, along axes that all sets
        share. And one row a set: `variance` (sum over TFs), `dimension` and `components` (for 90 %
        of the variance) as in `describe_activities`, `area` of the convex hull in the plane of the
        two components.

    Raises:
        ValueError: There is no set, or one has fewer than three conditions or TFs that do not vary.

    References:
        Nilsson et al. (2022), SI Fig. 9.
    """
    if not activities:
        raise ValueError("There is no set of activities; give one or more, by name.")
    for name, y in activities.items():
        if y.size(1) < 3 or not bool((y.std(dim=1) > 0).any()):
            raise ValueError(
                f"Set {name} has {y.size(1)} conditions; it takes three or more, which differ."
            )
    everything = torch.cat(list(activities.values()), dim=1).double()
    centre = everything.mean(dim=1, keepdim=True)
    axes = torch.linalg.svd(everything - centre, full_matrices=False).U[:, :2]
    places, rows = [], []
    for name, y in activities.items():
        place = ((y.double() - centre).T @ axes).numpy()
        places.append(pd.DataFrame({"set": name, "pc1": place[:, 0], "pc2": place[:, 1]}))
        share = _explained(y.double())
        rows.append(
            {
                "set": name,
                "variance": float(y.double().var(dim=1, unbiased=False).sum()),
                "dimension": float(1 / share.square().sum()),
                "components": int((share.cumsum(0) < 0.9).sum()) + 1,
                "area": float(ConvexHull(place).volume),  # in a plane, the volume is an area
            }
        )
    return pd.concat(places, ignore_index=True), pd.DataFrame(rows).set_index("set")


def _explained(y: Tensor) -> Tensor:
    """Share of the variance along each principal component, largest first; ``[min(T, S)]``."""
    power = torch.linalg.svdvals(y - y.mean(dim=1, keepdim=True)).square()
    return power / power.sum()


def _mean_correlation(y: Tensor) -> float:
    """Mean absolute correlation of two rows; NaN with fewer than two."""
    count = len(y)
    if count < 2:
        return np.nan
    absolute = torch.corrcoef(y).abs()
    return float((absolute.sum() - absolute.trace()) / (count * (count - 1)))
