import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from lembas_pyg.tf_activity import activity_from_scores, from_anndata, to_anndata

anndata = pytest.importorskip("anndata", reason="anndata is not installed")


@pytest.fixture
def adata(expression):
    obs = pd.DataFrame(
        {"treatment": list("aabbccc"), "donor": list("xyxyxyx")}, index=expression.index.to_list()
    )
    var = pd.DataFrame(index=expression.columns.to_list())
    return anndata.AnnData(
        X=csr_matrix(expression.to_numpy()),
        obs=obs,
        var=var,
        layers={"logs": expression.to_numpy() - 8},
    )


def test_expression_and_sheet_come_out(adata, expression):
    table, sheet = from_anndata(adata, condition="treatment")
    np.testing.assert_array_equal(table, expression)
    assert list(table) == list(expression) and list(table.index) == list(expression.index)
    assert list(sheet) == ["sample", "condition", "treatment", "donor"]
    assert list(sheet["condition"]) == list("aabbccc")
    layer = from_anndata(adata, condition="treatment", layer="logs")[0]
    np.testing.assert_array_equal(layer, expression - 8)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, r"no column 'condition'; it has \['treatment', 'donor'\]"),
        ({"condition": "treatment", "layer": "counts"}, r"no layer 'counts'.*\['logs'\]"),
    ],
)
def test_what_is_not_there_is_named(adata, options, match):
    with pytest.raises(ValueError, match=match):
        from_anndata(adata, **options)


def test_activities_go_in_and_survive_a_file(tmp_path):
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.normal(size=(5, 3)), list("uvwxy"), ["T1", "T2", "T3"])
    sheet = pd.DataFrame({"sample": list("uvwxy"), "condition": list("aabbb")})
    found = activity_from_scores(scores, sheet, {"P1": "T1", "P2": "T2", "P3": "T3"}, max_spread=9)
    adata = to_anndata(found)
    adata.write_h5ad(tmp_path / "a.h5ad")
    adata = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert list(adata.obs_names) == ["a", "b"] and list(adata.var_names) == ["P1", "P2", "P3"]
    np.testing.assert_array_equal(adata.X, found.activity)
    np.testing.assert_array_equal(adata.layers["spread"], found.spread)
    assert adata.obs["num_samples"].tolist() == [2, 3]
    assert adata.var["symbol"].tolist() == ["T1", "T2", "T3"]
