"""Tables with conditions as rows: concentrations of ligands, activities of TFs, folds."""

import numpy as np
import pandas as pd

from lembas_pyg.io.tsv import (
    FilePath,
    check_filled,
    check_unique,
    parse_numbers,
    read_tsv,
    write_tsv,
)


def read_conditions(path: FilePath) -> pd.DataFrame:
    """Read one number for every condition and node.

    Args:
        path: Tab-separated text. The first column names the conditions (its header may be blank);
            the other columns are named by node. Blank, NA and NaN mean "not measured".

    Returns:
        float64, NaN where not measured; the index ``condition`` and the columns follow the file.

    Raises:
        OSError: There is no such file.
        ValueError: A condition or a column is given twice, a value is not a finite number, or it
            is a table of interactions.
    """
    table = read_tsv(path, first="condition")
    first, *codes = table.columns
    if not codes:
        raise ValueError(
            f"{path} has the single column '{first}'. Expected the names of conditions, and one "
            "column for every ligand or TF."
        )
    if table.empty:
        raise ValueError(f"{path} has a header but no conditions below it.")
    if {"source", "target"} <= set(table.columns):
        raise ValueError(
            f"{path} has the columns 'source' and 'target': it is a table of interactions. "
            "Expected a table of conditions: their names, and one column for every ligand or TF."
        )
    check_filled(table, [first], path)
    check_unique(table, [first], path)
    values = {code: parse_numbers(table[code], path, missing=True).to_numpy() for code in codes}
    index = pd.Index(table[first], name="condition")
    return pd.DataFrame(values, index=index, columns=pd.Index(codes, dtype=str))


def write_conditions(conditions: pd.DataFrame, path: FilePath) -> None:
    """Write conditions so that `read_conditions` gives them back.

    Args:
        conditions: Numbers, conditions x nodes; NaN becomes an empty field.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
        ValueError: A condition or a column is given twice, or a value is infinite or no number.
    """
    conditions = check_conditions(conditions)
    write_tsv(conditions.rename_axis(index="condition").reset_index(), path)


def read_folds(path: FilePath) -> pd.DataFrame:
    """Read which conditions each fold of a cross-validation holds out.

    Args:
        path: Tab-separated text with the columns Index (number of the fold) and Condition.

    Returns:
        Index (int64) and Condition, one row a held-out condition.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, an index is not a whole number from 0, or a fold names a
            condition twice.
    """
    table = read_tsv(path, ["Index", "Condition"])
    check_filled(table, ["Index", "Condition"], path)
    bad = ~table["Index"].str.fullmatch("[0-9]+").astype(bool)
    if bad.any():
        raise ValueError(
            f"{path}, line {table.index[bad][0]}, column 'Index': '{table['Index'][bad].iloc[0]}' "
            "is not a fold. Folds are whole numbers from 0."
        )
    table["Index"] = table["Index"].astype(np.int64)
    check_unique(table, ["Index", "Condition"], path)
    extra = [name for name in table.columns if name not in ("Index", "Condition")]
    return table[["Index", "Condition", *extra]].reset_index(drop=True)


def check_conditions(conditions: pd.DataFrame, what: str = "The table") -> pd.DataFrame:
    """Check that a table made in memory has conditions as rows and numbers in its cells.

    Args:
        conditions: The table; NaN is legal.
        what: The subject of the message.

    Returns:
        A copy in float64.

    Raises:
        TypeError: It is not a table.
        ValueError: A name is no text or is given twice, or a value is infinite or no number.
    """
    if not isinstance(conditions, pd.DataFrame):
        raise TypeError(
            f"{what} is to be a pandas DataFrame (conditions x nodes), not "
            f"{type(conditions).__name__}; `lembas_pyg.io.read_conditions(path)` makes one."
        )
    if conditions.empty:
        raise ValueError(
            f"{what} is empty: {len(conditions)} conditions, {conditions.shape[1]} columns. "
            "Expected conditions as rows and nodes as columns."
        )
    for names, word in ((conditions.index, "condition"), (conditions.columns, "column")):
        is_text = names.map(lambda name: isinstance(name, str) and name != "").astype(bool)
        if not is_text.all():
            raise ValueError(
                f"{what} has the {word} {names[~is_text].tolist()[0]!r}. Name every "
                f"{word} by a text that is not blank; conditions are rows."
            )
        if names.has_duplicates:
            raise ValueError(
                f"{what} has the {word} '{names[names.duplicated()][0]}' more than once. "
                "Keep one of them, or average them."
            )
    for name, dtype in conditions.dtypes.items():
        if not (pd.api.types.is_numeric_dtype(dtype) and not dtype.kind == "c"):
            raise ValueError(
                f"{what} has values of type {dtype} in the column '{name}', such as "
                f"{conditions[name].tolist()[0]!r}. Expected numbers; convert with "
                "`.astype(float)`."
            )
    table = conditions.astype(np.float64)
    infinite = np.argwhere(np.isinf(table.to_numpy()))
    if len(infinite):
        row, column = infinite[0]
        raise ValueError(
            f"{what} has {table.iat[row, column]} for the condition '{table.index[row]}' in the "
            f"column '{table.columns[column]}'. Expected a finite number, or NaN for 'not "
            "measured'."
        )
    return table
