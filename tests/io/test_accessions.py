import pytest

from lembas_pyg.io import read_kegg_mapping, read_proteins


@pytest.mark.parametrize(
    "header", ["Gene Names (primary)", "Gene names  (primary )", "Gene names (primary)"]
)
def test_proteins_have_a_symbol_or_none(tmp_path, header):
    path = tmp_path / "U.tab"
    path.write_text(f"Entry\t{header}\nP2\tTNF\nP1\tA; B\nP3\t\n")
    assert list(read_proteins(path).items()) == [("P2", "TNF"), ("P1", "A"), ("P3", "")]


def test_a_list_of_accessions_is_enough(tmp_path):
    path = tmp_path / "U.tab"
    path.write_text("Entry\tLength\nP1\t10\n")
    assert read_proteins(path) == {"P1": ""}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Accession\tGene\nP1\tA\n", "line 1: the column 'Entry' is missing"),
        ("Entry\tGene\n\tA\n", "line 2: the column 'Entry' is blank"),
        ("Entry\tGene\nP1\tA\nP1\tB\n", "Entry 'P1' is given twice, in lines 2 and 3"),
    ],
)
def test_a_damaged_list_is_located(tmp_path, text, match):
    path = tmp_path / "U.tab"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_proteins(path)


def test_the_reviewed_human_proteins_are_read(shared_data):
    path = shared_data / "lembas" / "construction" / "uniprot-human-reviewed.tab"
    proteins = read_proteins(path)
    assert len(proteins) == 20394
    assert proteins["P01375"] == "TNF"
    with pytest.raises(ValueError, match="says nothing of KEGG's gene ids"):
        read_kegg_mapping(path)


def test_accessions_are_read_from_a_table_of_uniprot(tmp_path):
    path = tmp_path / "U.tab"
    path.write_text("Entry\tGene\tKEGG\nP1\tA\txyz:1;\nP2\tB\t\nP3\tC\txyz:3;xyz:1;\n")
    assert read_kegg_mapping(path) == {"xyz:1": ("P1", "P3"), "xyz:3": ("P3",)}


@pytest.mark.parametrize("order", [1, -1])
def test_accessions_are_read_from_keggs_list_of_pairs(tmp_path, order):
    path = tmp_path / "conv.tsv"
    rows = [("xyz:1", "up:P1"), ("xyz:2", "up:P2"), ("xyz:1", "up:P3")]
    path.write_text("".join("\t".join(row[::order]) + "\n" for row in rows))
    assert read_kegg_mapping(path) == {"xyz:1": ("P1", "P3"), "xyz:2": ("P2",)}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Entry\tGene\nP1\tA\n", r"says nothing of KEGG's gene ids; .*\['Entry', 'Gene'\]"),
        ("xyz:1\tup:P1\nxyz:2\tP2\n", "line 2: 'xyz:2', 'P2' are not a KEGG id and an accession"),
    ],
)
def test_another_table_is_no_mapping(tmp_path, text, match):
    path = tmp_path / "U.tab"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_kegg_mapping(path)
