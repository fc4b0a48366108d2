"""Compiled kernels of the contraction rate: powers of a matrix on blocks of conditions."""

from __future__ import annotations

import numpy as np
from numba import njit

from lembas_pyg.nn.simd import (
    add,
    divide,
    fma,
    lane_sum,
    load,
    magnitude,
    multiply,
    store,
    subtract,
    where_positive,
    zeros,
)
from lembas_pyg.nn.sweeps import FAINT

_JIT = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit(**_JIT)
def _gather(array, columns, block):
    """Neighbouring columns of an array as a block; unused lanes are 0."""
    first, size = columns[0], columns.size
    for i in range(array.shape[0]):
        for k in range(size):
            block[i, k] = array[i, first + k]
        for k in range(size, block.shape[1]):
            block[i, k] = 0


def _power_kernels(width):
    """Both kernels for blocks of a width that is a constant of the compiled code."""

    @njit(**_JIT)
    def power(crow, col, value, slope, vector, vectors, lengths, last):
        """Growth of every column of `vector` under ``v <- slope * A v``, and where it led.

        What the way back needs is kept by blocks: all vectors ``[B, N, k + 1, W]``, each the image
        of the one before it at length 1, and their lengths ``[B, k + 1, W]``.
        """
        num_nodes, num_columns = vector.shape
        tiny, faint = np.finfo(lengths.dtype).tiny, lengths.dtype.type(FAINT)
        num_steps = lengths.shape[1] - 1
        slopes = np.empty((num_nodes, width), lengths.dtype)
        block = np.empty((num_nodes, width), lengths.dtype)
        stride = num_steps + 1
        for b in range(lengths.shape[0]):
            columns = np.arange(b * width, min((b + 1) * width, num_columns))
            kept, length = vectors[b].reshape(-1, width), lengths[b]
            _gather(slope, columns, slopes)
            _gather(vector, columns, block)
            square = zeros(lengths, width)
            for i in range(num_nodes):
                v = load(block, i, width)
                store(kept, i * stride, v)
                square = add(square, multiply(v, v))
            store(length, 0, square)
            for step in range(num_steps):
                for k in range(width):
                    length[step, k] = max(np.sqrt(length[step, k]), tiny)
                norm = load(length, step, width)
                square = zeros(lengths, width)
                for i in range(num_nodes):
                    z = zeros(lengths, width)
                    for e in range(crow[i], crow[i + 1]):
                        z = fma(z, value[e], load(kept, col[e] * stride + step, width))
                    z = divide(multiply(load(slopes, i, width), z), norm)
                    z = where_positive(subtract(magnitude(z), faint), z, zeros(lengths, width))
                    store(kept, i * stride + step + 1, z)
                    square = add(square, multiply(z, z))
                store(length, step + 1, square)
            for k in range(width):
                length[num_steps, k] = max(np.sqrt(length[num_steps, k]), tiny)
            norm = load(length, num_steps, width)
            for i in range(num_nodes):
                store(block, i, divide(load(kept, i * stride + num_steps, width), norm))
            for i in range(num_nodes):
                for k in range(columns.size):
                    last[i, columns[k]] = block[i, k]

    @njit(**_JIT)
    def power_backward(crow, col, value, slope, vectors, lengths, factor, total):
        """Adds the gradient of ``sum_c factor_c log |T^k v_c|`` to `total`, edge by edge.

        Args: the transpose, so that rows are sources; `factor` ``[B, W]``.
        """
        num_nodes, num_columns = slope.shape
        num_steps, faint = lengths.shape[1] - 1, lengths.dtype.type(FAINT)
        slopes = np.empty((num_nodes, width), lengths.dtype)
        pulled = np.empty((num_nodes * num_steps, width), lengths.dtype)
        stride = num_steps + 1
        for b in range(lengths.shape[0]):
            columns = np.arange(b * width, min((b + 1) * width, num_columns))
            kept, length = vectors[b].reshape(-1, width), lengths[b]
            _gather(slope, columns, slopes)
            norm, before = load(length, num_steps, width), load(length, num_steps - 1, width)
            scale = divide(divide(divide(load(factor, b, width), norm), norm), before)
            for i in range(num_nodes):
                v = multiply(load(kept, i * stride + num_steps, width), load(slopes, i, width))
                store(pulled, (i + 1) * num_steps - 1, multiply(v, scale))
            for step in range(num_steps - 1, 0, -1):
                norm = load(length, step - 1, width)
                for j in range(num_nodes):
                    z = zeros(lengths, width)
                    for e in range(crow[j], crow[j + 1]):
                        z = fma(z, value[e], load(pulled, col[e] * num_steps + step, width))
                    z = divide(multiply(load(slopes, j, width), z), norm)
                    z = where_positive(subtract(magnitude(z), faint), z, zeros(lengths, width))
                    store(pulled, j * num_steps + step - 1, z)
            for j in range(num_nodes):
                for e in range(crow[j], crow[j + 1]):
                    z = zeros(lengths, width)
                    for step in range(num_steps):
                        u = load(pulled, col[e] * num_steps + step, width)
                        z = add(z, multiply(u, load(kept, j * stride + step, width)))
                    total[e] += lane_sum(z)

    return power, power_backward


# By the lanes of a block.
KERNELS = {8: _power_kernels(8), 16: _power_kernels(16)}
