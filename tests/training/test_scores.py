import numpy as np
import pandas as pd
import pytest

from lembas_pyg.training import compare_folds, fold_scores, score_table


def table(model="m", seed=0):
    generator = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product(
        [[model], [0, 1], ["a", "b"], ["T", "U", "V"]], names=["model", "fold", "condition", "tf"]
    ).to_frame(index=False)
    rows["measured"], rows["predicted"] = generator.random((2, len(rows)))
    return rows


def test_scores_by_hand():
    rows = pd.concat([table("one"), table("two", 1)], ignore_index=True)
    rows.loc[3, "measured"] = np.nan
    scores = score_table(rows).set_index("model")
    known = rows[rows["model"] == "one"].dropna()
    assert scores.loc["one", "entries"] == 11
    assert scores.loc["one", "r"] == pytest.approx(known["measured"].corr(known["predicted"]))
    error = known["measured"] - known["predicted"]
    assert scores.loc["one", "mse"] == pytest.approx((error**2).mean())
    rest = [
        (part["measured"] - part["measured"].mean(), part["predicted"] - part["predicted"].mean())
        for _, part in known.groupby("tf")
    ]
    measured, predicted = (np.concatenate(side) for side in zip(*rest, strict=True))
    assert scores.loc["one", "r_centred"] == pytest.approx(np.corrcoef(measured, predicted)[0, 1])
    by_fold = [part["measured"].corr(part["predicted"]) for _, part in known.groupby("fold")]
    assert scores.loc["one", "fold_mean"] == pytest.approx(np.mean(by_fold))
    assert scores.loc["one", "fold_worst"] == pytest.approx(min(by_fold))
    by_tf = [part["measured"].corr(part["predicted"]) for _, part in known.groupby("tf")]
    assert scores.loc["one", "tf_median"] == pytest.approx(np.median(by_tf))
    assert list(scores.index) == ["one", "two"]
    assert fold_scores(rows)[["model", "fold"]].value_counts().max() == 1


def test_a_constant_prediction_has_no_correlation():
    rows = table()
    rows["predicted"] = 0.5
    scores = score_table(rows).iloc[0]
    assert np.isnan(scores["r"])
    assert np.isnan(scores["r_centred"])
    assert scores["mse"] > 0


def responses(num_conditions=40):
    """Three TFs of means 0.1, 0.3 and 0.9 that respond a little; one condition a fold."""
    generator = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product(
        [range(num_conditions), ["T", "U", "V"]], names=["fold", "tf"]
    ).to_frame(index=False)
    mean = rows["tf"].map({"T": 0.1, "U": 0.3, "V": 0.9})
    measured = mean + 0.02 * generator.standard_normal(len(rows))
    rows = rows.assign(model="m", condition=rows["fold"], measured=measured)
    return rows, mean, generator


def test_means_of_tfs_correlate_but_nothing_is_left_without_them():
    rows, mean, generator = responses()
    exact = score_table(rows.assign(predicted=mean / 3)).iloc[0]
    assert exact["r"] > 0.99 and np.isnan(exact["r_centred"])
    around = mean + 0.02 * generator.standard_normal(len(rows))
    noisy = score_table(rows.assign(predicted=around)).iloc[0]
    assert noisy["r"] > 0.99 and abs(noisy["r_centred"]) < 3 / np.sqrt(len(rows))
    half = score_table(rows.assign(predicted=mean + 0.5 * (rows["measured"] - mean))).iloc[0]
    assert half["r_centred"] == pytest.approx(1)


def test_means_of_the_other_conditions_are_opposed_to_what_is_held_out():
    rows, _, _ = responses()
    by_tf = rows.groupby("tf")["measured"]
    others = (by_tf.transform("sum") - rows["measured"]) / (by_tf.transform("size") - 1)
    scores = score_table(rows.assign(predicted=others)).iloc[0]
    assert scores["r"] > 0.99
    assert scores["r_centred"] == pytest.approx(-1)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column \\['tf'\\]"):
        score_table(table().drop(columns="tf"))


def test_a_clear_difference_is_found_and_none_is_not_claimed():
    index = pd.RangeIndex(20)
    noise = pd.Series(np.random.default_rng(0).normal(0, 0.02, 20), index)
    better = compare_folds(0.8 + noise, pd.Series(0.7, index))
    assert better.low < better.difference < better.high
    assert better.low > 0
    assert better.p < 1e-3
    assert better.folds == 20
    same = compare_folds(noise, noise)
    assert (same.difference, same.p) == (0, 1)
    with pytest.raises(ValueError, match="have 0 folds in common"):
        compare_folds(noise, pd.Series([0.1], [99]))
