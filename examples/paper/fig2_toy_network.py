"""Figure 2 d-g of Nilsson et al. (2022): a model recovers the parameters behind its data.

    python examples/paper/fig2_toy_network.py --out fig2 [--seed 0] [--fast] [--paper-settings]

`--paper-settings` trains as the published script does (80,000 steps of one condition each), which
takes minutes; by default the preset `toy` is used (4,000 steps of 20 conditions). `--fast` stops
after a fifth of that. Training finds the parameters roughly; least squares then finish it.
"""

import copy
import dataclasses

import pandas as pd
import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig, fit
from lembas_pyg.checkpoint import load_parameters, to_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.metrics import mean_squared_error
from lembas_pyg.plot import plot_fit, plot_history, plot_parameters
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure, split_conditions
from lembas_pyg.training import refine

parser = options(__doc__, "fig2", "train for a fifth of the epochs")
parser.add_argument("--paper-settings", action="store_true", help="train as the original script")
arguments = parser.parse_args()

# d: reference data from a model with known parameters, split at random.
network, true = ToyNetwork()[0], ToyNetwork.parameters()
reference = load_parameters(LEMBAS(network, radius=None).double(), true)
stimuli = grid_stimuli(["L1", "L2"], num_levels=10)
data = measure(reference, network, stimuli)
generator = torch.Generator().manual_seed(arguments.seed)
train, test = split_conditions(data, 0.8, generator=generator)

# e: a model that sees the data, not the parameters.
config = TrainingConfig.toy_paper() if arguments.paper_settings else TrainingConfig.toy()
config = dataclasses.replace(config, seed=arguments.seed)
if arguments.fast:
    config = dataclasses.replace(config, epochs=config.epochs // 5)
model = LEMBAS(network, **config.model_options(), generator=generator)
history = fit(model, train, config).table


def table(part, name):
    """Measured and predicted TF activity of every condition."""
    measured, predicted = part.y[part.tf_mask].flatten(), predict(model, part).y.flatten()
    return pd.DataFrame({"set": name, "measured": measured.numpy(), "predicted": predicted.numpy()})


# f, g: it generalizes, and its parameters are those of the reference.
predictions = pd.concat([table(train, "train"), table(test, "test")])
refined = copy.deepcopy(model).double()
restarts = 5 if arguments.fast else 20
refinement = refine(refined, train, restarts=restarts, generator=generator)
fitted, exact = to_parameters(model), to_parameters(refined)


def weights(table):
    """True and fitted weights side by side."""
    both = true.merge(table, on=["Source", "Target", "Type"], suffixes=("_true", "_fitted"))
    return both[both["Type"] == "Weight"]


def largest_error(table):
    """Largest relative error of a weight."""
    both = weights(table)
    return float((both["Value_fitted"] / both["Value_true"] - 1).abs().max())


r = {name: rows["measured"].corr(rows["predicted"]) for name, rows in predictions.groupby("set")}
r_weights = weights(fitted)["Value_true"].corr(weights(fitted)["Value_fitted"])
measured = train.y[train.tf_mask]
mean_loss = mean_squared_error(measured.mean().expand_as(measured), measured)
rows = [
    ("2e", "loss, predicting the mean", "dashed line", mean_loss),
    ("2e", "loss, trained", "far below", history["fit"].iat[-1]),
    ("2f", "Pearson r, train", "near perfect accuracy", r["train"]),
    ("2f", "Pearson r, test", "near perfect accuracy", r["test"]),
    ("2g", "Pearson r, weights", "accurately recovered", r_weights),
    ("2g", "largest error of a weight (relative)", "-", largest_error(fitted)),
    ("2g", "loss, refined by least squares", "-", refinement.after),
    ("2g", "largest error of a weight (relative), refined", "-", largest_error(exact)),
]

figure = Figure(figsize=(11, 9.5), layout="constrained")
figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
(d, e), (f, g) = figure.subplots(2, 2)
surface = data.y[data.tf_mask].view(10, 10).T  # the last ligand changes fastest: rows are now L2
image = d.imshow(surface, origin="lower", extent=(-1 / 18, 19 / 18) * 2, cmap="viridis")
figure.colorbar(image, ax=d, label="TF activity (fraction of maximum)")
d.scatter(*test.x[:2], s=60, marker="X", color="white", edgecolor="black", label="test condition")
d.legend(loc="lower right", fontsize="small")
d.set(xlabel="L1 (concentration)", ylabel="L2 (concentration)")
plot_history(history, [], baseline=mean_loss, ax=e)
plot_fit(predictions, hue="set", ax=f)
plot_parameters(true, fitted, ax=g)
for ax, title in (
    (d, "d  reference data"),
    (e, "e  training"),
    (f, "f  fit"),
    (g, "g  parameters"),
):
    ax.set_title(title, loc="left")
report(rows, arguments.out, "fig2_toy_network", {"fig2.png": figure})
both = weights(fitted).assign(Value_refined=weights(exact)["Value_fitted"])
print(both.drop(columns="Type").round(3).to_string(index=False))
