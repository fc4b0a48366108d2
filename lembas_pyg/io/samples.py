"""Sample sheets: of which condition a sample is, and which ligands a condition holds."""

import logging
from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from lembas_pyg.io.delimited import read_delimited
from lembas_pyg.io.tsv import FilePath, check_filled, check_unique

logger = logging.getLogger(__name__)

SAMPLE, CONDITION = "sample", "condition"


def read_samples(path: FilePath) -> pd.DataFrame:
    """Read which condition every sample belongs to.

    Args:
        path: Separated by tab, comma or semicolon, plain or ``.gz``. Columns ``sample`` and
            ``condition``, in any case; others (donor, batch) are kept. Or the layout of the paper
            (``macrophageKey.txt``), where ``Condition`` names the sample, and ``Stimulation`` the
            condition, followed by ``_`` and a running number: ``IL4+upLPS_2``.

    Returns:
        sample, condition, and the other columns, one row a sample, in the order of the file.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a field is blank, a sample is given twice, or a
            stimulation has no number.
    """
    table = read_delimited(path)
    table.columns = [
        name.casefold() if name.casefold() in (SAMPLE, CONDITION, "stimulation") else name
        for name in table.columns
    ]
    if SAMPLE not in table and {CONDITION, "stimulation"} <= set(table):
        table = table.rename(columns={CONDITION: SAMPLE, "stimulation": CONDITION})
        name = table[CONDITION].str.rpartition("_")
        bad = (name[0] == "") | ~name[2].str.fullmatch("[0-9]+").astype(bool)
        if bad.any():
            raise ValueError(
                f"{path}, line {table.index[bad][0]}, column 'Stimulation': "
                f"'{table[CONDITION][bad].iloc[0]}' does not end in '_' and a number. Number the "
                "samples as in 'IL4_1', or name the columns 'sample' and 'condition'."
            )
        table[CONDITION] = name[0]
    missing = [name for name in (SAMPLE, CONDITION) if name not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {missing}; it has {list(table)}. A sample sheet has the columns "
            "'sample' and 'condition' (or, as in the paper, 'Condition' and 'Stimulation')."
        )
    check_filled(table, [SAMPLE, CONDITION], path)
    check_unique(table, [SAMPLE], path)
    others = [name for name in table if name not in (SAMPLE, CONDITION)]
    return table[[SAMPLE, CONDITION, *others]].reset_index(drop=True)


def check_samples(samples: pd.DataFrame) -> pd.DataFrame:
    """Check a sample sheet that was made in memory.

    Args:
        samples: Columns sample and condition.

    Returns:
        A copy, numbered from 0, both columns as texts.

    Raises:
        TypeError: It is not a table.
        ValueError: It is empty, a column is missing, a field is blank, or a sample is given twice.
    """
    if not isinstance(samples, pd.DataFrame):
        raise TypeError(
            f"The sample sheet is to be a pandas DataFrame, not {type(samples).__name__}; "
            "`lembas_pyg.io.read_samples(path)` makes one."
        )
    missing = [name for name in (SAMPLE, CONDITION) if name not in samples]
    if missing or samples.empty:
        raise ValueError(
            f"The sample sheet has {len(samples)} rows and the columns {list(samples)}. It needs "
            "the columns 'sample' and 'condition', and a row for every sample."
        )
    table = samples.reset_index(drop=True)
    for name in (SAMPLE, CONDITION):
        blank = table[name].isna() | (table[name].astype(str) == "")
        if blank.any():
            raise ValueError(
                f"The sample sheet has no {name} in row {blank.idxmax()}. Fill it, or remove it."
            )
        table[name] = table[name].astype(str)
    repeated = table[SAMPLE].duplicated()
    if repeated.any():
        raise ValueError(
            f"The sample sheet has the sample '{table[SAMPLE][repeated].iloc[0]}' twice. Keep one."
        )
    return table


def read_ligand_map(path: FilePath) -> dict[str, str]:
    """Read which accession each ligand of an experiment has.

    Args:
        path: Columns Name (as in the names of conditions) and Code (accession), in any case;
            separated by tab, comma or semicolon.

    Returns:
        Name -> code, in the order of the file.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a field is blank, or a name is given twice.
    """
    table = read_delimited(path, ["name", "code"])
    table.columns = table.columns.str.casefold()
    check_filled(table, ["name", "code"], path)
    check_unique(table, ["name"], path)
    return dict(zip(table["name"], table["code"], strict=True))


def ligand_matrix(
    conditions: Iterable[str] | pd.DataFrame,
    codes: Mapping[str, str] | None = None,
    *,
    separator: str = "+",
    controls: Collection[str] = (),
    prefix: str = "",
) -> pd.DataFrame:
    """Take the names of conditions apart into the ligands they hold.

    Args:
        conditions: Names such as ``IL4+upLPS``, or a sample sheet. Repeated ones count once.
        codes: Name of a ligand -> code of its node, as `read_ligand_map` gives it. By default the
            name is the code.
        separator: What stands between ligands.
        controls: Names that stand for no ligand, such as ``CON`` or ``PBS``.
        prefix: Put before the codes, as in ``Ligand_IL4`` of the paper.

    Returns:
        1 where a condition holds a ligand, else 0: conditions, in order of first mention, x codes,
        in the order of `codes` (sorted without it). Ligands that no condition holds are left out.

    Raises:
        TypeError: The conditions or controls are one text.
        ValueError: A name is no ligand and no control, or is given twice in a condition.

    Example:
        >>> ligand_matrix(["CON", "TNF", "TNF+IL4"], controls=["CON"])
                   IL4  TNF
        condition
        CON        0.0  0.0
        TNF        0.0  1.0
        TNF+IL4    1.0  1.0
    """
    for given, word in ((conditions, "conditions"), (controls, "controls")):
        if isinstance(given, str):
            raise TypeError(f"`{word}` is to be a list of names, not the text '{given}'.")
    if not separator:
        raise ValueError("`separator` is blank. Give the text between ligands, such as '+'.")
    if isinstance(conditions, pd.DataFrame):
        conditions = check_samples(conditions)[CONDITION]
    rows = {name: _ligands_of(name, separator, codes, controls) for name in conditions}
    held = {name for row in rows.values() for name in row}
    order = sorted(held) if codes is None else [name for name in codes if name in held]
    values = [[float(name in row) for name in order] for row in rows.values()]
    columns = [prefix + (name if codes is None else codes[name]) for name in order]
    twice = {code for code in columns if columns.count(code) > 1}
    if twice:
        raise ValueError(
            f"Several ligands have the code '{min(twice)}': "
            f"{[name for name, code in zip(order, columns, strict=True) if code in twice]}. Give "
            "each a code of its own, or one name to all."
        )
    unused = [] if codes is None else [name for name in codes if name not in held]
    if unused:
        logger.info("No condition holds the ligands %s.", ", ".join(unused))
    index = pd.Index(list(rows), name="condition", dtype=str)
    return pd.DataFrame(values, index, pd.Index(columns, dtype=str), dtype=float)


def _ligands_of(
    condition: str, separator: str, codes: Mapping[str, str] | None, controls: Collection[str]
) -> list[str]:
    if condition in controls or (codes is not None and condition in codes):
        return [] if condition in controls else [condition]  # though it may hold the separator
    names = [name for name in condition.split(separator) if name not in controls]
    for i, name in enumerate(names):
        if name == "" or (codes is not None and name not in codes):
            known = "" if codes is None else f" Known are {', '.join(list(codes)[:8])}, ..."
            raise ValueError(
                f"The condition '{condition}', separated by '{separator}', holds '{name}', which "
                f"is no ligand.{known} Add it to the ligands, or to the controls if it is none."
            )
        if name in names[:i]:
            raise ValueError(f"The condition '{condition}' holds the ligand '{name}' twice.")
    return names
