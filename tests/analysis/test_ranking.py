"""Ranks of effects, counted by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import knock_out, rank_knock_outs
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.training import Ensemble

# Effects on T1 of three members (rows) in conditions u, v: nodes L1, R1, S1.
U = [[-0.1, -0.3, 0.2], [-0.2, -0.5, 0.1], [0.3, -0.4, np.nan]]
V = [[0.0, 0.1, 0.9], [0.0, 0.1, -0.7], [0.0, 0.1, -0.8]]


@pytest.fixture
def table():
    return pd.DataFrame(
        [
            {"member": m, "condition": condition, "node": node, "tf": tf, "delta": scale * value}
            for m in (0, 1, 2)
            for condition, effects in (("u", U), ("v", V))
            for node, value in zip(("L1", "R1", "S1"), effects[m], strict=True)
            for tf, scale in (("T1", 1.0), ("T2", 0.0))
        ]
    )


def test_nodes_are_ranked_by_their_median_effect(table):
    found = rank_knock_outs(table, "T1", "u", top=1, data=ToyNetwork()[0])
    assert found["node"].tolist() == ["R1", "S1", "L1"]
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["label"].tolist() == ["R1", "S1", "L1"]
    np.testing.assert_allclose(found["effect"], [-0.4, 0.15, -0.1])
    np.testing.assert_allclose(
        found["spread"], [0.1, np.std([0.2, 0.1], ddof=1), np.std([-0.1, -0.2, 0.3], ddof=1)]
    )
    assert found["members"].tolist() == [3, 2, 3]
    assert found["agree"].tolist() == [3, 2, 2]
    # Own ranks: R1 1 1 1; S1 2 3 none; L1 3 2 2.
    np.testing.assert_allclose(found["rank_median"], [1, 2.5, 2])
    np.testing.assert_allclose(found["rank_low"], [1, 2.1, 2])
    np.testing.assert_allclose(found["rank_high"], [1, 2.9, 2.8])
    assert found["in_top"].tolist() == [1, 0, 0]


def test_over_conditions_the_extreme_of_the_medians_is_named(table):
    found = rank_knock_outs(table, "T1").set_index("node")
    assert found.index.tolist() == ["S1", "R1", "L1"]
    assert found["condition"].tolist() == ["v", "u", "u"]
    np.testing.assert_allclose(found["effect"], [-0.7, -0.4, -0.1])
    assert found.loc["S1", "agree"] == 2


def test_over_conditions_the_mean_is_of_each_member(table):
    found = rank_knock_outs(table, "T1", over="mean").set_index("node")
    assert "condition" not in found
    np.testing.assert_allclose(found.loc["S1", "effect"], np.median([0.55, -0.3, -0.8]))
    np.testing.assert_allclose(found.loc["L1", "effect"], np.median([-0.05, -0.1, 0.15]))


def test_the_order_of_rows_does_not_matter(table):
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    mine, other = (
        rank_knock_outs(t, "T1").sort_values("node", ignore_index=True) for t in (table, shuffled)
    )
    pd.testing.assert_frame_equal(mine, other)


def test_medians_of_an_ensemble_rank_as_the_table_of_its_members():
    ligands = pd.DataFrame({"L1": [1.0, 0.3], "L2": [0.2, 0.9]}, index=["a", "b"])
    data = add_conditions(ToyNetwork()[0], ligands)
    ensemble = Ensemble(
        LEMBAS(data, generator=torch.Generator().manual_seed(seed)) for seed in range(5)
    )
    each = rank_knock_outs(knock_out(ensemble, data, by_member=True))
    found = rank_knock_outs(knock_out(ensemble, data))
    columns = ["rank", "node", "condition", "effect", "spread"]
    assert found.columns.tolist() == columns
    pd.testing.assert_frame_equal(each[columns], found)
    alone = rank_knock_outs(knock_out(ensemble.models[0], data), condition="b")
    assert alone.columns.tolist() == columns[:-1]


def test_what_has_no_steady_state_comes_last_without_a_rank(table):
    table.loc[table["node"] == "R1", "delta"] = np.nan
    found = rank_knock_outs(table, "T1", "u")
    assert found["node"].tolist() == ["S1", "L1", "R1"]
    assert found["rank"].isna().tolist() == [False, False, True]
    assert found["members"].tolist() == [2, 3, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"Name one with tf=; it has 'T1', 'T2'\."),
        ({"tf": "T3"}, "The table has no tf 'T3'; it has 'T1', 'T2'"),
        ({"tf": "T1", "condition": "w"}, "The table has no condition 'w'; it has 'u', 'v'"),
        ({"tf": "T1", "over": "max"}, "over is 'max'; choose from extreme, mean"),
        ({"tf": "T1", "top": 0}, "top is 0; it must be a whole number of 1 or more"),
    ],
)
def test_what_is_not_there_cannot_be_ranked(table, options, message):
    with pytest.raises(ValueError, match=message):
        rank_knock_outs(table, **options)


def test_other_tables_are_refused(table):
    with pytest.raises(ValueError, match="no column 'delta'"):
        rank_knock_outs(table.drop(columns="delta"))
    with pytest.raises(TypeError, match="not dict"):
        rank_knock_outs({})
    with pytest.raises(ValueError, match="more than one row"):
        rank_knock_outs(pd.concat([table, table]), "T1")
