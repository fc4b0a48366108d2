"""The published networks, rebuilt from databases by the recipe of the paper."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch_geometric.transforms import Compose

from lembas_pyg import io
from lembas_pyg.network import from_interactions, to_annotation, to_interactions
from lembas_pyg.transforms import RemoveDeadEnds, RemoveRedundantNodes

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "build_network.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("build_network", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def construction(shared_data):
    return shared_data / "lembas" / "construction"


@pytest.fixture(scope="module")
def published(shared_data):
    return io.read_interactions(shared_data / "lembas" / "networks" / "ligandScreen-Model.tsv")


@pytest.fixture(scope="module")
def omnipath(shared_data):
    return io.read_omnipath(shared_data / "omnipath" / "omnipath_interactions_2020-21.tsv.gz")


@pytest.fixture(scope="module")
def build(example, shared_data, construction, omnipath):
    gene_names = io.read_gene_names(construction / "uniprot-human-reviewed.tab")
    experiment = shared_data / "lembas" / "tf_activity"

    def _build(*resources):
        return example.ligand_screen_network(
            omnipath,
            io.read_interactions(construction / "RL.tsv"),
            io.read_curation(construction / "curation" / "PKN"),
            gene_names,
            ligands=io.read_gene_list(experiment / "ligandScreen-ligandMap.tsv"),
            tfs=io.read_gene_list(experiment / "ligandScreen-tfList.tsv", gene_names),
            resources=resources,
        )

    return _build


def pairs(table):
    return pd.MultiIndex.from_frame(table[["source", "target"]])


def test_the_ligand_screen_network_is_rebuilt_from_what_the_snapshot_has(
    example, build, published, omnipath
):
    network, found, report = build("SIGNOR", "HuGeSiM")
    scores = example.agreement(found, published)
    assert scores["precision"] >= 0.998
    assert scores["recall"] >= 0.78
    assert scores["same sign"] == 1
    published_nodes = set(published["source"]) | set(published["target"])
    assert set(network.node_name) - published_nodes == {"P0DP24"}  # one of the three calmodulins
    assert network.ligand_mask.sum() == 59
    assert network.tf_mask.sum() == 70
    curation = report[report["rule"].str.startswith("curation")]
    assert (curation["action"] != "unmatched").all()


def test_what_is_missing_is_not_in_the_snapshot_or_cut_off_for_that(
    build, published, omnipath, construction
):
    missing = published[~pairs(published).isin(pairs(build("SIGNOR", "HuGeSiM")[1]))]
    curation = io.read_curation(construction / "curation" / "PKN")
    known = io.apply_curation(io.select_referenced(omnipath).interactions, curation).interactions
    known = io.merge_interactions(io.both_directions(known).interactions)
    stated = io.select_resources(known, ["SIGNOR", "HuGeSiM"]).interactions
    binding = pairs(missing).isin(pairs(io.read_interactions(construction / "RL.tsv")))
    is_known, is_stated = (pairs(missing).isin(pairs(table)) for table in (known, stated))
    trusted = missing["sources"].str.split(";").map({"SIGNOR", "HuGeSiM"}.isdisjoint) == 0
    assert len(missing) == 1418
    assert (~binding & ~is_known).sum() == 278  # the snapshot does not have them
    assert (~binding & is_known & ~is_stated).sum() == 773  # it has them without KEGG
    assert (~binding & is_known & ~is_stated & trusted).sum() == 1
    assert (~binding & is_stated).sum() == 337  # dead ends without those above
    assert binding.sum() == 30  # likewise


def test_kegg_medicus_is_not_kegg(example, build, published):
    """The published network trusts KEGG; the snapshot knows the other resource only."""
    _, found, _ = build("KEGG-MEDICUS", "SIGNOR", "HuGeSiM")
    scores = example.agreement(found, published)
    assert scores["precision"] >= 0.98
    assert scores["recall"] >= 0.799
    assert scores["same sign"] == 1
    sources = published["sources"].str.split(";")
    trusted = {"KEGG", "SIGNOR", "HuGeSiM"}
    medicus_only = sources.map(lambda names: "KEGG-MEDICUS" in names and not trusted & set(names))
    assert medicus_only.sum() == 2  # both from the ligand-receptor table


def test_the_resource_the_snapshot_lacks_is_named(build):
    with pytest.warns(UserWarning, match=r"'KEGG' \(close to it: KEGG-MEDICUS\)"):
        _, found, report = build("KEGG", "SIGNOR", "HuGeSiM")
    assert len(found) == len(build("SIGNOR", "HuGeSiM")[1])
    assert (report["action"] == "unmatched").sum() == 1


def test_every_interaction_of_the_snapshot_is_kept_or_reported(build, omnipath):
    _, found, report = build("SIGNOR", "HuGeSiM")
    gone = pairs(report[(report["item"] == "interaction") & (report["action"] != "kept")])
    assert pairs(omnipath).isin(gone.union(pairs(found))).all()


def test_the_kegg_network_is_rebuilt_from_the_edges_of_the_other_two(
    example, shared_data, construction
):
    networks = shared_data / "lembas" / "networks"
    both = pd.concat(
        [io.read_interactions(networks / f"{n}-Model.tsv") for n in ("macrophage", "ligandScreen")]
    )
    ligand_receptor = io.read_interactions(construction / "RL.tsv")
    signaling = io.select_resources(io.merge_interactions(both), ["KEGG"]).interactions
    signaling = io.exclude_interactions(signaling, ligand_receptor).interactions
    binding = io.select_resources(ligand_receptor, ["KEGG"]).interactions
    proteins = pd.unique(signaling[["source", "target"]].to_numpy().ravel())
    binding = io.restrict_to(binding, proteins, ends=["target"]).interactions
    table = pd.concat([binding, signaling], ignore_index=True)
    table = table[io.interaction_sign(table) != 0].reset_index(drop=True)
    annotation = io.make_annotation(
        table,
        ligands=binding["source"],
        tfs=io.read_regulon(construction / "regulon.tsv", levels=["A", "B"])["source"],
    )
    network = Compose([RemoveDeadEnds(), RemoveRedundantNodes()])(
        from_interactions(table, annotation)
    )
    found = to_interactions(network, table)
    published = io.read_interactions(networks / "KEGGnet-Model.tsv")
    scores = example.agreement(found, published)
    assert round(scores["recall"] * len(published)) >= 783
    assert scores["precision"] >= 0.989
    assert scores["same sign"] == 1


def test_the_whole_of_omnipath_is_read_and_pruned_in_seconds(shared_data, construction, example):
    """Took 1.2 s on one core, of which reading 0.5 s."""
    gene_names = io.read_gene_names(construction / "uniprot-human-reviewed.tab")
    start = time.perf_counter()
    omnipath = io.read_omnipath(shared_data / "omnipath" / "omnipath_interactions_2020-21.tsv.gz")
    network, interactions, _ = example.ligand_screen_network(
        omnipath,
        io.read_interactions(construction / "RL.tsv"),
        io.read_curation(construction / "curation" / "PKN"),
        gene_names,
        ligands=["P01375", "P01579"],
        tfs=["Q04206", "P42224"],
        resources=["SIGNOR", "HuGeSiM"],
    )
    assert len(interactions) == network.num_edges > 1000
    assert time.perf_counter() - start < 15  # 5 s on an idle machine


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Left out of the network")
def test_a_million_interactions_are_pruned_in_seconds():
    """Took 2.5 s on one idle core, 9 s on a busy one."""
    num_nodes, num_edges = 100_000, 1_000_000
    rng = np.random.default_rng(0)
    code = np.array([f"P{node:06d}" for node in range(num_nodes)], dtype=object)
    node = np.arange(num_nodes)
    table = pd.DataFrame(
        {
            "source": pd.Series(code[rng.integers(2 * num_nodes // 3, size=num_edges)], dtype=str),
            "target": pd.Series(code[rng.integers(num_nodes, size=num_edges)], dtype=str),
            "direction": np.int8(1),
            "stimulation": np.int8(1),
            "inhibition": np.int8(0),
            "sources": "KEGG",
            "references": "",
        }
    )
    annotation = pd.DataFrame({"code": pd.Series(code, dtype=str), "name": code})
    annotation = annotation.assign(TF=(node % 50 == 3) & (node < 50_000), ligand=node % 50 == 7)
    start = time.perf_counter()
    network = RemoveDeadEnds()(from_interactions(table, annotation))
    pruned = to_interactions(network, table)
    assert time.perf_counter() - start < 30  # 10 s on an idle machine
    assert to_annotation(network).shape[0] == network.num_nodes < 70_000
    assert 600_000 < len(pruned) < 700_000
