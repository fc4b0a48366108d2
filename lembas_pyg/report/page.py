"""Pieces of a page: its style, paragraphs, tables, numbers."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["STYLE", "note", "number", "paragraphs", "table"]

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

STYLE = """
:root { color-scheme: light dark; --text: #1c1c1c; --back: #fff; --soft: #f2f4f7; --line: #d5d9e0;
  --ours: #dcebf7; --best: #fdf0d0; --quiet: #5c6470; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --back: #16181c; --soft: #22262c;
  --line: #3b414a; --ours: #123a5a; --best: #4a3a10; --quiet: #a3abb7; } }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; color: var(--text);
  background: var(--back); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.verdict { padding: .8rem 1rem; background: var(--soft); border-left: 4px solid #0072b2; }
.verdict p { margin: .3rem 0; } .note { color: var(--quiet); font-size: .9rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { background: var(--soft); } td.number, th.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
tr.ours td { background: var(--ours); font-weight: 600; } tr.best td { background: var(--best); }
figure { margin: 1rem 0; } figure .scroll { background: #fff; border-radius: 4px; }
img { display: block; max-width: 100%; height: auto; margin: auto; }
img.wide { min-width: 44rem; } figcaption { color: var(--quiet); font-size: .9rem; }
summary { cursor: pointer; }
"""


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
