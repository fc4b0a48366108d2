"""What is suggested for a name that is not known, and that every place that asks for one does."""

import numpy as np
import pandas as pd
import pytest
import torch

import lembas_pyg as lp
from lembas_pyg.network import select_conditions
from lembas_pyg.prediction import predict
from lembas_pyg.spelling import close_names, did_you_mean
from lembas_pyg.training.baselines import predict_baselines
from lembas_pyg.training.folds import check_folds


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("kegg", ["SIGNOR", "KEGG-MEDICUS", "KEGG"], ["KEGG-MEDICUS", "KEGG"]),
        ("Imatinip", ["Dasatinib", "Imatinib"], ["Imatinib"]),
        ("a", ["ab", "ac"], ["ab", "ac"]),
        ("zzz", ["Imatinib"], []),
        ("", ["Imatinib"], []),
        ("straße", ["STRASSE"], ["STRASSE"]),
    ],
)
def test_names_that_hold_it_come_before_names_spelled_alike(name, known, found):
    assert sorted(close_names(name, known)) == sorted(found)


def test_no_suggestion_is_no_sentence():
    assert did_you_mean("zzz", ["Imatinib"]) == ""
    assert did_you_mean("imatinib", ["Imatinib"]) == " Did you mean 'Imatinib'?"


@pytest.fixture
def data():
    network = lp.datasets.ToyNetwork()[0]
    ligands = [[1.0, 0.0], [0.0, 1.0]]
    table = pd.DataFrame(ligands, index=["IL4+LPS", "TNF"], columns=["L1", "L2"])
    measured = pd.DataFrame([[0.1], [0.2]], index=table.index, columns=["T1"])
    return lp.network.add_conditions(network, table, measured)


def test_conditions_are_suggested(data):
    model = lp.LEMBAS(data, generator=torch.Generator().manual_seed(0))
    meant = r"Did you mean 'IL4\+LPS'\?$"
    with pytest.raises(ValueError, match=meant):
        predict(model, data, "il4+lps")
    with pytest.raises(ValueError, match=meant):
        lp.analysis.knock_out(model, data, conditions=["IL4-LPS"])
    with pytest.raises(ValueError, match=meant):
        select_conditions(data, ["IL4LPS"])


def test_held_out_conditions_are_suggested(data):
    folds = pd.DataFrame({"Index": [0], "Condition": ["TFN"]})
    with pytest.raises(ValueError, match=r"have not: 'TFN'\. Did you mean 'TNF'\?$"):
        check_folds(folds, data)


def test_baselines_are_suggested():
    x = np.ones((3, 1))
    with pytest.raises(ValueError, match=r"Did you mean 'ridge, alpha per TF'\?"):
        predict_baselines(x, x, x, names=["ridge, alpha per tfs"])
