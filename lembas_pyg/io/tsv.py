"""Tab-separated text: the one place that opens and writes it.

Every reader of this package starts from `read_tsv`, so that a damaged file gives the same
kind of message everywhere: file, line, column, value, what is legal, and the cure. Lines are
counted as an editor counts them, from 1 at the top of the file.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd

from lembas_pyg.io.content import read_bytes
from lembas_pyg.io.lines import (
    check_num_fields,
    check_required,
    read_header,
    split_fields,
    split_metadata,
)
from lembas_pyg.io.replace import FilePath, replace_file

FLAGS = {
    **dict.fromkeys(("1", "True", "TRUE", "true", "T", "t"), True),
    **dict.fromkeys(("0", "False", "FALSE", "false", "F", "f"), False),
}
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan"})
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def read_tsv(
    path: FilePath, required: Sequence[str] = (), *, first: str | None = None
) -> pd.DataFrame:
    r"""Read a tab-separated text as a table of strings, nothing interpreted.

    Windows and old Macintosh line ends, a byte order mark, blank lines, blanks around a value, one
    empty field after the last column, and compression (``.gz``) are taken in stride.

    Args:
        path: File, UTF-8.
        required: Columns the file must have, in any order; others are kept.
        first: Name of the first column where its header is blank, as in tables written with row
            names. Without it a blank header is an error.

    Returns:
        Columns as in the file; the index ``line`` is the line number in the file. Lines
        ``# key: value`` above the header are the dictionary ``.attrs``.

    Raises:
        OSError: The file does not exist, or is a directory.
        ValueError: The file is empty, not text, lacks a column, or a line has too few or too many
            fields.
    """
    path = Path(path)
    text = read_text(path)
    attrs, num_lines_above, text = split_metadata(text, path)
    header_line = num_lines_above + 1
    columns = read_header(text, path, header_line, first)
    check_required(columns, required, path, header_line)

    body = text[text.find(b"\n") + 1 :]
    filled = check_num_fields(body, len(columns), path, header_line)
    table = split_fields(body, len(columns)).set_axis(pd.Index(columns, dtype=str), axis=1)
    table.index = pd.RangeIndex(header_line + 1, header_line + 1 + len(table), name="line")
    if not filled.all():
        table = table[filled]
    if any(blank in b"\n" + body for blank in (b"\t ", b" \t", b"\n ", b" \n", b"\xc2\xa0")):
        table = table.apply(lambda column: column.str.strip())
    table.attrs = attrs
    return table


def write_tsv(
    table: pd.DataFrame, path: FilePath, *, metadata: Mapping[str, object] | None = None
) -> None:
    """Write a table without its index; numbers keep every digit of a float64.

    The file appears complete or not at all.

    Args:
        table: What to write; a missing value becomes an empty field.
        path: File to write or replace, compressed if it ends in ``.gz``.
        metadata: Written as ``# key: value`` above the header.

    Raises:
        OSError: The folder does not exist or cannot be written to.
        ValueError: A text holds a tab or a line break, which would shift the columns.
    """
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        _check_writable(pd.Series([name]), f"the column name {name!r}", path)
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            _check_writable(column, f"column '{name}'", path)
    header = [f"# {key}: {value}" for key, value in (metadata or {}).items()]
    for line in header:
        if not re.fullmatch(r"# [^\s:][^:\t\n\r]*: [^\t\n\r]*", line):
            raise ValueError(
                f"{path}: {line!r} cannot stand above the header. A key holds no colon, and "
                "neither key nor value holds a tab or a line break."
            )
    with replace_file(path) as file:
        with _compressed(file, path) as binary:
            text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
            text.writelines(f"{line}\n" for line in header)
            table.to_csv(text, sep="\t", index=False, quoting=csv.QUOTE_NONE, lineterminator="\n")
            text.flush()
            text.detach()


def write_text(text: str, path: FilePath) -> None:
    """Write a text in UTF-8; the file appears complete or not at all.

    Args:
        text: What to write.
        path: File to write or replace, compressed if it ends in ``.gz``.

    Raises:
        OSError: The folder does not exist or cannot be written to.
    """
    with replace_file(path) as file, _compressed(file, path) as binary:
        binary.write(text.encode())


def parse_flags(column: pd.Series, path: FilePath) -> pd.Series:
    """Turn the texts of one column of `read_tsv` into booleans.

    Args:
        column: Texts, named, indexed by line.
        path: For the message.

    Raises:
        ValueError: A value is not one of 0, 1, True, False, TRUE, FALSE, t, f.
    """
    flags = column.map(FLAGS)
    bad = flags.isna()
    if bad.any():
        raise ValueError(
            f"{_cell(column, bad, path)} is not a flag. Legal are 1, True, TRUE, t for yes and "
            "0, False, FALSE, f for no."
        )
    return flags.astype(bool)


def parse_numbers(column: pd.Series, path: FilePath, *, missing: bool = False) -> pd.Series:
    """Turn the texts of one column of `read_tsv` into float64, to the last digit.

    Args:
        column: Texts, named, indexed by line.
        path: For the message.
        missing: Whether a blank, NA or NaN is legal, and read as NaN.

    Raises:
        ValueError: A value is not a finite number.
    """
    is_missing = column.isin(MISSING)
    bad = ~(column.str.fullmatch(NUMBER).astype(bool) | is_missing)
    if not missing:
        bad |= is_missing
    if bad.any():
        value = str(column[bad].iloc[0])
        legal = "a finite number like -0.5 or 1e-3" + (", or a blank or NA" if missing else "")
        comma = re.fullmatch(NUMBER, value.replace(",", ".", 1)) and "," in value
        cure = " Write the decimal sign as a point." if comma else ""
        raise ValueError(f"{_cell(column, bad, path)} is not legal: expected {legal}.{cure}")
    numbers = column.where(~is_missing, "nan").astype(object).astype(np.float64)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise ValueError(f"{_cell(column, infinite, path)} is too large for a float64.")
    return numbers


def check_filled(table: pd.DataFrame, columns: Sequence[str], path: FilePath) -> None:
    """Raise `ValueError` where one of `columns` of a table of `read_tsv` is blank."""
    for name in columns:
        blank = table[name] == ""
        if blank.any():
            raise ValueError(
                f"{path}, line {table.index[blank][0]}: the column '{name}' is blank. "
                "Fill it, or remove the line."
            )


def check_unique(table: pd.DataFrame, columns: Sequence[str], path: FilePath) -> None:
    """Raise `ValueError` with both lines where two lines agree in all `columns`."""
    columns = list(columns)
    repeated = table.duplicated(columns)
    if repeated.any():
        again = table.index[repeated][0]
        values = table.loc[again, columns]
        before = table.index[(table[columns] == values).all(axis="columns")][0]
        what = ", ".join(f"{name} '{value}'" for name, value in values.items() if value != "")
        raise ValueError(
            f"{path}: {what} is given twice, in lines {before} and {again}. Keep one of them."
        )


def _cell(column: pd.Series, bad: pd.Series, path: FilePath) -> str:
    """Name the first bad value of a column and where it stands."""
    more = f" (and {bad.sum() - 1:,} more in this column)" if bad.sum() > 1 else ""
    line, value = column.index[bad][0], column[bad].iloc[0]
    return f"{path}, line {line}, column '{column.name}': '{value}'{more}"


def read_text(path: Path) -> bytes:
    """The file as UTF-8 bytes with Unix line ends, checked to be text."""
    text = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    if b"\0" in text:
        raise ValueError(
            f"{path} is not a text in UTF-8: it has null bytes, as a spreadsheet, an archive, or "
            "a text in UTF-16 has. Save it as tab-separated text in UTF-8."
        )
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: the byte 0x{text[error.start]:02x} is not UTF-8. Save the file "
            "as tab-separated text in UTF-8."
        ) from error
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not text.strip():
        raise ValueError(f"{path} is empty. Expected a header line and tab-separated lines.")
    return text if text.endswith(b"\n") else text + b"\n"


def is_cut(path: FilePath) -> bool:
    """Whether a text that programs write, hence to its last line end, was cut within a line."""
    path = Path(path)
    return path.suffix != ".gz" and not path.read_bytes().endswith((b"\n", b"\r"))


def _check_writable(column: pd.Series, where: str, path: FilePath) -> None:
    bad = column.astype(str).str.contains(r"[\t\n\r]", na=False)
    if bad.any():
        raise ValueError(
            f"{path}: {where} holds {column[bad].iloc[0]!r}. A tab or a line break would shift "
            "the columns; replace it."
        )


@contextmanager
def _compressed(file: BinaryIO, path: FilePath) -> Iterator[BinaryIO]:
    if Path(path).suffix != ".gz":
        yield file
        return
    # no name and no time in the file: the same table gives the same bytes
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as binary:
        yield cast(BinaryIO, binary)
