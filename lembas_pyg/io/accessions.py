"""Accessions of what other databases name by ids of their own."""

from lembas_pyg.io.tsv import FilePath, read_tsv

# Headers of UniProt, of today and of earlier.
KEGG_COLUMNS = ("KEGG", "Cross-reference (KEGG)")


def read_kegg_mapping(path: FilePath) -> dict[str, tuple[str, ...]]:
    """Read which accessions KEGG's gene ids have.

    Args:
        path: A table of UniProt with the columns Entry and KEGG (or "Cross-reference (KEGG)": ids
            ending in ``;``), or KEGG's own list of pairs, without a header, such as
            ``hsa:5594`` and ``up:P28482``, in either order. Tab-separated.

    Returns:
        KEGG id -> accessions, in the order of the file.

    Raises:
        OSError: There is no such file.
        ValueError: The file is neither, or a line of pairs has no KEGG id and accession.
    """
    table = read_tsv(path)
    column = next((name for name in KEGG_COLUMNS if name in table), None)
    if column is not None and "Entry" in table:
        ids = table[column].str.split(";").explode().str.strip()
        pairs = list(zip(ids, table["Entry"].loc[ids.index], strict=True))
    elif len(table.columns) == 2 and any(name.startswith("up:") for name in table.columns):
        rows = [tuple(table.columns), *table.itertuples(index=False, name=None)]
        pairs = [_pair(*row, path) for row in zip(rows, [1, *table.index], strict=True)]
    else:
        raise ValueError(
            f"{path} says nothing of KEGG's gene ids; its columns are {list(table.columns)}. Give "
            "a table of UniProt with the columns 'Entry' and 'KEGG' (choose the cross-reference "
            "KEGG among the columns to download), or KEGG's list of pairs (hsa:5594, up:P28482)."
        )
    mapping: dict[str, dict[str, None]] = {}
    for kegg, accession in pairs:
        if kegg:
            mapping.setdefault(kegg, {})[accession] = None
    return {kegg: tuple(accessions) for kegg, accessions in mapping.items()}


def _pair(row: tuple[str, str], line: int, path: FilePath) -> tuple[str, str]:
    """A KEGG id and an accession, whichever comes first."""
    accession, kegg = row if row[0].startswith("up:") else row[::-1]
    if not accession.startswith("up:") or ":" not in kegg:
        raise ValueError(
            f"{path}, line {line}: '{row[0]}', '{row[1]}' are not a KEGG id and an accession like "
            "'hsa:5594' and 'up:P28482'."
        )
    return kegg, accession.removeprefix("up:")
