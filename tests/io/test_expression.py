import gzip

import numpy as np
import pytest

from lembas_pyg.io import read_expression

TABLE = "gene\tS1\tS2\tS3\nTNF\t1\t-2.5\t3e-1\nIL4\t0\t0.1\t7\n"
VALUES = [[1, 0], [-2.5, 0.1], [0.3, 7]]


@pytest.fixture
def read(tmp_path):
    def _read(text, name="E.tsv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return read_expression(path)

    return _read


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace("gene", ""),
        TABLE.replace("gene\t", ""),  # as R writes it
        TABLE.replace("\t", ","),
        TABLE.replace("\t", ";"),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("TNF", '"TNF"').replace("S1", '"S1"').replace("\t", ","),
        TABLE.replace("\tS2", "\t S2 "),
    ],
    ids=["plain", "blank", "R", "comma", "semicolon", "windows", "quotes", "blanks"],
)
def test_every_layout_gives_samples_by_genes(read, text):
    table = read(text)
    assert table.to_numpy().tolist() == VALUES
    assert list(table) == ["TNF", "IL4"] and list(table.index) == ["S1", "S2", "S3"]
    assert table.index.name == "sample" and table.columns.name is None


def test_compressed_tables_are_read(read):
    assert read(TABLE, "E.tsv.gz").to_numpy().tolist() == VALUES


def test_numbers_are_read_to_the_last_digit(read):
    numbers = np.random.default_rng(0).normal(size=50)
    text = "".join(f"G{i}\t{x!r}\n" for i, x in enumerate(numbers.tolist()))
    assert (read("g\tS\n" + text).to_numpy()[0] == numbers).all()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (TABLE.replace("IL4", "TNF"), r"gene 'TNF' is given twice, in lines 2 and 3.*average logs"),
        (TABLE.replace("IL4", ""), "line 3: the name of the gene is blank"),
        (TABLE.replace("S2", "S1"), "line 1: the sample 'S1' is given twice"),
        (TABLE.replace("S2", ""), "line 1: sample 2 has no name"),
        (TABLE.replace("-2.5", "NA"), r"line 2, column 'S2': 'NA' is not legal"),
        (TABLE.replace("-2.5", ""), r"line 2, column 'S2': '' is not legal"),
        (TABLE.replace("-2.5", "high"), r"line 2, column 'S2': 'high' is not legal"),
        (TABLE.replace("-2.5", "1_0"), r"line 2, column 'S2': '1_0' is not legal"),
        (TABLE.replace("-2.5", "inf"), r"line 2, column 'S2': 'inf' is not legal"),
        (TABLE.replace("-2.5", "2,5"), "Write the decimal sign as a point"),
        (TABLE.replace("\t7", ""), r"line 3, column 'S3': '' is not legal"),
        (TABLE.replace("\t7", "\t7\t8"), "differ in their number of fields"),
        (TABLE.replace("gene\tS1\t", ""), "2 names in the header and 4 fields below"),
        ("gene\nTNF\n", "has a single column"),
        ("gene\tS1\n", "has a header but nothing below"),
    ],
)
def test_errors_are_located(read, text, match):
    with pytest.raises(ValueError, match=match):
        read(text)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_expression(tmp_path / "none.tsv")
