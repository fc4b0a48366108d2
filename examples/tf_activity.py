"""From expression to the TF activities a model is trained on, and how far to trust them.

Expression is made up here, of known activities of eleven TFs under six conditions, so that what is
inferred can be compared with what is true. The tables are those of the folder `expression`.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch

import lembas_pyg as lp
from lembas_pyg import tf_activity
from lembas_pyg.synthetic import simulate_expression

matplotlib.use("Agg")
torch.set_num_threads(1)
tables = Path(__file__).parent / "expression"
# What each ligand does to TFs, and what each donor brings along, in units of the noise of a gene.
LIGANDS = {
    "TNF": {"RELA": 2.5, "JUN": 1.5},
    "IFNG": {"STAT1": 2.5},
    "IL4": {"STAT6": 2.5, "PPARG": 1.5, "RELA": -1.0},
}
DONORS = {"A": {}, "B": {"SREBF1": 0.5}, "C": {"TP53": 0.5}}


def known_activities(samples, tfs):
    """Activities that the expression is made of, samples x TFs."""
    known = pd.DataFrame(0.0, index=samples["sample"], columns=tfs)
    for sample, condition, donor in samples[["sample", "condition", "donor"]].to_numpy():
        for effects in (*(LIGANDS.get(name, {}) for name in condition.split("+")), DONORS[donor]):
            for tf, effect in effects.items():
                known.loc[sample, tf] += effect
    return known


def random_regulon(num_tfs, num_targets, num_genes, generator):
    """Targets drawn at random, a fifth of them repressed."""
    rows = [
        (f"TF{tf}", f"G{gene}", -1.0 if torch.rand(1, generator=generator) < 0.2 else 1.0)
        for tf in range(num_tfs)
        for gene in torch.randperm(num_genes, generator=generator)[:num_targets].tolist()
    ]
    return pd.DataFrame(rows, columns=["source", "target", "weight"])


def with_errors(regulon, share, num_genes, generator):
    """The regulon with a share of its targets replaced by other genes, as a database has them."""
    wrong = torch.rand(len(regulon), generator=generator) < share
    other = torch.randint(num_genes, (len(regulon),), generator=generator)
    targets = [
        f"G{gene}" if is_wrong else target
        for target, is_wrong, gene in zip(regulon["target"], wrong, other.tolist(), strict=True)
    ]
    return regulon.assign(target=targets).drop_duplicates(["source", "target"])


def recovery(num_targets, noise, wrong, generator, num_tfs=60, num_samples=20, num_genes=2000):
    """Median over TFs of the correlation of known and inferred activities."""
    true = random_regulon(num_tfs, num_targets, num_genes, generator)
    known = pd.DataFrame(torch.randn(num_samples, num_tfs, generator=generator).numpy())
    known.columns = [f"TF{tf}" for tf in range(num_tfs)]
    expression = simulate_expression(known, true, noise=noise, background=500, generator=generator)
    believed = with_errors(true, wrong, num_genes, generator)
    centred = tf_activity.prepare_expression(expression).table
    found = tf_activity.enrichment_scores(centred, believed, min_targets=1).table
    return np.median([np.corrcoef(known[tf], found[tf])[0, 1] for tf in found])


# Six conditions of three donors.
regulon = lp.io.read_regulon(tables / "regulon.csv", levels=["A", "B"])
samples = lp.io.read_samples(tables / "samples.tsv")
names = lp.io.read_gene_names(tables / "proteins.tsv")
known = known_activities(samples, regulon["source"].unique())
generator = torch.Generator().manual_seed(0)
expression = simulate_expression(known, regulon, background=200, generator=generator).round(3)
lp.io.write_tsv(expression.T.rename_axis("gene").reset_index(), "expression.tsv")

today = {"ARNTL": "O00327"}  # UniProt calls it BMAL1
found = tf_activity.infer_tf_activity(expression, regulon, samples, names, chosen=today)
ligands = lp.io.ligand_matrix(
    samples, lp.io.read_ligand_map(tables / "ligands.tsv"), controls=["PBS"]
)
symbol = dict(zip(found.tfs["code"], found.tfs["tf"], strict=True))
print("TF activities (0.5: as in the mean of all samples)")
print(found.activity.rename(columns=symbol).loc[ligands.index].round(2).to_string())
print("\nLeft out")
print(found.report[["rule", "item", "source", "detail"]].to_string(index=False))
r = [np.corrcoef(known[tf], found.scores[tf])[0, 1] for tf in found.scores if known[tf].any()]
print(f"\nr of known and inferred activities, TFs that change: {min(r):.2f} to {max(r):.2f}")

# How many targets, how much noise, how many errors in the regulon?
counts, noises, shares = (3, 5, 10, 20, 40), (1.0, 2.0, 4.0), (0.0, 0.25, 0.5, 0.75)
by_noise = pd.DataFrame(
    {noise: {n: recovery(n, noise, 0.0, generator) for n in counts} for noise in noises}
)
by_error = pd.DataFrame(
    {share: {n: recovery(n, 2.0, share, generator) for n in counts} for share in shares}
)
print("\nMedian r by targets of a TF (rows) and noise of a gene (columns)")
print(by_noise.round(2).to_string())
print("\n... and share of wrong targets (columns), noise 2")
print(by_error.round(2).to_string())

figure = matplotlib.figure.Figure(figsize=(8, 3.4), layout="constrained")
for ax, table, label in zip(
    figure.subplots(1, 2, sharey=True),
    (by_noise, by_error),
    ("noise of a gene", "share of wrong targets"),
    strict=True,
):
    for value in table:
        ax.plot(table.index, table[value], marker="o", label=f"{value:g}")
    ax.set(xscale="log", xlabel="targets of a TF", ylim=(0, 1))
    ax.minorticks_off()
    ax.set_xticks(counts, map(str, counts))
    ax.legend(title=label, frameon=False, fontsize="small")
figure.axes[0].set_ylabel("r of known and inferred activity\n(median of TFs)")
figure.savefig("recovery.png", dpi=150)
