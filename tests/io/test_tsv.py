import errno
import gzip
import math
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io.replace import is_partial, replace_file, replace_together
from lembas_pyg.io.tsv import parse_flags, parse_numbers, read_tsv, write_tsv


@pytest.fixture
def write(tmp_path):
    def _write(content, name="table.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


PLAIN = "a\tb\tc\n1\t2\t3\n4\t\t6\n"


def rows(table):
    return table.to_numpy().tolist()


def test_values_stay_text_and_lines_are_counted_from_the_header(write):
    table = read_tsv(write("a\tb\nNA\t007\n\ttrue\n"), ["b"])
    assert rows(table) == [["NA", "007"], ["", "true"]]
    assert table.columns.tolist() == ["a", "b"]
    assert table.index.tolist() == [2, 3]
    assert table.index.name == "line"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN + "\n\n",
        PLAIN + "\t\t\n  \n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("3\n", "3\t\n"),
        PLAIN.replace("3\n", "3\t \n"),
        PLAIN.replace("\n", "\t\n"),
        PLAIN.replace("\t2", "\t 2 ").replace("4", " 4"),
        PLAIN.replace("2", "\u00a02"),
        PLAIN.replace("a", " a "),
    ],
)
def test_harmless_differences_between_programs_do_not_matter(write, content):
    table = read_tsv(write(content), ["a", "b", "c"])
    assert rows(table) == [["1", "2", "3"], ["4", "", "6"]]
    assert table.index.tolist() == [2, 3]


def test_blank_lines_between_are_skipped_but_counted(write):
    table = read_tsv(write("\na\tb\n\n1\t2\n\t\n3\t4\n"))
    assert rows(table) == [["1", "2"], ["3", "4"]]
    assert table.index.tolist() == [4, 6]


def test_compressed_file_is_read(write):
    assert len(read_tsv(write(gzip.compress(PLAIN.encode()), "t.tsv.gz"))) == 2


def test_quotes_are_ordinary_characters(write):
    assert rows(read_tsv(write('a\tb\n"x\t5\'"\n'))) == [['"x', "5'\""]]


def test_header_alone_gives_no_rows(write):
    table = read_tsv(write("a\tb\n"), ["a"])
    assert table.shape == (0, 2)
    assert table.columns.tolist() == ["a", "b"]


def test_lines_above_the_header_become_attributes(write):
    table = read_tsv(write("# activation: MML\n#leak :0.01\n# url: http://x\na\tb\n1\t2\n"))
    assert table.attrs == {"activation": "MML", "leak": "0.01", "url": "http://x"}
    assert table.index.tolist() == [5]


def test_header_that_starts_with_a_hash_is_a_header(write):
    assert read_tsv(write("#ID: a\tb\n1\t2\n")).columns.tolist() == ["#ID: a", "b"]


def test_blank_first_header_takes_the_name_given(write):
    assert read_tsv(write("\tb\nx\t2\n"), first="name").columns.tolist() == ["name", "b"]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.tsv does not exist"):
        read_tsv(tmp_path / "nowhere.tsv")


def test_directory_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a directory"):
        read_tsv(tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", r"table\.tsv is empty"),
        (" \n\t\n", r"table\.tsv is empty"),
        ("# leak: 1\n", "no header line below"),
        ("# leak: 1\n# leak: 2\na\n", r"line 2: the key 'leak' is given a second time"),
        (b"PK\x03\x04\0\0", "null bytes, as a spreadsheet"),
        ("a\tb\n1\t2\n".encode("utf-16"), "null bytes"),
        (b"a\tb\n1\tTGF\xdf\n", "line 2: the byte 0xdf is not UTF-8"),
        ("a\tb\ta\n", r"line 1: the column 'a' is given 2 times \(columns 1, 3\)"),
        ("a\t\tb\n", "column 2 of 3 has no name"),
        ("\ta\tb\n", "column 1 of 3 has no name"),
        ("a\tb\n1\t2\n3\n", r"line 3: too few fields, 1 under 2 columns"),
        ("a\tb\n1\t2\tx\n1\t2\ty\n", r"line 2: too many fields.* 'x' would be lost.*1 more lines"),
        ("a\tb\n1\t2\t\t\n", r"line 2: too many fields, 4 under 2"),
        ("a\tc\n", r"line 1: the column 'b' is missing. The file has 'a', 'c'; required are 'a'"),
        ("c\td\n", r"the columns 'a' and 'b' is missing|the columns 'a' and 'b'"),
        ("A\tB\n", r"case-sensitive: rename 'A', 'B'"),
        ("a,b\n1,2\n", "looks comma-separated and must be tab-separated"),
        ('"a";"b"\n1;2\n', "looks semicolon-separated"),
        ("a b\n1 2\n", "looks space-separated"),
    ],
)
def test_damage_is_described(write, content, match):
    with pytest.raises(ValueError, match=match):
        read_tsv(write(content), ["a", "b"])


def test_comma_separated_file_is_recognized_without_required_columns(write):
    with pytest.raises(ValueError, match="looks comma-separated"):
        read_tsv(write(",P1,P2\nx,1,2\n"), first="condition")


def test_damaged_gzip_is_described(write):
    with pytest.raises(ValueError, match="not a complete gzip file"):
        read_tsv(write(gzip.compress(PLAIN.encode())[:-9], "t.tsv.gz"))
    with pytest.raises(ValueError, match="not a complete gzip file"):
        read_tsv(write(PLAIN, "u.tsv.gz"))


@pytest.mark.parametrize("name", ["out.tsv", "out.tsv.gz"])
def test_numbers_survive_to_the_last_digit(tmp_path, name):
    values = [0.1 + 0.2, 1e-300, math.pi, -5e-324, 1.7976931348623157e308, 3.0]
    table = pd.DataFrame({"name": list("abcdef"), "value": values})
    write_tsv(table, tmp_path / name)
    back = read_tsv(tmp_path / name)
    assert parse_numbers(back["value"], "x").tolist() == values


def test_quotes_and_missing_values_survive(tmp_path):
    write_tsv(pd.DataFrame({"a": ['say "hi"', None], "b": [np.nan, 1.5]}), tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == 'a\tb\nsay "hi"\t\n\t1.5\n'


def test_same_table_gives_the_same_compressed_bytes(tmp_path):
    table = pd.DataFrame({"a": ["x"]})
    write_tsv(table, tmp_path / "1.gz")
    write_tsv(table, tmp_path / "2.gz")
    assert (tmp_path / "1.gz").read_bytes() == (tmp_path / "2.gz").read_bytes()


@pytest.mark.parametrize("value", ["x\ty", "x\ny", "x\r"])
def test_text_that_would_shift_columns_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match=r"column 'a' holds .* would shift the columns"):
        write_tsv(pd.DataFrame({"a": ["ok", value]}), tmp_path / "t.tsv")
    with pytest.raises(ValueError, match="the column name"):
        write_tsv(pd.DataFrame({value: [1.0]}), tmp_path / "t.tsv")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("metadata", [{"a:b": 1}, {"a": "x\ny"}, {"": 1}, {"a": "x\ty"}])
def test_metadata_that_could_not_be_read_back_is_refused(tmp_path, metadata):
    with pytest.raises(ValueError, match="cannot stand above the header"):
        write_tsv(pd.DataFrame({"a": ["x"]}), tmp_path / "t.tsv", metadata=metadata)


def test_failure_leaves_the_earlier_file_and_nothing_else(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="power cut"), replace_file(path) as file:
        file.write(b"half")
        raise RuntimeError("power cut")
    assert os.listdir(tmp_path) == ["t.tsv"]
    assert path.read_text() == "before"


def test_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_tsv(pd.DataFrame({"a": ["x"]}), tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder .*nowhere does not exist"):
        write_tsv(pd.DataFrame({"a": ["x"]}), tmp_path / "nowhere" / "t.tsv")


def test_writing_over_a_directory_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        write_tsv(pd.DataFrame({"a": ["x"]}), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="no permission to create files"):
        write_tsv(pd.DataFrame({"a": ["x"]}), tmp_path / "t.tsv")


def test_what_is_not_a_regular_file_is_written_to_directly():
    write_tsv(pd.DataFrame({"a": ["x"]}), "/dev/null")


def test_flags_in_all_legal_spellings():
    flags = parse_flags(pd.Series(["0", "1", "True", "FALSE", "t", "f"], name="TF"), "x")
    assert flags.tolist() == [False, True, True, False, True, False]


def test_illegal_flag_is_located():
    column = pd.Series(["0", "yes", "no"], index=[2, 3, 4], name="TF")
    with pytest.raises(ValueError, match=r"x\.tsv, line 3, column 'TF': 'yes' \(and 1 more"):
        parse_flags(column, "x.tsv")


@pytest.mark.parametrize("value", ["abc", "inf", "-Infinity", "1_000", "0x1", "1,5", "", "nan"])
def test_illegal_number_is_located(value):
    column = pd.Series(["1", value], index=[2, 3], name="Value")
    with pytest.raises(ValueError, match=r"x\.tsv, line 3, column 'Value': .* is not legal"):
        parse_numbers(column, "x.tsv")


def test_decimal_comma_and_overflow_have_their_own_message():
    with pytest.raises(ValueError, match="decimal sign as a point"):
        parse_numbers(pd.Series(["0,5"], name="v"), "x")
    with pytest.raises(ValueError, match="too large"):
        parse_numbers(pd.Series(["1e999"], name="v"), "x")


def test_missing_numbers_where_they_are_legal():
    numbers = parse_numbers(pd.Series(["", "NA", "NaN", "-1.5E-3", ".5", "+2."]), "x", missing=True)
    assert numbers[:3].isna().all()
    assert numbers[3:].tolist() == [-0.0015, 0.5, 2.0]


def test_files_appear_together_or_not_at_all(tmp_path):
    def write(folder):
        for name in ("a", "b", "c"):
            (folder / name).write_text(name)

    with replace_together(tmp_path) as folder:
        write(folder)
        assert [path.name for path in tmp_path.iterdir()] == [folder.name]
        assert is_partial(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
    for path in tmp_path.iterdir():
        path.unlink()

    real, moved = os.replace, []

    def stop(source, target):
        moved.append(Path(target).name)
        if len(moved) == 3:
            raise OSError(errno.EIO, "Input/output error", str(source))
        real(source, target)

    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(OSError, match=re.escape(str(tmp_path / "a"))),
        replace_together(tmp_path) as folder,
    ):
        patch.setattr(os, "replace", stop)
        write(folder)
    assert moved == ["c", "b", "a"]
    assert not list(tmp_path.iterdir())
