import logging

import pandas as pd
import pytest

from lembas_pyg.io import assemble_interactions, interaction_sign, read_curation, read_interactions

COLUMNS = [
    "source",
    "target",
    "direction",
    "stimulation",
    "inhibition",
    "sources",
    "references",
]


def make(*rows):
    return pd.DataFrame([dict(zip(COLUMNS, row, strict=True)) for row in rows], columns=COLUMNS)


@pytest.fixture
def omnipath():
    return make(
        ("A", "B", 1, 1, 0, "KEGG;SPIKE", "KEGG:1"),
        ("B", "B", 1, 1, 0, "KEGG", "KEGG:2"),
        ("C", "B", 0, 0, 0, "SIGNOR", "SIGNOR:3"),
        ("B", "D", 1, 0, 1, "KEGG-MEDICUS", "KEGG-MEDICUS:4"),
        ("L", "A", 1, 1, 0, "KEGG", "KEGG:5"),
        ("A", "Z", 1, 1, 0, "KEGG", ""),
    ).assign(note="first")


@pytest.fixture
def signor():
    return make(("A", "B", 1, 0, 1, "SIGNOR", "SIGNOR:6"), ("D", "C", 1, 1, 0, "SIGNOR", ""))


@pytest.fixture
def ligand_receptor():
    return make(
        ("L", "A", 1, 1, 0, "HPMR", ""), ("L", "A", 1, 0, 0, "Baccin2019", "x:1"),
        ("M", "A", 1, 1, 0, "HPMR", ""), ("L", "Z", 1, 1, 0, "Guess", ""),
    )  # fmt: skip


def pairs(table):
    return list(map("".join, zip(table["source"], table["target"], strict=True)))


def rules(report):
    return report.groupby(["rule", "action"], sort=False).size().to_dict()


def test_tables_are_merged_in_both_directions_and_without_loops(omnipath, signor):
    table, report = assemble_interactions([omnipath, signor])
    assert pairs(table) == ["AB", "CB", "BD", "LA", "AZ", "DC", "BC"]
    assert interaction_sign(table).tolist() == [0, 0, -1, 1, 1, 1, 0]  # A -> B in conflict
    assert table["sources"][0] == "KEGG;SPIKE;SIGNOR"
    assert (table["direction"] == 1).all()
    assert list(table.columns) == COLUMNS
    assert rules(report) == {
        ("remove self-loops", "removed"): 1,
        ("both directions", "added"): 1,
        ("merge", "changed"): 1,
        ("merge", "conflict"): 1,
    }


def test_resources_are_compared_whole(omnipath, signor):
    table, _ = assemble_interactions([omnipath, signor], resources=["KEGG"])
    assert pairs(table) == ["AB", "LA", "AZ"]
    table, _ = assemble_interactions([omnipath], resources=["KEGG-MEDICUS"])
    assert pairs(table) == ["BD"]


def test_a_resource_that_nobody_names_is_an_error(omnipath):
    with pytest.raises(ValueError, match=r"'Kegg', which .* hold KEGG, KEGG-MEDICUS, SIGNOR, SPI"):
        assemble_interactions([omnipath], resources=["KEGG", "Kegg"])


def test_references_and_proteins_can_be_asked_for(omnipath):
    table, _ = assemble_interactions([omnipath], referenced=True)
    assert pairs(table) == ["AB", "CB", "BD", "LA", "BC"]
    table, report = assemble_interactions([omnipath], proteins=["A", "B", "C", "L"])
    assert pairs(table) == ["AB", "CB", "LA", "BC"]
    nodes = report[report["item"] == "node"]
    assert nodes["source"].tolist() == ["D", "Z"] or nodes["source"].tolist() == ["Z", "D"]


def test_ligand_receptor_interactions_take_the_place_of_others(omnipath, ligand_receptor):
    table, report = assemble_interactions(
        [omnipath], ligand_receptor=ligand_receptor, ligands=["L"], proteins=["A", "B", "L"]
    )
    assert pairs(table) == ["LA", "AB"]
    assert table["sources"].tolist() == ["HPMR;Baccin2019", "KEGG;SPIKE"]
    excluded = report[report["rule"] == "exclude interactions"]
    assert pairs(excluded) == ["LA"]
    assert excluded["detail"].tolist() == ["is in the ligand-receptor table"]


def test_a_ligand_that_was_named_may_be_no_protein(omnipath, ligand_receptor):
    table, _ = assemble_interactions(
        [omnipath], ligand_receptor=ligand_receptor, ligands=["L"], proteins=["A", "B"]
    )
    assert "L" in set(table["source"])


def test_other_ligands_do_not_come_back_through_the_main_table(omnipath, ligand_receptor):
    main = pd.concat([omnipath, ligand_receptor[2:3].assign(sources="KEGG")])
    table, report = assemble_interactions([main], ligand_receptor=ligand_receptor, ligands=["L"])
    assert "M" not in set(table["source"])
    assert pairs(report[report["rule"] == "exclude interactions"]) == ["LA", "MA"]


def test_ligand_receptor_interactions_have_resources_of_their_own(omnipath, ligand_receptor):
    table, _ = assemble_interactions(
        [omnipath],
        resources=["KEGG"],
        ligand_receptor=ligand_receptor,
        ligand_receptor_resources=["HPMR"],
    )
    assert pairs(table) == ["LA", "MA", "AB", "AZ"]
    with pytest.raises(ValueError, match=r"`ligand_receptor_resources` has 'KEGG'.* Baccin2019, G"):
        assemble_interactions(
            [omnipath], ligand_receptor=ligand_receptor, ligand_receptor_resources=["KEGG"]
        )
    with pytest.raises(ValueError, match="selects from `ligand_receptor`; give it"):
        assemble_interactions([omnipath], ligand_receptor_resources=["KEGG"])


def test_a_ligand_without_receptor_is_an_error(omnipath, ligand_receptor):
    with pytest.raises(ValueError, match=r"'X' is not a source .* which has 2 \(1 of 2 ligands"):
        assemble_interactions([omnipath], ligand_receptor=ligand_receptor, ligands=["L", "X"])


def test_curation_comes_first_and_what_it_adds_has_a_resource(omnipath, tmp_path):
    (tmp_path / "add.tsv").write_text("\t".join(COLUMNS) + "\nQ\tA\t0\t1\t0\tMine\tMine:1\n")
    (tmp_path / "remove.tsv").write_text("source\ttarget\tmotivation\nA\tB\twrong\n")
    table, report = assemble_interactions(
        [omnipath], curation=read_curation(tmp_path), resources=["KEGG", "Mine"]
    )
    assert pairs(table) == ["LA", "AZ", "QA", "AQ"]
    assert report["rule"].tolist()[:2] == ["curation: add", "curation: remove"]


def test_an_empty_network_says_which_step_emptied_it(omnipath):
    with pytest.raises(ValueError, match=r"left: .* select resources removed 5, restrict to rem"):
        assemble_interactions([omnipath], resources=["KEGG-MEDICUS"], proteins=["A"])


def test_the_tables_given_are_not_changed(omnipath, ligand_receptor, caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    before = omnipath.copy(), ligand_receptor.copy()
    assemble_interactions([omnipath], ligand_receptor=ligand_receptor, ligands=["L"])
    pd.testing.assert_frame_equal(omnipath, before[0])
    pd.testing.assert_frame_equal(ligand_receptor, before[1])


def test_a_published_network_stays_as_it_is(shared_data):
    table = read_interactions(shared_data / "lembas" / "networks" / "KEGGnet-Model.tsv")
    again, report = assemble_interactions([table])
    pd.testing.assert_frame_equal(again, table[COLUMNS])
    assert report.empty


def test_a_table_of_pairs_and_signs_is_enough():
    table = pd.DataFrame({"source": ["A"], "target": ["B"], "stimulation": [1], "inhibition": [0]})
    found, report = assemble_interactions([table])
    assert found.iloc[0].tolist() == ["A", "B", 1, 1, 0, "", ""]
    assert report.empty


def test_an_undirected_ligand_receptor_row_gives_a_pair_once(ligand_receptor):
    main = make(("R", "L", 1, 0, 1, "KEGG", ""), ("L", "R", 1, 0, 1, "KEGG", ""))
    extra = make(("L", "R", 0, 1, 0, "HPMR", ""))
    table, report = assemble_interactions([main], ligand_receptor=extra)
    assert pairs(table) == ["LR", "RL"]
    assert interaction_sign(table).tolist() == [1, 1]
    added = report[report["rule"] == "ligand-receptor"]
    assert pairs(added) == ["LR", "RL"]
    assert set(added["detail"]) == {"stated by HPMR"}
    table, _ = assemble_interactions([main], ligand_receptor=extra, ligands=["L"])
    assert pairs(table) == ["LR", "RL"]
    assert table["sources"].tolist() == ["HPMR", "KEGG"]


def test_a_ligand_may_be_the_target_of_an_undirected_row():
    main = make(("R", "L", 1, 0, 1, "KEGG", ""))
    extra = make(("R", "L", 0, 1, 0, "HPMR", ""))
    table, _ = assemble_interactions([main], ligand_receptor=extra, ligands=["L"])
    assert pairs(table) == ["LR", "RL"]
    assert table["sources"].tolist() == ["HPMR", "KEGG"]


def test_a_distrusted_ligand_receptor_row_leaves_the_other_table_its_evidence(ligand_receptor):
    main = make(("L", "Z", 1, 0, 1, "KEGG", ""), ("M", "A", 1, 1, 0, "KEGG", ""))
    options = {"ligand_receptor": ligand_receptor, "ligand_receptor_resources": ["Baccin2019"]}
    table, _ = assemble_interactions([main], **options)
    assert pairs(table) == ["LA", "LZ", "MA"]
    table, _ = assemble_interactions([main], **options, ligands=["L"])
    assert pairs(table) == ["LA", "LZ"]


def test_a_distrusted_resource_does_not_decide_the_sign(omnipath, signor):
    table, report = assemble_interactions([omnipath, signor], resources=["KEGG"])
    assert interaction_sign(table).tolist() == [1, 1, 1]
    assert table["sources"][0] == "KEGG;SPIKE"
    changed = report[report["action"] == "changed"]
    assert changed[["rule", "source", "target", "detail"]].to_numpy().tolist() == [
        ["select resources", "A", "B", "left out what is stated by SIGNOR"]
    ]
    assert "conflict" not in set(report["action"])


def test_close_names_of_resources_come_first(signor):
    table = signor.assign(sources=["Another", "KEGG-MEDICUS"])
    with pytest.raises(
        ValueError, match=r"names\. Close to 'KEGG': KEGG-MEDICUS\. Names .* Another"
    ):
        assemble_interactions([table], resources=["KEGG"])


def test_arguments_without_effect_and_no_tables_are_errors(omnipath):
    with pytest.raises(ValueError, match="`ligands` selects from `ligand_receptor`; give it"):
        assemble_interactions([omnipath], ligands=["L"])
    with pytest.raises(ValueError, match="`tables` is empty"):
        assemble_interactions([])
