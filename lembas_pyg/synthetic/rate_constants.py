"""Rate constants of a mechanism, fitted to steady-state activities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from lembas_pyg.synthetic.kinetics import Array, Mechanism

__all__ = ["fit_rate_constants"]

# Rate constants are looked for within these factors of where they start.
_RANGE = 1e4
_STARTS = 2


def fit_rate_constants(
    mechanism: Mechanism, a: ArrayLike, b: ArrayLike, activity: ArrayLike, *, seed: int = 0
) -> tuple[Mechanism, float]:
    r"""Fit a mechanism to activities, those of another mechanism for example.

    .. math:: \min_{k, s} \sum_i \big(s\, y_k(A_i, B_i) - y_i\big)^2

    with the activity :math:`y_k` at steady state and a scale s, as measured activities are often
    relative to their maximum. Of several starts, that of the mechanism's own rate constants and
    random ones around it, the best is taken. Rate constants of 0 stay 0; only ratios of the others
    are determined, as a steady state knows no time.

    Args:
        mechanism: Its form is kept; it is not changed.
        a: Concentrations of source A.
        b: Concentrations of source B.
        activity: Activities to fit, in any unit.
        seed: Of the random starts.

    Shapes:
        - **a, b, activity:** ``[S]``

    Returns:
        The mechanism with the rate constants found, and the scale.

    Raises:
        ValueError: The shapes differ, or an activity is not finite.

    References:
        Nilsson et al. (2022), SI Fig. 1b: mechanisms with a wrong functional form.
    """
    a, b, activity = (np.asarray(value, dtype=float) for value in (a, b, activity))
    if not (a.shape == b.shape == activity.shape and a.ndim == 1):
        raise ValueError(
            f"a, b and activity have shapes {a.shape}, {b.shape} and {activity.shape}; they must "
            f"be vectors of one length."
        )
    if not np.isfinite(activity).all():
        raise ValueError("An activity is NaN or infinite; leave such points out.")
    names = [name for name, value in mechanism.rate_constants.items() if value > 0]
    middle = np.log([*(mechanism.rate_constants[name] for name in names), 1.0])

    def with_values(values: Array) -> Mechanism:
        return mechanism.with_rate_constants(dict(zip(names, np.exp(values), strict=True)))

    def error(values: Array) -> Array:
        return np.exp(values[-1]) * with_values(values[:-1]).activity(a, b) - activity

    reach, random = np.log(_RANGE), np.random.default_rng(seed)
    starts = [middle, *(middle + random.normal(size=(_STARTS - 1, len(middle))))]
    bounds = middle - reach, middle + reach
    found = min(
        (least_squares(error, start, bounds=bounds) for start in starts), key=lambda fit: fit.cost
    )
    return with_values(found.x[:-1]), float(np.exp(found.x[-1]))
