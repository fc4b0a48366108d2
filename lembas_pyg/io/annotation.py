"""The annotation table: what a node is called and which role it plays."""

import pandas as pd

from lembas_pyg.io.tsv import (
    FilePath,
    check_filled,
    check_unique,
    parse_flags,
    read_tsv,
    write_tsv,
)

COLUMNS = ["code", "name", "TF", "ligand"]


def read_annotation(path: FilePath) -> pd.DataFrame:
    """Read names and roles of nodes.

    Args:
        path: Tab-separated text with the columns code (accession), name (symbol), TF and ligand
            (0/1, True/False, TRUE/FALSE or t/f). Further columns are kept as text.

    Returns:
        One row a node, in the order of the file; TF and ligand are boolean.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank or given twice, or a flag is illegal.
    """
    table = read_tsv(path, COLUMNS)
    check_filled(table, ["code"], path)
    check_unique(table, ["code"], path)
    for role in ("TF", "ligand"):
        table[role] = parse_flags(table[role], path)
    extra = [name for name in table.columns if name not in COLUMNS]
    return table[COLUMNS + extra].reset_index(drop=True)


def write_annotation(annotation: pd.DataFrame, path: FilePath) -> None:
    """Write names and roles so that `read_annotation` gives them back.

    Args:
        annotation: The annotation table.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
        ValueError: The table is not an annotation table.
    """
    write_tsv(check_annotation(annotation), path)


def check_annotation(annotation: pd.DataFrame) -> pd.DataFrame:
    """Check that a table made in memory is an annotation table.

    Args:
        annotation: The table.

    Returns:
        A copy with boolean roles and missing names as blank text.

    Raises:
        TypeError: It is not a table.
        ValueError: A column is missing, a code is not a text or is given twice, or a role is
            neither true nor false.
    """
    if not isinstance(annotation, pd.DataFrame):
        raise TypeError(
            f"An annotation is a pandas DataFrame, not {type(annotation).__name__}; "
            "`lembas_pyg.io.read_annotation(path)` makes one."
        )
    missing = [name for name in COLUMNS if name not in annotation]
    if missing:
        raise ValueError(
            f"The annotation table has no column {missing}; it has {list(annotation.columns)} "
            f"and needs {COLUMNS}."
        )
    table = annotation.copy()
    code = table["code"]
    blank = code.isna() | (code == "")
    if blank.any() or pd.api.types.infer_dtype(code, skipna=False) not in ("string", "empty"):
        value = code[blank if blank.any() else ~blank].tolist()[0]
        raise ValueError(
            f"The column 'code' of the annotation table holds {value!r}. Nodes are named by a "
            "text that is not blank."
        )
    if code.duplicated().any():
        raise ValueError(
            f"The annotation table has the code '{code[code.duplicated()].iloc[0]}' more than "
            "once. Keep one row a node."
        )
    for role in ("TF", "ligand"):
        bad = ~table[role].isin([0, 1])
        if bad.any():
            raise ValueError(
                f"The column '{role}' of the annotation table holds "
                f"{table[role][bad].tolist()[0]!r} for '{code[bad].iloc[0]}'. "
                "A role is True or False."
            )
        table[role] = table[role].astype(bool)
    table["name"] = table["name"].fillna("").astype(str)
    return table
