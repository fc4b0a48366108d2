"""What is asked of a model or an ensemble: conditions, TFs, and the steady states to start from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.adjoint import Adjoints, tf_adjoints
from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint, warn_unsteady
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members, as_list, prepare

__all__ = ["Inquiry", "Question", "ask"]


class Failures:
    """What no answer was found to, of all members; told in one warning a kind.

    Args:
        tol: Tolerance of the solves.
    """

    def __init__(self, tol: float) -> None:
        self._tol = tol
        self._solved, self._unsteady = 0, list[tuple[str, float]]()
        self._derivatives, self._no_adjoint = 0, list[str]()

    def states(self, point: FixedPoint, name: Callable[[int], str]) -> None:
        """Note the columns of a solution that are not steady; `name` says what they are."""
        self._solved += len(point.converged)
        failed = (~point.converged).nonzero().view(-1).tolist()
        self._unsteady += [(name(column), float(point.residual[column])) for column in failed]

    def derivatives(self, converged: Tensor, name: Callable[[int, int], str]) -> None:
        """Note the adjoints of TFs and conditions that did not converge ``[T, S]``."""
        self._derivatives += converged.numel()
        self._no_adjoint += [name(t, s) for t, s in (~converged).nonzero().tolist()]

    def warn(self) -> None:
        """Warn once of all states, and once of all derivatives."""
        warn_unsteady(self._unsteady, self._solved, self._tol)
        failed = self._no_adjoint
        if failed:
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            warnings.warn(
                f"The derivatives of {len(failed)} of {self._derivatives} TFs and conditions did "
                f"not converge: {', '.join(failed[:5])}{more}. They are blank. Such a steady state "
                f"is unstable or very slow; raise max_steps, or train with a spectral term.",
                stacklevel=4,
            )


class Question(NamedTuple):
    """One member, and the steady states of the conditions that it is asked about.

    Attributes:
        number: Of the member, from 0.
        model: In float64, with the tolerance of the solve.
        columns: Where its conditions are among those of the inquiry, in increasing order.
        part: Which of all conditions of the member these are.
        x: Stimuli ``[N, S]``.
        point: Steady states.
        tfs: Positions of the TFs among those of the model.
        condition_names: Names of its conditions, with the number of the member in an ensemble.
        tf_names: Accessions of the TFs.
        failures: What was not found, of all members.
    """

    number: int
    model: LEMBAS
    columns: list[int]
    part: slice
    x: Tensor
    point: FixedPoint
    tfs: Tensor
    condition_names: list[str]
    tf_names: list[str]
    failures: Failures

    def under(self, part: slice) -> Question:
        """The same of some of its conditions."""
        return self._replace(
            columns=self.columns[part],
            part=part,
            x=self.x[:, part],
            point=FixedPoint(*(value[..., part] for value in self.point)),
            condition_names=self.condition_names[part],
        )

    @torch.no_grad()
    def activity(self, point: FixedPoint | None = None) -> Tensor:
        """TF activities at the steady states or others; NaN where there is none ``[T, S]``."""
        point = self.point if point is None else point
        y = self.model.output(point.value)[self.tfs]
        return y.masked_fill(~point.converged, torch.nan)

    @torch.no_grad()
    def raw_state(self) -> Tensor:
        """Input of every node before its activation ``[N, S]``."""
        model = self.model
        signal = model.operator.propagate(model.conv.edge_weight, self.point.value)
        return signal + model.input(self.x) + model.conv.bias

    @torch.no_grad()
    def adjoint(self) -> Adjoints:
        """Adjoints of the TFs; NaN without a steady state, or where they did not converge."""
        slope = self.model.slope(self.point.value, self.x)
        columns = len(self.tfs) * slope.size(1)
        (found,) = tf_adjoints(self.model, slope, self.tfs, columns=columns)
        names, steady = self.condition_names, self.point.converged
        self.failures.derivatives(
            found.converged | ~steady, lambda t, s: f"{self.tf_names[t]} under {names[s]}"
        )
        return found._replace(u=found.u.masked_fill_(~(found.converged & steady), torch.nan))

    def note(self, point: FixedPoint, name: Callable[[int, str], str]) -> None:
        """Note what is not steady of runs with changes.

        Args:
            point: Solution of every change in each condition, those of a change together.
            name: What to call a change, by its number and the name of the condition.
        """
        names = self.condition_names

        def label(column: int) -> str:
            change, condition = divmod(column, len(names))
            return name(change, names[condition])

        self.failures.states(point, label)


class Inquiry(NamedTuple):
    """What all members are asked together.

    Attributes:
        conditions: Names of the conditions, rows of the answer.
        tfs: Accessions of the TFs.
        is_ensemble: Whether the members were given as an ensemble.
        failures: What was not found.
        questions: One a member.
    """

    conditions: list[str]
    tfs: list[str]
    is_ensemble: bool
    failures: Failures
    questions: list[Question]


def ask(
    model: LEMBAS | Members,
    data: Data,
    conditions: Iterable[str] | str | None,
    tfs: Iterable[str] | str | None,
    tol: float,
    max_steps: int,
    trained_on: bool | None = None,
) -> Inquiry:
    """Check what is asked, and solve for the steady states of every member.

    Args:
        model: A model, or an ensemble of models; it is not changed.
        data: Network with conditions.
        conditions: Names of conditions; all if None.
        tfs: Accessions of TFs; all if None.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a solve.
        trained_on: Of each condition, ask only the members that were trained on it, or only those
            that were not; all if None.

    Raises:
        ValueError: A TF or condition is not known, no member may be asked about a condition, or
            the data are not of the model's network.
    """
    single = isinstance(model, LEMBAS)
    members = [model] if isinstance(model, LEMBAS) else list(model.models)
    known = [members[0].node_name[i] for i in members[0].tf_index.tolist()]
    names = _tfs(data, known, tfs)
    wanted = None if conditions is None else as_list(conditions)
    prepared = [prepare(member, data, wanted, tol, max_steps) for member in members]
    chosen = list(prepared[0][1])
    may = [set(chosen)] * len(members)
    if trained_on is not None:
        may = _who_may_answer(model, chosen, trained_on)
        chosen = _answered(chosen, may, trained_on, wanted is not None)
    failures, questions = Failures(tol), []
    for number, (exact, columns) in enumerate(prepared):
        own = [place for place, name in enumerate(chosen) if name in may[number]]
        x = data.x[:, [columns[chosen[place]] for place in own]].to(exact.conv.bias.dtype)
        with torch.no_grad():
            point = exact.steady_state(x)
        labels = [chosen[p] if single else f"{chosen[p]} in member {number}" for p in own]
        failures.states(point, labels.__getitem__)
        positions = torch.tensor([known.index(name) for name in names], device=x.device)
        questions.append(
            Question(number, exact, own, slice(None), x, point, positions, labels, names, failures)
        )
    return Inquiry(chosen, names, not single, failures, questions)


def _tfs(data: Data, known: list[str], tfs: Iterable[str] | str | None) -> list[str]:
    """Accessions of the TFs asked for."""
    names = known if tfs is None else as_list(tfs)
    if not names:
        raise ValueError("No TF was named; leave `tfs` out to take all.")
    strangers = [name for name in names if name not in known]
    if strangers:
        node_index(data, strangers)  # has more to say of what is no node at all
        raise ValueError(
            f"'{strangers[0]}' is not a TF of this network; TFs are {', '.join(known[:10])}"
            f"{' ...' if len(known) > 10 else ''}."
        )
    return names


def _who_may_answer(
    model: LEMBAS | Members, conditions: list[str], trained_on: bool
) -> list[set[str]]:
    """Of every member, the conditions it was trained on, or those it was not."""
    held_out = getattr(model, "held_out", None)
    if held_out is None:
        raise ValueError(
            f"trained_on={trained_on} needs an ensemble that knows which conditions its members "
            f"were trained without: as from `lembas_pyg.training.load_members`, or "
            f"Ensemble(models, held_out=[...])."
        )
    return [{c for c in conditions if (c in without) != trained_on} for without in held_out]


def _answered(
    conditions: list[str], may: list[set[str]], trained_on: bool, are_named: bool
) -> list[str]:
    """Conditions that some member may be asked about; all have to be if they were named."""
    lost = [name for name in conditions if not any(name in own for own in may)]
    if lost and (are_named or len(lost) == len(conditions)):
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise ValueError(
            f"{'Every' if trained_on else 'No'} member was trained without "
            f"{', '.join(map(repr, lost[:5]))}{more}; leave them out, or ask all members "
            f"(trained_on=None)."
        )
    return [name for name in conditions if name not in lost]
