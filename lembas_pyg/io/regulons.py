"""Regulons: the targets of transcription factors, and how they respond to them."""

import logging
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from lembas_pyg.io.delimited import read_delimited
from lembas_pyg.io.tsv import FilePath, check_filled, parse_flags, parse_numbers

logger = logging.getLogger(__name__)

LEVELS = ("A", "B", "C", "D", "E")
COLUMNS = ["source", "target", "weight", "confidence", "sources", "references"]
# What the layouts call the columns of a regulon; the first that a table has counts.
ALIASES = {
    "source": ("source", "tf"),
    "target": ("target",),
    "weight": ("weight", "mor"),
    "confidence": ("confidence", "dorothea_level"),
    "sources": ("sources", "resources", "resource"),
    "references": ("references", "pmid"),
    "source_name": ("source_name", "source_genesymbol"),
    "target_name": ("target_name", "target_genesymbol"),
}
FLAG_PAIRS = (
    ("stimulation", "inhibition"),
    ("consensus_stimulation", "consensus_inhibition"),
    ("is_stimulation", "is_inhibition"),
)


def read_regulon(
    path: FilePath, *, levels: Collection[str] | None = None, unknown: float = 1.0
) -> pd.DataFrame:
    """Read which genes a transcription factor regulates, and in which direction.

    Args:
        path: Separated by tab, comma or semicolon, plain or ``.gz``, in the layout of the paper
            (``regulon.tsv``), DoRothEA (tf, confidence, target, mor), CollecTRI and decoupler
            (source, target, weight), or OmniPath (the consensus gives the sign).
        levels: Confidence to keep, such as ``["A", "B"]``; all by default.
        unknown: Weight of a target that responds in an unknown direction. DoRothEA counts it as
            activated.

    Returns:
        One row a TF and target, as `to_regulon` gives it.

    Raises:
        OSError: There is no such file.
        ValueError: A column is missing, a code is blank, a weight is not a number from -1 to 1,
            a level is not one of A to E, the table has no levels to select by, or no target has
            one of those asked for.

    References:
        Garcia-Alonso et al. (2019), Genome Res. 29, 1363 (DoRothEA); Müller-Dott et al. (2023),
        Nucleic Acids Res. 51, 10934 (CollecTRI). Nilsson et al. (2022) take the levels A and B.
    """
    table = read_delimited(path, ["target"])
    table.columns = table.columns.str.casefold()
    pair = next((pair for pair in FLAG_PAIRS if set(pair) <= set(table)), None)
    for name in pair or ():
        table[name] = parse_flags(table[name], path).astype(np.int8)
    return _regulon(table, levels, unknown, str(path))


def to_regulon(
    interactions: pd.DataFrame, *, levels: Collection[str] | None = None, unknown: float = 1.0
) -> pd.DataFrame:
    """Make a regulon of an interaction table, such as `fetch_omnipath("dorothea")` gives.

    Args:
        interactions: The interaction table; levels are in the column ``confidence`` or
            ``dorothea_level``.
        levels: As in `read_regulon`.
        unknown: As in `read_regulon`.

    Returns:
        source (TF), target, weight in [-1, 1], confidence (blank where not given), sources,
        references, and ``source_name`` and ``target_name`` if given. A target said to be
        both activated and inhibited, in one row or in several, is left out, and repeated rows are
        merged; ``.attrs["provenance"]`` counts them.

    Raises:
        ValueError: As in `read_regulon`.

    Example:
        >>> table = pd.DataFrame({"source": ["P04637"], "target": ["P38936"]})
        >>> table[["stimulation", "inhibition"]] = [0, 1]
        >>> to_regulon(table)["weight"].tolist()
        [-1.0]
    """
    return _regulon(interactions, levels, unknown, "The interaction table")


def regulon_by_symbol(
    regulon: pd.DataFrame, names: Mapping[str, str] | pd.Series | None = None
) -> pd.DataFrame:
    """Name TFs and targets by symbol, as expression tables do, instead of by accession.

    Args:
        regulon: As `read_regulon` gives it, by accession.
        names: Code -> symbol, as `read_gene_names` gives it. Symbols of the regulon itself
            (``source_name``, ``target_name``) come first. A code without a symbol keeps its name.

    Returns:
        As from `to_regulon`. Several codes of one symbol become one TF or target; how many codes
        have no symbol is logged, and counted in ``.attrs["provenance"]``.

    Raises:
        ValueError: No code has a symbol.

    Example:
        >>> table = pd.DataFrame({"source": ["P04637"], "target": ["P38936"], "weight": [1.0]})
        >>> regulon_by_symbol(table, {"P04637": "TP53", "P38936": "CDKN1A"})["target"].tolist()
        ['CDKN1A']
    """
    known = {} if names is None else {code: name for code, name in names.items() if name}
    table, nameless = regulon.reset_index(drop=True), set()
    for end in ("source", "target"):
        symbols = table[end].map(known)
        if f"{end}_name" in table:
            symbols = table[f"{end}_name"].replace("", pd.NA).fillna(symbols)
        nameless |= set(table[end][symbols.isna()])
        table[end] = symbols.fillna(table[end]).astype(str)
    codes = pd.unique(regulon[["source", "target"]].to_numpy().ravel())
    if len(nameless) == len(codes):
        raise ValueError(
            f"None of the {len(codes):,} codes of the regulon has a symbol, such as "
            f"'{codes[0]}'. Give `names`, as `read_gene_names` reads them from a table of UniProt, "
            "or use the regulon as it is if it has symbols already."
        )
    table = table.drop(columns=["source_name", "target_name"], errors="ignore")
    result = _regulon(table, None, 0.0, "The regulon")
    earlier = regulon.attrs.get("provenance", {})
    result.attrs["provenance"] |= {"file": earlier.get("file", "the table")}
    result.attrs["provenance"] |= {"without symbol": len(nameless)}
    if nameless:
        logger.warning(
            "%d of %d codes of the regulon have no symbol and keep their name, such as %s.",
            len(nameless),
            len(codes),
            ", ".join(sorted(nameless)[:5]),
        )
    return result


def _regulon(
    table: pd.DataFrame, levels: Collection[str] | None, unknown: float, path: str
) -> pd.DataFrame:
    if not -1 <= unknown <= 1:
        raise ValueError(f"`unknown` is {unknown}; a weight is a number from -1 to 1.")
    weight, both = _weights(table, path)
    regulon = pd.DataFrame(index=table.index)
    for name, aliases in ALIASES.items():
        alias = next((alias for alias in aliases if alias in table), None)
        if name in ("source", "target") and alias is None:
            raise ValueError(
                f"{path} has no column '{name}' (or {list(aliases)}); it has {list(table)}."
            )
        if name == "weight":
            regulon["weight"] = weight
        elif alias is not None:
            regulon[name] = table[alias].fillna("").astype(str)
        elif name in COLUMNS:
            regulon[name] = pd.Series("", index=table.index, dtype=str)
    check_filled(regulon, ["source", "target"], path)
    keep = _of_levels(regulon["confidence"], levels, path)
    skipped = {"of another level": int((~keep).sum())}
    is_open = keep & ~both & (regulon["weight"] == 0)
    regulon.loc[is_open, "weight"] = unknown

    skipped["both activated and inhibited"] = int((keep & both).sum())
    regulon = regulon[keep & ~both]
    pairs = regulon.groupby(["source", "target"], sort=False)["weight"]
    conflict = (pairs.transform("min") < 0) & (pairs.transform("max") > 0)
    skipped["both activated and inhibited"] += int(conflict.sum())
    regulon = regulon[~conflict]
    repeated = regulon.duplicated(["source", "target"])
    skipped["repeated"] = int(repeated.sum())
    regulon = regulon[~repeated].reset_index(drop=True)
    regulon.attrs["provenance"] = {
        "file": path,
        "format": "regulon",
        "rows": len(regulon),
        "skipped": skipped,
        "in an unknown direction": int(is_open.sum()),
    }
    logger.info(
        "Read %d targets of %d TFs from %s; skipped: %s; %d of unknown direction have weight %g.",
        len(regulon),
        regulon["source"].nunique(),
        path,
        ", ".join(f"{count} {reason}" for reason, count in skipped.items()),
        is_open.sum(),
        unknown,
    )
    return regulon


def _weights(table: pd.DataFrame, path: str) -> tuple[pd.Series, pd.Series]:
    """Weight (0 where not known), and whether a row has both signs."""
    for name in ALIASES["weight"]:
        if name in table:
            weight = parse_numbers(table[name].astype(str), path)
            bad = weight.abs() > 1
            if bad.any():
                raise ValueError(
                    f"{path}, line {table.index[bad][0]}, column '{name}': {weight[bad].iloc[0]} "
                    "is no weight of a regulon. Weights are numbers from -1 (inhibited) to 1 "
                    "(activated)."
                )
            return weight, pd.Series(False, index=table.index)
    pair = next((pair for pair in FLAG_PAIRS if set(pair) <= set(table)), None)
    if pair is None:
        raise ValueError(
            f"{path} does not tell how targets respond: it has none of {list(ALIASES['weight'])} "
            f"and no pair such as {list(FLAG_PAIRS[0])}. It has {list(table)}."
        )
    up, down = (table[name] == 1 for name in pair)
    return up.astype(np.float64) - down.astype(np.float64), up & down


def _of_levels(confidence: pd.Series, levels: Collection[str] | None, path: str) -> pd.Series:
    """Rows of these levels; OmniPath may give a row several, separated by ``;``."""
    bad = ~confidence.str.fullmatch("(?:[A-E](?:;[A-E])*)?").astype(bool)
    if bad.any():
        raise ValueError(
            f"{path}, line {confidence.index[bad][0]}: '{confidence[bad].iloc[0]}' is no level of "
            f"confidence. Legal are {', '.join(LEVELS)}, or a blank."
        )
    if levels is None:
        return pd.Series(True, index=confidence.index)
    if not levels or not set(levels) <= set(LEVELS):
        raise ValueError(f"`levels` is {levels!r}. Give some of {', '.join(LEVELS)}.")
    if (confidence == "").all():
        raise ValueError(
            f"{path} has no levels of confidence. Ask for none (CollecTRI has none), or ask "
            "OmniPath for the field 'dorothea_level'."
        )
    chosen = confidence.str.contains(f"[{''.join(levels)}]")
    if not chosen.any():
        there = sorted(set(";".join(confidence).split(";")) - {""})
        raise ValueError(
            f"{path} has no target of the level {' or '.join(sorted(levels))}. Its levels are "
            f"{', '.join(there)}: choose some of these."
        )
    return chosen
