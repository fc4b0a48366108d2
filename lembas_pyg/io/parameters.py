"""The parameters of a model as plain text: one row a weight, bias, input or projection."""

import warnings

import numpy as np
import pandas as pd

from lembas_pyg.io.tsv import (
    FilePath,
    check_filled,
    check_unique,
    is_cut,
    parse_numbers,
    read_tsv,
    write_tsv,
)

COLUMNS = ["Source", "Target", "Type", "Value"]
TYPES = ("Weight", "Bias", "Input", "Projection")


def read_parameters(path: FilePath) -> pd.DataFrame:
    """Read the parameters of a model; files of the original code are read unchanged.

    Args:
        path: Tab-separated text with the columns Source, Target, Type and Value. A Weight runs
            from Source to Target; a Bias, an Input (weight of a ligand) and a Projection (weight
            of a TF) belong to Source and leave Target blank.

    Returns:
        The four columns; Value is float64 and dimensionless. Lines ``# key: value`` above the
        header (activation, leak) are the dictionary ``.attrs``.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a type is unknown, a value is not a finite number, a
            target is missing or superfluous, or a parameter is given twice.
    """
    table = read_tsv(path, COLUMNS)
    surplus = [name for name in table.columns if name not in COLUMNS]
    if surplus:
        raise ValueError(
            f"{path}: the column '{surplus[0]}' is not known. A parameter table has {COLUMNS}."
        )
    check_filled(table, ["Source", "Type"], path)
    attrs = table.attrs
    problem = _find_problem(table)
    if problem is not None:
        line, text = problem
        raise ValueError(f"{path}, line {line}: {text}")
    check_unique(table, ["Type", "Source", "Target"], path)
    table = table.assign(Value=parse_numbers(table["Value"], path))[COLUMNS]
    if "activation" in attrs and is_cut(path):  # hence a file of ours, which ends in a line end
        warnings.warn(
            f"{path} ends without a line end. If it was cut short, its last value is wrong: write "
            f"the file again. If it is whole, add the line end.",
            stacklevel=2,
        )
    table = table.reset_index(drop=True)
    table.attrs = attrs
    return table


def write_parameters(parameters: pd.DataFrame, path: FilePath) -> None:
    """Write parameters so that `read_parameters` gives back the same float64 values.

    Args:
        parameters: Source, Target, Type, Value; ``.attrs`` is written as ``# key: value``.
        path: File to write or replace.

    Raises:
        OSError: The file cannot be written.
        ValueError: The table is not a parameter table.
    """
    write_tsv(check_parameters(parameters), path, metadata=parameters.attrs)


def check_parameters(parameters: pd.DataFrame) -> pd.DataFrame:
    """Check that a table made in memory is a parameter table.

    Args:
        parameters: The table.

    Returns:
        A copy with the four columns in order, blank targets as text and values as float64.

    Raises:
        TypeError: It is not a table.
        ValueError: As `read_parameters`.
    """
    if not isinstance(parameters, pd.DataFrame):
        raise TypeError(
            f"Parameters are a pandas DataFrame, not {type(parameters).__name__}; "
            "`lembas_pyg.io.read_parameters(path)` makes one."
        )
    if set(parameters.columns) != set(COLUMNS):
        raise ValueError(
            f"The parameter table has the columns {list(parameters.columns)}; it needs {COLUMNS}, "
            "and no others."
        )
    table = parameters[COLUMNS].copy()
    table["Target"] = table["Target"].fillna("")
    problem = _find_problem(table)
    if problem is not None:
        row, text = problem
        raise ValueError(f"Row {row} of the parameter table: {text}")
    repeated = table.duplicated(["Source", "Target", "Type"])
    if repeated.any():
        source, target, kind = table.loc[repeated, ["Source", "Target", "Type"]].iloc[0]
        raise ValueError(
            f"The parameter table gives the {kind} of '{source}'"
            f"{f' -> {target!r}' if target else ''} more than once. Keep one of them."
        )
    if not pd.api.types.is_numeric_dtype(table["Value"].dtype):
        raise ValueError(
            f"The column 'Value' of the parameter table has the type {table['Value'].dtype}. "
            "Expected numbers; convert with `.astype(float)`."
        )
    table["Value"] = table["Value"].astype(np.float64)
    bad = ~np.isfinite(table["Value"])
    if bad.any():
        source, target, kind, value = table[bad].iloc[0]
        raise ValueError(
            f"The parameter table gives {value} as the {kind} of '{source}'"
            f"{f' -> {target!r}' if target else ''}. A parameter is a finite number; did the "
            "training diverge?"
        )
    return table


def _find_problem(table: pd.DataFrame) -> tuple[int, str] | None:
    """Label and description of the first row whose type and names do not go together."""
    kind, target = table["Type"], table["Target"]
    unknown = ~kind.isin(TYPES)
    if unknown.any():
        return table.index[unknown][0], (
            f"the type '{kind[unknown].iloc[0]}' is not known. Legal are {', '.join(TYPES)}."
        )
    without = (kind == "Weight") & (target == "")
    if without.any():
        return table.index[without][0], (
            f"the Weight of source '{table['Source'][without].iloc[0]}' has no target. A Weight "
            "belongs to an interaction: fill the column 'Target'."
        )
    surplus = (kind != "Weight") & (target != "")
    if surplus.any():
        word = kind[surplus].iloc[0]
        return table.index[surplus][0], (
            f"the {word} of '{table['Source'][surplus].iloc[0]}' has the target "
            f"'{target[surplus].iloc[0]}'. A {word} belongs to one node, the source: leave the "
            "column 'Target' blank."
        )
    return None
