"""Pathways written for these tests; KEGG's own may not be redistributed."""

import gzip
import logging

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import interaction_sign, merge_interactions
from lembas_pyg.io.kegg import OLD_SPELLINGS, SUBTYPE_SIGNS, read_kgml

ENTRIES = """\
  <entry id="1" name="xyz:10" type="gene"><graphics name="LIG, ligand..." type="rectangle"/></entry>
  <entry id="2" name="xyz:20 xyz:21" type="gene"><graphics name="RECA, RA"/></entry>
  <entry id="3" name="xyz:30" type="gene"/>
  <entry id="4" name="undefined" type="group">
    <component id="2"/>
    <component id="3"/>
  </entry>
  <entry id="5" name="cpd:C90001" type="compound"><graphics name="C90001"/></entry>
  <entry id="6" name="path:xyz00002" type="map"><graphics name="TITLE:Other"/></entry>
  <entry id="7" name="ko:K99999" type="ortholog"/>
  <entry id="8" name="xyz:40" type="gene"/>
  <entry id="9" name="undefined" type="group"><component id="4"/><component id="8"/></entry>
  <entry id="11" name="undefined" type="group"/>
"""
HEAD = """\
<?xml version="1.0"?>
<!DOCTYPE pathway SYSTEM "https://example.org/not-there.dtd">
<pathway name="path:xyz00001" org="xyz" number="00001" title="Made for tests">
"""
FIRST_RELATION = (HEAD + ENTRIES).count("\n") + 1


def subtype(name, value="--"):
    return f'<subtype name="{name}" value="{value}"/>'


def relation(one, two, *subtypes, type="PPrel"):
    parts = "".join(s if s.startswith("<") else subtype(s) for s in subtypes)
    return f'<relation entry1="{one}" entry2="{two}" type="{type}">{parts}</relation>\n'


@pytest.fixture
def read(tmp_path):
    def _read(*relations, mapping=None, head=HEAD, entries=ENTRIES, **options):
        path = tmp_path / "xyz00001.xml"
        path.write_text(head + entries + "".join(relations) + "</pathway>\n")
        return read_kgml(path, mapping, **options)

    return _read


def pairs(table):
    return [
        (source.removeprefix("xyz:"), target.removeprefix("xyz:"))
        for source, target in zip(table["source"], table["target"], strict=True)
    ]


def signs(table):
    return interaction_sign(table).tolist()


# Every subtype of the vocabulary, alone: direction and sign, worked out from the manual.
@pytest.mark.parametrize(
    ("name", "direction", "sign"),
    [
        ("activation", 1, 1),
        ("inhibition", 1, -1),
        ("expression", 1, 1),
        ("repression", 1, -1),
        ("phosphorylation", 1, 0),
        ("dephosphorylation", 1, 0),
        ("ubiquitination", 1, 0),
        ("ubiquination", 1, 0),
        ("glycosylation", 1, 0),
        ("methylation", 1, 0),
        ("binding/association", 0, 0),
        ("dissociation", 0, 0),
        ("indirect effect", 1, 0),
        ("indirect", 1, 0),
        ("missing interaction", None, None),
        ("missing", None, None),
        ("state change", 1, 0),
        ("compound", 1, 0),
        ("hidden compound", 1, 0),
    ],
)
@pytest.mark.parametrize("type", ["PPrel", "GErel", "PCrel"])
def test_direction_and_sign_of_every_subtype(read, name, direction, sign, type):
    value = "5" if name.endswith("compound") else "--"
    table = read(relation(1, 3, subtype(name, value), type=type))
    if direction is None:
        assert table.empty
        assert table.attrs["provenance"]["skipped"] == {"interaction missing in disease": 1}
        return
    assert table["direction"].tolist() == [direction]
    assert signs(table) == [sign]
    assert table["mechanism"].tolist() == [OLD_SPELLINGS.get(name, name)]
    assert table["relation"].tolist() == [type]


def test_the_list_of_subtypes_above_is_complete():
    (mark, _) = test_direction_and_sign_of_every_subtype.pytestmark[::-1]
    tested = {row[0] for row in mark.args[1]}
    assert tested == set(SUBTYPE_SIGNS) | set(OLD_SPELLINGS)


@pytest.mark.parametrize(
    ("type", "rows", "reason"),
    [
        ("PPrel", 1, None),
        ("GErel", 1, None),
        ("PCrel", 1, None),
        ("ECrel", 0, "enzymes that share a compound"),
        ("maplink", 0, "link to another map"),
    ],
)
def test_every_type_of_relation(read, type, rows, reason):
    table = read(relation(1, 3, "activation", type=type))
    assert len(table) == rows
    assert table.attrs["provenance"]["skipped"] == ({reason: 1} if reason else {})


@pytest.mark.parametrize(
    ("subtypes", "direction", "sign", "mechanism"),
    [
        (["activation", "phosphorylation"], 1, 1, "activation;phosphorylation"),
        (["inhibition", "ubiquination"], 1, -1, "inhibition;ubiquitination"),
        (["phosphorylation", "dephosphorylation"], 1, 0, "phosphorylation;dephosphorylation"),
        (["binding/association", "phosphorylation"], 1, 0, "binding/association;phosphorylation"),
        (["binding/association", "activation"], 1, 1, "binding/association;activation"),
        (["binding/association", "dissociation"], 0, 0, "binding/association;dissociation"),
        (["indirect effect", "inhibition"], 1, -1, "indirect effect;inhibition"),
        (["expression", "indirect"], 1, 1, "expression;indirect effect"),
        (["activation", "inhibition"], 1, 0, "activation;inhibition"),
        (["activation", "activation"], 1, 1, "activation"),
        ([], 0, 0, ""),
    ],
)
def test_several_subtypes_of_one_relation(read, subtypes, direction, sign, mechanism):
    table = read(relation(1, 3, *subtypes))
    assert table["direction"].tolist() == [direction]
    assert signs(table) == [sign]
    assert table["mechanism"].tolist() == [mechanism]


def test_opposite_signs_keep_both_flags(read):
    table = read(relation(1, 3, "activation", "inhibition"))
    assert table[["stimulation", "inhibition"]].to_numpy().tolist() == [[1, 1]]
    assert table["stimulation"].dtype == np.int8


def test_interactions_missing_in_disease_can_be_kept(read):
    lost = relation(1, 3, "activation", "missing interaction")
    assert read(lost).empty
    table = read(lost, missing="keep")
    assert signs(table) == [1]
    assert table["mechanism"].tolist() == ["activation;missing interaction"]


def test_an_entry_of_many_genes_gives_all_pairs(read):
    table = read(relation(1, 2, "activation"), relation(2, 3, "inhibition"))
    assert pairs(table) == [("10", "20"), ("10", "21"), ("20", "30"), ("21", "30")]
    assert signs(table) == [1, 1, -1, -1]
    assert table["line"].tolist() == [FIRST_RELATION] * 2 + [FIRST_RELATION + 1] * 2


def test_members_of_a_group_interact_by_themselves(read):
    table = read(relation(1, 4, "activation"), relation(4, 8, "inhibition"))
    assert pairs(table) == [
        ("10", "20"), ("10", "21"), ("10", "30"), ("20", "40"), ("21", "40"), ("30", "40")
    ]  # fmt: skip


def test_a_group_can_be_one_complex(read):
    table = read(relation(1, 4, "activation"), groups="complex")
    assert table["target"].tolist() == ["COMPLEX:xyz:20_xyz:21_xyz:30"]
    assert table["target_type"].tolist() == ["complex"]
    table = read(relation(1, 4, "activation"), groups="complex", mapping={
        "xyz:20": "Q00020", "xyz:21": "Q00021", "xyz:30": "P00030"
    })  # fmt: skip
    assert table["target"].tolist() == ["COMPLEX:P00030_Q00020_Q00021"]


def test_groups_of_groups_are_opened_and_empty_ones_skipped(read):
    table = read(relation(1, 9, "activation"), relation(1, 11, "activation"))
    assert pairs(table) == [("10", "20"), ("10", "21"), ("10", "30"), ("10", "40")]
    assert table.attrs["provenance"]["skipped"] == {"empty group": 1}


def test_relations_of_groups_can_be_dropped(read):
    table = read(relation(1, 4, "activation"), relation(1, 3, "activation"), groups="drop")
    assert pairs(table) == [("10", "30")]
    assert table.attrs["provenance"]["skipped"] == {"touches a group": 1}


MESSENGER = [
    relation(1, 5, "activation", type="PCrel"),
    relation(5, 2, "inhibition", type="PCrel"),
    relation(3, 5, "phosphorylation", type="PCrel"),
    relation(1, 8, "activation", subtype("compound", 5)),
]
ENZYMES = relation(1, 3, subtype("compound", 5), type="ECrel")


def test_compounds_are_dropped_but_not_what_only_mentions_one(read):
    table = read(*MESSENGER, ENZYMES)
    assert pairs(table) == [("10", "40")]
    assert table["mechanism"].tolist() == ["activation;compound"]
    assert table.attrs["provenance"]["skipped"] == {
        "touches a compound": 3,
        "enzymes that share a compound": 1,
    }


def test_proteins_are_linked_across_a_compound(read):
    table = read(*MESSENGER, ENZYMES, compounds="link")
    found = dict(zip(pairs(table), signs(table), strict=True))
    assert found == {
        ("10", "20"): -1,  # activation, then inhibition
        ("10", "21"): -1,
        ("30", "20"): 0,
        ("30", "21"): 0,
        ("10", "40"): 1,
        ("10", "30"): 0,
    }
    assert (table["direction"] == 1).all()
    assert table["line"].is_monotonic_increasing
    assert table["mechanism"].iloc[0] == "activation;inhibition"


def test_two_inhibitions_across_a_compound_are_an_activation(read):
    table = read(
        relation(1, 5, "inhibition", type="PCrel"),
        relation(5, 8, "inhibition", type="PCrel"),
        compounds="link",
    )
    assert pairs(table) == [("10", "40")]
    assert signs(table) == [1]


@pytest.mark.parametrize("ends", [(5, 8), (8, 5)])
def test_a_link_has_the_direction_of_either_of_its_arrows(read, ends):
    table = read(
        relation(1, 5, "activation", type="PCrel"), relation(*ends, type="PCrel"), compounds="link"
    )
    assert pairs(table) == [("10", "40")]
    assert table["direction"].tolist() == [1]
    assert signs(table) == [0]


@pytest.mark.parametrize(("one", "two"), [((1, 5), (5, 8)), ((5, 1), (5, 8)), ((1, 5), (8, 5))])
def test_a_link_of_two_undirected_relations_is_undirected(read, one, two):
    table = read(relation(*one, type="PCrel"), relation(*two, type="PCrel"), compounds="link")
    assert pairs(table) == [("10", "40")]
    assert table["direction"].tolist() == [0]


def test_compounds_can_be_nodes(read):
    table = read(*MESSENGER[:2], ENZYMES, compounds="keep")
    assert pairs(table) == [
        ("10", "cpd:C90001"), ("cpd:C90001", "20"), ("cpd:C90001", "21"),
        ("10", "cpd:C90001"), ("cpd:C90001", "30"),
    ]  # fmt: skip
    assert signs(table) == [1, -1, -1, 0, 0]
    assert table["target_type"].tolist()[0] == table["source_type"].tolist()[1] == "small molecule"


def test_other_maps_and_orthologs_are_skipped(read):
    table = read(
        relation(1, 6, "activation", type="maplink"),
        relation(6, 3, "activation"),
        relation(1, 7, "activation"),
    )
    assert table.empty
    assert list(table.columns)[:7] == [
        "source", "target", "direction", "stimulation", "inhibition", "sources", "references"
    ]  # fmt: skip
    assert table.attrs["provenance"]["skipped"] == {
        "touches an entry of type map": 2,
        "touches an entry of type ortholog": 1,
    }


def test_reference_maps_consist_of_orthologs(read):
    head = HEAD.replace('org="xyz"', 'org="ko"')
    entries = (
        '<entry id="1" name="ko:K1" type="ortholog"/><entry id="2" name="ko:K2" type="ortholog"/>'
    )
    table = read(relation(1, 2, "activation"), head=head, entries=entries)
    assert table["source"].tolist() == ["ko:K1"]


def test_gene_ids_become_accessions(read, caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    mapping = {"xyz:10": "P00010", "xyz:20": ["Q00020", "Q00020-2"]}
    table = read(relation(1, 2, "activation"), mapping=mapping)
    assert pairs(table) == [("P00010", "Q00020"), ("P00010", "Q00020-2"), ("P00010", "21")]
    provenance = table.attrs["provenance"]
    assert provenance["unmapped"] == ["xyz:21"]
    assert provenance["title"] == "Made for tests"
    assert provenance["rows"] == 3 and provenance["relations"] == 1
    assert "1 relations gave 3 interactions; skipped none; 1 gene ids without acc" in caplog.text


def test_gene_ids_without_accession_can_be_dropped(read):
    frame = pd.DataFrame({"kegg": ["xyz:10", "xyz:20"], "code": ["P00010", "Q00020"]})
    table = read(
        relation(1, 2, "activation"), relation(1, 3, "activation"), mapping=frame, unmapped="drop"
    )
    assert pairs(table) == [("P00010", "Q00020")]
    assert table.attrs["provenance"]["unmapped"] == ["xyz:21", "xyz:30"]
    assert table.attrs["provenance"]["skipped"] == {"gene ids without accession": 1}


def test_symbols_are_those_of_the_pictures(read):
    table = read(relation(1, 2, "activation"))
    assert table["source_name"].tolist() == ["LIG", "LIG"]
    assert table["target_name"].tolist() == ["RECA", ""]
    assert table["pathway"].tolist() == ["xyz00001"] * 2
    assert table["sources"].tolist() == ["KEGG"] * 2


def test_a_compressed_pathway_is_read(tmp_path, read):
    table = read(relation(1, 3, "activation"))
    path = tmp_path / "xyz00001.xml.gz"
    path.write_bytes(gzip.compress((tmp_path / "xyz00001.xml").read_bytes()))
    pd.testing.assert_frame_equal(read_kgml(path), table)


def test_the_result_is_an_interaction_table(read):
    table = read(relation(1, 3, "activation"), relation(1, 3, "phosphorylation"))
    merged = merge_interactions(table)
    assert signs(merged) == [1]


LINE = rf"xyz00001\.xml, line {FIRST_RELATION}: "


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (relation(1, 99, "activation"), LINE + "the <relation> names the entry '99'"),
        (relation(1, 3, "promotion"), LINE + "the subtype 'promotion' .* indirect effect"),
        (relation(1, 3, "activation", type="XXrel"), LINE + "the relation type 'XXrel' .* PPrel"),
        (relation(1, 3, subtype("compound", 98)), LINE + "the <subtype> names the entry '98'"),
        (
            '<relation entry1="1" type="PPrel"/>\n',
            LINE + "the <relation> has no attribute 'entry2'",
        ),
        ('<relation entry1="1" entry2="3"/>\n', LINE + "the <relation> has no attribute 'type'"),
        ('<entry id="1" name="xyz:1" type="gene"/>\n', LINE + "the entry id '1' is that of line 4"),
        ('<entry name="xyz:1" type="gene"/>\n', LINE + "the <entry> has no attribute 'id'"),
        ("<relation>\n", r"xyz00001\.xml, line \d+: not well-formed XML \(mismatched tag\)"),
        (
            '<entry id="50" name="undefined" type="group"><component id="97"/></entry>\n'
            + relation(1, 50, "activation"),
            LINE + "the <component> names the entry '97'",
        ),
        (
            '<entry id="50" name="undefined" type="group"><component id="50"/></entry>\n'
            + relation(1, 50, "activation"),
            LINE + "the group '50' contains itself",
        ),
    ],
)
def test_a_damaged_pathway_is_located(read, lines, match):
    with pytest.raises(ValueError, match=match):
        read(lines)


@pytest.mark.parametrize(
    "option", [{"unmapped": "x"}, {"groups": "x"}, {"compounds": "x"}, {"missing": "x"}]
)
def test_an_unknown_option_is_refused(read, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} is 'x'; choose from"):
        read(**option)


def test_a_mapping_table_without_its_columns_is_refused(read):
    with pytest.raises(ValueError, match="needs 'kegg'"):
        read(mapping=pd.DataFrame({"hsa": [], "up": []}))


def test_a_document_that_is_no_pathway_is_refused(tmp_path):
    path = tmp_path / "page.xml"
    path.write_text("<html>\n</html>")
    with pytest.raises(ValueError, match=r"page\.xml, line 1: the document is a <html>"):
        read_kgml(path)
    path.write_text(" \n")
    with pytest.raises(ValueError, match=r"page\.xml is empty"):
        read_kgml(path)
    with pytest.raises(IsADirectoryError, match="is a directory"):
        read_kgml(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_kgml(tmp_path / "none.xml")
    path = tmp_path / "page.xml.gz"
    path.write_bytes(gzip.compress(b"<pathway/>")[:-4])
    with pytest.raises(ValueError, match="not a complete gzip file"):
        read_kgml(path)


def test_entities_are_refused(tmp_path):
    path = tmp_path / "laughs.xml"
    bomb = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">\n' for i in range(12))
    path.write_text(f'<!DOCTYPE pathway [\n<!ENTITY l0 "ha">\n{bomb}]>\n<pathway name="&l12;"/>')
    with pytest.raises(ValueError, match=r"line 2: .* declares the entity 'l0'"):
        read_kgml(path)
    path.write_text('<!DOCTYPE pathway [<!ENTITY f SYSTEM "file:///etc/passwd">]><pathway/>')
    with pytest.raises(ValueError, match="declares the entity 'f'"):
        read_kgml(path)
