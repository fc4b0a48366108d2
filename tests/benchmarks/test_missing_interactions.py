"""Pieces of the study of removed interactions, on the toy network."""

import json

import numpy as np
import pytest
import torch

from benchmarks import missing_interactions as study
from benchmarks import removed_interactions
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure


@pytest.fixture(scope="module")
def whole():
    data = ToyNetwork()[0]
    model = load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    return measure(model, data, grid_stimuli(["L1", "L2"], 4, low=0.13)), model


@pytest.fixture(scope="module")
def removed(whole):
    return removed_interactions.without_edge(*whole, 4)


def test_a_removed_interaction_is_one_of_weight_zero(whole, removed):
    assert (removed.source, removed.target) == ("S1", "S2")
    data, model = whole
    with torch.no_grad():
        kept = model.conv.edge_weight[4].clone()
        model.conv.edge_weight[4] = 0
        expected = predict(model, data).y
        model.conv.edge_weight[4] = kept
    torch.testing.assert_close(predict(removed.model, removed.data).y, expected)


def test_adapting_lowers_the_error_and_changes_no_copy(removed):
    before = removed.model.conv.edge_weight.clone()
    adapted = removed_interactions.adapted(removed, steps=3)
    errors = [
        float((predict(m, removed.data).y - removed.data.y[6]).square().mean())
        for m in (removed.model, adapted)
    ]
    assert errors[1] < 0.8 * errors[0]
    torch.testing.assert_close(removed.model.conv.edge_weight, before, rtol=0, atol=0)


def test_equal_scores_share_the_middle_of_their_places():
    score = torch.tensor([[0.0, 3.0, 1.0], [1.0, 0.0, 1.0], [9.0, 2.0, 0.0]])
    allowed = torch.tensor([[0, 1, 1], [1, 0, 1], [0, 1, 0]], dtype=torch.bool)
    assert study._rank(score, allowed, 0, 1) == 1
    assert study._rank(score, allowed, 2, 1) == 2
    assert study._rank(score, allowed, 1, 0) == 4  # of 3, 4 and 5


def test_ranks_of_all_methods_are_written_as_a_table(removed, tmp_path):
    row = study.ranks(removed, removed.model, freedom=0.1)
    assert row["found"] == row["target"] == 1
    assert row["candidates"] == 49 - 7 - 5 - 14
    (tmp_path / "posthoc-004.json").write_text(json.dumps(row))
    study.write(tmp_path, tmp_path / "out.md")
    text = (tmp_path / "out.md").read_text()
    assert "shortlist and refit" in text and "chance, of all pairs" in text
    assert np.isfinite(row["gain, parameters adapt"])
