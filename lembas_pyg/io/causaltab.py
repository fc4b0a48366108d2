"""Causal interactions in PSI-MITAB 2.8 (CausalTAB), as SIGNOR and others exchange them.

A line has 46 fields; a field has values ``database:identifier(label)`` separated by ``|``. What a
value means is told by its identifier in the PSI-MI vocabulary; labels differ in their spelling.
"""

import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lembas_pyg.io.tsv import FilePath, read_text

logger = logging.getLogger(__name__)

NUM_COLUMNS = 46
STATEMENT_SIGNS = {
    "MI:2235": 1,  # up-regulates
    "MI:2236": 1,  # ... activity
    "MI:2237": 1,  # ... quantity
    "MI:2238": 1,  # ... quantity by expression
    "MI:2239": 1,  # ... quantity by stabilization
    "MI:2240": -1,  # down-regulates
    "MI:2241": -1,  # ... activity
    "MI:2242": -1,  # ... quantity
    "MI:2243": -1,  # ... quantity by repression
    "MI:2244": -1,  # ... quantity by destabilization
    "MI:0190": 0,  # unknown
}
REGULATOR, REGULATED = "MI:2274", "MI:2275"  # biological roles
TYPES = {
    "MI:0326": "protein",
    "MI:0314": "complex",
    "MI:1304": "family",
    "MI:0328": "small molecule",
    "MI:2260": "stimulus",
    "MI:2261": "phenotype",
}
USED = (0, 1, 4, 5, 8, 9, 10, 12, 13, 16, 17, 20, 21, 44, 45)  # fields, counted from 0
EMPTY = ("-", "")
BARE = ("uniprotkb", "signor", "chebi")  # databases whose codes stand for themselves
RESOURCES = {"signor": "SIGNOR"}
COLUMNS = (
    *("source", "target", "direction", "stimulation", "inhibition", "sources", "references"),
    *("source_name", "target_name", "source_type", "target_type", "source_taxon"),
    *("target_taxon", "effect", "mechanism", "interaction_id"),
)
_VALUES = re.compile(r'(?:[^|"]+|"(?:\\.|[^"\\])*")+')
_VALUE = re.compile(r'([^:"]+):("(?:\\.|[^"\\])*"|[^(]*)(?:\((.*)\))?')


class _Value(NamedTuple):
    """``database:identifier(label)``."""

    database: str
    identifier: str
    label: str


def read_causaltab(path: FilePath) -> pd.DataFrame:
    """Read causal interactions from a PSI-MITAB 2.8 file.

    The causal statement (field 46) gives the sign. Interactor A acts on B, unless their biological
    roles say that B is the regulator and A the regulated.

    Args:
        path: 46 fields a line, separated by tabs, with or without a header that begins with
            ``#``; plain or ``.gz``.

    Returns:
        Interaction table in the order of the file, not merged, directed. Proteins are named by
        accession, others by ``database:identifier``. Further columns are ``source_name``,
        ``target_name``, ``source_type``, ``target_type``, ``source_taxon``, ``target_taxon``,
        ``effect`` and ``mechanism`` (identifiers of PSI-MI) and ``interaction_id``. Lines without
        a causal statement are skipped and counted in ``.attrs["provenance"]``.

    Raises:
        OSError: There is no such file.
        ValueError: The file has no causal statements, as MITAB up to 2.7, a line has another
            number of fields, an interactor is blank, or a statement is not in the vocabulary.

    References:
        Perfetto et al. (2019), Bioinformatics 35, 3779.
    """
    path = Path(path)
    rows, num_skipped = [], 0
    for line, text in enumerate(read_text(path).decode("utf-8").split("\n"), start=1):
        if not text.strip() or text.startswith("#"):
            continue
        where = f"{path}, line {line}"
        fields = _fields(text, where)
        if fields[45].strip() in EMPTY:
            num_skipped += 1
        else:
            values = {i: _parse(fields[i]) for i in USED}
            rows.append(_interaction(values, where))
    _parse.cache_clear()
    table = pd.DataFrame(rows, columns=pd.Index(COLUMNS, dtype=str))
    flags = ["direction", "stimulation", "inhibition"]
    table = table.astype({name: np.int8 if name in flags else str for name in COLUMNS})
    table.attrs["provenance"] = {
        "file": str(path),
        "format": "PSI-MITAB 2.8",
        "rows": len(table),
        "skipped": {"without a causal statement": num_skipped},
    }
    logger.info(
        "Read %d causal interactions from %s; skipped: %d without a causal statement.",
        len(table),
        path,
        num_skipped,
    )
    return table


def _fields(text: str, where: str) -> list[str]:
    fields = text.split("\t")
    if len(fields) == NUM_COLUMNS:
        return fields
    version = {15: "2.5", 36: "2.6", 42: "2.7"}.get(len(fields))
    reason = (
        f"PSI-MITAB {version}, which has no causal statements. Ask for the format 2.8 (CausalTAB)"
        if version
        else "no PSI-MITAB 2.8. Separate fields by one tab, and write '-' for an empty one"
    )
    raise ValueError(f"{where}: {len(fields)} fields, expected {NUM_COLUMNS}; this is {reason}.")


def _interaction(fields: dict[int, tuple[_Value, ...]], where: str) -> tuple:
    """One row of the table; fields are counted from 0."""
    statement = _known_statement(fields[45], where)
    roles = [{value.identifier for value in fields[i]} for i in (16, 17)]
    reverse = REGULATED in roles[0] and REGULATOR in roles[1]
    order = (1, 0) if reverse else (0, 1)
    sign = STATEMENT_SIGNS[statement]
    resources = [RESOURCES.get(value.label.casefold(), value.label) for value in fields[12]]
    articles = [value.identifier for value in fields[8] if value.database == "pubmed"]
    references = [f"{resource}:{pmid}" for resource in resources for pmid in articles]
    return (
        *(_code(fields[i], "AB"[i], where) for i in order),
        *(1, sign > 0, sign < 0, ";".join(resources), ";".join(references)),
        *(_symbol(fields[4 + i]) for i in order),
        *(_type(fields[20 + i]) for i in order),
        *(fields[9 + i][0].identifier if fields[9 + i] else "" for i in order),
        statement,
        fields[44][0].identifier if fields[44] else "",
        fields[13][0].identifier if fields[13] else "",
    )


def _known_statement(values: tuple[_Value, ...], where: str) -> str:
    found = [value.identifier for value in values if value.identifier in STATEMENT_SIGNS]
    if len(set(found)) != 1:
        given = ", ".join(f"'{value.identifier}({value.label})'" for value in values)
        raise ValueError(
            f"{where}, field 46: {given} is not one causal statement. Legal are "
            f"{', '.join(STATEMENT_SIGNS)}. Correct the line, or remove it."
        )
    return found[0]


def _code(values: tuple[_Value, ...], interactor: str, where: str) -> str:
    if not values or not values[0].identifier:
        raise ValueError(
            f"{where}: interactor {interactor} is blank. Give its identifier, such as "
            "uniprotkb:P01375, or remove the line."
        )
    value = values[0]
    is_bare = value.database.casefold() in BARE
    return value.identifier if is_bare else f"{value.database}:{value.identifier}"


def _symbol(aliases: tuple[_Value, ...]) -> str:
    for label in ("gene name", "display_short"):
        for value in aliases:
            if value.label == label:
                return value.identifier
    return ""


def _type(values: tuple[_Value, ...]) -> str:
    return TYPES.get(values[0].identifier, values[0].label) if values else ""


@lru_cache(maxsize=2**16)  # the same proteins, articles and terms come again and again
def _parse(field: str) -> tuple[_Value, ...]:
    """Values of a field; none where it is '-'."""
    if field.strip() in EMPTY:
        return ()
    values = []
    for text in _VALUES.findall(field):
        match = _VALUE.fullmatch(text.strip())
        database, identifier, label = match.groups() if match else ("", text.strip(), "")
        values.append(_Value(database, _unquote(identifier), _unquote(label or "")))
    return tuple(values)


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.strip()
