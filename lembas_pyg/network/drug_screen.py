"""Drug screens: tables of doses, cell lines and viabilities to the tensors of a drug model."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.io.conditions import check_conditions
from lembas_pyg.io.drug_screen import DrugScreen
from lembas_pyg.io.interactions import check_interactions, interaction_sign
from lembas_pyg.network.drug_checks import (
    check_distinct,
    check_doses,
    check_expression,
    check_fractions,
    check_mutations,
    check_treated,
)
from lembas_pyg.network.nodes import first_of, unknown_node
from lembas_pyg.network.tables import from_interactions
from lembas_pyg.spelling import did_you_mean

__all__ = ["add_drug_screen", "ask_observations", "from_drug_screen", "select_observations"]


def add_drug_screen(
    data: Data,
    doses: pd.DataFrame,
    cell_lines: pd.Series,
    expression: pd.DataFrame,
    mutations: pd.DataFrame,
    *,
    drug_targets: pd.DataFrame,
    mutated: pd.Series,
    viability_tfs: pd.DataFrame,
    viability: pd.Series | None = None,
    unit: str = "nM",
) -> Data:
    """Add a drug screen to a network; an earlier one is replaced.

    Args:
        data: The graph; it is not changed.
        doses: log10 doses, observations x drugs, 0 where a drug is absent, as from
            `lembas_pyg.io.LogDose`.
        cell_lines: Cell line of every observation.
        expression: z-scores, cell lines x nodes (accessions); nodes without a column count as 0,
            the average, and are named in ``unmeasured_nodes``.
        mutations: 1 where a cell line has a mutation, else 0; cell lines x mutations.
        drug_targets: Interactions from drugs to nodes, each of a known sign.
        mutated: Node (accession) that each mutation changes.
        viability_tfs: Interactions from TFs to one phenotype, each of a known sign.
        viability: Of every observation, as a fraction of the untreated; NaN where not measured.
        unit: Of the concentrations behind the log10 doses, kept as ``dose_unit``:
            ``LogDose(data.dose_unit)`` is the transform.

    Returns:
        A copy with, for N nodes, D drugs, M mutations, C cell lines and O observations,
        ``drug_sign`` ``[N, D]``, ``mutation_mask`` ``[N, M]``, ``viability_sign`` ``[N]``,
        ``expression`` ``[N, C]``, ``mutation`` ``[M, C]``, ``dose`` ``[D, O]``, ``cell_line`` and
        ``viability`` ``[1, O]``, and the dictionaries from name to position ``drugs``,
        ``mutations`` and ``cell_lines``. Observations keep the order of `doses`.

    Raises:
        TypeError: A table is not a pandas DataFrame.
        ValueError: A drug has no target, a target or mutated gene is no node, a TF no TF of the
            network, a cell line has no expression or mutations, an observation has no drug or no
            cell line, two observations are the same, a mutation is not 0 or 1, or a viability is
            no fraction.
    """
    doses = check_conditions(doses, "The table of doses")
    check_doses(doses)
    check_treated(doses)
    cell_lines = _of(doses.index, cell_lines, "cell line")
    lines = pd.Index(cell_lines.unique())
    expression = _lines(expression, lines, "expression")
    mutations = _lines(mutations, lines, "mutations")
    check_expression(data, expression)
    check_mutations(mutations)
    check_distinct(doses, cell_lines)

    out = data.clone()
    node = pd.Index(data.node_name)
    out.drug_sign = _drug_sign(data, drug_targets, doses.columns)
    out.mutation_mask = _mutation_mask(data, mutated, mutations.columns)
    out.viability_sign = _viability_sign(data, viability_tfs)
    z = torch.zeros(data.num_nodes, len(lines), dtype=torch.float64)
    z[torch.from_numpy(node.get_indexer(expression.columns))] = _tensor(expression).t()
    out.expression, out.mutation = z, _tensor(mutations).t().contiguous()
    out.dose = _tensor(doses).t().contiguous()
    out.cell_line = torch.from_numpy(lines.get_indexer(cell_lines)).view(1, -1)
    out.dose_unit = unit
    out.viability = torch.full_like(out.dose[:1], torch.nan)
    if viability is not None:
        measured = _of(doses.index, viability, "viability").to_numpy(np.float64)
        if np.isinf(measured).any():
            raise ValueError("The viabilities hold an infinite value; NaN means 'not measured'.")
        check_fractions(doses.index, measured)
        out.viability[0] = torch.from_numpy(measured.copy())
    for key, names in (
        ("drugs", doses.columns),
        ("mutations", mutations.columns),
        ("cell_lines", lines),
        ("unmeasured_nodes", node.difference(expression.columns, sort=False)),
    ):
        out[key] = {name: i for i, name in enumerate(names)}
    return out


def from_drug_screen(screen: DrugScreen) -> Data:
    """Make a network with a drug screen of its tables, as `lembas_pyg.io.read_drug_screen` gives.

    Args:
        screen: The tables.

    Raises:
        ValueError: They do not fit together, see `add_drug_screen`.
    """
    return add_drug_screen(
        from_interactions(screen.interactions, screen.annotation),
        screen.doses,
        screen.cell_lines,
        screen.expression,
        screen.mutations,
        drug_targets=screen.drug_targets,
        mutated=screen.mutated,
        viability_tfs=screen.viability_tfs,
        viability=screen.viability,
        unit=screen.unit,
    )


def select_observations(data: Data, observations: Iterable[int] | Tensor) -> Data:
    """Make a copy of a drug screen with some of its observations; all cell lines stay.

    Args:
        data: Network with a drug screen; it is not changed.
        observations: Columns of ``data.dose``, in the order wanted.
    """
    columns = torch.as_tensor(observations, dtype=torch.long)
    out = data.clone()
    for key in ("dose", "cell_line", "viability"):
        out[key] = data[key][:, columns]
    return out


def ask_observations(data: Data, doses: pd.DataFrame, cell_lines: pd.Series) -> Data:
    """Make a copy of a drug screen whose observations are others, not measured: what to ask.

    Args:
        data: Network with a drug screen; it is not changed.
        doses: log10 doses, observations x drugs, 0 where a drug is absent; drugs without a column
            are absent. An observation may have several drugs, or none.
        cell_lines: Cell line of every observation.

    Raises:
        ValueError: A drug or cell line is not of the screen, or a dose is not legal.
    """
    doses = check_conditions(doses, "The table of doses")
    for kind, names, known in (
        ("drug", doses.columns, data.drugs),
        ("cell line", cell_lines, data.cell_lines),
    ):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                f"'{unknown[0]}' is not a {kind} of the screen, which has {first_of(known)}."
                f"{did_you_mean(unknown[0], known)}"
            )
    check_doses(doses)
    out = data.clone()
    out.dose = torch.zeros(len(data.drugs), len(doses), dtype=torch.float64)
    out.dose[[data.drugs[name] for name in doses.columns]] = _tensor(doses).t()
    lines = _of(doses.index, cell_lines, "cell line").map(data.cell_lines)
    out.cell_line = torch.from_numpy(lines.to_numpy(np.int64).copy()).view(1, -1)
    out.viability = torch.full_like(out.dose[:1], torch.nan)
    return out


def _tensor(table: pd.DataFrame) -> Tensor:
    return torch.tensor(table.to_numpy(np.float64))


def _of(observations: pd.Index, values: pd.Series, what: str) -> pd.Series:
    """Values in the order of the observations, which have to be the same."""
    if values.index.has_duplicates:
        twice = values.index[values.index.duplicated()][0]
        raise ValueError(f"The observation '{twice}' has a {what} more than once.")
    for names, have in (
        (observations.difference(values.index, sort=False), f"no {what}"),
        (values.index.difference(observations, sort=False), f"a {what}, but no dose"),
    ):
        if len(names):
            raise ValueError(f"Observations with {have}: {first_of(names)}.")
    return values.loc[observations]


def _lines(table: pd.DataFrame, lines: pd.Index, what: str) -> pd.DataFrame:
    """Rows of the cell lines, each of which has to have one; others are not needed."""
    table = check_conditions(table, f"The table of {what}")
    missing = lines.difference(table.index, sort=False)
    if len(missing):
        raise ValueError(
            f"Cell lines without {what}: {first_of(missing)}. Add their rows, or leave out the "
            f"observations of these cell lines."
        )
    table = table.loc[lines]
    gaps = table.isna().to_numpy()
    if gaps.any():
        row, column = np.argwhere(gaps)[0]
        raise ValueError(
            f"The cell line '{table.index[row]}' has no value for '{table.columns[column]}' in the "
            f"table of {what}; write 0 (the average, or no mutation), or leave the column out."
        )
    return table


def _signed(table: pd.DataFrame, what: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Interactions with their signs, each pair once and of a known sign."""
    table = check_interactions(table)
    twice = table.duplicated(["source", "target"])
    sign = interaction_sign(table)
    for bad, problem in ((twice.to_numpy(), "is given twice"), (sign == 0, "has no sign")):
        if bad.any():
            row = table[bad].iloc[0]
            raise ValueError(
                f"The {what} '{row['source']}' -> '{row['target']}' {problem}; give each once, "
                f"with either stimulation or inhibition 1."
            )
    return table, sign


def _drug_sign(data: Data, targets: pd.DataFrame, drugs: pd.Index) -> Tensor:
    table, sign = _signed(targets, "drug target")
    node = pd.Index(data.node_name)
    for drug, target in zip(table["source"], table["target"], strict=True):
        if target not in node:
            raise ValueError(f"'{drug}' has an unknown target. {unknown_node(data, target)}")
    without = drugs.difference(table["source"], sort=False)
    if len(without):
        raise ValueError(
            f"Drugs without a target in the network: {first_of(without)}. The drug targets name "
            f"{first_of(table['source'].unique())}."
        )
    signs = torch.zeros(len(node), len(drugs), dtype=torch.long)
    used = table["source"].isin(drugs).to_numpy()
    rows, columns = node.get_indexer(table["target"]), drugs.get_indexer(table["source"])
    signs[rows[used], columns[used]] = torch.from_numpy(sign[used].astype(np.int64))
    return signs


def _mutation_mask(data: Data, mutated: pd.Series, mutations: pd.Index) -> Tensor:
    node = pd.Index(data.node_name)
    missing = mutations.difference(mutated.index, sort=False)
    if len(missing):
        raise ValueError(f"Mutations of no known gene: {first_of(missing)}.")
    mask = torch.zeros(len(node), len(mutations), dtype=torch.bool)
    for column, mutation in enumerate(mutations):
        gene = mutated[mutation]
        if gene not in node:
            raise ValueError(f"'{mutation}' changes an unknown gene. {unknown_node(data, gene)}")
        mask[node.get_loc(gene), column] = True
    return mask


def _viability_sign(data: Data, tfs: pd.DataFrame) -> Tensor:
    table, sign = _signed(tfs, "effect on viability")
    outputs = table["target"].unique()
    if len(outputs) != 1:
        raise ValueError(f"TFs act on several phenotypes: {first_of(outputs)}; give one.")
    signs = torch.zeros(data.num_nodes, dtype=torch.long)
    for name, value in zip(table["source"], sign, strict=True):
        if name not in data.node_name:
            raise ValueError(f"An effect on viability has no node. {unknown_node(data, name)}")
        index = data.node_name.index(name)
        if not bool(data.tf_mask[index]):
            raise ValueError(f"'{name}' has an effect on viability, but is no TF of the network.")
        signs[index] = int(value)
    return signs
