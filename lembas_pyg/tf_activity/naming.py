"""Symbols of TFs to accessions, which name the nodes of a network."""

import logging
from collections.abc import Iterable, Mapping

import pandas as pd

from lembas_pyg.io.report import join_reports, report_rows

logger = logging.getLogger(__name__)

RULE = "name by accession"


def accessions_of(
    symbols: Iterable[str],
    names: Mapping[str, str] | pd.Series,
    *,
    chosen: Mapping[str, str] | None = None,
) -> tuple[dict[str, str], pd.DataFrame]:
    """Find the accession of each symbol.

    Args:
        symbols: Gene symbols. What is an accession of `names` already stays as it is.
        names: Code -> symbol, as `lembas_pyg.io.read_gene_names` gives it.
        chosen: Symbol -> code, for symbols of old and for those that several proteins share. Those
            that are none of the symbols are logged.

    Returns:
        Symbol -> code, of those that have one; and the report of the others, which are unknown, or
        ambiguous, with their candidates.

    Raises:
        ValueError: Two symbols have the same code.

    Example:
        >>> codes, report = accessions_of(["RELA", "P65"], {"Q04206": "RELA"})
        >>> codes, report["detail"].tolist()
        ({'RELA': 'Q04206'}, ["unknown: no protein has the symbol 'P65'"])
    """
    candidates: dict[str, list[str]] = {}
    for code, name in names.items():
        candidates.setdefault(name, []).append(code)
    codes, symbols = dict.fromkeys(names.keys()), list(dict.fromkeys(symbols))
    idle = [symbol for symbol in chosen or () if symbol not in symbols]
    if idle:
        logger.warning("Accessions were chosen for %s, which are not scored.", ", ".join(idle))
    found: dict[str, str] = {}
    unknown: list[str] = []
    ambiguous: list[str] = []
    for symbol in symbols:
        known = candidates.get(symbol, [])
        if chosen is not None and symbol in chosen:
            found[symbol] = chosen[symbol]
        elif symbol in codes:
            found[symbol] = symbol
        elif len(known) == 1:
            found[symbol] = known[0]
        else:
            (ambiguous if known else unknown).append(symbol)
    by_code: dict[str, str] = {}
    for symbol, code in found.items():
        if code in by_code:
            raise ValueError(
                f"'{by_code[code]}' and '{symbol}' are both {code}. Keep one of them, or choose "
                "another accession for one (`chosen`)."
            )
        by_code[code] = symbol
    report = join_reports(
        report_rows(
            RULE, "unmatched", "TF", unknown,
            detail=[f"unknown: no protein has the symbol '{symbol}'" for symbol in unknown],
        ),
        report_rows(
            RULE, "conflict", "TF", ambiguous,
            detail=[f"ambiguous: {', '.join(candidates[symbol])}" for symbol in ambiguous],
        ),
    )  # fmt: skip
    return found, report
