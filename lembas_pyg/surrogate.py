"""What conditions share besides their ligands, found in the data: a surrogate variable.

Conditions of one experiment often differ in something that nobody wrote down: the donor, plate or
day, what a ligand was dissolved in, a state that cells of several unrelated treatments enter. It
shows: all TFs shift together, whatever the ligand. A model that does not know of it has to explain
the shift by the wiring of every single ligand.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.io.entities import ENTITY_TYPES, entity_type

__all__ = ["SURROGATE", "SurrogateVariable", "add_covariate", "find_surrogate"]

# Accession of the node that stands for the surrogate variable.
SURROGATE = "surrogate variable"
# A ligand in this share of conditions is a co-stimulus: its effect is another.
_COMMON = 0.2
# Two groups are found if the first component holds this share of the variance that is left, and if
# two means explain this share of the component (a normal distribution: 0.64).
_SHARE, _SEPARATION = 0.3, 0.8


class SurrogateVariable(NamedTuple):
    """What `find_surrogate` found.

    Attributes:
        value: Place of every condition between two groups ``[S]``: 0 at the mean of the larger one
            and beyond, 1 at that of the smaller one and beyond.
        ligands: Whether a ligand that is no co-stimulus is present ``[N, S]``.
        common: Whether a node is a co-stimulus ``[N]``.
        kinds: Whether a node is a protein, a small molecule and so on ``[K, N]``, by its accession.
        share: Share of the variance that the co-stimuli leave, held by the first component.
        separation: Share of that component's variance that two groups explain.
        found: Whether there are two groups; if not, every value is 0.
    """

    value: Tensor
    ligands: Tensor
    common: Tensor
    kinds: Tensor
    share: float
    separation: float
    found: bool

    def __str__(self) -> str:
        if not self.found:
            return "no surrogate variable"
        return (
            f"a surrogate variable, {int((self.value > 0.5).sum())} of {len(self.value)} "
            f"conditions at its far end; it holds {self.share:.0%} of the variance that co-stimuli "
            f"leave"
        )

    def of(self, x: Tensor) -> Tensor:
        """Value for other conditions, by their ligands alone: the average over `relatives`.

        Args:
            x: Raw ligand concentrations ``[N, S']``.
        """
        relatives = self.relatives(x).to(self.value)
        return (relatives @ self.value) / relatives.sum(dim=1)

    def known(self, x: Tensor) -> Tensor:
        """Whether there is a condition with the ligands of each ``[S']``.

        Args:
            x: Raw ligand concentrations ``[N, S']``.
        """
        return self._alike(x).any(dim=1)

    def relatives(self, x: Tensor) -> Tensor:
        """Which of the conditions tell the value of each other one ``[S', S]``.

        Those that share a ligand, co-stimuli not counted (conditions without one are alike).
        If there are none, those with a ligand of the same kind: what several small molecules do
        is a better guess for another than what proteins do. If there are none, all.

        Args:
            x: Raw ligand concentrations ``[N, S']``.
        """
        alike = self._alike(x)
        theirs = self.kinds.to(self.value)
        here = theirs @ self.ligands.to(self.value) > 0  # [K, S]
        there = theirs @ self._own(x).to(self.value) > 0  # [K, S']
        same_kind = there.to(self.value).T @ here.to(self.value) > 0
        found = torch.where(alike.any(dim=1, keepdim=True), alike, same_kind)
        return torch.where(found.any(dim=1, keepdim=True), found, torch.ones_like(found))

    def _own(self, x: Tensor) -> Tensor:
        """Which ligands that are no co-stimuli are present ``[N, S']``."""
        return (x != 0) & ~self.common.view(-1, 1)

    def _alike(self, x: Tensor) -> Tensor:
        """Which conditions share a ligand with each ``[S', S]``."""
        own = self._own(x)
        alike = own.to(self.value).T @ self.ligands.to(self.value) > 0
        # A ligand that was not seen, and no ligand at all, are not the same.
        return alike | (~own.any(dim=0).view(-1, 1) & ~self.ligands.any(dim=0))


def find_surrogate(data: Data) -> SurrogateVariable:
    r"""Place conditions between two groups by what they share besides their ligands.

    TF activities less their mean among conditions with the same co-stimuli (ligands in a fifth of
    all conditions or more) are projected on their first principal component; two means split the
    scores, and conditions are placed between them. The groups are accepted if the component holds
    30 % of the variance and the two means explain 80 % of it (of a normal distribution they explain
    64 %). Effects of a ligand in that direction are taken for the variable: nothing in the data
    tells them apart.

    Args:
        data: Network with measured conditions, such as those of a training set.

    Raises:
        ValueError: Fewer than four conditions are measured.

    References:
        Leek and Storey (2007), PLoS Genet. 3, e161: surrogate variables. The ligand screen of
        Nilsson et al. (2022) has one, which the paper does not mention.
    """
    present = data.x != 0
    measured = data.y[data.tf_mask]
    known = ~measured.isnan().all(dim=0)
    if int(known.sum()) < 4:
        raise ValueError(
            f"{int(known.sum())} measured conditions are too few to find a surrogate variable in; "
            f"four are needed. Train without surrogate_variable."
        )
    common = present.double().mean(dim=1) >= _COMMON
    scores, share = _component(
        measured[:, known].T.cpu().numpy(), present[common][:, known].T.cpu().numpy()
    )
    second, separation = _two_groups(scores)
    found = share >= _SHARE and separation >= _SEPARATION
    value = torch.zeros(present.size(1), dtype=torch.double, device=data.x.device)
    if found:
        ends = scores[~second].mean(), scores[second].mean()
        place = (scores - ends[0]) / (ends[1] - ends[0])
        value[known] = torch.from_numpy(place.clip(0, 1)).to(value)
        value[~known] = value[known].mean()  # nothing is known of what was not measured
    ligands = present & ~common.view(-1, 1)
    return SurrogateVariable(value, ligands, common, _kinds(data), share, separation, found)


def _kinds(data: Data) -> Tensor:
    """Which nodes are of each type of entity ``[K, N]``."""
    types = [entity_type(name) for name in data.node_name]
    return torch.tensor(
        [[own == kind for own in types] for kind in ENTITY_TYPES], device=data.x.device
    )


def _component(y: np.ndarray, costimuli: np.ndarray) -> tuple[np.ndarray, float]:
    """Scores of the first component of what the co-stimuli leave, and its share of variance."""
    _, group = np.unique(costimuli, axis=0, return_inverse=True)
    rest = np.zeros_like(y)
    for number in range(group.max() + 1):
        part = y[group == number]
        known = ~np.isnan(part)
        mean = np.where(known, part, 0.0).sum(axis=0) / known.sum(axis=0).clip(min=1)
        rest[group == number] = np.where(known, part - mean, 0.0)
    left, size, _ = np.linalg.svd(rest, full_matrices=False)
    total = float((size**2).sum())
    return left[:, 0] * size[0], float(size[0] ** 2) / total if total > 0 else 0.0


def _two_groups(scores: np.ndarray) -> tuple[np.ndarray, float]:
    """The best split of numbers in two: members of the smaller group, share of variance."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order] - scores.mean()
    total = float((ranked**2).sum())
    size = np.arange(1, len(ranked))
    between = np.cumsum(ranked)[:-1] ** 2 * len(ranked) / (size * (len(ranked) - size))
    cut = int(between.argmax())
    second = np.zeros(len(scores), dtype=bool)
    low = cut + 1 <= len(scores) // 2
    second[order[: cut + 1] if low else order[cut + 1 :]] = True
    return second, float(between[cut]) / total if total > 0 else 0.0


def add_covariate(data: Data, name: str, value: Tensor) -> Data:
    """Add what is known of every condition besides its ligands: batch, donor, day, dose of serum.

    The covariate becomes a node that acts on every node but ligands, by interactions of unknown
    sign whose weights start at 0: cells of another donor have other basal inputs. It is a ligand to
    everything that reads the network, and marked in ``covariate_mask``.

    Args:
        data: Network with conditions.
        name: Accession and symbol of the new node.
        value: Of every condition, 0 to 1; 0 where the basal state is the ordinary one.

    Shapes:
        - **value:** ``[S]``

    Returns:
        A copy with one node more, the last, and an edge to each node that is no ligand.

    Raises:
        ValueError: There is such a node already, or a value is outside of 0 to 1 or lacking.
    """
    if name in data.node_name:
        raise ValueError(f"The network has a node '{name}' already; give the covariate a new name.")
    value = torch.as_tensor(value, dtype=data.x.dtype)
    if value.shape != data.x.shape[1:]:
        raise ValueError(
            f"value has shape {list(value.shape)}; it must be [{data.x.size(1)}], one number for "
            f"each condition."
        )
    if not bool(((value >= 0) & (value <= 1)).all()):
        raise ValueError("A value of the covariate is not between 0 and 1.")
    size = int(data.num_nodes)
    target = (~data.ligand_mask).nonzero().view(-1)
    out = copy.copy(data)
    added = torch.stack([target.new_full(target.shape, size), target])
    out.edge_index = torch.cat([data.edge_index, added], dim=1)
    for key, fill in (("edge_sign", 0), ("edge_id", -1)):
        if key in data:
            out[key] = torch.cat([data[key], data[key].new_full(target.shape, fill)])
    for key, fill in (("ligand_mask", True), ("receptor_mask", False), ("tf_mask", False)):
        if key in data:
            out[key] = torch.cat([data[key], data[key].new_tensor([fill])])
    before = (
        data.covariate_mask if "covariate_mask" in data else torch.zeros(size, dtype=torch.bool)
    )
    out.covariate_mask = torch.cat([before, before.new_tensor([True])])
    out.node_name, out.node_label = [*data.node_name, name], [*data.node_label, name]
    out.x = torch.cat([data.x, value.view(1, -1)])
    if "y" in data:
        out.y = torch.cat([data.y, data.y.new_full((1, data.y.size(1)), torch.nan)])
    out.num_nodes = size + 1
    return out
