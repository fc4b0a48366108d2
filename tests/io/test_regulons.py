import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import read_regulon, regulon_by_symbol, to_regulon

PAPER = """\
source\ttarget\tdirection\tstimulation\tinhibition\tconfidence\tsources\treferences
T1\tG1\t1\t1\t0\tA\tDoRothEA;SIGNOR\tSIGNOR:1
T1\tG2\t1\t0\t1\tB\tDoRothEA\t
T1\tG3\t0\t0\t0\tB\tDoRothEA\t
T2\tG1\t1\t1\t1\tA\tDoRothEA\t
T2\tG2\t1\t1\t0\tD\tDoRothEA\t
"""
DOROTHEA = """\
"","tf","confidence","target","mor"
"1","T1","A","G1",1
"2","T1","B","G2",-1
"3","T2","E","G2",0.25
"""
COLLECTRI = """\
source,target,weight,resources,references,sign_decision
T1,G1,1.0,ExTRI;HTRI,101;102,PMID
T1,G2,-1,SIGNOR,,PMID
"""
OMNIPATH = """\
source\ttarget\tsource_genesymbol\ttarget_genesymbol\tis_directed\tis_stimulation\tis_inhibition\t\
consensus_direction\tconsensus_stimulation\tconsensus_inhibition\tsources\treferences\tdorothea_level
T1\tG1\tt1\tg1\t1\t1\t1\t1\t1\t0\tDoRothEA\tx:1\tA;D
T1\tG2\tt1\tg2\t1\t0\t1\t1\t0\t1\tDoRothEA\t\tC
T1\tG3\tt1\tg3\t1\t0\t0\t1\t0\t0\tCollecTRI\t\t
"""


@pytest.fixture
def read(tmp_path):
    def _read(text, **options):
        path = tmp_path / "regulon.tsv"
        path.write_text(text)
        return read_regulon(path, **options)

    return _read


def weights(regulon):
    pairs = regulon["source"] + regulon["target"]
    return dict(zip(pairs, regulon["weight"], strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PAPER, {"T1G1": 1, "T1G2": -1, "T1G3": 1, "T2G2": 1}),
        (DOROTHEA, {"T1G1": 1, "T1G2": -1, "T2G2": 0.25}),
        (COLLECTRI, {"T1G1": 1, "T1G2": -1}),
        (OMNIPATH, {"T1G1": 1, "T1G2": -1, "T1G3": 1}),
    ],
    ids=["paper", "dorothea", "collectri", "omnipath"],
)
def test_layouts_give_weights(read, text, expected):
    regulon = read(text)
    assert weights(regulon) == expected
    assert regulon.columns.tolist()[:2] == ["source", "target"]
    assert {"weight", "confidence", "sources", "references"} <= set(regulon)
    assert regulon["weight"].dtype == np.float64


def test_evidence_and_symbols_are_kept(read):
    assert read(COLLECTRI)["sources"].tolist() == ["ExTRI;HTRI", "SIGNOR"]
    assert read(COLLECTRI)["references"].tolist() == ["101;102", ""]
    assert read(COLLECTRI)["confidence"].tolist() == ["", ""]
    assert read(OMNIPATH)["target_name"].tolist() == ["g1", "g2", "g3"]


def test_both_signs_are_left_out_and_counted(read):
    assert read(PAPER).attrs["provenance"]["skipped"] == {
        "of another level": 0,
        "both activated and inhibited": 1,
        "repeated": 0,
    }


def test_an_unknown_direction_has_the_weight_asked_for(read):
    assert weights(read(PAPER, unknown=0.0))["T1G3"] == 0
    assert read(PAPER).attrs["provenance"]["in an unknown direction"] == 1


@pytest.mark.parametrize(
    ("text", "levels", "pairs"),
    [
        (PAPER, ["A", "B"], ["T1G1", "T1G2", "T1G3"]),
        (PAPER, ["D"], ["T2G2"]),
        (DOROTHEA, "AB", ["T1G1", "T1G2"]),
        (OMNIPATH, ["A"], ["T1G1"]),
        (OMNIPATH, ["C", "D"], ["T1G1", "T1G2"]),
    ],
)
def test_levels_select(read, text, levels, pairs):
    regulon = read(text, levels=levels)
    assert list(weights(regulon)) == pairs


def test_repeated_targets_are_merged_and_contradictions_left_out():
    table = pd.DataFrame(
        {
            "source": ["T1", "T1", "T1", "T1", "T2"],
            "target": ["G1", "G1", "G2", "G2", "G2"],
            "stimulation": [1, 1, 1, 0, 1],
            "inhibition": [0, 0, 0, 1, 0],
        }
    )
    regulon = to_regulon(table)
    assert weights(regulon) == {"T1G1": 1, "T2G2": 1}
    skipped = regulon.attrs["provenance"]["skipped"]
    assert skipped["repeated"] == 1
    assert skipped["both activated and inhibited"] == 2


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        (COLLECTRI.replace("-1", "-2"), {}, r"regulon\.tsv, line 3, column 'weight': -2\.0 is no"),
        (COLLECTRI.replace("-1", "up"), {}, r"regulon\.tsv, line 3, column 'weight': 'up'"),
        (COLLECTRI.replace("weight", "w"), {}, r"none of \['weight', 'mor'\]"),
        (COLLECTRI.replace("source,", "factor,"), {}, r"no column 'source' \(or \['source', 'tf'"),
        (COLLECTRI.replace("T1,G2", "T1,"), {}, "line 3: the column 'target' is blank"),
        (COLLECTRI, {"levels": ["A"]}, "no levels of confidence. Ask for none"),
        (PAPER.replace("\tD\t", "\tF\t"), {}, "line 6: 'F' is no level"),
        (PAPER.replace("1\t1\t0\tA", "1\t2\t0\tA"), {}, "line 2, column 'stimulation': '2'"),
        (PAPER, {"levels": ["Z"]}, r"`levels` is \['Z'\]. Give some of A, B"),
        (PAPER, {"levels": []}, "`levels` is"),
        (PAPER, {"levels": ["E"]}, "no target of the level E. Its levels are A"),
        (PAPER, {"unknown": 3.0}, "`unknown` is 3.0"),
    ],
)
def test_errors_are_located(read, text, options, match):
    with pytest.raises(ValueError, match=match):
        read(text, **options)


def test_the_regulon_of_the_paper(shared_data):
    path = shared_data / "lembas" / "construction" / "regulon.tsv"
    regulon = read_regulon(path, levels=["A", "B"])
    assert len(regulon) == 14_701
    assert regulon["source"].nunique() == 357
    assert (regulon["weight"] == -1).sum() == 632
    assert regulon.attrs["provenance"]["in an unknown direction"] == 11_725
    assert len(read_regulon(path, levels=["A"])) == 6_185


def test_the_layouts_of_decoupler_give_weights(read):
    dorothea = "source,confidence,target,weight\nT1,A,G1,1.0\nT1,C,G2,-0.33\n"
    assert weights(read(dorothea)) == {"T1G1": 1, "T1G2": -0.33}
    collectri = "source\ttarget\tweight\tTF.category\tresources\tPMID\tsign.decision\n"
    collectri += "T1\tG1\t1\tdbTF\tCytReg;SIGNOR\t101;102\tPMID\n"
    table = read(collectri)
    assert weights(table) == {"T1G1": 1} and table["references"][0] == "101;102"


def test_codes_become_symbols(read, caplog):
    regulon = read(PAPER.replace("T1", "P1").replace("T2", "P2"))
    named = regulon_by_symbol(regulon, {"P1": "RELA", "G1": "TNF", "G2": "IL6", "G3": ""})
    assert weights(named) == {"RELATNF": 1, "RELAIL6": -1, "RELAG3": 1, "P2IL6": 1}
    assert named.attrs["provenance"]["without symbol"] == 2
    assert "2 of 5 codes of the regulon have no symbol and keep their name, such as G3, P2" in (
        caplog.text
    )
    assert weights(regulon)["P1G1"] == 1  # left as it was


def test_symbols_of_the_regulon_itself_come_first(read):
    named = regulon_by_symbol(read(OMNIPATH), {"T1": "other"})
    assert set(weights(named)) == {"t1g1", "t1g2", "t1g3"}


def test_codes_of_one_symbol_are_merged_and_contradictions_left_out():
    table = pd.DataFrame(
        {"source": ["P1", "P11", "P1", "P11"], "target": ["G1", "G1", "G2", "G2"]}
    ).assign(weight=[1.0, 1.0, 1.0, -1.0])
    named = regulon_by_symbol(table, {"P1": "RELA", "P11": "RELA"})
    assert weights(named) == {"RELAG1": 1}
    assert named.attrs["provenance"]["skipped"]["both activated and inhibited"] == 2


def test_a_regulon_without_any_symbol_is_refused(read):
    with pytest.raises(ValueError, match=r"None of the 3 codes .* such as 'T1'"):
        regulon_by_symbol(read(COLLECTRI), {"P1": "RELA"})
