"""Interactions of SIGNOR, and the members of its complexes and families."""

import logging

import numpy as np
import pandas as pd

from lembas_pyg.io.delimited import read_delimited
from lembas_pyg.io.tsv import FLAGS, FilePath, check_filled, check_unique

logger = logging.getLogger(__name__)

EFFECT_SIGNS = {
    "up-regulates": 1,
    "up-regulates activity": 1,
    "up-regulates quantity": 1,
    "up-regulates quantity by expression": 1,
    "up-regulates quantity by stabilization": 1,
    "down-regulates": -1,
    "down-regulates activity": -1,
    "down-regulates quantity": -1,
    "down-regulates quantity by repression": -1,
    "down-regulates quantity by destabilization": -1,
    "unknown": 0,
    # exports of 2015
    "activates": 1,
    "inactivates": -1,
    "inactivate": -1,
}
MEMBERSHIP = "form complex"
TYPES = {"proteinfamily": "family", "smallmolecule": "small molecule", "chemical": "small molecule"}
DIRECT = {"yes": True, "no": False, **{key.casefold(): flag for key, flag in FLAGS.items()}}
REQUIRED = ("entitya", "typea", "ida", "entityb", "typeb", "idb", "effect")
ALL_DATA = (
    *("entitya", "typea", "ida", "databasea", "entityb", "typeb", "idb", "databaseb", "effect"),
    *("mechanism", "residue", "sequence", "tax_id", "cell_data", "tissue_data"),
    *("modulator_complex", "target_complex", "modificationa", "modaseq", "modificationb"),
    *("modbseq", "pmid", "direct", "notes", "annotator", "sentence", "score", "signor_id"),
)
OUR_NAMES = {
    "ida": "source",
    "idb": "target",
    "entitya": "source_name",
    "entityb": "target_name",
    "typea": "source_type",
    "typeb": "target_type",
    "tax_id": "taxon",
}


def read_signor(path: FilePath, *, membership: bool = False) -> pd.DataFrame:
    """Read interactions from an export of SIGNOR.

    The effect gives the sign: + for everything that begins with ``up-regulates``, - for
    ``down-regulates``, unknown for ``unknown``. A line with the effect ``form complex`` says that
    the source is a member of the target, and is no interaction.

    Args:
        path: All data (28 columns, with or without a header) or the table of a pathway (31
            columns in lower case), separated by tab, comma or semicolon, plain or ``.gz``.
        membership: Give the lines ``form complex`` instead of the interactions.

    Returns:
        Interaction table in the order of the file, not merged, directed. Further columns are
        ``source_name``, ``target_name``, ``source_type``, ``target_type`` (protein, complex,
        family, small molecule, phenotype, ...), ``effect``, ``mechanism``, ``taxon`` (the
        organism in which the interaction was seen; accessions are human nevertheless), ``direct``
        (1, 0 or blank) and what else the file has, in lower case.
        ``.attrs["provenance"]`` says what was read and what was skipped.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank, or an effect is not in the vocabulary.

    References:
        Lo Surdo et al. (2023), Nucleic Acids Res. 51, D631; https://signor.uniroma2.it.
    """
    table = read_delimited(path, REQUIRED, names=ALL_DATA)
    table.columns = table.columns.str.casefold()
    check_filled(table, ["ida", "idb"], path)
    table["effect"] = table["effect"].str.casefold()
    is_membership = table["effect"] == MEMBERSHIP
    sign = table["effect"].where(~is_membership, "unknown").map(EFFECT_SIGNS)
    _check_known(table["effect"], sign.isna(), (*EFFECT_SIGNS, MEMBERSHIP), path)
    for name in ("typea", "typeb"):
        table[name] = table[name].str.casefold().replace(TYPES)
    if "direct" in table:
        table["direct"] = _direct(table["direct"], path)
    pmid = table["pmid"] if "pmid" in table else pd.Series("", index=table.index)
    given = pmid.str.fullmatch(r"(?:PMC)?[0-9]+").astype(bool)
    table = table.rename(columns=OUR_NAMES).assign(
        direction=np.int8(1),
        stimulation=(sign > 0).astype(np.int8),
        inhibition=(sign < 0).astype(np.int8),
        sources="SIGNOR",
        references=("SIGNOR:" + pmid).where(given, ""),
    )
    standard = ["source", "target", "direction", "stimulation", "inhibition"]
    standard += ["sources", "references"]
    extra = [name for name in table.columns if name not in standard]
    wanted = is_membership if membership else ~is_membership
    result = table.loc[wanted, standard + extra].reset_index(drop=True)
    other = "interactions" if membership else MEMBERSHIP
    skipped = {other: int((~wanted).sum())}
    result.attrs["provenance"] = {
        "file": str(path),
        "format": "SIGNOR",
        "rows": len(result),
        "skipped": skipped,
    }
    logger.info(
        "Read %d %s of SIGNOR from %s; skipped: %d %s.",
        len(result),
        "members of complexes" if membership else "interactions",
        path,
        skipped[other],
        other,
    )
    return result


def read_signor_complexes(*paths: FilePath) -> dict[str, list[str]]:
    """Read the members of SIGNOR's complexes or families.

    Args:
        paths: Tables with the columns ``SIGNOR ID`` and ``LIST OF ENTITIES`` (accessions
            separated by commas), such as that of the complexes and that of the protein families.

    Returns:
        Code (``SIGNOR-C1``, ``SIGNOR-PF1``) -> codes of the members, as `resolve_entities` takes
        them. A member may be a complex or family itself.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank or given twice, or has no members.
    """
    members: dict[str, list[str]] = {}
    for path in paths:
        table = read_delimited(path, ["SIGNOR ID", "LIST OF ENTITIES"])
        table.columns = table.columns.str.upper()
        check_filled(table, ["SIGNOR ID", "LIST OF ENTITIES"], path)
        check_unique(table, ["SIGNOR ID"], path)
        for line, code, text in table[["SIGNOR ID", "LIST OF ENTITIES"]].itertuples():
            if code in members:
                raise ValueError(
                    f"{path}, line {line}: the members of '{code}' are given in another file as "
                    "well. Keep one of them."
                )
            parts = [part.strip() for part in text.split(",")]
            if "" in parts:
                raise ValueError(
                    f"{path}, line {line}: '{text}' has a blank member of '{code}'. Members are "
                    "separated by one comma."
                )
            members[code] = parts
    return members


def _direct(column: pd.Series, path: FilePath) -> pd.Series:
    """1, 0 or blank."""
    flags = column.str.casefold().map(DIRECT)
    _check_known(column, flags.isna() & (column != ""), ("YES", "NO", "t", "f", ""), path)
    return flags.map({True: "1", False: "0"}).fillna("")


def _check_known(column: pd.Series, bad: pd.Series, legal: tuple[str, ...], path: FilePath) -> None:
    if bad.any():
        raise ValueError(
            f"{path}, line {column.index[bad][0]}, column '{column.name}': "
            f"'{column[bad].iloc[0]}' is not in the vocabulary of SIGNOR. Legal are "
            f"{', '.join(repr(name) for name in legal)}. Correct the line, or remove it."
        )
