import warnings

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import read_conditions, read_expression, read_gene_names, read_samples
from lembas_pyg.tf_activity import (
    accessions_of,
    activity_from_scores,
    infer_tf_activity,
    mean_activity,
    replicate_spread,
    spread_of_tfs,
)

NAMES = {"P1": "T1", "P2": "T2", "P3": "T3", "P4": "T4"}


@pytest.fixture
def samples():
    """Three conditions of 2, 3 and 4 samples, in no order."""
    conditions = ["b", "a", "c", "c", "b", "a", "c", "b", "c"]
    return pd.DataFrame({"sample": [f"S{i}" for i in range(9)], "condition": conditions})


@pytest.fixture
def scores(samples):
    """9 samples x 4 TFs; T2 differs among replicates far more than the others."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, [0.3, 3.0, 0.3, 0.3], (9, 4))
    return pd.DataFrame(values, samples["sample"].to_list(), ["T1", "T2", "T3", "T4"])


def test_activities_are_means_of_the_logistic_of_scores(scores, samples):
    activity = mean_activity(scores, samples)
    assert list(activity.index) == ["a", "b", "c"]
    for condition, of_condition in samples.groupby("condition"):
        for tf in scores:
            values = [1 / (1 + np.exp(-scores.loc[s, tf])) for s in of_condition["sample"]]
            assert activity.loc[condition, tf] == pytest.approx(
                sum(values) / len(values), abs=1e-12
            )


def test_the_spread_divides_by_the_number_of_samples(scores, samples):
    spread = replicate_spread(scores, samples)
    for condition, of_condition in samples.groupby("condition"):
        for tf in scores:
            values = [1 / (1 + np.exp(-scores.loc[s, tf])) for s in of_condition["sample"]]
            mean = sum(values) / len(values)
            brute = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
            assert spread.loc[condition, tf] == pytest.approx(brute, abs=1e-12)


def test_huge_scores_are_0_and_1(samples):
    scores = pd.DataFrame([[-1e4, 1e4]] * 9, samples["sample"].to_list(), ["T1", "T2"])
    assert mean_activity(scores, samples).to_numpy().tolist() == [[0.0, 1.0]] * 3


def test_tfs_beyond_the_limit_in_a_quarter_of_the_conditions_are_removed(scores, samples):
    found = activity_from_scores(scores, samples, NAMES)
    spread = replicate_spread(scores, samples)
    for row in found.tfs.itertuples():
        _, mid, high = sorted(spread[row.tf])  # the 75th percentile of 3 is between the upper two
        assert row.spread == pytest.approx((mid + high) / 2)
        assert row.kept == (row.spread <= 0.2)
    assert list(found.tfs["tf"][~found.tfs["kept"]]) == ["T2"]
    assert list(found.activity) == ["P1", "P3", "P4"]
    (row,) = found.report.itertuples()
    assert (row.rule, row.action, row.item, row.source) == ("replicates", "removed", "TF", "T2")
    assert f"{found.tfs['spread'][1]:.4f} > 0.2" in row.detail
    assert list(activity_from_scores(scores, samples, NAMES, max_spread=None).activity) == [*NAMES]


def test_a_spread_at_the_limit_is_kept(scores, samples):
    limit = spread_of_tfs(replicate_spread(scores, samples))["T2"]
    assert activity_from_scores(scores, samples, max_spread=limit).tfs["kept"].all()


def test_a_condition_of_one_sample_is_refused_or_kept_and_reported(scores, samples):
    one = samples[samples["sample"] != "S1"]
    with pytest.raises(ValueError, match=r"1 of 3 conditions have one sample, such as 'a'.*'keep'"):
        activity_from_scores(scores, one, NAMES, unlisted="drop")
    found = activity_from_scores(scores, one, NAMES, unlisted="drop", singles="keep")
    assert found.spread.loc["a"].isna().all()
    expected = found.spread.loc[["b", "c"]].quantile(0.75)
    np.testing.assert_allclose(found.tfs["spread"], expected)
    report = found.report.set_index("source")
    assert report.loc["a", "action"] == "kept" and "one sample" in report.loc["a", "detail"]
    np.testing.assert_allclose(
        found.activity.loc["a", "P1"], 1 / (1 + np.exp(-scores.loc["S5", "T1"]))
    )


def test_where_all_conditions_have_one_sample_no_tf_is_filtered(scores, samples):
    each = samples.assign(condition=samples["sample"])
    found = activity_from_scores(scores, each, singles="keep")
    assert found.tfs["kept"].all() and found.tfs["spread"].isna().all()


def test_samples_that_are_not_in_the_sheet_are_refused_or_reported(scores, samples):
    fewer = samples[samples["sample"] != "S8"]
    with pytest.raises(ValueError, match=r"1 of 9 measured samples are not in .* 'S8'.*'drop'"):
        activity_from_scores(scores, fewer)
    found = activity_from_scores(scores, fewer, unlisted="drop")
    assert found.report.set_index("source").loc["S8", "detail"] == "not in the sample sheet"


def test_a_sample_of_the_sheet_that_was_not_measured_is_refused(scores, samples):
    with pytest.raises(ValueError, match=r"1 of 9 samples of the sheet are not among the 8 .*: S4"):
        activity_from_scores(scores.drop("S4"), samples)


def test_unknown_and_ambiguous_symbols_are_said_and_reported(scores, samples):
    names = {"P1": "T1", "P3": "T3", "P33": "T3"}
    with pytest.warns(
        UserWarning, match=r"3 of 4 TFs have no accession.*T3 \(ambiguous: P3, P33\)"
    ):
        found = activity_from_scores(scores, samples, names)
    assert list(found.activity) == ["P1"]
    named = found.report[found.report["rule"] == "name by accession"].set_index("source")
    assert named["action"].to_dict() == {"T2": "unmatched", "T4": "unmatched", "T3": "conflict"}
    with warnings.catch_warnings(action="error"):
        chosen = {"T2": "P2", "T3": "P33", "T4": "P4"}
        found = activity_from_scores(scores, samples, names, chosen=chosen)
    assert list(found.activity) == ["P1", "P33", "P4"]


def test_an_accession_chosen_for_no_tf_is_said(caplog):
    codes, _ = accessions_of(["T1"], NAMES, chosen={"T9": "P9"})
    assert codes == {"T1": "P1"}
    assert "Accessions were chosen for T9, which are not scored" in caplog.text


def test_accessions_stay_as_they_are():
    codes, report = accessions_of(["P1", "T2"], NAMES)
    assert codes == {"P1": "P1", "T2": "P2"} and report.empty
    with pytest.raises(ValueError, match="'P1' and 'T1' are both P1"):
        accessions_of(["P1", "T1"], NAMES)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_spread": -1.0}, "`max_spread` is -1.0"),
        ({"max_spread": float("nan")}, "`max_spread` is nan"),
        ({"max_spread": 0.0}, "None of 4 TFs is left: T1, T2, T3"),
        ({"singles": "mean"}, "'mean'. Legal are error, keep"),
        ({"unlisted": "keep"}, "'keep'. Legal are error, drop"),
    ],
)
def test_options_are_checked(scores, samples, options, match):
    with pytest.raises(ValueError, match=match):
        activity_from_scores(scores, samples, **options)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.rename(columns={"sample": "name"}), "needs the columns 'sample' and"),
        (lambda t: t.iloc[:0], "has 0 rows"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "the sample 'S0' twice"),
        (lambda t: t.assign(condition=[None, *t["condition"][1:]]), "no condition in row 0"),
    ],
)
def test_bad_sheets_are_refused(scores, samples, change, match):
    with pytest.raises(ValueError, match=match):
        activity_from_scores(scores, change(samples))


def test_missing_scores_are_refused(scores, samples):
    with pytest.raises(ValueError, match="table of scores has nan for 'T1' in sample 'S0'"):
        activity_from_scores(scores.mask(scores == scores.iloc[0, 0]), samples)


def test_the_whole_way_joins_its_reports(expression, regulon):
    pytest.importorskip("decoupler", reason="decoupler is not installed")
    expression["flat"] = 1.0
    sheet = pd.DataFrame({"sample": [f"S{i}" for i in range(6)], "condition": list("aabbcc")})
    with pytest.raises(ValueError, match=r"'S6'.*'drop'"):
        infer_tf_activity(expression, regulon, sheet)
    found = infer_tf_activity(expression, regulon, sheet, NAMES, unlisted="drop", max_spread=None)
    rows = found.report[["rule", "item", "source"]].to_numpy().tolist()
    assert rows == [
        ["prepare expression", "gene", "flat"],
        ["too few targets", "TF", "T3"],
        ["sample sheet", "sample", "S6"],
    ]
    assert list(found.activity) == ["P1", "P2"] and list(found.activity.index) == ["a", "b", "c"]
    assert len(found.scores) == 7  # all samples count for the centre
    assert ((found.activity > 0) & (found.activity < 1)).all(axis=None)


# ---- the published tables


@pytest.fixture(scope="module")
def published(shared_data):
    return shared_data / "lembas" / "tf_activity"


@pytest.fixture(scope="module")
def proteins(shared_data):
    return read_gene_names(shared_data / "lembas" / "construction" / "uniprot-human-reviewed.tab")


def test_the_published_activities_of_the_literature_come_out_again(published, proteins):
    found = activity_from_scores(
        read_expression(published / "macrophage_DoRothEA.txt"),
        read_samples(published / "macrophageKey.txt"),
        proteins,
        unlisted="drop",
    )
    table = read_conditions(published / "macrophage-TFs.tsv")
    pd.testing.assert_frame_equal(found.activity, table, rtol=0, atol=1e-9)
    assert list(found.tfs["tf"][~found.tfs["kept"]]) == ["IRF9", "NFE2L2", "STAT2", "ZNF263"]
    assert len(found.report) == 282 + 4
