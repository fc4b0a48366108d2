import builtins

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm, rankdata

from lembas_pyg.synthetic import simulate_expression
from lembas_pyg.tf_activity import METHODS, enrichment_scores, prepare_expression

pytest.importorskip("decoupler", reason="decoupler is not installed")


@pytest.fixture
def centred(expression):
    return prepare_expression(expression).table


def weights_of(regulon, tf, genes):
    part = regulon[regulon["source"] == tf].set_index("target")["weight"]
    return part.reindex(genes).fillna(0.0).to_numpy()


def test_ulm_is_the_t_value_of_a_regression_on_the_weights(centred, regulon):
    scores = enrichment_scores(centred, regulon, method="ulm", min_targets=2).table
    assert list(scores) == ["T1", "T2", "T3"]
    for tf in scores:
        for sample in centred.index:
            fit = linregress(weights_of(regulon, tf, centred.columns), centred.loc[sample])
            assert scores.loc[sample, tf] == pytest.approx(fit.slope / fit.stderr, rel=1e-9)


def test_viper_is_the_sum_of_signed_normal_scores_over_the_root_of_their_number(centred, regulon):
    scores = enrichment_scores(centred, regulon, min_targets=2).table
    for sample in centred.index:
        normal = norm.ppf(rankdata(centred.loc[sample]) / (centred.shape[1] + 1))
        for tf in scores:
            weight = weights_of(regulon, tf, centred.columns)
            expected = normal @ weight / np.sqrt((weight != 0).sum())
            assert scores.loc[sample, tf] == pytest.approx(expected, rel=1e-9)


def test_a_consensus_is_the_mean_of_scores_divided_by_their_spread(centred, regulon):
    """Scores of each sign are divided by the spread of themselves and their mirror image."""
    parts = []
    for method in ("viper", "ulm"):
        parts.append(enrichment_scores(centred, regulon, method=method, min_targets=2).table)
    mean, sd = centred.mean(axis=1), centred.std(axis=1)  # a z-test of the targets
    part = parts[0].copy()
    for tf in part:
        weight = weights_of(regulon, tf, centred.columns)
        k = (weight != 0).sum()
        part[tf] = (centred @ weight / k - mean) * np.sqrt(k) / sd
    parts.append(part)
    total = 0.0
    for part in parts:
        z = part.to_numpy().copy()
        for row in z:
            for of_sign in (row > 0, row <= 0):
                half = row[of_sign]
                if len(half):
                    row[of_sign] = half / np.std([*half, *-half], ddof=1)
        total = total + z / 3
    scores = enrichment_scores(centred, regulon, method="consensus", min_targets=2).table
    np.testing.assert_allclose(scores, total, rtol=1e-6)


def test_tfs_with_few_measured_targets_are_reported(centred, regulon):
    scores, report = enrichment_scores(centred, regulon)
    assert list(scores) == ["T1", "T2"]
    assert list(report["source"]) == ["T3"]
    assert report["detail"][0] == "2 of 3 targets measured; 5 needed"


def test_a_weight_of_0_is_no_target(centred, regulon):
    regulon.loc[0, "weight"] = 0.0
    report = enrichment_scores(centred, regulon).report
    assert report.set_index("source")["detail"]["T1"] == "4 of 4 targets measured; 5 needed"


@pytest.mark.parametrize("method", METHODS)
def test_scores_do_not_depend_on_the_order_of_anything(centred, regulon, method):
    first = enrichment_scores(centred, regulon, method=method).table
    turned = enrichment_scores(centred.iloc[::-1, ::-1], regulon.iloc[::-1], method=method).table
    pd.testing.assert_frame_equal(first, turned.loc[first.index, first.columns])


@pytest.mark.parametrize("method", METHODS)
def test_known_activities_are_recovered_the_better_the_less_noise(method):
    rng = np.random.default_rng(1)
    tfs = [f"T{i}" for i in range(8)]
    genes = rng.permutation(400)[:160].reshape(8, 20)
    regulon = pd.DataFrame(
        [(tf, f"G{g}", rng.choice([-1.0, 1.0])) for tf, row in zip(tfs, genes, strict=True)
         for g in row],
        columns=["source", "target", "weight"],
    )  # fmt: skip
    known = pd.DataFrame(rng.normal(size=(25, 8)), columns=tfs)
    found = []
    for noise in (0.5, 2.0, 20.0):
        expression = simulate_expression(known, regulon, noise=noise, background=200)
        table = prepare_expression(expression).table
        scores = enrichment_scores(table, regulon, method=method).table
        found.append(np.median([np.corrcoef(known[tf], scores[tf])[0, 1] for tf in tfs]))
    assert found[0] > 0.9
    assert found[0] > found[1] > found[2]
    assert found[2] < 0.6


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: pd.concat([r, r.iloc[:1]]), "T1 on G0 twice.*to_regulon"),
        (
            lambda r: pd.concat([r, r.iloc[:1].assign(weight=-1.0)]),
            "T1 on G0 as activated and as inhibited",
        ),
        (lambda r: r.assign(weight=2.0), "T1 has the weight 2.0 on G0"),
        (lambda r: r.assign(weight=np.nan), "T1 has the weight nan on G0"),
        (lambda r: r.drop(columns="weight"), r"no column \['weight'\]"),
        (lambda r: r.assign(target="X" + r["target"]), "No gene of .*name both by gene symbol"),
        (
            lambda r: r.assign(target=[f"P{i:05d}" for i in range(len(r))]),
            "No gene of .*targets are accessions.*regulon_by_symbol",
        ),
        (lambda r: r[r["source"] == "T3"], "None of 1 TFs has 5 targets .* T3 has 2"),
    ],
)
def test_bad_regulons_are_refused(centred, regulon, change, match):
    with pytest.raises(ValueError, match=match):
        enrichment_scores(centred, change(regulon))


def test_a_table_that_lies_on_its_side_is_recognised(centred, regulon):
    with pytest.raises(ValueError, match=r"samples have names of targets.*\.T"):
        enrichment_scores(centred.T, regulon)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "gsea"}, "'gsea'. Legal are viper, ulm, consensus"),
        ({"min_targets": 0}, "`min_targets` is 0"),
    ],
)
def test_options_are_checked(centred, regulon, options, match):
    with pytest.raises(ValueError, match=match):
        enrichment_scores(centred, regulon, **options)


def test_a_sample_of_one_value_is_refused(centred, regulon):
    centred.loc["S3"] = 0.0
    with pytest.raises(ValueError, match="'S3' has the same value for all 13 genes"):
        enrichment_scores(centred, regulon)


def test_a_tf_that_acts_on_all_genes_has_no_t_value(centred, regulon):
    genes = [f"G{i}" for i in range(5)]
    one = regulon[regulon["source"] == "T1"]
    with pytest.raises(ValueError, match="ulm gives no number for T1"), np.errstate(all="ignore"):
        enrichment_scores(centred[genes], one, method="ulm")


def test_without_decoupler_the_cure_is_named(centred, regulon, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "decoupler":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "lembas_pyg\[tf\]"'):
        enrichment_scores(centred, regulon)
