import csv
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lembas_pyg.io.delimited import read_delimited


@pytest.fixture
def read(tmp_path):
    def _read(text, *arguments, **options):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode())
        return read_delimited(path, *arguments, **options)

    return _read


@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_the_separator_is_found_in_the_header(read, separator):
    table = read(f"a{separator}b\n1{separator}2\n")
    assert table.to_dict("list") == {"a": ["1"], "b": ["2"]}
    assert table.index.tolist() == [2]


def test_quoted_fields_may_hold_separators_quotes_and_line_breaks(read):
    table = read('a,b\r\n"1,2","say ""no""\r\nand go"\r\n\r\n3,"  4 "\r\n')
    assert table.to_numpy().tolist() == [["1,2", 'say "no" and go'], ["3", "4"]]
    assert table.index.tolist() == [2, 5]


FIELD = st.text(st.sampled_from("ab\",;' "), max_size=5).map(str.strip)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=4), st.sampled_from(",;"))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("delimited") / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([("x", "y", "z"), *rows])
    filled = [list(row) for row in rows if any(row)]
    assert read_delimited(path).to_numpy().tolist() == filled


def test_a_quote_between_tabs_is_a_quote(read):
    table = read('a\tb\n5" long\t"whole ""field"""\n"\t"\n')
    assert table.to_numpy().tolist() == [['5" long', 'whole "field"'], ['"', '"']]


def test_columns_without_a_header_are_named(read):
    assert read("1;2\n", ["a"], names=["a", "b"])["b"].tolist() == ["2"]
    assert read("B;A\n1;2\n", ["a"], names=["a", "b"])["A"].tolist() == ["2"]


def test_compressed_tables_are_read(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_delimited(path)["b"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a;b\n1;2\n1;2;3\n", r"table\.csv, line 3: 3 fields under 2 columns, .* semicolon"),
        ("a,b\n1\n", r"line 2: 1 fields under 2 columns, separated by comma"),
        ('a,b\n"1\n,2', r"line 2: unexpected end of data\. Every double quote"),
        ('a,b\n1,2\n"1"x,2\n', r"line 3: .*Every double quote"),
        ("a,c\n1,2\n", r"no column \['b'\]; required are \['a', 'b'\]. It has \['a', 'c'\]"),
        ("a,b,a\n1,2,3\n", "names the column 'a' twice"),
        ("", "is empty"),
    ],
)
def test_damage_is_located(read, text, match):
    with pytest.raises(ValueError, match=match):
        read(text, ["a", "b"])
