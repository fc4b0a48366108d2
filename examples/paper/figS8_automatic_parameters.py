"""SI Fig. 8 of Nilsson et al. (2022): parameters of the toy network found without data.

    python examples/paper/figS8_automatic_parameters.py --out figS8 [--seed 0] [--fast]

The objective asks only that TF activity makes use of its range under random ligands; the
profile that comes out is compared with that of the parameters set by hand, and with random ones.
`--fast` takes one start and a fifth of the steps.
"""

from dataclasses import replace

import numpy as np
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.metrics import pearson_r
from lembas_pyg.network import add_conditions
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, parameterise
from lembas_pyg.training import TrainingConfig

arguments = options(__doc__, "figS8", "one start and a fifth of the steps").parse_args()
starts, steps = (1, 200) if arguments.fast else (5, 600)
settings = replace(
    TrainingConfig.reference_model(),
    epochs=steps,
    batch_size=100,
    lr=2e-2,
    input_amplitude=1.0,
    output_amplitude=1.3,
)
network = ToyNetwork()[0]
data = add_conditions(network, grid_stimuli(["L1", "L2"], num_levels=10))
by_hand = load_parameters(LEMBAS(network, radius=None).double(), ToyNetwork.parameters())
seeds = range(arguments.seed, arguments.seed + starts)


def activity(model):
    """TF activity of every condition."""
    return predict(model, data).y[0]


wanted = activity(by_hand)
found, random = [], []
for seed in seeds:
    for config, y in ((settings, found), (replace(settings, epochs=1), random)):
        y.append(activity(parameterise(network, replace(config, seed=seed), num_active=2)))
r = [pearson_r(y, wanted) for y in found]
rows = [
    ("S8", "r with the profile set by hand, median of starts", "recapitulated", np.median(r)),
    ("S8", "r, best of starts", "-", max(r)),
    ("S8", "r, random, median", "-", np.median([pearson_r(y, wanted) for y in random])),
    ("S8", "standard deviation that is asked for, uniform", "-", 0.98 / 12**0.5),
    ("S8", "standard deviation of TF activity, by hand", "-", float(wanted.std())),
    ("S8", "standard deviation, found, median", "-", np.median([float(y.std()) for y in found])),
    ("S8", "standard deviation, random", "-", np.median([float(y.std()) for y in random])),
]

best = int(np.argmax(r))
figure = Figure(figsize=(12, 3.8), layout="constrained")
axes = figure.subplots(1, 3)
for ax, y, title in zip(
    axes,
    (wanted, found[best], random[best]),
    ("set by hand", f"found without data, r = {r[best]:.2f}", "random"),
    strict=True,
):
    extent = (-1 / 18, 19 / 18) * 2
    image = ax.imshow(y.view(10, 10).T, origin="lower", extent=extent, vmin=0, vmax=1.1)
    ax.set(xlabel="L1", ylabel="L2", title=title)
figure.colorbar(image, ax=axes, label="TF activity")
report(rows, arguments.out, "figS8_automatic_parameters", {"figS8.png": figure})
