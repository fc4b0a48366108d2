"""What was done to a table or a network, one row for every interaction, node, gene or sample.

A report is a table with the columns

* ``rule``: what acted, such as ``select resources`` or ``RemoveDeadEnds``,
* ``action``: removed, added, changed, kept, unmatched (a rule found nothing to act on) or conflict,
* ``item``: interaction or node; gene, sample, condition or TF on the way from expression to TF
  activity,
* ``source``, ``target``: of an interaction; of anything else its code or name, and a blank,
* ``detail``: why, or old -> new.
"""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from lembas_pyg.io.tsv import FilePath, write_tsv

REPORT_COLUMNS = ["rule", "action", "item", "source", "target", "detail"]
ACTIONS = ("removed", "added", "changed", "kept", "unmatched", "conflict")
ITEMS = ("interaction", "node", "gene", "sample", "condition", "TF")

Texts = str | Iterable[str]


class Curated(NamedTuple):
    """An interaction table after a rule, and what the rule did."""

    interactions: pd.DataFrame
    report: pd.DataFrame


def empty_report() -> pd.DataFrame:
    """Make a report without rows."""
    return pd.DataFrame({name: pd.Series([], dtype=str) for name in REPORT_COLUMNS})


def report_rows(
    rule: str,
    action: Texts,
    item: str,
    source: Texts,
    target: Texts = "",
    detail: Texts = "",
) -> pd.DataFrame:
    """Make rows of a report; a single text stands for every row.

    Args:
        rule: What acted.
        action: What happened: removed, added, changed, kept, unmatched or conflict.
        item: interaction, node, gene, sample, condition or TF.
        source: Sources of the interactions, or codes of the nodes. Their number is that of rows.
        target: Targets; blank for all but interactions.
        detail: Why, or old -> new.

    Returns:
        A report, numbered from 0.

    Raises:
        ValueError: An action or item is not one of these, or the columns differ in length.

    Example:
        >>> rows = report_rows("RemoveDeadEnds", "removed", "node", ["A", "B"])
        >>> rows["source"].tolist()
        ['A', 'B']
    """
    source = [source] if isinstance(source, str) else list(source)
    columns = {}
    for name, given in zip(
        REPORT_COLUMNS, (rule, action, item, source, target, detail), strict=True
    ):
        texts = [given] * len(source) if isinstance(given, str) else list(given)
        if len(texts) != len(source):
            raise ValueError(
                f"The report has {len(source)} sources, but {len(texts)} entries in the column "
                f"'{name}'. Give one entry a row, or one text for all."
            )
        columns[name] = pd.Series(texts, dtype=str)
    return check_report(pd.DataFrame(columns))


def join_reports(*reports: pd.DataFrame) -> pd.DataFrame:
    """Put reports below each other, in the order in which the rules were applied.

    Args:
        reports: Any number of reports.

    Returns:
        One report, numbered from 0.

    Raises:
        ValueError: One of them is not a report.
    """
    return pd.concat([empty_report(), *map(check_report, reports)], ignore_index=True)


def write_report(report: pd.DataFrame, path: FilePath) -> None:
    """Write a report as tab-separated text, for `read_tsv` to give it back.

    Args:
        report: The report.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
        ValueError: The table is not a report.
    """
    write_tsv(check_report(report), path)


def check_report(report: pd.DataFrame) -> pd.DataFrame:
    """Check that a table is a report.

    Args:
        report: The table.

    Returns:
        The same table, its columns in order.

    Raises:
        ValueError: A column is missing, or an action or item is not legal.
    """
    missing = [name for name in REPORT_COLUMNS if name not in report]
    if missing:
        raise ValueError(
            f"The report has no column {missing}; it has {list(report.columns)} and needs "
            f"{REPORT_COLUMNS}."
        )
    for name, legal in (("action", ACTIONS), ("item", ITEMS)):
        bad = ~report[name].isin(legal)
        if bad.any():
            raise ValueError(
                f"The column '{name}' of the report holds {report[name][bad].iloc[0]!r}. Legal "
                f"are {', '.join(legal)}."
            )
    return report[REPORT_COLUMNS]
