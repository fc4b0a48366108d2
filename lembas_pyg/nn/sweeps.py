"""Compiled kernels: steps, powers and edge sums over blocks of conditions, on numpy arrays.

A block holds `WIDE` (or `NARROW`, for what is left over) conditions of all nodes, small enough to
stay in the cache; one node's sum over its inputs stays in registers.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lembas_pyg.nn.simd import (
    add,
    divide,
    fma,
    lane_sum,
    larger,
    load,
    magnitude,
    multiply,
    smaller,
    store,
    subtract,
    where_positive,
    zeros,
)

MML, LEAKY_RELU, LINEAR = 0, 1, 2
NARROW, WIDE = 8, 32
FIRST, NEXT = 32, 16  # steps before columns that are done are left out, and between
# Smaller numbers are set to zero where they are the rule: near 1e-38 arithmetic on float32 takes a
# hundred times as long.
_FAINT = 1e-30

_JIT = {"cache": True, "nogil": True, "error_model": "numpy"}


def _block_kernel(width):
    """Kernel for blocks of a width that is a constant of the compiled code."""

    @njit(**_JIT)
    def run_block(crow, col, value, drive, slope, h, other, kind, leak, limit, budget, worst):
        """Plain steps on one block until every lane stands still or the budget is used up."""
        quarter, half, one = worst.dtype.type(0.25), worst.dtype.type(0.5), worst.dtype.type(1)
        faint = worst.dtype.type(_FAINT)
        a, b, taken, running = h, other, 0, True
        while running and taken < budget:
            change = zeros(worst, width)
            for i in range(crow.size - 1):
                z = load(drive, i, width)
                for e in range(crow[i], crow[i + 1]):
                    z = fma(z, value[e], load(a, col[e], width))
                if kind == LINEAR:
                    new = multiply(load(slope, i, width), z)
                    # Behind inactive nodes adjoints fade below what a CPU counts quickly with.
                    fades = subtract(magnitude(new), faint)
                    new = where_positive(fades, new, zeros(worst, width))
                else:
                    top = z
                    if kind == MML:
                        top = smaller(z, subtract(one, divide(quarter, larger(z, half))))
                    new = where_positive(z, top, multiply(z, leak))
                change = larger(magnitude(subtract(new, load(a, i, width))), change)
                store(b, i, new)
            store(worst, 0, change)
            a, b = b, a
            taken += 1
            running = False
            for k in range(width):
                running |= worst[0, k] > limit[k]
        return taken

    return run_block


_run_narrow, _run_wide = _block_kernel(NARROW), _block_kernel(WIDE)


@njit(**_JIT)
def _gather(array, columns, block):
    """Columns of an array as a block; unused lanes are 0."""
    first = columns[0]
    together = columns[-1] - first == columns.size - 1
    for i in range(array.shape[0]):
        if together:
            for k in range(columns.size):
                block[i, k] = array[i, first + k]
        else:
            for k in range(columns.size):
                block[i, k] = array[i, columns[k]]
        for k in range(columns.size, block.shape[1]):
            block[i, k] = 0


@njit(**_JIT)
def solve(
    crow, col, value, drive, slope, state, columns, kind, leak, limit, max_steps, residual, steps
):
    """Plain iteration of some columns of `state`, in place, until each stays within its limit.

    Columns that are done stop costing: after each round the others are put together anew.
    """
    num_nodes, dtype = drive.shape[0], drive.dtype
    wide = np.empty((4, num_nodes, WIDE), dtype)
    narrow = np.empty((4, num_nodes, NARROW), dtype)
    worst = np.zeros((1, WIDE), dtype)
    limits = np.zeros(WIDE, dtype)
    active = columns.copy()
    count, taken_before, budget = active.size, 0, FIRST
    while count > 0 and taken_before < max_steps:
        budget = min(budget, max_steps - taken_before)
        kept = first = 0
        while first < count:
            size = min(WIDE, count - first)
            lanes = active[first : first + size].copy()
            block = wide if size > NARROW else narrow
            limits[:] = np.inf
            for k in range(size):
                limits[k] = limit[lanes[k]]
            _gather(drive, lanes, block[0])
            if kind == LINEAR:
                _gather(slope, lanes, block[1])
            _gather(state, lanes, block[2])
            if size > NARROW:
                taken = _run_wide(
                    *(crow, col, value, block[0], block[1], block[2], block[3]),
                    *(kind, leak, limits, budget, worst),
                )
            else:
                taken = _run_narrow(
                    *(crow, col, value, block[0], block[1], block[2], block[3]),
                    *(kind, leak, limits, budget, worst),
                )
            last = block[2 + taken % 2]
            for i in range(num_nodes):
                for k in range(size):
                    state[i, lanes[k]] = last[i, k]
            for k in range(size):
                column = lanes[k]
                residual[column] = worst[0, k]
                steps[column] += taken
                if worst[0, k] > limits[k]:
                    active[kept] = column
                    kept += 1
            first += size
        count = kept
        taken_before += budget
        budget = NEXT


@njit(**_JIT)
def power(crow, col, value, slope, vectors, norms):
    """``v <- slope * A v``, normalised lane by lane; all vectors and norms of a block are kept.

    Args: slope ``[N, W]``, vectors ``[k + 1, N, W]`` (the first given), norms ``[k, W]``.
    """
    tiny, faint = np.finfo(norms.dtype).tiny, norms.dtype.type(_FAINT)
    for step in range(norms.shape[0]):
        before, after = vectors[step], vectors[step + 1]
        square = zeros(norms, WIDE)
        for i in range(crow.size - 1):
            z = zeros(norms, WIDE)
            for e in range(crow[i], crow[i + 1]):
                z = fma(z, value[e], load(before, col[e], WIDE))
            z = multiply(load(slope, i, WIDE), z)
            z = where_positive(subtract(magnitude(z), faint), z, zeros(norms, WIDE))
            store(after, i, z)
            square = add(square, multiply(z, z))
        store(norms, step, square)
        for k in range(WIDE):
            norms[step, k] = max(np.sqrt(norms[step, k]), tiny)
        norm = load(norms, step, WIDE)
        for i in range(crow.size - 1):
            store(after, i, divide(load(after, i, WIDE), norm))


@njit(**_JIT)
def power_backward(crow_t, col_t, value_t, source, target, slope, vectors, norms, u, total):
    """Adds ``sum_k u_k[target] v_k[source]`` of one block to `total`, u being pulled back.

    Args: u ``[k + 1, N, W]``, the last given (scaled by the incoming gradient).
    """
    num_steps, faint = norms.shape[0], norms.dtype.type(_FAINT)
    for step in range(num_steps - 1, -1, -1):
        after, here = u[step + 1], u[step]
        norm = load(norms, step, WIDE)
        for i in range(slope.shape[0]):
            scaled = divide(multiply(load(after, i, WIDE), load(slope, i, WIDE)), norm)
            scaled = where_positive(subtract(magnitude(scaled), faint), scaled, zeros(norms, WIDE))
            store(after, i, scaled)
        for j in range(crow_t.size - 1):
            z = zeros(norms, WIDE)
            for e in range(crow_t[j], crow_t[j + 1]):
                z = fma(z, value_t[e], load(after, col_t[e], WIDE))
            store(here, j, z)
    for e in range(source.size):
        z = zeros(norms, WIDE)
        for step in range(num_steps):
            z = add(
                z,
                multiply(load(u[step + 1], target[e], WIDE), load(vectors[step], source[e], WIDE)),
            )
        total[e] += lane_sum(z)
