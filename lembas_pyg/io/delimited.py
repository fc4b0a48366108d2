"""Tables as databases export them: separated by tab, comma or semicolon, with or without quotes.

The paper's own tables are read by `read_tsv`, which is strict about tabs.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from lembas_pyg.io.tsv import FilePath, read_text

SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma"}


def read_delimited(
    path: FilePath, required: Sequence[str] = (), *, names: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a delimited text as a table of strings, nothing interpreted.

    The separator is the one that the header has most of. Fields between double quotes may hold it,
    and line breaks, which become blanks.

    Args:
        path: File, UTF-8, plain or ``.gz``.
        required: Columns the file must have, compared without regard to case.
        names: Columns of a file that comes without a header. It has none if its first line names
            none of the required columns.

    Returns:
        Columns as in the file; the index ``line`` is the line on which a row starts.

    Raises:
        OSError: There is no such file.
        ValueError: The file is not text, lacks a column, names one twice, or a line has too few
            or too many fields.
    """
    path = Path(path)
    text = read_text(path).decode("utf-8")
    separator = max(SEPARATORS, key=text.lstrip("\n").partition("\n")[0].count)
    lines, rows = _split(text, separator, path)
    if not rows:
        raise ValueError(f"{path} holds nothing but separators. Expected a header and rows.")
    columns = [name.strip() for name in rows[0]]
    if not {name.casefold() for name in required} & {name.casefold() for name in columns} and (
        len(names) == len(columns)
    ):
        columns = list(names)
    else:
        lines, rows = lines[1:], rows[1:]
    _check_columns(columns, required, separator, path)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(columns):
            raise ValueError(
                f"{path}, line {line}: {len(row)} fields under {len(columns)} columns, separated "
                f"by {SEPARATORS[separator]}. Put a field that holds the separator between "
                "double quotes, and leave none out."
            )
    table = pd.DataFrame(rows, columns=pd.Index(columns, dtype=str), dtype=str)
    table.index = pd.Index(lines, name="line", dtype=int)
    return table


def _split(text: str, separator: str, path: Path) -> tuple[list[int], list[list[str]]]:
    """Rows of clean fields, and the line on which each starts; blank lines are left out."""
    # a tab needs no quotes, so that a quote is often just a quote in tab-separated exports
    has_quotes = separator != "\t"
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if has_quotes else csv.QUOTE_NONE
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True
    )
    clean = _Clean(has_quotes).__getitem__
    lines, rows, line = [], [], 1
    try:
        for row in reader:
            if any(row):
                lines.append(line)
                rows.append([*map(clean, row)])
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {line}: {error}. Every double quote that opens a field is to close it, "
            "and one within it is to be doubled."
        ) from error
    return lines, rows


class _Clean(dict[str, str]):
    """Fields without blanks around them and line breaks within; each is looked at and kept once."""

    def __init__(self, has_quotes: bool) -> None:
        self._has_quotes = has_quotes

    def __missing__(self, field: str) -> str:
        text = field
        if not self._has_quotes and len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace('""', '"')
        if not text.isprintable() or text != text.strip():
            text = " ".join(text.split())
        self[field] = text
        return text


def _check_columns(columns: list[str], required: Sequence[str], separator: str, path: Path) -> None:
    repeated = [name for i, name in enumerate(columns) if name in columns[:i]]
    if repeated:
        raise ValueError(f"{path} names the column '{repeated[0]}' twice. Keep one of them.")
    known = {name.casefold() for name in columns}
    missing = [name for name in required if name.casefold() not in known]
    if missing:
        raise ValueError(
            f"{path} has no column {missing}; required are {list(required)}. It has {columns}, "
            f"separated by {SEPARATORS[separator]}."
        )
