"""The two solves and the contraction rate in compiled code, where that is possible.

On a CPU the networks of this field fit in the cache, and what costs is not arithmetic but passes
over memory. The kernels of `lembas_pyg.nn.sweeps` do a step of up to 32 conditions in one pass.
They are used where numba can be imported and a problem is one of theirs; everything else runs on
the operators of torch, with the same results.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lembas_pyg.nn.activations import Activation, LeakyReLU, MichaelisMentenLike
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.operator import SignedOperator

logger = logging.getLogger(__name__)

__all__ = [
    "applies_to",
    "largest",
    "rate",
    "rate_backward",
    "slope_from_state",
    "solve_adjoint",
    "solve_state",
]

_ACTIVATIONS: dict[type, int] = {MichaelisMentenLike: 0, LeakyReLU: 1}
_LINEAR = 2
# Conditions that a thread has to have to be worth its start.
_SHARE = 64


@cache
def _kernels() -> ModuleType | None:
    """The compiled kernels, or None where numba is absent or switched off."""
    if os.environ.get("LEMBAS_PYG_COMPILED", "1") == "0":
        return None
    try:
        from lembas_pyg.nn import sweeps
    except (ImportError, RuntimeError) as error:  # no numba, or no folder for its cache
        logger.info("Compiled kernels are not used: %s", error)
        return None
    return sweeps


def _powers(width: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """The kernels of the contraction rate for blocks of a width."""
    from lembas_pyg.nn.powers import KERNELS

    return KERNELS[width]


def applies_to(value: Tensor, act: Callable[[Tensor], Tensor] | None = None) -> bool:
    """Whether the kernels can take tensors like `value`, and an activation if one is given."""
    return (
        value.device.type == "cpu"
        and value.dtype in (torch.float32, torch.float64)
        and (act is None or type(act) in _ACTIVATIONS)
        and _kernels() is not None
    )


def solve_state(
    operator: SignedOperator,
    edge_weight: Tensor,
    drive: Tensor,
    start: Tensor | None,
    act: Any,
    tol: float,
    max_steps: int,
) -> FixedPoint:
    """Steady state from `start` or zero, as `lembas_pyg.nn.fixed_point.iterate` finds it."""
    limit = torch.full((drive.size(1),), tol, dtype=drive.dtype)
    matrix = operator.rows(edge_weight)
    return _solve(matrix, drive, None, start, _ACTIVATIONS[type(act)], act.leak, limit, max_steps)


def solve_adjoint(
    operator: SignedOperator,
    edge_weight: Tensor,
    grad: Tensor,
    slope: Tensor,
    limit: Tensor,
    max_steps: int,
    order: Tensor | None = None,
) -> FixedPoint:
    """Adjoint of every condition until its change is within its limit, in an order given."""
    matrix = operator.columns(edge_weight)
    return _solve(matrix, grad, slope, None, _LINEAR, 0.0, limit, max_steps, order)


def _solve(
    matrix: tuple[Tensor, Tensor, Tensor],
    drive: Tensor,
    slope: Tensor | None,
    start: Tensor | None,
    kind: int,
    leak: float,
    limit: Tensor,
    max_steps: int,
    order: Tensor | None = None,
) -> FixedPoint:
    kernels = _kernels()
    assert kernels is not None
    # The kernels look at no bounds.
    assert all(part is None or part.shape == drive.shape for part in (slope, start))
    num_columns = drive.size(1)
    # A column's numbers lie side by side while it waits for a lane.
    waiting = _array(drive.t())
    slopes = waiting if slope is None else _array(slope.t())
    state = drive.new_zeros(num_columns, drive.size(0)) if start is None else start.t().clone()
    state = state.contiguous()
    residual = drive.new_zeros(num_columns)
    num_steps = torch.zeros(num_columns, dtype=torch.long)
    arrays = [*_matrix(matrix), waiting, slopes, _array(state)]
    leak = state.numpy().dtype.type(leak)

    results = residual.numpy(), num_steps.numpy()

    def run(columns: np.ndarray) -> None:
        kernels.solve(*arrays, columns, kind, leak, _array(limit), max_steps, *results)

    columns = np.arange(num_columns) if order is None else _array(order)
    num_parts = _num_parts(num_columns)
    if num_parts == 1:
        run(columns)
    else:
        parts = [columns[part::num_parts] for part in range(num_parts)]
        with ThreadPoolExecutor(num_parts) as pool:
            list(pool.map(run, parts))
    state = state.t().contiguous()
    # A sum is enough to see that something overflowed, and much cheaper than a look at each.
    if not bool((state.sum() + residual.sum()).isfinite()):
        lost = ~(state.isfinite().all(dim=0) & residual.isfinite())
        residual.masked_fill_(lost, torch.inf)
        if start is None:
            start = torch.zeros_like(drive) if slope is None else slope * drive
        state = torch.where(lost, start, state)
    return FixedPoint(state, residual, num_steps, residual <= limit)


def _num_parts(num_columns: int) -> int:
    """Threads to share the columns."""
    return max(1, min(torch.get_num_threads(), num_columns // _SHARE))


def slope_from_state(h: Tensor, act: Activation) -> Tensor:
    """Slope of an activation at the state `h`; in one pass where the kernels know it."""
    if not applies_to(h, act):
        return act.slope_from_state(h)
    kernels = _kernels()
    assert kernels is not None
    slope = torch.empty_like(h, memory_format=torch.contiguous_format)
    state, leak = _array(h), act.leak  # type: ignore[attr-defined]
    kind = _ACTIVATIONS[type(act)]
    kernels.slope_from_state(state.ravel(), kind, state.dtype.type(leak), slope.numpy().ravel())
    return slope


def largest(value: Tensor) -> Tensor:
    """Largest magnitude in every column."""
    if not applies_to(value):
        return value.abs().amax(dim=0) if value.numel() else value.new_zeros(value.size(1))
    kernels = _kernels()
    assert kernels is not None
    result = value.new_empty(value.size(1))
    kernels.largest(_array(value), result.numpy())
    return result


def rate(
    operator: SignedOperator, edge_weight: Tensor, slope: Tensor, vector: Tensor, num_steps: int
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Contraction rate, last vector, and what `rate_backward` needs: all vectors and lengths."""
    # The kernels look at no bounds.
    assert slope.shape == vector.shape
    num_nodes, num_columns = vector.shape
    width = 8 if num_columns <= 8 else 16
    num_blocks = -(-num_columns // width)
    vectors = vector.new_empty(num_blocks, num_nodes, num_steps + 1, width)
    lengths = vector.new_empty(num_blocks, num_steps + 1, width)
    last = torch.empty_like(vector, memory_format=torch.contiguous_format)
    matrix = _matrix(operator.rows(edge_weight))
    power, _ = _powers(width)
    power(*matrix, *map(_array, (slope, vector, vectors, lengths, last)))
    found = lengths[:, 1:].log().mean(dim=1).exp_().view(-1)[:num_columns]
    return found, last, (vectors, lengths)


def rate_backward(
    operator: SignedOperator,
    edge_weight: Tensor,
    slope: Tensor,
    scale: Tensor,
    kept: tuple[Tensor, Tensor],
) -> Tensor:
    """Gradient of the weights for the gradient `scale` of every condition's whole log growth."""
    vectors, lengths = kept
    width = vectors.size(3)
    factor = scale.new_zeros(vectors.size(0), width)
    factor.view(-1)[: len(scale)] = scale
    total = torch.zeros_like(edge_weight)
    transpose = _matrix(operator.columns(edge_weight))
    arrays = slope, vectors, lengths, factor, total
    _, power_backward = _powers(width)
    power_backward(*transpose, *map(_array, arrays))
    return torch.empty_like(total).index_copy_(0, operator.perm_t, total)


def _matrix(matrix: tuple[Tensor, Tensor, Tensor]) -> list[np.ndarray]:
    """Unsigned row pointer and columns, and values."""
    crow, col, value = map(_array, matrix)
    return [crow.view(np.uint32), col.view(np.uint32), value]


def _array(value: Tensor) -> np.ndarray:
    """The numbers of a tensor without copying them, where they lie in order."""
    return value.detach().contiguous().numpy()
