"""The interaction table: who acts on whom, with which sign, and who says so.

One row is one directed interaction. Its sign comes from two flags, `stimulation` and
`inhibition`: one set gives +1 or -1; none or both leave the sign unknown (0). Evidence stays in
this table; the graph points to it by row (`edge_id`).
"""

import logging

import numpy as np
import pandas as pd

from lembas_pyg.io.report import Curated, join_reports, report_rows
from lembas_pyg.io.tsv import FilePath, check_filled, parse_flags, read_tsv, write_tsv

logger = logging.getLogger(__name__)

PAIR = ["source", "target"]
FLAG_COLUMNS = ["direction", "stimulation", "inhibition"]
EVIDENCE = ["sources", "references"]
_MOST_NAMED = 20  # interactions in one note


def read_interactions(path: FilePath) -> pd.DataFrame:
    """Read interactions and merge what is given more than once.

    Args:
        path: Tab-separated text with the columns source, target, direction, stimulation and
            inhibition; sources and references (separated by ``;``) are blank where absent.
            Further columns are kept as text.

    Returns:
        One row an interaction, as `merge_interactions` gives it; flags are int8.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a name is blank, a flag is not one of 0/1, True/False,
            TRUE/FALSE, t/f, or an interaction is undirected.

    References:
        Nilsson et al. (2022), Nat. Commun. 13, 3069; the format of the published networks.
    """
    table = read_rows(path)
    check_directed(table, f"{path}, line")
    return merge_interactions(table)


def read_rows(path: FilePath) -> pd.DataFrame:
    """Read the rows of an interaction table as they are: indexed by line, undirected or repeated.

    Args:
        path: Tab-separated text, as for `read_interactions`.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a name is blank, or a flag is illegal.
    """
    table = read_tsv(path, [*PAIR, *FLAG_COLUMNS])
    check_filled(table, PAIR, path)
    for name in FLAG_COLUMNS:
        table[name] = parse_flags(table[name], path).astype(np.int8)
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
    standard = [*PAIR, *FLAG_COLUMNS, *EVIDENCE]
    extra = [name for name in table.columns if name not in standard]
    return table[standard + extra]


def write_interactions(interactions: pd.DataFrame, path: FilePath) -> None:
    """Write interactions so that `read_interactions` gives them back.

    Args:
        interactions: The interaction table.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
        ValueError: The table is not an interaction table, or would be read as another one: an
            interaction has no direction, or a name begins or ends with a blank.
    """
    table = check_interactions(interactions)
    check_directed(table)
    for name in PAIR:
        padded = table[name].str.strip() != table[name]
        if padded.any():
            raise ValueError(
                f"{path}: the {name} {table[name][padded].iloc[0]!r} begins or ends with a blank, "
                "which reading would drop; remove it."
            )
    write_tsv(table, path)


def merge_interactions(interactions: pd.DataFrame) -> pd.DataFrame:
    """Merge rows with the same source and target into one, as the union of their evidence.

    Flags are combined by "or". Thus equal signs stay, a known and an unknown sign give the known
    one, and opposite signs set both flags, which is an unknown sign. Names in `sources` and
    `references` are joined in order of first mention; other columns keep their first value.
    Rows stay in order of first mention. Merging again changes nothing. Give undirected interactions
    in both directions before.

    Args:
        interactions: The interaction table, any number of rows a pair.

    Returns:
        One row a pair, numbered from 0.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: A column is missing, or holds something illegal.

    References:
        Nilsson et al. (2022). The original code adds the signs of duplicates and truncates, so
        that an inhibition beside an unknown sign becomes unknown and opposite signs delete the
        interaction; we keep the union.
    """
    return _merge(interactions)[0]


def merge_with_report(interactions: pd.DataFrame) -> Curated:
    """Merge rows as `merge_interactions` does, and say what was merged.

    Args:
        interactions: The interaction table, any number of rows a pair.

    Returns:
        One row a pair, and a report: `changed` for every pair that was given more than once,
        `conflict` for every pair that is given with both signs, which leaves its sign unknown.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: A column is missing, or holds something illegal.
    """
    merged, num_rows = _merge(interactions)
    several = merged[num_rows > 1]
    both = merged[(merged["stimulation"] == 1) & (merged["inhibition"] == 1)]
    counts = [f"{count} rows merged" for count in num_rows[num_rows > 1]]
    report = join_reports(
        report_rows(
            "merge", "changed", "interaction", several["source"], several["target"], counts
        ),
        report_rows(
            "merge",
            "conflict",
            "interaction",
            both["source"],
            both["target"],
            "both stimulation and inhibition: unknown sign",
        ),
    )
    return Curated(merged, report)


def interaction_sign(interactions: pd.DataFrame) -> np.ndarray:
    """Sign of every interaction: +1 activation, -1 inhibition, 0 unknown.

    Args:
        interactions: The interaction table.

    Returns:
        int8, one a row. No flag and both flags are both unknown.
    """
    table = check_interactions(interactions)
    return (table["stimulation"] - table["inhibition"]).to_numpy(np.int8)


def reverse_interactions(interactions: pd.DataFrame) -> pd.DataFrame:
    """Turn every interaction round, and with it columns that come in pairs (`source_name`).

    Args:
        interactions: The interaction table.

    Returns:
        The table with sources and targets exchanged, columns in the same order.
    """
    swapped = {}
    for name in interactions.columns:
        for side, other in (("source", "target"), ("target", "source")):
            partner = other + name.removeprefix(side)
            if name.startswith(side) and partner in interactions:
                swapped[name] = partner
    return interactions.rename(columns=swapped)[interactions.columns]


def check_interactions(interactions: pd.DataFrame) -> pd.DataFrame:
    """Check that a table made in memory is an interaction table.

    Args:
        interactions: The table.

    Returns:
        A copy with flags as int8 and missing evidence as blank text.

    Raises:
        TypeError: It is not a table.
        ValueError: A column is missing, a name is not a text, or a flag is neither 0 nor 1.
    """
    if not isinstance(interactions, pd.DataFrame):
        raise TypeError(
            f"Interactions are a pandas DataFrame, not {type(interactions).__name__}; "
            "`lembas_pyg.io.read_interactions(path)` makes one."
        )
    required = [*PAIR, "stimulation", "inhibition"]
    missing = [name for name in required if name not in interactions]
    if missing:
        raise ValueError(
            f"The interaction table has no column {missing}; it has "
            f"{list(interactions.columns)} and needs {required}."
        )
    table = interactions.copy()
    for name in PAIR:
        if not _is_text(table[name]) or (as_objects(table[name]) == "").any():
            blank = table[name].isna() | (table[name] == "")
            value = table[name][blank if blank.any() else ~blank].tolist()[0]
            raise ValueError(
                f"The column '{name}' of the interaction table holds {value!r}. Nodes are named "
                "by a text that is not blank."
            )
    for name in FLAG_COLUMNS:
        if name in table:
            bad = ~table[name].isin([0, 1])
            if bad.any():
                raise ValueError(
                    f"The column '{name}' of the interaction table holds "
                    f"{table[name][bad].tolist()[0]!r} for '{table['source'][bad].iloc[0]}' -> "
                    f"'{table['target'][bad].iloc[0]}'. A flag is 0 or 1."
                )
            table[name] = table[name].astype(np.int8)
    for name in EVIDENCE:
        if name in table and not _is_text(table[name]):
            table[name] = table[name].fillna("")
    return table


def check_directed(interactions: pd.DataFrame, where: str = "Interaction table, row") -> None:
    """Check that every interaction has a direction; without the column, all have.

    Args:
        interactions: The interaction table, before it is merged.
        where: What the index counts, for the message.

    Raises:
        TypeError: It is not a table.
        ValueError: An interaction has direction 0.
    """
    table = check_interactions(interactions)
    if "direction" not in table or not (table["direction"] == 0).any():
        return
    undirected = table[table["direction"] == 0]
    source, target = undirected[PAIR].iloc[0]
    raise ValueError(
        f"{where} {undirected.index[0]}: '{source}' and '{target}' interact without a direction "
        f"(direction 0); {len(undirected):,} of {len(table):,} rows do. Signals run from source "
        "to target: give a reversible interaction once in each direction, with direction 1."
    )


def _merge(interactions: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """One row a pair, and how many rows each was."""
    table = check_interactions(interactions).reset_index(drop=True)
    group = _pair_numbers(table)
    size = np.bincount(group)
    if len(size) == len(table):
        return table, size
    is_first = ~pd.Series(group).duplicated().to_numpy()
    merged = table[is_first].reset_index(drop=True)  # row g is group g
    several = table[size[group] > 1]
    group = group[size[group] > 1]
    flags = [name for name in FLAG_COLUMNS if name in table]
    union = several.groupby(group)[flags].max()
    merged.loc[union.index, flags] = union
    for name in EVIDENCE:
        if name in table:
            texts = _union(several[name], group)
            merged.loc[texts.index, name] = texts
    logger.info(
        "Merged %d rows of the interaction table into %d interactions.", len(table), len(merged)
    )
    _report_conflicts(several, merged, group)
    return merged, size


def _pair_numbers(table: pd.DataFrame) -> np.ndarray:
    """The same number for the same pair, from 0 in order of first mention."""
    names = np.concatenate([as_objects(table[end]) for end in PAIR])
    codes, known = pd.factorize(names)
    source, target = codes.reshape(2, -1)
    numbers, _ = pd.factorize(source * len(known) + target)
    return numbers


def as_objects(column: pd.Series) -> np.ndarray:
    """Texts as plain Python objects: what pandas does to texts takes several times as long."""
    return column.to_numpy(object)


def _is_text(column: pd.Series) -> bool:
    """Whether there is nothing but text, and nothing is missing."""
    return pd.api.types.infer_dtype(as_objects(column), skipna=False) in ("string", "empty")


def join_names(*texts: str) -> str:
    """Join ``;``-separated names, each name once, in order of mention."""
    names = (name.strip() for text in texts for name in text.split(";"))
    return ";".join(dict.fromkeys(name for name in names if name))


def _union(texts: pd.Series, group: np.ndarray) -> pd.Series:
    """Join the names of each group."""
    union: dict[int, dict[str, None]] = {}  # ordered sets, much faster than `Series.explode`
    for key, text in zip(group, texts, strict=True):
        names = (name.strip() for name in text.split(";"))
        union.setdefault(key, {}).update((name, None) for name in names if name)
    return pd.Series({key: ";".join(names) for key, names in union.items()}, dtype=str)


def _report_conflicts(table: pd.DataFrame, merged: pd.DataFrame, group: np.ndarray) -> None:
    """Log pairs whose rows, each of a known sign or none, leave it unknown."""
    signs = pd.Series((table["stimulation"] - table["inhibition"]).to_numpy())
    was_known = (signs != 0).groupby(group).any()
    rows = merged.loc[was_known.index[was_known]]
    conflict = rows[rows["stimulation"] == rows["inhibition"]]
    if len(conflict):
        first = conflict[:_MOST_NAMED]
        names = ", ".join(first["source"] + " -> " + first["target"])
        more = len(conflict) - len(first)
        logger.info(
            "%d interactions are given with opposite signs, which leaves them unknown: %s",
            len(conflict),
            f"{names} and {more:,} more" if more else names,
        )
