import pandas as pd
import pytest

from lembas_pyg.io import (
    both_directions,
    exclude_interactions,
    merge_with_report,
    remove_self_loops,
    restrict_to,
    select_by_curation_effort,
    select_referenced,
    select_resources,
    select_taxon,
)

COLUMNS = ["source", "target", "direction", "stimulation", "inhibition", "sources", "references"]


def make(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


TABLE = make(
    ("A", "B", 1, 1, 0, "KEGG-MEDICUS;SPIKE", "SPIKE:1"),
    ("B", "C", 1, 0, 1, "SIGNOR;KEGG", ""),
    ("C", "C", 0, 0, 0, "KEGG", "KEGG:2"),
    ("C", "D", 0, 1, 0, "", None),
)


def pairs(table):
    return ["".join(pair) for pair in zip(table["source"], table["target"], strict=True)]


def test_resources_are_compared_whole():
    kept, report = select_resources(TABLE, ["KEGG"])
    assert pairs(kept) == ["BC", "CC"]
    assert kept.index.tolist() == [0, 1]
    assert pairs(report) == ["AB", "CD"]
    assert report["detail"].tolist() == ["stated by KEGG-MEDICUS;SPIKE", "stated by no resource"]
    assert set(report["rule"] + " " + report["action"]) == {"select resources removed"}


def test_any_of_several_resources_is_enough_and_their_names_are_no_patterns():
    assert pairs(select_resources(TABLE, ["SPIKE", "SIGNOR"]).interactions) == ["AB", "BC"]
    odd = TABLE.assign(sources=["A.B (C)", "AxB (C)", "KEGG ; A.B (C)", ""])
    assert pairs(select_resources(odd, ["A.B (C)"]).interactions) == ["AB", "CC"]


def test_a_resource_that_nobody_names_is_not_silent():
    with pytest.warns(UserWarning, match=r"'Signor' \(close to it: SIGNOR\)"):
        kept, report = select_resources(TABLE, ["KEGG", "Signor"])
    assert pairs(kept) == ["BC", "CC"]
    assert report.iloc[0].tolist() == [
        "select resources",
        "unmatched",
        "interaction",
        "",
        "",
        "no interaction names 'Signor'",
    ]


def test_interactions_without_reference_are_left_out():
    kept, report = select_referenced(TABLE)
    assert pairs(kept) == ["AB", "CC"]
    assert pairs(report) == ["BC", "CD"]


def test_both_ends_belong_to_the_organism_or_to_none():
    table = TABLE.assign(
        source_taxon=["9606", "9606", "-1", "10090"], target_taxon=["9606", "10090", "9606", "9606"]
    )
    kept, report = select_taxon(table)
    assert pairs(kept) == ["AB", "CC"]
    assert report["detail"].tolist() == ["organism 9606 -> 10090", "organism 10090 -> 9606"]
    one = TABLE.assign(taxon=["9606", "10090", None, ""])
    assert pairs(select_taxon(one, 10090).interactions) == ["BC", "CC", "CD"]


def test_curation_effort_is_a_number():
    table = TABLE.assign(curation_effort=["10", "9", "2", "0"])
    kept, report = select_by_curation_effort(table, 9)
    assert pairs(kept) == ["AB", "BC"]
    assert report["detail"].tolist() == ["curation effort 2", "curation effort 0"]


def test_nodes_outside_of_the_list_go_with_their_interactions():
    kept, report = restrict_to(TABLE, ["A", "B", "C"])
    assert pairs(kept) == ["AB", "BC", "CC"]
    assert report[["item", "source", "target", "detail"]].to_numpy().tolist() == [
        ["node", "D", "", "not in the list"],
        ["interaction", "C", "D", "not in the list: D"],
    ]


def test_only_sources_may_be_restricted():
    kept, report = restrict_to(TABLE, {"A", "C"}, ends=["source"])
    assert pairs(kept) == ["AB", "CC", "CD"]
    assert report["source"].tolist() == ["B", "B"]


def test_pairs_of_another_table_are_excluded_in_their_direction():
    others = make(("B", "A", 1, 0, 0, "", ""), ("B", "C", 1, 1, 0, "", ""))
    kept, report = exclude_interactions(TABLE, others)
    assert pairs(kept) == ["AB", "CC", "CD"]
    assert pairs(report) == ["BC"]


def test_self_loops_are_removed():
    kept, report = remove_self_loops(TABLE)
    assert pairs(kept) == ["AB", "BC", "CD"]
    assert report["detail"].tolist() == ["acts on itself"]


def test_undirected_interactions_run_both_ways():
    table = TABLE.assign(source_name=list("abcc"), target_name=list("bccd"))
    both, report = both_directions(table)
    assert pairs(both) == ["AB", "BC", "CC", "CD", "DC"]
    assert (both["direction"] == 1).all()
    assert both.iloc[4][["source_name", "target_name"]].tolist() == ["d", "c"]
    assert both.iloc[4][["stimulation", "sources"]].tolist() == [1, ""]
    assert both.columns.tolist() == table.columns.tolist()
    assert report["action"].tolist() == ["added"]
    assert pairs(report) == ["DC"]


def test_without_a_direction_all_interactions_have_one():
    table = TABLE.drop(columns="direction")
    both, report = both_directions(table)
    assert pairs(both) == pairs(table)
    assert report.empty


def test_merging_reports_repetitions_and_opposite_signs():
    table = make(
        ("A", "B", 1, 1, 0, "KEGG", ""),
        ("B", "C", 1, 1, 1, "KEGG", ""),
        ("A", "B", 1, 0, 1, "SIGNOR", ""),
        ("C", "D", 1, 1, 0, "", ""),
        ("C", "D", 1, 1, 0, "", ""),
        ("C", "D", 1, 0, 0, "", ""),
    )
    merged, report = merge_with_report(table)
    assert pairs(merged) == ["AB", "BC", "CD"]
    changed, conflict = (report[report["action"] == word] for word in ("changed", "conflict"))
    assert pairs(changed) == ["AB", "CD"]
    assert changed["detail"].tolist() == ["2 rows merged", "3 rows merged"]
    assert pairs(conflict) == ["AB", "BC"]


def test_the_table_given_is_not_changed():
    before = TABLE.copy()
    select_resources(TABLE, ["KEGG"])
    both_directions(TABLE)
    restrict_to(TABLE, ["A"])
    pd.testing.assert_frame_equal(TABLE, before)


def test_provenance_stays_with_the_table():
    table = TABLE.copy()
    table.attrs["provenance"] = {"file": "table.tsv"}
    kept, _ = both_directions(select_referenced(table).interactions)
    assert kept.attrs == table.attrs


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: select_resources(TABLE, "KEGG"), "`names` is to be a list .* not 'KEGG'"),
        (lambda: select_resources(TABLE, []), "`names` is to be a list"),
        (lambda: select_resources(TABLE.drop(columns="sources"), ["A"]), "no column 'sources'"),
        (lambda: select_taxon(TABLE), "tells no organism"),
        (lambda: select_by_curation_effort(TABLE, 1), "no column 'curation_effort'"),
        (
            lambda: select_by_curation_effort(TABLE.assign(curation_effort=["1", "x", "", "2"]), 1),
            "holds 'x' for 'B' -> 'C'",
        ),
        (lambda: restrict_to(TABLE, "A"), "`nodes` is to be a list"),
        (lambda: restrict_to(TABLE, ["A"], ends=["sources"]), "Legal are 'source', 'target'"),
        (lambda: exclude_interactions(TABLE, pd.DataFrame()), r"no column \['source', 'target'\]"),
    ],
)
def test_what_cannot_be_selected_is_an_error(call, match):
    with pytest.raises(ValueError, match=match):
        call()
