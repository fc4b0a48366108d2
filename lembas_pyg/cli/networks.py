"""What `convert` and `curate` do: tables of databases to a network, and a network pruned."""

from __future__ import annotations

import argparse
import logging
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.speech import notes_at_the_end

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

__all__ = ["FORMATS", "convert", "curate"]

logger = logging.getLogger("lembas_pyg")

FORMATS = ("omnipath", "signor", "kgml", "table")
CONVERT_INPUTS = ("files", "curation", "uniprot", "ligand_receptor", "regulon")


@notes_at_the_end()
def convert(arguments: argparse.Namespace) -> int:
    """Make the tables of a network from those of databases."""
    _check_convert(arguments)
    outputs = check_outputs(arguments, "out", "annotation_out", "report", inputs=CONVERT_INPUTS)

    from lembas_pyg.io import (
        assemble_interactions,
        join_reports,
        make_annotation,
        read_curation,
        read_gene_names,
        read_ligand_receptor,
        read_regulon,
        report_rows,
        write_annotation,
        write_interactions,
        write_report,
    )

    proteins = None if arguments.uniprot is None else read_gene_names(arguments.uniprot)
    with _naming_format(arguments):
        tables = _read_tables(arguments)
    curation = None if arguments.curation is None else read_curation(arguments.curation)
    ligand_receptor = None
    if arguments.ligand_receptor is not None:
        ligand_receptor = read_ligand_receptor(arguments.ligand_receptor)
    skipped = _skipped(tables if ligand_receptor is None else [*tables, ligand_receptor])
    with _naming_options():
        interactions, report = assemble_interactions(
            tables,
            curation=curation,
            resources=arguments.resources,
            referenced=arguments.referenced,
            proteins=None if proteins is None else proteins.index,
            ligand_receptor=ligand_receptor,
            ligand_receptor_resources=arguments.ligand_receptor_resources,
            ligands=None if ligand_receptor is None else arguments.ligands,
        )
    _check_given("--ligands", arguments.ligands, interactions)
    _check_given("--tfs", arguments.tfs, interactions)
    annotation = None
    if "annotation_out" in outputs:
        ligands = arguments.ligands or []
        if not ligands and ligand_receptor is not None:
            ligands = ligand_receptor["source"].unique().tolist()
        tfs = arguments.tfs or []
        if arguments.regulon is not None:
            tfs = read_regulon(arguments.regulon)["source"].unique().tolist()
            _check_regulon(arguments.regulon, tfs, interactions)
        names = _symbols(tables)
        if proteins is not None:
            names |= proteins[proteins != ""].to_dict()
        annotation = make_annotation(interactions, ligands=ligands, tfs=tfs, names=names)
        _warn_of_roles(annotation)
    write_interactions(interactions, outputs["out"])
    if annotation is not None:
        write_annotation(annotation, outputs["annotation_out"])
    if "report" in outputs:
        unread = report_rows(
            "read",
            "removed",
            "interaction",
            [""] * len(skipped),
            detail=[f"{count:,} of {file}: {reason}" for file, reason, count in skipped],
        )
        write_report(join_reports(unread, report), outputs["report"])
    num_rows, num_skipped = sum(map(len, tables)), sum(count for *_, count in skipped)
    _tell(outputs["out"], interactions, report, num_rows, num_skipped)
    return 0


@notes_at_the_end()
def curate(arguments: argparse.Namespace) -> int:
    """Prune a network, and its annotation along."""
    steps = [
        name
        for name in ("remove_ligand_feedback", "remove_dead_ends", "remove_redundant")
        if getattr(arguments, name)
    ]
    if not steps:
        arguments.parser.error(
            "nothing to do; add --remove-dead-ends, --remove-redundant or --remove-ligand-feedback"
        )
    outputs = check_outputs(
        arguments, "out", "report", "annotation_out", inputs=("network", "annotation")
    )

    from lembas_pyg import transforms
    from lembas_pyg.io import (
        join_reports,
        merge_with_report,
        read_annotation,
        report_rows,
        write_annotation,
        write_interactions,
        write_report,
    )
    from lembas_pyg.io.interactions import check_directed, read_rows
    from lembas_pyg.network import (
        curation_report,
        from_interactions,
        to_annotation,
        to_interactions,
    )

    rows, annotation = read_rows(arguments.network), read_annotation(arguments.annotation)
    check_directed(rows, f"{arguments.network}, line")
    table, merged = merge_with_report(rows)
    data = from_interactions(table, annotation)
    is_lone = ~annotation["code"].isin(data.node_name)
    lone = report_rows(
        "from interactions", "removed", "node", annotation["code"][is_lone],
        detail="no interaction names it",
    )  # fmt: skip
    remove: dict[str, Callable[[Data], Data]] = {
        "remove_ligand_feedback": transforms.RemoveLigandFeedback(),
        "remove_dead_ends": transforms.RemoveDeadEnds(),
        "remove_redundant": transforms.RemoveRedundantNodes(),
    }
    for step in steps:
        data = remove[step](data)
    interactions = to_interactions(data, table)
    report = join_reports(merged, lone, curation_report(data))
    write_interactions(interactions, outputs["out"])
    if "annotation_out" in outputs:
        write_annotation(to_annotation(data), outputs["annotation_out"])
    if "report" in outputs:
        write_report(report, outputs["report"])
    _tell(outputs["out"], interactions, report, len(rows))
    return 0


def _check_convert(arguments: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    for option, given, needed in (
        ("--regulon", arguments.regulon, ("annotation_out",)),
        ("--tfs", arguments.tfs, ("annotation_out",)),
        ("--ligand-receptor-resources", arguments.ligand_receptor_resources, ("ligand_receptor",)),
        ("--ligands", arguments.ligands, ("ligand_receptor", "annotation_out")),
    ):
        if given is not None and all(getattr(arguments, name) is None for name in needed):
            names = " or ".join(f"--{name.replace('_', '-')}" for name in needed)
            arguments.parser.error(f"argument {option}: it has no effect by itself; add {names}")


def _check_given(option: str, codes: Collection[str] | None, interactions: pd.DataFrame) -> None:
    """Every node that was given a role has to be in the network."""
    known = {*interactions["source"], *interactions["target"]}
    unknown = [code for code in codes or () if code not in known]
    if unknown:
        raise ValueError(
            f"`{option}` has {', '.join(map(repr, unknown))}, which no interaction that is left "
            f"names ({len(unknown)} of {len(codes or ())}). Nodes are named by accession; "
            "correct it, leave it out, or keep its interactions."
        )


def _check_regulon(path: Path, tfs: Collection[str], interactions: pd.DataFrame) -> None:
    """Some TF of a regulon has to be in the network."""
    nodes = {*interactions["source"], *interactions["target"]}
    if nodes.isdisjoint(tfs):
        raise ValueError(
            f"--regulon {path}: none of its {len(tfs):,} sources, such as {sorted(tfs)[:3]}, is in "
            f"the network, whose nodes are such as {sorted(nodes)[:3]}. Both have to be "
            "accessions; or name the TFs of the network with --tfs."
        )


def _warn_of_roles(annotation: pd.DataFrame) -> None:
    """A network without ligands or TFs cannot be trained or pruned."""
    for role, words in (
        ("ligand", "no ligand; name them with --ligands, or give --ligand-receptor"),
        ("TF", "no transcription factor; name them with --tfs, or give --regulon"),
    ):
        if not annotation[role].any():
            warnings.warn(f"The annotation has {words}.", stacklevel=2)


@contextmanager
def _naming_options() -> Iterator[None]:
    """Errors that begin with the name of an argument name the option."""
    try:
        yield
    except ValueError as error:
        raise ValueError(re.sub(r"^`(\w+)`", _option, str(error))) from error


@contextmanager
def _naming_format(arguments: argparse.Namespace) -> Iterator[None]:
    """An error about a file that has the signs of another format names that format."""
    try:
        yield
    except ValueError as error:
        for path in arguments.files:
            found = _format_of(path)
            if found not in (None, arguments.format) and str(path) in str(error):
                hint = f"{path} looks like --format {found}, not {arguments.format}."
                raise ValueError(f"{error} {hint}") from error
        raise


def _format_of(path: Path) -> str | None:
    """The format whose signs the beginning of a file has; none if it cannot be told."""
    from lembas_pyg.io.tsv import read_text

    try:
        start = read_text(path)[:4000].decode("utf-8", "replace").casefold()
    except (OSError, ValueError):
        return None
    header = re.split(r"[\t;,]", start.lstrip("\n").partition("\n")[0])
    if "<pathway" in start:
        return "kgml"
    if "entitya" in header:
        return "signor"
    if {"consensus_direction", "is_directed"} & set(header):
        return "omnipath"
    return "table" if {"source", "direction", "stimulation"} <= set(header) else None


def _option(match: re.Match[str]) -> str:
    return f"`--{match[1].replace('_', '-')}`"


def _skipped(tables: Iterable[pd.DataFrame]) -> list[tuple[str, str, int]]:
    """File, reason and number of what readers left out."""
    provenances = [table.attrs.get("provenance", {}) for table in tables]
    return [
        (provenance.get("file", "the table"), reason, count)
        for provenance in provenances
        for reason, count in provenance.get("skipped", {}).items()
        if count
    ]


def _read_tables(arguments: argparse.Namespace) -> list[pd.DataFrame]:
    from lembas_pyg.io import read_kegg_mapping, read_kgml, read_omnipath, read_signor
    from lembas_pyg.io.interactions import read_rows

    if arguments.format == "kgml":
        mapping = None if arguments.uniprot is None else read_kegg_mapping(arguments.uniprot)
        return [read_kgml(path, mapping) for path in arguments.files]
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        "omnipath": read_omnipath,
        "signor": read_signor,
        "table": read_rows,
    }
    return [readers[arguments.format](path) for path in arguments.files]


def _symbols(tables: Iterable[pd.DataFrame]) -> dict[str, str]:
    """Symbols that the tables of databases know; the first that is not blank counts."""
    symbols: dict[str, str] = {}
    for table in tables:
        for end in ("source", "target"):
            if f"{end}_name" in table:
                named = table[table[f"{end}_name"] != ""].drop_duplicates(end)
                found = dict(zip(named[end], named[f"{end}_name"], strict=True))
                symbols = found | symbols
    return symbols


def _tell(
    path: Path,
    interactions: pd.DataFrame,
    report: pd.DataFrame,
    num_rows: int,
    num_skipped: int = 0,
) -> None:
    """One line: how many interactions are left, and what each rule did to how many."""
    of_interactions = report[report["item"] == "interaction"]
    counts = of_interactions.groupby(["rule", "action"], sort=False).size()
    steps = [f"{rule}: {count:,} {action}" for (rule, action), count in counts.items()]
    if num_skipped:
        steps.insert(0, f"read: {num_skipped:,} skipped")
    logger.info(
        "%s: %s interactions of %s rows. %s",
        path,
        f"{len(interactions):,}",
        f"{num_rows:,}",
        "; ".join(steps) or "Nothing was changed.",
    )
