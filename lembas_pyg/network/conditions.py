"""Conditions: tables with conditions as rows to tensors ``[N, S]`` and back, transposed here."""

import logging
import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.io.conditions import check_conditions
from lembas_pyg.network.nodes import first_of, marked, unknown_node
from lembas_pyg.spelling import did_you_mean

__all__ = ["add_conditions", "select_conditions", "to_conditions"]

logger = logging.getLogger(__name__)


def add_conditions(data: Data, ligands: pd.DataFrame, tfs: pd.DataFrame | None = None) -> Data:
    """Add stimuli and, where measured, TF activities; earlier conditions are replaced.

    Ligands of the network without a column have concentration 0 in every condition. TFs without a
    column were not measured, like NaN; TFs that are not in the network are named in a warning and
    in ``unmodeled_tfs`` (name -> column of `tfs`).

    Args:
        data: The graph; it is not changed.
        ligands: Concentrations, conditions x ligands, not negative, in the unit of the experiment
            (the weight of the ligand takes it up). Its order of conditions rules.
        tfs: Activities, conditions x TFs, as a fraction of saturation (logistic of the score).

    Returns:
        A copy with ``x`` and ``y`` (float64; no ``y`` without `tfs`) and ``conditions``.

    Shapes:
        - **x:** ``[N, S]``, 0 for all nodes but ligands
        - **y:** ``[N, S]``, NaN where not measured

    Raises:
        TypeError: A table is not a pandas DataFrame.
        ValueError: A table is not numeric, or names a node that is no ligand (or no TF) of the
            network, a concentration is missing or negative, or the tables differ in conditions.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; Methods. The published macrophage table has
        88 TFs, of which the network has 58.
    """
    ligands = check_conditions(ligands, "The table of ligands")
    _check_ligands(data, ligands)
    conditions = ligands.index
    x = _to_nodes(data, ligands, fill=0.0)
    _report_uncovered(data, data.ligand_mask, ligands.columns, "concentration 0 for the ligands")

    out = data.clone()
    for key in ("y", "unmodeled_tfs"):
        if key in out:
            del out[key]
    out.x = x
    out.conditions = {name: column for column, name in enumerate(conditions)}
    if tfs is None:
        return out

    tfs = check_conditions(tfs, "The table of TFs")
    _check_same_conditions(conditions, tfs.index)
    modeled, unmodeled = _split_tfs(data, tfs.columns)
    activity = tfs.loc[conditions, modeled]
    _check_activity(activity)
    if unmodeled:
        warnings.warn(
            f"Not in the network, so not modeled: {first_of(unmodeled)} of the {tfs.shape[1]} "
            "measured TFs. All are named in `data.unmodeled_tfs`.",
            stacklevel=2,
        )
    _report_uncovered(data, data.tf_mask, activity.columns, "no measurement of the TFs")
    out.y = _to_nodes(data, activity, fill=float("nan"))
    out.unmodeled_tfs = {name: tfs.columns.get_loc(name) for name in unmodeled}
    return out


def to_conditions(data: Data, values: Tensor, mask: Tensor | None = None) -> pd.DataFrame:
    """Make a table of what a model says of every condition; the way back of `add_conditions`.

    Args:
        data: The graph, with conditions.
        values: One number for every marked node and condition.
        mask: The nodes `values` speaks of, such as ``data.tf_mask``; all if None.

    Shapes:
        - **values:** ``[number of marked nodes, S]``
        - **mask:** ``[N]`` bool

    Returns:
        float64, conditions x nodes (accessions), in the order of the graph.

    Raises:
        ValueError: The shape of `values` is not that of the marked nodes and conditions.
    """
    names = data.node_name if mask is None else list(marked(data, mask))
    expected = [len(names), len(data.conditions)]
    if list(values.shape) != expected:
        raise ValueError(
            f"The values have the shape {list(values.shape)}; {expected[0]} nodes and "
            f"{expected[1]} conditions need {expected}."
        )
    return pd.DataFrame(
        values.detach().to("cpu", torch.float64).numpy().T,
        index=pd.Index(list(data.conditions), name="condition"),
        columns=pd.Index(names, dtype=str),
    )


def select_conditions(data: Data, conditions: Iterable[str]) -> Data:
    """Make a copy of a network with some of its conditions, in the order given.

    Args:
        data: Network with conditions; it is not changed.
        conditions: Names of conditions.

    Returns:
        A copy whose `x`, `y` (where measured) and `conditions` hold these conditions alone.

    Raises:
        ValueError: There are no conditions, or one is not known or named twice.
    """
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    known: dict[str, int] = data.conditions
    names = list(conditions)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"Unknown conditions: {first_of(unknown)}. The data have {first_of(list(known))}."
            f"{did_you_mean(unknown[0], known)}"
        )
    if len(set(names)) < len(names):
        repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise ValueError(f"Conditions named more than once: {first_of(repeated)}.")
    out = data.clone()
    columns = torch.tensor([known[name] for name in names], dtype=torch.long, device=data.x.device)
    out.x = data.x[:, columns]
    if "y" in data:
        out.y = data.y[:, columns]
    out.conditions = {name: i for i, name in enumerate(names)}
    return out


def _to_nodes(data: Data, table: pd.DataFrame, fill: float) -> Tensor:
    """The one transposition: conditions x some nodes to ``[N, S]``."""
    values = torch.full((data.num_nodes, len(table)), fill, dtype=torch.float64)
    index = torch.from_numpy(pd.Index(data.node_name).get_indexer(table.columns))
    values[index] = torch.tensor(table.to_numpy().T)
    return values.to(data.edge_index.device)


def _check_ligands(data: Data, ligands: pd.DataFrame) -> None:
    ligand = marked(data, data.ligand_mask)
    for name in ligands.columns:
        if name not in ligand:
            if name in data.node_name:
                if name in marked(data, data.tf_mask):
                    cure = "It is a TF: were the tables of ligands and of TFs exchanged?"
                else:
                    cure = "Mark it in the column 'ligand' of the annotation."
                raise ValueError(
                    f"The table of ligands has the column '{name}', which is a node of the network "
                    f"but not a ligand. {cure}"
                )
            transposed = any(condition in ligand for condition in ligands.index)
            hint = " Its first column names ligands: conditions are rows." if transposed else ""
            raise ValueError(
                f"The table of ligands has a column that names no node. "
                f"{unknown_node(data, name)}{hint}"
            )
    for bad, word in (
        (ligands.isna(), "no concentration (NaN)"),
        (ligands < 0, "a negative concentration"),
    ):
        if bad.to_numpy().any():
            row, column = np.argwhere(bad.to_numpy())[0]
            raise ValueError(
                f"The table of ligands has {word} for the ligand '{ligands.columns[column]}' in "
                f"the condition '{ligands.index[row]}': {ligands.iat[row, column]}. A "
                "concentration is 0 or more; write 0 where the ligand is absent."
            )


def _check_same_conditions(ligands: pd.Index, tfs: pd.Index) -> None:
    problems = [
        f"only the table of {word} has {first_of(names)}"
        for word, names in (
            ("ligands", ligands.difference(tfs, sort=False)),
            ("TFs", tfs.difference(ligands, sort=False)),
        )
        if len(names)
    ]
    if problems:
        raise ValueError(
            f"The tables of ligands and TFs differ in conditions: {'; '.join(problems)}. Give "
            "both tables the same conditions; a TF that was not measured is NaN."
        )


def _split_tfs(data: Data, columns: pd.Index) -> tuple[list[str], list[str]]:
    """TFs of the network, and the others after a check that they are not misnamed nodes."""
    tf, node, label = marked(data, data.tf_mask), set(data.node_name), set(data.node_label)
    modeled = [name for name in columns if name in tf]
    unmodeled = [name for name in columns if name not in node]
    for name in columns:
        if name in node and name not in tf:
            raise ValueError(
                f"The table of TFs has the column '{name}', which is a node of the network but "
                "not a TF. Mark it in the column 'TF' of the annotation."
            )
        if name not in node and name in label:
            raise ValueError(
                f"The table of TFs has a column that names no node. {unknown_node(data, name)}"
            )
    if not modeled:
        raise ValueError(
            f"None of the {len(columns)} columns of the table of TFs is a TF of the network: "
            f"{first_of(columns)}. TFs of the network are {first_of(sorted(tf))}. Are the "
            "conditions rows?"
        )
    return modeled, unmodeled


def _check_activity(activity: pd.DataFrame) -> None:
    outside = ((activity < -0.5) | (activity > 1.5)).to_numpy()
    if outside.any():
        row, column = np.argwhere(outside)[0]
        warnings.warn(
            f"{outside.sum():,} of {activity.size:,} TF activities lie outside [-0.5, 1.5], such "
            f"as {activity.iat[row, column]:.3g} for '{activity.columns[column]}' in the condition "
            f"'{activity.index[row]}'. Activities are fractions of saturation; were the scores put "
            "through the logistic function 1 / (1 + exp(-score))?",
            stacklevel=3,
        )


def _report_uncovered(data: Data, mask: Tensor, columns: pd.Index, what: str) -> None:
    uncovered = [name for name in marked(data, mask) if name not in columns]
    if uncovered:
        logger.info("Without a column, so %s: %s", what, ", ".join(uncovered))
