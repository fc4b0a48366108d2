import numpy as np
import pandas as pd
import pytest

from lembas_pyg.tf_activity import prepare_expression


def test_genes_are_centred_over_all_samples(expression):
    table, report = prepare_expression(expression)
    values = expression.to_numpy()
    brute = [[values[s, g] - sum(values[:, g]) / len(values) for g in range(13)] for s in range(7)]
    np.testing.assert_allclose(table, brute, atol=1e-12)
    assert report.empty
    assert list(table.columns) == list(expression.columns)


def test_the_table_given_is_left_as_it_is(expression):
    before = expression.copy()
    prepare_expression(expression, scale=True)
    pd.testing.assert_frame_equal(expression, before)


def test_genes_without_variance_are_removed_and_reported(expression):
    expression["G3"] = 8.0
    expression["G5"] = 0.0
    expression["G7"] = -5 + 1e-7 * np.arange(7)  # sd 2e-7, less than 1e-6 of the mean
    table, report = prepare_expression(expression)
    assert list(report["source"]) == ["G3", "G5", "G7"]
    assert set(report["item"]) == {"gene"} and report["detail"].str.startswith("no variance").all()
    assert set(expression) - set(table) == {"G3", "G5", "G7"}


def test_genes_that_are_nowhere_detected_are_removed(expression):
    p = pd.DataFrame(0.5, expression.index, expression.columns[::-1])
    p.loc["S2"] = 0.01  # seen in one sample
    p["G4"] = 0.011
    table, report = prepare_expression(expression, detection=p)
    assert list(report["source"]) == ["G4"]
    assert "nowhere detected" in report["detail"][0]
    assert "G4" not in table and table.shape == (7, 12)


def test_logs_are_those_of_one_more(expression):
    table = prepare_expression(expression, log=True).table
    logs = np.log(expression.to_numpy() + 1) / np.log(2)
    np.testing.assert_allclose(table, logs - logs.mean(axis=0), atol=1e-12)


def test_scaled_genes_have_unit_variance(expression):
    table = prepare_expression(expression, scale=True).table
    np.testing.assert_allclose(table.pow(2).mean(), 1.0)


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda e: pd.concat([e, e["G1"]], axis=1), {}, "gene 'G1' more than once"),
        (lambda e: pd.concat([e, e.loc[["S1"]]]), {}, "sample 'S1' more than once"),
        (lambda e: e.mask(e == e.iloc[2, 3]), {}, "has nan for 'G3' in sample 'S2', and 1 values"),
        (lambda e: e.replace(e.iloc[2, 3], np.inf), {}, "has inf for 'G3' in sample 'S2'"),
        (lambda e: e.assign(G1="high"), {}, "no number"),
        (lambda e: e - 8, {"log": True}, r"logarithm of -\S+ was asked for .*leave `log` out"),
        (lambda e: e.iloc[:1], {}, "None of the 13 genes is left: .* 13 are the same in all 1"),
        (lambda e: e.iloc[:0], {}, "is empty: 0 samples, 13 genes"),
    ],
)
def test_bad_expression_is_refused(expression, change, options, match):
    with pytest.raises(ValueError, match=match):
        prepare_expression(change(expression), **options)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: p.iloc[1:], "6 samples x 13 genes, of other names"),
        (lambda p: p.rename(columns={"G1": "H1"}), "of other names"),
        (lambda p: p + 1, r"outside of \[0, 1\]"),
    ],
)
def test_bad_detection_is_refused(expression, change, match):
    p = pd.DataFrame(0.001, expression.index, expression.columns)
    with pytest.raises(ValueError, match=match):
        prepare_expression(expression, detection=change(p))


def test_expression_is_a_table():
    with pytest.raises(TypeError, match=r"not ndarray.*read_expression.*from_anndata"):
        prepare_expression(np.ones((3, 4)))
