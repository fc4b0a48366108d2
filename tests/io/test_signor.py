import numpy as np
import pytest

from lembas_pyg.io import interaction_sign, read_signor, read_signor_complexes, resolve_entities

ALL_DATA = (
    "ENTITYA TYPEA IDA DATABASEA ENTITYB TYPEB IDB DATABASEB EFFECT MECHANISM RESIDUE SEQUENCE "
    "TAX_ID CELL_DATA TISSUE_DATA MODULATOR_COMPLEX TARGET_COMPLEX MODIFICATIONA MODASEQ "
    "MODIFICATIONB MODBSEQ PMID DIRECT NOTES ANNOTATOR SENTENCE SCORE SIGNOR_ID"
).split()
PATHWAY = (
    "pathway_id pathway_name entitya regulator_location typea ida databasea entityb "
    "target_location typeb idb databaseb effect mechanism residue sequence tax_id cell_data "
    "tissue_data modulator_complex target_complex modificationa modaseq modificationb modbseq "
    "pmid direct notes annotator sentence signor_id"
).split()
VALUES = {
    **{"ENTITYA": "AA", "TYPEA": "protein", "IDA": "P00001", "DATABASEA": "UNIPROT"},
    **{"ENTITYB": "BB", "TYPEB": "protein", "IDB": "P00002", "DATABASEB": "UNIPROT"},
    **{"EFFECT": "up-regulates", "MECHANISM": "binding", "TAX_ID": "10090", "PMID": "111"},
    **{"DIRECT": "YES", "SENTENCE": "One; two, three.", "SIGNOR_ID": "SIGNOR-1"},
}


def export(*changes, columns=ALL_DATA, separator=";", header=True):
    """An export with one line for every dictionary of changed values."""
    lines = [separator.join(columns)] if header else []
    for change in changes:
        values = {**VALUES, **change}
        fields = [values.get(name.upper(), "") for name in columns]
        quote = '"' if separator != "\t" else ""
        lines.append(separator.join(f"{quote}{field}{quote}" for field in fields))
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    def _read(text, **options):
        path = tmp_path / "signor.csv"
        path.write_text(text)
        return read_signor(path, **options)

    return _read


@pytest.mark.parametrize(
    ("effect", "sign"),
    [
        ("up-regulates", 1),
        ("up-regulates activity", 1),
        ("up-regulates quantity", 1),
        ("up-regulates quantity by expression", 1),
        ("up-regulates quantity by stabilization", 1),
        ("down-regulates", -1),
        ("down-regulates activity", -1),
        ("down-regulates quantity", -1),
        ("down-regulates quantity by repression", -1),
        ("down-regulates quantity by destabilization", -1),
        ("unknown", 0),
        ("Activates", 1),
        ("Inactivates", -1),
        ("Inactivate", -1),
        ("Unknown", 0),
    ],
)
def test_sign_of_every_effect(read, effect, sign):
    table = read(export({"EFFECT": effect}))
    assert interaction_sign(table).tolist() == [sign]
    assert table["effect"].tolist() == [effect.lower()]


def test_membership_is_no_interaction(read):
    text = export({}, {"EFFECT": "form complex", "IDB": "SIGNOR-C1", "TYPEB": "complex"}, {})
    table = read(text)
    assert table["target"].tolist() == ["P00002", "P00002"]
    assert table.attrs["provenance"]["skipped"] == {"form complex": 1}
    members = read(text, membership=True)
    assert members[["source", "target"]].to_numpy().tolist() == [["P00001", "SIGNOR-C1"]]
    assert members.attrs["provenance"]["skipped"] == {"interactions": 2}
    assert interaction_sign(members).tolist() == [0]


@pytest.mark.parametrize(
    "layout",
    [
        {"separator": ";"},
        {"separator": ","},
        {"separator": "\t"},
        {"separator": "\t", "header": False},
        {"separator": "\t", "columns": PATHWAY},
    ],
    ids=["semicolon", "comma", "tab", "no header", "pathway"],
)
def test_layouts_give_the_same_table(read, layout):
    text = export({}, {"EFFECT": "down-regulates", "IDA": "SIGNOR-PF1", "TYPEA": "proteinfamily"},
                  **layout)  # fmt: skip
    table = read(text)
    flags = ["direction", "stimulation", "inhibition"]
    assert table[["source", "target", *flags]].to_numpy().tolist() == [
        ["P00001", "P00002", 1, 1, 0],
        ["SIGNOR-PF1", "P00002", 1, 0, 1],
    ]
    assert (table.dtypes[flags] == np.int8).all()
    first = table.iloc[0]
    assert (first["sources"], first["references"]) == ("SIGNOR", "SIGNOR:111")
    assert (first["source_name"], first["target_name"]) == ("AA", "BB")
    assert table["source_type"].tolist() == ["protein", "family"]
    assert (first["mechanism"], first["taxon"], first["direct"]) == ("binding", "10090", "1")
    assert first["sentence"] == "One; two, three."
    assert first["signor_id"] == "SIGNOR-1"


@pytest.mark.parametrize(
    ("direct", "flag"), [("YES", "1"), ("NO", "0"), ("t", "1"), ("f", "0"), ("", "")]
)
def test_direct_is_one_zero_or_blank(read, direct, flag):
    assert read(export({"DIRECT": direct}))["direct"].tolist() == [flag]


@pytest.mark.parametrize(
    ("pmid", "reference"),
    [("1", "SIGNOR:1"), ("PMC12", "SIGNOR:PMC12"), ("Other", ""), ("", "")],
)
def test_only_articles_are_references(read, pmid, reference):
    assert read(export({"PMID": pmid}))["references"].tolist() == [reference]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("proteinfamily", "family"),
        ("smallmolecule", "small molecule"),
        ("chemical", "small molecule"),
        ("complex", "complex"),
        ("fusion protein", "fusion protein"),
        ("phenotype", "phenotype"),
        ("mirna", "mirna"),
        ("stimulus", "stimulus"),
    ],
)
def test_types_have_the_names_of_this_package(read, given, kept):
    assert read(export({"TYPEB": given}))["target_type"].tolist() == [kept]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"EFFECT": "regulates"},
            r"signor\.csv, line 3, column 'effect': 'regulates' is not in .*'up-regulates', .*"
            "'form complex'",
        ),
        ({"EFFECT": ""}, "line 3, column 'effect': ''"),
        ({"IDA": ""}, r"signor\.csv, line 3: the column 'ida' is blank"),
        ({"DIRECT": "maybe"}, "line 3, column 'direct': 'maybe'.*'YES', 'NO', 't', 'f'"),
        ({"SENTENCE": 'a "b" c'}, "line 3: .*double quote"),
    ],
)
def test_malformed_lines_are_located(read, change, match):
    with pytest.raises(ValueError, match=match):
        read(export({}, change))


def test_missing_columns_are_named(read):
    with pytest.raises(ValueError, match=r"no column \['effect'\]"):
        read(export({}, columns=[name for name in ALL_DATA if name != "EFFECT"]))


COMPLEXES = '"SIGNOR ID";"COMPLEX NAME";"LIST OF ENTITIES"\nSIGNOR-C1;NFY;"P1,  P2,  P3"\n'
FAMILIES = 'SIGNOR ID,PROT. FAMILY NAME,LIST OF ENTITIES\nSIGNOR-PF1,ERK,"P4,  SIGNOR-C1"\n'


def test_members_of_complexes_and_families(tmp_path):
    complexes, families = tmp_path / "complexes.csv", tmp_path / "families.csv"
    complexes.write_text(COMPLEXES)
    families.write_text(FAMILIES)
    assert read_signor_complexes(complexes, families) == {
        "SIGNOR-C1": ["P1", "P2", "P3"],
        "SIGNOR-PF1": ["P4", "SIGNOR-C1"],
    }
    with pytest.raises(ValueError, match=r"line 2: the members of 'SIGNOR-C1' are given in anoth"):
        read_signor_complexes(complexes, complexes)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("P1,  P2", "P1, , P2", r"complexes\.csv, line 2: .*blank member of 'SIGNOR-C1'"),
        ("P1,  P2,  P3", "", "line 2: the column 'LIST OF ENTITIES' is blank"),
        ("SIGNOR-C1", "", "line 2: the column 'SIGNOR ID' is blank"),
        ("SIGNOR ID", "ID", r"no column \['SIGNOR ID'\]"),
        ('P3"\n', 'P3"\nSIGNOR-C1;x;P9\n', "SIGNOR-C1' is given twice, in lines 2 and 3"),
    ],
)
def test_malformed_complexes_are_located(tmp_path, old, new, match):
    path = tmp_path / "complexes.csv"
    path.write_text(COMPLEXES.replace(old, new))
    with pytest.raises(ValueError, match=match):
        read_signor_complexes(path)


def test_the_sample_of_signor_is_read(shared_data):
    table = read_signor(shared_data / "signor" / "signor_test_data.csv")
    assert len(table) == 20
    assert np.bincount(interaction_sign(table) + 1).tolist() == [8, 1, 11]
    assert (table["references"] == "").sum() == 1


def test_the_sample_of_complexes_is_expanded(shared_data, read):
    members = read_signor_complexes(shared_data / "signor" / "signor_test_complexes.csv")
    assert len(members) == 9
    table = read(export({"IDB": "SIGNOR-C8", "TYPEB": "complex"}))
    expanded = resolve_entities(table, members, how={"complex": "expand"}).interactions
    assert expanded["target"].tolist() == ["Q15796", "Q13485"]
