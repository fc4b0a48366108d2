r"""Solvers of :math:`h = f(h)`: the answer, and how far each condition got.

Solving, differentiating and reporting are three separate things. A solver sees only a step
function and knows nothing of graphs or gradients; whether a condition converged is part of its
answer, never an exception and never silent.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "FixedPoint",
    "accelerate",
    "iterate",
    "iterate_as_one",
    "rounding_floor",
    "warn_not_converged",
    "warn_unsteady",
]

# Conditions are looked at after these many steps; looking costs about as much as a step.
_CHECK_EVERY = 4
# Columns are compacted when at least this share of them is done: compacting copies them.
_COMPACT_SHARE = 0.25


class FixedPoint(NamedTuple):
    r"""A solution of :math:`h = f(h)`, condition by condition.

    Attributes:
        value: The state that was reached ``[N, S]``.
        residual: Largest change of any node in the last step ``[S]`` (dimensionless).
        num_steps: Steps taken ``[S]``.
        converged: Whether the residual met the tolerance ``[S]``.
    """

    value: Tensor
    residual: Tensor
    num_steps: Tensor
    converged: Tensor


def iterate(
    step: Callable[..., Tensor],
    start: Tensor,
    *columns: Tensor,
    tol: float | Tensor,
    max_steps: int,
) -> FixedPoint:
    r"""Plain iteration :math:`h \leftarrow f(h)`, each condition until it stands still.

    Plain iteration ends at a steady state only if that state is stable, so a condition reported
    as converged is one. Converged conditions are set aside and stop costing.

    Args:
        step: ``step(h, *columns)``, the right-hand side; it must treat every column (condition)
            by itself.
        start: First state, one column a condition.
        columns: Further inputs of `step` with one column a condition; reduced together with `h`.
        tol: Largest accepted change of a node in one step (dimensionless); one number, or one a
            condition.
        max_steps: Steps before giving up on a condition.

    Shapes:
        - **start, columns:** ``[N, S]``
        - **tol:** scalar or ``[S]``

    Raises:
        ValueError: `max_steps` is below 1.

    Returns:
        The last state of every condition with its residual, steps and verdict. A condition that
        overflows goes back to its first state; its residual is infinite.
    """
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; at least one step is needed.")
    num_conditions = start.size(1)
    limit = torch.as_tensor(tol, dtype=start.dtype, device=start.device).expand(num_conditions)
    value = start.clone()
    residual = start.new_zeros(num_conditions)
    num_steps = torch.zeros(num_conditions, dtype=torch.long, device=start.device)
    active = torch.arange(num_conditions, device=start.device)
    h, taken = start, 0
    while h.numel() and taken < max_steps:
        for _ in range(min(_CHECK_EVERY, max_steps - taken)):
            previous, h = h, step(h, *columns)
            taken += 1
        change = (h - previous).abs_().amax(dim=0)
        lost = ~change.isfinite()
        done = (change <= limit[active]) | lost
        if taken >= max_steps:
            leaving = torch.ones_like(done)
        elif int(done.sum()) >= max(1, _COMPACT_SHARE * len(active)):
            leaving = done
        else:
            continue
        finished = active[leaving]
        value[:, finished] = h[:, leaving]
        residual[finished] = change.masked_fill(lost, torch.inf)[leaving]
        num_steps[finished] = taken
        staying = ~leaving
        active, h = active[staying], h[:, staying]
        columns = tuple(column[:, staying] for column in columns)
    overflow = ~value.isfinite().all(dim=0)
    if bool(overflow.any()):
        value = torch.where(overflow, start, value)
        residual = residual.masked_fill(overflow, torch.inf)
    return FixedPoint(value, residual, num_steps, residual <= limit)


def accelerate(
    step: Callable[..., Tensor],
    start: Tensor,
    *columns: Tensor,
    tol: float | Tensor,
    max_steps: int,
    window: int = 5,
) -> FixedPoint:
    r"""Anderson acceleration, for states that plain iteration approaches too slowly.

    Each step goes to the combination of the last `window` images whose change is least,

    .. math:: h^{+} = f(h) - \sum_m \gamma_m \Delta f_m, \qquad
              \gamma = \arg\min \| (f(h) - h) - \sum_m \gamma_m \Delta (f - h)_m \|,

    condition by condition; a condition whose change grows starts over with a plain step. It may
    come to rest where plain iteration would not, so whether the state is stable has to be checked
    by the caller.

    Args:
        step: As for `iterate`.
        start: First state; best one that plain iteration has come close with.
        columns: As for `iterate`.
        tol: As for `iterate`.
        max_steps: Steps before giving up on a condition.
        window: Differences that are combined.

    Shapes:
        - **start, columns:** ``[N, S]``

    References:
        Walker and Ni (2011), SIAM J. Numer. Anal. 49, 1715.
    """
    num_conditions = start.size(1)
    limit = torch.as_tensor(tol, dtype=start.dtype, device=start.device).expand(num_conditions)
    h, image = start, step(start, *columns)
    change = image - h
    best = change.abs().amax(dim=0)
    num_steps = torch.ones(num_conditions, dtype=torch.long, device=start.device)
    images, changes = start.new_zeros(0, *start.shape), start.new_zeros(0, *start.shape)
    for _ in range(1, max_steps):
        active = best > limit
        if not bool(active.any()):
            break
        after = image
        if len(changes):
            gram = torch.einsum("mns,lns->sml", changes, changes)
            right = torch.einsum("mns,ns->sm", changes, change)
            ridge = gram.diagonal(dim1=1, dim2=2).sum(dim=1).clamp(min=torch.finfo(h.dtype).tiny)
            eye = torch.eye(len(changes), dtype=h.dtype, device=h.device)
            gram = gram + torch.finfo(h.dtype).eps * ridge.view(-1, 1, 1) * eye
            gamma = torch.linalg.solve(gram, right)
            after = image - torch.einsum("mns,sm->ns", images, gamma)
        after = torch.where(active & after.isfinite().all(dim=0), after, image)
        next_image = step(after, *columns)
        next_change = next_image - after
        worst = next_change.abs().amax(dim=0)
        failed = active & ~(worst <= 2 * best)  # NaN counts as growth
        kept = torch.where(failed, 0.0, 1.0).to(h)
        images = torch.cat([images, (next_image - image)[None]])[-window:] * kept
        changes = torch.cat([changes, (next_change - change)[None]])[-window:] * kept
        # A failed step is forgotten; the last good image is where the condition goes on.
        go_on = active & ~failed
        h = torch.where(go_on, after, torch.where(failed, image, h))
        if bool(failed.any()):
            plain = step(h, *columns)
            next_image = torch.where(failed, plain, next_image)
            next_change = torch.where(failed, plain - h, next_change)
            worst = torch.where(failed, (plain - h).abs().amax(dim=0), worst)
        image = torch.where(active, next_image, image)
        change = torch.where(active, next_change, change)
        best = torch.where(active, worst, best)
        num_steps += active
    return FixedPoint(image, best, num_steps, best <= limit)


def iterate_as_one(
    step: Callable[[Tensor], Tensor], start: Tensor, *, tol: float, max_steps: int
) -> FixedPoint:
    """Iteration of a step whose columns have one verdict, repeated for each of them."""
    shape = start.shape
    point = iterate(
        lambda h: step(h.view(shape)).reshape(-1, 1),
        start.reshape(-1, 1),
        tol=tol,
        max_steps=max_steps,
    )
    residual, num_steps, converged = (part.expand(shape[1]) for part in point[1:])
    return FixedPoint(point.value.view(shape), residual, num_steps, converged)


def rounding_floor(dtype: torch.dtype) -> float:
    """Change of a state in one step below which there is only rounding (states are about 1)."""
    return 4 * torch.finfo(dtype).eps


def warn_not_converged(
    point: FixedPoint, tol: float, conditions: dict[str, int] | None = None
) -> None:
    """Warn once about all conditions that did not reach a steady state, with the remedy.

    Args:
        point: A solution.
        tol: The tolerance it was asked for.
        conditions: Condition name -> column, to name them instead of numbering them.
    """
    names = {column: name for name, column in (conditions or {}).items()}
    failed = (~point.converged).nonzero().view(-1).tolist()
    unsteady = [(str(names.get(c, c)), float(point.residual[c])) for c in failed]
    warn_unsteady(unsteady, len(point.converged), tol, point.residual.dtype, stacklevel=4)


def warn_unsteady(
    unsteady: Sequence[tuple[str, float]],
    solved: int,
    tol: float,
    dtype: torch.dtype = torch.double,
    *,
    stacklevel: int = 3,
) -> None:
    """Warn once, with the remedy, of what did not reach a steady state; of nothing if all did.

    Args:
        unsteady: Names and residuals.
        solved: How many were solved for, these among them.
        tol: The tolerance they were asked for.
        dtype: Precision of the solve.
        stacklevel: As of `warnings.warn`.
    """
    if not unsteady:
        return
    shown = [f"{name} (residual {residual:.2g})" for name, residual in unsteady[:5]]
    more = f" and {len(unsteady) - 5} more" if len(unsteady) > 5 else ""
    residuals = [residual for _, residual in unsteady]
    if all(residual <= rounding_floor(dtype) for residual in residuals):  # and none is NaN
        remedy = (
            f"They are at the rounding floor of {dtype}: solve in double precision, or to a larger "
            "tolerance."
        )
    else:
        remedy = (
            "Their states are not to be trusted. Raise the number of steps (max_steps) if the "
            "residual is small; a residual that stays large means oscillation or a spectral radius "
            "of 1 or more: train with a spectral term."
        )
    warnings.warn(
        f"{len(unsteady)} of {solved} conditions did not reach a steady state within "
        f"a tolerance of {tol:g}: {', '.join(shown)}{more}. {remedy}",
        stacklevel=stacklevel,
    )
