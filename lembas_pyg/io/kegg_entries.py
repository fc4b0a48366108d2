"""Entries of a KEGG pathway, and the nodes that each of them stands for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from lembas_pyg.io.markup import Element, attribute
from lembas_pyg.io.replace import FilePath

# What stands for a protein: genes, but orthologs or enzymes on reference maps.
PROTEIN_ENTRY = {"ko": "ortholog", "ec": "enzyme"}

Mapped = Mapping[str, str | Sequence[str]]


class Node(NamedTuple):
    """One code that an entry stands for."""

    code: str
    name: str
    type: str


def as_mapping(mapping: Mapped | pd.DataFrame | None) -> dict[str, tuple[str, ...]] | None:
    """Turn a dictionary or a table into a dictionary of accessions.

    Args:
        mapping: KEGG id -> accession or several, or a table with the columns kegg and code.

    Raises:
        ValueError: The table lacks a column.
    """
    if mapping is None:
        return None
    if isinstance(mapping, pd.DataFrame):
        if not {"kegg", "code"} <= set(mapping.columns):
            raise ValueError(
                f"The mapping has the columns {list(mapping.columns)} and needs 'kegg' (such as "
                "hsa:5594) and 'code' (accession)."
            )
        groups = mapping.groupby("kegg", sort=False)["code"]
        return {kegg: tuple(dict.fromkeys(codes)) for kegg, codes in groups}
    return {
        kegg: (codes,) if isinstance(codes, str) else tuple(dict.fromkeys(codes))
        for kegg, codes in mapping.items()
    }


class Entries:
    """The nodes that every entry of a pathway stands for.

    Args:
        pathway: The outermost element.
        path: Its file, for messages.
        mapping: Accessions of KEGG's ids, if any.
        drop_unmapped: Whether ids without accession stand for nothing.
        groups: members or complex.

    Raises:
        ValueError: Two entries have the same id.
    """

    def __init__(
        self,
        pathway: Element,
        path: FilePath,
        mapping: dict[str, tuple[str, ...]] | None,
        drop_unmapped: bool,
        groups: str,
    ) -> None:
        self.path, self.mapping = path, mapping
        self.drop_unmapped, self.groups = drop_unmapped, groups
        self.protein = PROTEIN_ENTRY.get(pathway.attributes.get("org", ""), "gene")
        self.unmapped: set[str] = set()
        self.entries: dict[str, Element] = {}
        for entry in pathway.find("entry"):
            key = attribute(entry, "id", path)
            if key in self.entries:
                raise ValueError(
                    f"{path}, line {entry.line}: the entry id '{key}' is that of line "
                    f"{self.entries[key].line} as well. Ids are unique."
                )
            self.entries[key] = entry
        self.symbols = _symbols(self.entries.values())
        self._nodes: dict[str, list[Node]] = {}

    def entry(self, key: str, referrer: Element) -> Element:
        """The entry with an id."""
        if key not in self.entries:
            raise ValueError(
                f"{self.path}, line {referrer.line}: the <{referrer.tag}> names the entry '{key}', "
                f"which the pathway does not have ({len(self.entries)} entries). Correct the line, "
                "or download the pathway again."
            )
        return self.entries[key]

    def kind(self, entry: Element) -> str:
        """Protein, group, compound, or what else an entry is."""
        kind = attribute(entry, "type", self.path)
        return "protein" if kind == self.protein else kind

    def nodes(self, entry: Element) -> list[Node]:
        """What an entry stands for."""
        key = entry.attributes["id"]
        if key not in self._nodes:
            self._nodes[key] = list(dict.fromkeys(self._resolve(entry)))
        return self._nodes[key]

    def _resolve(self, entry: Element) -> list[Node]:
        kind = self.kind(entry)
        if kind == "group":
            members = self._members(entry, (entry.attributes["id"],))
            if self.groups == "complex" and len({node.code for node in members}) > 1:
                codes = sorted({node.code for node in members})
                return [Node(f"COMPLEX:{'_'.join(codes)}", "", "complex")]
            return members
        names = attribute(entry, "name", self.path).split()
        if kind == "compound":
            return [Node(name, self.symbols.get(name, ""), "small molecule") for name in names]
        return [
            Node(code, self.symbols.get(name, ""), "protein")
            for name in names
            for code in self._codes(name)
        ]

    def _members(self, group: Element, above: tuple[str, ...]) -> list[Node]:
        members: list[Node] = []
        for component in group.find("component"):
            key = attribute(component, "id", self.path)
            entry = self.entry(key, component)
            if key in above:
                raise ValueError(
                    f"{self.path}, line {component.line}: the group '{key}' contains itself."
                )
            if self.kind(entry) == "group":
                members += self._members(entry, (*above, key))
            elif self.kind(entry) == "protein":
                members += self.nodes(entry)
        return members

    def _codes(self, kegg: str) -> tuple[str, ...]:
        if self.mapping is None:
            return (kegg,)
        if kegg not in self.mapping:
            self.unmapped.add(kegg)
            return () if self.drop_unmapped else (kegg,)
        return self.mapping[kegg]


def _symbols(entries: Iterable[Element]) -> dict[str, str]:
    """The picture of an entry shows the symbol of its first gene, then that gene's synonyms."""
    symbols: dict[str, str] = {}
    for entry in entries:
        ids = entry.attributes.get("name", "").split()
        for graphics in entry.find("graphics"):
            shown = graphics.attributes.get("name", "").split(",")[0].strip()
            if ids and shown and not shown.startswith("TITLE:"):
                symbols.setdefault(ids[0], shown.removesuffix("..."))
    return symbols
