"""Curation by hand: interactions that an expert adds, removes or corrects.

A curation is three tables, in this order: what to add (an interaction table), what to remove
(source, target, motivation), and what to edit (source, target, action, value). Whatever a line
finds or does not find to act upon is told in a report.
"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lembas_pyg.io.interactions import (
    EVIDENCE,
    FLAG_COLUMNS,
    PAIR,
    check_interactions,
    join_names,
    read_rows,
    reverse_interactions,
)
from lembas_pyg.io.report import Curated, report_rows
from lembas_pyg.io.tsv import FLAGS, FilePath, check_filled, check_unique, read_tsv

logger = logging.getLogger(__name__)

ACTIONS = {f"set_{flag}": flag for flag in FLAG_COLUMNS}
REVERSE = "reverse_direction"

Pair = tuple[str, str]


class Curation(NamedTuple):
    """Tables of what to add, remove and edit; each indexed by the line of its file."""

    add: pd.DataFrame
    remove: pd.DataFrame
    edit: pd.DataFrame


def read_curation(
    folder: FilePath | None = None,
    *,
    add: FilePath | None = None,
    remove: FilePath | None = None,
    edit: FilePath | None = None,
) -> Curation:
    """Read the tables of a curation; those that are absent are empty.

    Args:
        folder: Holds any of add.tsv, remove.tsv and edit.tsv, and no other .tsv file.
        add: Interaction table; an undirected interaction (direction 0) is legal.
        remove: Columns source and target; motivation and references go into the report.
        edit: Columns source, target, action and value. Actions are set_direction,
            set_stimulation and set_inhibition (value 0 or 1) and reverse_direction (value blank).

    Returns:
        The three tables.

    Raises:
        OSError: There is no such file or folder.
        ValueError: There is no table at all, a file of the folder has another name, or a line is
            illegal.
    """
    paths = {"add": add, "remove": remove, "edit": edit}
    if folder is not None:
        paths.update(_files_of(Path(folder), paths))
    if not any(paths.values()):
        raise ValueError(
            "No curation is given: name a folder that holds add.tsv, remove.tsv or edit.tsv, or "
            "name these files."
        )
    readers = {"add": read_rows, "remove": _read_remove, "edit": _read_edit}
    columns = {
        "add": [*PAIR, *FLAG_COLUMNS, *EVIDENCE],
        "remove": [*PAIR, "motivation"],
        "edit": [*PAIR, "action", "value"],
    }
    return Curation(
        *(
            pd.DataFrame(columns=columns[name], dtype=str) if path is None else readers[name](path)
            for name, path in paths.items()
        )
    )


def apply_curation(
    interactions: pd.DataFrame, curation: Curation, *, overwrite: bool = True
) -> Curated:
    """Add, then remove, then edit interactions.

    * *add*: a new interaction goes below the others. One that is there already gets the evidence
      and, with `overwrite`, direction and sign of the curation.
    * *remove*: all rows of the pair are dropped. Undirected rows of the reverse pair lose this
      direction: they become directed.
    * *edit*: direction or sign of all rows of the pair is set, or the pair is turned round, which
      gives it a direction. Undirected rows of the reverse pair are rows of the pair as well.

    Args:
        interactions: The interaction table, merged or not.
        curation: What `read_curation` gives.
        overwrite: Whether an added interaction replaces direction and sign of one that is there.

    Returns:
        The table, and one row of report for every line of the curation: what it did (`added`,
        `removed`, `changed`), that it changed nothing (`kept`), that there is no such
        interaction (`unmatched`), or that it removes what the same curation adds (`conflict`).

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: It is not an interaction table.

    References:
        Nilsson et al. (2022), Methods and Suppl. Data 1. The original code overwrites direction
        and sign in the protein network and not in the ligand-receptor table, and gives a turned
        interaction a direction in the latter only.
    """
    table = check_interactions(interactions).reset_index(drop=True)
    if "direction" not in table:
        table.insert(2, "direction", np.int8(1))
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
    attrs = table.attrs
    outcomes: list[_Outcome] = []
    table = _add(table, curation.add, outcomes, overwrite=overwrite)
    table = _remove(table, curation.remove, outcomes)
    table = _edit(table, curation.edit, outcomes)
    table.attrs = attrs
    columns = zip(*outcomes, strict=True) if outcomes else [()] * len(_Outcome._fields)
    rule, action, source, target, detail = map(list, columns)
    report = report_rows("curation", action, "interaction", source, target, detail)
    report["rule"] = pd.Series(rule, dtype=str)
    unmatched = report[report["action"] == "unmatched"]
    if len(unmatched):
        logger.warning(
            "%d of %d lines of the curation find no interaction: %s",
            len(unmatched),
            len(report),
            ", ".join(unmatched["source"] + " -> " + unmatched["target"]),
        )
    return Curated(table.reset_index(drop=True), report)


class _Outcome(NamedTuple):
    rule: str
    action: str
    source: str
    target: str
    detail: str


def _add(
    table: pd.DataFrame, lines: pd.DataFrame, outcomes: list[_Outcome], *, overwrite: bool
) -> pd.DataFrame:
    found = _rows_of(table, lines)
    is_new = [pair not in found for pair in _pairs(lines)]
    is_first = ~lines.duplicated(PAIR).to_numpy()
    new = lines[np.array(is_new, dtype=bool) & is_first]
    if len(new):
        # numbers of columns that the curation does not have stay unknown, texts are blank
        table = pd.concat([table, new[[c for c in new if c in table]]], ignore_index=True)
        for name in table.columns:
            if pd.api.types.is_string_dtype(table[name]):
                table[name] = table[name].fillna("")
        found = _rows_of(table, lines)
    for (line, row), pair in zip(lines.iterrows(), _pairs(lines), strict=True):
        if line in new.index:
            detail = f"line {line}: {row['sources']}"
            outcomes.append(_Outcome("curation: add", "added", *pair, detail))
            continue
        changes = _set(table, found[pair], {f: row[f] for f in FLAG_COLUMNS}) if overwrite else []
        first = found[pair][0]
        for name in EVIDENCE:
            before = table.at[first, name]
            after = join_names(before, row[name])
            if after != before:
                table.at[first, name] = after
                changes.append(f"{name} + {row[name]}")
        action = "changed" if changes else "kept"
        detail = f"line {line}: {'; '.join(changes) or 'is there already'}"
        outcomes.append(_Outcome("curation: add", action, *pair, detail))
    return table


def _remove(table: pd.DataFrame, lines: pd.DataFrame, outcomes: list[_Outcome]) -> pd.DataFrame:
    found = _rows_of(table, lines)
    added = {outcome[2:4]: outcome.detail for outcome in outcomes if outcome.action == "added"}
    for (line, row), pair in zip(lines.iterrows(), _pairs(lines), strict=True):
        action, detail = "unmatched", row.get("motivation", "")
        if pair in added:
            action, detail = "conflict", f"takes back what is added in {added[pair]}; {detail}"
        elif pair in found:
            action = "removed"
        undirected = _undirected(table, found.get(pair[::-1], []))
        if undirected:
            table.loc[undirected, "direction"] = np.int8(1)
            action = "changed" if action == "unmatched" else action
            left = f"undirected before, now only {pair[1]} -> {pair[0]}"
            detail = f"{left}; {detail}" if detail else left
        outcomes.append(_Outcome("curation: remove", action, *pair, f"line {line}: {detail}"))
    rows = [row for pair in _pairs(lines) for row in found.get(pair, [])]
    return table.drop(index=rows).reset_index(drop=True)


def _edit(table: pd.DataFrame, lines: pd.DataFrame, outcomes: list[_Outcome]) -> pd.DataFrame:
    found = _rows_of(table, lines)
    for (line, row), pair in zip(lines.iterrows(), _pairs(lines), strict=True):
        back = pair[::-1]
        undirected = _undirected(table, found.get(back, []))
        rows = [*found.get(pair, []), *undirected]
        if not rows:
            action, detail = "unmatched", row["action"]
        elif row["action"] == REVERSE:
            turned = reverse_interactions(table.loc[found.get(pair, [])])
            table.loc[turned.index] = turned
            table.loc[rows, "direction"] = np.int8(1)
            found.setdefault(back, []).extend(found.pop(pair, []))
            action, detail = "changed", f"turned round: {pair[1]} -> {pair[0]}"
        else:
            flag = ACTIONS[row["action"]]
            value = int(FLAGS[row["value"]])
            changes = _set(table, rows, {flag: value})
            if flag == "direction" and value and undirected:
                table.loc[undirected] = reverse_interactions(table.loc[undirected])
                found[pair] = rows
                found[back] = [other for other in found[back] if other not in undirected]
            action = "changed" if changes else "kept"
            detail = "; ".join(changes) or f"{flag} is {value} already"
        outcomes.append(_Outcome("curation: edit", action, *pair, f"line {line}: {detail}"))
    return table


def _undirected(table: pd.DataFrame, rows: list[int]) -> list[int]:
    return [row for row in rows if table.at[row, "direction"] == 0]


def _set(table: pd.DataFrame, rows: list[int], flags: dict[str, int]) -> list[str]:
    """Set flags of all these rows; tell what that changes."""
    changes = []
    for flag, value in flags.items():
        before = table.loc[rows, flag]
        if (before != value).any():
            old = "/".join(map(str, dict.fromkeys(before)))
            changes.append(f"{flag} {old} -> {value}")
            table.loc[rows, flag] = np.int8(value)
    return changes


def _pairs(lines: pd.DataFrame) -> list[Pair]:
    return list(zip(lines["source"], lines["target"], strict=True))


def _rows_of(table: pd.DataFrame, lines: pd.DataFrame) -> dict[Pair, list[int]]:
    """Rows of the table for every pair of these lines, and for its reverse."""
    pairs = set(_pairs(lines))
    pairs |= {pair[::-1] for pair in pairs}
    near = table[table["source"].isin({source for source, _ in pairs})]
    rows: dict[Pair, list[int]] = {}
    for row, pair in zip(near.index, _pairs(near), strict=True):
        if pair in pairs:
            rows.setdefault(pair, []).append(row)
    return rows


def _files_of(folder: Path, names: Collection[str]) -> dict[str, Path]:
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is not a folder. Name the folder that holds add.tsv, remove.tsv or edit.tsv."
        )
    found = {
        path.name.removesuffix(".gz").removesuffix(".tsv"): path
        for path in folder.iterdir()
        if path.name.endswith((".tsv", ".tsv.gz"))
    }
    other = sorted(path.name for name, path in found.items() if name not in names)
    if other:
        raise ValueError(
            f"{folder} holds {', '.join(other)}, which no curation has. Legal are add.tsv, "
            "remove.tsv and edit.tsv; rename the file, or move it elsewhere."
        )
    return found


def _read_remove(path: FilePath) -> pd.DataFrame:
    table = read_tsv(path, PAIR)
    check_filled(table, PAIR, path)
    check_unique(table, PAIR, path)
    return table


def _read_edit(path: FilePath) -> pd.DataFrame:
    table = read_tsv(path, [*PAIR, "action", "value"])
    check_filled(table, [*PAIR, "action"], path)
    check_unique(table, [*PAIR, "action"], path)
    for line, action, value in zip(table.index, table["action"], table["value"], strict=True):
        if action not in (*ACTIONS, REVERSE):
            raise ValueError(
                f"{path}, line {line}, column 'action': '{action}' is not an action. Legal are "
                f"{', '.join(ACTIONS)} and {REVERSE}."
            )
        if (action == REVERSE) != (value == "") or (value and value not in FLAGS):
            legal = "blank" if action == REVERSE else "0 or 1"
            raise ValueError(
                f"{path}, line {line}, column 'value': '{value}' is not legal for the action "
                f"'{action}'. Expected {legal}."
            )
    return table
