"""Which interactions of a table to keep: by resource, reference, organism, effort, or node.

Every function leaves the table it is given alone, keeps the order of rows, and says in a report
what it removed and why. Rows need not be merged.
"""

import re
import warnings
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from lembas_pyg.io.interactions import PAIR, check_interactions, reverse_interactions
from lembas_pyg.io.report import Curated, join_reports, report_rows
from lembas_pyg.spelling import close_names

TAXON_COLUMNS = ("taxon", "source_taxon", "target_taxon")
NO_ORGANISM = ("", "0", "-1")  # molecules that belong to no species


def select_resources(interactions: pd.DataFrame, names: Collection[str]) -> Curated:
    """Keep the interactions that at least one of these resources states.

    Names are compared whole: ``KEGG`` does not select what only ``KEGG-MEDICUS`` states.

    Args:
        interactions: The interaction table; its column `sources` holds names separated by ``;``.
        names: Resources to trust, such as ``["KEGG", "SIGNOR"]``.

    Returns:
        What is kept, and a report of what is not. A resource that no interaction names is
        reported as unmatched, with a warning.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: `names` is empty or a single text, or the table has no column `sources`.

    References:
        Nilsson et al. (2022), Methods, Model reconstruction. The original code also matches
        parts of names when it selects trusted resources; we compare whole names.
    """
    table = check_interactions(interactions)
    _check_column(table, "sources")
    names = _check_names(names, "names", ["KEGG", "SIGNOR"])
    wanted = "|".join(re.escape(name) for name in names)
    pattern = re.compile(rf"(?:^|;)\s*(?:{wanted})\s*(?:;|$)")
    texts = pd.Index(table["sources"].unique())
    matching = texts[[pattern.search(text) is not None for text in texts]]
    keep = table["sources"].isin(matching)
    detail = "stated by " + table["sources"].where(table["sources"] != "", "no resource")
    selected = _keep(table, keep, "select resources", detail)

    known = {name.strip() for text in texts for name in text.split(";")}
    unknown = [name for name in names if name not in known]
    if not unknown:
        return selected
    hints = []
    for name in unknown:
        close = close_names(name, sorted(known), most=5)
        hints.append(f"close to it: {', '.join(close)}" if close else "nothing is close to it")
    warnings.warn(
        "No interaction names the resource "
        + ", or ".join(f"'{name}' ({hint})" for name, hint in zip(unknown, hints, strict=True))
        + ". Names are compared whole.",
        stacklevel=2,
    )
    unmatched = report_rows(
        "select resources",
        "unmatched",
        "interaction",
        [""] * len(unknown),
        detail=[f"no interaction names '{name}'" for name in unknown],
    )
    return Curated(selected.interactions, join_reports(unmatched, selected.report))


def select_referenced(interactions: pd.DataFrame) -> Curated:
    """Keep the interactions with at least one reference.

    Args:
        interactions: The interaction table.

    Returns:
        What is kept, and a report of what is not.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: The table has no column `references`.
    """
    table = check_interactions(interactions)
    _check_column(table, "references")
    keep = table["references"].str.strip("; ") != ""
    return _keep(table, keep, "select referenced", "no reference")


def select_taxon(interactions: pd.DataFrame, taxon: int = 9606) -> Curated:
    """Keep the interactions within one organism.

    Args:
        interactions: The interaction table with the column `taxon`, or `source_taxon` and
            `target_taxon` (NCBI taxonomy ids). A blank, 0 and -1 belong to no organism, as small
            molecules do, and are kept.
        taxon: NCBI taxonomy id; human by default.

    Returns:
        What is kept, and a report of what is not.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: The table tells no organism.
    """
    table = check_interactions(interactions)
    columns = [name for name in TAXON_COLUMNS if name in table]
    if not columns:
        raise ValueError(
            f"The interaction table tells no organism: it has none of {list(TAXON_COLUMNS)}, but "
            f"{list(table.columns)}. Leave the step out if all interactions are of one organism."
        )
    taxa = table[columns].fillna("").astype(str)
    keep = taxa.isin([str(taxon), *NO_ORGANISM]).all(axis="columns")
    found = taxa[columns[0]].str.cat([taxa[name] for name in columns[1:]], sep=" -> ")
    return _keep(table, keep, "select organism", "organism " + found)


def select_by_curation_effort(interactions: pd.DataFrame, minimum: int) -> Curated:
    """Keep the interactions on which curators of databases have spent enough effort.

    Args:
        interactions: The interaction table with the column `curation_effort` of OmniPath (number
            of pairs of resource and reference).
        minimum: Smallest effort to keep.

    Returns:
        What is kept, and a report of what is not.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: The column is missing or holds something else than a number.
    """
    table = check_interactions(interactions)
    _check_column(table, "curation_effort")
    effort = pd.to_numeric(table["curation_effort"], errors="coerce")
    if effort.isna().any():
        source, target, value = table.loc[effort.isna(), [*PAIR, "curation_effort"]].iloc[0]
        raise ValueError(
            f"The column 'curation_effort' holds {value!r} for '{source}' -> '{target}'. Expected "
            "a number; remove the interaction, or write 0."
        )
    detail = "curation effort " + table["curation_effort"].astype(str)
    return _keep(table, effort >= minimum, "select curation effort", detail)


def restrict_to(
    interactions: pd.DataFrame, nodes: Collection[str], *, ends: Sequence[str] = PAIR
) -> Curated:
    """Keep the interactions between nodes of a list, such as the reviewed human proteins.

    Args:
        interactions: The interaction table.
        nodes: Codes to keep.
        ends: Which ends are to be in the list; ``["source"]`` keeps what comes out of it.

    Returns:
        What is kept, and a report of every other node and of its interactions.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: `nodes` is a single text, or an end is neither source nor target.
    """
    table = check_interactions(interactions)
    nodes = _check_names(nodes, "nodes", ["P01375", "Q04206"], may_be_empty=True)
    if not ends or not set(ends) <= set(PAIR):
        raise ValueError(f"`ends` is {ends!r}. Legal are 'source', 'target', or both.")
    inside = table[list(ends)].isin(nodes)
    # the first end that is outside speaks for the interaction
    outside = table[ends[0]].where(~inside[ends[0]], table[ends[-1]])
    keep = inside.all(axis="columns")
    kept, report = _keep(table, keep, "restrict to", "not in the list: " + outside)
    unknown = pd.unique(pd.concat([table.loc[~inside[end], end] for end in ends]))
    removed = report_rows("restrict to", "removed", "node", unknown, detail="not in the list")
    return Curated(kept, join_reports(removed, report))


def exclude_interactions(interactions: pd.DataFrame, others: pd.DataFrame) -> Curated:
    """Remove the interactions that another table has too, whatever it says of their sign.

    Args:
        interactions: The interaction table.
        others: A table with the columns source and target, such as ligand-receptor interactions.

    Returns:
        What is kept, and a report of what is not.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: A table lacks a column.
    """
    table = check_interactions(interactions)
    missing = [name for name in PAIR if name not in others]
    if missing:
        raise ValueError(
            f"The table of interactions to exclude has no column {missing}; it has "
            f"{list(others.columns)}."
        )
    pairs = pd.MultiIndex.from_frame(table[PAIR])
    keep = ~pairs.isin(pd.MultiIndex.from_frame(others[PAIR]))
    return _keep(table, keep, "exclude interactions", "is in the other table")


def remove_self_loops(interactions: pd.DataFrame) -> Curated:
    """Remove the interactions of a node with itself.

    Args:
        interactions: The interaction table.

    Returns:
        What is kept, and a report of what is not.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: The table lacks a column.
    """
    table = check_interactions(interactions)
    return _keep(table, table["source"] != table["target"], "remove self-loops", "acts on itself")


def both_directions(interactions: pd.DataFrame) -> Curated:
    """Give every undirected interaction once in each direction.

    Rows with direction 0 get direction 1, and are repeated, reversed, below all others. Columns
    that come in pairs, such as `source_name` and `target_name`, change sides as well. Merge the
    result: the reverse may have been there before.

    Args:
        interactions: The interaction table.

    Returns:
        A table in which every interaction has a direction, and a report of those that were added.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: The table lacks a column, or holds something illegal.

    References:
        Nilsson et al. (2022), Methods: reversible interactions are duplicated and reversed.
    """
    table = check_interactions(interactions)
    if "direction" not in table:
        return Curated(table, report_rows("both directions", "added", "interaction", []))
    undirected = (table["direction"] == 0) & (table["source"] != table["target"])
    reverse = reverse_interactions(table[undirected])
    report = report_rows(
        "both directions",
        "added",
        "interaction",
        reverse["source"],
        reverse["target"],
        "reverse of an undirected interaction",
    )
    table = pd.concat([table, reverse], ignore_index=True)
    table["direction"] = np.int8(1)
    return Curated(table, report)


def _keep(
    table: pd.DataFrame, keep: pd.Series | np.ndarray, rule: str, detail: str | pd.Series
) -> Curated:
    keep = np.asarray(keep, dtype=bool)
    removed = table[~keep]
    if not isinstance(detail, str):
        detail = detail[~keep]
    report = report_rows(
        rule, "removed", "interaction", removed["source"], removed["target"], detail
    )
    return Curated(table[keep].reset_index(drop=True), report)


def _check_column(table: pd.DataFrame, name: str) -> None:
    if name not in table:
        raise ValueError(
            f"The interaction table has no column '{name}'; it has {list(table.columns)}."
        )


def _check_names(
    names: Collection[str], argument: str, example: list[str], *, may_be_empty: bool = False
) -> list[str]:
    if isinstance(names, str) or (len(names) == 0 and not may_be_empty):
        raise ValueError(f"`{argument}` is to be a list such as {example}, not {names!r}.")
    return list(names)
