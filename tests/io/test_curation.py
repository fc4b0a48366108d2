import pandas as pd
import pytest

from lembas_pyg.io import (
    apply_curation,
    both_directions,
    interaction_sign,
    merge_interactions,
    read_curation,
    read_interactions,
    read_omnipath,
)

ADD = "source\ttarget\tdirection\tstimulation\tinhibition\tsources\treferences\n"
REMOVE = "source\ttarget\tmotivation\n"
EDIT = "source\ttarget\taction\tvalue\n"


def table_of(*rows):
    columns = ["source", "target", "direction", "stimulation", "inhibition", "sources"]
    return pd.DataFrame(rows, columns=columns).assign(references="")


TABLE = table_of(
    ("A", "B", 1, 1, 0, "KEGG"),
    ("B", "C", 0, 0, 0, "SIGNOR"),
    ("C", "D", 1, 0, 1, "KEGG"),
    ("A", "B", 1, 1, 1, "SIGNOR"),
)


@pytest.fixture
def curate(tmp_path):
    """Apply lines of curation tables."""

    def _curate(add="", remove="", edit="", table=TABLE, **options):
        for name, text in (("add", ADD + add), ("remove", REMOVE + remove), ("edit", EDIT + edit)):
            (tmp_path / f"{name}.tsv").write_text(text)
        return apply_curation(table, read_curation(tmp_path), **options)

    return _curate


def pairs(table):
    return ["".join(pair) for pair in zip(table["source"], table["target"], strict=True)]


def told(report):
    return report[["rule", "action", "source", "target", "detail"]].to_numpy().tolist()


def test_a_new_interaction_is_added_below(curate):
    table, report = curate("D\tE\t1\t0\t1\tHuGeSiM\tHuGeSiM:1\n")
    assert pairs(table) == ["AB", "BC", "CD", "AB", "DE"]
    assert interaction_sign(table)[-1] == -1
    assert table.iloc[-1][["sources", "references"]].tolist() == ["HuGeSiM", "HuGeSiM:1"]
    assert told(report) == [["curation: add", "added", "D", "E", "line 2: HuGeSiM"]]


def test_columns_the_curation_does_not_have_are_empty_in_what_it_adds(curate):
    table = TABLE.assign(source_name=list("abca"), effort=[1, 2, 3, 4])
    added = curate("D\tE\t1\t0\t1\t\t\n", table=table).interactions.iloc[-1]
    assert added["source_name"] == ""
    assert pd.isna(added["effort"])


def test_an_interaction_that_is_there_gets_sign_direction_and_evidence(curate):
    table, report = curate("B\tC\t1\t1\t0\tHuGeSiM\tx:1\nA\tB\t1\t0\t0\tKEGG\t\n")
    assert pairs(table) == pairs(TABLE)
    assert table["direction"].tolist() == [1, 1, 1, 1]
    assert table["stimulation"].tolist() == [0, 1, 0, 0]
    assert table["inhibition"].tolist() == [0, 0, 1, 0]
    assert table["sources"].tolist() == ["KEGG", "SIGNOR;HuGeSiM", "KEGG", "SIGNOR"]
    assert report["action"].tolist() == ["changed", "changed"]
    assert report["detail"].tolist() == [
        "line 2: direction 0 -> 1; stimulation 0 -> 1; sources + HuGeSiM; references + x:1",
        "line 3: stimulation 1 -> 0; inhibition 0/1 -> 0",
    ]


def test_evidence_only_may_be_added(curate):
    table, report = curate("B\tC\t1\t1\t0\tMe\t\nC\tD\t1\t1\t0\tKEGG\t\n", overwrite=False)
    assert table[["direction", "stimulation"]].iloc[1].tolist() == [0, 0]
    assert table["sources"].iloc[1] == "SIGNOR;Me"
    assert report["action"].tolist() == ["changed", "kept"]
    assert report["detail"].tolist() == ["line 2: sources + Me", "line 3: is there already"]


def test_an_interaction_may_be_added_twice(curate):
    table, report = curate("D\tE\t1\t1\t0\tx\t\nD\tE\t1\t1\t0\ty\t\n")
    assert pairs(table).count("DE") == 1
    assert table["sources"].iloc[-1] == "x;y"
    assert report["action"].tolist() == ["added", "changed"]


def test_all_rows_of_a_pair_are_removed_in_its_direction_only(curate):
    table, report = curate(remove="A\tB\tIndirect.\nD\tC\t\n")
    assert pairs(table) == ["BC", "CD"]
    assert told(report) == [
        ["curation: remove", "removed", "A", "B", "line 2: Indirect."],
        ["curation: remove", "unmatched", "D", "C", "line 3: "],
    ]


def test_of_an_undirected_row_the_other_way_round_one_direction_is_removed(curate):
    table, report = curate(remove="C\tB\tWrong.\n")
    assert pairs(table) == pairs(TABLE)
    assert table["direction"].tolist() == [1, 1, 1, 1]
    assert told(report) == [
        [
            "curation: remove", "changed", "C", "B",
            "line 2: undirected before, now only B -> C; Wrong.",
        ]
    ]  # fmt: skip
    assert pairs(both_directions(table).interactions) == pairs(TABLE)


def test_what_is_removed_does_not_come_back_as_the_reverse_of_an_undirected_row(curate):
    twice = table_of(("A", "B", 1, 1, 0, "KEGG"), ("B", "A", 0, 0, 0, "HPRD"))
    table, report = curate(remove="A\tB\t\n", table=twice)
    assert pairs(both_directions(table).interactions) == ["BA"]
    assert told(report) == [
        [
            "curation: remove", "removed", "A", "B",
            "line 2: undirected before, now only B -> A",
        ]
    ]  # fmt: skip
    table, report = curate(remove="A\tB\t\nB\tA\t\n", table=twice)
    assert table.empty
    assert report["action"].tolist() == ["removed", "removed"]


@pytest.mark.parametrize(
    ("edit", "row"),
    [
        ("C\tB\tset_stimulation\t1\n", ["B", "C", 0, 1, 0]),
        ("C\tB\tset_direction\t1\n", ["C", "B", 1, 0, 0]),
        ("C\tB\tset_direction\t1\nC\tB\tset_inhibition\t1\n", ["C", "B", 1, 0, 1]),
        ("C\tB\treverse_direction\t\n", ["B", "C", 1, 0, 0]),
        ("C\tB\treverse_direction\t\nB\tC\tset_inhibition\t1\n", ["B", "C", 1, 0, 1]),
    ],
)
def test_an_undirected_row_is_edited_in_either_orientation(curate, edit, row):
    table, report = curate(edit=edit)
    assert table.iloc[1, :5].tolist() == row
    assert pairs(table)[::2] == ["AB", "CD"]
    assert set(report["action"]) == {"changed"}


def test_both_rows_of_a_pair_are_edited_when_one_is_undirected_the_other_way_round(curate):
    twice = table_of(("A", "B", 1, 1, 0, "KEGG"), ("B", "A", 0, 0, 0, "HPRD"))
    lines = "A\tB\tset_direction\t1\nA\tB\tset_inhibition\t1\n"
    table, _ = curate(edit=lines, table=twice)
    assert pairs(table) == ["AB", "AB"]
    assert table["inhibition"].tolist() == [1, 1]
    turned, _ = curate(edit="A\tB\treverse_direction\t\n", table=twice)
    assert pairs(turned) == ["BA", "BA"]
    assert turned["direction"].tolist() == [1, 1]


def test_flags_of_all_rows_of_a_pair_are_set(curate):
    lines = "A\tB\tset_stimulation\t0\nA\tB\tset_inhibition\t1\nA\tB\tset_direction\tFalse\n"
    table, report = curate(edit=lines)
    rows = table[[0 == i or 3 == i for i in range(4)]]
    assert rows[["direction", "stimulation", "inhibition"]].to_numpy().tolist() == [[0, 0, 1]] * 2
    assert report["detail"].tolist() == [
        "line 2: stimulation 1 -> 0",
        "line 3: inhibition 0/1 -> 1",
        "line 4: direction 1 -> 0",
    ]


def test_an_edit_that_changes_nothing_says_so_and_one_without_interaction_too(curate):
    _, report = curate(edit="C\tD\tset_inhibition\t1\nD\tC\tset_direction\t0\n")
    assert report["action"].tolist() == ["kept", "unmatched"]
    assert report["detail"].tolist() == ["line 2: inhibition is 1 already", "line 3: set_direction"]


def test_a_turned_interaction_is_edited_under_its_new_name(curate):
    table = TABLE.assign(source_name=list("abca"), target_name=list("bcdb"))
    lines = "B\tC\treverse_direction\t\nC\tB\tset_stimulation\t1\nB\tC\tset_stimulation\t1\n"
    turned, report = curate(edit=lines, table=table)
    assert pairs(turned) == ["AB", "CB", "CD", "AB"]
    assert turned.iloc[1][["direction", "stimulation", "source_name"]].tolist() == [1, 1, "c"]
    assert report["action"].tolist() == ["changed", "changed", "unmatched"]
    assert report["detail"].iloc[0] == "line 2: turned round: C -> B"


def test_order_is_add_remove_edit(curate):
    table, report = curate(
        "D\tE\t1\t1\t0\tx\t\nE\tF\t1\t1\t0\tx\t\n",
        "D\tE\tWrong.\n",
        "E\tF\tset_stimulation\t0\nD\tE\tset_stimulation\t0\n",
    )
    assert pairs(table) == [*pairs(TABLE), "EF"]
    assert table["stimulation"].iloc[-1] == 0
    assert report["action"].tolist() == ["added", "added", "conflict", "changed", "unmatched"]
    assert report["detail"].iloc[2] == "line 2: takes back what is added in line 2: x; Wrong."


def test_lines_that_find_nothing_are_logged(curate, caplog):
    curate(remove="X\tY\t\n")
    assert "1 of 1 lines of the curation find no interaction: X -> Y" in caplog.text


def test_the_table_given_is_not_changed_and_keeps_its_provenance(curate):
    table = TABLE.copy()
    table.attrs["provenance"] = {"rows": 4}
    before = table.copy()
    curated, _ = curate("B\tC\t1\t1\t0\tx\t\n", "A\tB\t\n", "C\tD\treverse_direction\t\n", table)
    pd.testing.assert_frame_equal(table, before)
    assert curated.attrs == table.attrs


def test_direction_and_evidence_are_optional(curate):
    table = TABLE.drop(columns=["direction", "sources", "references"])
    curated, _ = curate("B\tC\t1\t1\t0\tx\t\n", table=table)
    assert curated["direction"].tolist() == [1] * 4
    assert curated["sources"].tolist() == ["", "x", "", ""]


def test_files_may_be_named_one_by_one_and_compressed(tmp_path):
    (tmp_path / "mine.tsv").write_text(REMOVE + "A\tB\t\n")
    table, report = apply_curation(TABLE, read_curation(remove=tmp_path / "mine.tsv"))
    assert pairs(table) == ["BC", "CD"]
    assert len(report) == 1


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("edit", EDIT + "A\tB\tset_sign\t1\n", "edit.tsv, line 2, .*'set_sign' is not an action"),
        ("edit", EDIT + "A\tB\tset_direction\t2\n", "line 2, .*'2' is not legal .* 0 or 1"),
        ("edit", EDIT + "A\tB\tset_direction\t\n", "'' is not legal .* Expected 0 or 1"),
        ("edit", EDIT + "A\tB\treverse_direction\t1\n", "'1' is not legal .* Expected blank"),
        ("edit", EDIT + "A\tB\tset_direction\t1\n" * 2, "given twice, in lines 2 and 3"),
        ("remove", REMOVE + "A\t\t\n", "remove.tsv, line 2: the column 'target' is blank"),
        ("remove", REMOVE + "A\tB\tx\nA\tB\ty\n", "given twice, in lines 2 and 3"),
        ("add", ADD + "A\tB\t1\t1\tx\t\t\n", "add.tsv, line 2, column 'inhibition': 'x'"),
        ("adds", ADD, "holds adds.tsv, which no curation has. Legal are add.tsv"),
    ],
)
def test_illegal_lines_are_located(tmp_path, name, text, match):
    (tmp_path / f"{name}.tsv").write_text(text)
    with pytest.raises(ValueError, match=match):
        read_curation(tmp_path)


def test_no_curation_at_all_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="No curation is given"):
        read_curation(tmp_path)
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        read_curation(tmp_path / "nowhere")


def test_published_curation_of_the_protein_network_matches_omnipath(shared_data):
    folder = shared_data / "lembas" / "construction" / "curation" / "PKN"
    table = read_omnipath(shared_data / "omnipath" / "omnipath_interactions_2020-21.tsv.gz")
    curated, report = apply_curation(table, read_curation(folder))
    assert report.groupby(["rule", "action"]).size().to_dict() == {
        ("curation: add", "added"): 129,
        ("curation: add", "changed"): 98,
        ("curation: add", "kept"): 2,
        ("curation: remove", "removed"): 12,
        ("curation: edit", "changed"): 5,
        ("curation: edit", "kept"): 2,
    }
    assert len(curated) == len(table) + 129 - 12


def test_published_ligand_receptor_table_is_curated_already(shared_data):
    folder = shared_data / "lembas" / "construction"
    table = read_interactions(folder / "RL.tsv")
    curated, report = apply_curation(table, read_curation(folder / "curation/RL"), overwrite=False)
    pd.testing.assert_frame_equal(merge_interactions(curated), table)
    assert report.groupby(["rule", "action"]).size().to_dict() == {
        ("curation: add", "kept"): 32,
        ("curation: add", "added"): 1,
        ("curation: remove", "conflict"): 1,  # the line that was added
        ("curation: remove", "unmatched"): 5,
        ("curation: edit", "unmatched"): 1,
    }
