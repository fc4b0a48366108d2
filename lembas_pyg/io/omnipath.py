"""Interactions of OmniPath, from a downloaded table.

OmniPath makes two claims about direction and sign. `is_directed`, `is_stimulation` and
`is_inhibition` hold what any resource says; the `consensus_*` columns hold what most of them
say. The interaction table takes one of the two and keeps the other as further columns.
"""

import logging
from collections.abc import Collection

import numpy as np
import pandas as pd

from lembas_pyg.io.interactions import EVIDENCE, FLAG_COLUMNS, PAIR
from lembas_pyg.io.tsv import FilePath, check_filled, parse_flags, read_tsv
from lembas_pyg.spelling import did_you_mean

logger = logging.getLogger(__name__)

ANY_RESOURCE = ["is_directed", "is_stimulation", "is_inhibition"]
CONSENSUS = ["consensus_direction", "consensus_stimulation", "consensus_inhibition"]
DATASETS = (
    "omnipath",
    "kinaseextra",
    "ligrecextra",
    "pathwayextra",
    "mirnatarget",
    "dorothea",
    "collectri",
    "tf_target",
    "lncrna_mrna",
    "tf_mirna",
    "small_molecule",
)
OUR_NAMES = {
    "source_genesymbol": "source_name",
    "target_genesymbol": "target_name",
    "entity_type_source": "source_type",
    "entity_type_target": "target_type",
    "ncbi_tax_id_source": "source_taxon",
    "ncbi_tax_id_target": "target_taxon",
}
JSON_COLUMNS = ("extra_attrs", "evidences")
NO_ORGANISM = ("0", "-1")  # molecules that belong to no species


def read_omnipath(
    path: FilePath,
    *,
    consensus: bool = True,
    organism: int | None = None,
    datasets: Collection[str] | None = None,
    entity_types: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read a table of interactions from OmniPath.

    All layouts are taken: answers of the web service, its archive (36 columns, one flag a
    dataset), and tables that the `omnipath` client saved (16 columns). They differ in which columns
    they have; what is absent stays out of the result.

    Args:
        path: Tab-separated text, plain or ``.gz``. Flags are 1/0, True/False or t/f.
        consensus: Whether direction and sign are those on which most resources agree, instead
            of those that any resource states.
        organism: NCBI taxonomy id; interactions of which both sides belong to this organism (or
            to none, as small molecules) are kept. All by default.
        datasets: Keep interactions of any of these datasets, such as ``["omnipath"]``.
        entity_types: Keep interactions of which both sides are of these types, such as
            ``["protein", "complex"]``.

    Returns:
        Interaction table in the order of the file, not merged: an interaction may be given more
        than once, be undirected (direction 0), have both signs, or be a loop. Gene symbols are
        ``source_name`` and ``target_name``, types ``source_type`` and ``target_type``, organisms
        ``source_taxon`` and ``target_taxon``; further columns keep their name and text.
        ``.attrs["provenance"]`` says what was read and what was skipped.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a name is blank, a flag is illegal, or an option asks for
            something that the table does not tell.

    References:
        Türei et al. (2016), Nat. Methods 13, 966; https://omnipathdb.org. Nilsson et al. (2022)
        take the consensus.
    """
    stated, other = (CONSENSUS, ANY_RESOURCE) if consensus else (ANY_RESOURCE, CONSENSUS)
    table = read_tsv(path, PAIR)
    _check_stated(table, stated, path, consensus=consensus)
    check_filled(table, PAIR, path)
    for name in (*stated, *other):
        if name in table:
            table[name] = parse_flags(table[name], path).astype(np.int8)
    table = table.rename(columns=dict(zip(stated, FLAG_COLUMNS, strict=True)))
    table = table.rename(columns={old: new for old, new in OUR_NAMES.items() if old in table})
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
    for name in JSON_COLUMNS:
        if name in table:
            table[name] = _unquote(table[name])
    for name in ("source_type", "target_type"):
        if name in table:
            table[name] = table[name].str.replace("_", " ")
    keep, skipped = _select(table, path, organism, datasets, entity_types)
    standard = [*PAIR, *FLAG_COLUMNS, *EVIDENCE]
    extra = [name for name in table.columns if name not in standard]
    interactions = table.loc[keep, standard + extra].reset_index(drop=True)
    interactions.attrs = {
        "provenance": {
            **table.attrs,
            "file": str(path),
            "format": "OmniPath interactions",
            "direction and sign": "consensus" if consensus else "any resource",
            "rows": len(interactions),
            "skipped": skipped,
        }
    }
    logger.info(
        "Read %d interactions of OmniPath from %s; skipped: %s.",
        len(interactions),
        path,
        ", ".join(f"{count} {reason}" for reason, count in skipped.items()) or "none",
    )
    return interactions


def _check_stated(
    table: pd.DataFrame, stated: list[str], path: FilePath, *, consensus: bool
) -> None:
    missing = [name for name in stated if name not in table]
    if not missing:
        return
    others = ANY_RESOURCE if consensus else CONSENSUS
    cure = (
        f" It has {others}: read it with `consensus={not consensus}`."
        if all(name in table for name in others)
        else " It looks like an interaction table of this package: read it as such."
        if "direction" in table
        else ""
    )
    raise ValueError(
        f"{path}: no table of interactions from OmniPath with the columns {stated}; {missing} "
        f"is missing from {list(table.columns)}.{cure}"
    )


def _select(
    table: pd.DataFrame,
    path: FilePath,
    organism: int | None,
    datasets: Collection[str] | None,
    entity_types: Collection[str] | None,
) -> tuple[pd.Series, dict[str, int]]:
    """Rows that the options ask for, and how many rows each option skips after those before it."""
    keep = pd.Series(True, index=table.index)
    skipped: dict[str, int] = {}

    def restrict(wanted: pd.Series, reason: str) -> None:
        nonlocal keep
        skipped[reason] = int((keep & ~wanted).sum())
        keep &= wanted

    if organism is not None:
        taxa = (str(organism), *NO_ORGANISM)
        restrict(_both(table, "taxon", taxa, path), f"not of organism {organism}")
    if datasets is not None:
        restrict(_in_datasets(table, datasets, path), f"not in {', '.join(datasets)}")
    if entity_types is not None:
        table = _with_types(table)
        known = {*table["source_type"], *table["target_type"]}
        _check_names("entity_types", entity_types, sorted(known), path)
        types = tuple(entity_types)
        restrict(_both(table, "type", types, path), f"not between {', '.join(types)}")
    return keep, skipped


def _both(table: pd.DataFrame, what: str, values: tuple[str, ...], path: FilePath) -> pd.Series:
    columns = [f"source_{what}", f"target_{what}"]
    if not all(name in table for name in columns):
        raise ValueError(
            f"{path} does not tell organisms: it has no columns 'ncbi_tax_id_source' and "
            "'ncbi_tax_id_target'. Ask OmniPath for the field 'ncbi_tax_id', or leave out "
            "`organism` if the table was downloaded for one organism."
        )
    return table[columns].isin(values).all(axis="columns")


def _in_datasets(table: pd.DataFrame, datasets: Collection[str], path: FilePath) -> pd.Series:
    known = [name for name in DATASETS if name in table]
    if not known:
        raise ValueError(
            f"{path} does not tell datasets: it has none of the columns {list(DATASETS)}. Ask "
            "OmniPath for the field 'datasets', or leave out `datasets` if the table was "
            "downloaded for one dataset."
        )
    _check_names("datasets", datasets, known, path)
    flags = [parse_flags(table[name], path) for name in datasets]
    return pd.concat(flags, axis="columns").any(axis="columns")


def _with_types(table: pd.DataFrame) -> pd.DataFrame:
    """Types as stated, else by the form of the code: OmniPath prefixes complexes."""
    if "source_type" in table and "target_type" in table:
        return table
    types = {
        f"{side}_type": np.where(table[side].str.startswith("COMPLEX:"), "complex", "protein")
        for side in PAIR
    }
    return table.assign(**types)


def _check_names(
    option: str, names: Collection[str], known: Collection[str], path: FilePath
) -> None:
    if isinstance(names, str) or not names:
        raise ValueError(
            f"`{option}` is to be a list of names such as {[*known][:2]}, not {names!r}."
        )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"`{option}` has {unknown}, which {path} does not know. It tells {list(known)}."
            f"{did_you_mean(unknown[0], known)}"
        )


def _unquote(column: pd.Series) -> pd.Series:
    """Take off the quotes in which spreadsheets and pandas wrap a text that holds quotes."""
    quoted = column.str.startswith('"') & column.str.endswith('"') & (column.str.len() > 1)
    return column.where(~quoted, column.str.slice(1, -1).str.replace('""', '"', regex=False))
