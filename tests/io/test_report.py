import pandas as pd
import pytest

from lembas_pyg.io import read_tsv
from lembas_pyg.io.report import (
    REPORT_COLUMNS,
    Curated,
    empty_report,
    join_reports,
    report_rows,
    write_report,
)


def test_one_text_stands_for_every_row():
    rows = report_rows("rule", "removed", "interaction", ["A", "B"], ["C", "D"], "no reference")
    assert list(rows.columns) == REPORT_COLUMNS
    assert rows["detail"].tolist() == ["no reference"] * 2
    assert rows["target"].tolist() == ["C", "D"]


def test_actions_may_differ_by_row():
    rows = report_rows("rule", ["added", "unmatched"], "node", pd.Series(["A", "B"], index=[7, 9]))
    assert rows["action"].tolist() == ["added", "unmatched"]
    assert rows["target"].tolist() == ["", ""]
    assert rows.index.tolist() == [0, 1]


def test_reports_join_in_order_and_nothing_joins_to_an_empty_report():
    first = report_rows("first", "kept", "node", ["B"])
    second = report_rows("second", "removed", "node", ["A"])
    joined = join_reports(first, empty_report(), second)
    assert joined["rule"].tolist() == ["first", "second"]
    assert joined.index.tolist() == [0, 1]
    pd.testing.assert_frame_equal(join_reports(), empty_report())
    pd.testing.assert_frame_equal(report_rows("rule", "kept", "node", []), empty_report())


def test_a_written_report_is_read_back(tmp_path):
    report = report_rows("select", ["removed", "conflict"], "interaction", ["A", "B"], ["C", "D"])
    write_report(report, tmp_path / "report.tsv")
    read = read_tsv(tmp_path / "report.tsv", REPORT_COLUMNS).reset_index(drop=True)
    pd.testing.assert_frame_equal(read, report)


def test_a_curated_result_unpacks():
    table, report = Curated(pd.DataFrame(), empty_report())
    assert table.empty
    assert report.empty


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("rule", "dropped", "node", ["A"]), "'action' .* holds 'dropped'. Legal are removed"),
        (("rule", "kept", "edge", ["A"]), "'item' .* holds 'edge'. Legal are interaction, node"),
        (("rule", "kept", "node", ["A", "B"], ["C"]), "2 sources, but 1 .* column 'target'"),
    ],
)
def test_illegal_rows_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        report_rows(*arguments)


def test_a_report_needs_its_columns(tmp_path):
    with pytest.raises(ValueError, match=r"no column \['detail'\]"):
        write_report(empty_report().drop(columns="detail"), tmp_path / "report.tsv")
