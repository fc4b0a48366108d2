import gzip
import logging

import pandas as pd
import pytest

from lembas_pyg.io import (
    make_annotation,
    read_annotation,
    read_gene_list,
    read_gene_names,
    read_interactions,
    read_intercell,
    read_ligand_receptor,
    read_omnipath,
    read_regulon,
    write_annotation,
)

INTERACTIONS = pd.DataFrame(
    {
        "source": ["L1", "R1", "S1"],
        "target": ["R1", "S1", "T1"],
        "stimulation": [1, 1, 0],
        "inhibition": [0, 0, 1],
    }
)
LIANA = """\
"","source","target","source_genesymbol","target_genesymbol","resource"
"1","L1","R1","l1","r1","consensus"
"2","COMPLEX:L1_L2","R2","l1_l2","r2","cellchatdb"
"""
PAPER = """\
source\ttarget\tdirection\tstimulation\tinhibition\tsources\treferences
L1\tR1\t1\t1\t0\tKEGG;Baccin2019\tKEGG:1
L2\tR1\t0\t0\t1\tKEGG-MEDICUS\t
"""
INTERCELL = """\
category\tuniprot\tgenesymbol\tentity_type\ttransmitter\treceiver\tsecreted\t\
plasma_membrane_transmembrane\tplasma_membrane_peripheral
ligand\tL1\tl1\tprotein\tTrue\tFalse\tFalse\tFalse\tFalse
ligand\tL1\tl1\tprotein\tTrue\tFalse\tTrue\tFalse\tFalse
receptor\tR1\tr1\tprotein\tFalse\tTrue\tFalse\tTrue\tFalse
ecm\tL1\tl1\tprotein\tFalse\tFalse\tFalse\tFalse\tFalse
"""
UNIPROT = """\
Entry\tEntry name\tGene names\tGene names  (primary )
L1\tL1_HUMAN\ta b\tLIG1
R1\tR1_HUMAN\tr\tREC1; REC2
S1\tS1_HUMAN\t\t
T1\tT1_HUMAN\tt\tTF1
T2\tT2_HUMAN\tt\tTF1
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="table.tsv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return _write


def test_annotation_names_nodes_and_gives_roles(tmp_path):
    names = {"L1": "LIG1", "S1": ""}
    annotation = make_annotation(INTERACTIONS, ligands={"L1", "L9"}, tfs=["T1"], names=names)
    assert annotation.to_dict("list") == {
        "code": ["L1", "R1", "S1", "T1"],
        "name": ["LIG1", "R1", "S1", "T1"],
        "TF": [False, False, False, True],
        "ligand": [True, False, False, False],
    }
    write_annotation(annotation, tmp_path / "A.tsv")
    pd.testing.assert_frame_equal(read_annotation(tmp_path / "A.tsv"), annotation)


def test_names_come_from_the_interactions_where_not_given():
    table = INTERACTIONS.assign(source_name=["l1", "", "s1"], target_name=["r1", "x", None])
    kinds = {"ligands": ["L1"], "tfs": ["T1"]}
    assert make_annotation(table, **kinds)["name"].tolist() == ["l1", "r1", "s1", "T1"]
    named = make_annotation(table, names=pd.Series({"R1": "REC1"}), **kinds)
    assert named["name"].tolist() == ["l1", "REC1", "s1", "T1"]


def test_roles_that_no_node_has_are_refused():
    with pytest.raises(ValueError, match=r"None of the 1 codes of `tfs`.*'TF1'.*'L1', 'R1', 'S1'"):
        make_annotation(INTERACTIONS, ligands=["L1"], tfs=["TF1"])
    with pytest.raises(ValueError, match="`ligands` is to be a list of codes, not the text 'L1'"):
        make_annotation(INTERACTIONS, ligands="L1", tfs=["T1"])
    assert not make_annotation(INTERACTIONS, ligands=[], tfs=["T1"])["ligand"].any()


def test_ligand_receptor_resources_of_liana(write):
    table = read_ligand_receptor(write(LIANA, "liana.csv.gz"))
    assert table.iloc[:, :7].to_numpy().tolist() == [
        ["L1", "R1", 1, 0, 0, "consensus", ""],
        ["COMPLEX:L1_L2", "R2", 1, 0, 0, "cellchatdb", ""],
    ]
    assert table["source_name"].tolist() == ["l1", "l1_l2"]
    assert "" not in table.columns
    chosen = read_ligand_receptor(write(LIANA), resources=["cellchatdb"])
    assert chosen["target"].tolist() == ["R2"]
    assert chosen.attrs["provenance"]["skipped"] == {"of other resources": 1}


def test_ligand_receptor_table_of_the_paper(write):
    table = read_ligand_receptor(write(PAPER))
    assert table[["direction", "stimulation", "inhibition"]].to_numpy().tolist() == [
        [1, 1, 0],
        [0, 0, 1],
    ]
    assert read_ligand_receptor(write(PAPER), resources=["KEGG"])["source"].tolist() == ["L1"]


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        (PAPER.replace("L2\t", "\t"), {}, r"table\.tsv, line 3: the column 'source' is blank"),
        (PAPER.replace("R1\t1", "R1\tx"), {}, "line 2, column 'direction': 'x' is not a flag"),
        (PAPER, {"resources": ["kegg"]}, r"resources \['kegg'\]. It has Baccin2019, KEGG, KEGG-M"),
        (PAPER, {"resources": "KEGG"}, "is to be a list"),
    ],
)
def test_ligand_receptor_errors_are_located(write, text, options, match):
    with pytest.raises(ValueError, match=match):
        read_ligand_receptor(write(text), **options)


def test_intercell_rows_of_a_protein_are_united(write):
    table = read_intercell(write(INTERCELL))
    assert table.to_dict("list") == {
        "code": ["L1", "R1"],
        "name": ["l1", "r1"],
        "type": ["protein", "protein"],
        "categories": ["ligand;ecm", "receptor"],
        "transmitter": [True, False],
        "receiver": [False, True],
        "secreted": [True, False],
        "plasma_membrane_transmembrane": [False, True],
        "plasma_membrane_peripheral": [False, False],
    }
    assert table.attrs["provenance"]["merged"] == 2


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("\tR1\t", "\t\t", r"table\.tsv, line 4: the column 'uniprot' is blank"),
        ("ecm\tL1\tl1\tprotein\tFalse", "ecm\tL1\tl1\tprotein\tno", "line 5, column 'transmitter'"),
        ("\treceiver", "\tgets", "the column 'receiver' is missing"),
    ],
)
def test_intercell_errors_are_located(write, old, new, match):
    with pytest.raises(ValueError, match=match):
        read_intercell(write(INTERCELL.replace(old, new)))


def test_gene_names_of_uniprot_and_of_an_annotation(write):
    names = read_gene_names(write(UNIPROT))
    assert names.to_dict() == {"L1": "LIG1", "R1": "REC1", "S1": "", "T1": "TF1", "T2": "TF1"}
    names = read_gene_names(write("code\tname\tTF\tligand\nA\ta\t0\t1\n"))
    assert names.to_dict() == {"A": "a"}
    with pytest.raises(ValueError, match="line 7: 'T1' is given a second time"):
        read_gene_names(write(UNIPROT + "T1\tx\ty\tz\n"))
    with pytest.raises(ValueError, match=r"does not name proteins: it has \['a', 'b'\]"):
        read_gene_names(write("a\tb\n1\t2\n"))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Entry\tOrganism\nL1\t9606\nR1\t9606\nL1\t9606\n", ["L1", "R1"]),
        ("EntrezGene,Symbol\n1,TF1\n2,LIG1\n", ["T1", "T2", "L1"]),
        ("REC1\t1\nTF1\t2\n", ["R1", "T1", "T2"]),
    ],
    ids=["accessions", "symbols", "no header"],
)
def test_gene_lists_become_codes(write, text, codes):
    names = read_gene_names(write(UNIPROT, "uniprot.tab"))
    assert read_gene_list(write(text), names) == codes


def test_unknown_symbols_are_named(write, caplog):
    names = {"T1": "TF1"}
    with caplog.at_level(logging.WARNING):
        assert read_gene_list(write("Id,Symbol\n1,TF1\n2,XX\n"), names) == ["T1"]
    assert "1 of 2 symbols" in caplog.text
    assert "XX" in caplog.text
    with pytest.raises(ValueError, match=r"none of the 1 symbols is known, such as \['XX'\]"):
        read_gene_list(write("Id,Symbol\n2,XX\n"), names)
    with pytest.raises(ValueError, match=r"lists gene symbols.*Give `names`"):
        read_gene_list(write("Id,Symbol\n2,XX\n"))


def test_roles_of_the_ligand_screen_are_among_those_of_the_databases(shared_data):
    lembas = shared_data / "lembas"
    published = read_annotation(lembas / "networks" / "ligandScreen-Annotation.tsv")
    annotation = make_annotation(
        read_interactions(lembas / "networks" / "ligandScreen-Model.tsv"),
        ligands=read_ligand_receptor(lembas / "construction" / "RL.tsv")["source"],
        tfs=read_regulon(lembas / "construction" / "regulon.tsv")["source"],
        names=read_gene_names(lembas / "construction" / "uniprot-human-reviewed.tab"),
    )
    both = annotation.merge(published, on="code", suffixes=("", "_published"))
    assert len(both) == len(published) == len(annotation) == 1262
    assert not (both["TF_published"] & ~both["TF"]).any()
    assert not (both["ligand_published"] & ~both["ligand"]).any()
    assert (both["name"] == both["name_published"]).sum() == 1255  # others: 6 small molecules


@pytest.mark.parametrize(
    ("name", "flag", "num_codes"),
    [("transmitters", "transmitter", 1490), ("receivers", "receiver", 3183)],
)
def test_intercell_tables_of_omnipath(shared_data, name, flag, num_codes):
    table = read_intercell(shared_data / "omnipath" / f"omnipath_intercell_{name}.tsv.gz")
    assert len(table) == table[flag].sum() == num_codes


def test_the_joined_intercell_table_is_an_interaction_table(shared_data):
    path = shared_data / "omnipath" / "omnipath_import_intercell_result.tsv.gz"
    assert len(read_omnipath(path)) == 5677


@pytest.mark.parametrize(
    ("file", "num_codes"),
    [("kinases.tsv", 539), ("phosphatases.tsv", 181), ("transcription_factors.csv", 1632)],
)
def test_gene_lists_of_roles(shared_data, file, num_codes):
    path = shared_data / "lembas" / "construction" / "uniprot-human-reviewed.tab"
    assert len(read_gene_list(shared_data / "roles" / file, read_gene_names(path))) == num_codes


def test_resources_of_liana(shared_data):
    path = shared_data / "ligrec" / "liana_omni_resource.csv.gz"
    assert len(read_ligand_receptor(path)) == 35_356
    assert len(read_ligand_receptor(path, resources=["cellphonedb", "hpmr"])) == 1223 + 595
