"""Scores of predictions: pooled, by fold, by TF and by condition; and two models compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

__all__ = ["Comparison", "calibration", "compare_folds", "fold_scores", "score_table"]

_NEEDED = ["model", "fold", "condition", "tf", "measured", "predicted"]


def score_table(predictions: pd.DataFrame) -> pd.DataFrame:
    r"""Scores of every model over all held-out entries.

    TFs differ in their mean more than in their response, so that the pooled r is high for a model
    that knows the means alone. `r_centred` is what is left without them, over the :math:`S_t`
    entries of every TF :math:`t`:

    .. math:: r_c = \mathrm{corr}\Big(y_{ts} - \frac{1}{S_t} \sum_{s'} y_{ts'},\;
        \hat y_{ts} - \frac{1}{S_t} \sum_{s'} \hat y_{ts'}\Big)

    It is about 0 for a model whose predictions vary around the means without regard to the
    condition, and below 0 for means of the training conditions: without a high value that is held
    out, the mean of the others is low (with folds of one condition, exactly -1).

    Args:
        predictions: `model`, `fold`, `condition`, `tf`, `measured`, `predicted`, one row an entry;
            entries that were not measured or not predicted (blank) do not count.

    Returns:
        One row a model, in order of first mention: pooled Pearson `r` and `r_centred`; mean,
        standard deviation, median and worst r of folds; median r of TFs and of conditions; `mse`;
        `entries` scored. A correlation without variance is blank and left out of averages.

    Raises:
        ValueError: A column is missing.

    References:
        Nilsson et al. (2022), Fig. 6c (pooled r), SI Fig. 17 (by TF and condition).
    """
    known = _known(predictions)
    folds = fold_scores(predictions)
    rows = []
    for model, part in known.groupby("model", sort=False):
        by_fold = folds.loc[folds["model"] == model, "r"]
        rows.append(
            {
                "model": model,
                "r": _r(part),
                "r_centred": _r(_centred(part)),
                "fold_mean": by_fold.mean(),
                "fold_sd": by_fold.std(ddof=0),
                "fold_median": by_fold.median(),
                "fold_worst": by_fold.min(),
                "tf_median": _by(part, "tf").median(),
                "condition_median": _by(part, ["fold", "condition"]).median(),
                "mse": float((part["predicted"] - part["measured"]).pow(2).mean()),
                "entries": len(part),
            }
        )
    return pd.DataFrame(rows)


def fold_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Pearson r and mean squared error of every model in every fold.

    Args:
        predictions: As for `score_table`.

    Returns:
        `model`, `fold`, `r` (blank without variance), `mse`.

    Raises:
        ValueError: A column is missing.
    """
    rows = [
        {
            "model": model,
            "fold": fold,
            "r": _r(part),
            "mse": float((part["predicted"] - part["measured"]).pow(2).mean()),
        }
        for (model, fold), part in _known(predictions).groupby(["model", "fold"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["model", "fold", "r", "mse"])


class Comparison(NamedTuple):
    """Two models compared fold by fold.

    Attributes:
        difference: Mean difference of the r of folds, first less second.
        low: Lower end of its 95 % interval (bootstrap over folds).
        high: Upper end.
        p: Of Wilcoxon's signed-rank test, two-sided.
        folds: Folds compared.
    """

    difference: float
    low: float
    high: float
    p: float
    folds: int


def compare_folds(first: pd.Series, second: pd.Series, *, seed: int = 0) -> Comparison:
    """Compare the scores of two models in the same folds.

    Args:
        first: Score by fold; the index names the fold.
        second: The same of the other model.
        seed: Of the bootstrap.

    Raises:
        ValueError: They have no two folds in common.
    """
    both = pd.concat([first, second], axis=1, join="inner").dropna()
    if len(both) < 2:
        raise ValueError(f"The models have {len(both)} folds in common; two are needed.")
    difference = (both.iloc[:, 0] - both.iloc[:, 1]).to_numpy()
    drawn = np.random.default_rng(seed).choice(difference, (10_000, len(difference)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    p = 1.0 if np.all(difference == 0) else float(stats.wilcoxon(difference).pvalue)
    return Comparison(float(difference.mean()), float(low), float(high), p, len(difference))


def _known(predictions: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in _NEEDED if name not in predictions]
    if missing:
        raise ValueError(f"The predictions have no column {missing}; they need {_NEEDED}.")
    return predictions.dropna(subset=["measured", "predicted"])


def _centred(part: pd.DataFrame) -> pd.DataFrame:
    """Measured and predicted less their means by TF; a TF that does not vary is exactly 0."""
    values = part[["measured", "predicted"]]
    by_tf = values.groupby(part["tf"], sort=False)
    varies = by_tf.transform("max") > by_tf.transform("min")
    return (values - by_tf.transform("mean")).where(varies, 0.0)


def _by(part: pd.DataFrame, keys: str | list[str]) -> pd.Series:
    return pd.Series([_r(group) for _, group in part.groupby(keys, sort=False)], dtype=float)


def _r(part: pd.DataFrame) -> float:
    """Pearson r; NaN with fewer than two entries or no variance."""
    a, b = part["predicted"].to_numpy(), part["measured"].to_numpy()
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def calibration(predictions: pd.DataFrame) -> dict[str, float]:
    """How far the spread of the members tells the error of their mean.

    Args:
        predictions: `measured`, `predicted` and `spread` (standard deviation of the members), one
            row an entry; entries that lack one of them do not count.

    Returns:
        Share of entries within 1 and 2 `spread` of the prediction (68 % and 95 % where errors are
        normal and the spread tells them), and the rank correlation of spread and absolute error;
        not a number without entries, and the last where either is constant.
    """
    known = predictions.dropna(subset=["measured", "predicted", "spread"])
    error, spread = (known["predicted"] - known["measured"]).abs(), known["spread"]
    if known.empty:
        return dict.fromkeys(("within 1 spread", "within 2 spreads", "rank correlation"), np.nan)
    # A constant has no ranks to correlate.
    varies = error.nunique() > 1 and spread.nunique() > 1
    return {
        "within 1 spread": float((error <= spread).mean()),
        "within 2 spreads": float((error <= 2 * spread).mean()),
        "rank correlation": float(error.rank().corr(spread.rank())) if varies else np.nan,
    }
