"""From an edge list to ranked knock-outs, sets and pairs of an ensemble, on the toy network."""

from dataclasses import replace
from pathlib import Path

import torch

import lembas_pyg as lp

tables = Path(__file__).parent / "toy"
interactions = lp.io.read_interactions(tables / "network.tsv")
annotation = lp.io.read_annotation(tables / "annotation.tsv")
data = lp.network.from_interactions(interactions, annotation)
ligands, tfs = (lp.io.read_conditions(tables / f"{name}.tsv") for name in ("ligands", "tfs"))
data = lp.network.add_conditions(data, ligands, tfs)

config = replace(lp.TrainingConfig.toy(), epochs=300)  # enough for the order of the effects
members = []
for seed in range(4):
    generator = torch.Generator().manual_seed(seed)
    members.append(lp.LEMBAS(data, **config.model_options(), generator=generator))
    lp.fit(members[-1], data, config, progress=False)
ensemble = lp.Ensemble(members)

effects = lp.analysis.knock_out(ensemble, data, by_member=True)
ranked = lp.analysis.rank_knock_outs(effects, "T1", top=3, data=data)
print("Knock-outs ranked by the median effect on T1, in the condition where it is largest:")
print(ranked.round(3).to_string(index=False))

pairs = lp.analysis.double_knock_out(ensemble, data, ["R1", "R2", "S1", "S2"])
by_size = pairs.sort_values("synergy", key=abs, ascending=False)
beyond = by_size.drop_duplicates(["node_a", "node_b"])
print("\nPairs whose effect is not the sum of both, in the condition where it is largest:")
print(beyond.drop(columns=["control", "perturbed"]).round(3).to_string(index=False))

receptors = lp.analysis.knock_out(ensemble, data, [("R1", "R2")], clamp=0.0)
left = receptors.loc[receptors["perturbed"].abs().idxmax()]
print(f"\nWithout both receptors the activity of T1 is at most {abs(left['perturbed']):.3f}.")

picture = lp.plot.plot_ranked_knock_outs(effects, data, tf="T1").figure
picture.savefig("knock-outs.png", dpi=150)
