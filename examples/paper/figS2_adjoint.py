"""SI Fig. 2 of Nilsson et al. (2022): the adjoint against back-propagation through time.

    python examples/paper/figS2_adjoint.py --out figS2 [--seed 0] [--fast]

Gradients of a random network of 1,000 nodes and 10,000 interactions, spectral radius 0.9, by the
adjoint fixed point and by recording every step, with their time and the memory that they keep.
`--fast` takes 200 nodes.
"""

import time

import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg.nn import SignalingConv, saved_bytes, spectral_radius, unrolled_state
from lembas_pyg.plot.canvas import BLUE, ORANGE

RADIUS, EDGES_PER_NODE, NUM_CONDITIONS, STEPS = 0.9, 10, 3, (10, 25, 50, 100, 150, 300)

arguments = options(__doc__, "figS2", "200 nodes instead of 1,000").parse_args()
num_nodes = 200 if arguments.fast else 1000
generator = torch.Generator().manual_seed(arguments.seed)
torch.set_num_threads(1)

edge_index = torch.randint(num_nodes, (2, EDGES_PER_NODE * num_nodes), generator=generator)
edge_index = edge_index.unique(dim=1)
weight = torch.randn(edge_index.size(1), generator=generator, dtype=torch.float64)
weight = weight * RADIUS / spectral_radius(edge_index, weight, num_nodes)
drive = torch.randn(num_nodes, NUM_CONDITIONS, generator=generator, dtype=torch.float64)
wanted = torch.rand(num_nodes, NUM_CONDITIONS, generator=generator, dtype=torch.float64)
conv = SignalingConv(num_nodes, len(weight), tol=1e-14).double()


def measured(state):
    """Gradient of a squared error, seconds, and megabytes kept, of a function of the weights."""
    best = float("inf")
    for _ in range(3):
        leaf = weight.clone().requires_grad_()
        started = time.perf_counter()
        value, kept = saved_bytes(lambda leaf=leaf: state(leaf))
        (value - wanted).square().sum().backward()
        best = min(best, time.perf_counter() - started)
    return leaf.grad, best, kept / 1e6


conv.bias.data.zero_()
adjoint, seconds, megabytes = measured(lambda w: conv(drive, edge_index, edge_weight=w))
rows, course = [], []
for steps in STEPS:
    gradient, *cost = measured(lambda w, n=steps: unrolled_state(drive, edge_index, w, conv.act, n))
    course.append((float((gradient - adjoint).norm() / adjoint.norm()), *cost))
errors, times, memory = zip(*course, strict=True)
at = STEPS.index(150)
rows = [
    ("S2", "difference of gradients, 150 steps (relative)", "same", errors[at]),
    ("S2", "difference of gradients, 300 steps (relative)", "same", errors[-1]),
    ("S2", "seconds, 150 steps recorded", "-", times[at]),
    ("S2", "seconds, adjoint", "-", seconds),
    ("S2", "memory kept (MB), 150 steps recorded", "-", memory[at]),
    ("S2", "memory kept (MB), adjoint", "independent of steps", megabytes),
]

figure = Figure(figsize=(12, 3.8), layout="constrained")
for ax, values, own, label in zip(
    figure.subplots(1, 3),
    (errors, times, memory),
    (None, seconds, megabytes),
    ("difference from the adjoint (relative)", "seconds", "memory kept (MB)"),
    strict=True,
):
    ax.plot(STEPS, values, "o-", color=ORANGE, label="steps recorded")
    if own is not None:
        ax.axhline(own, color=BLUE, label="adjoint")
        ax.legend(loc="upper left", fontsize="small")
    ax.set(xlabel="steps", ylabel=label, yscale="log")
report(rows, arguments.out, "figS2_adjoint", {"figS2.png": figure})
