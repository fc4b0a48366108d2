"""What the members of an ensemble say together: statistics along the first axis, NaN left out."""

from __future__ import annotations

import numpy as np

__all__ = ["agreement", "known", "mean", "median", "spread"]


def known(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """How many are not NaN."""
    return np.count_nonzero(~np.isnan(values), axis=axis)


def median(values: np.ndarray) -> np.ndarray:
    """Median, of an even number the mean of the middle two; NaN without any."""
    count = known(values)[None]
    ordered = np.sort(values, axis=0)  # NaN last
    low, high = (np.clip(middle, 0, len(values) - 1) for middle in ((count - 1) // 2, count // 2))
    first, second = (np.take_along_axis(ordered, middle, axis=0)[0] for middle in (low, high))
    return np.where(count[0] > 0, (first + second) / 2, np.nan)


def spread(values: np.ndarray) -> np.ndarray:
    """Standard deviation; NaN with fewer than two."""
    count = known(values)
    squares = np.nansum((values - mean(values)) ** 2, axis=0)
    return np.where(count > 1, np.sqrt(squares / (count - 1).clip(min=1)), np.nan)


def mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Mean along an axis; NaN without any."""
    count = known(values, axis)
    return np.where(count > 0, np.nansum(values, axis=axis) / count.clip(min=1), np.nan)


def agreement(values: np.ndarray, together: np.ndarray) -> np.ndarray:
    """How many have the sign of what they say together."""
    return np.count_nonzero(np.sign(values) == np.sign(together), axis=0)
