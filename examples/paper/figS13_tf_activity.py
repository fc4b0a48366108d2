"""SI Fig. 13, 14 and 16 of Nilsson et al. (2022): from scores of samples to TF activities.

    python examples/paper/figS13_tf_activity.py [--data FOLDER] [--out figS13] [--fast]

Makes the published tables of TF activities again from the published scores: logistic, mean of the
replicates, filter of TFs that replicates disagree on, accessions. Draws the spread among replicates
and the clustered activities of the literature data and of the ligand screen, and how well known
activities are recovered with the published regulon. The folder has the tables of the original code:
lembas/tf_activity, lembas/construction and lembas/networks. `--fast` recovers at one noise only.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _figure import report
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

import lembas_pyg as lp
from lembas_pyg import tf_activity
from lembas_pyg.synthetic import simulate_expression

DATA = Path(os.environ.get("LEMBAS_PYG_SHARED", "../shared")) / "data"
NOT_PUBLIC = """
What is not among the public tables, so that it could not be done again here:
- the expression tables (literature: E-GEOD-46903 of ArrayExpress) and p-values of detection, so the
  scores are taken as published;
- one of the 103 samples of the text: the sample key of the literature data has 102;
- the sample sheet of the screen. Names of samples hold run, donor, well and _L for LPS; the
  ligand of a well is that whose published activities its samples give.
"""
NOISE = (0.5, 1.0, 2.0, 4.0, 8.0)
NUM_SAMPLES = 30


def literature(folder, names):
    """Scores, key and accessions of the literature data; and the table that was published."""
    scores = lp.io.read_expression(folder / "macrophage_DoRothEA.txt")
    samples = lp.io.read_samples(folder / "macrophageKey.txt")
    found = tf_activity.activity_from_scores(scores, samples, names, unlisted="drop")
    return found, lp.io.read_conditions(folder / "macrophage-TFs.tsv")


def screen(folder, networks, names):
    """The same of the screen, with the sample sheet that follows from the names of the samples."""
    scores = lp.io.read_expression(folder / "ligandScreen-dorothea.tsv")
    published = lp.io.read_conditions(networks / "ligandScreen-TFs.tsv")
    parts = scores.index.to_series().str.extract(r"_(?P<donor>[A-Z])(?P<well>\d+)(?P<lps>_L)?$")
    wells = pd.DataFrame(
        {"sample": scores.index, "condition": (parts["well"] + parts["lps"].fillna("")).to_numpy()}
    )
    codes, _ = tf_activity.accessions_of(scores.columns, names)
    mean = tf_activity.mean_activity(scores, wells).rename(columns=codes)[published.columns]
    distance = cdist(mean, published, "chebyshev")
    if distance.min(axis=1).max() > 1e-9:
        raise ValueError("A well has no published condition with its activities.")
    ligand = dict(zip(mean.index, published.index[distance.argmin(axis=1)], strict=True))
    samples = wells.assign(condition=wells["condition"].map(ligand))
    return tf_activity.activity_from_scores(scores, samples, names, singles="keep"), published


def compare(title, found, published):
    """Say how far from the published table ours is, and what was left out; return the numbers."""
    shared = [code for code in published if code in found.activity]
    difference = (found.activity.loc[published.index, shared] - published[shared]).abs()
    largest = float(difference.to_numpy().max())
    sizes = found.samples["condition"].value_counts()
    print(f"\n{title}: {len(found.samples)} samples, {len(sizes)} conditions of", end=" ")
    print(f"{sizes.min()} to {sizes.max()} samples, {(sizes == 1).sum()} of them of one")
    print(f"  largest difference to {published.shape[0]} x {published.shape[1]} published values:")
    print(f"    {largest:.1e}, {len(shared)} TFs shared")
    loose = found.tfs[found.tfs["reason"].str.startswith("spread")]
    print("  left out, 75th percentile of the spread above 0.2:")
    print("   ", ", ".join(f"{r.tf} ({r.spread:.3f})" for r in loose.itertuples()))
    more = found.tfs[found.tfs["kept"] & ~found.tfs["code"].isin(published.columns)]
    if len(more):
        print(
            f"  kept here, not in the published table: {len(more)} TFs\n    {', '.join(more['tf'])}"
        )
    return largest, len(shared), len(loose)


def numbers_of(spread, table, published, found):
    """Numbers of the figures of the spread among replicates and of the table of activities."""
    largest, shared, loose = found
    return [
        (spread, "TFs that replicates disagree on", "-", loose),
        (table, "TFs of the published table", published.shape[1], shared),
        (table, "largest difference to the published table", 0, largest),
    ]


def draw_spread(found, path):
    """SI Fig. 13 or 16: by TF and by condition."""
    figure = Figure(figsize=(14, 8), layout="constrained")
    for ax, by, letter in zip(figure.subplots(2, 1), ("tf", "condition"), "ab", strict=True):
        lp.plot.plot_replicate_spread(found.spread, by=by, ax=ax)
        ax.set_title(f"{letter}  {ax.get_title()}", loc="left", fontsize="medium")
        ax.set_title("")
    figure.savefig(path, dpi=150)


def draw_activity(found, path, mark=()):
    """SI Fig. 14, or Fig. 6b with trees: clustered activities of the TFs that were kept."""
    symbol = dict(zip(found.tfs["code"], found.tfs["tf"], strict=True))
    ax = lp.plot.plot_activity_clusters(found.activity.rename(columns=symbol), mark=mark)
    ax.figure.savefig(path, dpi=150)


def recovery(regulon, noises):
    """Median over TFs of the correlation of known activities and scores, by noise and method."""
    generator = torch.Generator().manual_seed(0)
    tfs = sorted(regulon["source"].unique())
    shape = NUM_SAMPLES, len(tfs)
    known = pd.DataFrame(torch.randn(shape, generator=generator).numpy(), columns=tfs)
    rows = []
    for noise in noises:
        expression = simulate_expression(known, regulon, noise=noise, generator=generator)
        centred = tf_activity.prepare_expression(expression).table
        for method in tf_activity.METHODS:
            found = tf_activity.enrichment_scores(centred, regulon, method=method).table
            r = np.array(
                [np.corrcoef(known[tf], found[tf])[0, 1] for tf in found.columns if tf in known]
            )
            low, mid, high = np.quantile(r, [0.25, 0.5, 0.75])
            rows.append((noise, method, len(r), low, mid, high))
    return pd.DataFrame(rows, columns=["noise", "method", "tfs", "lower", "median", "upper"])


def draw_recovery(table, path):
    """Lines of the median over TFs, a band between the quartiles of the first method."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    ax = figure.subplots()
    for method, part in table.groupby("method", sort=False):
        (line,) = ax.plot(part["noise"], part["median"], marker="o", label=method)
        if method == table["method"].iloc[0]:
            ax.fill_between(
                part["noise"], part["lower"], part["upper"], color=line.get_color(), alpha=0.12,
                label=f"{method}, half of the TFs",
            )  # fmt: skip
    ax.set(xscale="log", ylim=(0, 1), ylabel="r of known and inferred activity")
    ax.minorticks_off()
    ax.set_xticks(NOISE, map(str, NOISE))
    ax.set_xlabel("noise of a gene / spread of the activity of a TF")
    ax.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)


def main():
    """Make the tables, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder (default: {DATA})")
    parser.add_argument("--out", type=Path, default=Path("figS13"), help="folder (default: figS13)")
    parser.add_argument("--fast", action="store_true", help="recover at one noise only")
    arguments = parser.parse_args()
    out, data = arguments.out, arguments.data / "lembas"
    out.mkdir(parents=True, exist_ok=True)
    names = lp.io.read_gene_names(data / "construction/uniprot-human-reviewed.tab")

    found, published = literature(data / "tf_activity", names)
    rows = numbers_of("S13", "S14", published, compare("Literature data", found, published))
    draw_spread(found, out / "figS13.png")
    draw_activity(found, out / "figS14.png")
    lp.io.write_conditions(found.activity, out / "macrophage-TFs.tsv")
    lp.io.write_report(found.report, out / "macrophage-report.tsv")

    found, published = screen(data / "tf_activity", data / "networks", names)
    rows += numbers_of("S16", "6b", published, compare("Ligand screen", found, published))
    draw_spread(found, out / "figS16.png")
    lps = [name for name in found.activity.index if name.endswith("_LPS")]
    draw_activity(found, out / "fig6b.png", mark=lps)
    lp.io.write_tsv(found.samples, out / "ligandScreen-samples.tsv")
    lp.io.write_report(found.report, out / "ligandScreen-report.tsv")

    regulon = lp.io.read_regulon(data / "construction/regulon.tsv", levels=["A", "B"])
    enough = regulon.groupby("source")["target"].transform("size") >= 5
    table = recovery(regulon[enough], NOISE[1:2] if arguments.fast else NOISE)
    draw_recovery(table, out / "recovery.png")
    lp.io.write_tsv(table, out / "recovery.tsv")
    print(f"\nMedian r of known and inferred activities, {table['tfs'].max()} TFs of the regulon:")
    print(table.pivot(index="noise", columns="method", values="median").round(3).to_string())
    print(NOT_PUBLIC)
    report(rows, out, "figS13_tf_activity")


if __name__ == "__main__":
    main()
