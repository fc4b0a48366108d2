"""Learning rate over the epochs."""

from __future__ import annotations

import math

__all__ = ["one_cycle"]

# The last share of epochs runs at the final learning rate.
_TAIL = 0.05


def one_cycle(
    epoch: int, epochs: int, *, highest: float, start: float, end: float, peak: float
) -> float:
    r"""Half a cosine up to the peak epoch, half a cosine down, and a flat tail.

    .. math::
        \mathrm{lr}(e) = \begin{cases}
            s + (h - s) \tfrac12 (1 - \cos \pi e / p) & e \le p \\
            f + (h - f) \tfrac12 (1 + \cos \pi (e - p) / (q - p)) & p < e \le q \\
            f & e > q
        \end{cases} \qquad q = 0.95\, \mathrm{epochs}

    Args:
        epoch: Epoch, from 0.
        epochs: Number of epochs.
        highest: Learning rate at the peak (h).
        start: Learning rate of epoch 0 (s).
        end: Learning rate of the tail (f).
        peak: Epoch of the highest rate (p).

    References:
        Nilsson et al. (2022), Methods: cosine schedule. The original function also takes a lowest
        height it does not use.

    Example:
        >>> one_cycle(1000, 8000, highest=1e-3, start=1e-4, end=1e-5, peak=1000)
        0.001
    """
    tail = (1 - _TAIL) * epochs
    if epoch <= peak:
        share = 0.5 * (1 - math.cos(math.pi * epoch / peak)) if peak > 0 else 1.0
        return start + (highest - start) * share
    if epoch < tail:
        share = 0.5 * (1 + math.cos(math.pi * (epoch - peak) / (tail - peak)))
        return end + (highest - end) * share
    return end
