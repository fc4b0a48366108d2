import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import read_conditions, read_folds, write_conditions
from lembas_pyg.io.conditions import check_conditions


@pytest.fixture
def write(tmp_path):
    def _write(text):
        path = tmp_path / "table.tsv"
        path.write_text(text)
        return path

    return _write


@pytest.mark.parametrize("corner", ["", "condition", "Sample"])
def test_rows_are_conditions_and_blank_cells_were_not_measured(write, corner):
    table = read_conditions(write(f"{corner}\tP1\tP2\tP3\nLPS\t0.5\t\tNA\n+\t1\t-2e-3\tNaN\n"))
    assert table.index.tolist() == ["LPS", "+"]
    assert table.index.name == "condition"
    assert table.columns.tolist() == ["P1", "P2", "P3"]
    assert table.columns.name is None
    assert (table.dtypes == np.float64).all()
    np.testing.assert_array_equal(table, [[0.5, np.nan, np.nan], [1, -0.002, np.nan]])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("\tP1\nA\t1\nB\t2\nA\t1\n", "condition 'A' is given twice, in lines 2 and 4"),
        ("\tP1\tP1\nA\t1\t2\n", "the column 'P1' is given 2 times"),
        ("\tP1\nA\tlow\n", r"table\.tsv, line 2, column 'P1': 'low' is not legal"),
        ("\tP1\nA\tinf\n", "line 2, column 'P1': 'inf' is not legal"),
        ("\tP1\n\t1\n", "line 2: the column 'condition' is blank"),
        ("condition\nA\n", "single column 'condition'"),
        ("\tP1\n", "no conditions below it"),
    ],
)
def test_illegal_tables_are_described(write, text, match):
    with pytest.raises(ValueError, match=match):
        read_conditions(write(text))


def test_written_table_is_read_back_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(3, 4)), list("abc"), list("PQRS"))
    table.index.name = "condition"
    table.iloc[1, 2] = np.nan
    write_conditions(table, tmp_path / "out.tsv")
    back = read_conditions(tmp_path / "out.tsv")
    np.testing.assert_array_equal(back, table)
    assert back.index.equals(table.index)
    assert back.columns.equals(table.columns)


def make(values=((1.0, 2.0),), index=("a",), columns=("P", "Q")):
    return pd.DataFrame(values, list(index), list(columns))


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (make(index=[0]), "It has the condition 0. Name every condition by a text"),
        (make(columns=["P", 1]), "It has the column 1"),
        (make(columns=["P", "P"]), "the column 'P' more than once"),
        (make([[1, 2], [3, 4]], index=["a", "a"]), "the condition 'a' more than once"),
        (make([["1", 2]]), "in the column 'P', such as '1'"),
        (make([[1j, 2]]), "type complex128 in the column 'P'"),
        (make([[1, -np.inf]]), "It has -inf for the condition 'a' in the column 'Q'"),
        (make().iloc[:0], "It is empty: 0 conditions, 2 columns"),
    ],
)
def test_table_made_in_memory_is_checked(table, match):
    with pytest.raises(ValueError, match=match):
        check_conditions(table, "It")


def test_conditions_have_to_be_a_table():
    with pytest.raises(TypeError, match="not ndarray"):
        check_conditions(np.ones((2, 2)))


def test_folds_are_read(write):
    folds = read_folds(write("Index\tCondition\n0\tLPS\n0\tTNF\n12\tLPS\n"))
    assert folds["Index"].tolist() == [0, 0, 12]
    assert folds["Condition"].tolist() == ["LPS", "TNF", "LPS"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Index\tCondition\n-1\tA\n", "line 2, column 'Index': '-1' is not a fold"),
        ("Index\tCondition\n1\tA\n01\tA\n", "Condition 'A' is given twice, in lines 2 and 3"),
        ("Index\tCondition\n1\t\n", "'Condition' is blank"),
    ],
)
def test_illegal_folds_are_described(write, text, match):
    with pytest.raises(ValueError, match=match):
        read_folds(write(text))


@pytest.mark.parametrize(
    ("name", "num_conditions", "num_ligands", "num_tfs", "num_folds"),
    [("ligandScreen", 103, 60, 74, 28), ("macrophage", 23, 12, 88, 20)],
)
def test_published_tables_have_their_published_sizes(
    shared_data, name, num_conditions, num_ligands, num_tfs, num_folds
):
    folder = shared_data / "lembas" / "networks"
    tfs = read_conditions(folder / f"{name}-TFs.tsv")
    assert read_conditions(folder / f"{name}-Ligands.tsv").shape == (num_conditions, num_ligands)
    assert tfs.shape == (num_conditions, num_tfs)
    folds = read_folds(folder / f"{name}-Folds.tsv")
    assert folds["Index"].nunique() == num_folds
    assert folds["Condition"].isin(tfs.index).all()
    assert folds["Condition"].is_unique
