import gzip

import numpy as np
import pytest

from lembas_pyg.io import merge_interactions, read_omnipath

CLIENT = """\
source target is_directed is_stimulation is_inhibition consensus_direction consensus_stimulation \
consensus_inhibition dip_url curation_effort references sources
A B True True True True False True - 3 SIGNOR:1;SPIKE:2 SIGNOR;SPIKE
A B True True False False False False - 1 SPIKE:3 SPIKE
COMPLEX:A_B C True False False False False False - 0 - KEGG-MEDICUS
"""
ARCHIVE = """\
source target source_genesymbol target_genesymbol is_directed is_stimulation is_inhibition \
consensus_direction consensus_stimulation consensus_inhibition sources references omnipath \
kinaseextra extra_attrs ncbi_tax_id_source entity_type_source ncbi_tax_id_target entity_type_target
A B a b 1 1 0 1 1 0 KEGG x:1 True False "{""m"":""x""}" 9606 protein 9606 protein
A C a c 1 1 0 1 1 0 KEGG x:1 False True {"m":1} 9606 protein 9606 complex
A D a d 0 0 0 0 0 0 KEGG x:1 True True - 9606 protein 10090 protein
M A m a 1 0 1 1 0 1 KEGG x:1 True False - -1 small_molecule 9606 protein
"""
WEB_SERVICE = """\
source target is_directed is_stimulation is_inhibition consensus_direction consensus_stimulation \
consensus_inhibition
A B 1 1 0 1 1 0
"""


def tsv(text):
    """Tabs for spaces, empty fields for dashes."""
    rows = [
        [field.removesuffix("-") if field == "-" else field for field in line.split(" ")]
        for line in text.splitlines()
    ]
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.fixture
def read(tmp_path):
    def _read(text, **options):
        path = tmp_path / "omnipath.tsv"
        path.write_text(tsv(text))
        return read_omnipath(path, **options)

    return _read


FLAGS = ["direction", "stimulation", "inhibition"]


def test_direction_and_sign_are_those_of_the_consensus(read):
    table = read(CLIENT)
    assert table[FLAGS].values.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert (table.dtypes[FLAGS] == np.int8).all()
    assert table["is_stimulation"].tolist() == [1, 1, 0]


def test_direction_and_sign_are_those_of_any_resource_on_request(read):
    table = read(CLIENT, consensus=False)
    assert table[FLAGS].values.tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 0]]
    assert table["consensus_inhibition"].tolist() == [1, 0, 0]


def test_rows_stay_in_order_and_are_not_merged(read):
    table = read(CLIENT)
    assert table["source"].tolist() == ["A", "A", "COMPLEX:A_B"]
    assert table["references"].tolist() == ["SIGNOR:1;SPIKE:2", "SPIKE:3", ""]
    assert table["sources"].tolist() == ["SIGNOR;SPIKE", "SPIKE", "KEGG-MEDICUS"]
    assert table["curation_effort"].tolist() == ["3", "1", "0"]
    assert len(merge_interactions(table)) == 2


def test_archive_columns_get_the_names_of_the_interaction_table(read):
    table = read(ARCHIVE)
    first = table.iloc[0]
    assert (first["source_name"], first["target_name"]) == ("a", "b")
    assert table["target_type"].tolist() == ["protein", "complex", "protein", "protein"]
    assert table["source_taxon"].tolist() == ["9606", "9606", "9606", "-1"]
    assert table["extra_attrs"].tolist()[:2] == ['{"m":"x"}', '{"m":1}']


def test_evidence_that_was_not_asked_for_is_blank(read):
    table = read(WEB_SERVICE)
    assert table.iloc[0].tolist()[:7] == ["A", "B", 1, 1, 0, "", ""]


@pytest.mark.parametrize(
    ("yes", "no"), [("1", "0"), ("True", "False"), ("t", "f"), ("TRUE", "FALSE")]
)
def test_flags_are_read_whatever_their_spelling(read, yes, no):
    text = WEB_SERVICE.replace(" 1", f" {yes}").replace(" 0", f" {no}")
    assert read(text).iloc[0].tolist()[2:5] == [1, 1, 0]


def test_compressed_tables_are_read(tmp_path):
    path = tmp_path / "omnipath.tsv.gz"
    path.write_bytes(gzip.compress(tsv(CLIENT).encode()))
    assert len(read_omnipath(path)) == 3


@pytest.mark.parametrize(
    ("options", "targets", "skipped"),
    [
        ({"organism": 9606}, "BCA", {"not of organism 9606": 1}),
        ({"datasets": ["omnipath"]}, "BDA", {"not in omnipath": 1}),
        ({"datasets": ["omnipath", "kinaseextra"]}, "BCDA", {"not in omnipath, kinaseextra": 0}),
        ({"entity_types": ["protein"]}, "BD", {"not between protein": 2}),
        (
            {"organism": 9606, "entity_types": ["protein"]},
            "B",
            {"not of organism 9606": 1, "not between protein": 2},
        ),
    ],
)
def test_options_select_rows_and_count_the_others(read, options, targets, skipped):
    table = read(ARCHIVE, **options)
    assert "".join(table["target"]) == targets
    assert table.attrs["provenance"]["skipped"] == skipped
    assert table.attrs["provenance"]["rows"] == len(targets)


def test_types_are_told_by_the_code_where_no_column_does(read):
    assert read(CLIENT, entity_types=["protein"])["source"].tolist() == ["A", "A"]
    assert read(CLIENT, entity_types=["protein", "complex"])["source"].size == 3


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        (CLIENT.replace("A B True True False", "A - True True False"), {},
         r"omnipath\.tsv, line 3: the column 'target' is blank"),
        (CLIENT.replace("True True True True", "True True True maybe"), {},
         r"omnipath\.tsv, line 2, column 'consensus_direction': 'maybe' is not a flag"),
        (CLIENT.replace("SPIKE:3 SPIKE", "SPIKE:3"), {}, r"omnipath\.tsv, line 3: too few fields"),
        (WEB_SERVICE.replace("consensus_", "x_"), {}, "read it with `consensus=False`"),
        (WEB_SERVICE.replace("is_", "x_"), {"consensus": False}, "read it with `consensus=True`"),
        ("source target direction stimulation inhibition\nA B 1 1 0\n", {}, "read it as such"),
        ("source target\nA B\n", {}, "no table of interactions from OmniPath"),
        (CLIENT, {"organism": 9606}, "does not tell organisms.*field 'ncbi_tax_id'"),
        (CLIENT, {"datasets": ["omnipath"]}, "does not tell datasets"),
        (ARCHIVE, {"datasets": ["kegg"]}, r"\['kegg'\], which .* It tells \['omnipath', 'kin"),
        (ARCHIVE, {"datasets": "omnipath"}, "is to be a list of names"),
        (ARCHIVE, {"entity_types": ["gene"]}, r"\['gene'\].* It tells \['complex', 'protein', 'sm"),
        (ARCHIVE, {"entity_types": []}, "is to be a list of names"),
    ],
)  # fmt: skip
def test_errors_name_place_value_and_cure(read, text, options, match):
    with pytest.raises(ValueError, match=match):
        read(text, **options)


def test_the_client_table_of_2020_is_read(shared_data):
    table = read_omnipath(shared_data / "omnipath" / "omnipath_interactions_2020-21.tsv.gz")
    assert table.shape == (41_419, 16)
    assert table["direction"].sum() == 20_292
    assert (table["stimulation"].sum(), table["inhibition"].sum()) == (15_619, 4_797)


def test_the_archive_table_is_read(shared_data):
    path = shared_data / "omnipath_ws_subset" / "subset_networks_1000.tsv"
    table = read_omnipath(path, organism=9606, datasets=["omnipath"], entity_types=["protein"])
    assert table.attrs["provenance"]["skipped"] == {
        "not of organism 9606": 0,
        "not in omnipath": 73,
        "not between protein": 70,
    }
    assert len(table) == 857


@pytest.mark.parametrize(("name", "line"), [("source", 8), ("target", 5)])
def test_planted_blanks_are_found(shared_data, name, line):
    file = f"networks_subset_interactions_missing_{name}.tsv"
    with pytest.raises(ValueError, match=rf"{file}, line {line}: the column '{name}' is blank"):
        read_omnipath(shared_data / "omnipath_ws_subset" / file)


def test_loops_repeats_and_other_organisms_are_kept_until_curation(shared_data):
    path = shared_data / "omnipath_ws_subset" / "networks_subset_interactions_edgecases.tsv"
    table = read_omnipath(path)
    assert len(table) == 11
    assert (table["source"] == table["target"]).sum() == 1
    assert len(merge_interactions(table)) == 10
    assert len(read_omnipath(path, organism=9606)) == 3
