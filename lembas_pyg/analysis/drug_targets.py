"""Through which nodes a drug acts: its targets one by one, and knock-outs within a drug model."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.drug_response import asked_of, drug_of, lines_of, members_of
from lembas_pyg.network import node_index
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.viability import DrugModels, exact_models, mean_and_spread

__all__ = ["target_effects", "viability_knock_out"]


def target_effects(
    model: DrugResponse | DrugModels,
    data: Data,
    drug: str,
    dose: float,
    cell_lines: Iterable[str] | str | None = None,
) -> pd.DataFrame:
    """How much of a drug's effect each of its targets carries.

    The drug is given without one target, and with it alone. Where targets are in one pathway a
    drug without one of them may do all the same, and where they are redundant none does it alone.

    Args:
        model: A drug model, or an ensemble.
        data: Network with a drug screen.
        drug: Name of the drug.
        dose: log10 dose.
        cell_lines: Names of cell lines; all if None.

    Returns:
        One row a cell line and target (accession, symbol): `cell_line`, `drug`, `target`, `label`,
        `intact` (effect of the drug on viability, negative if it kills), `without` (of the drug
        that spares the target), `only` (of one that has no other target), each a difference from
        untreated cells, and `spread` (of `intact` less `without`, over members).

    Raises:
        ValueError: A drug or cell line is not of the screen.
    """
    row, lines = drug_of(data, drug), lines_of(data, cell_lines)
    targets = (data.drug_sign[:, row] != 0).nonzero().view(-1).tolist()
    asked = asked_of(data, drug, lines, [dose])
    models = exact_models(model, data)
    intact = _effect(models, asked, row)
    blocks = []
    for target in targets:
        without = _effect(models, asked, row, without=[target])
        only = _effect(models, asked, row, without=[t for t in targets if t != target])
        blocks.append(
            pd.DataFrame(
                {
                    "cell_line": lines,
                    "drug": drug,
                    "target": data.node_name[target],
                    "label": data.node_label[target],
                    "intact": mean_and_spread(intact)[0].numpy(),
                    "without": mean_and_spread(without)[0].numpy(),
                    "only": mean_and_spread(only)[0].numpy(),
                    "spread": mean_and_spread(intact - without)[1].numpy(),
                }
            )
        )
    return pd.concat(blocks, ignore_index=True)


def viability_knock_out(
    model: DrugResponse | DrugModels,
    data: Data,
    nodes: Iterable[str] | None = None,
    cell_lines: Iterable[str] | str | None = None,
    *,
    drug: str | None = None,
    dose: float = 0.0,
    strength: float = -5.0,
) -> pd.DataFrame:
    """Viability of cell lines without a node, alone or under a drug.

    Args:
        model: A drug model, or an ensemble.
        data: Network with a drug screen.
        nodes: Accessions to knock out, one at a time; all nodes if None.
        cell_lines: Names of cell lines; all if None.
        drug: Drug that is given besides; none if None.
        dose: Its log10 dose.
        strength: Added to the input of the node (dimensionless).

    Returns:
        One row a cell line and node: `cell_line`, `node`, `label`, `control` (viability with the
        node), `perturbed`, `delta`, `spread` (of `delta` over members).

    Raises:
        ValueError: A node, drug or cell line is not known, or there is a dose of no drug.

    References:
        Nilsson et al. (2022), knock-outs: -5.
    """
    if (drug is None) != (dose == 0.0):
        raise ValueError("Name a drug= and its log10 dose= together, or neither.")
    lines = lines_of(data, cell_lines)
    chosen = list(data.node_name) if nodes is None else list(nodes)
    asked = asked_of(data, drug, lines, [dose])
    models = exact_models(model, data)
    control = members_of(models, asked)
    blocks = []
    for name in chosen:
        index = node_index(data, name)
        perturbation = torch.zeros(data.num_nodes, len(lines), dtype=torch.float64)
        perturbation[index] = strength
        perturbed = members_of(models, asked, perturbation)
        delta, spread = mean_and_spread(perturbed - control)
        blocks.append(
            pd.DataFrame(
                {
                    "cell_line": lines,
                    "node": name,
                    "label": data.node_label[index],
                    "control": mean_and_spread(control)[0].numpy(),
                    "perturbed": mean_and_spread(perturbed)[0].numpy(),
                    "delta": delta.numpy(),
                    "spread": spread.numpy(),
                }
            )
        )
    return pd.concat(blocks, ignore_index=True)


def _effect(
    models: list[DrugResponse], asked: Data, drug: int, without: Sequence[int] = ()
) -> Tensor:
    """Difference from untreated cells ``[K, S]``, of a drug that spares some of its targets."""
    untreated = asked.clone()
    untreated.dose = torch.zeros_like(asked.dose)
    sparing = copy.deepcopy(models)
    for model in sparing:
        layer = model.drug
        spared = torch.isin(layer.target_index, torch.tensor(list(without), dtype=torch.long))
        with torch.no_grad():
            layer.weight[spared & (layer.source_index == drug)] = 0.0
    return members_of(sparing, asked) - members_of(models, untreated)
