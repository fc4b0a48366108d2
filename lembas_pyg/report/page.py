"""Pieces of a page: the file itself, paragraphs, tables, numbers."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["asset", "document", "note", "number", "paragraphs", "table"]

# Digits after the point, by column; whole numbers and text stay as they are.
_DIGITS = {
    "mse": "{:.4f}",
    "residual": "{:.1e}",
    "seconds": "{:,.1f}",
    "not_converged": "{:.2%}",
    "rewired_fraction": "{:.0%}",
    "difference": "{:+.3f}",
    "low": "{:+.3f}",
    "high": "{:+.3f}",
    "wilcoxon_p": "{:.2g}",
    "mann_whitney_p": "{:.2g}",
}


def asset(name: str) -> str:
    """Text of a file of this package, such as ``assets/report.css``."""
    return (files("lembas_pyg.report") / name).read_text(encoding="utf-8")


def document(
    title: str, sections: Iterable[str], styles: Iterable[str] = (), head: str = ""
) -> str:
    """A whole page, which needs nothing beside it.

    Args:
        title: Of the window; it is escaped.
        sections: HTML, in order.
        styles: Style sheets of this package beside that of all reports.
        head: More HTML for the head.
    """
    style = "".join(asset(f"assets/{name}") for name in ("report.css", *styles))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{head}<title>{html.escape(title)}</title>\n<style>\n{style}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def table(
    table: pd.DataFrame, columns: Mapping[str, str], marks: Mapping[Any, str] | None = None
) -> str:
    """Rows in the order given; text is escaped, numbers are right-aligned."""
    numeric = {name: pd.api.types.is_numeric_dtype(table[name]) for name in columns}
    head = "".join(
        f"<th{_align(numeric[name])}>{html.escape(title)}</th>" for name, title in columns.items()
    )
    rows = []
    for label, row in zip(table.index, table[list(columns)].to_dict("records"), strict=True):
        mark = (marks or {}).get(label)
        cells = "".join(
            f"<td{_align(numeric[name])}>{html.escape(number(value, name))}</td>"
            for name, value in row.items()
        )
        rows.append(f'<tr class="{mark}">{cells}</tr>' if mark else f"<tr>{cells}</tr>")
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _align(number: bool) -> str:
    return ' class="number"' if number else ""


def number(value: Any, name: Any = "") -> str:
    """A cell as text."""
    if not isinstance(value, float | np.floating):
        return f"{value:,}" if name == "entries" else str(value)
    if np.isnan(value):
        return "–"
    return _DIGITS.get(name, "{:.3f}").format(value)


def note(text: str) -> str:
    """A paragraph in small letters; text is escaped."""
    return f'<p class="note">{html.escape(text)}</p>'


def paragraphs(lines: Iterable[str]) -> str:
    """Sentences to be read first, a paragraph each; text is escaped."""
    return (
        '<div class="verdict">'
        + "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        + "</div>"
    )
