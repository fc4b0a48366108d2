"""SI Fig. 7 of Nilsson et al. (2022): random parameters in a biological and in random networks.

    python examples/paper/figS7_random_wiring.py --out figS7 [--seed 0] [--fast]

Parameters drawn at random leave the TFs of the KEGG network almost without response to ligands;
networks of as many edges between random nodes respond more. Between the two are networks that keep
every node's degree. `--fast` draws two of each instead of ten.
"""

import numpy as np
import pandas as pd
import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg.analysis import describe_activities
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.network import add_conditions
from lembas_pyg.plot.canvas import BLUE, GREY, ORANGE
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import random_model, random_stimuli
from lembas_pyg.transforms import RandomEdges, RewireEdges

arguments = options(__doc__, "figS7", "two draws of each instead of ten").parse_args()
torch.set_num_threads(1)
seeds = range(arguments.seed, arguments.seed + (2 if arguments.fast else 10))
kegg = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))[0]
ligands = [kegg.node_name[i] for i in kegg.ligand_mask.nonzero().view(-1).tolist()]
stimuli = random_stimuli(ligands, 100, 5, generator=torch.Generator().manual_seed(arguments.seed))
wirings = {
    "KEGG": lambda seed: kegg,
    "same degrees": lambda seed: RewireEdges(seed)(kegg),
    "random": lambda seed: RandomEdges(seed)(kegg),
}
colours = dict(zip(wirings, (BLUE, GREY, ORANGE), strict=True))

found, activities = [], {}
for name, wire in wirings.items():
    for seed in seeds:
        data = add_conditions(wire(seed), stimuli)
        model = random_model(data, generator=torch.Generator().manual_seed(seed))
        found.append(describe_activities({name: model}, data)[name])
        activities.setdefault(name, predict(model, data).y)
table = pd.DataFrame(found).groupby(level=0).median()
variance, dead = table["variance of a TF, mean"], table["share of dead TFs"]
alike = table["mean absolute correlation of two conditions"]
rows = [
    *(("S7", f"variance of a TF, {name}", "-", variance[name]) for name in wirings),
    (
        "S7",
        "variance, random relative to KEGG",
        "more dynamic",
        variance["random"] / variance["KEGG"],
    ),
    *(("S7", f"share of dead TFs, {name}", "-", dead[name]) for name in wirings),
    *(("S7", f"correlation of two conditions, {name}", "-", alike[name]) for name in wirings),
]

figure = Figure(figsize=(13, 3.8), layout="constrained")
*maps, spread = figure.subplots(1, 4)
for ax, (name, y) in zip(maps, activities.items(), strict=True):
    image = ax.imshow(y, vmin=0, vmax=1.2, aspect="auto", interpolation="none")
    ax.set(title=name, xlabel="conditions", ylabel="TFs")
figure.colorbar(image, ax=maps, label="TF activity")
for place, name in enumerate(wirings):
    values = [row["variance of a TF, mean"] for row in found if row.name == name]
    jitter = np.linspace(-0.15, 0.15, len(values))
    spread.scatter(place + jitter, values, s=14, color=colours[name])
spread.set(xticks=range(3), ylabel="variance of a TF, mean", yscale="log")
spread.set_xticklabels(list(wirings))
report(rows, arguments.out, "figS7_random_wiring", {"figS7.png": figure})
