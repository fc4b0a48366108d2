"""TF activities under many perturbations of nodes, in blocks that fit memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members, as_list, prepare

__all__ = ["JOIN", "Nodes", "Screen", "node_sets"]

# Between the accessions of nodes that are perturbed together.
JOIN = "+"
# Columns (perturbation x condition) solved side by side; bounds memory, not the result.
_COLUMNS = 2048

Nodes = Iterable[str | Iterable[str]] | str


def node_sets(data: Data, nodes: Nodes | None) -> dict[str, list[int]]:
    """Name and nodes of every perturbation.

    Args:
        data: Network.
        nodes: Accessions; several in a tuple, list or set are perturbed together, and named by
            their accessions in the order of the network, joined by ``+``. Every node if None.

    Returns:
        Positions of the nodes, by the name of the perturbation, in the order given.

    Raises:
        ValueError: A node is not known, nothing is named, or two perturbations have one name.
    """
    if nodes is None:
        return {name: [index] for index, name in enumerate(data.node_name)}
    found: list[tuple[str, list[int]]] = []
    for entry in [nodes] if isinstance(nodes, str) else nodes:
        # What is no text and no set of texts is refused by name.
        is_set = isinstance(entry, Iterable) and not isinstance(entry, str)
        names = as_list(entry if is_set else [entry])  # type: ignore[list-item]
        if not names:
            raise ValueError("A set of nodes is empty; name the nodes to perturb together.")
        index = sorted(torch.as_tensor(node_index(data, names)).tolist())
        found.append((JOIN.join(data.node_name[i] for i in index), index))
    if not found:
        raise ValueError("No node was named; leave `nodes` out to perturb every node.")
    as_list(name for name, _ in found)  # each once
    known = set(data.node_name)
    for name, index in found:
        if len(index) > 1 and name in known:
            raise ValueError(
                f"The set of {name.replace(JOIN, ' and ')} would be named '{name}', as another "
                f"node is. Give that node another accession."
            )
    return dict(found)


@dataclass
class Screen:
    """Models and conditions, asked again and again with other nodes perturbed.

    Attributes:
        members: Models that solve exactly, in float64.
        conditions: Names of the conditions.
        tfs: Accessions of the TFs.
        strength: Added to the input of perturbed nodes.
        clamp: State that perturbed nodes are held at instead; None to add `strength`.
        is_ensemble: Whether the members were given as an ensemble.
    """

    members: list[LEMBAS]
    conditions: list[str]
    tfs: list[str]
    strength: float
    clamp: float | None
    is_ensemble: bool
    _x: Tensor
    _rows: Tensor
    _tol: float
    _solved: int = 0
    _failed: list[tuple[str, float]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        model: LEMBAS | Members,
        data: Data,
        conditions: Iterable[str] | str | None,
        tfs: Iterable[str] | str | None,
        strength: float,
        clamp: float | None,
        tol: float,
        max_steps: int,
    ) -> Screen:
        """Check what is asked; arguments as for `lembas_pyg.analysis.knock_out`."""
        _check_number("strength", strength, "-5")
        if clamp is not None:
            _check_number("clamp", clamp, "0")
        names = None if conditions is None else as_list(conditions)
        members = []
        for member in [model] if isinstance(model, LEMBAS) else model.models:
            exact, columns = prepare(member, data, names, tol, max_steps)
            members.append(exact)
        known = [data.node_name[i] for i in members[0].tf_index.tolist()]
        wanted = known if tfs is None else as_list(tfs)
        unknown = [name for name in wanted if name not in known]
        if unknown or not wanted:
            raise ValueError(
                f"Unknown TFs: {', '.join(map(repr, unknown)) or 'none was named'}. The network "
                f"has {', '.join(known[:10])}{' ...' if len(known) > 10 else ''}."
            )
        return cls(
            members,
            list(columns),
            wanted,
            strength,
            clamp,
            not isinstance(model, LEMBAS),
            data.x[:, list(columns.values())],
            torch.tensor([known.index(name) for name in wanted]),
            tol,
        )

    def control(self) -> np.ndarray:
        """TF activity without perturbation ``[M, C, T]``; NaN without steady state."""
        found = []
        for number, member in enumerate(self.members):
            with torch.no_grad():
                point = member.steady_state(self._x)
            found.append(self._activity(member, number, point, [""]))
        return np.stack(found)[:, :, 0]

    def perturbed(self, sets: Mapping[str, list[int]]) -> Iterator[tuple[slice, np.ndarray]]:
        """TF activity with the nodes of each set perturbed, block by block of sets.

        Args:
            sets: As from `node_sets`.

        Yields:
            Which sets, and their activities ``[M, C, sets, T]``; NaN without steady state.
        """
        names, nodes = list(sets), list(sets.values())
        size = max(1, _COLUMNS // len(self.conditions))
        for first in range(0, len(names), size):
            block = slice(first, first + size)
            found = []
            for number, member in enumerate(self.members):
                with torch.no_grad():
                    point = self._solve(member, nodes[block])
                found.append(self._activity(member, number, point, names[block]))
            yield block, np.stack(found)

    def warn(self) -> None:
        """Warn once of all that has no steady state, by name."""
        converged = torch.ones(self._solved, dtype=torch.bool)
        converged[: len(self._failed)] = False
        residual = torch.zeros(self._solved, dtype=torch.double)
        residual[: len(self._failed)] = torch.tensor([value for _, value in self._failed])
        labels = {name: column for column, (name, _) in enumerate(self._failed)}
        num_steps = torch.zeros(self._solved, dtype=torch.long)
        point = FixedPoint(self._x, residual, num_steps, converged)
        warn_not_converged(point, self._tol, labels)

    def _solve(self, model: LEMBAS, sets: list[list[int]]) -> FixedPoint:
        """States under every set and condition ``[N, sets * C]``."""
        if self.clamp is not None:
            points = [_clamped(model, self._x, nodes, self.clamp) for nodes in sets]
            return FixedPoint(*(torch.cat(parts, dim=-1) for parts in zip(*points, strict=True)))
        num_nodes, num_conditions = self._x.shape
        perturbation = self._x.new_zeros(num_nodes, len(sets), num_conditions, dtype=torch.double)
        for column, nodes in enumerate(sets):
            perturbation[nodes, column] = self.strength
        x = self._x.unsqueeze(1).expand(-1, len(sets), -1).flatten(1)
        return model.steady_state(x, perturbation.flatten(1))

    def _activity(
        self, model: LEMBAS, number: int, point: FixedPoint, names: list[str]
    ) -> np.ndarray:
        """TF activities ``[C, sets, T]``; what has no steady state is NaN, and remembered."""
        self._solved += len(point.converged)
        for column in (~point.converged).nonzero().view(-1).tolist():
            name, condition = divmod(column, len(self.conditions))
            label = self.conditions[condition]
            label = f"{names[name]} under {label}" if names[name] else label
            label = f"{label} in member {number}" if self.is_ensemble else label
            self._failed.append((label, float(point.residual[column])))
        y = model.output(point.value).detach()[self._rows.to(point.value.device)]
        y = y.masked_fill(~point.converged, torch.nan)
        return y.view(len(self.tfs), len(names), -1).permute(2, 1, 0).cpu().numpy()


def _clamped(model: LEMBAS, x: Tensor, nodes: list[int], value: float) -> FixedPoint:
    r"""Steady state with the state of some nodes K held at a value, whatever drives them.

    The rest of the network solves :math:`h_i = \sigma(\sum_{j \notin K} w_{ji} h_j +
    \sum_{k \in K} w_{ki} v + b_i + x_i)`: interactions into and out of K are cut, and what K would
    send is a constant drive. So it is exact for any activation and value, also where no input
    reaches the value.
    """
    weight = model.conv.edge_weight
    source, target = model.edge_index
    held = torch.zeros(model.num_nodes, dtype=torch.bool, device=weight.device)
    held[nodes] = True
    sends = held[source] & ~held[target]
    drive = weight.new_zeros(model.num_nodes).index_add(0, target[sends], weight[sends] * value)
    rest = weight.masked_fill(held[source] | held[target], 0.0)
    drive = model.input(x.to(weight.dtype)) + drive.unsqueeze(1)
    point = model.conv.solve(drive, model.edge_index, rest)
    point.value[nodes] = value
    return point


def _check_number(name: str, value: object, example: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise ValueError(f"The {name} is {value!r}; it must be a finite number, such as {example}.")
