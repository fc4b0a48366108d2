"""The published drug screen."""

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import DrugViability
from lembas_pyg.datasets.published import MIRROR
from lembas_pyg.network import node_index


@pytest.fixture(scope="module")
def raw(shared_data):
    return shared_data / "lembas" / "viability"


@pytest.fixture
def dataset(raw, monkeypatch, tmp_path):
    # The other study has files of the same name with other content.
    monkeypatch.setenv(MIRROR, f"{raw.parent / 'networks'}:{raw}")
    return DrugViability(str(tmp_path))


def test_the_screen_has_its_published_sizes(dataset):
    data = dataset[0]
    assert (data.num_nodes, data.num_edges) == (1250, 6557)
    assert data.dose.shape == (7, 6626)
    assert list(data.drugs) == [
        *("Erlotinib", "Lapatinib", "PD0325901", "PLX4720", "CHIR265", "Selumetinib", "Vandetanib")
    ]
    assert (len(data.cell_lines), len(data.mutations)) == (120, 36)
    assert int((data.drug_sign < 0).sum()) == 39 and not (data.drug_sign > 0).any()
    assert int((data.viability_sign > 0).sum()) == 11
    assert int((data.viability_sign < 0).sum()) == 3
    assert ((data.dose > 0).sum(dim=0) == 1).all()
    assert data.unmeasured_nodes == {}
    assert data.dose_unit == "nM"


def test_every_number_is_that_of_its_file(dataset, raw):
    data = dataset[0]

    def read(name):
        return pd.read_csv(raw / name, sep="\t", index_col=0)

    np.testing.assert_array_equal(data.viability[0], read("viability.tsv")["viability"])
    np.testing.assert_array_equal(data.dose.T, read("drug.tsv"))
    np.testing.assert_array_equal(data.mutation, read("mutations.tsv")[list(data.cell_lines)])
    named = read("cellLine.tsv").idxmax(axis=1)
    lines = list(data.cell_lines)
    assert [lines[i] for i in data.cell_line[0].tolist()] == named.tolist()
    expression = read("cellLineRKPMZscored_subset.tsv")
    egfr = data.expression[node_index(data, label="EGFR")]
    np.testing.assert_allclose(egfr, expression.loc["EGFR", lines], rtol=1e-15)
    for name in ("P63092", "O95467"):  # both are called GNAS
        found = data.expression[node_index(data, name)]
        np.testing.assert_allclose(found, expression.loc["GNAS", lines].iloc[0], rtol=1e-15)


def test_mutations_act_on_their_genes(dataset):
    data = dataset[0]
    column = data.mutations["BRAF V600E"]
    assert data.mutation_mask[:, column].nonzero().view(-1).tolist() == [
        node_index(data, label="BRAF")
    ]
    assert int(data.mutation[column].sum()) == 17


def test_folds_hold_out_whole_lines(dataset):
    folds, line = dataset.folds(), dataset[0].cell_line[0]
    assert np.unique(folds).tolist() == [1, 2, 3, 4, 5]
    for fold in range(1, 6):
        inside = torch.from_numpy(folds == fold)
        assert len(line[inside].unique()) == 24
        assert not set(line[inside].tolist()) & set(line[~inside].tolist())


def test_the_independent_set_has_viability_alone(dataset):
    assert len(dataset.independent()) == 1703
