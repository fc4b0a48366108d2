"""The lines of a tab-separated text taken apart, and what is wrong with them told by line.

Metadata above, the header, and the fields of every line below, see `lembas_pyg.io.tsv.read_tsv`.
"""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

TAB, NEWLINE = b"\t\n"


def split_metadata(text: bytes, path: Path) -> tuple[dict[str, str], int, bytes]:
    """Take ``# key: value`` and blank lines off the top; count them."""
    attrs: dict[str, str] = {}
    num_lines = 0
    while text:
        line, _, rest = text.partition(b"\n")
        if line.strip():
            match = re.fullmatch(r"#\s*([^\t:]*[^\t:\s])\s*:\s*([^\t]*?)\s*", line.decode())
            if match is None:
                break
            key, value = match.groups()
            if key in attrs:
                raise ValueError(
                    f"{path}, line {num_lines + 1}: the key '{key}' is given a second time "
                    f"('{attrs[key]}' before, '{value}' here). Keep one of them."
                )
            attrs[key] = value
        num_lines += 1
        text = rest
    if not text:
        raise ValueError(f"{path} has no header line below its '# key: value' lines.")
    return attrs, num_lines, text


def read_header(text: bytes, path: Path, line: int, first: str | None) -> list[str]:
    """Column names; a spare tab at the end of the header names no column."""
    columns = [name.strip() for name in text.partition(b"\n")[0].decode().split("\t")]
    if len(columns) > 1 and columns[-1] == "":
        columns.pop()
    if columns[0] == "" and first is not None:
        columns[0] = first
    if "" in columns:
        raise ValueError(
            f"{path}, line {line}: column {columns.index('') + 1} of {len(columns)} has no name "
            f"(header: {_listed(columns)}). Name every column."
        )
    if len(set(columns)) < len(columns):
        name = next(name for i, name in enumerate(columns) if name in columns[:i])
        places = [str(i + 1) for i, other in enumerate(columns) if other == name]
        raise ValueError(
            f"{path}, line {line}: the column '{name}' is given {len(places)} times (columns "
            f"{', '.join(places)}). Keep one of them."
        )
    return columns


def check_required(columns: list[str], required: Sequence[str], path: Path, line: int) -> None:
    """Raise where the header lacks a column, with a guess at the reason."""
    missing = [name for name in required if name not in columns]
    if not missing and (required or len(columns) > 1):
        return
    header = "\t".join(columns)
    for separator, word in ((",", "comma"), (";", "semicolon"), (r"\s+", "space")):
        split = {name.strip().strip("\"'") for name in re.split(separator, header)}
        if set(required) <= split and len(split) > len(columns):
            raise ValueError(
                f"{path}, line {line}: the file looks {word}-separated and must be tab-separated. "
                f"Convert it (header: '{header}')."
            )
    if not missing:
        return
    names = " and ".join(f"'{name}'" for name in missing)
    plural = "s" if len(missing) > 1 else ""
    other_case = {name.casefold(): name for name in columns}
    found = [other_case[name.casefold()] for name in missing if name.casefold() in other_case]
    hint = f" Names are case-sensitive: rename {_listed(found)}." if found else ""
    verb = "are" if len(missing) > 1 else "is"
    raise ValueError(
        f"{path}, line {line}: the column{plural} {names} {verb} missing. The file has "
        f"{_listed(columns)}; required are {_listed(required)}.{hint}"
    )


def split_fields(body: bytes, num_columns: int) -> pd.DataFrame:
    """Every field as a string; pandas is told of the spare column, and loses nothing."""
    names = [*range(num_columns), "spare"]
    if not body:
        return pd.DataFrame(columns=names[:-1], dtype=str)
    return pd.read_csv(
        io.BytesIO(body),
        sep="\t",
        header=None,
        names=names,
        index_col=False,
        dtype=str,
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        encoding="utf-8",
    ).drop(columns="spare")


def check_num_fields(body: bytes, num_columns: int, path: Path, header_line: int) -> np.ndarray:
    """Check the fields of every line by counting tabs; tell which lines hold anything."""
    characters = np.frombuffer(body, dtype=np.uint8)
    ends = np.flatnonzero(characters == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    tabs = np.flatnonzero(characters == TAB)
    num_tabs = np.diff(np.searchsorted(tabs, ends), prepend=0)
    filled = ends - starts > num_tabs

    regular = (num_tabs == num_columns - 1) | (
        (num_tabs == num_columns) & (characters[ends - 1] == TAB)
    )
    odd = np.flatnonzero(filled & ~regular)
    rows = [body[starts[i] : ends[i]] for i in odd]
    blank = np.array([not row.strip() for row in rows], dtype=bool)
    filled[odd[blank]] = False
    spare_tab = np.array(
        [row.count(b"\t") == num_columns and not row.rpartition(b"\t")[2].strip() for row in rows],
        dtype=bool,
    )
    wrong = ~(blank | spare_tab)
    if wrong.any():
        i = odd[wrong][0]
        row = rows[np.flatnonzero(wrong)[0]].decode()
        num_fields = row.count("\t") + 1
        extra = row.split("\t")[num_columns:]
        problem = (
            f"too few fields, {num_fields} under {num_columns} columns. Use one tab between "
            "fields, also next to an empty one"
            if num_fields < num_columns
            else f"too many fields, {num_fields} under {num_columns} columns: "
            f"{_listed(extra)} would be lost. Name the column, or remove the surplus tab"
        )
        more = f" ({wrong.sum() - 1:,} more lines like it.)" if wrong.sum() > 1 else ""
        raise ValueError(f"{path}, line {i + header_line + 1}: {problem}.{more}")
    return filled


def _listed(names: Sequence[str], limit: int = 12) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:limit])
    return shown + (f", ... ({len(names)} in all)" if len(names) > limit else "")
