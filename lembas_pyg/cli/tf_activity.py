"""The command ``tf-activity``: expression, or scores of TFs, to the table that `train` takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.inputs import refuse
from lembas_pyg.cli.speech import notes_at_the_end
from lembas_pyg.cli.values import did_you_mean, listed, names, number, path

if TYPE_CHECKING:
    import pandas as pd

    from lembas_pyg.tf_activity import TFActivity

__all__ = ["add_tf_activity", "tf_activity"]

INPUTS = ("expression", "scores", "regulon", "samples", "uniprot", "detection", "ligand_map")
OUTPUTS = ("out", "ligands_out", "spread_out", "scores_out", "report")
# Options that only expression, and that only --ligands-out, makes use of.
OF_EXPRESSION = ("regulon", "levels", "method", "min_targets", "detection", "log", "scale")
OF_LIGANDS = ("ligand_map", "separator", "controls", "ligand_prefix")
# A test holds these to the library, which would have to import pandas.
METHODS = ("viper", "ulm", "consensus")


def add_tf_activity(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--expression",
        type=path,
        metavar="E.tsv",
        help="genes as rows, samples as columns, on a log scale (or with --log); needs --regulon",
    )
    given.add_argument(
        "--scores",
        type=path,
        metavar="S.tsv",
        help="in its place: scores (log odds), TFs as rows, samples as columns",
    )
    parser.add_argument(
        "--samples",
        type=path,
        required=True,
        metavar="SHEET.tsv",
        help="sample, condition; one row a sample",
    )
    _add_knowledge(parser)
    _add_rules(parser)
    _add_outputs(parser)


def _add_knowledge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--regulon",
        type=path,
        metavar="R.tsv",
        help="targets of TFs, as the paper, DoRothEA, CollecTRI or OmniPath lay them out",
    )
    parser.add_argument(
        "--levels",
        type=names,
        metavar="A,B",
        help="levels of confidence of the regulon to take (default: all)",
    )
    parser.add_argument(
        "--uniprot",
        type=path,
        metavar="U.tab",
        help="table of UniProt, Entry and 'Gene Names (primary)': TFs get accessions, and a "
        "regulon by accession gets symbols",
    )
    parser.add_argument(
        "--accessions",
        type=names,
        metavar="TF=CODE,...",
        help="accessions of TFs that --uniprot does not know, or knows several of",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        type=_method,
        metavar="NAME",
        help=f"{', '.join(METHODS)} (default: viper)",
    )
    parser.add_argument(
        "--min-targets",
        type=number(int, at_least=1),
        metavar="INT",
        help="measured targets that a TF needs (default: 5)",
    )
    parser.add_argument(
        "--log", action="store_true", help="take log2(x + 1) of normalised counts first"
    )
    parser.add_argument(
        "--scale", action="store_true", help="divide each gene by its standard deviation"
    )
    parser.add_argument(
        "--detection",
        type=path,
        metavar="P.tsv",
        help="p-values of detection, laid out as the expression; genes above 0.01 in all samples "
        "are removed",
    )
    parser.add_argument(
        "--max-spread",
        type=number(float, at_least=0),
        metavar="FLOAT",
        help="TFs whose standard deviation among replicates is larger in a quarter of the "
        "conditions are removed (default: 0.2)",
    )
    parser.add_argument(
        "--keep-singles",
        action="store_true",
        help="keep conditions of one sample, whose spread is not known (default: an error)",
    )
    parser.add_argument(
        "--drop-unlisted",
        action="store_true",
        help="leave out samples that the sheet does not have, after centring (default: an error)",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        metavar="T.tsv",
        help="to write: conditions x TFs, activities in [0, 1]",
    )
    parser.add_argument(
        "--spread-out",
        type=path,
        metavar="SD.tsv",
        help="to write as well: standard deviation among replicates, conditions x all TFs",
    )
    parser.add_argument(
        "--scores-out",
        type=path,
        metavar="S.tsv",
        help="to write as well: scores, TFs as rows, samples as columns",
    )
    parser.add_argument(
        "--report",
        type=path,
        metavar="R.tsv",
        help="to write as well: genes, samples and TFs that were left out, and why",
    )
    parser.add_argument(
        "--ligands-out",
        type=path,
        metavar="L.tsv",
        help="to write as well: conditions x ligands, 1 where a condition is named after it",
    )
    parser.add_argument(
        "--ligand-map",
        type=path,
        metavar="MAP.tsv",
        help="Name and Code of each ligand in the names of conditions (default: names are codes)",
    )
    parser.add_argument(
        "--separator",
        metavar="TEXT",
        help="between ligands in the names of conditions (default: +)",
    )
    parser.add_argument(
        "--controls", type=names, metavar="NAME,...", help="names that stand for no ligand"
    )
    parser.add_argument(
        "--ligand-prefix", metavar="TEXT", help="put before the codes of ligands (default: none)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


@notes_at_the_end()
def tf_activity(arguments: argparse.Namespace) -> int:
    """Write the activities, and what else was asked for."""
    _check(arguments)
    outputs = check_outputs(arguments, *OUTPUTS, inputs=INPUTS)

    from lembas_pyg.io import (
        join_reports,
        ligand_matrix,
        read_ligand_map,
        write_conditions,
        write_report,
        write_tsv,
    )

    found, unread = _infer(arguments)
    ligands = None
    if "ligands_out" in outputs:
        codes = arguments.ligand_map and read_ligand_map(arguments.ligand_map)
        options = {
            "separator": arguments.separator,
            "controls": arguments.controls,
            "prefix": arguments.ligand_prefix,
        }
        options = {name: value for name, value in options.items() if value is not None}
        ligands = ligand_matrix(list(found.activity.index), codes, **options)
    write_conditions(found.activity, outputs["out"])
    if ligands is not None:
        write_conditions(ligands, outputs["ligands_out"])
    if "spread_out" in outputs:
        write_conditions(found.spread, outputs["spread_out"])
    if "scores_out" in outputs:
        scores = found.scores.T.rename_axis(index="TF", columns=None).reset_index()
        write_tsv(scores, outputs["scores_out"])
    if "report" in outputs:
        write_report(join_reports(unread, found.report), outputs["report"])
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that are missing or would have no effect."""
    if arguments.expression is not None and arguments.regulon is None:
        refuse(arguments, "argument --expression: it needs a regulon; add --regulon R.tsv")
    for group, needed in ((OF_EXPRESSION, "expression"), (OF_LIGANDS, "ligands_out")):
        for name in group:
            given = getattr(arguments, name) not in (None, False)
            if given and getattr(arguments, needed) is None:
                option, other = (f"--{text.replace('_', '-')}" for text in (name, needed))
                refuse(arguments, f"argument {option}: it has no effect without {other}")
    for text in arguments.accessions or ():
        symbol, sign, code = text.partition("=")
        if not (symbol and sign and code):
            refuse(arguments, f"argument --accessions: '{text}' is not like RELA=Q04206")


def _infer(arguments: argparse.Namespace) -> tuple[TFActivity, pd.DataFrame]:
    """The activities, and what the reader of the regulon left out."""
    from lembas_pyg.io import (
        empty_report,
        read_expression,
        read_gene_names,
        read_regulon,
        read_samples,
        regulon_by_symbol,
        report_rows,
    )
    from lembas_pyg.tf_activity import activity_from_scores, infer_tf_activity

    samples = read_samples(arguments.samples)
    proteins = None if arguments.uniprot is None else read_gene_names(arguments.uniprot)
    chosen = dict(text.split("=", 1) for text in arguments.accessions or ()) or None
    options: dict[str, Any] = {"chosen": chosen}
    if arguments.max_spread is not None:
        options["max_spread"] = arguments.max_spread
    if arguments.keep_singles:
        options["singles"] = "keep"
    if arguments.drop_unlisted:
        options["unlisted"] = "drop"
    if arguments.scores is not None:
        scores = read_expression(arguments.scores)
        with _naming_options():
            return activity_from_scores(scores, samples, proteins, **options), empty_report()
    expression = read_expression(arguments.expression)
    regulon = read_regulon(arguments.regulon, levels=arguments.levels)
    skipped = {reason: n for reason, n in regulon.attrs["provenance"]["skipped"].items() if n}
    unread = report_rows(
        "read", "removed", "interaction", [""] * len(skipped),
        detail=[f"{n:,} of {arguments.regulon}: {reason}" for reason, n in skipped.items()],
    )  # fmt: skip
    if proteins is not None and regulon["target"].isin(proteins.index).any():
        regulon = regulon_by_symbol(regulon, proteins)
    detection = None if arguments.detection is None else read_expression(arguments.detection)
    for name in ("method", "min_targets"):
        if getattr(arguments, name) is not None:
            options[name] = getattr(arguments, name)
    options |= {"log": arguments.log, "scale": arguments.scale, "detection": detection}
    with _naming_options():
        return infer_tf_activity(expression, regulon, samples, proteins, **options), unread


# What a message of the library calls an argument, and what it is called here.
_OPTIONS = {
    "singles='keep'": "--keep-singles",
    "unlisted='drop'": "--drop-unlisted",
    "`min_targets`": "--min-targets",
    "`max_spread`": "--max-spread",
    "leave `log` out": "leave out --log",
    "`lembas_pyg.io.regulon_by_symbol(regulon, names)` names them by symbol (names: "
    "`read_gene_names` of a table of UniProt)": "Add --uniprot, which names them by symbol",
}


@contextmanager
def _naming_options() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        text = str(error)
        for name, option in _OPTIONS.items():
            text = text.replace(name, option)
        raise ValueError(text) from error


def _method(text: str) -> str:
    name = text.lower()
    if name not in METHODS:
        meant = did_you_mean(name, METHODS)
        raise argparse.ArgumentTypeError(f"'{text}' is not a method{meant or listed(METHODS)}")
    return name
