"""SI Fig. 18 of Nilsson et al. (2022): viability of cancer cell lines under drugs.

    python examples/paper/figS18_viability.py --out figS18 [--members 8] [--jobs 2] [--splits]

Fits the screen (b) and holds out whole cell lines, fold by fold (c), with models beside that know
no network; then held-out lines with BRAF V600E against the others under RAF inhibitors. `--splits`
also holds out drugs, curves and random observations. What members said stays in the folder, where a
second call goes on. `--fast` takes every 20th observation and two epochs, to see the script run.
The screen is downloaded, or taken from the folder in `LEMBAS_PYG_MIRROR`.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from _figure import options, report
from matplotlib.figure import Figure

import lembas_pyg as lp
from lembas_pyg.network import select_observations
from lembas_pyg.nn import DrugResponse
from lembas_pyg.training import cross_validate_response, response_folds, train_responses
from lembas_pyg.viability import predict_viability, viability_table

# Recomputed from the published predictions where the text does not have them.
PAPER = {"LEMBAS": "0.70 +- 0.06 (ODE model: 0.69 +- 0.09)"}
RAF, MEK = ("PLX4720", "CHIR265"), ("PD0325901", "Selumetinib")
TOP_DOSE = 3.5  # log10 nM
# High expression may add to a node, too; inner folds score a little higher so (see the how-to).
MODEL = partial(DrugResponse, expression_limit=None)


def settings():
    """What the command line asks for: the screen, its folds, how to train."""
    parser = options(__doc__, "figS18", "every 20th observation, two epochs, one member")
    parser.add_argument("--members", type=int, default=8, help="models a fold (default: 8)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument(
        "--splits", action="store_true", help="hold out drugs, curves and so on too"
    )
    arguments = parser.parse_args()
    dataset = lp.datasets.DrugViability(str(arguments.out / "DrugViability"))
    data, folds = dataset[0], dataset.folds()
    config = replace(lp.TrainingConfig.viability(), seed=arguments.seed)
    if arguments.fast:
        print("FAST: every 20th observation, two epochs, one member. The numbers say nothing.\n")
        data, folds = select_observations(data, range(0, len(folds), 20)), folds[::20]
        config = replace(config, epochs=2)
        arguments.members, arguments.out = 1, arguments.out / "fast"
    return arguments, data, folds, config


def score_rows(found, figure, what):
    """R of the folds of every model, beside the paper's."""
    for row in found.scores.itertuples():
        paper = PAPER.get(row.model, "-") if figure == "S18c" else "-"
        ours = f"{row.fold_mean:.3f} +- {row.fold_sd:.3f} (pooled {row.r:.3f})"
        count = f", mean of {found.members['member'].nunique()}" if row.model == "LEMBAS" else ""
        yield figure, f"{what}, r, {row.model}{count}", paper, ours


def braf_rows(curves):
    """How much less viable held-out lines with BRAF V600E are at high doses."""
    high = curves[curves["log10_dose"] > TOP_DOSE]
    for drug in (*RAF, *MEK):
        part = high[high["drug"] == drug].groupby("group")[["measured", "LEMBAS"]].mean()
        if len(part) == 2:
            gap = part.loc["BRAF V600E"] - part.loc["other"]
            for column, which in (("measured", "measured"), ("LEMBAS", "held out")):
                what = f"BRAF V600E less other lines, {drug}, {which}"
                yield "S18", what, "-", float(gap[column])


def grouped(found, data):
    """Held-out predictions, with the group of each line."""
    has = data.mutation[data.mutations["BRAF V600E"]].bool().tolist()
    group = dict(zip(data.cell_lines, np.where(has, "BRAF V600E", "other"), strict=True))
    table = found.predictions.astype({"log10_dose": float})
    return table.assign(group=table["cell_line"].map(group))


def rising(table, column):
    """Share of steps to the next dose at which a curve rises by more than 0.02."""
    steps = table.sort_values("log10_dose").groupby(["cell_line", "drug"])[column].diff().dropna()
    return float((steps > 0.02).mean())


def draw(fit, found, curves):
    """Fit, held-out predictions, folds, and curves of both groups of lines."""
    figure = Figure(figsize=(17, 8), layout="constrained")
    above, below = figure.subfigures(2, 1)
    panels = above.subplots(1, 3)
    held_out = found.predictions.rename(columns={"LEMBAS": "predicted"})
    for ax, table, title in (
        (panels[0], fit.rename(columns={"viability": "predicted"}), "b  fit"),
        (panels[1], held_out, "c  held-out cell lines"),
    ):
        lp.plot.measured_vs_predicted(table, ax=ax)
        ax.set(xlabel="measured viability", ylabel="predicted viability")
        ax.set_title(title, loc="left")
    lp.plot.fold_scores(found.fold_scores, ax=panels[2])
    drugs = (*RAF, *MEK, "Lapatinib")
    for ax, drug in zip(below.subplots(1, len(drugs), sharey=True), drugs, strict=True):
        part = curves[curves["drug"] == drug].drop(columns="spread")
        lp.plot.plot_dose_response(part.rename(columns={"LEMBAS": "viability"}), by="group", ax=ax)
        ax.set_title(f"{drug}, lines held out", fontsize="medium")
        ax.label_outer()
    return figure


def main():
    """Fit, hold out, compare, draw."""
    torch.set_num_threads(1)
    arguments, data, folds, config = settings()
    out, jobs = arguments.out, arguments.jobs
    validate = partial(cross_validate_response, data, config=config, model=MODEL, jobs=jobs)
    found = validate(folds, members=arguments.members, folder=out / "members")
    rows = [*score_rows(found, "S18c", "held-out lines")]
    if arguments.splits:
        for split in ("drug-cell-line", "random", "drug"):
            by = validate(response_folds(data, split, 3, seed=0), folder=out / split)
            rows += score_rows(by, "S18c", f"held out: {split}")

    models = train_responses(data, config, model=MODEL)
    fit = viability_table(data, predict_viability(models, data, tol=1e-6))
    rows.append(("S18b", "fit, Pearson r", "0.87 +- 0.01", fit["viability"].corr(fit["measured"])))
    # The expression of every node, for longer and hardly held back: how far a fit can go.
    free = replace(config, epochs=2 * config.epochs, l2_expression=1e-6, l2_weight=1e-6)
    whole = train_responses(data, free, model=partial(MODEL, programs=None))
    said = predict_viability(whole, data, tol=1e-6).viability.numpy()
    r = np.corrcoef(said, fit["measured"])[0, 1]
    rows.append(("S18b", "fit, all expression, trained for longer", "0.87 +- 0.01", float(r)))

    curves = grouped(found, data)
    rows += braf_rows(curves)
    rows += [
        ("S18", f"share of steps on which curves rise, {what}", "-", rising(curves, column))
        for what, column in (("measured", "measured"), ("held out", "LEMBAS"))
    ]
    what, seconds = "seconds of training, all members of all folds", found.members["seconds"].sum()
    rows.append(("S18", what, "11 min a fold, 6 cores", seconds))
    report(rows, out, "figS18_viability", {"figS18.png": draw(fit, found, curves)})
    for name, table in (("scores", found.scores), ("curves", curves), ("fit", fit)):
        lp.io.write_tsv(table, out / f"{name}.tsv")


if __name__ == "__main__":  # workers import this file
    main()
