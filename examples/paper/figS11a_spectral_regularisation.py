"""SI Fig. 11 a of Nilsson et al. (2022): training with and without the spectral term.

    python examples/paper/figS11a_spectral_regularisation.py --out figS11a [--seeds 0 1 2] [--fast]

Ten conditions measured on the synthetic reference model of the KEGG network, the settings and
8,000 epochs of the original script, and along the way the exact spectral radius of every
condition: 4 to 5 minutes a seed on one core. `--fast` trains one seed for a fortieth of that. The
network is downloaded, or taken from the folder in `LEMBAS_PYG_MIRROR`.
"""

import argparse
import dataclasses
import time
import warnings
from pathlib import Path

import pandas as pd
import torch
from _figure import report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.metrics import pearson_r
from lembas_pyg.nn import spectral_radius
from lembas_pyg.plot.canvas import BLACK, BLUE, GREEN, ORANGE
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import measure, random_stimuli
from lembas_pyg.training.run import Run

NUM_TRAIN, NUM_TEST, NUM_ACTIVE, EPOCHS = 10, 200, 5, 8000
# Settings of the spectral term, with colour and mark.
TERMS = {
    "none": ({"spectral": 0.0}, ORANGE, "o"),
    "radius of one condition (paper)": ({"spectral_term": "radius"}, BLUE, "s"),
    "contraction of all conditions": ({"spectral_term": "rate"}, GREEN, "^"),
}

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("figS11a"), help="folder (default: figS11a)")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="(default: 0 1 2)")
parser.add_argument("--fast", action="store_true", help="one seed, a fortieth of the epochs")
arguments = parser.parse_args()
seeds, epochs, every = arguments.seeds, EPOCHS, 100
if arguments.fast:
    seeds, epochs, every = seeds[:1], EPOCHS // 40, 10

dataset = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))
network = dataset[0]
reference = load_parameters(LEMBAS(network, radius=None).double(), dataset.parameters())
ligands = [network.node_name[i] for i in network.ligand_mask.nonzero().view(-1)]


def conditions(number, generator):
    """Random stimuli, and the TF activities of the reference model."""
    stimuli = random_stimuli(ligands, number, NUM_ACTIVE, generator=generator)
    return measure(reference, network, stimuli)


def largest_radius(model, data):
    """Largest spectral radius over the conditions, at the states that the iteration reaches."""
    with torch.no_grad():
        x = data.x.to(model.conv.bias)
        slope = model.slope(model.steady_state(x).value, x).double()
        weight = model.conv.edge_weight.double() * slope.T[:, network.edge_index[1]]
        return max(float(spectral_radius(network.edge_index, w, model.num_nodes)) for w in weight)


def fit_of(model, data):
    """Pearson r at the steady states, and the share of conditions that have none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # counted instead
        prediction = predict(model, data, max_steps=5000)
    r = pearson_r(prediction.y, data.y[data.tf_mask])
    return r, float((~prediction.converged).double().mean())


def trained(term, seed, train, test):
    """History of one training, and its results."""
    config = dataclasses.replace(
        TrainingConfig.synthetic_paper(), epochs=epochs, lr_peak=1 / 8, seed=seed, **TERMS[term][0]
    )
    generator = torch.Generator().manual_seed(seed)
    model = LEMBAS(network, **config.model_options(), generator=generator)
    model.conv.tol, model.conv.max_steps = config.tol, config.max_steps
    model.conv.clip = config.adjoint_clip
    run, points, started = Run(model, train, config), [], time.perf_counter()
    for epoch in range(epochs):
        run.run_epoch()
        if (epoch + 1) % every == 0:
            rows = pd.DataFrame(run.rows[-every:])
            lost = rows["not_converged"].sum() / rows["visits"].sum()
            points.append((epoch + 1, largest_radius(model, train), lost, rows["fit"].mean()))
    seconds = time.perf_counter() - started
    (r_train, lost_train), (r_test, lost_test) = fit_of(model, train), fit_of(model, test)
    history = pd.DataFrame(points, columns=["epoch", "radius", "unsteady", "fit"])
    result = {
        "spectral term": term,
        "seed": seed,
        "largest radius": history["radius"].max(),
        "at the end": history["radius"].iloc[-1],
        "unsteady visits": history["unsteady"].mean(),
        "r train": r_train,
        "r test": r_test,
        "unsteady train": lost_train,
        "unsteady test": lost_test,
        "seconds": seconds,
    }
    return history.assign(term=term, seed=seed), result


histories, results = [], []
for seed in seeds:
    generator = torch.Generator().manual_seed(seed)
    train, test = conditions(NUM_TRAIN, generator), conditions(NUM_TEST, generator)
    for term in TERMS:
        history, result = trained(term, seed, train, test)
        histories.append(history)
        results.append(result)
history, results = pd.concat(histories), pd.DataFrame(results)
print(f"Training on {NUM_TRAIN} conditions for {epochs} epochs, test on {NUM_TEST}\n")
print(results.round(3).to_string(index=False))
arguments.out.mkdir(parents=True, exist_ok=True)
results.to_csv(arguments.out / "results.tsv", sep="\t", index=False)
history.to_csv(arguments.out / "history.tsv", sep="\t", index=False)

figure = Figure(figsize=(11, 8.5), layout="constrained")
figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
(a, b), (c, d) = figure.subplots(2, 2)
for term, (_, colour, marker) in TERMS.items():
    for _, rows in history[history["term"] == term].groupby("seed"):
        a.plot(rows["epoch"], rows["radius"], color=colour, linewidth=1)
        b.plot(rows["epoch"], 100 * rows["unsteady"], color=colour, linewidth=1)
        c.plot(rows["epoch"], rows["fit"], color=colour, linewidth=1)
    rows = results[results["spectral term"] == term]
    d.scatter(rows["r train"], rows["r test"], color=colour, marker=marker, s=60, label=term)
a.axhline(1, color=BLACK, linewidth=0.8)
a.set(xlabel="epoch", ylabel="largest spectral radius\nof the training conditions")
b.set(xlabel="epoch", ylabel="visits without steady state (%)")
c.set(xlabel="epoch", ylabel="mean squared error\n(fraction of maximum)²", yscale="log")
d.set(xlabel="Pearson r, training conditions", ylabel="Pearson r, test conditions")
for ax, title in (
    (a, "exact spectral radius"),
    (b, "steadiness in training"),
    (c, "fit in training"),
    (d, "fit in the end"),
):
    ax.set_title(title, loc="left")
for ax in (a, b, d):
    ax.locator_params(nbins=6)
c.locator_params(axis="x", nbins=6)
figure.legend(*d.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)

median = results.groupby("spectral term").median()
rows = [
    ("S11a", f"{what}, {term}", paper if term == "none" else "-", float(median.loc[term, column]))
    for column, what, paper in (
        ("largest radius", "largest spectral radius seen", "-"),
        ("unsteady visits", "visits without steady state", "diverges"),
        ("r train", "r, training conditions", "poor"),
        ("r test", "r, test conditions", "-"),
    )
    for term in TERMS
]
print()
report(rows, arguments.out, "figS11a_spectral_regularisation", {"figS11a.png": figure})
