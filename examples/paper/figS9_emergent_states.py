"""SI Fig. 9 of Nilsson et al. (2022): more ligands at once cover more TF activities.

    python examples/paper/figS9_emergent_states.py --out figS9 [--parameters FILE] [--fast]

Principal components of the answers of the published reference model of the KEGG network to 2,000
random conditions for each number of ligands. `--parameters` takes another model of this network,
such as the one that `fig4_reference_model.py` leaves. `--fast` takes 200 conditions.
"""

from pathlib import Path

import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS
from lembas_pyg.analysis import activity_space, steady_activities
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.io import read_parameters
from lembas_pyg.network import add_conditions
from lembas_pyg.plot.canvas import BLUE
from lembas_pyg.synthetic import random_stimuli

parser = options(__doc__, "figS9", "200 conditions of each number of ligands")
parser.add_argument("--parameters", type=Path, help="table of parameters (default: published)")
arguments = parser.parse_args()
torch.set_num_threads(1)
generator = torch.Generator().manual_seed(arguments.seed)
number, levels = (200 if arguments.fast else 2000), (1, 2, 3, 5, 10)

dataset = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))
network = dataset[0]
table = read_parameters(arguments.parameters) if arguments.parameters else dataset.parameters()
model = load_parameters(LEMBAS(network, radius=None).double(), table)
ligands = [network.node_name[i] for i in network.ligand_mask.nonzero().view(-1).tolist()]
activities = {}
for level in levels:
    stimuli = random_stimuli(ligands, number, level, generator=generator)
    activities[level], _ = steady_activities(model, add_conditions(network, stimuli))
places, summary = activity_space(activities)

rows = [
    ("S9", f"{what}, {level} ligands", "grows" if level == levels[-1] else "-", row[column])
    for column, what in (
        ("area", "area covered in the plane of two components"),
        ("variance", "variance of all TFs"),
        ("dimension", "dimension"),
    )
    for level, row in summary.iterrows()
]
figure = Figure(figsize=(14, 3.3), layout="constrained")
axes = figure.subplots(1, len(levels), sharex=True, sharey=True)
for ax, (level, own) in zip(axes, places.groupby("set"), strict=True):
    ax.scatter(own["pc1"], own["pc2"], s=3, color=BLUE, alpha=0.4, linewidths=0, rasterized=True)
    ax.set(title=f"{level} ligand" + "s" * (level > 1), xlabel="component 1", box_aspect=1)
axes[0].set_ylabel("component 2")
report(rows, arguments.out, "figS9_emergent_states", {"figS9.png": figure})
