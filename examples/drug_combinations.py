"""Dose-response curves, targets and a combination of two drugs, on a small made-up screen.

A drug model is trained on single drugs on the toy network, two models from different seeds, and
asked what two drugs do together. For the published screen see `examples/paper/figS18_viability.py`.
"""

from dataclasses import replace

import pandas as pd
import torch
from matplotlib.figure import Figure

import lembas_pyg as lp
from lembas_pyg.nn import DrugResponse
from lembas_pyg.training import train_responses

# Concentrations in nM, blank where a drug is absent; S1 and S2 are nodes of the toy network.
lines, drugs = ["wild type 1", "wild type 2", "mutant 1", "mutant 2"], ["anti-R2", "anti-S2"]
rows = [(line, drug, 3.0**step) for line in lines for drug in drugs for step in range(1, 8)]
names = [f"well {number}" for number in range(len(rows))]
doses = pd.DataFrame(float("nan"), index=names, columns=drugs)
for name, (_, drug, dose) in zip(names, rows, strict=True):
    doses.loc[name, drug] = dose
targets = pd.DataFrame({"source": drugs, "target": ["R2", "S2"]})
data = lp.network.add_drug_screen(
    lp.datasets.ToyNetwork()[0],
    lp.io.LogDose("nM").transform(doses),
    pd.Series([line for line, _, _ in rows], index=names),
    expression=pd.DataFrame({"R2": [0.4, -0.6, 0.1, -0.2]}, index=lines),
    mutations=pd.DataFrame({"S2 active": [0, 0, 1, 1]}, index=lines),
    drug_targets=targets.assign(stimulation=0, inhibition=1),
    mutated=pd.Series({"S2 active": "S2"}),
    viability_tfs=pd.DataFrame(
        {"source": ["T1"], "target": "viability", "stimulation": 1, "inhibition": 0}
    ),
)

# What a laboratory would measure: here what a model with known parameters says, and noise.
generator = torch.Generator().manual_seed(0)
truth = DrugResponse(data, viability_amplitude=1.5, drug_amplitude=0.15, generator=generator)
with torch.no_grad():  # L1>R1 L2>R2 R1>S1 R2>S2 S1>S2 S1>R1 R2>S1 S2>T1
    truth.conv.edge_weight.copy_(torch.tensor([0.6, 0.8, 0.8, 0.9, -0.3, 0.3, -0.3, 1.0]))
    truth.mutation.weight.fill_(0.3)
said = lp.viability.predict_viability(truth, data).viability
data.viability = (said + 0.02 * torch.randn(len(said), generator=generator)).view(1, -1)

config = replace(lp.TrainingConfig.viability(), epochs=200, batch_size=8, l2_weight=1e-6)
models = train_responses(data, config, members=2)
fit = lp.viability.viability_table(data, lp.viability.predict_viability(models, data))
print(f"Pearson r of the fit: {fit['viability'].corr(fit['measured']):.3f}")

curves = lp.analysis.dose_response(models, data, "anti-S2", ["wild type 1", "mutant 1"])
effects = lp.analysis.mutation_effects(models, data, "anti-S2", 3.0)
print("\nThe mutation under anti-S2 at 1000 nM (delta: viability with it less without):")
columns = ["cell_line", "present", "mutated", "wild_type", "delta"]
print(effects[columns].round(3).to_string(index=False))

pairs = lp.analysis.drug_combination(models, data, ("anti-R2", "anti-S2"), doses=[1.0, 2.0, 3.0])
columns = ["cell_line", "dose_a", "dose_b", "viability", "bliss_excess", "bliss_spread"]
print("\nThe pairs of doses furthest from independence (Bliss), averages of both models:")
furthest = pairs.sort_values("bliss_excess", key=abs, ascending=False)
print(furthest[columns].head(6).round(3).to_string(index=False))
lp.io.write_tsv(pairs, "combination.tsv")

picture = lp.plot.plot_combination(pairs).figure
picture.savefig("combination.png", dpi=150)
figure = Figure(figsize=(5, 4), layout="constrained")
lp.plot.plot_dose_response(curves, ax=figure.subplots())
figure.savefig("curves.png", dpi=150)
