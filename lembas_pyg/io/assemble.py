"""From the tables of databases to the interactions of one network, step by step and reported."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from lembas_pyg.io.curation import Curation, apply_curation
from lembas_pyg.io.interactions import (
    EVIDENCE,
    FLAG_COLUMNS,
    PAIR,
    check_interactions,
    merge_with_report,
)
from lembas_pyg.io.report import Curated, join_reports, report_rows
from lembas_pyg.io.selection import (
    both_directions,
    exclude_interactions,
    remove_self_loops,
    restrict_to,
    select_referenced,
    select_resources,
)
from lembas_pyg.spelling import close_names, did_you_mean


def assemble_interactions(
    tables: Iterable[pd.DataFrame],
    *,
    curation: Curation | None = None,
    resources: Collection[str] | None = None,
    referenced: bool = False,
    proteins: Collection[str] | None = None,
    ligand_receptor: pd.DataFrame | None = None,
    ligand_receptor_resources: Collection[str] | None = None,
    ligands: Collection[str] | None = None,
) -> Curated:
    """Make one interaction table of those of databases and one of ligands and receptors.

    In this order, each step left out where its argument is:

    1. put all tables below each other; keep rows with a reference; apply `curation`;
    2. remove self-loops, give undirected interactions both directions, keep rows that one of
       `resources` states, merge what is given more than once (both signs: unknown);
    3. keep what links two of `proteins`;
    4. treat `ligand_receptor` as in 2 and 3, with `ligand_receptor_resources`, and keep what comes
       from `ligands`;
    5. remove from the others the pairs that this leaves, since `ligand_receptor` knows its ligands
       better, and those that it has of ligands that are not in `ligands`; put the rest below.

    Args:
        tables: Interaction tables, not merged; undirected rows are legal.
        curation: What to add, remove and edit in `tables`.
        resources: Names to trust, compared whole. Those of added interactions count too.
        referenced: Whether to drop rows without a reference (KEGG gives none).
        proteins: Codes that may be part of the network; `ligands` may be others.
        ligand_receptor: Interaction table of ligands (sources) and receptors.
        ligand_receptor_resources: Names to trust in it; all by default.
        ligands: Sources of `ligand_receptor` to keep; all by default.

    Returns:
        Source, target, direction (always 1), stimulation, inhibition, sources and references, one
        row a pair, and the report of all steps.

    Raises:
        TypeError: One of `tables` is no table.
        ValueError: There is no table, one is not an interaction table, a resource or ligand is
            stated nowhere, an argument has no effect without `ligand_receptor`, or no interaction
            is left.

    References:
        Nilsson et al. (2022), Methods, Model reconstruction.
    """
    for name, given in (
        ("ligand_receptor_resources", ligand_receptor_resources),
        ("ligands", ligands),
    ):
        if ligand_receptor is None and given is not None:
            raise ValueError(f"`{name}` selects from `ligand_receptor`; give it.")
    parts = [_plain(table) for table in tables]
    if not parts:
        raise ValueError("`tables` is empty. Give at least one interaction table.")
    main = pd.concat(parts, ignore_index=True)
    reports = []
    if referenced:
        main, report = select_referenced(main)
        reports.append(report)
    if curation is not None:
        main, report = apply_curation(main, curation)
        reports.append(report)
    main, report = _clean(main, resources, proteins, "resources")
    reports.append(report)
    if ligand_receptor is None:
        return _checked(main, reports)

    given = _plain(ligand_receptor)
    if ligands is not None:
        _check_ligands(given, ligands)
    extra, report = _clean(
        given, ligand_receptor_resources, proteins, "ligand_receptor_resources", ligands
    )
    reports.append(report)
    pairs = pd.concat([extra[PAIR], _left_out(given, ligands)])
    main, report = exclude_interactions(main, pairs)
    report["detail"] = "is in the ligand-receptor table"
    reports.append(report)
    added = report_rows(
        "ligand-receptor",
        "added",
        "interaction",
        extra["source"],
        extra["target"],
        "stated by " + extra["sources"].where(extra["sources"] != "", "no resource"),
    )
    reports.append(added)
    return _checked(pd.concat([extra, main], ignore_index=True), reports)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """The seven columns of an interaction table; of others, merging would keep the first value."""
    table = check_interactions(table)
    if "direction" not in table:
        table["direction"] = np.int8(1)
    for name in EVIDENCE:
        if name not in table:
            table[name] = pd.Series("", index=table.index, dtype=str)
    table = table[[*PAIR, *FLAG_COLUMNS, *EVIDENCE]].reset_index(drop=True)
    table.attrs = {}
    return table


def _clean(
    table: pd.DataFrame,
    resources: Collection[str] | None,
    proteins: Collection[str] | None,
    argument: str,
    ligands: Collection[str] | None = None,
) -> Curated:
    reports = []

    def apply(curated: Curated) -> pd.DataFrame:
        reports.append(curated.report)
        return curated.interactions

    table = apply(remove_self_loops(table))
    table = apply(both_directions(table))
    if resources is not None:
        _check_resources(table, resources, argument)
        table = apply(_select_rows(table, resources))
    if ligands is not None:
        table = apply(_select_ligands(table, ligands))
    table = apply(merge_with_report(table))
    if proteins is not None:
        if ligands is not None:
            proteins = {*proteins, *ligands}  # a ligand that was named may be no protein
        table = apply(restrict_to(table, proteins))
    return Curated(table, join_reports(*reports))


def _select_rows(table: pd.DataFrame, resources: Collection[str]) -> Curated:
    """Select rows before they are merged: a pair of which a row stays is not removed."""
    selected, report = select_resources(table, resources)
    stays = pd.MultiIndex.from_frame(report[PAIR]).isin(pd.MultiIndex.from_frame(selected[PAIR]))
    report.loc[stays, "action"] = "changed"
    report.loc[stays, "detail"] = "left out what is " + report.loc[stays, "detail"]
    return Curated(selected, report)


def _select_ligands(table: pd.DataFrame, ligands: Collection[str]) -> Curated:
    selected, report = restrict_to(table, ligands, ends=["source"])
    report["rule"] = "restrict to ligands"
    return Curated(selected, report[report["item"] == "interaction"])


def _check_ligands(given: pd.DataFrame, ligands: Collection[str]) -> None:
    known = {*given["source"], *given["target"][given["direction"] == 0]}
    unknown = [code for code in ligands if code not in known]
    if unknown:
        raise ValueError(
            f"'{unknown[0]}' is not a source of the ligand-receptor table, which has "
            f"{len(known):,} ({len(unknown)} of {len(ligands)} ligands are not). Ligands are named "
            f"by accession; correct it, or leave it out.{did_you_mean(unknown[0], sorted(known))}"
        )


def _left_out(given: pd.DataFrame, ligands: Collection[str] | None) -> pd.DataFrame:
    """Pairs of ligands that were not asked for; they do not come back through another table."""
    if ligands is None:
        return given[PAIR][:0]
    asked = given["source"].isin(ligands)
    asked |= (given["direction"] == 0) & given["target"].isin(ligands)
    return given[PAIR][~asked]


def _check_resources(table: pd.DataFrame, names: Collection[str], argument: str) -> None:
    texts = table["sources"].unique()
    known = sorted({name.strip() for text in texts for name in text.split(";")} - {""})
    unknown = [name for name in names if name not in known]
    if unknown:
        close = {name: close_names(name, known, most=5) for name in unknown}
        hints = [
            f"Close to '{name}': {', '.join(found)}. " for name, found in close.items() if found
        ]
        raise ValueError(
            f"`{argument}` has {', '.join(map(repr, unknown))}, which no interaction names. "
            f"{''.join(hints)}Names are compared whole; the tables hold "
            f"{', '.join(known) or 'none'}."
        )


def _checked(table: pd.DataFrame, reports: Sequence[pd.DataFrame]) -> Curated:
    report = join_reports(*reports)
    if table.empty:
        removed = report[(report["action"] == "removed") & (report["item"] == "interaction")]
        counts = removed["rule"].value_counts(sort=False)
        steps = ", ".join(f"{rule} removed {count:,}" for rule, count in counts.items())
        raise ValueError(f"No interaction is left: {steps or 'the tables are empty'}.")
    return Curated(table, report)
