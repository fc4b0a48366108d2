"""Figure 2 d-g of Nilsson et al. (2022): a model recovers the parameters behind its data.

    python examples/paper/fig2_toy_network.py --out fig2 [--seed 0] [--fast | --paper-settings]

`--paper-settings` trains as the published script does (80,000 steps of one condition each), which
takes minutes; by default the preset `toy` is used (4,000 steps of 20 conditions). `--fast` stops
after a fifth of that, before the parameters are found.
"""

import argparse
import dataclasses
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig, fit
from lembas_pyg.checkpoint import load_parameters, to_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.metrics import mean_squared_error
from lembas_pyg.plot import plot_fit, plot_history, plot_parameters
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure, split_conditions

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("fig2"), help="folder (default: fig2)")
parser.add_argument("--seed", type=int, default=0, help="of split and training (default: 0)")
length = parser.add_mutually_exclusive_group()
length.add_argument("--fast", action="store_true", help="train for a fifth of the epochs")
length.add_argument("--paper-settings", action="store_true", help="train as the original script")
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
fitted = to_parameters(model)
both = true.merge(fitted, on=["Source", "Target", "Type"], suffixes=("_true", "_fitted"))
weights = both[both["Type"] == "Weight"]
r = {name: rows["measured"].corr(rows["predicted"]) for name, rows in predictions.groupby("set")}
r_weights = weights["Value_true"].corr(weights["Value_fitted"])
measured = train.y[train.tf_mask]
loss = history["fit"].iat[-1]
mean_loss = mean_squared_error(measured.mean().expand_as(measured), measured)

print("Figure 2                                  paper                    here")
print(f"e  loss, predicting the mean              dashed line              {mean_loss:.3f}")
print(f"e  loss, trained                          far below                {loss:.1e}")
print(f"f  Pearson r, train                       near perfect accuracy    {r['train']:.4f}")
print(f"f  Pearson r, test                        near perfect accuracy    {r['test']:.4f}")
print(f"g  Pearson r, weights                     accurately recovered     {r_weights:.4f}\n")
print(weights[["Source", "Target", "Value_true", "Value_fitted"]].round(2).to_string(index=False))

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
arguments.out.mkdir(parents=True, exist_ok=True)
figure.savefig(arguments.out / "fig2.png", dpi=150)
print(f"\nPicture: {arguments.out / 'fig2.png'}")
