import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import read_parameters, write_parameters

HEADER = "Source\tTarget\tType\tValue\n"
LINES = "A\tB\tWeight\t0.1\nA\t\tBias\t-1e-3\nA\t\tInput\t3\nB\t\tProjection\t1.2"


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "Parameters.tsv"
        path.write_text(text)
        return read_parameters(path)

    return _read


def test_four_types_are_read_and_the_last_line_may_lack_its_end(read):
    table = read(HEADER + LINES)
    assert table["Value"].tolist() == [0.1, -0.001, 3.0, 1.2]
    assert table["Type"].tolist() == ["Weight", "Bias", "Input", "Projection"]
    assert table["Target"].tolist() == ["B", "", "", ""]
    assert table.attrs == {}


def test_settings_above_the_header_survive_with_the_values(read, tmp_path):
    table = read("# activation: MML\n# leak: 0.01\n" + HEADER + LINES + "\n")
    table["Value"] = np.random.default_rng(0).normal(size=4)
    assert table.attrs == {"activation": "MML", "leak": "0.01"}
    write_parameters(table, tmp_path / "out.tsv")
    back = read_parameters(tmp_path / "out.tsv")
    pd.testing.assert_frame_equal(back, table, check_exact=True)
    assert back.attrs == table.attrs


def test_a_file_of_ours_that_was_cut_within_a_number_is_told(read):
    with pytest.warns(UserWarning, match="ends without a line end. If it was cut short"):
        read("# activation: MML\n" + HEADER + LINES.rstrip()[:-1])


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("A\tB\tweight\t1\n", "line 2: the type 'weight' is not known. Legal are Weight, Bias"),
        ("A\t\tWeight\t1\n", "line 2: the Weight of source 'A' has no target"),
        ("A\tB\tBias\t1\n", "line 2: the Bias of 'A' has the target 'B'"),
        ("A\t\tBias\tnan\n", "line 2, column 'Value': 'nan' is not legal"),
        ("A\t\tBias\tinf\n", "line 2, column 'Value': 'inf' is not legal"),
        ("A\t\tBias\t\n", "line 2, column 'Value': '' is not legal"),
        ("\tB\tWeight\t1\n", "line 2: the column 'Source' is blank"),
        (
            "A\tB\tWeight\t1\nA\t\tBias\t1\nA\tB\tWeight\t1\n",
            "Weight.*Source 'A', Target 'B' is given twice, in lines 2 and 4",
        ),
        ("A\t\tBias\t1\nA\t\tBias\t2\n", "Type 'Bias', Source 'A' is given twice"),
    ],
)
def test_illegal_lines_are_located(read, lines, match):
    with pytest.raises(ValueError, match=match):
        read(HEADER + lines)


def test_unknown_column_is_refused(read):
    with pytest.raises(ValueError, match="column 'Fold' is not known"):
        read("Source\tTarget\tType\tValue\tFold\nA\t\tBias\t1\t0\n")


def make(*rows):
    return pd.DataFrame(rows, columns=["Source", "Target", "Type", "Value"])


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (make(("A", "", "Bias", np.nan)), "gives nan as the Bias of 'A'.*diverge"),
        (make(("A", "B", "Weight", np.inf)), "gives inf as the Weight of 'A' -> 'B'"),
        (make(("A", None, "Weight", 1.0)), "Row 0 .* has no target"),
        (make(("A", "B", "Weight", 1.0), ("A", "B", "Weight", 1.0)), "'A' -> 'B' more than once"),
        (make(("A", "", "Bias", "1")), "'Value' .* has the type"),
        (make().drop(columns="Type"), "it needs"),
    ],
)
def test_table_made_in_memory_is_checked(tmp_path, table, match):
    with pytest.raises(ValueError, match=match):
        write_parameters(table, tmp_path / "out.tsv")
    assert not (tmp_path / "out.tsv").exists()


def test_parameters_have_to_be_a_table(tmp_path):
    with pytest.raises(TypeError, match="DataFrame, not list"):
        write_parameters([], tmp_path / "out.tsv")


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("data/lembas/networks/KEGGnet-Parameters.txt", (832, 409, 101, 55)),
        ("data/lembas/networks/ToyNetRecurrent-Parameters.txt", (8, 7, 2, 1)),
        ("data/lembas/networks/toyNFKB-Parameters.txt", (3, 4, 2, 1)),
        ("golden/macrophage-Parameters.tsv", (5732, 1128, 12, 58)),
        ("golden/KEGGnet-Parameters.tsv", (832, 409, 101, 55)),
    ],
)
def test_published_parameters_are_read_unchanged(shared, tmp_path, path, counts):
    if not (shared / path).exists():
        pytest.skip(f"{path} not found")
    table = read_parameters(shared / path)
    found = table["Type"].value_counts()[["Weight", "Bias", "Input", "Projection"]]
    assert tuple(found) == counts
    write_parameters(table, tmp_path / "out.tsv")
    pd.testing.assert_frame_equal(read_parameters(tmp_path / "out.tsv"), table, check_exact=True)
