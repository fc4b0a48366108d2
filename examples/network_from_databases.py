"""From tables of databases to a curated network, with a report of every step.

The tables in `databases/` have the formats of OmniPath, SIGNOR, KEGG and UniProt and a few lines
each; give the folder of your own downloads instead.
"""

import argparse
from pathlib import Path

from torch_geometric.transforms import Compose

import lembas_pyg as lp

HERE = Path(__file__).parent


def main() -> None:
    """Read, assemble, prune, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, default=HERE / "databases")
    parser.add_argument("--resources", default="SIGNOR,SPIKE,KEGG,Mine")
    parser.add_argument("--out", type=Path, default=Path("network"))
    options = parser.parse_args()
    tables, out = options.tables, options.out

    # Text to tables. None is merged yet, and each says in `.attrs["provenance"]` what was skipped.
    symbols = lp.io.read_gene_names(tables / "uniprot.tsv")
    accessions = lp.io.read_kegg_mapping(tables / "uniprot.tsv")
    omnipath = lp.io.read_omnipath(tables / "omnipath.tsv")
    signor = lp.io.read_signor(tables / "signor.csv")
    kegg = lp.io.read_kgml(tables / "pathway.xml", accessions)
    ligand_receptor = lp.io.read_ligand_receptor(tables / "ligand-receptor.tsv")
    tfs = lp.io.read_regulon(tables / "regulon.tsv")["source"]

    # Tables to one table: curation, both directions, duplicates, resources, proteins.
    interactions, report = lp.io.assemble_interactions(
        [omnipath, signor, kegg],
        curation=lp.io.read_curation(tables / "curation"),
        resources=options.resources.split(","),
        proteins=symbols.index,
        ligand_receptor=ligand_receptor,
    )
    annotation = lp.io.make_annotation(
        interactions, ligands=ligand_receptor["source"], tfs=tfs, names=symbols
    )

    # Table to graph, and what cannot carry a signal from a ligand to a TF removed.
    data = lp.network.from_interactions(interactions, annotation)
    prune = Compose(
        [
            lp.transforms.RemoveLigandFeedback(),
            lp.transforms.RemoveDeadEnds(),
            lp.transforms.RemoveRedundantNodes(),
        ]
    )
    pruned = prune(data)
    report = lp.io.join_reports(report, lp.network.curation_report(pruned))
    print(report[["rule", "action", "source", "target", "detail"]].to_string(index=False))
    for name, value in lp.analysis.describe_network(pruned).items():
        print(f"{name}\t{round(value, 6)}")

    # Graph to tables and to other programs; evidence comes from the table.
    out.mkdir(exist_ok=True)
    curated = lp.network.to_interactions(pruned, interactions)
    nodes = lp.network.to_annotation(pruned)
    lp.io.write_interactions(curated, out / "network.tsv")
    lp.io.write_annotation(nodes, out / "annotation.tsv")
    lp.io.write_report(report, out / "report.tsv")
    lp.io.write_graphml(curated, out / "network.graphml", nodes)  # Cytoscape, networkx, Gephi
    for sentence in lp.io.write_sif(curated, out / "network.sif"):
        print(f"network.sif: {sentence}")
    for sentence in lp.io.write_bnet(curated, out / "network.bnet", nodes):
        print(f"network.bnet: {sentence}")
    print(
        f"Written to {out}/: network.tsv and annotation.tsv to train with, report.tsv and others."
    )


if __name__ == "__main__":
    main()
