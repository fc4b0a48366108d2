import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lembas_pyg.io import (
    interaction_sign,
    merge_interactions,
    read_interactions,
    write_interactions,
)

HEADER = "source\ttarget\tdirection\tstimulation\tinhibition\tsources\treferences\n"


@pytest.fixture
def read(tmp_path):
    def _read(lines, header=HEADER):
        path = tmp_path / "Model.tsv"
        path.write_text(header + lines)
        return read_interactions(path)

    return _read


def make(*rows):
    columns = ["source", "target", "direction", "stimulation", "inhibition", "sources"]
    return pd.DataFrame(rows, columns=columns)


def test_flags_become_numbers_whatever_their_spelling(read):
    table = read("A\tB\t1\tTrue\tFALSE\tKEGG\tx\nB\tC\tt\tf\t1\t\t\n")
    assert table["stimulation"].tolist() == [1, 0]
    assert table["inhibition"].tolist() == [0, 1]
    assert (table.dtypes[["direction", "stimulation", "inhibition"]] == np.int8).all()
    assert interaction_sign(table).tolist() == [1, -1]


def test_evidence_is_optional_and_further_columns_are_kept(read):
    header = "effect\tsource\ttarget\tdirection\tstimulation\tinhibition\n"
    table = read("strong\tA\tB\t1\t1\t0\n", header)
    assert table.iloc[0].tolist() == ["A", "B", 1, 1, 0, "", "", "strong"]


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("A\t\t1\t1\t0\t\t\n", r"Model\.tsv, line 2: the column 'target' is blank"),
        ("A\tB\t1\t2\t0\t\t\n", r"line 2, column 'stimulation': '2' is not a flag"),
        ("A\tB\t1\t1\t0\t\t\nB\tC\t0\t1\t0\t\t\n", r"line 3: 'B' and 'C'.*in each direction"),
    ],
)
def test_illegal_lines_are_located(read, lines, match):
    with pytest.raises(ValueError, match=match):
        read(lines)


@pytest.mark.parametrize("name", ["source", "target", "direction", "stimulation", "inhibition"])
def test_missing_column_is_named(read, name):
    with pytest.raises(ValueError, match=f"the column '{name}' is missing"):
        read("", HEADER.replace(name + "\t", ""))


@pytest.mark.parametrize(
    ("flags", "sign"),
    [
        ([(1, 0), (1, 0)], 1),
        ([(0, 1), (0, 1), (0, 1)], -1),
        ([(1, 0), (0, 0)], 1),
        ([(0, 0), (0, 1)], -1),
        ([(0, 0), (0, 0)], 0),
        ([(1, 0), (0, 1)], 0),
        ([(0, 1), (0, 0), (1, 0)], 0),
    ],
)
def test_sign_of_repeated_interactions(flags, sign):
    table = make(*[("A", "B", 1, *flag, "") for flag in flags])
    merged = merge_interactions(table)
    assert len(merged) == 1
    assert interaction_sign(merged).tolist() == [sign]


def test_evidence_is_joined_in_order_of_mention():
    merged = merge_interactions(
        make(
            ("A", "B", 1, 1, 0, "SIGNOR;KEGG"),
            ("B", "A", 1, 1, 0, "IntAct"),
            ("A", "B", 1, 1, 0, "KEGG; ACSN;"),
            ("A", "B", 1, 1, 0, None),
        )
    )
    assert merged["source"].tolist() == ["A", "B"]
    assert merged["sources"].tolist() == ["SIGNOR;KEGG;ACSN", "IntAct"]
    assert merged.index.equals(pd.RangeIndex(2))


def test_other_columns_keep_their_first_value_even_if_missing():
    table = make(("A", "B", 1, 1, 0, ""), ("A", "B", 1, 1, 0, "")).assign(score=[np.nan, 2.0])
    assert merge_interactions(table)["score"].isna().all()


def test_conflicts_are_logged(caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    merge_interactions(make(("A", "B", 1, 1, 0, ""), ("A", "B", 1, 0, 1, "")))
    assert "Merged 2 rows of the interaction table into 1 interactions" in caplog.text
    assert "opposite signs, which leaves them unknown: A -> B" in caplog.text


def test_the_table_given_is_not_changed():
    table = make(("A", "B", 1, 1, 0, None), ("A", "B", 1, 0, 1, "x"))
    before = table.copy()
    merge_interactions(table)
    pd.testing.assert_frame_equal(table, before)


interactions = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from("ABC"),
        st.just(1),
        st.integers(0, 1),
        st.integers(0, 1),
        st.lists(st.sampled_from(["x", "y", "z"])).map(";".join),
    ),
    max_size=12,
)


@given(interactions)
@settings(max_examples=60, deadline=None)
def test_merging_agrees_with_a_loop_over_rows(rows):
    expected = {}
    for source, target, _, stimulation, inhibition, sources in rows:
        entry = expected.setdefault((source, target), [0, 0, []])
        entry[0] |= stimulation
        entry[1] |= inhibition
        for name in sources.split(";"):
            if name and name not in entry[2]:
                entry[2].append(name)
    merged = merge_interactions(make(*rows))
    repeated = make(*rows).duplicated(["source", "target"], keep=False)
    found = merged[["source", "target", "stimulation", "inhibition"]].to_numpy().tolist()
    assert found == [[*pair, *entry[:2]] for pair, entry in expected.items()]
    for (source, target), sources in zip(expected, merged["sources"], strict=True):
        if repeated[[row[:2] == (source, target) for row in rows]].any():
            assert sources == ";".join(expected[source, target][2])
    pd.testing.assert_frame_equal(merge_interactions(merged), merged)


def test_written_table_is_read_back(tmp_path, read):
    table = read("A\tB\t1\t1\t1\tKEGG;SIGNOR\tKEGG:1\nB\tC\t1\t0\t1\t\t\n")
    write_interactions(table, tmp_path / "out.tsv")
    pd.testing.assert_frame_equal(read_interactions(tmp_path / "out.tsv"), table)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (make(("A", "B", 1, 1, 0, "")).drop(columns="inhibition"), r"no column \['inhibition'\]"),
        (make((None, "B", 1, 1, 0, "")), "column 'source' .* holds (None|nan)"),
        (make(("A", "", 1, 1, 0, "")), "column 'target' of the interaction table holds ''"),
        (make((1, "B", 1, 1, 0, "")), "column 'source' .* holds 1"),
        (make(("A", "B", 1, 2, 0, "")), "'stimulation' .* holds 2 for 'A' -> 'B'"),
    ],
)
def test_table_made_in_memory_is_checked(table, match):
    with pytest.raises(ValueError, match=match):
        merge_interactions(table)


def test_interactions_have_to_be_a_table():
    with pytest.raises(TypeError, match="DataFrame, not list"):
        merge_interactions([("A", "B")])


@pytest.mark.parametrize(
    ("name", "num_rows", "signs"),
    [
        ("ligandScreen", 6594, (3931, 1488, 1175)),
        ("macrophage", 5732, (1470, 536, 3726)),
        ("KEGGnet", 832, (702, 130, 0)),
    ],
)
def test_published_networks_have_their_published_signs(shared_data, name, num_rows, signs):
    table = read_interactions(shared_data / "lembas" / "networks" / f"{name}-Model.tsv")
    sign = interaction_sign(table)
    assert len(table) == num_rows
    assert tuple((sign == value).sum() for value in (1, -1, 0)) == signs


@pytest.mark.parametrize("name", ["ToyNetRecurrent-Model", "toyNFKB-Model", "pipeNet"])
def test_published_text_with_a_spare_field_is_read(shared_data, name):
    table = read_interactions(shared_data / "lembas" / "networks" / f"{name}.txt")
    assert (table["direction"] == 1).all()
    assert table["references"].isin(["toyNet", "pipeNet"]).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [({"direction": 0}, "without a direction"), ({"source": " A"}, "begins or ends with a blank")],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, change, text):
    row = {"source": "A", "target": "B", "direction": 1, "stimulation": 1, "inhibition": 0}
    with pytest.raises(ValueError, match=text):
        write_interactions(pd.DataFrame([row | change]), tmp_path / "M.tsv")
    assert not (tmp_path / "M.tsv").exists()
