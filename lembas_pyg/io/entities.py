"""What a code names, a protein or something else, and what to do with the something else."""

import itertools
import re
from collections.abc import Collection, Mapping

import pandas as pd

from lembas_pyg.io.interactions import PAIR, check_interactions
from lembas_pyg.io.report import Curated, join_reports, report_rows

# The form of a code tells its type; the first that fits counts.
FORMS = {
    "protein": (
        r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})"
        r"(?:-[0-9]+)?(?:[:-]PRO_[0-9]+)?"
    ),
    "complex": r"COMPLEX:.+|SIGNOR-C[0-9]+",
    "family": r"SIGNOR-PF[0-9]+",
    "small molecule": r"CHEBI[:_]?[0-9]+|(?:CID|SID|PUBCHEM):?[0-9]+|DB[0-9]{5}",
}
RULE = "resolve entities"
ENTITY_TYPES = (*FORMS, "other")
CHOICES = ("keep", "expand", "drop")
_FORMS = {name: re.compile(form) for name, form in FORMS.items()}


def entity_type(code: str) -> str:
    """Tell by its form what a code names.

    Args:
        code: UniProt accession (with isoform or chain), ``COMPLEX:P1_P2`` of OmniPath,
            ``SIGNOR-C1`` (complex) and ``SIGNOR-PF1`` (family), ChEBI, PubChem or DrugBank id.

    Returns:
        protein, complex, family, small molecule, or other.

    Example:
        >>> [entity_type(code) for code in ("P01375", "COMPLEX:P08476_P09529", "SIGNOR-PF1")]
        ['protein', 'complex', 'family']
    """
    return next((name for name, form in _FORMS.items() if form.fullmatch(code)), "other")


def resolve_entities(
    interactions: pd.DataFrame,
    members: Mapping[str, Collection[str]] | None = None,
    how: Mapping[str, str] | None = None,
) -> Curated:
    """Keep, expand or drop interactions of complexes, families and other types of nodes.

    To expand is to replace an interaction by one for every member, with the same sign and evidence
    (if both ends are expanded, for every pair of members). A member is treated by its own
    type in turn, such as a family within a complex. Merge the result, as members may interact
    already.

    Args:
        interactions: The interaction table.
        members: Code -> codes of its members. Those of ``COMPLEX:P1_P2`` are in the code.
        how: Type -> ``keep``, ``expand`` or ``drop``, for any of protein, complex, family, small
            molecule, other. Types left out are kept.

    Returns:
        The table, in the order of the interactions it was made from, and a report. The names of
        expanded ends (`source_name`, `target_name`) are blank, their types those of the members.

    Raises:
        TypeError: `interactions` is not a table.
        ValueError: A type or choice is not legal, or the members of a code to expand are not
            given, or are itself.

    Example:
        >>> table = pd.DataFrame({"source": ["COMPLEX:P08476_P09529"], "target": ["P27037"]})
        >>> table[["stimulation", "inhibition"]] = [1, 0]
        >>> resolve_entities(table, how={"complex": "expand"}).interactions["source"].tolist()
        ['P08476', 'P09529']
    """
    table = check_interactions(interactions)
    how = _check_how(how or {})
    codes = pd.unique(pd.concat([table["source"], table["target"]]))
    parts = {code: _resolve(code, members or {}, how) for code in codes}
    gone = {code for code in codes if not parts[code]}
    expanded = {code: parts[code] for code in codes if parts[code] not in ([], [code])}

    drop = table[PAIR].isin(gone).any(axis="columns")
    dropped = table[drop]
    culprit = dropped["source"].where(dropped["source"].isin(gone), dropped["target"])
    details = [f"drop {entity_type(code)} {code}" for code in culprit]
    kept = table[~drop].reset_index(drop=True)
    result = kept
    for end in PAIR:
        result = _expand(result, end, expanded)
    origin = kept[kept[PAIR].isin(list(expanded)).any(axis="columns")]
    counts = result.index.value_counts()[origin.index]
    report = join_reports(
        report_rows(RULE, "removed", "interaction", dropped["source"], dropped["target"], details),
        report_rows(
            RULE,
            "changed",
            "interaction",
            origin["source"],
            origin["target"],
            [f"expanded to {count} interactions" for count in counts],
        ),
    )
    return Curated(result.reset_index(drop=True), report)


def _expand(table: pd.DataFrame, end: str, members: Mapping[str, list[str]]) -> pd.DataFrame:
    """One row a member, beside each other and with the index of the row they come from."""
    hit = table[end].isin(list(members))
    rows = table[hit]
    rows = rows.assign(**{end: rows[end].map(members)}).explode(end).astype({end: str})
    if f"{end}_name" in rows:
        rows[f"{end}_name"] = ""
    if f"{end}_type" in rows:
        rows[f"{end}_type"] = rows[end].map(entity_type)
    return pd.concat([table[~hit], rows]).sort_index(kind="stable")


def _resolve(
    code: str,
    members: Mapping[str, Collection[str]],
    how: Mapping[str, str],
    within: tuple[str, ...] = (),
) -> list[str]:
    """What stands for a code: itself, nothing, or its members."""
    kind = entity_type(code)
    choice = how.get(kind, "keep")
    if choice != "expand":
        return [code] if choice == "keep" else []
    if code in within:
        raise ValueError(f"'{code}' is a member of itself: {' > '.join((*within, code))}.")
    parts = members.get(code, [])
    if not parts and code.startswith("COMPLEX:"):
        parts = code.removeprefix("COMPLEX:").split("_")
    if not parts:
        raise ValueError(
            f"The members of '{code}' ({kind}) are not given, so it cannot be expanded. "
            f"Add them to `members`, or choose how={{'{kind}': 'keep'}} or 'drop'."
        )
    found = (_resolve(part, members, how, (*within, code)) for part in parts)
    return list(dict.fromkeys(itertools.chain.from_iterable(found)))


def _check_how(how: Mapping[str, str]) -> Mapping[str, str]:
    for kind, choice in how.items():
        if kind not in ENTITY_TYPES:
            raise ValueError(f"`how` has the type {kind!r}. Legal are {', '.join(ENTITY_TYPES)}.")
        if choice not in CHOICES:
            raise ValueError(
                f"`how` has {choice!r} for the type '{kind}'. Legal are {', '.join(CHOICES)}."
            )
    return how
