"""Path explanation: the interactions that carry the effect of a ligand to a TF."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.attribution import Dose
from lembas_pyg.network import node_index
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, TOL, Members
from lembas_pyg.topology import reachable_from

__all__ = ["PathExplanation", "explain_path"]

# Effects on a TF that are no more than what is left of the solve.
_NO_EFFECT = 1e-7


@dataclass(frozen=True)
class PathExplanation:
    """Interactions that carry the effect of a ligand to a TF.

    Attributes:
        edges: One row an interaction, the largest attribution first: `source`, `target`
            (accessions), `source_label`, `target_label`, `sign` (known mode of action), `weight`,
            `attribution` (change of TF activity it passes on), `share` (of the effect); of an
            ensemble means, and `spread`, the standard deviation of the attributions.
        network: The same as a network, with `edge_weight` and `edge_attribution`.
        ligand, tf, condition: What is explained.
        effect: Change of TF activity by the ligand, given all else of the condition.
        kept: Share of the effect that comes about if only these interactions respond to the ligand
            and all others carry what they carry without it.
        lost: Share of the effect that is lost if these interactions do not respond to the ligand
            and all others do.
        deleted: Share of the effect that is lost if these interactions are deleted, which also
            changes the state that the ligand acts on.
        attribution: Attribution of all interactions of the whole network ``[E]``.
    """

    edges: pd.DataFrame
    network: Data
    ligand: str
    tf: str
    condition: str
    effect: float
    kept: float
    lost: float
    deleted: float
    attribution: Tensor

    def __str__(self) -> str:
        return (
            f"{self.ligand} changes {self.tf} by {self.effect:+.3g} under {self.condition}: "
            f"{len(self.edges)} interactions between {self.network.num_nodes} nodes bring about "
            f"{self.kept:.0%} of it. Without their response {self.lost:.0%} of it is lost, and "
            f"{self.deleted:.0%} if they are deleted."
        )


def explain_path(
    model: LEMBAS | Members,
    data: Data,
    ligand: str,
    tf: str,
    condition: str,
    *,
    share: float = 0.8,
    max_edges: int = 60,
    steps: int = 8,
    tol: float = TOL,
    max_steps: int = MAX_STEPS,
) -> PathExplanation:
    """Smallest part of the network found that carries the effect of a ligand to a TF.

    Interactions are taken in the order of their attribution, as told by
    `lembas_pyg.analysis.attribution`; of these the ones on a way from the ligand to the TF
    (feedback on that way included), until they bring about the asked share of the effect. Then each
    is left out again, the weakest first, if the others do without it.

    Args:
        model: A model, or an ensemble of models (attributions and effects are means over those
            that have steady states); it is not changed.
        data: Network with conditions.
        ligand: Accession of a ligand that is present in the condition.
        tf: Accession of the TF.
        condition: Name of the condition.
        share: Share of the effect that the part is to bring about; as much above 1 as below is
            accepted.
        max_edges: Largest number of interactions.
        steps: Steps of the dose.
        tol: Largest change of a state in the last step of a solve (dimensionless).
        max_steps: Steps before giving up on a solve.

    Returns:
        The part, and how far it explains the effect. With fewer than the asked share a warning
        says so.

    Raises:
        ValueError: Ligand, TF or condition is not known, the ligand is absent in the condition or
            has no effect on the TF, an option is out of range, or the data are not of the model's
            network.
        RuntimeError: There is no stable steady state at some dose of the ligand.

    References:
        Sundararajan et al. (2017), integrated gradients; Shrikumar et al. (2017), DeepLIFT.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it must be above 0 and at most 1, such as 0.8.")
    for name, value in (("max_edges", max_edges), ("steps", steps)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more.")
    members = [model] if isinstance(model, LEMBAS) else list(model.models)
    source, sink = _ends(data, ligand, tf, condition)
    asked = [Dose(m, data, source, sink, condition, steps, tol, max_steps) for m in members]
    usable = [dose for dose in asked if dose.is_steady]
    if not usable:
        raise RuntimeError(
            f"There is no stable steady state under '{condition}' at every dose of '{ligand}' "
            f"(largest residual {max(dose.residual for dose in asked):.2g}); raise max_steps, or "
            f"train with a spectral term."
        )
    if len(usable) < len(asked):
        warnings.warn(
            f"{len(asked) - len(usable)} of {len(asked)} members have no stable steady state under "
            f"'{condition}' at every dose of '{ligand}'; they are left out.",
            stacklevel=2,
        )
    effect = float(np.mean([dose.effect for dose in usable]))
    if abs(effect) <= _NO_EFFECT:
        raise ValueError(
            f"'{ligand}' has no effect on '{tf}' under '{condition}' ({effect:.2g}): there is "
            f"nothing to explain."
        )
    flows = torch.stack([dose.attribution for dose in usable])

    def part_of_effect(change: Callable[[Dose], float]) -> float:
        return float(np.mean([change(dose) for dose in usable])) / effect

    chosen, kept = _choose(
        flows.mean(dim=0).abs(),
        data.edge_index,
        (source, sink),
        lambda mask: part_of_effect(lambda dose: dose.effect_through(mask)),
        share,
        max_edges,
    )
    if abs(1 - kept) > 1 - share + 1e-9:
        warnings.warn(
            f"{int(chosen.sum())} interactions bring about {kept:.0%} of the effect of '{ligand}' "
            f"on '{tf}', not the {share:.0%} asked for; allow more with max_edges (now "
            f"{max_edges}).",
            stacklevel=2,
        )
    weight = torch.stack([dose.weight for dose in usable]).mean(dim=0)
    return PathExplanation(
        _edge_table(data, chosen, weight, flows, effect),
        _part(data, chosen, weight, flows.mean(dim=0)),
        ligand,
        tf,
        condition,
        effect,
        kept,
        1 - part_of_effect(lambda dose: dose.effect_through(~chosen)),
        1 - part_of_effect(lambda dose: dose.effect_without(chosen)),
        flows.mean(dim=0),
    )


def _ends(data: Data, ligand: str, tf: str, condition: str) -> tuple[int, int]:
    """Rows of ligand and TF, refused where they are none or the ligand is absent."""
    rows: list[int] = []
    for name, mask, role in ((ligand, "ligand_mask", "ligand"), (tf, "tf_mask", "TF")):
        row = int(node_index(data, name))
        if not data[mask][row]:
            known = [data.node_name[i] for i in data[mask].nonzero().view(-1).tolist()]
            raise ValueError(
                f"'{name}' is not a {role} of this network; there are {', '.join(known[:10])}"
                f"{' ...' if len(known) > 10 else ''}."
            )
        rows.append(row)
    columns: dict[str, int] = data.get("conditions") or {}
    if condition in columns and data.x[rows[0], columns[condition]] == 0:
        column = data.x[:, columns[condition]]
        present = [data.node_name[i] for i in column.nonzero().view(-1).tolist()]
        raise ValueError(
            f"'{ligand}' is absent under '{condition}'; present are "
            f"{', '.join(present) or 'no ligands'}."
        )
    return rows[0], rows[1]


def _choose(
    size: Tensor,
    edge_index: Tensor,
    ends: tuple[int, int],
    kept_by: Callable[[Tensor], float],
    share: float,
    max_edges: int,
) -> tuple[Tensor, float]:
    """Edges that bring about the share of the effect, and the share that they do bring about."""
    best, best_kept = torch.zeros_like(size, dtype=torch.bool), 0.0
    taken = best.clone()
    for edge in size.argsort(descending=True, stable=True).tolist():
        if size[edge] == 0:
            break
        taken[edge] = True
        mask = _on_path(taken, edge_index, ends)
        number = int(mask.sum())
        if number > max_edges:
            break
        if number == int(best.sum()) or not mask[edge]:
            continue
        kept = kept_by(mask)
        if not abs(1 - kept) >= abs(1 - best_kept):
            best, best_kept = mask, kept
        if abs(1 - kept) <= 1 - share:
            break
    return _leave_out(best, best_kept, size, edge_index, ends, kept_by, share)


def _leave_out(
    mask: Tensor,
    kept: float,
    size: Tensor,
    edge_index: Tensor,
    ends: tuple[int, int],
    kept_by: Callable[[Tensor], float],
    share: float,
) -> tuple[Tensor, float]:
    """Without the edges that the others do without, the weakest first."""
    limit = max(1 - share, abs(1 - kept))
    for edge in size.argsort(stable=True).tolist():
        if not mask[edge]:
            continue
        fewer = mask.clone()
        fewer[edge] = False
        fewer = _on_path(fewer, edge_index, ends)
        if fewer.any():
            part = kept_by(fewer)
            if abs(1 - part) <= limit:
                mask, kept = fewer, part
    return mask, kept


def _on_path(mask: Tensor, edge_index: Tensor, ends: tuple[int, int]) -> Tensor:
    """Those of the marked edges that are on a way from the ligand to the TF along them."""
    edges = edge_index[:, mask]
    start, stop = (torch.arange(int(edge_index.max()) + 1) == end for end in ends)
    after, before = reachable_from(start, edges), reachable_from(stop, edges.flip(0))
    return mask & after[edge_index[0]] & before[edge_index[1]]


def _part(data: Data, mask: Tensor, weight: Tensor, flow: Tensor) -> Data:
    """The chosen edges and their nodes as a network."""
    whole = data.clone()
    whole.edge_weight, whole.edge_attribution = weight, flow
    nodes = torch.zeros(int(data.num_nodes), dtype=torch.bool)
    nodes[data.edge_index[:, mask].flatten()] = True
    return whole.edge_subgraph(mask).subgraph(nodes)


def _edge_table(
    data: Data, mask: Tensor, weight: Tensor, flows: Tensor, effect: float
) -> pd.DataFrame:
    """The chosen edges, the largest attribution first."""
    source, target = data.edge_index[:, mask].tolist()
    table = pd.DataFrame(
        {
            "source": [data.node_name[i] for i in source],
            "target": [data.node_name[i] for i in target],
            "source_label": [data.node_label[i] for i in source],
            "target_label": [data.node_label[i] for i in target],
            "sign": data.edge_sign[mask].numpy(),
            "weight": weight[mask].numpy(),
            "attribution": flows.mean(dim=0)[mask].numpy(),
        }
    )
    table["share"] = table["attribution"] / effect
    if len(flows) > 1:
        table["spread"] = flows.std(dim=0)[mask].numpy()
    order = table["attribution"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
