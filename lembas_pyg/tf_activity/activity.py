"""The whole way: expression and regulon, or scores, to the activities a model is trained on."""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lembas_pyg.io.report import join_reports, report_rows
from lembas_pyg.io.samples import CONDITION, SAMPLE, check_samples
from lembas_pyg.tf_activity.expression import check_expression, prepare_expression
from lembas_pyg.tf_activity.naming import accessions_of
from lembas_pyg.tf_activity.replicates import (
    MAX_SPREAD,
    QUANTILE,
    check_measured,
    mean_activity,
    replicate_spread,
    spread_of_tfs,
)
from lembas_pyg.tf_activity.scores import enrichment_scores

logger = logging.getLogger(__name__)

SINGLES = ("error", "keep")
UNLISTED = ("error", "drop")


@dataclass(frozen=True)
class TFActivity:
    """TF activities, and where they come from.

    Attributes:
        activity: In [0, 1], conditions x TFs that were kept, named by accession: the table
            `lembas_pyg.network.add_conditions` takes.
        spread: Standard deviation among replicates, conditions x all TFs by the name they were
            scored under; NaN for a condition with one sample.
        scores: Samples x all TFs.
        samples: The sample sheet.
        tfs: One row a TF that was scored: tf, code (blank if unknown or ambiguous), spread (75th
            percentile over conditions), kept, reason (blank where kept).
        report: Everything that was left out and why, as `lembas_pyg.io.write_report` writes it.
    """

    activity: pd.DataFrame
    spread: pd.DataFrame
    scores: pd.DataFrame
    samples: pd.DataFrame
    tfs: pd.DataFrame
    report: pd.DataFrame


def infer_tf_activity(
    expression: pd.DataFrame,
    regulon: pd.DataFrame,
    samples: pd.DataFrame,
    names: Mapping[str, str] | pd.Series | None = None,
    *,
    method: str = "viper",
    min_targets: int = 5,
    detection: pd.DataFrame | None = None,
    log: bool = False,
    scale: bool = False,
    max_spread: float | None = MAX_SPREAD,
    singles: str = "error",
    unlisted: str = "error",
    chosen: Mapping[str, str] | None = None,
) -> TFActivity:
    """Infer the activity of TFs in every condition from the expression of their targets.

    Calls `prepare_expression`, `enrichment_scores` and `activity_from_scores`, in this order.

    Args:
        expression: Samples x genes, on a log scale unless `log`. Samples that are not of interest
            but of the same experiment may stay, as centring is better for them; see `unlisted`.
        regulon: source, target, weight, its targets named as the genes are.
        samples: The sample sheet: sample, condition.
        names: Code -> symbol, for the accessions of TFs. Without it TFs keep the names of the
            regulon.
        method: viper, ulm or consensus.
        min_targets: Measured targets a TF needs.
        detection: P-values of detection, samples x genes.
        log: Whether to take logarithms first.
        scale: Whether to divide each gene by its standard deviation.
        max_spread: TFs that spread more among replicates are left out; none if None.
        singles: What to do with conditions of one sample: error, or keep.
        unlisted: What to do with samples that the sheet does not have: error, or drop.
        chosen: Symbol -> code, where `names` knows none or several.

    Returns:
        Activities of conditions, the spread and scores behind them, and the joined report.

    Raises:
        ImportError: decoupler is not installed.
        TypeError: A table is not one.
        ValueError: As of the three functions.

    References:
        Nilsson et al. (2022), Methods, "Literature data" and "Transcriptomics".
    """
    sheet = check_samples(samples)
    _check_listed(check_expression(expression), sheet, unlisted)
    _check_singles(sheet, singles)
    prepared = prepare_expression(expression, detection=detection, log=log, scale=scale)
    scored = enrichment_scores(prepared.table, regulon, method=method, min_targets=min_targets)
    found = activity_from_scores(
        scored.table, sheet, names,
        max_spread=max_spread, singles=singles, unlisted=unlisted, chosen=chosen,
    )  # fmt: skip
    report = join_reports(prepared.report, scored.report, found.report)
    return TFActivity(**{**vars(found), "report": report})


def activity_from_scores(
    scores: pd.DataFrame,
    samples: pd.DataFrame,
    names: Mapping[str, str] | pd.Series | None = None,
    *,
    max_spread: float | None = MAX_SPREAD,
    singles: str = "error",
    unlisted: str = "error",
    chosen: Mapping[str, str] | None = None,
) -> TFActivity:
    """Average scores of replicates as activities, without TFs that replicates disagree on.

    Args:
        scores: Samples x TFs.
        samples: As in `infer_tf_activity`.
        names: As in `infer_tf_activity`.
        max_spread: As in `infer_tf_activity`; on the scale of activities.
        singles: Conditions of one sample have no spread. ``error`` refuses them, ``keep`` takes
            the sample for the mean, leaves the condition out of the spread, and reports it.
        unlisted: ``error`` or ``drop``, which reports them.
        chosen: As in `infer_tf_activity`.

    Returns:
        Activities of conditions, the spread behind them, and the report. A warning names TFs
        without an accession, or with several.

    Raises:
        TypeError: A table is not one.
        ValueError: A sample of the sheet has no scores or one with scores is not in the sheet, a
            condition has one sample, no TF is left, or an option is illegal.

    References:
        Nilsson et al. (2022), Methods, "Literature data"; SI Fig. 13. Means, spread and filter give
        the published table of the literature data (88 TFs, 23 conditions) to the last digit.
    """
    if max_spread is not None and not max_spread >= 0:
        raise ValueError(f"`max_spread` is {max_spread}; give 0 or more, or None for no filter.")
    table, sheet = check_expression(scores, "The table of scores"), check_samples(samples)
    dropped = _check_listed(table, sheet, unlisted)
    alone = _check_singles(sheet, singles)
    activity, spread = mean_activity(table, sheet), replicate_spread(table, sheet)
    tfs, named = _table_of_tfs(spread, names, chosen, max_spread)
    if not tfs["kept"].any():
        raise ValueError(
            f"None of {len(tfs)} TFs is left: {', '.join(tfs['tf'].head(3))}, ... have reasons "
            f"such as '{tfs['reason'].iloc[0]}'. Raise `max_spread`, or correct the names."
        )
    kept = tfs[tfs["kept"]]
    activity = activity[kept["tf"].tolist()].set_axis(kept["code"].tolist(), axis="columns")
    loose = tfs[tfs["reason"].str.startswith("spread")]
    report = join_reports(
        report_rows("sample sheet", "removed", "sample", dropped, detail="not in the sample sheet"),
        report_rows(
            "replicates", "kept", "condition", alone, detail="one sample: its spread is not known"
        ),
        report_rows("replicates", "removed", "TF", loose["tf"], detail=loose["reason"]),
        named,
    )
    logger.info(
        "%d conditions of %d samples; %d of %d TFs kept.",
        len(activity), len(sheet), len(kept), len(tfs),
    )  # fmt: skip
    return TFActivity(activity, spread, table, sheet, tfs, report)


def _table_of_tfs(
    spread: pd.DataFrame,
    names: Mapping[str, str] | pd.Series | None,
    chosen: Mapping[str, str] | None,
    max_spread: float | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What becomes of each TF; and the report of those without an accession."""
    symbols = list(spread.columns)
    codes, named = dict(zip(symbols, symbols, strict=True)), report_rows("", "kept", "TF", [])
    if names is not None or chosen is not None:
        known = {} if names is None else names
        codes, named = accessions_of(symbols, known, chosen=chosen)
    if len(named):
        warnings.warn(
            f"{len(named)} of {len(symbols)} TFs have no accession and are left out: "
            + "; ".join(f"{row.source} ({row.detail})" for row in named.itertuples())
            + ". Choose one by `chosen` (in a shell: --accessions SYMBOL=ACCESSION).",
            stacklevel=3,
        )
    reasons = dict(zip(named["source"], named["detail"], strict=True))
    width = spread_of_tfs(spread)
    if max_spread is not None:
        for tf, value in width[width > max_spread].items():
            too_wide = f"spread among replicates {value:.4f} > {max_spread:g}"
            reasons[str(tf)] = f"{too_wide} (percentile {100 * QUANTILE:.0f} over conditions)"
    tfs = pd.DataFrame(
        {
            "tf": symbols,
            "code": [codes.get(symbol, "") for symbol in symbols],
            "spread": width.to_numpy(),
            "kept": [symbol not in reasons for symbol in symbols],
            "reason": [reasons.get(symbol, "") for symbol in symbols],
        }
    )
    return tfs, named


def _check_listed(table: pd.DataFrame, sheet: pd.DataFrame, unlisted: str) -> list[str]:
    """Samples of the table that the sheet does not have; there may be none the other way round."""
    if unlisted not in UNLISTED:
        raise ValueError(f"`unlisted` is {unlisted!r}. Legal are {', '.join(UNLISTED)}.")
    check_measured(table, sheet)
    listed = set(sheet[SAMPLE])
    extra = [name for name in table.index if name not in listed]
    if extra and unlisted == "error":
        raise ValueError(
            f"{len(extra)} of {len(table)} measured samples are not in the sample sheet, such as "
            f"'{extra[0]}'. Add them, or leave them out by unlisted='drop' (they are reported)."
        )
    return extra


def _check_singles(sheet: pd.DataFrame, singles: str) -> list[str]:
    """Conditions of one sample."""
    if singles not in SINGLES:
        raise ValueError(f"`singles` is {singles!r}. Legal are {', '.join(SINGLES)}.")
    size = sheet.groupby(CONDITION)[SAMPLE].size()
    alone = list(size.index[size == 1])
    if alone and singles == "error":
        raise ValueError(
            f"{len(alone)} of {len(size)} conditions have one sample, such as '{alone[0]}'; the "
            "spread among replicates is not known there. Add replicates, or keep these conditions "
            "by singles='keep' (they are reported, and left out of the spread)."
        )
    return alone
