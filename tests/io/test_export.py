"""Formats of other programs: what they hold comes back, and what they do not is said."""

import itertools
import json
import logging
import re
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lembas_pyg.exchange import from_networkx, to_networkx
from lembas_pyg.io import (
    interaction_sign,
    merge_interactions,
    read_annotation,
    read_graphml,
    read_interactions,
    read_sif,
    write_annotation,
    write_bnet,
    write_cytoscape,
    write_graphml,
    write_interactions,
    write_sbml_qual,
    write_sif,
)
from lembas_pyg.io.export import WORDS
from lembas_pyg.network import from_interactions, to_annotation, to_interactions

FLAGS = ["direction", "stimulation", "inhibition"]


def interactions(*rows, **columns):
    table = pd.DataFrame(
        [(*row, *[""] * (7 - len(row))) for row in rows],
        columns=["source", "target", *FLAGS, "sources", "references"],
    )
    text = dict.fromkeys(["source", "target", "sources", "references"], str)
    return table.astype(dict.fromkeys(FLAGS, np.int8) | text).assign(**columns)


def annotation(*rows):
    table = pd.DataFrame(rows, columns=["code", "name", "TF", "ligand"])
    return table.astype({"code": str, "name": str, "TF": bool, "ligand": bool})


@pytest.fixture
def network():
    """Every sign, one interaction without direction, one node without interactions."""
    return (
        interactions(
            ("L", "R", 1, 1, 0, "KEGG;SIGNOR", "KEGG:1;SIGNOR:2"),
            ("R", "T", 1, 0, 1, "<&\"'>"),
            ("X", "T", 1, 1, 0),
            ("R", "X", 1, 0, 0),
            ("T", "X", 1, 1, 1),
            ("X", "R", 0, 0, 0),
            score=[1.5, np.nan, -np.inf, 0.1, 1e-300, 3.0],
            number=np.array([5, -1, 2**60, 0, 1, 2]),
            note=pd.Series(["a\tb", None, "", "\r\n", " x ", "é"], dtype=str),
            flag=[True, False, True, True, False, False],
        ),
        annotation(
            ("L", "LIG <1>", False, True),
            ("R", "", False, False),
            ("T", "T", True, False),
            ("X", "both", True, True),
            ("Z", "alone", False, False),
        ),
    )


# ---- SIF


def test_sif_is_a_line_an_interaction(network, tmp_path, caplog):
    caplog.set_level(logging.INFO, "lembas_pyg")
    lost = write_sif(network[0], tmp_path / "M.sif")
    assert (tmp_path / "M.sif").read_text() == (
        "L\tactivation\tR\nR\tinhibition\tT\nX\tactivation\tT\nR\tunknown\tX\nT\tconflict\tX\n"
        "X\tundirected\tR\n"
    )
    assert lost == [
        "The column 'sources' of 2 interactions is not held.",
        "The column 'references' of 1 interactions is not held.",
        "The column 'score' of 5 interactions is not held.",
        "The column 'number' of 6 interactions is not held.",
        "The column 'note' of 4 interactions is not held.",
        "The column 'flag' of 6 interactions is not held.",
    ]
    assert all(sentence in caplog.text for sentence in lost)
    columns = ["source", "target", *FLAGS]
    read = read_sif(tmp_path / "M.sif")
    pd.testing.assert_frame_equal(read[columns], network[0][columns])
    assert (read[["sources", "references"]] == "").all(axis=None)
    assert write_sif(read, tmp_path / "again.sif") == []


def test_every_combination_of_flags_has_a_word(tmp_path):
    table = interactions(*[("A", "B", *flags) for flags in itertools.product((0, 1), repeat=3)])
    assert write_sif(table, tmp_path / "M.sif") == []
    pd.testing.assert_frame_equal(read_sif(tmp_path / "M.sif"), table)
    assert len(set(WORDS.values())) == 8


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("A 1 B\nB -1 C", [("A", "B", 1, 1, 0), ("B", "C", 1, 0, 1)]),
        ("A activates B C\n\nD\n", [("A", "B", 1, 1, 0), ("A", "C", 1, 1, 0)]),
        ("A x\tpp\tB y\tC\r\n", [("A x", "B y", 0, 0, 0), ("A x", "C", 0, 0, 0)]),
        ("\ufeffA pd B", [("A", "B", 1, 0, 0)]),
        ("", []),
    ],
)
def test_sif_of_other_programs_is_read(tmp_path, text, rows):
    (tmp_path / "M.sif").write_bytes(text.encode())
    pd.testing.assert_frame_equal(read_sif(tmp_path / "M.sif"), interactions(*rows))


def test_words_of_ones_own_are_told(tmp_path):
    (tmp_path / "M.sif").write_text("A\tboosts\tB\n")
    table = read_sif(tmp_path / "M.sif", {"boosts": (1, 1, 0)})
    assert interaction_sign(table).tolist() == [1]
    assert table.attrs["provenance"]["format"] == "SIF"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"A 1 B\nA boosts B\n", r"M\.sif, line 2: the word 'boosts' is not known\. .* -1, "),
        (b"A 1 B\nA 1\n", r"M\.sif, line 2: expected a source, .* blanks; found 'A 1'"),
        (b"A\t1\t\tB\n", r"M\.sif, line 1: .* separated by tabs"),
        (b"A\xe9 1 B\n", r"M\.sif is not a text in UTF-8"),
    ],
)
def test_a_damaged_sif_is_located(tmp_path, text, match):
    (tmp_path / "M.sif").write_bytes(text)
    with pytest.raises(ValueError, match=match):
        read_sif(tmp_path / "M.sif")


@pytest.mark.parametrize("name", ["A\tB", "A\n", " A"])
def test_a_name_that_would_shift_the_columns_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"the source .* shift the columns"):
        write_sif(interactions((name, "B", 1, 1, 0)), tmp_path / "M.sif")
    assert not (tmp_path / "M.sif").exists()


# ---- GraphML


def test_graphml_is_lossless(network, tmp_path):
    assert write_graphml(network[0], tmp_path / "M.graphml", network[1]) is None
    found = read_graphml(tmp_path / "M.graphml")
    pd.testing.assert_frame_equal(found[0], network[0])
    pd.testing.assert_frame_equal(found[1], network[1])
    assert found[0].attrs["provenance"]["rows"] == 6


def test_graphml_without_annotation_names_the_nodes_only(network, tmp_path):
    write_graphml(network[0], tmp_path / "M.graphml.gz".replace(".gz", ""))
    _, nodes = read_graphml(tmp_path / "M.graphml")
    assert nodes["code"].tolist() == ["L", "R", "T", "X"]
    assert not nodes[["TF", "ligand"]].any(axis=None)


def test_graphml_is_read_by_networkx(network, tmp_path):
    write_graphml(network[0], tmp_path / "M.graphml", network[1])
    graph = nx.read_graphml(tmp_path / "M.graphml")
    assert isinstance(graph, nx.DiGraph)
    assert list(graph) == ["L", "R", "T", "X", "Z"]
    assert graph.nodes["L"] == {"code": "L", "name": "LIG <1>", "TF": False, "ligand": True}
    assert {edge[:2]: edge[2] for edge in graph.edges(data="sign")} == {
        ("L", "R"): 1, ("R", "T"): -1, ("X", "T"): 1, ("R", "X"): 0, ("T", "X"): 0, ("X", "R"): 0
    }  # fmt: skip
    assert graph.edges["L", "R"]["sources"] == "KEGG;SIGNOR"
    assert graph.edges["X", "T"]["score"] == -np.inf
    assert graph.edges["X", "T"]["number"] == 2**60


def test_graphml_of_networkx_is_read(network, tmp_path):
    graph = nx.DiGraph()
    graph.add_node("L", ligand=True)
    graph.add_node("T", name="RELA", TF=True)
    graph.add_edge("L", "T", sign=-1, weight=0.5)
    graph.add_edge("T", "L", sign=1)
    nx.write_graphml(graph, tmp_path / "nx.graphml")
    table, nodes = read_graphml(tmp_path / "nx.graphml")
    expected = interactions(
        ("L", "T", 1, 0, 1), ("T", "L", 1, 1, 0), sign=[-1, 1], weight=[0.5, np.nan]
    )
    pd.testing.assert_frame_equal(table, expected, check_like=True)
    assert nodes["ligand"].tolist() == [True, False]
    assert nodes["TF"].tolist() == [False, True]
    assert nodes["name"].tolist() == ["", "RELA"]
    nx.write_graphml(graph.to_undirected(), tmp_path / "nx.graphml")
    table, _ = read_graphml(tmp_path / "nx.graphml")
    assert table["direction"].tolist() == [0]


def graphml(keys="", nodes='<node id="A"/><node id="B"/>', edges="", default="directed"):
    edge = f'<edge source="A" target="B">{edges}</edge>' if not edges.startswith("<edge") else edges
    return (
        f"<graphml>\n{keys}\n<graph edgedefault='{default}'>\n{nodes}\n{edge}\n</graph></graphml>"
    )


SIGN = '<key id="s" for="edge" attr.name="sign" attr.type="int"><default>1</default></key>'


def test_defaults_and_node_codes_of_other_programs(tmp_path):
    keys = SIGN + '<key id="c" for="node" attr.name="code"/>'
    nodes = '<node id="A"><data key="c">P1</data></node><node id="B"><data key="c">P2</data></node>'
    (tmp_path / "M.graphml").write_text(graphml(keys, nodes))
    table, nodes = read_graphml(tmp_path / "M.graphml")
    assert table.iloc[0][["source", "target", *FLAGS]].tolist() == ["P1", "P2", 1, 1, 0]
    assert nodes["code"].tolist() == ["P1", "P2"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (graphml(), r"need 'stimulation' and 'inhibition' \(0 or 1\), or 'sign'"),
        (graphml(SIGN, edges='<edge source="A" target="C"/>'), "line 5: .* names the node 'C'"),
        (graphml(SIGN, edges='<data key="s">up</data>'), "line 5: 'up' is no int, .* 'sign' is"),
        (graphml(SIGN, edges='<data key="t">1</data>'), "line 5: there is no <key> with id 't'"),
        (graphml(SIGN, edges='<edge source="A"/>'), "line 5: the <edge> has no attribute 'target'"),
        (graphml(SIGN.replace('"int"', '"date"')), "line 2: the type 'date' is not known"),
        (graphml(SIGN, nodes='<node id="A"/>\n<node id="A"/><node id="B"/>'), "'A' more than once"),
        ("<graphml/>", "expected one <graph>, found 0"),
        ("<graph/>", "the document is a <graph>"),
    ],
)
def test_a_damaged_graphml_is_located(tmp_path, text, match):
    (tmp_path / "M.graphml").write_text(text)
    with pytest.raises(ValueError, match=match):
        read_graphml(tmp_path / "M.graphml")


def test_what_xml_cannot_hold_is_refused(network, tmp_path):
    table, nodes = network
    with pytest.raises(ValueError, match="control character"):
        write_graphml(table.assign(note="\x07"), tmp_path / "M.graphml", nodes)
    with pytest.raises(ValueError, match=r"column 'list' holds \['a'\].* convert or drop"):
        write_graphml(table.assign(list=[["a"]] * 6), tmp_path / "M.graphml", nodes)
    assert not (tmp_path / "M.graphml").exists()


@pytest.mark.parametrize("write", [write_graphml, write_cytoscape, write_bnet, write_sbml_qual])
def test_a_node_without_annotation_is_named(network, tmp_path, write):
    with pytest.raises(ValueError, match=r"'T' and 1 other nodes .* not in the annotation"):
        write(network[0], tmp_path / "M", network[1].drop(index=[2, 3]))
    assert not (tmp_path / "M").exists()


# ---- Cytoscape


def test_cytoscape_json_has_roles_words_and_evidence(network, tmp_path):
    table, nodes = network
    table["score"] = table["score"].replace(-np.inf, 0)
    assert write_cytoscape(table, tmp_path / "M.cyjs", nodes) == []
    content = json.loads((tmp_path / "M.cyjs").read_text())
    found = [node["data"] for node in content["elements"]["nodes"]]
    assert [node["role"] for node in found] == ["ligand", "receptor", "TF", "ligand", "signaling"]
    assert [node["name"] for node in found] == ["LIG <1>", "R", "T", "both", "alone"]
    edge = content["elements"]["edges"][0]["data"]
    assert edge == {
        "source": "L", "target": "R", "direction": 1, "stimulation": 1, "inhibition": 0,
        "sources": "KEGG;SIGNOR", "references": "KEGG:1;SIGNOR:2", "score": 1.5, "number": 5,
        "note": "a\tb", "flag": True, "id": "e0", "interaction": "activation", "sign": 1,
    }  # fmt: skip
    assert "score" not in content["elements"]["edges"][1]["data"]


def test_cytoscapes_own_names_are_left_out_and_said(network, tmp_path):
    table, nodes = network
    lost = write_cytoscape(
        table.assign(score=0.0, id="mine"), tmp_path / "M.cyjs", nodes.assign(selected=True)
    )
    assert lost == [
        "The column 'id' of 6 interactions is not held.",
        "The column 'selected' of 5 nodes is not held.",
    ]
    with pytest.raises(ValueError, match="JSON holds no infinite number"):
        write_cytoscape(table, tmp_path / "other.cyjs", nodes)


# ---- Boolean models


def test_rules_are_any_activator_and_no_inhibitor(tmp_path):
    table = interactions(
        ("A", "D", 1, 1, 0), ("B", "D", 1, 1, 0), ("C", "D", 1, 0, 1), ("D", "D", 1, 0, 1),
        ("A", "B", 1, 1, 0), ("A", "C", 1, 0, 1), ("B", "C", 1, 0, 1), ("D", "CHEBI:1", 1, 0, 0),
        ("C", "1-x", 1, 1, 0), ("D", "1-x", 1, 1, 0), ("D", "A", 0, 1, 0), ("B", "D", 1, 0, 0),
        ("C", "B", 1, 0, 0), ("A", "D", 1, 1, 0, "KEGG"),
    )  # fmt: skip
    lost = write_bnet(table, tmp_path / "M.bnet")
    assert (tmp_path / "M.bnet").read_text() == (
        "targets, factors\nA, A\nD, (A | B) & !C & !D\nB, A\nC, !A & !B\nCHEBI_1, CHEBI_1\n"
        "n_1_x, C | D\n"
    )
    assert lost == [
        "1 interactions without a direction are left out.",
        "2 interactions of unknown sign are left out.",
        "'CHEBI:1' became inputs: nothing of known sign acts on them.",
        "'CHEBI:1' is named 'CHEBI_1'.",
        "'1-x' is named 'n_1_x'.",
        "The column 'sources' of 1 interactions is not held.",
    ]


def test_names_stay_different(tmp_path):
    table = interactions(("A:1", "A_1", 1, 1, 0), ("A-1", "A_1", 1, 1, 0))
    write_bnet(table, tmp_path / "M.bnet")
    assert (tmp_path / "M.bnet").read_text().splitlines()[1:] == [
        "A_1_2, A_1_2", "A_1, A_1_2 | A_1_3", "A_1_3, A_1_3"
    ]  # fmt: skip


def test_opposite_signs_of_a_pair_are_unknown_in_a_boolean_model(tmp_path):
    table = interactions(("A", "B", 1, 1, 0), ("A", "B", 1, 0, 1))
    assert "1 interactions of unknown sign are left out." in write_bnet(table, tmp_path / "M")


QUAL = "{http://www.sbml.org/sbml/level3/version1/qual/version1}"
CORE = "{http://www.sbml.org/sbml/level3/version1/core}"
MATH = "{http://www.w3.org/1998/Math/MathML}"


def math_value(element, state):
    """A MathML expression of and, or, eq."""
    if element.tag == f"{MATH}ci":
        return state[element.text]
    if element.tag == f"{MATH}cn":
        return int(element.text)
    operator, *terms = element
    values = [math_value(term, state) for term in terms]
    name = operator.tag.removeprefix(MATH)
    return {"and": all, "or": any, "eq": lambda pair: pair[0] == pair[1]}[name](values)


def sbml_rules(path):
    """Of every species: what it is at next, as a function of the state."""
    model = ET.parse(path).getroot().find(f"{CORE}model")
    rules = {
        species.get(f"{QUAL}id"): None
        for species in model.find(f"{QUAL}listOfQualitativeSpecies")
        if species.get(f"{QUAL}constant") == "false"
    }
    for transition in model.iter(f"{QUAL}transition"):
        (output,) = transition.iter(f"{QUAL}output")
        (math,) = transition.iter(f"{MATH}math")
        used = {ci.text for ci in math.iter(f"{MATH}ci")}
        inputs = {i.get(f"{QUAL}qualitativeSpecies") for i in transition.iter(f"{QUAL}input")}
        assert used <= inputs
        target = output.get(f"{QUAL}qualitativeSpecies")
        assert rules[target] is None
        rules[target] = lambda state, math=math: math_value(math[0], state)
    assert None not in rules.values()
    return rules


def bnet_rules(path):
    lines = [line.split(", ") for line in path.read_text().splitlines()[1:]]
    python = {
        name: re.sub(r"!(\w+)", r"(not \1)", rule).replace("|", " or ").replace("&", " and ")
        for name, rule in lines
    }
    return {
        name: lambda state, rule=rule: bool(eval(rule, {}, state)) for name, rule in python.items()
    }


def signs_into(table):
    """Of every node: what acts on it directly, with its sign."""
    directed = merge_interactions(table).query("direction == 1")
    into = {}
    for source, target, sign in zip(
        directed["source"], directed["target"], interaction_sign(directed), strict=True
    ):
        into.setdefault(target, {})[source] = sign
    return into


def brute_force(signs, node, state):
    """The rule in words."""
    activators = [source for source, sign in signs.items() if sign > 0]
    inhibitors = [source for source, sign in signs.items() if sign < 0]
    if not activators and not inhibitors:
        return bool(state[node])
    on = not activators or any(state[source] for source in activators)
    return on and not any(state[source] for source in inhibitors)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_both_boolean_formats_say_what_the_rule_says(data):
    names = ["A", "B", "C", "D"]
    row = st.tuples(
        st.sampled_from(names), st.sampled_from(names), st.integers(0, 1), st.integers(0, 1),
        st.integers(0, 1),
    )  # fmt: skip
    table = interactions(*data.draw(st.lists(row, min_size=1, max_size=10)))
    with tempfile.TemporaryDirectory() as folder:
        bnet, sbml = Path(folder) / "M.bnet", Path(folder) / "M.sbml"
        write_bnet(table, bnet)
        write_sbml_qual(table, sbml)
        from_bnet, from_sbml = bnet_rules(bnet), sbml_rules(sbml)
    into = signs_into(table)
    for values in itertools.product((0, 1), repeat=4):
        state = dict(zip(names, values, strict=True))
        for node in from_bnet:
            expected = brute_force(into.get(node, {}), node, state)
            assert from_bnet[node](state) == expected
            if node in from_sbml:
                assert from_sbml[node](state) == expected


def test_a_qualitative_model_keeps_names_and_unknown_signs(network, tmp_path):
    lost = write_sbml_qual(network[0], tmp_path / "M.sbml", network[1])
    assert lost[:2] == [
        "1 interactions without a direction are left out.",
        "2 interactions of unknown sign are left out, as nothing of known sign acts on their "
        "targets 'X', which became inputs.",
    ]
    root = ET.parse(tmp_path / "M.sbml").getroot()
    names = {
        s.get(f"{QUAL}id"): (s.get(f"{QUAL}name"), s.get(f"{QUAL}constant"))
        for s in root.iter(f"{QUAL}qualitativeSpecies")
    }
    assert names == {
        "L": ("LIG <1>", "true"), "R": ("R", "false"), "T": ("T", "false"),
        "X": ("both", "true"), "Z": ("alone", "true"),
    }  # fmt: skip
    table = interactions(("A", "B", 1, 1, 0), ("C", "B", 1, 0, 0), ("A", "B", 1, 1, 0))
    assert write_sbml_qual(table, tmp_path / "M.sbml") == []
    signs = [i.get(f"{QUAL}sign") for i in ET.parse(tmp_path / "M.sbml").iter(f"{QUAL}input")]
    assert signs == ["positive", "unknown"]


def test_libsbml_finds_no_fault(network, tmp_path):
    libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    write_sbml_qual(network[0], tmp_path / "M.sbml", network[1])
    document = libsbml.readSBMLFromFile(str(tmp_path / "M.sbml"))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.checkConsistency()
    faults = [document.getError(i) for i in range(document.getNumErrors())]
    assert [fault.getMessage() for fault in faults] == []
    assert document.getModel().getPlugin("qual").getNumTransitions() == 2


# ---- round trips of random networks

text = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))
# For the tab-separated tables, whose readers strip what is blank.
name = text.map(str.strip).filter(lambda value: value and not set(value) & set("\x85\u2028\u2029"))


@st.composite
def networks(draw):
    codes = draw(st.lists(name, min_size=1, max_size=6, unique=True))
    flag = st.integers(0, 1)
    row = st.tuples(
        st.sampled_from(codes), st.sampled_from(codes), flag, flag, flag,
        st.sampled_from(["", "KEGG", "SIGNOR;KEGG"]), st.sampled_from(["", "KEGG:12", "<&>"]),
    )  # fmt: skip
    rows = draw(st.lists(row, min_size=1, max_size=12))
    number = st.floats(allow_nan=True)
    numbers = draw(st.lists(number, min_size=len(rows), max_size=len(rows)))
    notes = draw(st.lists(text, min_size=len(rows), max_size=len(rows)))
    role = st.booleans()
    nodes = annotation(
        *[(code, draw(name | st.just("")), draw(role), draw(role)) for code in codes]
    )
    return interactions(*rows, score=np.array(numbers), note=pd.Series(notes, dtype=str)), nodes


def graph_tables(table, nodes):
    """What a graph can hold: merged, directed, every node with an interaction."""
    table = merge_interactions(table.assign(direction=np.int8(1)))
    used = nodes["code"].isin(table["source"]) | nodes["code"].isin(table["target"])
    nodes = nodes[used].reset_index(drop=True)
    symbol = nodes["name"].where(nodes["name"] != "", nodes["code"])
    return table, nodes.assign(name=symbol)


def check_round_trips(network):
    table, nodes = network
    plain = ["source", "target", *FLAGS]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "M"
        write_graphml(table, path, nodes)
        found = read_graphml(path)
        pd.testing.assert_frame_equal(found[0], table)
        pd.testing.assert_frame_equal(found[1], nodes)

        write_sif(table, path)
        pd.testing.assert_frame_equal(read_sif(path)[plain], table[plain])

        table, nodes = graph_tables(table, nodes)
        write_interactions(table.drop(columns=["score", "note"]), path)
        pd.testing.assert_frame_equal(
            read_interactions(path), table.drop(columns=["score", "note"])
        )
        write_annotation(nodes, path)
        pd.testing.assert_frame_equal(read_annotation(path), nodes)

    data = from_interactions(table, nodes)
    pd.testing.assert_frame_equal(to_interactions(data, table), table)
    pd.testing.assert_frame_equal(to_annotation(data), nodes)

    back = from_networkx(to_networkx(data, table))
    ordered = table.sort_values(["source", "target"]).reset_index(drop=True)
    again = back.interactions.sort_values(["source", "target"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(again[table.columns], ordered, check_dtype=False)
    pd.testing.assert_frame_equal(to_annotation(back.data), nodes)
    assert nx.utils.graphs_equal(to_networkx(back.data), to_networkx(data))


@pytest.mark.filterwarnings("ignore:The network has no:UserWarning")
@given(networks())
@settings(max_examples=50, deadline=None)
def test_random_networks_come_back(network):
    check_round_trips(network)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The network has no:UserWarning")
@given(networks())
@settings(max_examples=1000, deadline=None)
def test_a_thousand_random_networks_come_back(network):
    check_round_trips(network)


@pytest.mark.parametrize("name", ["ligandScreen", "macrophage", "KEGGnet"])
def test_published_networks_come_back(shared_data, tmp_path, name):
    folder = shared_data / "lembas" / "networks"
    table = read_interactions(folder / f"{name}-Model.tsv")
    nodes = read_annotation(folder / f"{name}-Annotation.tsv")
    write_graphml(table, tmp_path / "M.graphml", nodes)
    found = read_graphml(tmp_path / "M.graphml")
    pd.testing.assert_frame_equal(found[0], table)
    pd.testing.assert_frame_equal(found[1], nodes)
    data = from_interactions(table, nodes)
    pd.testing.assert_frame_equal(to_interactions(data, table), table)
    assert len(nx.read_graphml(tmp_path / "M.graphml")) == len(nodes)
    write_bnet(table, tmp_path / "M.bnet", nodes)
    assert len((tmp_path / "M.bnet").read_text().splitlines()) == len(nodes) + 1


@pytest.mark.parametrize("separator", ["\u2028", "\x0b", "\x0c", "\x85"])
def test_what_looks_like_a_line_end_to_python_is_none_in_sif(tmp_path, separator):
    table = pd.DataFrame({"source": [f"A{separator}x"], "target": ["B"]})
    table = table.assign(direction=1, stimulation=1, inhibition=0)
    write_sif(table, tmp_path / "n.sif")
    assert read_sif(tmp_path / "n.sif")["source"].tolist() == [f"A{separator}x"]


def test_a_name_that_ends_in_gz_means_compressed(tmp_path):
    table = pd.DataFrame({"source": ["A"], "target": ["B"]})
    table = table.assign(direction=1, stimulation=1, inhibition=0)
    write_sif(table, tmp_path / "n.sif.gz")
    assert read_sif(tmp_path / "n.sif.gz")["source"].tolist() == ["A"]
    assert (tmp_path / "n.sif.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_ids_in_sbml_are_unique_whatever_nodes_are_called(tmp_path):
    table = pd.DataFrame({"source": ["cell", "tr_B", "in_B_0"], "target": ["B", "cell", "network"]})
    table = table.assign(direction=1, stimulation=1, inhibition=0)
    write_sbml_qual(table, tmp_path / "n.sbml")
    ids = re.findall(r'\bid="(.*?)"', (tmp_path / "n.sbml").read_text())
    assert len(ids) == len(set(ids)) == 6
