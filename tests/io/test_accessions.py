import pytest

from lembas_pyg.io import read_kegg_mapping


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


def test_the_reviewed_human_proteins_lack_keggs_ids(shared_data):
    path = shared_data / "lembas" / "construction" / "uniprot-human-reviewed.tab"
    with pytest.raises(ValueError, match="choose the cross-reference KEGG"):
        read_kegg_mapping(path)
