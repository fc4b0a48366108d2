"""Samples of the same condition: their mean, and how much they differ."""

import numpy as np
import pandas as pd
from scipy.special import expit

from lembas_pyg.io.samples import CONDITION, SAMPLE, check_samples
from lembas_pyg.tf_activity.expression import check_expression

# Nilsson et al. (2022), Methods, "Literature data".
QUANTILE = 0.75
MAX_SPREAD = 0.2


def mean_activity(scores: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    r"""Mean over the samples of a condition of the logistic of the score.

    .. math:: a_{ct} = \frac{1}{n_c} \sum_{s \in c} \frac{1}{1 + e^{-s_{st}}}

    Args:
        scores: Samples x TFs.
        samples: The sample sheet: sample, condition. Only its samples count.

    Returns:
        Activities in [0, 1], conditions (sorted) x TFs.

    Raises:
        TypeError: A table is not one.
        ValueError: A sample has no scores, or a table is illegal.

    References:
        Nilsson et al. (2022), Methods, "Literature data": the scores are read as log odds.
    """
    return _groups(scores, samples).mean()


def replicate_spread(scores: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of the activity among the samples of a condition.

    Args:
        scores: Samples x TFs.
        samples: The sample sheet: sample, condition.

    Returns:
        Population standard deviations (divided by the number of samples, as in the paper), on the
        scale of activities, conditions (sorted) x TFs; NaN for a condition with one sample.

    Raises:
        TypeError: A table is not one.
        ValueError: A sample has no scores, or a table is illegal.

    References:
        Nilsson et al. (2022), SI Fig. 13 and 16. A condition with one sample has no spread; the
        ligand screen has 24 of them among 103.
    """
    groups = _groups(scores, samples)
    spread = groups.std(ddof=0)
    spread[(groups.size() == 1).to_numpy()] = np.nan
    return spread


def spread_of_tfs(spread: pd.DataFrame) -> pd.Series:
    """The spread that a TF exceeds in one condition of four.

    Args:
        spread: As `replicate_spread` gives it.

    Returns:
        75th percentile over the conditions with replicates, by TF; NaN if there is none.
    """
    return spread.quantile(QUANTILE).rename("spread")


def check_measured(table: pd.DataFrame, sheet: pd.DataFrame) -> None:
    """Raise `ValueError` where a sample of the sheet is not among the rows of the table."""
    missing = [name for name in sheet[SAMPLE] if name not in table.index]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(sheet)} samples of the sheet are not among the "
            f"{len(table)} samples that were measured: {', '.join(missing[:5])}"
            f"{', ...' if len(missing) > 5 else ''}. Measured are {list(table.index[:3])}, .... "
            "Correct the names, or remove the samples from the sheet."
        )


def _groups(scores: pd.DataFrame, samples: pd.DataFrame):  # type: ignore[no-untyped-def]
    """Activities of the samples of the sheet, grouped by condition."""
    table, sheet = check_expression(scores, "The table of scores"), check_samples(samples)
    check_measured(table, sheet)
    values = expit(table.loc[sheet[SAMPLE]].to_numpy())
    condition = pd.Index(sheet[CONDITION], name=CONDITION, dtype=str)
    return pd.DataFrame(values, condition, table.columns, dtype=np.float64).groupby(level=0)
