import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.synthetic import simulate_expression


@pytest.fixture
def regulon():
    rows = [("T1", "G1", 1.0), ("T1", "G2", -0.5), ("T2", "G2", 1.0), ("T3", "G3", 1.0)]
    return pd.DataFrame(rows, columns=["source", "target", "weight"])


@pytest.fixture
def activity():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(5, 2)), [f"S{i}" for i in range(5)], ["T2", "T1"])


def test_without_noise_genes_follow_their_tfs(activity, regulon):
    table = simulate_expression(activity, regulon, noise=0, background=2)
    assert list(table) == ["G1", "G2", "G3", "background_1", "background_2"]
    change = table - table.iloc[0]
    a = activity - activity.iloc[0]
    np.testing.assert_allclose(change["G1"], a["T1"], atol=1e-12)
    np.testing.assert_allclose(change["G2"], a["T2"] - 0.5 * a["T1"], atol=1e-12)
    assert (change[["G3", "background_1"]] == 0).all(axis=None)


def test_noise_has_the_standard_deviation_asked_for(regulon):
    still = pd.DataFrame({"T1": np.zeros(4000)})
    table = simulate_expression(still, regulon, noise=3.0, background=5)
    np.testing.assert_allclose(table.std(), 3.0, rtol=0.1)
    assert table.mean().between(3.5, 12.5).all()


def test_a_generator_makes_it_the_same_again(activity, regulon):
    first, second = (
        simulate_expression(activity, regulon, generator=torch.Generator().manual_seed(7))
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda a: a, {"noise": -1.0}, "`noise` is -1.0"),
        (lambda a: a, {"background": -1}, "`background` -1"),
        (lambda a: a * np.nan, {}, "missing or infinite"),
        (lambda a: a.add_prefix("X"), {}, r"No TF of the regulon \(\['T1', 'T2', 'T3'\], "),
    ],
)
def test_bad_amounts_are_refused(activity, regulon, change, options, match):
    with pytest.raises(ValueError, match=match):
        simulate_expression(change(activity), regulon, **options)
