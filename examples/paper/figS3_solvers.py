"""SI Fig. 3 of Nilsson et al. (2022): iteration, Newton's method and a linear solver.

    python examples/paper/figS3_solvers.py --out figS3 [--seed 0] [--fast]

Seconds for the states of ten conditions (a) and for their adjoints (b), to a tolerance of 1e-9, on
random networks of ten interactions a node and on the KEGG network with the published parameters.
`--fast` leaves out the larger networks.
"""

import time
from functools import partial

import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import michaelis_menten_like, spectral_radius
from lembas_pyg.nn.activations import slope_at
from lembas_pyg.nn.direct import newton_state, solve_adjoint_directly
from lembas_pyg.nn.implicit import Solver
from lembas_pyg.nn.operator import SignedOperator
from lembas_pyg.plot.canvas import BLUE, ORANGE
from lembas_pyg.synthetic import random_stimuli

RADIUS, EDGES_PER_NODE, NUM_CONDITIONS, TOL, MAX_STEPS = 0.8, 10, 10, 1e-9, 5000

arguments = options(__doc__, "figS3", "networks of up to 250 nodes").parse_args()
sizes = (125, 250) if arguments.fast else (125, 250, 500)
generator = torch.Generator().manual_seed(arguments.seed)
torch.set_num_threads(1)


def random_network(num_nodes):
    """Wiring, weights and input of a random network."""
    edge_index = torch.randint(num_nodes, (2, EDGES_PER_NODE * num_nodes), generator=generator)
    weight = torch.randn(edge_index.size(1), generator=generator, dtype=torch.float64)
    weight = weight * RADIUS / spectral_radius(edge_index, weight, num_nodes)
    drive = torch.randn(num_nodes, NUM_CONDITIONS, generator=generator, dtype=torch.float64)
    return SignedOperator(edge_index, num_nodes), weight, drive


def kegg():
    """The same of the published reference model under random stimuli of five ligands."""
    dataset = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))
    data = dataset[0]
    model = load_parameters(LEMBAS(data, radius=None).double(), dataset.parameters())
    names = [data.node_name[i] for i in data.ligand_mask.nonzero().view(-1).tolist()]
    stimuli = random_stimuli(names, NUM_CONDITIONS, 5, generator=generator)
    drive = model.input(add_conditions(data, stimuli).x.double()) + model.conv.bias
    return model.operator, model.conv.edge_weight.detach(), drive.detach()


def fastest(function, rounds):
    """Result and least seconds of some calls."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - started)
    return result, min(seconds)


def compare(operator, weight, drive):
    """Seconds of both ways, forward and backward, and how far their results are apart."""
    act = michaelis_menten_like
    solver = Solver(operator, act, TOL, MAX_STEPS)
    point, iteration = fastest(lambda: solver.solve(drive, weight), 5)
    solve = partial(newton_state, operator, weight, drive, act, tol=TOL)
    by_newton, newton = fastest(solve, 1)
    apart = (by_newton.value - point.value).abs().amax(dim=0)
    same = (apart < 1e-5) & point.converged & by_newton.converged
    z = operator.matrix(weight) @ point.value + drive
    slope = slope_at(act, z, point.value)
    grad = torch.ones_like(drive)
    adjoint, backward = fastest(lambda: solver.solve_adjoint(grad, slope, weight), 5)
    direct, linear = fastest(lambda: solve_adjoint_directly(operator, weight, slope, grad), 1)
    return {
        "seconds": (iteration, newton, backward, linear),
        "same": float(same.double().mean()),
        "steps": [float(p.num_steps.double().mean()) for p in (point, by_newton)],
        "adjoint": float((adjoint - direct).abs().max() / direct.abs().max()),
    }


course = [compare(*random_network(size)) for size in sizes]
published = compare(*kegg())
rows = []
magnitude = "an order of magnitude"
for name, found in ((f"{sizes[-1]} random nodes", course[-1]), ("KEGG network", published)):
    iteration, newton, backward, linear = found["seconds"]
    rows += [
        ("S3a", f"seconds, iteration, {name}", "-", iteration),
        ("S3a", f"Newton relative to iteration, {name}", magnitude, newton / iteration),
        ("S3a", f"steps, iteration, {name}", "-", found["steps"][0]),
        ("S3a", f"steps, Newton, {name}", "-", found["steps"][1]),
        ("S3a", f"share of conditions with the same state, {name}", "-", found["same"]),
        ("S3b", f"seconds, adjoint by iteration, {name}", "-", backward),
        ("S3b", f"linear solver relative to iteration, {name}", magnitude, linear / backward),
        ("S3b", f"difference of the adjoints (relative), {name}", "-", found["adjoint"]),
    ]

figure = Figure(figsize=(8.5, 3.8), layout="constrained")
panels = (("a  state", "Newton", 0), ("b  adjoint", "linear solver", 2))
for ax, (title, name, first) in zip(figure.subplots(1, 2), panels, strict=True):
    for offset, colour, label in ((0, BLUE, "iteration"), (1, ORANGE, name)):
        seconds = [found["seconds"][first + offset] for found in course]
        ax.plot(sizes, seconds, "o-", color=colour, label=label)
        kept = published["seconds"][first + offset]
        ax.scatter([409], [kept], marker="s", color=colour, label=f"{label}, KEGG network")
    ax.set(xscale="log", yscale="log", xlabel="nodes", ylabel="seconds")
    ax.set_title(title, loc="left")
    ax.legend(fontsize="small")
report(rows, arguments.out, "figS3_solvers", {"figS3.png": figure})
