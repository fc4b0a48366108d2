"""SI Fig. 5 of Nilsson et al. (2022): quasi-steady states of an oscillating NF-kB model.

    python examples/paper/figS5_nfkb.py --out figS5 [--seed 0] [--fast]

NF-kB makes its inhibitor p100 with a delay. Four moments of the course, with p100 as an input of
its own, are enough for a steady-state model to find the parameters. `--fast` trains for a fifth of
the epochs.
"""

import dataclasses

import numpy as np
import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig, fit
from lembas_pyg.checkpoint import load_parameters, to_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.plot import plot_parameters
from lembas_pyg.plot.canvas import BLACK, BLUE, ORANGE
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import simulate_feedback
from lembas_pyg.training import refine

TIMES = -1.0, 10.0, 30.0, 90.0

arguments = options(__doc__, "figS5", "train for a fifth of the epochs").parse_args()
generator = torch.Generator().manual_seed(arguments.seed)
network, true = ToyNetwork(name="nfkb")[0], ToyNetwork.parameters("nfkb")
reference = load_parameters(LEMBAS(network, radius=None).double(), true)

# a, b: the course, and the moments that are measured.
grid = np.unique([*np.linspace(-10, 120, 131), *TIMES])
course = simulate_feedback(reference, network, "TNF", "P100", grid).set_index("time", drop=False)
samples = course.loc[list(TIMES)]
samples.index = [f"t={time:g}" for time in samples["time"]]
data = add_conditions(network, samples[["TNF", "P100"]], samples[["NFKB_N"]])
activity = course["NFKB_N"].to_numpy()
turns = int((np.diff(np.sign(np.diff(activity[grid > 0]))) != 0).sum())

# c, d: three weights from four moments; there is no basal activity to find.
config = dataclasses.replace(TrainingConfig.toy(), batch_size=4, seed=arguments.seed, epochs=2000)
if arguments.fast:
    config = dataclasses.replace(config, epochs=config.epochs // 5)
model = LEMBAS(network, **config.model_options(), generator=generator).double()
with torch.no_grad():
    model.conv.bias.zero_()
model.conv.bias.requires_grad_(False)
history = fit(model, data, config, progress=False).table
true_weight = reference.conv.edge_weight.detach()


def largest_error():
    """Largest relative error of a weight."""
    return float((model.conv.edge_weight.detach() / true_weight - 1).abs().max())


trained = largest_error()
found = refine(model, data, generator=generator)
rows = [
    ("S5a", "turning points of TF activity after the stimulus", "oscillates", turns),
    ("S5c", "loss, trained", "fits", history["fit"].iat[-1]),
    ("S5d", "largest error of a weight (relative), trained", "correctly identified", trained),
    ("S5d", "largest error of a weight (relative), refined", "-", largest_error()),
    ("S5d", "directions the data determine", "3 weights", f"{found.rank} of 3"),
]

figure = Figure(figsize=(12, 3.9), layout="constrained")
a, c, d = figure.subplots(1, 3)
a.plot(grid, activity, color=BLUE, label="NFKB_N activity")
a.plot(grid, course["P100"], color=ORANGE, label="p100")
a.plot(samples["time"], samples["NFKB_N"], "o", color=BLACK, label="measured")
a.set(xlabel="time", ylabel="activity, concentration", title="a, b  course")
a.legend(fontsize="small")
c.plot(samples["time"], samples["NFKB_N"], "o", color=BLACK, label="measured")
c.plot(samples["time"], predict(model, data).y[0], "x", color=ORANGE, markersize=9, label="model")
c.set(xlabel="time", ylabel="NFKB_N activity", title="c  fit")
c.legend(fontsize="small")
plot_parameters(true, to_parameters(model), ax=d)
d.set_title("d  parameters")
report(rows, arguments.out, "figS5_nfkb", {"figS5.png": figure})
