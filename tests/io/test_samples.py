import pandas as pd
import pytest

from lembas_pyg.io import ligand_matrix, read_conditions, read_ligand_map, read_samples

PLAIN = "Sample,donor,Condition\nA,1,TNF\nB,2,TNF+IL4\n"
PAPER = "Condition\tStimulation\nGSM1\tIL4_1\nGSM2\tIL4+up_LPS_22\n"


@pytest.fixture
def write(tmp_path):
    def _write(text):
        path = tmp_path / "sheet.tsv"
        path.write_text(text)
        return path

    return _write


def test_columns_are_found_and_others_kept(write):
    table = read_samples(write(PLAIN))
    assert list(table) == ["sample", "condition", "donor"]
    assert table.to_numpy().tolist() == [["A", "TNF", "1"], ["B", "TNF+IL4", "2"]]


def test_the_running_number_of_the_paper_is_taken_off(write):
    table = read_samples(write(PAPER))
    assert table.to_numpy().tolist() == [["GSM1", "IL4"], ["GSM2", "IL4+up_LPS"]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (PLAIN.replace("Sample", "Name"), r"no column \['sample'\]; it has \['Name', 'donor'"),
        (PLAIN.replace("Condition", "Ligand"), r"no column \['condition'\]"),
        (PLAIN.replace("B,", "A,"), "sample 'A' is given twice, in lines 2 and 3"),
        (PLAIN.replace("1,TNF", "1,"), "line 2: the column 'condition' is blank"),
        (PAPER.replace("IL4_1", "IL4"), "line 2, column 'Stimulation': 'IL4' does not end in"),
        (PAPER.replace("IL4_1", "_1"), "line 2, column 'Stimulation'"),
        (PAPER.replace("_22", "_b"), "line 3, column 'Stimulation'"),
    ],
)
def test_errors_of_sheets_are_located(write, text, match):
    with pytest.raises(ValueError, match=match):
        read_samples(write(text))


def test_ligand_maps_keep_their_order(write):
    assert list(read_ligand_map(write("Name\tCode\nTNF\tP01375\nA2M\tP01023\n")).items()) == [
        ("TNF", "P01375"),
        ("A2M", "P01023"),
    ]
    with pytest.raises(ValueError, match="name 'TNF' is given twice"):
        read_ligand_map(write("Name\tCode\nTNF\tP01375\nTNF\tP01023\n"))


def test_names_are_taken_apart_into_ligands():
    codes = {"IL4": "P4", "ox-LDL": "C1", "LPS": "C2", "EPO": "P9"}
    names = ["PBS", "IL4_LPS", "ox-LDL", "PBS_LPS", "IL4_LPS"]
    table = ligand_matrix(names, codes, separator="_", controls=["PBS"])
    assert list(table) == ["P4", "C1", "C2"]
    assert table.loc["IL4_LPS"].tolist() == [1, 0, 1]
    assert table.sum(axis=1).to_dict() == {"PBS": 0, "IL4_LPS": 2, "ox-LDL": 1, "PBS_LPS": 1}


def test_a_ligand_may_hold_the_separator():
    codes = {"TGF-b": "P1", "b": "P2"}
    assert ligand_matrix(["TGF-b", "b"], codes, separator="-").to_numpy().tolist() == [
        [1, 0],
        [0, 1],
    ]


def test_a_sample_sheet_will_do():
    sheet = pd.DataFrame({"sample": ["a", "b", "c"], "condition": ["X+Y", "X", "X"]})
    table = ligand_matrix(sheet, prefix="Ligand_")
    assert list(table) == ["Ligand_X", "Ligand_Y"] and list(table.index) == ["X+Y", "X"]


@pytest.mark.parametrize(
    ("names", "options", "error", "match"),
    [
        (["A+B"], {"codes": {"A": "P1"}}, ValueError, r"'A\+B', .* holds 'B', which is no ligand"),
        (["A++B"], {}, ValueError, "holds '', which is no ligand"),
        (["A+A"], {}, ValueError, "holds the ligand 'A' twice"),
        (["A+B"], {"codes": {"A": "P1", "B": "P1"}}, ValueError, "Several .* code 'P1'"),
        (["A"], {"separator": ""}, ValueError, "`separator` is blank"),
        ("A+B", {}, TypeError, "`conditions` is to be a list"),
        (["A"], {"controls": "PBS"}, TypeError, "`controls` is to be a list"),
    ],
)
def test_bad_names_are_refused(names, options, error, match):
    with pytest.raises(error, match=match):
        ligand_matrix(names, **options)


def test_the_published_ligands_come_out_again(shared_data):
    folder = shared_data / "lembas" / "tf_activity"
    sheet = read_samples(folder / "macrophageKey.txt")
    table = ligand_matrix(sheet, controls=["CON"], prefix="Ligand_")
    published = read_conditions(folder / "macrophage-Ligands.tsv")
    pd.testing.assert_frame_equal(table.loc[published.index], published)

    published = read_conditions(shared_data / "lembas" / "networks" / "ligandScreen-Ligands.tsv")
    codes = read_ligand_map(folder / "ligandScreen-ligandMap.tsv")
    table = ligand_matrix(published.index, codes, separator="_", controls=["PBS-BSA"])
    pd.testing.assert_frame_equal(table[published.columns], published)
