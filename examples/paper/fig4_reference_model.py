"""Figure 4 of Nilsson et al. (2022): a model that stands for the cell, made without data.

    python examples/paper/fig4_reference_model.py --out fig4 [--seed 0] [--fast]

Parameters of the KEGG network are found by what TF activities should look like, and compared with
random ones and with those published; the column `paper` holds what the published parameters give
here. The parameters stay in the folder as `reference-parameters.tsv`. `--fast` stops after 20
steps.
"""

import time
from dataclasses import replace

import torch
from _figure import options, report
from matplotlib.figure import Figure

from lembas_pyg import LEMBAS, TrainingConfig
from lembas_pyg.analysis import activity_by_tf, describe_activities, linearity
from lembas_pyg.checkpoint import load_parameters, to_parameters
from lembas_pyg.datasets import KEGGSynthetic
from lembas_pyg.io import write_parameters
from lembas_pyg.network import add_conditions
from lembas_pyg.plot.canvas import BLUE, GREY, ORANGE, VERMILLION
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import parameterise, random_model, random_stimuli

arguments = options(__doc__, "fig4", "20 steps instead of all").parse_args()
arguments.out.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)
config = replace(TrainingConfig.reference_model(), seed=arguments.seed)
number = 2000
if arguments.fast:
    config, number = replace(config, epochs=20), 200


def seeded(seed):
    """A source of randomness, other than that of the parameters."""
    return torch.Generator().manual_seed(seed)


dataset = KEGGSynthetic(str(arguments.out / "KEGGSynthetic"))
network = dataset[0]
ligands = [network.node_name[i] for i in network.ligand_mask.nonzero().view(-1).tolist()]
published = load_parameters(LEMBAS(network, radius=None).double(), dataset.parameters())
started = time.perf_counter()
ours = parameterise(network, config)
seconds = time.perf_counter() - started
write_parameters(to_parameters(ours), arguments.out / "reference-parameters.tsv")
models = {
    "random": random_model(network, generator=seeded(arguments.seed)),
    "published": published,
    "ours": ours,
}

# b, c: fresh conditions of five ligands.
fresh = add_conditions(network, random_stimuli(ligands, number, 5, generator=seeded(1001)))
spread = describe_activities(models, fresh)
shown = add_conditions(network, random_stimuli(ligands, 100, 5, generator=seeded(1002)))
# d: the same stimuli for both.
levels = (1, 2, 3, 5, 10)
linear = {
    name: linearity(models[name], network, levels, num_conditions=number, generator=seeded(1003))
    for name in ("published", "ours")
}

variance, dead = (spread.loc[name] for name in ("variance of a TF, mean", "share of dead TFs"))
rows = [
    ("4b", "variance of a TF, mean, random parameters", "hardly any", variance["random"]),
    ("4b", "share of dead TFs, random parameters", "-", dead["random"]),
]
rows += [("4c", name, row["published"], row["ours"]) for name, row in spread.iterrows()]
rows += [("4c", "seconds", "-", seconds)]
rows += [
    ("4d", f"r, {what}, {level} ligands", *(linear[name].loc[level, column] for name in linear))
    for column, what in (("r_single", "fit to single ligands"), ("r_fitted", "linear fit"))
    for level in levels
]

figure = Figure(figsize=(13, 7.5), layout="constrained")
(b, c, original), (means, variances, d) = figure.subplots(2, 3)
for ax, name, title in (
    (b, "random", "b  random parameters"),
    (c, "ours", "c  ours"),
    (original, "published", "c  published"),
):
    y = predict(models[name], shown).y
    image = ax.imshow(y, vmin=0, vmax=1.2, aspect="auto", interpolation="none")
    ax.set(xlabel="conditions", ylabel="TFs")
    ax.set_title(title, loc="left")
figure.colorbar(image, ax=[b, c, original], label="TF activity")
by_tf = {name: activity_by_tf(model, fresh) for name, model in models.items()}
for ax, column, uniform in ((means, "mean", 1 / 2), (variances, "variance", 1 / 12)):
    for (name, table), colour in zip(by_tf.items(), (GREY, ORANGE, BLUE), strict=True):
        ax.plot(table[column].sort_values().to_numpy(), color=colour, label=name)
    ax.axhline(uniform, color=VERMILLION, linestyle=":", label="uniform")
    ax.set(xlabel="TFs in order", ylabel=f"{column} of TF activity")
means.legend(fontsize="small")
for (name, table), colour in zip(linear.items(), (ORANGE, BLUE), strict=True):
    d.plot(levels, table["r_fitted"], "o-", color=colour, label=f"linear fit, {name}")
    d.plot(levels, table["r_single"], "s:", color=colour, label=f"from single ligands, {name}")
d.set(xlabel="ligands", ylabel="Pearson r")
d.set_title("d", loc="left")
d.legend(fontsize="small")
report(rows, arguments.out, "fig4_reference_model", {"fig4.png": figure})
