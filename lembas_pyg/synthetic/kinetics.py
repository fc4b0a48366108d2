r"""Mass-action kinetics of a target with a few states, run to the steady state.

Two sources A and B at constant concentrations act on a target that is in one of a few states.
Every reaction turns one state into another, so the fractions :math:`s` in all states follow

.. math:: \frac{ds}{dt} = M(A, B)\, s, \qquad \sum_i s_i = 1, \qquad s_i(0) = 1/n

with rates :math:`M` of mass action. A column of :math:`M` adds up to 0: what leaves one state
enters another, and the total is conserved.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

__all__ = ["Mechanism", "Reaction"]

Array = NDArray[np.float64]
_SOURCES = ("", "A", "B", "AB")
_RTOL, _ATOL = 1e-6, 1e-9
# A state that changes faster than this (fraction per unit of time) is not steady.
_STEADY = 1e-5


@dataclass(frozen=True)
class Reaction:
    r"""One step from a state of the target to another, of first order in that state.

    .. math:: v = (k\, c - k'\, c')^+ \; s_{\text{substrate}}

    with the product :math:`c` of the source concentrations that take part, and an opposing
    source :math:`c'` where there is one.

    Args:
        substrate: State that is used up.
        product: State that is made.
        constant: Name of the rate constant k.
        sources: Sources that take part: ``""``, ``"A"``, ``"B"`` or ``"AB"``.
        opposed_by: Name of the rate constant k' and its source, or None.
    """

    substrate: str
    product: str
    constant: str
    sources: str = ""
    opposed_by: tuple[str, str] | None = None

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the rate constants of this reaction."""
        return (self.constant, *(() if self.opposed_by is None else self.opposed_by[:1]))

    def rate(self, constants: Mapping[str, float], a: Array, b: Array) -> Array:
        """Rate per amount of substrate (1 / time) at source concentrations `a` and `b`."""
        concentration = {"": np.ones_like(a), "A": a, "B": b, "AB": a * b}
        rate = constants[self.constant] * concentration[self.sources]
        if self.opposed_by is not None:
            constant, source = self.opposed_by
            rate = np.clip(rate - constants[constant] * concentration[source], 0, None)
        return rate


@dataclass(frozen=True)
class Mechanism:
    """A way in which two sources set the activity of a target.

    Args:
        name: In words.
        states: States of the target.
        active: The one that counts as activity.
        reactions: Steps between states.
        rate_constants: Name -> value; 1 / time, per concentration for each source that takes part.

    Raises:
        ValueError: A reaction names an unknown state, source or rate constant; a rate constant is
            not used, negative or not finite.

    Example:
        >>> on, off = Reaction("X", "Xact", "k1", "A"), Reaction("Xact", "X", "k2")
        >>> kinase = Mechanism("a kinase", ("X", "Xact"), "Xact", (on, off), {"k1": 2, "k2": 1})
        >>> float(kinase.activity(0.5, 0.0))
        0.5
        >>> float(kinase.with_rate_constants({"k2": 3}).activity(0.5, 0.0))
        0.25
    """

    name: str
    states: tuple[str, ...]
    active: str
    reactions: tuple[Reaction, ...]
    rate_constants: Mapping[str, float] = field(hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate_constants", dict(self.rate_constants))
        for state in (self.active, *(s for r in self.reactions for s in (r.substrate, r.product))):
            _check_known("state", state, self.states)
        for reaction in self.reactions:
            _check_known("source", reaction.sources, _SOURCES)
            if reaction.opposed_by is not None:
                _check_known("source", reaction.opposed_by[1], _SOURCES)
        used = {name for reaction in self.reactions for name in reaction.constants}
        if used != set(self.rate_constants):
            raise ValueError(
                f"The reactions of {self.name} use the rate constants {', '.join(sorted(used))}; "
                f"given are {', '.join(sorted(self.rate_constants)) or 'none'}."
            )
        for name, value in self.rate_constants.items():
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"The rate constant {name} is {value}; it must be 0 or more.")

    def with_rate_constants(self, rate_constants: Mapping[str, float]) -> Mechanism:
        """Make a copy in which some rate constants are others.

        Args:
            rate_constants: Name -> value, of those that change.

        Raises:
            ValueError: There is no such rate constant, or a value is negative or not finite.
        """
        for name in rate_constants:
            _check_known("rate constant", name, tuple(self.rate_constants))
        return dataclasses.replace(self, rate_constants={**self.rate_constants, **rate_constants})

    def rates(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Matrix M of the equation above.

        Args:
            a: Concentration of source A.
            b: Concentration of source B; the two are broadcast.

        Shapes:
            - **output:** ``[..., n, n]``, rows and columns in the order of `states`

        Raises:
            ValueError: A concentration is negative or not finite.
        """
        a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
        if not (np.isfinite(a).all() and np.isfinite(b).all() and min(a.min(), b.min()) >= 0):
            raise ValueError("Concentrations of the sources must be finite and 0 or more.")
        count = len(self.states)
        matrix = np.zeros((*a.shape, count, count))
        for reaction in self.reactions:
            source, target = map(self.states.index, (reaction.substrate, reaction.product))
            rate = reaction.rate(self.rate_constants, a, b)
            matrix[..., target, source] += rate
            matrix[..., source, source] -= rate
        return matrix

    def simulate(self, a: ArrayLike, b: ArrayLike, time: float = 1000.0) -> Array:
        """Fractions in all states after some time, by integration of the differential equation.

        All concentrations are one system, integrated together by a method for stiff equations
        (backward differentiation) with the exact Jacobian. Warns if a state still changes.

        Args:
            a: Concentration of source A.
            b: Concentration of source B; the two are broadcast.
            time: End of the simulation, in the unit of the rate constants. The text of the paper
                says 100, its code 1,000, which we follow.

        Shapes:
            - **output:** ``[..., n]``

        Raises:
            ValueError: A concentration is negative or not finite, or `time` is not positive.
            RuntimeError: The integration failed.
        """
        if not (np.isfinite(time) and time > 0):
            raise ValueError(f"time is {time}; it must be a positive number.")
        matrix = self.rates(a, b)
        shape, count = matrix.shape[:-2], len(self.states)
        jacobian = sp.block_diag(matrix.reshape(-1, count, count), format="csc")
        start = np.full(jacobian.shape[0], 1 / count)
        # BDF warns now and then of an invalid value, likely from memory it has not set; the
        # integration succeeds all the same, and its end is checked below.
        with np.errstate(invalid="ignore", over="ignore"):
            solution = solve_ivp(
                lambda _, s: jacobian @ s,
                (0.0, time),
                start,
                method="BDF",
                jac=jacobian,
                t_eval=[time],
                rtol=_RTOL,
                atol=_ATOL,
            )
        if not solution.success:
            raise RuntimeError(f"The integration of {self.name} failed: {solution.message}")
        end = solution.y[:, -1]
        change = float(abs(jacobian @ end).max())
        if change > _STEADY:
            warnings.warn(
                f"{self.name} has not reached a steady state at time {time:g}: a state changes by "
                f"{change:.1e} per unit of time. Simulate longer.",
                stacklevel=2,
            )
        return end.reshape(*shape, count)

    def steady_state(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Fractions in all states at the steady state, by algebra: M s = 0, sum of s = 1.

        Args:
            a: Concentration of source A.
            b: Concentration of source B; the two are broadcast.

        Shapes:
            - **output:** ``[..., n]``

        Raises:
            ValueError: A concentration is negative or not finite, or the steady state depends on
                the start, as where no reaction leaves two of the states.
        """
        matrix = self.rates(a, b)
        matrix[..., 0, :] = 1.0  # one equation follows from the others; conservation replaces it
        right = np.zeros(matrix.shape[:-1])
        right[..., 0] = 1.0
        try:
            return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], dtype=float)
        except np.linalg.LinAlgError as error:
            raise ValueError(
                f"The steady state of {self.name} is not unique at some concentrations: with these "
                f"rate constants more than one state cannot be left. Use `simulate`."
            ) from error

    def activity(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Fraction in the active state at the steady state, by algebra.

        Args:
            a: Concentration of source A.
            b: Concentration of source B; the two are broadcast.
        """
        return self.steady_state(a, b)[..., self.states.index(self.active)]


def _check_known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        legal = ", ".join(map(repr, known))
        raise ValueError(f"'{name}' is no {what} here; choose from {legal}.")
