"""Random networks survive the way from table to graph and back."""

import string
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch

from lembas_pyg.io import (
    merge_interactions,
    read_annotation,
    read_interactions,
    write_annotation,
    write_interactions,
)
from lembas_pyg.io.report import report_rows
from lembas_pyg.network import (
    add_report,
    curation_report,
    from_interactions,
    to_annotation,
    to_interactions,
)

names = st.text(string.ascii_letters + string.digits + ":-_ é", min_size=1, max_size=8).map(
    lambda name: name.strip() or "x"
)
evidence = st.lists(st.sampled_from(["KEGG", "SIGNOR", "KEGG-MEDICUS"]), max_size=3).map(";".join)


@st.composite
def networks(draw):
    """Tables of a network: repeated rows and any signs; every node annotated."""
    code = draw(st.lists(names, min_size=2, max_size=12, unique=True))
    node = st.sampled_from(code)
    flag = st.integers(0, 1)
    row = st.tuples(node, node, st.just(1), flag, flag, evidence, evidence)
    rows = draw(st.lists(row, min_size=1, max_size=30))
    columns = ["source", "target", "direction", "stimulation", "inhibition"]
    table = pd.DataFrame(rows, columns=[*columns, "sources", "references"])
    role = st.lists(st.booleans(), min_size=len(code), max_size=len(code))
    annotation = pd.DataFrame(
        {
            "code": pd.Series(code, dtype=str),
            "name": pd.Series([name.lower() for name in code], dtype=str),
            "TF": draw(role),
            "ligand": draw(role),
        }
    )
    used = annotation["code"].isin({*table["source"], *table["target"]})
    annotation = annotation[used].reset_index(drop=True)
    annotation.loc[0, ["TF", "ligand"]] = True
    return table, annotation


def check_graph_and_back(network):
    table, annotation = network
    merged = merge_interactions(table)
    data = from_interactions(table, annotation)
    pd.testing.assert_frame_equal(to_interactions(data, table), merged)
    pd.testing.assert_frame_equal(to_annotation(data), annotation)
    plain = to_interactions(data)
    both = (merged["stimulation"] == 1) & (merged["inhibition"] == 1)
    flags = ["source", "target", "direction", "stimulation", "inhibition"]
    expected = merged[flags].copy()
    expected.loc[both, ["stimulation", "inhibition"]] = 0  # no sign, not two
    pd.testing.assert_frame_equal(plain[flags], expected)


@given(networks())
@settings(max_examples=60, deadline=None)
def test_table_to_graph_to_table_is_the_merged_table(network):
    check_graph_and_back(network)


@pytest.mark.slow
@given(networks())
@settings(max_examples=1000, deadline=None)
def test_a_thousand_tables_to_graph_to_table_are_the_merged_tables(network):
    check_graph_and_back(network)


@given(networks())
@settings(max_examples=30, deadline=None)
def test_table_to_file_to_table_is_the_merged_table(network):
    table, annotation = network
    merged = merge_interactions(table)
    with tempfile.TemporaryDirectory() as folder:
        write_interactions(merged, Path(folder) / "Model.tsv")
        write_annotation(annotation, Path(folder) / "Annotation.tsv")
        pd.testing.assert_frame_equal(
            read_interactions(Path(folder) / "Model.tsv"),
            merged,
        )
        pd.testing.assert_frame_equal(read_annotation(Path(folder) / "Annotation.tsv"), annotation)


def test_a_report_goes_with_its_graph_into_a_batch_and_out():
    table = pd.DataFrame({"source": ["A", "B"], "target": ["B", "C"]})
    table = table.assign(stimulation=1, inhibition=0)
    annotation = pd.DataFrame({"code": list("ABC"), "name": list("abc")})
    annotation = annotation.assign(TF=[False, False, True], ligand=[True, False, False])
    data = from_interactions(table, annotation)
    for rows in (["A"], ["A", "B", "C"]):  # one, and as many as nodes
        add_report(data, report_rows("rule", "kept", "node", rows))
    other = data.clone()
    add_report(other, report_rows("rule", "kept", "node", ["C"]))
    first, second = Batch.from_data_list([data, other]).to_data_list()
    pd.testing.assert_frame_equal(curation_report(first), curation_report(data))
    pd.testing.assert_frame_equal(curation_report(second), curation_report(other))
    assert len(curation_report(data)) == 4
    assert len(curation_report(other)) == 5
