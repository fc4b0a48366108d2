"""Compiled kernels: steps over blocks of conditions, and passes over states, on numpy arrays.

A block holds 8, 16 or 32 conditions of all nodes, small enough to stay in the cache; one node's
sum over its inputs stays in registers. Row pointers and columns are
unsigned: numba then leaves out the test for indices that count from the end, which takes as long
as the sum itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lembas_pyg.nn.simd import (
    divide,
    fma,
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
# Most bytes of a node in a block.
_ROW_BYTES = 128
# Sweeps between two looks at who is done.
_LOOK = 4
# Sweeps in place after which a column that has not come closer starts over with plain steps, which
# may settle where sweeps in place do not.
_IN_PLACE = 200
# Smaller numbers are set to zero where they are the rule: near 1e-38 arithmetic on float32 takes a
# hundred times as long.
FAINT = 1e-30

_JIT = {"cache": True, "nogil": True, "error_model": "numpy"}


def _sweep_kernel(width):
    """Kernel for blocks of a width that is a constant of the compiled code."""

    @njit(**_JIT)
    def sweep(crow, col, value, drive, slope, h, other, kind, leak, worst):
        """One step of all lanes from `h` to `other`; `worst` is the largest change of each.

        Where `other` is `h`, every node sees what the nodes before it became in the same sweep.
        """
        quarter, half, one = worst.dtype.type(0.25), worst.dtype.type(0.5), worst.dtype.type(1)
        faint = worst.dtype.type(FAINT)
        change = zeros(worst, width)
        for i in range(crow.size - 1):
            z = load(drive, i, width)
            for e in range(crow[i], crow[i + 1]):
                z = fma(z, value[e], load(h, col[e], width))
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
            change = larger(magnitude(subtract(new, load(h, i, width))), change)
            store(other, i, new)
        store(worst, 0, change)

    return sweep


_sweep_8, _sweep_16, _sweep_32 = _sweep_kernel(8), _sweep_kernel(16), _sweep_kernel(32)


@njit(**_JIT)
def _put(drive, slope, state, column, kind, blocks, h, lane):
    """Give a lane to a column."""
    for i in range(state.shape[1]):
        h[i, lane] = state[column, i]
    for i in range(state.shape[1]):
        blocks[0, i, lane] = drive[column, i]
    if kind == LINEAR:
        for i in range(state.shape[1]):
            blocks[1, i, lane] = slope[column, i]


@njit(**_JIT)
def _narrowed(blocks, occupant, width):
    """Blocks of fewer lanes with those that are occupied, which keep their order."""
    narrow = np.zeros((blocks.shape[0], blocks.shape[1], width), blocks.dtype)
    kept = 0
    for lane in range(occupant.size):
        if occupant[lane] >= 0:
            for b in range(blocks.shape[0]):
                for i in range(blocks.shape[1]):
                    narrow[b, i, kept] = blocks[b, i, lane]
            occupant[kept] = occupant[lane]
            kept += 1
    occupant[kept:] = -1
    return narrow


@njit(**_JIT)
def step_columns(
    crow,
    col,
    value,
    drive,
    slope,
    state,
    columns,
    kind,
    leak,
    limit,
    max_steps,
    in_place,
    residual,
    steps,
):
    """Steps on some columns of `state` until each stays within its limit or has `max_steps`.

    Each has a lane of its own; when it is done the lane takes the next one. Results do not depend
    on the company. Steps are added to `steps`.
    """
    taken = np.zeros(state.shape[0], np.int64)
    width = max(8, _ROW_BYTES // state.itemsize)
    while width > 8 and columns.size <= width // 2:
        width //= 2
    blocks = np.zeros((4, state.shape[1], width), state.dtype)
    worst = np.zeros((1, width), state.dtype)
    occupant = np.full(width, -1)
    waiting = now = 0
    while True:
        budget, moving, h = _LOOK, 0, blocks[2 + now]
        for lane in range(width):
            column = occupant[lane]
            if column >= 0 and not (worst[0, lane] > limit[column] and taken[column] < max_steps):
                residual[column] = worst[0, lane]
                steps[column] += taken[column]
                for i in range(state.shape[1]):
                    state[column, i] = h[i, lane]
                column = -1
            if column < 0 and waiting < columns.size:
                column = columns[waiting]
                waiting += 1
                _put(drive, slope, state, column, kind, blocks, h, lane)
            occupant[lane] = column
            if column >= 0:
                budget = min(budget, max_steps - taken[column])
                moving += 1
        if moving == 0:
            return
        if width > 8 and moving <= width // 2 and waiting == columns.size:
            while width > 8 and moving <= width // 2:
                width //= 2
            blocks = _narrowed(blocks, occupant, width)
            worst = np.zeros((1, width), state.dtype)
        for _ in range(budget):
            h = blocks[2 + now]
            now = now if in_place else 1 - now
            other = blocks[2 + now]
            if width == 32:
                _sweep_32(crow, col, value, blocks[0], blocks[1], h, other, kind, leak, worst)
            elif width == 16:
                _sweep_16(crow, col, value, blocks[0], blocks[1], h, other, kind, leak, worst)
            else:
                _sweep_8(crow, col, value, blocks[0], blocks[1], h, other, kind, leak, worst)
        for lane in range(width):
            if occupant[lane] >= 0:
                taken[occupant[lane]] += budget


def solve(
    crow, col, value, drive, slope, state, columns, kind, leak, limit, max_steps, residual, steps
):
    """Solve for some columns of `state`; in plain Python, which compiles in no time.

    Linear problems have one solution, so it does not matter how it is found: they start from
    ``slope * drive`` and are swept in place. Others start from `state` with plain steps.
    """

    def go(chosen, budget, in_place):
        arrays = crow, col, value, drive, slope, state, chosen, kind, leak, limit
        step_columns(*arrays, budget, in_place, residual, steps)

    if kind != LINEAR:
        go(columns, max_steps, False)
        return
    state[columns] = slope[columns] * drive[columns]
    go(columns, min(_IN_PLACE, max_steps), True)
    left = columns[~(residual[columns] <= limit[columns])]
    max_steps -= _IN_PLACE
    if left.size and max_steps > 0:
        first = slope[left] * drive[left]
        closer = residual[left] < abs(first).max(axis=1)
        go(left[closer], max_steps, True)
        state[left[~closer]] = first[~closer]
        go(left[~closer], max_steps, False)


@njit(**_JIT)
def slope_from_state(h, kind, leak, slope):
    """Slope of the activation at every state of a flat array."""
    real = h.dtype.type
    for i in range(h.size):
        open_share = real(1) - max(h[i], real(0.5))
        active = real(4) * open_share * open_share if kind == MML else real(1)
        slope[i] = active if h[i] > 0 else leak


@njit(fastmath={"reassoc", "contract", "nsz"}, **_JIT)
def largest(value, result):
    """Largest magnitude of every column."""
    result[:] = 0
    for i in range(value.shape[0]):
        for s in range(value.shape[1]):
            result[s] = max(result[s], abs(value[i, s]))
