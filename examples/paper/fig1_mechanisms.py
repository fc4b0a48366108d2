"""Figure 1 and SI Fig. 1 of Nilsson et al. (2022): networks that approximate mechanisms.

    python examples/paper/fig1_mechanisms.py --out fig1 [--seed 0] [--fast | --paper-settings]

Six mechanisms are run to their steady state, and small feed-forward networks learn them from a
7 x 7 grid of source concentrations; r is that over a 20 x 20 grid. All networks of a size train as
one program: on 49 points at once for 2,000 epochs, or with `--paper-settings` as the original
script does (5,000 epochs of batches of 10, minutes). `--fast` takes 3 replicates of 300 epochs.
"""

import pandas as pd
import torch
from _figure import options, report
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lembas_pyg.nn import leaky_relu, michaelis_menten_like, sigmoid
from lembas_pyg.plot.canvas import BLACK
from lembas_pyg.synthetic import (
    MECHANISMS,
    feed_forward_scores,
    mechanism_surface,
    other_form_scores,
)

ACTS = {"MML": michaelis_menten_like, "leaky ReLU": leaky_relu, "sigmoid": sigmoid}
HIDDEN = 0, 5
INDEPENDENT = "independent_activation", "independent_deactivation"

parser = options(__doc__, "fig1", "3 replicates of 300 epochs, two mechanisms of wrong form")
parser.add_argument("--paper-settings", action="store_true", help="train as the original script")
arguments = parser.parse_args()
settings = {"replicates": 10, "epochs": 2000, "batch_size": 49, "lr": 0.01}
if arguments.paper_settings:
    settings |= {"epochs": 5000, "batch_size": 10, "lr": 2e-3}
if arguments.fast:
    settings |= {"replicates": 3, "epochs": 300, "lr": 0.03}
words = {name: mechanism.name for name, mechanism in MECHANISMS.items()}

# a: steady states; c: networks; SI b: mechanisms of another form.
surfaces = {name: mechanism_surface(mechanism) for name, mechanism in MECHANISMS.items()}
fits = [feed_forward_scores(ACTS, n, seed=arguments.seed, **settings) for n in HIDDEN]
scores = pd.concat([table for table, _ in fits])
r = scores.groupby(["hidden", "activation", "mechanism"])["r"].mean()
targets = INDEPENDENT if arguments.fast else words
other = other_form_scores({name: MECHANISMS[name] for name in targets})
other = other.pivot(index="form", columns="mechanism", values="r").loc[list(words), list(targets)]
wrong = {name: other[name].drop(name).max() for name in INDEPENDENT}

rows = []
for name in INDEPENDENT:
    best = {act: r[0, act, name] for act in ACTS}
    paper = {"MML": "best", "leaky ReLU": "lower", "sigmoid": "lower"}
    rows += [(f"1c {words[name]}", f"r, {a}, no hidden layer", paper[a], best[a]) for a in ACTS]
    rows.append((f"S1b {words[name]}", "r, best ODE of wrong form", "lower", wrong[name]))
lowest = r[0, "MML"].drop(list(INDEPENDENT))
rows.append(("1c others", "smallest r, MML, no hidden layer", "acceptable", lowest.min()))
for act in ACTS:
    rows.append(("1c all", f"smallest r, {act}, hidden layer of 5", "excellent", r[5, act].min()))

# Pictures: surfaces and networks; where MML without hidden layer errs.
figure = Figure(figsize=(13, 8.4), layout="constrained")
top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.5])
for ax, (name, surface) in zip(top.subplots(1, 6, sharey=True), surfaces.items(), strict=True):
    image = ax.imshow(surface.T / surface.max().max(), origin="lower", extent=(0, 1, 0, 1))
    ax.set_title(words[name].replace(" ", "\n", 1), fontsize="small")
    ax.set(xlabel="A", ylabel="B" if name == INDEPENDENT[0] else "")
top.colorbar(image, ax=top.axes, label="activity (fraction of maximum)", shrink=0.7)
left, right = bottom.subplots(1, 2)
table = r.unstack("mechanism")[list(words)].reindex(
    [(h, a) for h in HIDDEN for a in ACTS], axis="index"
)
labels = [f"{a}, {h or 'no'} hidden" for h, a in table.index]
for ax, values, names in ((left, table, labels), (right, other, [words[n] for n in other.index])):
    ax.imshow(values, cmap="Blues", vmin=0.5, vmax=1.1, aspect="auto")
    ax.set_xticks(range(values.shape[1]), [words[n] for n in values], rotation=30, ha="right")
    ax.set_yticks(range(len(values)), names)
    for place, value in enumerate(values.to_numpy().ravel()):
        i, j = divmod(place, values.shape[1])
        colour = "white" if value > 0.85 else BLACK
        ax.text(j, i, f"{value:.3f}", color=colour, ha="center", va="center", fontsize="small")
    ax.tick_params(length=0)
left.add_patch(Rectangle((-0.5, -0.5), 2, 1, fill=False, edgecolor=BLACK, linewidth=2))
left.set_title("c  feed-forward networks, mean r", loc="left")
right.set_title("SI b  rate constants fitted, r", loc="left")

errors = Figure(figsize=(13, 2.9), layout="constrained")
errors.get_layout_engine().set(w_pad=0.1)
tests, predicted = fits[0]
for ax, name in zip(errors.subplots(1, 6, sharey=True), words, strict=True):
    chosen = (tests["activation"] == "MML") & (tests["mechanism"] == name)
    surface = mechanism_surface(MECHANISMS[name], 20)
    mean = predicted[torch.tensor(chosen)].mean(dim=0).view(20, 20).numpy()
    error = mean - surface.to_numpy() / surface.max().max()
    image = ax.imshow(error.T, origin="lower", extent=(0, 1, 0, 1), cmap="RdBu")
    image.set_clim(-0.3, 0.3)
    ax.set_title(words[name].replace(" ", "\n", 1), fontsize="small")
    ax.set(xlabel="A", ylabel="B" if name == INDEPENDENT[0] else "")
errors.colorbar(image, ax=errors.axes, label="error (fraction\nof maximum)")

report(rows, arguments.out, "fig1_mechanisms", {"fig1.png": figure, "figS1c.png": errors})
