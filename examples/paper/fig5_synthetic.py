"""Figure 5 of Nilsson et al. (2022), and SI Fig. 11: how much data a known model takes to learn.

    python examples/paper/fig5_synthetic.py --out fig5 [--members 6] [--jobs 2] [--fast]

A reference model of the KEGG network stands for the cell. Models are trained on its answers to
screens of random ligands and asked for 1,000 fresh conditions; those that saw the largest screen
are asked for knock-outs, of which no training condition has one. Trained models stay in the
folder, where a second call goes on. The network is downloaded, or taken from the folder in
`LEMBAS_PYG_MIRROR`.
"""

import math
import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from _figure import options, report
from matplotlib.figure import Figure
from torch_geometric.data import Data

import lembas_pyg as lp
from lembas_pyg.analysis import compare_knock_outs, compare_models
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.metrics import pearson_r
from lembas_pyg.plot.canvas import BLUE, GREY, SERIES, identity_line
from lembas_pyg.synthetic import measure, random_stimuli, screen_stimuli
from lembas_pyg.training import Ensemble, weights_by_fit
from lembas_pyg.training.baselines import predict_baselines
from lembas_pyg.training.workers import run_tasks

# r of the original code on 1,000 test conditions, by ligands and number of training conditions.
ORIGINAL = {
    2: {10: 0.279, 50: 0.724, 100: 0.866, 400: 0.919, 800: 0.941},
    3: {10: 0.345, 50: 0.689, 100: 0.874, 400: 0.927, 800: 0.967},
    5: {10: 0.440, 50: 0.798, 100: 0.895, 400: 0.976, 800: 0.984},
}
# Controls of the paper, at 100 conditions of 5 ligands.
CONTROLS = {"scrambled y": 0.10, "only regularisation": 0.15, "train mean": 0.16}
TEST, KNOCK_OUT = (1000, 5, 1), (100, 5, 2)  # conditions, ligands, seed
SMALL = 100  # conditions of a screen that is fitted with a larger L2
FAST = {"conditions": [10, 20], "ligands": [5], "members": 2, "epochs": 3}


def seeded(seed):
    """A source of randomness."""
    return torch.Generator().manual_seed(seed)


class Cell:
    """The reference model and what it answers."""

    def __init__(self, out):
        dataset = lp.datasets.KEGGSynthetic(str(out / "KEGGSynthetic"))
        self.network = dataset[0]
        names = np.array(self.network.node_name)
        self.ligands = names[self.network.ligand_mask.numpy()].tolist()
        model = lp.LEMBAS(self.network, radius=None).double()
        self.model = load_parameters(model, dataset.parameters())

    def answer(self, number, num_active, seed, draw=random_stimuli):
        """Its TF activities under drawn stimuli."""
        stimuli = draw(self.ligands, number, num_active, generator=seeded(seed))
        return measure(self.model, self.network, stimuli)

    def screen(self, number, num_active, scrambled=False):
        """Training conditions; a larger screen is another one, not a longer one."""
        data = self.answer(number, num_active, number + num_active, screen_stimuli)
        if scrambled:
            data.y = data.y[:, torch.randperm(number, generator=seeded(0))]
        return data


class Task(NamedTuple):
    """One model to train on a screen, or on a control."""

    name: str
    data: Data
    config: lp.TrainingConfig

    def __str__(self):
        """The name of its file."""
        return f"{self.name}-seed{self.config.seed}"


def train(task, out, network):
    """Parameters of one model, unless it was trained before, and its seconds."""
    torch.set_num_threads(1)
    config = task.config
    model = lp.LEMBAS(network, **config.model_options(), generator=seeded(config.seed))
    started = time.process_time()
    file = out / "members" / f"{task}.pt"
    lp.fit(model, task.data, config, checkpoint=file, resume=True, progress=False)
    return model.state_dict(), time.process_time() - started


def settings(config, number, of=800):
    """As many steps for a small screen as for the largest, and smaller weights: less is known."""
    batches, of_all = (math.ceil(n / config.batch_size) for n in (number, of))
    l2 = max(config.l2_weight, 1e-6) if number <= SMALL else config.l2_weight
    epochs = round(config.epochs * of_all / batches)
    return replace(config, epochs=epochs, l2_weight=l2, l2_bias=l2)


def tasks_of(cell, arguments):
    """Screens and controls: name, conditions, settings with a seed for every member."""
    config = lp.TrainingConfig.synthetic()
    tasks = [
        (f"{number}x{num_active}", cell.screen(number, num_active), settings(config, number))
        for num_active in arguments.ligands
        for number in arguments.conditions
    ]
    number = min(100, max(arguments.conditions))
    scrambled, silent = cell.screen(number, 5, scrambled=True), cell.screen(number, 5)
    silent.y = torch.full_like(silent.y, torch.nan)
    silent.y[silent.tf_mask.nonzero()[0], 0] = 0.5  # one value, as training asks for some
    tasks += [
        ("scrambled y", scrambled, settings(config, number)),
        ("only regularisation", silent, settings(replace(config, uniform=1e-4), number)),
    ]
    if arguments.fast:
        tasks = [(name, data, replace(c, epochs=FAST["epochs"])) for name, data, c in tasks]
    return [
        Task(name, data, replace(c, seed=seed))
        for name, data, c in tasks
        for seed in range(1 if name in CONTROLS else arguments.members)
    ]


def baselines(train_data, test):
    """Pearson r of the mean of every TF, and of ridge on ligands saturated as in the network."""
    act = lp.nn.michaelis_menten_like
    x = [act(3 * d.x[d.ligand_mask]).T.double().numpy() for d in (train_data, test)]
    y = train_data.y[train_data.tf_mask].T.double().numpy()
    found = predict_baselines(x[0], y, x[1], names=["train mean", "ridge"])
    measured = test.y[test.tf_mask].T.double()
    return {name: pearson_r(torch.tensor(values), measured) for name, values in found.items()}


def ensemble_of(members, screen):
    """Average of models; who fits a TF best in training has most to say of it."""
    return Ensemble(members, limits=None, weights=weights_by_fit(members, screen))


def r_where_steady(model, data):
    """Pearson r over the conditions in which a model, or every member, is steady."""
    found = lp.predict(model, data)
    steady = found.converged.view(-1, found.y.size(1)).all(dim=0)
    return pearson_r(found.y[:, steady], data.y[data.tf_mask][:, steady].double())


def score(models, cell, test, screens, seconds):
    """Pearson r of ensembles and single members for every screen, beside baselines."""
    rows = []
    for name, members in models.items():
        r = [r_where_steady(model, test) for model in members]
        together = r_where_steady(ensemble_of(members, screens[name]), test)
        row = {"screen": name, "r": together, "r_one_member": np.mean(r)}
        if name not in CONTROLS:
            number, num_active = map(int, name.split("x"))
            row |= {"conditions": number, "ligands": num_active}
            row |= {"original": ORIGINAL.get(num_active, {}).get(number, np.nan)}
            row |= baselines(screens[name], test)
        rows.append(row | {"seconds": np.mean(seconds[name])})
    return pd.DataFrame(rows)


def draw(scores, fit, knock_outs, states):
    """Figure 5 a-c, and SI Fig. 11e."""
    figure = Figure(figsize=(11, 9.5), layout="constrained")
    (a, b), (c, d) = figure.subplots(2, 2)
    for (ligands, rows), colour in zip(scores.groupby("ligands"), SERIES, strict=False):
        a.plot(rows["conditions"], rows["r"], "o-", color=colour, label=f"{ligands:.0f} ligands")
        a.plot(rows["conditions"], rows["original"], "s:", color=colour, markersize=4)
    a.plot([], [], "s:", color=GREY, markersize=4, label="original code")
    a.set(xscale="log", xlabel="training conditions", ylabel="Pearson r, test conditions")
    ticks = sorted(set(scores["conditions"].dropna()))
    a.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    a.minorticks_off()
    a.set_ylim(0, 1.02)
    a.legend(loc="lower right", fontsize="small")
    lp.plot.plot_fit(fit, ax=b)
    known = knock_outs.dropna(subset=["reference", "delta"])
    true, said = known["reference"], known["delta"]
    shown = known[["reference", "delta"]].abs().max(axis=1) > 0.01
    c.scatter(true[shown], said[shown], s=2, color=BLUE, alpha=0.3, linewidths=0, rasterized=True)
    identity_line(c, true, said)
    c.set(xlabel="change of TF activity, reference", ylabel="change of TF activity, predicted")
    d.hist(states, bins=np.linspace(-1, 1, 41), color=BLUE)
    d.set(xlabel="Pearson r of a node's state, test conditions", ylabel="nodes", yscale="log")
    titles = "a  test conditions", "b  the largest screen", "c  its knock-outs", "d  its states"
    for ax, title in zip((a, b, c, d), titles, strict=True):
        ax.set_title(title, loc="left")
    return figure


def main():
    """Train, ask, draw."""
    parser = options(__doc__, "fig5", "two screens, three epochs; the scores say nothing")
    parser.add_argument("--conditions", type=int, nargs="+", default=[10, 50, 100, 400, 800])
    parser.add_argument("--ligands", type=int, nargs="+", default=[2, 3, 5])
    parser.add_argument("--members", type=int, default=6, help="models a screen (default: 6)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    arguments = parser.parse_args()
    test_size, knock_out_size, num_nodes = TEST, KNOCK_OUT, None
    if arguments.fast:
        for name in ("conditions", "ligands", "members"):
            setattr(arguments, name, FAST[name])
        arguments.out, test_size, knock_out_size, num_nodes = (
            arguments.out / "fast",
            (20, 5, 1),
            (5, 5, 2),
            10,
        )
    torch.set_num_threads(1)
    (arguments.out / "members").mkdir(parents=True, exist_ok=True)
    cell = Cell(arguments.out)
    test, for_knock_out = cell.answer(*test_size), cell.answer(*knock_out_size)
    tasks = tasks_of(cell, arguments)
    models, seconds = {}, {}
    work = partial(train, out=arguments.out, network=cell.network)
    trained = {str(task): result for task, result in run_tasks(work, tasks, jobs=arguments.jobs)}
    for task in tasks:  # they are done in any order
        state, used = trained[str(task)]
        model = lp.LEMBAS(cell.network, train_output=False)
        model.load_state_dict(state)
        models.setdefault(task.name, []).append(model)
        seconds.setdefault(task.name, []).append(used)
    screens = {task.name: task.data for task in tasks}
    scores = score(models, cell, test, screens, seconds)
    print(scores.round(3).to_string(index=False, na_rep=""), "\n")
    largest = f"{max(arguments.conditions)}x{max(arguments.ligands)}"
    members = models[largest]
    inside = ~(cell.network.ligand_mask | cell.network.tf_mask)
    nodes = [cell.network.node_name[i] for i in inside.nonzero().view(-1).tolist()][:num_nodes]
    ensemble = ensemble_of(members, screens[largest])
    changes, table = compare_knock_outs(ensemble, cell.model, for_knock_out, nodes)
    single, _ = compare_knock_outs(members[0], cell.model, for_knock_out, nodes)
    recovered, states = compare_models(members[0], cell.model, test)
    rows = [
        ("5a", f"r, {row.screen} ligands", row.original, row.r)
        for row in scores.itertuples()
        if row.screen not in CONTROLS
    ]
    rows += [
        ("5a", f"r, {row.screen} ligands, one member", row.original, row.r_one_member)
        for row in scores.itertuples()
        if row.screen not in CONTROLS and len(models[row.screen]) > 1
    ]
    rows += [
        ("S11b", f"r, {row.screen}", CONTROLS[row.screen], row.r)
        for row in scores.itertuples()
        if row.screen in CONTROLS
    ]
    if len(members) > 1:
        rows.append(("5c", f"r of knock-outs, {len(members)} members", 0.80, changes["r"]))
    rows += [
        ("5c", "r of knock-outs, one member", 0.80, single["r"]),
        ("5c", "r of those above 0.01", 0.83, changes["r_large"]),
        ("5c", "equal signs of those above 0.01", 0.91, changes["sign"]),
        ("S11d", "r of weights, one member", 0.52, recovered["r_weights"]),
        ("S11e", "median r of internal states, one member", 0.96, recovered["median_r_states"]),
    ]
    y = lp.predict(ensemble, test).y
    fit = pd.DataFrame(
        {"measured": test.y[test.tf_mask].flatten(), "predicted": y.flatten()}
    ).dropna()
    picture = draw(scores, fit, table, states)
    lp.io.write_tsv(scores, arguments.out / "scores.tsv")
    report(rows, arguments.out, "fig5_synthetic", {"fig5.png": picture})


if __name__ == "__main__":
    main()
