"""Expression made ready for scores: genes that say nothing removed, logs, centred."""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd

from lembas_pyg.io.report import join_reports, report_rows

logger = logging.getLogger(__name__)

# Nilsson et al. (2022), Methods, "Literature data".
MAX_DETECTION_P = 0.01
MIN_VARIATION = 1e-6


class Reported(NamedTuple):
    """A table, and what was left out of it and why."""

    table: pd.DataFrame
    report: pd.DataFrame


def prepare_expression(
    expression: pd.DataFrame,
    *,
    detection: pd.DataFrame | None = None,
    log: bool = False,
    scale: bool = False,
) -> Reported:
    r"""Remove genes without detection or variance, and centre the others.

    .. math:: x_{sg} = e_{sg} - \frac{1}{S} \sum_{s'} e_{s'g}

    Args:
        expression: Samples x genes, on a log scale (microarrays, variance-stabilised or normalised
            log counts), or without it if `log`. All samples of the experiment belong in it: what
            is high or low is so against their mean.
        detection: P-values of detection, samples x genes, where the platform gives them. A gene
            whose smallest is above 0.01 was nowhere detected.
        log: Whether to take :math:`\log_2(e + 1)` first, of counts that were scaled to the same
            depth in every sample.
        scale: Whether to divide each gene by its standard deviation, so that genes of small
            and large variance count alike.

    Returns:
        Samples x the genes that are left, and the report of the others.

    Raises:
        TypeError: A table is not one.
        ValueError: A name is given twice, a value is missing or infinite, a negative value is to
            be logged, the detection has other samples or genes, or no gene is left.

    References:
        Nilsson et al. (2022), Methods, "Literature data": min p > 0.01 or
        :math:`[std] < 10^{-6} [mean]`. We take the mean without its sign, and equality too,
        so that a gene of zeros is removed.
    """
    table = check_expression(expression)
    undetected = np.zeros(table.shape[1], bool)
    if detection is not None:
        p = check_expression(detection, "The table of detection")
        if set(p.index) != set(table.index) or set(p.columns) != set(table.columns):
            raise ValueError(
                f"The table of detection is {p.shape[0]} samples x {p.shape[1]} genes, of other "
                f"names than the expression ({table.shape[0]} x {table.shape[1]}). Give the "
                "p-values of the same samples and genes."
            )
        if ((p < 0) | (p > 1)).to_numpy().any():
            raise ValueError("The table of detection has values outside of [0, 1]; give p-values.")
        undetected = (p[table.columns].min() > MAX_DETECTION_P).to_numpy()
    if log:
        table = _logged(table)
    mean, sd = table.mean(), table.std(ddof=0)
    constant = (sd <= MIN_VARIATION * mean.abs()).to_numpy() & ~undetected
    keep = ~(undetected | constant)
    if not keep.any():
        raise ValueError(
            f"None of the {table.shape[1]:,} genes is left: {undetected.sum():,} were nowhere "
            f"detected, {constant.sum():,} are the same in all {table.shape[0]} samples. Give all "
            "samples of an experiment, not a single one."
        )
    centred = (table - mean).loc[:, keep]
    if scale:
        centred = centred / sd[keep]
    report = join_reports(
        *(
            report_rows(
                "prepare expression", "removed", "gene", table.columns[which], detail=reason
            )
            for which, reason in (
                (undetected, f"nowhere detected, p > {MAX_DETECTION_P:g}"),
                (constant, f"no variance, sd <= {MIN_VARIATION:g} x mean"),
            )
        )
    )
    logger.info(
        "%d of %d genes are left; %d were not detected, %d have no variance.",
        keep.sum(), len(keep), undetected.sum(), constant.sum(),
    )  # fmt: skip
    return Reported(centred, report)


def check_expression(table: pd.DataFrame, what: str = "The expression table") -> pd.DataFrame:
    """Check a table of samples x genes (or TFs).

    Args:
        table: The table.
        what: The subject of the message.

    Returns:
        A copy in float64.

    Raises:
        TypeError: It is not a table.
        ValueError: It is empty, a name is given twice, or a value is missing, infinite or no
            number.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{what} is to be a pandas DataFrame (samples x genes), not {type(table).__name__}; "
            "`lembas_pyg.io.read_expression(path)` makes one, `from_anndata(adata)` another."
        )
    if table.empty:
        raise ValueError(f"{what} is empty: {table.shape[0]} samples, {table.shape[1]} genes.")
    for names, word, cure in (
        (table.index, "sample", "Name the samples apart."),
        (table.columns, "gene", "Add up the counts of a gene, or average the logs of its probes."),
    ):
        repeated = names.duplicated()
        if repeated.any():
            raise ValueError(
                f"{what} has the {word} '{names[repeated][0]}' more than once, and "
                f"{repeated.sum():,} such {word}s in all. {cure}"
            )
    try:
        values = table.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} holds something that is no number: {error}.") from error
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"{what} has {values[row, column]} for '{table.columns[column]}' in sample "
            f"'{table.index[row]}', and {bad.sum():,} values that are missing or infinite in all. "
            "Fill them in, or leave the gene or sample out."
        )
    names = table.index.astype(str), table.columns.astype(str)
    return pd.DataFrame(values.copy(), *names)


def _logged(table: pd.DataFrame) -> pd.DataFrame:
    values = table.to_numpy()
    bad = values < 0
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"The logarithm of {values[row, column]:g} was asked for ('{table.columns[column]}' in "
            f"sample '{table.index[row]}'; {bad.sum():,} negative values in all). Counts are 0 or "
            "more; values below 0 are logs already, or centred: leave `log` out."
        )
    return np.log2(table + 1)
