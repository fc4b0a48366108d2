import numpy as np
import pytest

from lembas_pyg.io import interaction_sign, read_causaltab

VALUES = {
    1: "uniprotkb:P00001",
    2: "uniprotkb:P00002",
    5: 'uniprotkb:"FLN 1"(gene name synonym)|uniprotkb:AA(gene name)',
    6: "signor:BB(display_short)",
    9: "pubmed:111|imex:IM-1|pubmed:112",
    10: 'taxid:9606(human)|taxid:9606("Homo sapiens")',
    11: "taxid:10090(mouse)",
    13: 'psi-mi:"MI:2214"(signor)',
    14: "signor:SIGNOR-7",
    17: 'psi-mi:"MI:2274"(regulator)',
    18: 'psi-mi:"MI:2275"(regulator target)',
    21: 'psi-mi:"MI:0326"(protein)',
    22: 'psi-mi:"MI:0314"(complex)',
    45: 'psi-mi:"MI:2249"(post transcriptional regulation)',
    46: 'psi-mi:"MI:2235"(up-regulates)',
}


def mitab(*changes, num_columns=46):
    """One line for every dictionary of changed fields, counted from 1."""
    lines = []
    for change in changes:
        values = {**VALUES, **change}
        lines.append("\t".join(values.get(i + 1, "-") for i in range(num_columns)) + "\n")
    return "".join(lines)


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "causal.txt"
        path.write_text(text)
        return read_causaltab(path)

    return _read


def test_a_line_becomes_an_interaction(read):
    table = read("#ID(s) interactor A\t...\n\n" + mitab({}))
    assert table.iloc[0].to_dict() == {
        "source": "P00001",
        "target": "P00002",
        "direction": 1,
        "stimulation": 1,
        "inhibition": 0,
        "sources": "SIGNOR",
        "references": "SIGNOR:111;SIGNOR:112",
        "source_name": "AA",
        "target_name": "BB",
        "source_type": "protein",
        "target_type": "complex",
        "source_taxon": "9606",
        "target_taxon": "10090",
        "effect": "MI:2235",
        "mechanism": "MI:2249",
        "interaction_id": "SIGNOR-7",
    }
    assert (table.dtypes[["direction", "stimulation", "inhibition"]] == np.int8).all()


@pytest.mark.parametrize(
    ("identifier", "sign"),
    [(f"MI:{number}", 1) for number in range(2235, 2240)]
    + [(f"MI:{number}", -1) for number in range(2240, 2245)]
    + [("MI:0190", 0)],
)
@pytest.mark.parametrize("label", ["up-regulates", "up regulates", "whatever it is called"])
def test_the_identifier_gives_the_sign_and_the_label_does_not(read, identifier, sign, label):
    table = read(mitab({46: f'psi-mi:"{identifier}"({label})'}))
    assert interaction_sign(table).tolist() == [sign]


def test_interactors_without_symbol_or_type_have_a_blank(read):
    first = read(mitab({5: "-", 6: "x:BB(other)", 21: "-", 22: 'psi-mi:"MI:0250"(gene)'})).iloc[0]
    assert (first["source_name"], first["target_name"]) == ("", "")
    assert (first["source_type"], first["target_type"]) == ("", "gene")


def test_roles_turn_an_interaction_round(read):
    table = read(mitab({17: VALUES[18], 18: VALUES[17]}))
    first = table.iloc[0]
    assert (first["source"], first["target"]) == ("P00002", "P00001")
    assert (first["source_name"], first["source_taxon"]) == ("BB", "10090")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("uniprotkb:P00001-2", "P00001-2"),
        ("signor:SIGNOR-C1", "SIGNOR-C1"),
        ('chebi:"CHEBI:15365"', "CHEBI:15365"),
        ("ensembl:ENSG00000136869", "ensembl:ENSG00000136869"),
        ("uniprotkb:P00001|intact:EBI-1", "P00001"),
    ],
)
def test_codes_of_interactors(read, given, code):
    assert read(mitab({1: given}))["source"].tolist() == [code]


def test_lines_without_a_causal_statement_are_counted(read):
    table = read(mitab({46: "-"}, {}, {46: ""}))
    assert len(table) == 1
    assert table.attrs["provenance"]["skipped"] == {"without a causal statement": 2}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (mitab({}, num_columns=42), r"causal\.txt, line 1: 42 fields.* 2\.7, which has no causal"),
        (mitab({}, num_columns=15), r"2\.5, which has no causal statements"),
        (mitab({}) + mitab({}, num_columns=45), r"line 2: 45 fields, expected 46.*one tab"),
        (
            mitab({}, {46: 'psi-mi:"MI:9999"(regulates)'}),
            r"line 2, field 46: 'MI:9999\(regulates\)' is not one causal.*MI:2235.*MI:0190",
        ),
        (mitab({46: 'x:"MI:2235"(a)|x:"MI:2240"(b)'}), "is not one causal statement"),
        (mitab({2: "-"}), "line 1: interactor B is blank"),
    ],
)
def test_malformed_lines_are_located(read, text, match):
    with pytest.raises(ValueError, match=match):
        read(text)


def test_samples_of_2_8_are_read(shared_data):
    table = read_causaltab(shared_data / "causaltab" / "mitab28.txt")
    assert table["source"].tolist() == ["P21333", "P21333", "P05556", "P07228"]
    assert interaction_sign(table).tolist() == [1, -1, -1, 1]
    table = read_causaltab(shared_data / "causaltab" / "mitab28_empty_columns.txt")
    assert len(table) == table.attrs["provenance"]["skipped"]["without a causal statement"] == 1


def test_a_sample_of_2_7_is_refused(shared_data):
    with pytest.raises(ValueError, match=r"mitab27_line_header\.txt, line 3: 42 fields"):
        read_causaltab(shared_data / "causaltab" / "mitab27_line_header.txt")
