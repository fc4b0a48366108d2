"""`convert` and `curate`, on tables of a few lines and on the published ones where at hand."""

import contextlib
import io
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.cli import main
from lembas_pyg.io import interaction_sign, read_annotation, read_interactions, read_tsv

TOY = Path(lp.datasets.__file__).parent / "toy"
NETWORK = ["--network", TOY / "toy-Model.tsv", "--annotation", TOY / "toy-Annotation.tsv"]

OMNIPATH = (
    "source\ttarget\tconsensus_direction\tconsensus_stimulation\tconsensus_inhibition\tsources"
    "\treferences\tsource_genesymbol\ttarget_genesymbol\n"
    "P00002\tP00003\tTrue\tTrue\tFalse\tSIGNOR;KEGG\tSIGNOR:1\tREC\tKIN\n"
    "P00003\tP00004\tTrue\tFalse\tTrue\tKEGG-MEDICUS\tKEGG-MEDICUS:2\tKIN\tTFA\n"
    "P00004\tP00002\tFalse\tFalse\tFalse\tHPRD\t\tTFA\tREC\n"
)
SIGNOR = (
    "ENTITYA;TYPEA;IDA;DATABASEA;ENTITYB;TYPEB;IDB;DATABASEB;EFFECT;MECHANISM;TAX_ID;PMID;DIRECT\n"
    "REC;protein;P00002;UNIPROT;KIN;protein;P00003;UNIPROT;up-regulates;binding;9606;5;YES\n"
    "KIN;protein;P00003;UNIPROT;TFA;protein;P00004;UNIPROT;down-regulates;;9606;6;YES\n"
)
KGML = """<pathway name="path:xyz00001" org="xyz" title="Made for this test">
<entry id="1" name="xyz:2" type="gene"><graphics name="REC, R2"/></entry>
<entry id="2" name="xyz:3 xyz:9" type="gene"/>
<relation entry1="1" entry2="2" type="PPrel"><subtype name="activation" value="--&gt;"/></relation>
</pathway>
"""
PLAIN = "source\ttarget\tdirection\tstimulation\tinhibition\tsources\treferences\n"
LIGAND_RECEPTOR = (
    PLAIN + "P00001\tP00002\t1\t1\t0\tHPMR\t\nP00008\tP00002\t1\t1\t0\tBaccin2019\tx:3\n"
)
UNIPROT = (
    "Entry\tGene Names (primary)\tKEGG\nP00001\tLIG\t\nP00002\tRECEPTOR\txyz:2;\n"
    "P00003\tKIN\txyz:3;\nP00004\tTFA\txyz:4;\nP00008\tLIH\t\n"
)
REGULON = "source\ttarget\tstimulation\tinhibition\tconfidence\nP00004\tP00009\t1\t0\tA\n"
FILES = {
    "omnipath.tsv": OMNIPATH,
    "signor.csv": SIGNOR,
    "xyz00001.xml": KGML,
    "RL.tsv": LIGAND_RECEPTOR,
    "U.tab": UNIPROT,
    "regulon.tsv": REGULON,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*argv):
    """Errors of a command that succeeds and prints nothing."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in argv])
    assert code == 0, err.getvalue()
    assert out.getvalue() == ""
    return err.getvalue()


def signs(path):
    table = read_interactions(path)
    pairs = zip(table["source"].str[-1], table["target"].str[-1], strict=True)
    return dict(zip(map("".join, pairs), interaction_sign(table).tolist(), strict=True))


@pytest.mark.parametrize(
    ("format", "file", "expected"),
    [
        ("omnipath", "omnipath.tsv", {"23": 1, "34": -1, "42": 0, "24": 0}),
        ("signor", "signor.csv", {"23": 1, "34": -1}),
        ("kgml", "xyz00001.xml", {"23": 1, "29": 1}),
        ("table", "RL.tsv", {"12": 1, "82": 1}),
        ("TABLE", "RL.tsv", {"12": 1, "82": 1}),
    ],
)
def test_every_format_becomes_a_network(folder, format, file, expected):
    err = run("convert", "--format", format, file, "--out", "M.tsv")
    assert signs("M.tsv") == expected
    assert f"M.tsv: {len(expected)} interactions of" in err


def test_gene_ids_of_kegg_become_accessions(folder):
    run("convert", "--format", "kgml", "xyz00001.xml", "--uniprot", "U.tab", "--out", "M.tsv",
        "--annotation-out", "A.tsv", "--report", "R.tsv")  # fmt: skip
    table = read_interactions("M.tsv")
    assert table[["source", "target"]].to_numpy().tolist() == [["P00002", "P00003"]]
    assert read_annotation("A.tsv")["name"].tolist() == ["RECEPTOR", "KIN"]
    report = read_tsv("R.tsv").query("item == 'node'")
    assert report["source"].tolist() == ["xyz:9"]


def test_several_files_are_merged(folder):
    (folder / "more.tsv").write_text(PLAIN + "P00001\tP00002\t1\t0\t1\tSIGNOR\tSIGNOR:9\n")
    run("convert", "--format", "table", "RL.tsv", "more.tsv", "--out", "M.tsv")
    assert signs("M.tsv") == {"12": 0, "82": 1}
    assert read_interactions("M.tsv")["sources"][0] == "HPMR;SIGNOR"


def test_resources_are_compared_whole_and_references_asked_for(folder):
    base = ["convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv", "--overwrite"]
    run(*base, "--resources", "KEGG")
    assert signs("M.tsv") == {"23": 1}
    run(*base, "--resources", "KEGG-MEDICUS, HPRD")
    assert signs("M.tsv") == {"34": -1, "42": 0, "24": 0}
    run(*base, "--referenced")
    assert signs("M.tsv") == {"23": 1, "34": -1}


def test_a_network_is_annotated_from_ligand_receptor_and_regulon(folder):
    err = run(
        *("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv"),
        *("--ligand-receptor", "RL.tsv", "--ligands", "P00001", "--regulon", "regulon.tsv"),
        *("--uniprot", "U.tab", "--annotation-out", "A.tsv", "--report", "R.tsv"),
    )
    assert signs("M.tsv") == {"12": 1, "23": 1, "34": -1, "42": 0, "24": 0}
    nodes = read_annotation("A.tsv").set_index("code")
    assert nodes["name"].to_dict() == {
        "P00001": "LIG", "P00002": "RECEPTOR", "P00003": "KIN", "P00004": "TFA"
    }  # fmt: skip
    assert nodes.index[nodes["ligand"]].tolist() == ["P00001"]
    assert nodes.index[nodes["TF"]].tolist() == ["P00004"]
    report = read_tsv("R.tsv")
    assert report[["rule", "action", "source"]].to_numpy().tolist() == [
        ["both directions", "added", "P00002"],
        ["restrict to ligands", "removed", "P00008"],
        ["ligand-receptor", "added", "P00001"],
    ]
    assert "both directions: 1 added; restrict to ligands: 1 removed" in err


def test_all_ligands_of_the_table_are_ligands_by_default(folder):
    run("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv", "--ligand-receptor",
        "RL.tsv", "--ligand-receptor-resources", "HPMR", "--annotation-out", "A.tsv")  # fmt: skip
    nodes = read_annotation("A.tsv").set_index("code")
    assert nodes.index[nodes["ligand"]].tolist() == ["P00001"]
    assert nodes.loc["P00002", "name"] == "REC"
    assert nodes.loc["P00001", "name"] == "P00001"


def test_ligands_can_be_marked_without_a_table_of_receptors(folder):
    run("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv", "--ligands", "P00002",
        "--annotation-out", "A.tsv")  # fmt: skip
    nodes = read_annotation("A.tsv")
    assert nodes["code"][nodes["ligand"]].tolist() == ["P00002"]


def refused(*argv):
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        assert main([str(word) for word in argv]) != 0
    return err.getvalue()


@pytest.mark.parametrize("receptors", [[], ["--ligand-receptor", "RL.tsv"]])
def test_a_ligand_that_nothing_names_is_an_error(folder, receptors):
    err = refused("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv",
                  "--annotation-out", "A.tsv", "--ligands", "P00001,ZZ", *receptors)  # fmt: skip
    assert "'ZZ'" in err
    assert not (folder / "M.tsv").exists()


def test_tfs_are_named_or_come_from_a_regulon(folder):
    base = ("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv", "--overwrite",
            "--ligands", "P00002")  # fmt: skip
    run(*base, "--annotation-out", "A.tsv", "--tfs", "P00003")
    nodes = read_annotation("A.tsv")
    assert nodes["code"][nodes["TF"]].tolist() == ["P00003"]
    err = run(*base, "--annotation-out", "A.tsv")
    assert "no transcription factor; name them with --tfs, or give --regulon" in err
    assert "`--tfs` has 'ZZ'" in refused(*base, "--annotation-out", "A.tsv", "--tfs", "ZZ")
    assert "no effect by itself" in refused(*base, "--tfs", "P00003")
    (folder / "regulon.tsv").write_text("source\ttarget\tweight\nRELA\tTNF\t1\n")
    err = refused(*base, "--annotation-out", "A.tsv", "--regulon", "regulon.tsv")
    assert "none of its 1 sources, such as ['RELA'], is in the network" in err


def test_a_ligand_without_trusted_interactions_is_an_error(folder):
    err = refused("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv",
                  "--ligand-receptor", "RL.tsv", "--ligands", "P00001,P00008",
                  "--ligand-receptor-resources", "HPMR")  # fmt: skip
    assert "`--ligands` has 'P00008', which no interaction that is left names (1 of 2" in err


def test_an_unknown_resource_is_told_with_its_option_and_close_names(folder):
    (folder / "one.tsv").write_text(PLAIN + "P00001\tP00002\t1\t0\t1\tKEGG-MEDICUS\t\n")
    base = ["convert", "--format", "table", "one.tsv", "--out", "M.tsv"]
    err = refused(*base, "--resources", "KEGG")
    assert "`--resources` has 'KEGG'" in err
    assert "Close to 'KEGG': KEGG-MEDICUS." in err
    err = refused(*base, "--ligand-receptor", "RL.tsv", "--ligand-receptor-resources", "hpmr")
    assert "`--ligand-receptor-resources` has 'hpmr'" in err


def test_what_readers_skip_is_reported(folder):
    (folder / "signor.csv").write_text(
        SIGNOR + "A;protein;P00005;UNIPROT;B;protein;P00006;UNIPROT;form complex;;9606;6;YES\n" * 2
    )
    err = run("convert", "--format", "signor", "signor.csv", "--out", "M.tsv", "--report", "R.tsv")
    report = read_tsv("R.tsv")
    assert report[["rule", "action", "item", "source"]].to_numpy().tolist() == [
        ["read", "removed", "interaction", ""]
    ]
    assert report["detail"].iloc[0].startswith("2 of signor.csv: ")
    assert "2 interactions of 2 rows. read: 2 skipped" in err


def test_merged_rows_of_a_network_are_reported_when_it_is_curated(folder):
    text = (TOY / "toy-Model.tsv").read_text()
    (folder / "twice.tsv").write_text(text + text.splitlines()[1] + "\n")
    err = run("curate", "--network", "twice.tsv", *NETWORK[2:], "--remove-dead-ends",
              "--out", "M2.tsv", "--report", "R.tsv")  # fmt: skip
    report = read_tsv("R.tsv")
    assert report[["rule", "action", "detail"]].to_numpy().tolist() == [
        ["merge", "changed", "2 rows merged"]
    ]
    toy = read_interactions(TOY / "toy-Model.tsv")
    assert f"M2.tsv: {len(toy)} interactions of {len(toy) + 1} rows. merge: 1 changed" in err


def test_curation_is_applied_and_reported(folder):
    (folder / "cur").mkdir()
    (folder / "cur/add.tsv").write_text(PLAIN + "P00007\tP00002\t1\t1\t0\tMine\tMine:1\n")
    (folder / "cur/remove.tsv").write_text("source\ttarget\tmotivation\nP00004\tP00002\tno\n")
    run("convert", "--format", "omnipath", "omnipath.tsv", "--out", "M.tsv", "--curation", "cur",
        "--report", "R.tsv")  # fmt: skip
    assert signs("M.tsv") == {"23": 1, "34": -1, "72": 1}
    assert read_tsv("R.tsv")["rule"].tolist() == ["curation: add", "curation: remove"]


DECOYS = (
    "R1\tX1\t1\t1\t0\t\t\nX1\tX2\t1\t1\t0\t\t\n"  # no way to a TF
    "Y1\tS1\t1\t1\t0\t\t\n"  # no way from a ligand
    "S1\tZ1\t1\t1\t0\t\t\nZ1\tS1\t1\t0\t1\t\t\n"  # there and back
    "S2\tL1\t1\t1\t0\t\t\n"  # feedback on a ligand
)
ALL = ["--remove-dead-ends", "--remove-redundant", "--remove-ligand-feedback"]


@pytest.fixture
def decoys(folder):
    """The toy network with what is to be removed, and a node without interactions."""
    text = (TOY / "toy-Model.tsv").read_text()
    columns = text.splitlines()[0].split("\t")
    rows = pd.DataFrame([line.split("\t") for line in DECOYS.splitlines()], columns=columns[:7])
    table = pd.concat([read_tsv(TOY / "toy-Model.tsv"), rows]).fillna("")
    table.to_csv("D.tsv", sep="\t", index=False)
    extra = "".join(f"{code}\t{code}\tFalse\tFalse\n" for code in ("X1", "X2", "Y1", "Z1", "Q"))
    Path("DA.tsv").write_text((TOY / "toy-Annotation.tsv").read_text() + extra)
    return ["--network", "D.tsv", "--annotation", "DA.tsv"]


def test_a_network_is_pruned_and_its_annotation_along(decoys):
    err = run("curate", *decoys, *ALL, "--out", "M2.tsv", "--annotation-out", "A2.tsv",
              "--report", "R.tsv")  # fmt: skip
    toy = read_interactions(TOY / "toy-Model.tsv")
    pd.testing.assert_frame_equal(read_interactions("M2.tsv")[toy.columns], toy)
    pd.testing.assert_frame_equal(
        read_annotation("A2.tsv"), read_annotation(TOY / "toy-Annotation.tsv")
    )
    report = read_tsv("R.tsv")
    assert (report["action"] == "removed").all()
    nodes = report[report["item"] == "node"]
    assert dict(zip(nodes["source"], nodes["rule"], strict=True)) == {
        "Q": "from interactions", "X1": "RemoveDeadEnds", "X2": "RemoveDeadEnds",
        "Y1": "RemoveDeadEnds", "Z1": "RemoveRedundantNodes",
    }  # fmt: skip
    edges = report[report["item"] == "interaction"]
    found = dict(zip(edges["source"] + edges["target"], edges["rule"], strict=True))
    assert found == {
        "S2L1": "RemoveLigandFeedback", "R1X1": "RemoveDeadEnds", "X1X2": "RemoveDeadEnds",
        "Y1S1": "RemoveDeadEnds", "S1Z1": "RemoveRedundantNodes", "Z1S1": "RemoveRedundantNodes",
    }  # fmt: skip
    assert (report["detail"] != "").all()
    assert "M2.tsv: 8 interactions of 14 rows" in err


@pytest.mark.parametrize(
    ("option", "gone"),
    [
        ("--remove-dead-ends", {"R1X1", "X1X2", "Y1S1"}),
        ("--remove-redundant", {"S1Z1", "Z1S1"}),
        ("--remove-ligand-feedback", {"S2L1"}),
    ],
)
def test_every_option_removes_its_own(decoys, option, gone):
    run("curate", *decoys, option, "--out", "M2.tsv")
    before, after = (
        set(table["source"] + table["target"])
        for table in map(read_interactions, ("D.tsv", "M2.tsv"))
    )
    assert before - after == gone


def test_curating_a_curated_network_changes_nothing(folder):
    run("curate", *NETWORK, *ALL, "--out", "M2.tsv", "--report", "R.tsv")
    table = read_interactions(TOY / "toy-Model.tsv")
    pd.testing.assert_frame_equal(read_interactions("M2.tsv"), table)
    assert read_tsv("R.tsv").empty


@pytest.mark.parametrize("name", ["KEGGnet", "macrophage", "ligandScreen"])
def test_published_networks_have_no_dead_ends(shared_data, folder, name):
    network = shared_data / "lembas" / "networks"
    model, annotation = network / f"{name}-Model.tsv", network / f"{name}-Annotation.tsv"
    run("curate", "--network", model, "--annotation", annotation, "--remove-dead-ends",
        "--out", "M2.tsv", "--annotation-out", "A2.tsv")  # fmt: skip
    pd.testing.assert_frame_equal(read_interactions("M2.tsv"), read_interactions(model))
    pd.testing.assert_frame_equal(read_annotation("A2.tsv"), read_annotation(annotation))


def test_the_paper_in_two_commands(shared_data, folder):
    data, built = shared_data / "lembas", shared_data / "lembas" / "construction"
    nodes = read_annotation(data / "networks" / "ligandScreen-Annotation.tsv")
    ligands = ",".join(nodes["code"][nodes["ligand"]])
    run(
        *("convert", "--format", "omnipath"),
        shared_data / "omnipath" / "omnipath_interactions_2020-21.tsv.gz",
        *("--resources", "KEGG-MEDICUS,SIGNOR,HuGeSiM", "--referenced"),
        *("--curation", built / "curation" / "PKN"),
        *("--uniprot", built / "uniprot-human-reviewed.tab"),
        *("--ligand-receptor", built / "RL.tsv", "--ligands", ligands),
        *("--regulon", built / "regulon.tsv"),
        *("--out", "M.tsv", "--annotation-out", "A.tsv", "--report", "R.tsv"),
    )
    run("curate", "--network", "M.tsv", "--annotation", "A.tsv", "--remove-ligand-feedback",
        "--remove-dead-ends", "--out", "M2.tsv")  # fmt: skip
    found = read_interactions("M2.tsv")
    published = read_interactions(data / "networks" / "ligandScreen-Model.tsv")
    both = found.merge(published, on=["source", "target"], suffixes=("", "_published"))
    assert len(both) > 0.78 * len(published)
    agree = (both["stimulation"] - both["inhibition"]) == (
        both["stimulation_published"] - both["inhibition_published"]
    )
    assert agree.mean() > 0.99
    report = read_tsv("R.tsv")
    assert (report["rule"] == "curation: remove").sum() == 12
    assert (report["rule"] == "curation: edit").sum() == 7
    assert not report["action"].eq("unmatched").any()


HOW_TO = Path(__file__).resolve().parents[1] / "docs" / "howto" / "networks-from-databases.md"
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "databases"


def test_the_commands_of_the_how_to_run_as_they_are(tmp_path, monkeypatch, capsys):
    tables = shutil.copytree(EXAMPLE, tmp_path / "tables")
    monkeypatch.chdir(tables)
    text = HOW_TO.read_text(encoding="utf-8")
    # The one in bash runs the script that is included; `test_examples.py` does.
    assert set(re.findall(r"^```(\S+)", text, re.MULTILINE)) == {"bash", "sh", "{literalinclude}"}
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    commands = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    assert len(commands) == 8
    for command in commands:
        program, *words = command.split()
        assert program == "lembas-pyg"
        assert main(words) == 0, command
    curated, merged = read_interactions("M2.tsv"), read_interactions("all.tsv")
    # Only SIGNOR and SPIKE: TRAF2 leads nowhere, no ligand reaches PPP2CA, IL1R1 has no target.
    assert len(curated) == 9
    assert not {"Q12933", "P67775", "P14778"} & {*curated["source"], *curated["target"]}
    assert {"SIGNOR", "KEGG", "SIGNOR;KEGG"} <= set(merged["sources"])
    roles = read_annotation("A-all.tsv")
    assert roles["TF"].any() and roles["ligand"].any()
    permissive = read_interactions("permissive.tsv")
    assert not permissive["sources"].isin(["HPRD", "HPMR"]).any()
    assert "nodes\t" in capsys.readouterr().out
