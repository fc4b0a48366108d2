"""From OmniPath to the network of the ligand screen: the recipe of the paper, every step reported.

The tables are not part of the package; the folder `data` beside the repository, or in
`LEMBAS_PYG_SHARED`, holds them. OmniPath's snapshot has no edge of the resource KEGG, only of
KEGG-MEDICUS, which the published network does not trust: it is built with and without.
"""

import argparse
import os
import time
from collections.abc import Collection
from pathlib import Path

import pandas as pd
from torch_geometric.data import Data
from torch_geometric.transforms import Compose

from lembas_pyg import io
from lembas_pyg.network import curation_report, from_interactions, to_annotation, to_interactions
from lembas_pyg.transforms import RemoveDeadEnds, RemoveLigandFeedback

BESIDE = Path(__file__).resolve().parents[2] / "shared"
DATA = Path(os.environ.get("LEMBAS_PYG_SHARED", BESIDE)) / "data"


def ligand_screen_network(
    omnipath: pd.DataFrame,
    ligand_receptor: pd.DataFrame,
    curation: io.Curation,
    gene_names: pd.Series,
    *,
    ligands: Collection[str],
    tfs: Collection[str],
    resources: Collection[str],
) -> tuple[Data, pd.DataFrame, pd.DataFrame]:
    """Nilsson et al. (2022), Methods: the graph, its table with evidence, and the report."""
    signaling, reports = omnipath, []
    for step in (
        io.select_referenced,
        lambda table: io.apply_curation(table, curation),
        io.remove_self_loops,
        io.both_directions,
        io.merge_with_report,
        lambda table: io.restrict_to(table, gene_names.index),
        lambda table: io.exclude_interactions(table, ligand_receptor),
        lambda table: io.select_resources(table, resources),
    ):
        signaling, report = step(signaling)
        reports.append(report)
    binding, report = io.restrict_to(ligand_receptor, ligands, ends=["source"])
    interactions = pd.concat([binding, signaling[binding.columns]], ignore_index=True)
    annotation = io.make_annotation(interactions, ligands=ligands, tfs=tfs, names=gene_names)
    prune = Compose([RemoveDeadEnds(), RemoveLigandFeedback(), RemoveDeadEnds()])
    network = prune(from_interactions(interactions, annotation))
    report = io.join_reports(*reports, report, curation_report(network))
    return network, to_interactions(network, interactions), report


def agreement(found: pd.DataFrame, published: pd.DataFrame) -> dict[str, float]:
    """Precision and recall of directed edges, and the share of equal signs among common ones."""
    signs = [
        pd.Series(io.interaction_sign(table), pd.MultiIndex.from_frame(table[["source", "target"]]))
        for table in (found, published)
    ]
    both = pd.concat(signs, axis="columns", join="inner", keys=["found", "published"])
    return {
        "edges": len(found),
        "precision": len(both) / len(found),
        "recall": len(both) / len(published),
        "same sign": (both["found"] == both["published"]).mean(),
    }


def main() -> None:
    """Build the network from each set of resources, compare it with the published one, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    parser.add_argument("--out", type=Path, default=Path("network"), help="folder to write to")
    parser.add_argument(
        "--resources",
        nargs="+",
        default=["SIGNOR,HuGeSiM", "KEGG-MEDICUS,SIGNOR,HuGeSiM"],
        help="resources to trust, separated by commas; one network each",
    )
    args = parser.parse_args()
    construction, experiment = args.data / "lembas/construction", args.data / "lembas/tf_activity"
    published = io.read_interactions(args.data / "lembas/networks/ligandScreen-Model.tsv")
    rows = {}
    for names in args.resources:
        start = time.perf_counter()
        gene_names = io.read_gene_names(construction / "uniprot-human-reviewed.tab")
        network, interactions, report = ligand_screen_network(
            io.read_omnipath(args.data / "omnipath/omnipath_interactions_2020-21.tsv.gz"),
            io.read_interactions(construction / "RL.tsv"),
            io.read_curation(construction / "curation/PKN"),
            gene_names,
            ligands=io.read_gene_list(experiment / "ligandScreen-ligandMap.tsv"),
            tfs=io.read_gene_list(experiment / "ligandScreen-tfList.tsv", gene_names),
            resources=names.split(","),
        )
        seconds = time.perf_counter() - start
        rows[names] = {**agreement(interactions, published), "seconds": seconds}

        folder = args.out / names.replace(",", "+")
        folder.mkdir(parents=True, exist_ok=True)
        io.write_interactions(interactions, folder / "Model.tsv")
        io.write_annotation(to_annotation(network), folder / "Annotation.tsv")
        io.write_report(report, folder / "report.tsv")
    print(f"Agreement with the published network of {len(published)} edges:")
    print(pd.DataFrame(rows).T.round(4).to_string())
    print(f"\nWhat each step did ({names}; all in {folder / 'report.tsv'}):")
    print(report.groupby(["rule", "action", "item"], sort=False).size().to_string())


if __name__ == "__main__":
    main()
