"""KEGG pathways (KGML) as interaction tables.

A pathway has entries (boxes of one or many genes, groups of boxes, compounds, other maps) and
relations between them. A relation has a type (who acts on what) and any number of subtypes (how);
only some subtypes have a sign.

KEGG content is under KEGG's own licence and may not be redistributed: download it yourself.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lembas_pyg.io.kegg_entries import Entries, Mapped, Node, as_mapping
from lembas_pyg.io.markup import Element, attribute, read_xml
from lembas_pyg.io.replace import FilePath

logger = logging.getLogger(__name__)

RELATION_TYPES = ("PPrel", "GErel", "PCrel", "ECrel", "maplink")
# Sign of every subtype; 0 for those that say how and not which way.
SUBTYPE_SIGNS = {
    "activation": 1,
    "expression": 1,
    "inhibition": -1,
    "repression": -1,
    "phosphorylation": 0,
    "dephosphorylation": 0,
    "ubiquitination": 0,
    "glycosylation": 0,
    "methylation": 0,
    "binding/association": 0,
    "dissociation": 0,
    "indirect effect": 0,
    "missing interaction": 0,
    "state change": 0,
    "compound": 0,
    "hidden compound": 0,
}
OLD_SPELLINGS = {
    "indirect": "indirect effect",
    "missing": "missing interaction",
    "ubiquination": "ubiquitination",
}
WITHOUT_ARROW = frozenset({"binding/association", "dissociation"})
COMPOUND = frozenset({"compound", "hidden compound"})


class _Arrow(NamedTuple):
    """An interaction of two nodes, as a relation states it."""

    source: Node
    target: Node
    direction: int
    stimulation: int
    inhibition: int
    mechanism: str
    relation: str
    line: int


def read_kgml(
    path: FilePath,
    mapping: Mapped | pd.DataFrame | None = None,
    *,
    unmapped: Literal["keep", "drop"] = "keep",
    groups: Literal["members", "complex", "drop"] = "members",
    compounds: Literal["drop", "link", "keep"] = "drop",
    missing: Literal["drop", "keep"] = "drop",
) -> pd.DataFrame:
    """Read the relations of one KEGG pathway.

    An entry with several genes stands for each of them, so a relation gives all pairs of a source
    and a target. Signs and directions follow the subtypes:

    * activation and expression are stimulations, inhibition and repression inhibitions; a relation
      with both sets both flags, which is an unknown sign;
    * phosphorylation, other modifications, state changes, indirect effects and compounds on the way
      have a direction and, by themselves, no sign;
    * a relation with nothing but binding/association or dissociation, or without any subtype, is
      undirected (direction 0) and of unknown sign: KEGG draws no arrow head there.

    Chemical reactions (the ``<reaction>`` elements of metabolic maps) are not read.

    Args:
        path: KGML, plain or ``.gz``.
        mapping: Accessions of KEGG gene ids such as ``hsa:5594``: a dictionary (id -> accession, or
            several), or a table with the columns ``kegg`` and ``code``. None keeps KEGG's ids.
            `read_kegg_mapping` reads one.
        unmapped: With a mapping, what to do with ids it lacks: keep them as they are, or drop them.
        groups: Groups of entries: each member interacts by itself, all members are one complex
            (``COMPLEX:A_B``, codes sorted), or relations of groups are dropped.
        compounds: Relations with a small molecule (PCrel), and between enzymes that share one
            (ECrel). They are dropped; or the proteins before and after a molecule are linked, the
            sign being the product of both, and enzymes in the order of their reactions with unknown
            sign; or molecules are kept as nodes with KEGG's code (``cpd:C00076``). A relation of
            proteins (PPrel) that only mentions a compound stays in any case.
        missing: Relations marked as lost in disease ("missing interaction").

    Returns:
        The interaction table, not merged, in the order of the file, with the further columns
        source_name, target_name (symbols where the file has them), source_type, target_type,
        mechanism (subtypes, separated by ``;``), relation (type), pathway and line. What was
        skipped and why is counted in ``.attrs["provenance"]``.

    Raises:
        OSError: There is no such file.
        ValueError: The file is damaged or not KGML, a relation or group names an entry that does
            not exist, or a type or subtype is not known.

    References:
        KEGG Markup Language manual, version 0.7.2.
    """
    for name, value, legal in (
        ("unmapped", unmapped, ("keep", "drop")),
        ("groups", groups, ("members", "complex", "drop")),
        ("compounds", compounds, ("drop", "link", "keep")),
        ("missing", missing, ("drop", "keep")),
    ):
        if value not in legal:
            raise ValueError(f"{name} is {value!r}; choose from {', '.join(legal)}.")
    pathway = read_xml(path, root="pathway")
    nodes = Entries(pathway, path, as_mapping(mapping), unmapped == "drop", groups)
    skipped: Counter[str] = Counter()
    arrows: list[_Arrow] = []
    num_relations = 0
    for relation in pathway.find("relation"):
        num_relations += 1
        arrows += _arrows(relation, nodes, path, compounds, missing == "keep", skipped)
    if compounds == "link":
        arrows = _bridge(arrows)
    table = _to_table(arrows, pathway.attributes.get("name", "").removeprefix("path:"))
    table.attrs["provenance"] = {
        "file": str(path),
        "format": "KGML",
        "pathway": pathway.attributes.get("name", ""),
        "title": pathway.attributes.get("title", ""),
        "organism": pathway.attributes.get("org", ""),
        "relations": num_relations,
        "rows": len(table),
        "skipped": dict(skipped),
        "unmapped": sorted(nodes.unmapped),
    }
    logger.info(
        "%s: %d relations gave %d interactions; skipped %s; %d gene ids without accession.",
        Path(path).name,
        num_relations,
        len(table),
        ", ".join(f"{count} ({reason})" for reason, count in skipped.items()) or "none",
        len(nodes.unmapped),
    )
    return table


def _arrows(
    relation: Element,
    entries: Entries,
    path: FilePath,
    compounds: str,
    keep_missing: bool,
    skipped: Counter[str],
) -> list[_Arrow]:
    """Every interaction that a relation stands for; counts what it leaves out."""
    kind = attribute(relation, "type", path)
    if kind not in RELATION_TYPES:
        raise ValueError(
            f"{path}, line {relation.line}: the relation type '{kind}' is not known. Known are "
            f"{', '.join(RELATION_TYPES)}. Correct the line, or remove it."
        )
    ends = [entries.entry(attribute(relation, key, path), relation) for key in ("entry1", "entry2")]
    subtypes = _subtypes(relation, path)
    mediators = [
        entries.entry(attribute(subtype, "value", path), subtype)
        for subtype in relation.find("subtype")
        if attribute(subtype, "name", path) in COMPOUND
    ]
    kinds = {entries.kind(entry) for entry in ends}
    others = sorted(kinds - {"protein", "group", "compound"})
    if kind == "maplink" or others:
        skipped[f"touches an entry of type {others[0]}" if others else "link to another map"] += 1
        return []
    for reason, applies in (
        ("interaction missing in disease", "missing interaction" in subtypes and not keep_missing),
        ("touches a group", "group" in kinds and entries.groups == "drop"),
        ("touches a compound", "compound" in kinds and compounds == "drop"),
        ("enzymes that share a compound", kind == "ECrel" and compounds == "drop"),
    ):
        if applies:
            skipped[reason] += 1
            return []
    sources, targets = map(entries.nodes, ends)
    flags = _flags(subtypes)
    mechanism = ";".join(subtypes)

    def pairs(sources: Sequence[Node], targets: Sequence[Node]) -> list[_Arrow]:
        both = product(sources, targets)
        return [_Arrow(*pair, *flags, mechanism, kind, relation.line) for pair in both]

    if kind == "ECrel" and compounds == "keep":
        molecules = [node for entry in mediators for node in entries.nodes(entry)]
        return pairs(sources, molecules) + pairs(molecules, targets)
    if not (sources and targets):
        skipped["gene ids without accession" if entries.drop_unmapped else "empty group"] += 1
    return pairs(sources, targets)


def _subtypes(relation: Element, path: FilePath) -> list[str]:
    """The subtypes of a relation in today's spelling, each once."""
    found: dict[str, None] = {}
    for subtype in relation.find("subtype"):
        name = attribute(subtype, "name", path)
        name = OLD_SPELLINGS.get(name, name)
        if name not in SUBTYPE_SIGNS:
            raise ValueError(
                f"{path}, line {subtype.line}: the subtype '{name}' is not known. Known are "
                f"{', '.join([*SUBTYPE_SIGNS, *OLD_SPELLINGS])}. Correct the line, or remove it."
            )
        found[name] = None
    return list(found)


def _flags(subtypes: Sequence[str]) -> tuple[int, int, int]:
    """Direction, stimulation, inhibition."""
    signs = {SUBTYPE_SIGNS[name] for name in subtypes}
    has_arrow = bool(set(subtypes) - WITHOUT_ARROW)
    return int(has_arrow), int(1 in signs), int(-1 in signs)


def _bridge(arrows: list[_Arrow]) -> list[_Arrow]:
    """Link what acts on a molecule to what the molecule acts on, one molecule after another."""
    molecules = dict.fromkeys(
        node for arrow in arrows for node in arrow[:2] if node.type == "small molecule"
    )
    for molecule in molecules:
        ends = [(k, end) for k, arrow in enumerate(arrows) for end in _orientations(arrow)]
        into = [(k, end) for k, end in ends if end.target == molecule != end.source]
        out = [(k, end) for k, end in ends if end.source == molecule != end.target]
        arrows = [arrow for arrow in arrows if molecule not in arrow[:2]]
        for (k, before), (n, after) in product(into, out):
            # Without any direction either order is the same link.
            if before.direction or after.direction or k < n:
                arrows.append(_joined(before, after))
    return sorted(arrows, key=lambda arrow: arrow.line)


def _orientations(arrow: _Arrow) -> list[_Arrow]:
    """An arrow, and the other way round where it has no direction."""
    if arrow.direction:
        return [arrow]
    return [arrow, arrow._replace(source=arrow.target, target=arrow.source)]


def _joined(before: _Arrow, after: _Arrow) -> _Arrow:
    """The link of two arrows; it has the direction of either, and no sign unless both have one."""
    sign = (before.stimulation - before.inhibition) * (after.stimulation - after.inhibition)
    return _Arrow(
        before.source,
        after.target,
        before.direction or after.direction,
        int(sign > 0),
        int(sign < 0),
        ";".join(dict.fromkeys([*before.mechanism.split(";"), *after.mechanism.split(";")])),
        before.relation,
        before.line,
    )


def _to_table(arrows: Sequence[_Arrow], pathway: str) -> pd.DataFrame:
    def flags(name: str) -> np.ndarray:
        return np.array([getattr(arrow, name) for arrow in arrows], dtype=np.int8)

    def texts(values: Iterable[str]) -> pd.Series:
        return pd.Series(list(values), dtype=str)

    return pd.DataFrame(
        {
            "source": texts(arrow.source.code for arrow in arrows),
            "target": texts(arrow.target.code for arrow in arrows),
            **{name: flags(name) for name in ("direction", "stimulation", "inhibition")},
            "sources": texts("KEGG" for _ in arrows),
            "references": texts("" for _ in arrows),
            "source_name": texts(arrow.source.name for arrow in arrows),
            "target_name": texts(arrow.target.name for arrow in arrows),
            "source_type": texts(arrow.source.type for arrow in arrows),
            "target_type": texts(arrow.target.type for arrow in arrows),
            "mechanism": texts(arrow.mechanism for arrow in arrows),
            "relation": texts(arrow.relation for arrow in arrows),
            "pathway": texts(pathway for _ in arrows),
            "line": np.array([arrow.line for arrow in arrows], dtype=np.int64),
        }
    )
