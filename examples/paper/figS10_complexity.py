"""SI Fig. 10 of Nilsson et al. (2022): time by size of the network, epochs by number of conditions.

    python examples/paper/figS10_complexity.py --out figS10 [--seed 0] [--fast]

a: processor time of state and gradient of three conditions, at most 100 steps each, on random
networks of ten interactions a node. b, c: models of the KEGG network trained in batches of 50 on
answers of the published reference model, until the mean squared error of an epoch falls below
0.02. `--fast` takes two networks and two screens, and stops early.
"""

import math
import time
from dataclasses import replace

import numpy as np
import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig, fit
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.nn import SignalingConv, spectral_radius
from lembas_pyg.plot.canvas import BLUE
from lembas_pyg.synthetic import measure, screen_stimuli

RADIUS, EDGES_PER_NODE, NUM_CONDITIONS, STEPS = 0.9, 10, 3, 100
BATCH = 50

arguments = options(__doc__, "figS10", "two networks, two screens, 60 updates").parse_args()
torch.set_num_threads(1)
if arguments.fast:
    sizes, screens, updates, enough = (1000, 3000), (50, 100), 60, 0.15
else:
    sizes, screens = range(1000, 19001, 2000), (50, 100, 200, 400, 800, 1600, 3200)
    updates, enough = 3000, 0.02


def seconds_of_pass(num_nodes):
    """Processor time of the fastest of fifteen passes, there and back."""
    generator = torch.Generator().manual_seed(arguments.seed)
    edge_index = torch.randint(num_nodes, (2, EDGES_PER_NODE * num_nodes), generator=generator)
    weight = torch.randn(edge_index.size(1), generator=generator)
    conv = SignalingConv(num_nodes, len(weight), tol=1e-300, max_steps=STEPS)
    with torch.no_grad():
        conv.edge_weight.copy_(weight * RADIUS / spectral_radius(edge_index, weight, num_nodes))
    drive = torch.randn(num_nodes, NUM_CONDITIONS, generator=generator)
    seconds = []
    for _ in range(16):  # the first call prepares the wiring
        started = time.process_time()
        conv.solve(drive, edge_index).value.sum().backward()
        seconds.append(time.process_time() - started)
    return min(seconds[1:])


def updates_until_fitted(network, reference, number):
    """Steps of the optimiser until an epoch is fitted, and until the end; NaN where it is not."""
    names = [network.node_name[i] for i in network.ligand_mask.nonzero().view(-1).tolist()]
    generator = torch.Generator().manual_seed(number)
    data = measure(reference, network, screen_stimuli(names, number, 5, generator=generator))
    each = math.ceil(number / BATCH)
    config = replace(
        TrainingConfig.synthetic(),
        epochs=max(1, updates // each),
        batch_size=BATCH,
        seed=arguments.seed,
        lr=2e-3,
        lr_start=2e-3,
        lr_end=2e-3,
        lr_cycles=1,
    )
    generator = torch.Generator().manual_seed(arguments.seed)
    model = LEMBAS(network, **config.model_options(), generator=generator)
    table = fit(model, data, config, progress=False).table
    fitted = (table["fit"] < enough).to_numpy()
    epochs = fitted.argmax() + 1 if fitted.any() else math.nan
    return epochs, epochs * each, table["fit"].iat[-1]


seconds = [seconds_of_pass(size) for size in sizes]
dataset = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))
reference = LEMBAS(dataset[0], radius=None).double()
load_parameters(reference, dataset.parameters())
found = [updates_until_fitted(dataset[0], reference, number) for number in screens]
epochs, steps, losses = map(np.array, zip(*found, strict=True))
fitted = ~np.isnan(epochs)


def exponent(x, y):
    """Slope of the logarithms; NaN of fewer than two points."""
    return np.polyfit(np.log(x), np.log(y), 1)[0] if len(x) > 1 else math.nan


numbers = np.array(screens)[fitted]
rows = [
    ("S10a", f"seconds a pass, {sizes[0]} nodes", 0.006, seconds[0]),
    ("S10a", f"seconds a pass, {sizes[-1]} nodes", 0.06, seconds[-1]),
    ("S10a", "exponent of the time by nodes", "linear", exponent(sizes, seconds)),
    *(
        ("S10b", f"epochs until fitted, {number} conditions", "-", count)
        for number, count in zip(screens, epochs, strict=True)
    ),
    (
        "S10b",
        "exponent of the epochs by conditions",
        "sub-linear",
        exponent(numbers, epochs[fitted]),
    ),
    ("S10c", "exponent of the updates by conditions", "-", exponent(numbers, steps[fitted])),
]

figure = Figure(figsize=(12, 3.8), layout="constrained")
a, b, c = figure.subplots(1, 3)
a.plot(sizes, seconds, "o-", color=BLUE)
a.set(xlabel="nodes", ylabel="seconds a pass", ylim=(0, None))
for ax, values, what in ((b, epochs, "epochs"), (c, steps, "updates")):
    ax.plot(screens, values, "o-", color=BLUE)
    ax.set(xscale="log", yscale="log", xlabel="conditions", ylabel=f"{what} until fitted")
for ax, name in zip((a, b, c), "abc", strict=True):
    ax.set_title(name, loc="left")
report(rows, arguments.out, "figS10_complexity", {"figS10.png": figure})
