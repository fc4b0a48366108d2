"""How stable is a trained model, has it other steady states, and what are unknown signs?

The toy network, trained on data of its reference model; then two of its signs are hidden and asked
for.
"""

from dataclasses import replace

import matplotlib
import torch

import lembas_pyg as lp
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.synthetic import grid_stimuli, measure

matplotlib.use("Agg")
torch.set_num_threads(1)
data = measure(reference_model(), ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=5))
config = replace(lp.TrainingConfig.toy(), epochs=200, batch_size=25, lr=1e-2)
start = torch.Generator().manual_seed(0)
model = lp.LEMBAS(data, generator=start, **config.model_options())
lp.fit(model, data, config)

# Slow modes: a time scale in steps, a period where feedback is negative, and who takes part.
some = [name for name in data.conditions if name.startswith("L1=0.25")]
found = lp.analysis.stability(model, data, some, modes=1, nodes=2)
print("Radius, and time scale and period of the slowest mode (steps)")
print(found.conditions.drop(columns=["residual"]).round(3).to_string(index=False))
print("\nNodes that form it")
print(found.nodes.round(3).to_string(index=False))

# Training spoke of its own conditions alone; here are others beside them.
report = lp.analysis.basin_report(
    model, data, 20, 2, starts=8, generator=torch.Generator().manual_seed(0)
)
print("\nKnown and random conditions: share converged, largest radius, most steady states")
columns = {"converged": "mean", "radius": "max", "num_states": "max"}
print(report.groupby("set").agg(columns).round(3).to_string())
lp.plot.plot_radius(report).figure.savefig("radius.png", dpi=150)

# Members start from opposite signs of what is hidden, and know none of it. Two interactions in a
# row are a hard case: of a chain, the data tell the product of its signs.
names = list(
    zip(*([data.node_name[i] for i in row] for row in data.edge_index.tolist()), strict=True)
)
hidden = torch.tensor([name in {("L1", "R1"), ("S1", "S2")} for name in names])
asked = lp.analysis.hide_signs(data, hidden)
members = lp.analysis.sign_ensemble(asked, config, members=2)
table = lp.analysis.infer_signs(members, asked)
table["truth"] = data.edge_sign
print("\nHidden signs: mean weight of the members; probability of activation by the wiring")
columns = ["source", "target", "truth", "weight", "agreement", "importance", "wiring", "base"]
print(table.loc[table["sign"] == 0, columns].round(3).to_string(index=False))
