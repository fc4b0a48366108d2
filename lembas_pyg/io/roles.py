"""Roles of nodes, ligand and transcription factor, from the databases that know them."""

import logging
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.delimited import read_delimited
from lembas_pyg.io.interactions import EVIDENCE, FLAG_COLUMNS, PAIR, check_interactions
from lembas_pyg.io.tsv import FilePath, check_filled, parse_flags, read_tsv
from lembas_pyg.spelling import did_you_mean

logger = logging.getLogger(__name__)

UNIPROT_NAMES = ("Gene names  (primary )", "Gene Names (primary)", "Gene names (primary)")
CELL_FLAGS = (
    "transmitter",
    "receiver",
    "secreted",
    "plasma_membrane_transmembrane",
    "plasma_membrane_peripheral",
)


def make_annotation(
    interactions: pd.DataFrame,
    *,
    ligands: Collection[str],
    tfs: Collection[str],
    names: Mapping[str, str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Name the nodes of an interaction table and give them their roles.

    Args:
        interactions: The interaction table.
        ligands: Codes of ligands, such as the column ``source`` of `read_ligand_receptor`.
            Those that are not in the network are left out.
        tfs: Codes of transcription factors, such as the column ``source`` of `read_regulon`.
        names: Code -> symbol, as `read_gene_names` gives it. By default, and for nodes it does not
            have, `source_name` and `target_name` of the interactions, then the code.

    Returns:
        code, name, TF and ligand, one row a node, in order of first mention.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: Codes are given and none of them is in the network.

    Example:
        >>> table = pd.DataFrame({"source": ["P01375", "P19438"], "target": ["P19438", "Q04206"]})
        >>> table[["stimulation", "inhibition"]] = [1, 0]
        >>> make_annotation(table, ligands=["P01375"], tfs=["Q04206"])["ligand"].tolist()
        [True, False, False]
    """
    table = check_interactions(interactions)
    codes = pd.Series(pd.unique(table[PAIR].to_numpy().ravel()), dtype=str)
    known = _names_in(table) | {code: name for code, name in _items(names) if name}
    annotation = pd.DataFrame(
        {
            "code": codes,
            "name": [known.get(code, code) for code in codes],
            "TF": _has_role(codes, tfs, "tfs"),
            "ligand": _has_role(codes, ligands, "ligands"),
        }
    )
    logger.info(
        "%d nodes: %d of %d given ligands and %d of %d given TFs are in the network.",
        len(annotation),
        annotation["ligand"].sum(),
        len(set(ligands)),
        annotation["TF"].sum(),
        len(set(tfs)),
    )
    return check_annotation(annotation)


def read_ligand_receptor(
    path: FilePath, *, resources: Collection[str] | None = None
) -> pd.DataFrame:
    """Read which ligands bind which receptors.

    Args:
        path: Interaction table of the paper (``RL.tsv``), or ligand-receptor resources as LIANA
            collects them (source, target, resource, and gene symbols), separated by tab, comma or
            semicolon, plain or ``.gz``.
        resources: Keep what any of these resources states; names are compared whole.

    Returns:
        Interaction table from ligand (source) to receptor (target), in the order of the file,
        not merged. LIANA tells no signs, which leaves them unknown.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank, a flag is illegal, or the table does not
            know a resource.

    References:
        Dimitrov et al. (2022), Nat. Commun. 13, 3224 (LIANA).
    """
    table = read_delimited(path, PAIR).rename(
        columns={
            "resource": "sources",
            "source_genesymbol": "source_name",
            "target_genesymbol": "target_name",
        }
    )
    check_filled(table, PAIR, path)
    for name in FLAG_COLUMNS:
        default = "1" if name == "direction" else "0"
        flags = parse_flags(table[name], path) if name in table else default == "1"
        table[name] = pd.Series(flags, index=table.index).astype(np.int8)
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
    keep = pd.Series(True, index=table.index)
    if resources is not None:
        keep = _stated_by(table["sources"], resources, path)
    standard = [*PAIR, *FLAG_COLUMNS, *EVIDENCE]
    extra = [name for name in table.columns if name not in standard and name != ""]
    result = table.loc[keep, standard + extra].reset_index(drop=True)
    result.attrs["provenance"] = {
        "file": str(path),
        "format": "ligand-receptor interactions",
        "rows": len(result),
        "skipped": {"of other resources": int((~keep).sum())},
    }
    logger.info("Read %d ligand-receptor interactions from %s.", len(result), path)
    return result


def read_intercell(path: FilePath) -> pd.DataFrame:
    """Read which proteins and complexes of OmniPath send or receive signals between cells.

    Args:
        path: Table of OmniPath's annotation of intercellular communication, a row for every
            protein and resource; tab-separated, plain or ``.gz``.

    Returns:
        One row a protein or complex: code, name, type, categories (separated by ``;``), and, as
        any resource says, transmitter, receiver, secreted, plasma_membrane_transmembrane and
        plasma_membrane_peripheral. Ligands are the transmitters.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank, or a flag is illegal.

    References:
        Türei et al. (2021), Mol. Syst. Biol. 17, e9923.
    """
    table = read_tsv(path, ["uniprot", "genesymbol", "entity_type", "category", *CELL_FLAGS])
    check_filled(table, ["uniprot"], path)
    for name in CELL_FLAGS:
        table[name] = parse_flags(table[name], path)
    groups = table.groupby("uniprot", sort=False)
    first = groups[["genesymbol", "entity_type"]].first()
    categories = (
        table.drop_duplicates(["uniprot", "category"])
        .groupby("uniprot", sort=False)["category"]
        .agg(";".join)
    )
    flags = groups[list(CELL_FLAGS)].any()
    result = pd.concat([first, categories, flags], axis="columns").reset_index()
    columns = {"uniprot": "code", "genesymbol": "name", "entity_type": "type"}
    result = result.rename(columns=columns).rename(columns={"category": "categories"})
    result.attrs["provenance"] = {
        "file": str(path),
        "format": "OmniPath intercell",
        "rows": len(result),
        "merged": len(table) - len(result),
    }
    return result


def read_gene_names(path: FilePath) -> pd.Series:
    """Read the symbols of proteins from a table of UniProt or an annotation table.

    Args:
        path: Tab-separated text with the columns Entry and "Gene names (primary)", or code and
            name; plain or ``.gz``.

    Returns:
        Symbols, indexed by ``code``. Of several symbols of a protein the first is taken; the
        name of a protein without symbol is blank.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, or a code is blank or given twice.

    References:
        https://www.uniprot.org.
    """
    table = read_tsv(path)
    code = next((name for name in ("Entry", "code") if name in table), None)
    name = next((name for name in (*UNIPROT_NAMES, "name") if name in table), None)
    if code is None or name is None:
        raise ValueError(
            f"{path} does not name proteins: it has {list(table)}. Expected 'Entry' and "
            f"'{UNIPROT_NAMES[1]}' (UniProt), or 'code' and 'name' (annotation)."
        )
    check_filled(table, [code], path)
    repeated = table[code].duplicated()
    if repeated.any():
        raise ValueError(
            f"{path}, line {table.index[repeated][0]}: '{table[code][repeated].iloc[0]}' is given "
            "a second time. Keep one row a protein."
        )
    symbols = table[name].str.split(";").str[0].str.strip()
    return pd.Series(symbols.to_numpy(), pd.Index(table[code], name="code"), name="name", dtype=str)


def read_gene_list(path: FilePath, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
    """Read a list of proteins that share a role, such as kinases or transcription factors.

    Args:
        path: Table with the column Entry or code (accessions), or Symbol (gene symbols); without
            such a header, the first column has symbols. Separated by tab, comma or semicolon.
        names: Code -> symbol, as `read_gene_names` gives it; needed where the list has symbols. A
            symbol that names several proteins stands for all of them.

    Returns:
        Codes, in the order of the list, each once. Symbols that `names` does not have are logged.

    Raises:
        OSError: There is no such file.
        ValueError: The list has symbols and no `names` are given, or none of them is known.
    """
    table = read_delimited(path)
    columns = {name.casefold(): name for name in table.columns}
    code = next((columns[name] for name in ("entry", "code") if name in columns), None)
    if code is not None:
        check_filled(table, [code], path)
        return list(dict.fromkeys(table[code]))
    if names is None:
        raise ValueError(
            f"{path} lists gene symbols, and nodes are named by accession. Give `names`, such as "
            "`read_gene_names` reads from a table of UniProt."
        )
    if "symbol" in columns:
        symbols = table[columns["symbol"]].tolist()
    else:
        first = [] if table.columns[0].endswith(":") else [table.columns[0]]  # a title is none
        symbols = [*first, *table.iloc[:, 0]]
    known = pd.Series(dict(names))
    codes = known.index.to_series().groupby(known.to_numpy(), sort=False).agg(list)
    missing = [symbol for symbol in symbols if symbol not in codes.index]
    if len(missing) == len(symbols):
        raise ValueError(
            f"{path}: none of the {len(symbols)} symbols is known, such as {missing[:3]}. `names` "
            f"has symbols such as {known.tolist()[:3]}."
        )
    if missing:
        logger.warning(
            "%d of %d symbols in %s have no accession: %s",
            len(missing),
            len(symbols),
            path,
            ", ".join(missing),
        )
    found = [code for symbol in symbols if symbol in codes.index for code in codes[symbol]]
    return list(dict.fromkeys(found))


def _items(names: Mapping[str, str] | pd.Series | None) -> Iterable[tuple[str, str]]:
    return () if names is None else names.items()


def _names_in(table: pd.DataFrame) -> dict[str, str]:
    """Symbols that the interactions give their nodes; the first counts."""
    known: dict[str, str] = {}
    for end in reversed(PAIR):
        if f"{end}_name" in table:
            given = table[table[f"{end}_name"].fillna("") != ""].drop_duplicates(end)
            known |= dict(zip(given[end], given[f"{end}_name"], strict=True))
    return known


def _has_role(codes: pd.Series, given: Collection[str], option: str) -> pd.Series:
    if isinstance(given, str):
        raise ValueError(f"`{option}` is to be a list of codes, not the text '{given}'.")
    wanted = set(given)
    found = codes.isin(wanted)
    if wanted and not found.any():
        raise ValueError(
            f"None of the {len(wanted):,} codes of `{option}` is in the network, such as "
            f"{sorted(wanted)[:3]}. Its nodes have codes such as {codes.tolist()[:3]}: give codes "
            "of this kind, not symbols."
        )
    return found


def _stated_by(sources: pd.Series, resources: Collection[str], path: FilePath) -> pd.Series:
    if isinstance(resources, str) or not resources:
        raise ValueError(f"`resources` is to be a list of names, not {resources!r}.")
    stated = {text: {name.strip() for name in text.split(";")} for text in sources.unique()}
    known = set().union(*stated.values())
    unknown = [name for name in resources if name not in known]
    if unknown:
        raise ValueError(
            f"{path} does not know the resources {unknown}. It has {', '.join(sorted(known))}."
            f"{did_you_mean(unknown[0], sorted(known))}"
        )
    wanted = set(resources)
    return sources.map({text: bool(names & wanted) for text, names in stated.items()}).astype(bool)
