"""Compiled kernels of a training step: loss terms and their gradients, on numpy arrays."""

from __future__ import annotations

import numpy as np
from numba import njit

_JIT = {"cache": True, "nogil": True, "error_model": "numpy"}
# Sums may be reordered, so that they use all lanes; NaN and infinity keep their meaning.
_SUMS = {"fastmath": {"reassoc", "contract", "nsz"}, **_JIT}


@njit(**_JIT)
def read_out(h, tf, weight, measured, columns, y, for_state, for_weight):
    """Predictions `y` of a batch, sum of squared errors and number of measurements.

    The gradient of their mean is written to `for_weight` and to the rows `tf` of `for_state`,
    which is 0 before.
    """
    real = h.dtype.type
    total, known = 0.0, 0
    for t in range(tf.size):
        for s in range(columns.size):
            y[t, s] = weight[t] * h[tf[t], s]
            if not np.isnan(measured[t, columns[s]]):
                total += (y[t, s] - measured[t, columns[s]]) ** 2
                known += 1
    factor = real(2) / real(max(known, 1))
    for t in range(tf.size):
        of_weight = real(0)
        for s in range(columns.size):
            goal = measured[t, columns[s]]
            error = real(0) if np.isnan(goal) else factor * (y[t, s] - goal)
            of_weight += error * h[tf[t], s]
            for_state[tf[t], s] += weight[t] * error
        for_weight[t] = of_weight
    return total, known


@njit(**_SUMS)
def edge_sums(crow, col, position, adjoint, h, for_weight, for_bias):
    """Gradient of every weight and bias for the adjoint of a batch; rows of `crow` are targets."""
    for i in range(crow.size - 1):
        u = adjoint[i]
        for_bias[i] = u.sum()
        for e in range(crow[i], crow[i + 1]):
            source, total = h[col[e]], for_bias.dtype.type(0)
            for s in range(u.size):
                total += u[s] * source[s]
            for_weight[position[e]] = total


@njit(**_SUMS)
def weight_terms(weight, sign, factors, for_weight):
    """Sums of wrong signs, squares and 1 / (w^2 + 1/2); their gradients times `factors` added."""
    real = weight.dtype.type
    of_sign, of_square, of_zero = real(factors[0]), real(2 * factors[1]), real(2 * factors[2])
    wrong, square, near_zero = 0.0, 0.0, 0.0
    for e in range(weight.size):
        w, s = weight[e], real(sign[e])
        if w * s < 0:
            wrong -= w * s
            for_weight[e] -= of_sign * s
        square += w * w
        for_weight[e] += of_square * w
        if of_zero != 0:
            share = real(1) / (w * w + real(0.5))
            near_zero += share
            for_weight[e] -= of_zero * w * share * share
    return wrong, square, near_zero


@njit(**_SUMS)
def _row_spread(row, low, high, dead):
    """Uniform loss of the states of one node, and what the gradient in each of them is made of.

    Returns value, mean, smallest, largest, and the factors of `_pull`.
    """
    real, count = row.dtype.type, row.size
    low, high, dead = real(low), real(high), real(dead)
    mean, smallest, largest = real(0), row[0], row[0]
    for s in range(count):
        mean += row[s]
        smallest, largest = min(smallest, row[s]), max(largest, row[s])
    mean /= real(count)
    variance, at_smallest, at_largest = real(0), real(0), real(0)
    for s in range(count):
        variance += (row[s] - mean) ** 2
        at_smallest += real(row[s] == smallest)
        at_largest += real(row[s] == largest)
    off_mean = mean - (low + high) / real(2)
    off_variance = variance / real(count) - (high - low) ** 2 / real(12)
    off_smallest, off_largest = smallest - low, largest - high
    value = off_mean**2 + off_variance**2 + off_smallest**2 + off_largest**2
    of_smallest, of_largest = real(2) * off_smallest, real(2) * off_largest
    if largest <= 0:
        value -= dead * largest
        of_largest -= dead
    base, slope = real(2) * off_mean / real(count), real(4) * off_variance / real(count)
    of_smallest, of_largest = of_smallest / at_smallest, of_largest / at_largest
    return value, mean, smallest, largest, base, slope, of_smallest, of_largest


@njit(**_SUMS)
def _pull(state, mean, smallest, largest, base, slope, of_smallest, of_largest):
    """Gradient of a node's uniform loss in one of its states; those that tie share it."""
    pull = base + slope * (state - mean)
    if state == smallest:
        pull += of_smallest
    if state == largest:
        pull += of_largest
    return pull


@njit(**_SUMS)
def uniform(h, low, high, dead, values, gradient):
    """How far every row of `h` is from a uniform distribution, and the gradient of that."""
    for i in range(h.shape[0]):
        found = _row_spread(h[i], low, high, dead)
        values[i] = found[0]
        for s in range(h.shape[1]):
            gradient[i, s] = _pull(h[i, s], *found[1:])


@njit(**_SUMS)
def spread(states, columns, h, low, high, dead, factor, for_state):
    """Uniform loss of `states` with `h` put in the place of some columns, where it stays.

    Its gradient in `h`, times `factor`, is added to `for_state`.
    """
    value, factor = 0.0, h.dtype.type(factor)
    for i in range(h.shape[0]):
        for s in range(columns.size):
            states[i, columns[s]] = h[i, s]
        found = _row_spread(states[i], low, high, dead)
        value += found[0]
        for s in range(columns.size):
            for_state[i, s] += factor * _pull(h[i, s], *found[1:])
    return value
