"""Which perturbations matter to a TF, and how sure an ensemble is of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.members import agreement, known, mean, median, spread
from lembas_pyg.analysis.perturbed import JOIN
from lembas_pyg.spelling import did_you_mean

__all__ = ["rank_knock_outs", "symbols_of"]

_COLUMNS = ["condition", "node", "tf", "delta"]
# Between these quantiles of the members lie `rank_low` and `rank_high`.
_MIDDLE = 0.1, 0.9


def rank_knock_outs(
    table: pd.DataFrame,
    tf: str | None = None,
    condition: str | None = None,
    *,
    over: str = "extreme",
    top: int = 10,
    data: Data | None = None,
) -> pd.DataFrame:
    """Rank perturbations by the size of their effect on one TF.

    The effect is the median over members, as in the paper. Each member also ranks the
    perturbations by itself; where these ranks lie apart, the order is not supported by the data.

    Args:
        table: As from `knock_out` or `knock_in`; with ``by_member=True`` for the ranks of members.
        tf: Accession of the TF; may be left out if the table has only one.
        condition: The condition to rank in; all together if None.
        over: How the effects in several conditions become one: ``"extreme"``, that of the largest
            magnitude (of the medians over members), with its sign; or ``"mean"``.
        top: Ranks that count as top in `in_top`.
        data: The network, for the column `label`, the symbols of the nodes.

    Returns:
        One row a perturbation, the largest effect first; those without any steady state last,
        without a rank. `rank`, `node`, `label` (with `data`), `condition` (where the effect is that
        of one), `effect` (change of TF activity, fraction of maximum) and, of an ensemble,
        `spread` (standard deviation over members). With the column `member` in the table also
        `members` (those with a steady state), `agree` (those whose effect has the sign of the
        median), `rank_median`, `rank_low` and `rank_high` (10 % and 90 % of the members' own
        ranks), and `in_top` (share of members that rank it among the first `top`).

    Raises:
        TypeError: It is no table.
        ValueError: A column is missing, TF or condition are not known, a row is there twice, or an
            option is not legal.

    References:
        Nilsson et al. (2022), Fig. 6e-f: the ten and five nodes with the largest absolute median.
    """
    _check(table, over, top)
    tf = _only("tf", table, tf)
    rows = table[table["tf"] == tf]
    if condition is not None:
        _only("condition", table, condition)
        rows = rows[rows["condition"] == condition]
    by_member = "member" in rows
    keys = [rows["member"] if by_member else 0, rows["condition"], rows["node"]]
    (_, conditions, nodes), place = _grid(keys, len(rows))
    effects = place(rows["delta"])  # [M, C, K]
    if over == "mean" and len(conditions) > 1:
        where, values = None, mean(effects, axis=1)
    else:
        magnitude = np.nan_to_num(np.abs(median(effects)), nan=-1.0)
        where = magnitude.argmax(axis=0)
        values = effects[:, where, np.arange(len(nodes))]  # [M, K]
    found = pd.DataFrame({"node": nodes})
    if data is not None:
        found["label"] = symbols_of(nodes, data)
    if where is not None:
        found["condition"] = np.asarray(conditions)[where]
    found["effect"] = median(values)
    if by_member:
        found = found.assign(**_of_members(values, top))
    elif "spread" in rows and where is not None:
        found["spread"] = place(rows["spread"])[0, where, np.arange(len(nodes))]
    order = found["effect"].abs().sort_values(ascending=False, kind="stable").index
    found = found.loc[order].reset_index(drop=True)
    rank = found["effect"].abs().rank(ascending=False, method="first")
    found.insert(0, "rank", rank.astype("Int64"))
    return found


def symbols_of(nodes: list[str], data: Data) -> list[str]:
    """Readable symbols of nodes and of sets of nodes; a name that is not known stays.

    Args:
        nodes: As in the column `node`.
        data: The network.
    """
    label = dict(zip(data.node_name, data.node_label, strict=True))

    def symbol(node: str) -> str:
        parts = [node] if node in label else node.split(JOIN)
        return JOIN.join(label[part] for part in parts) if set(parts) <= set(label) else node

    return [symbol(node) for node in nodes]


def _of_members(values: np.ndarray, top: int) -> dict[str, np.ndarray | pd.Series]:
    """Spread, agreement in sign, and ranks of the effects of members ``[M, K]``."""
    ranks = pd.DataFrame(np.abs(values)).rank(axis=1, ascending=False, method="min")
    low, high = (ranks.quantile(quantile) for quantile in _MIDDLE)
    members = known(values)
    return {
        "spread": spread(values),
        "members": members,
        "agree": agreement(values, median(values)),
        "rank_median": ranks.median(),
        "rank_low": low,
        "rank_high": high,
        "in_top": (ranks <= top).sum() / members.clip(min=1),
    }


def _grid(keys: list, size: int) -> tuple[list[list], Callable[[pd.Series], np.ndarray]]:
    """Names along each key in order of appearance, and a function that puts a column in place."""
    codes, names = [], []
    for key in keys:
        code, unique = (
            pd.factorize(key) if isinstance(key, pd.Series) else (np.zeros(size, int), [key])
        )
        codes.append(code)
        names.append(list(unique))
    shape = tuple(map(len, names))
    flat = np.ravel_multi_index(codes, shape)
    if len(np.unique(flat)) < size:
        raise ValueError(
            "The table has more than one row for a condition, node and TF (and member); give one "
            "table of `lembas_pyg.analysis.knock_out(...)` at a time."
        )

    def place(column: pd.Series) -> np.ndarray:
        values = np.full(shape, np.nan)
        values.reshape(-1)[flat] = column.to_numpy()
        return values

    return names, place


def _only(column: str, table: pd.DataFrame, name: str | None) -> str:
    """The name asked for, or the only one."""
    known = list(table[column].unique())
    if name is None and len(known) == 1:
        return known[0]
    if name is None or name not in known:
        asked = (
            f"Name one with {column}=" if name is None else f"The table has no {column} {name!r}"
        )
        raise ValueError(
            f"{asked}; it has {', '.join(map(repr, known[:8]))}{' ...' if len(known) > 8 else ''}."
            f"{'' if name is None else did_you_mean(name, known)}"
        )
    return name


def _check(table: pd.DataFrame, over: str, top: int) -> None:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"Expected a pandas DataFrame, not {type(table).__name__}; take "
            f"`lembas_pyg.analysis.knock_out(...)`."
        )
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ValueError(
            f"The table has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}."
        )
    if over not in ("extreme", "mean"):
        raise ValueError(f"over is {over!r}; choose from extreme, mean.")
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ValueError(f"top is {top!r}; it must be a whole number of 1 or more.")
