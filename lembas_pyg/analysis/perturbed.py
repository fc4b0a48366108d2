"""Perturbations: which nodes, what is done to them, and the TF activities that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from numbers import Real

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.question import Question
from lembas_pyg.network import node_index
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import as_list

__all__ = ["JOIN", "Nodes", "Perturbation", "node_sets", "sets_at_once"]

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


def sets_at_once(num_conditions: int) -> int:
    """Sets of nodes that fit into a block of all conditions; one at least."""
    return max(1, _COLUMNS // num_conditions)


@dataclass(frozen=True)
class Perturbation:
    """What is done to nodes.

    Attributes:
        strength: Added to their input before the activation (dimensionless).
        clamp: State that they are held at instead (fraction of saturation); None to add `strength`.
    """

    strength: float
    clamp: float | None

    def __post_init__(self) -> None:
        _check_number("strength", self.strength, "-5")
        if self.clamp is not None:
            _check_number("clamp", self.clamp, "0")

    @torch.no_grad()
    def activity(self, question: Question, sets: Mapping[str, list[int]]) -> Tensor:
        """TF activity with the nodes of each set perturbed; NaN without steady state.

        Args:
            question: Member and conditions; remembers what is not steady.
            sets: As from `node_sets`.

        Returns:
            Activities ``[sets, T, S]``.
        """
        point, names = self._solve(question.model, question.x, list(sets.values())), list(sets)
        question.note(point, lambda number, under: f"{names[number]} under {under}")
        return question.activity(point).unflatten(1, (len(sets), -1)).transpose(0, 1)

    def _solve(self, model: LEMBAS, x: Tensor, sets: list[list[int]]) -> FixedPoint:
        """States under every set and condition ``[N, sets * S]``."""
        if self.clamp is not None:
            points = [_clamped(model, x, nodes, self.clamp) for nodes in sets]
            return FixedPoint(*(torch.cat(parts, dim=-1) for parts in zip(*points, strict=True)))
        perturbation = x.new_zeros(x.size(0), len(sets), x.size(1))
        for column, nodes in enumerate(sets):
            perturbation[nodes, column] = self.strength
        repeated = x.unsqueeze(1).expand(-1, len(sets), -1).flatten(1)
        return model.steady_state(repeated, perturbation.flatten(1))


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
    drive = model.input(x) + drive.unsqueeze(1)
    point = model.conv.solve(drive, model.edge_index, rest)
    point.value[nodes] = value
    return point


def _check_number(name: str, value: object, example: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise ValueError(f"The {name} is {value!r}; it must be a finite number, such as {example}.")
