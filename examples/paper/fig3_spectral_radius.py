"""Figure 3 b-d of Nilsson et al. (2022), and SI Fig. 6: how to make a steady state stable.

    python examples/paper/fig3_spectral_radius.py --out fig3 [--seed 0] [--fast]

A random transition matrix whose spectral radius is above 1 is brought below 1 by gradient descent
on the spectral loss. `--fast` compares a tenth of the derivatives with finite differences.
"""

import numpy as np
import torch
from _figure import options, report
from matplotlib.figure import Figure
from torch_geometric.utils import to_dense_adj

from lembas_pyg.nn import spectral_radius
from lembas_pyg.plot.canvas import BLACK, BLUE, GREY, ORANGE, identity_line
from lembas_pyg.training import shrink_radius

# Size and share of non-zeros are those of the text, radii those of the original scripts. The text
# stops after 200 steps, we at the radius that is wanted.
NUM_NODES, NON_ZERO, BEFORE, AFTER, STEPS_OF_TEXT = 100, 0.2, 1.2, 0.95, 200
NON_ZERO_CHECKED, RADIUS_CHECKED = 0.1, 0.95
DIFFERENCE, NUM_ITERATIONS = 1e-6, 150

arguments = options(__doc__, "fig3", "check a tenth of the derivatives").parse_args()
generator = torch.Generator().manual_seed(arguments.seed)


def random_network(non_zero, radius):
    """Edges with normally distributed weights, scaled to a spectral radius."""
    chosen = torch.rand(NUM_NODES, NUM_NODES, generator=generator) < non_zero
    edge_index = chosen.nonzero().T
    weight = torch.randn(edge_index.size(1), generator=generator, dtype=torch.float64)
    return edge_index, weight * radius / spectral_radius(edge_index, weight, NUM_NODES)


def dense(edge_index, weight):
    """Transition matrix, rows targets."""
    return to_dense_adj(edge_index, edge_attr=weight, max_num_nodes=NUM_NODES)[0].T.numpy()


def deviation(matrix, start):
    """First node's deviation from steady state, step by step."""
    course = [start]
    for _ in range(NUM_ITERATIONS):
        course.append(matrix @ course[-1])
    return np.stack(course)[:, 0]


# b: descend until the radius is the wanted one.
edge_index, before = random_network(NON_ZERO, BEFORE)
after, radii = shrink_radius(edge_index, before, NUM_NODES, AFTER)
midway = radii[min(STEPS_OF_TEXT, len(radii) - 1)]
matrices = {"before": dense(edge_index, before), "after": dense(edge_index, after)}
r_weights = float(torch.corrcoef(torch.stack([before, after]))[0, 1])
change = float((after - before).norm() / before.norm())
flipped = float(((before * after) < 0).double().mean())

# d: a deviation from steady state grows before, and dies out after.
start = torch.randn(NUM_NODES, generator=generator, dtype=torch.float64).numpy()
courses = {name: deviation(matrix, start) for name, matrix in matrices.items()}
size = {name: abs(course[-20:]).max() / abs(course[:20]).max() for name, course in courses.items()}

# SI Fig. 6: derivatives against central differences of dense eigenvalues.
checked_index, checked = random_network(NON_ZERO_CHECKED, RADIUS_CHECKED)
checked.requires_grad_()
spectral_radius(checked_index, checked, NUM_NODES).backward()
picked = range(0, len(checked), 10 if arguments.fast else 1)
matrix = dense(checked_index, checked.detach())
numerical = []
for target, source in checked_index.flip(0).T[list(picked)].tolist():
    either = []
    for change_of_weight in (DIFFERENCE, -DIFFERENCE):
        changed = matrix.copy()
        changed[target, source] += change_of_weight
        either.append(abs(np.linalg.eigvals(changed)).max())
    numerical.append((either[0] - either[1]) / (2 * DIFFERENCE))
analytic = checked.grad[list(picked)].numpy()
error = np.linalg.norm(analytic - numerical) / np.linalg.norm(numerical)

late = f"deviation, last 20 of {NUM_ITERATIONS} steps relative to first 20"
rows = [
    ("3b", "spectral radius before", "above 1", radii[0]),
    ("3b", f"spectral radius after {STEPS_OF_TEXT} steps", "below 1", midway),
    ("3b", "spectral radius at the end", "-", radii[-1]),
    ("3b", "steps until then", "200", len(radii) - 1),
    ("3c", "Pearson r, weights before and after", "strong", r_weights),
    ("3c", "change of the weights (norm, relative)", "-", change),
    ("3c", "share of weights that changed sign", "-", flipped),
    ("3d", f"{late}, before", "grows", size["before"]),
    ("3d", f"{late}, after", "stable", size["after"]),
    ("S6", f"error of {len(analytic)} derivatives (norm, relative)", "same", error),
]

figure = Figure(figsize=(11, 9.5), layout="constrained")
figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
(b, c), (d, s) = figure.subplots(2, 2)
circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
b.plot(circle.real, circle.imag, color=BLACK, linewidth=0.8, label="|λ| = 1")
for name, colour, marker in (("before", ORANGE, "o"), ("after", BLUE, ".")):
    value = np.linalg.eigvals(matrices[name])
    text = f"{name}, ρ = {abs(value).max():.2f}"
    b.scatter(value.real, value.imag, s=36, color=colour, marker=marker, linewidths=0, label=text)
    d.plot(courses[name], color=colour, linewidth=1.2, label=text)
b.set(xlabel="real part of λ", ylabel="imaginary part of λ", aspect="equal")
b.set(xlim=(-1.35, 1.35), ylim=(-1.35, 1.75))
b.legend(loc="upper center", ncols=3, fontsize="small", columnspacing=1, handletextpad=0.3)
c.scatter(before, after, s=9, color=BLUE, alpha=0.5, linewidths=0)
identity_line(c, before.numpy(), after.numpy())
c.set(xlabel="weight before", ylabel="weight after")
c.text(0.04, 0.96, f"r = {r_weights:.4f}, n = {len(before):,}", transform=c.transAxes, va="top")
d.axhline(0, color=GREY, linewidth=0.8, zorder=0)
d.set(xlabel="iteration", ylabel="deviation of the first node\n(dimensionless)")
d.set_yscale("symlog", linthresh=1)
d.set_yticks([-1e10, -1e5, -1, 1, 1e5, 1e10])
d.legend(loc="upper left", fontsize="small")
s.scatter(numerical, analytic, s=9, color=BLUE, alpha=0.5, linewidths=0)
identity_line(s, np.asarray(numerical), analytic)
s.set(xlabel="numerical derivative of ρ", ylabel="derivative of ρ from eigenvectors")
s.text(0.04, 0.96, f"relative error {error:.0e}", transform=s.transAxes, va="top")
for ax, title in (
    (b, "b  eigenvalues"),
    (c, "c  weights"),
    (d, "d  trajectories"),
    (s, "SI Fig. 6  derivatives"),
):
    ax.set_title(title, loc="left")
for ax in (c, s):
    ax.locator_params(nbins=6)
report(rows, arguments.out, "fig3_spectral_radius", {"fig3.png": figure})
