import pandas as pd
import pytest

from lembas_pyg.io import entity_type, interaction_sign, resolve_entities


def make(*rows):
    table = pd.DataFrame(rows, columns=["source", "target", "stimulation", "inhibition"])
    return table.assign(direction=1, sources="SIGNOR")


def pairs(table):
    return list(zip(table["source"], table["target"], strict=True))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("P01375", "protein"),
        ("Q9Y2J0-2", "protein"),
        ("A0A024RBG1", "protein"),
        ("P01375-PRO_0000034423", "protein"),
        ("COMPLEX:P08476_P09529", "complex"),
        ("SIGNOR-C12", "complex"),
        ("SIGNOR-PF5", "family"),
        ("CHEBI:15551", "small molecule"),
        ("CHEBI16412", "small molecule"),
        ("CID:3035714", "small molecule"),
        ("DB00945", "small molecule"),
        ("SIGNOR-PH2", "other"),
        ("MI0000060", "other"),
        ("TNF", "other"),
    ],
)
def test_the_form_of_a_code_tells_its_type(code, expected):
    assert entity_type(code) == expected


TABLE = make(
    ("SIGNOR-C1", "P00001", 1, 0),
    ("P00002", "SIGNOR-PF1", 0, 1),
    ("P00001", "P00002", 0, 0),
    ("CHEBI:15551", "SIGNOR-C1", 1, 0),
)
MEMBERS = {"SIGNOR-C1": ["P00003", "SIGNOR-PF1"], "SIGNOR-PF1": ["P00004", "P00005"]}


def test_all_is_kept_unless_said_otherwise():
    kept, report = resolve_entities(TABLE)
    pd.testing.assert_frame_equal(kept, TABLE.astype(kept.dtypes))
    assert report.empty


def test_members_take_the_place_of_what_is_expanded():
    how = {"complex": "expand", "family": "expand"}
    table, report = resolve_entities(TABLE, MEMBERS, how)
    members = ["P00003", "P00004", "P00005"]
    assert pairs(table) == [
        *((member, "P00001") for member in members),
        ("P00002", "P00004"),
        ("P00002", "P00005"),
        ("P00001", "P00002"),
        *(("CHEBI:15551", member) for member in members),
    ]
    assert interaction_sign(table).tolist() == [1, 1, 1, -1, -1, 0, 1, 1, 1]
    assert (table["sources"] == "SIGNOR").all()
    assert report["action"].tolist() == ["changed"] * 3
    assert report["detail"].tolist() == [f"expanded to {n} interactions" for n in (3, 2, 3)]


def test_members_are_treated_by_their_own_type():
    how = {"complex": "expand", "family": "drop"}
    table, report = resolve_entities(TABLE, MEMBERS, how)
    assert pairs(table) == [("P00003", "P00001"), ("P00001", "P00002"), ("CHEBI:15551", "P00003")]
    dropped = report[report["action"] == "removed"]
    assert dropped[["source", "target"]].to_numpy().tolist() == [["P00002", "SIGNOR-PF1"]]
    assert dropped["detail"].tolist() == ["drop family SIGNOR-PF1"]


def test_both_ends_expand_to_every_pair_of_members():
    table, _ = resolve_entities(
        make(("COMPLEX:P00001_P00002", "COMPLEX:P00003_P00003_P00004", 1, 0)),
        how={"complex": "expand"},
    )
    expected = [(s, t) for s in ("P00001", "P00002") for t in ("P00003", "P00004")]
    assert pairs(table) == expected


def test_names_and_types_of_a_complex_are_not_those_of_its_members():
    table = make(("SIGNOR-C1", "P00001", 1, 0)).assign(
        source_name="AP1", source_type="complex", target_name="TNF"
    )
    expanded, _ = resolve_entities(table, {"SIGNOR-C1": ["P00002"]}, {"complex": "expand"})
    assert expanded[["source_name", "source_type", "target_name"]].to_numpy().tolist() == [
        ["", "protein", "TNF"]
    ]


@pytest.mark.parametrize(
    ("members", "how", "match"),
    [
        ({}, {"complexes": "drop"}, "the type 'complexes'. Legal are protein, complex"),
        ({}, {"complex": "remove"}, "'remove' for the type 'complex'. Legal are keep, expand, d"),
        ({}, {"complex": "expand"}, r"members of 'SIGNOR-C1' \(complex\) are not given"),
        (
            {"SIGNOR-C1": ["SIGNOR-C2"], "SIGNOR-C2": ["SIGNOR-C1"]},
            {"complex": "expand"},
            "member of itself: SIGNOR-C1 > SIGNOR-C2 > SIGNOR-C1",
        ),
    ],
)
def test_what_cannot_be_resolved_is_an_error(members, how, match):
    with pytest.raises(ValueError, match=match):
        resolve_entities(TABLE, members, how)
