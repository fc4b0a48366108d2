import pandas as pd
import pytest

from lembas_pyg.io import read_annotation, write_annotation
from lembas_pyg.io.annotation import check_annotation

HEADER = "code\tname\tTF\tligand\n"


@pytest.fixture
def read(tmp_path):
    def _read(lines, header=HEADER):
        path = tmp_path / "Annotation.tsv"
        path.write_text(header + lines)
        return read_annotation(path)

    return _read


def test_roles_become_booleans_and_further_columns_are_kept(read):
    table = read("y\tT1\tTRUE\tFalse\tP1\nz\t\tf\t1\tP2\n", "note\tname\tTF\tligand\tcode\n")
    assert table.columns.tolist() == ["code", "name", "TF", "ligand", "note"]
    assert table["code"].tolist() == ["P1", "P2"]
    assert table["name"].tolist() == ["T1", ""]
    assert table["TF"].tolist() == [True, False]
    assert table["ligand"].tolist() == [False, True]
    assert table["TF"].dtype == bool


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("\tx\t0\t0\n", "line 2: the column 'code' is blank"),
        ("P1\tx\t0\t0\nP2\ty\t0\t0\nP1\tx\t0\t1\n", "code 'P1' is given twice, in lines 2 and 4"),
        ("P1\tx\t0\tyes\n", "line 2, column 'ligand': 'yes' is not a flag"),
    ],
)
def test_illegal_lines_are_located(read, lines, match):
    with pytest.raises(ValueError, match=match):
        read(lines)


def test_written_table_is_read_back(read, tmp_path):
    table = read("P1\tx\t0\t1\nP2\t\t1\t0\n")
    write_annotation(table, tmp_path / "out.tsv")
    pd.testing.assert_frame_equal(read_annotation(tmp_path / "out.tsv"), table)


def make(**columns):
    return pd.DataFrame({"code": ["P1"], "name": ["x"], "TF": [0], "ligand": [1]} | columns)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (make().drop(columns="TF"), r"no column \['TF'\]"),
        (make(code=[""]), "'code' .* holds ''"),
        (make(code=[7]), "'code' .* holds 7"),
        (pd.concat([make(), make()]), "code 'P1' more than once"),
        (make(TF=["no"]), "'TF' .* holds 'no' for 'P1'"),
    ],
)
def test_table_made_in_memory_is_checked(table, match):
    with pytest.raises(ValueError, match=match):
        check_annotation(table)


def test_annotation_has_to_be_a_table():
    with pytest.raises(TypeError, match="DataFrame, not dict"):
        check_annotation({})


def test_published_annotation_is_read(shared_data):
    table = read_annotation(shared_data / "lembas" / "networks" / "macrophage-Annotation.tsv")
    assert (len(table), table["TF"].sum(), table["ligand"].sum()) == (1128, 58, 12)
