"""Tables of sensitivities made shorter: strongest conditions, hubs."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
import pandas as pd
from torch_geometric.data import Data

__all__ = ["hubs", "strongest"]

_NEEDED = ["condition", "node", "tf", "elasticity"]


def strongest(table: pd.DataFrame, by: str = "elasticity") -> pd.DataFrame:
    """Of each node and TF (and member) the row of the condition with the largest absolute value.

    The value keeps its sign: a signed extreme over conditions.

    Args:
        table: As from `lembas_pyg.analysis.sensitivity` or `lembas_pyg.analysis.knock_out`.
        by: Column that is compared, such as ``"delta"`` of knock-outs.

    Returns:
        Rows of the table, node by node, TF by TF; the first of conditions that are equal.

    Raises:
        ValueError: A column is missing.

    References:
        Nilsson et al. (2022), Fig. 6g.
    """
    _check(table, ["condition", "node", "tf", by])
    size = table[by].abs().fillna(-1.0).reset_index(drop=True)
    names = [*(["member"] if "member" in table else []), "node", "tf"]
    keys = [table[name].reset_index(drop=True) for name in names]
    rows = size.groupby(keys, observed=True, sort=False).idxmax()
    order = [pd.unique(key) for key in keys]
    rows = rows.reindex(pd.MultiIndex.from_product(order)).dropna().astype(np.int64)
    return table.iloc[rows.to_numpy()].reset_index(drop=True)


def hubs(
    table: pd.DataFrame, data: Data, threshold: float = 0.5, *, internal: bool = True
) -> pd.DataFrame:
    """Nodes to which some TF is sensitive in some condition.

    Of a cross-validation, the paper asks of each condition only the models that were trained on it,
    and takes the extreme over conditions of their medians:

    ``hubs(sensitivity(ensemble, data, trained_on=True, strongest=True), data)``, with the ensemble
    of `lembas_pyg.training.load_members`. ``trained_on=False`` asks the others: hubs of conditions
    that the models have not seen.

    Args:
        table: As from `lembas_pyg.analysis.sensitivity`, of all conditions or of the strongest.
        data: The network, for the symbols and roles of its nodes.
        threshold: Smallest absolute elasticity that counts.
        internal: Whether to leave out ligands and TFs.

    Returns:
        One row a hub, the strongest first: `node`, `label`, its largest absolute `elasticity`, with
        its sign, the `tf` and `condition` of that, and `tfs`, the number of TFs on which it reaches
        the threshold in some condition. Of an ensemble also `spread`, `members` and `agree` of that
        elasticity, as in the table.

    Raises:
        ValueError: A column is missing, the table has a row for each member, the threshold is not
            positive, or a node is not one of the network.

    References:
        Nilsson et al. (2022), Fig. 6g: 235 internal nodes of the ligand screen.
    """
    _check(table, _NEEDED)
    if "member" in table:
        raise ValueError(
            "The table has a row for each member; hubs are nodes of a large median: leave "
            "by_member out of `sensitivity`, or give the rows of one member."
        )
    if not isinstance(threshold, Real) or not math.isfinite(threshold) or threshold <= 0:
        raise ValueError(f"The threshold is {threshold!r}; it must be positive, such as 0.5.")
    label = dict(zip(data.node_name, data.node_label, strict=True))
    strangers = [node for node in table["node"].unique() if node not in label]
    if strangers:
        raise ValueError(
            f"The table has the node '{strangers[0]}', which is not among the {data.num_nodes} of "
            f"the network. Give the network the sensitivities were made with."
        )
    large = table[table["elasticity"].abs() >= threshold].astype({"node": str, "tf": str})
    if internal:
        ends = (data.ligand_mask | data.tf_mask).nonzero().view(-1).tolist()
        large = large[~large["node"].isin([data.node_name[i] for i in ends])]
    tfs = large.groupby("node")["tf"].nunique()
    order = large["elasticity"].abs().sort_values(ascending=False, kind="stable").index
    found = large.loc[order].drop_duplicates("node")
    found = found.assign(label=found["node"].map(label), tfs=found["node"].map(tfs))
    columns = ["node", "label", "elasticity", "tf", "condition", "tfs"]
    columns += [name for name in ("spread", "members", "agree") if name in found]
    return found[columns].reset_index(drop=True)


def _check(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"The table has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}. Take `lembas_pyg.analysis.sensitivity(...)`."
        )
