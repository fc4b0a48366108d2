"""Figure 6 e-f of Nilsson et al. (2022): what RELA depends on under LPS, by models of all folds.

    python examples/paper/fig6_knock_outs.py --members fig6/members --out fig6-knock-outs
        [--rewired 3] [--fast]

Every node is knocked out (-3) and knocked in (+3) in every model that a cross-validation left
behind (`fig6_ligand_screen.py` writes fig6/members), and ranked by its median effect on RELA.
Beside it stand the nodes that the paper names, and how far the models agree on the order.
`--rewired` trains models of rewired networks in the same way, and asks them as well: a ranking that
they give too is none of the wiring's. `--fast` trains two models for a few epochs, to see the
script run; its ranks say nothing.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from _figure import report
from matplotlib.figure import Figure

import lembas_pyg as lp
from lembas_pyg.network import node_index
from lembas_pyg.surrogate import SURROGATE, add_covariate, find_surrogate
from lembas_pyg.training import load_members
from lembas_pyg.transforms import RewireEdges

CONDITION, TF, STRENGTH = "PBS-BSA_LPS", "RELA", 3.0
# The order in Fig. 6e, after RELA and LPS themselves; of the knock-ins the text names PPP2CA.
PUBLISHED = ["RIPK1", "TICAM1", "TLR4", "IKBKG", "CHUK", "TBK1", "PRKACA", "TLR2"]
KNOCK_IN = "PPP2CA"
COLUMNS = ["rank", "label", "effect", "spread", "agree", "rank_median", "rank_low", "rank_high"]
FAST_FOLDS, FAST_EPOCHS, FAST_NODES = 2, 5, 40


def train_fast(dataset, out):
    """Members of two folds after a few epochs."""
    config = replace(lp.TrainingConfig.ligand_screen(), epochs=FAST_EPOCHS)
    folds = dataset.folds()
    folds = folds[folds["Index"].isin(folds["Index"].unique()[:FAST_FOLDS])]
    folder = out / "members"
    lp.cross_validate(dataset[0], folds, config, baselines=False, folder=folder)
    return folder


def show(ranked, names, members, top):
    """Print the first of a ranking, and where the nodes of the paper are in it."""
    print(ranked[COLUMNS].head(top).round(3).to_string(index=False))
    rows = ranked[ranked["label"].isin(names)]
    print("Of the paper:")
    print(rows[["label", "rank", "effect", "rank_low", "rank_high", "agree"]].round(3).to_string())
    sure = ranked["agree"] >= 0.95 * members
    print(f"Sign agreed on by 95 % of the models: {sure.sum()} of {len(ranked)} nodes", end="; ")
    print(f"of the first 20: {sure[:20].sum()}")


def agreement(effects):
    """Mean Spearman correlation of two models, over the absolute effects of all nodes."""
    wide = effects.pivot(index="node", columns="member", values="delta").abs()
    correlation = wide.corr("spearman").to_numpy()
    pairs = len(wide.columns) * (len(wide.columns) - 1)
    return (correlation.sum() - correlation.trace()) / pairs


def ask_rewired(data, config, seeds, tf):
    """Ranks that models of rewired networks give the nodes of the paper; one trained for each."""
    if not seeds:
        return
    for keep, name in ((False, "rewired"), (True, "rewired, ligand edges kept")):
        print(f"\nKnock-outs in networks {name}")
        for seed in seeds:
            rewire = RewireEdges(seed, keep_ligand_edges=keep, keep_tfs_reachable=True)
            wide = add_covariate(rewire(data), SURROGATE, find_surrogate(data).value)
            model = lp.LEMBAS(
                wide, generator=torch.Generator().manual_seed(seed), **config.model_options()
            )
            lp.fit(model, wide, replace(config, seed=seed), progress=False)
            effects = lp.analysis.knock_out(
                model, wide, list(data.node_name), CONDITION, -STRENGTH, tfs=tf
            )
            ranked = lp.analysis.rank_knock_outs(effects, data=wide).set_index("label")
            found = {label: int(ranked.loc[label, "rank"]) for label in PUBLISHED}
            first = ", ".join(ranked.index[:10])
            print(f"  of the paper: {found}; first: {first}")


def main():
    """Rank, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=Path, default=Path("fig6/members"), help="of fig6")
    parser.add_argument("--out", type=Path, default=Path("fig6-knock-outs"), help="folder")
    parser.add_argument("--rewired", type=int, default=0, help="rewired networks of a kind (0)")
    parser.add_argument("--fast", action="store_true", help="two small models, some nodes")
    arguments = parser.parse_args()
    dataset = lp.datasets.LigandScreen(str(arguments.out / "LigandScreen"))
    folder = arguments.members
    out = arguments.out / "fast" if arguments.fast else arguments.out
    if arguments.fast:
        print("FAST: two models of a few epochs. The ranks say nothing.\n")
        folder = train_fast(dataset, out)
    elif not any(folder.glob("fold-*.pt")):
        print(f"{folder} holds no models of a cross-validation; run fig6_ligand_screen.py first.")
        return

    ensemble, data = load_members(folder, dataset[0])
    tf = data.node_name[int(node_index(data, label=TF))]
    nodes = list(dataset[0].node_name)  # without the covariate of the models
    if arguments.fast:
        named = node_index(data, label=[TF, *PUBLISHED, KNOCK_IN]).tolist()
        nodes = list(dict.fromkeys([data.node_name[i] for i in named] + nodes[:FAST_NODES]))
    options = {"conditions": CONDITION, "tfs": tf, "by_member": True}
    knocked_out = lp.analysis.knock_out(ensemble, data, nodes, strength=-STRENGTH, **options)
    knocked_in = lp.analysis.knock_in(ensemble, data, nodes, strength=STRENGTH, **options)
    print(f"{len(ensemble)} models, {len(nodes)} nodes, effect on {TF} under {CONDITION}")

    figure, numbers = Figure(figsize=(9, 4.5), layout="constrained"), []
    for effects, names, top, axes, file in (
        (knocked_out, PUBLISHED, 10, figure.add_subplot(1, 2, 1), "knock-outs.tsv"),
        (knocked_in, [KNOCK_IN], 5, figure.add_subplot(1, 2, 2), "knock-ins.tsv"),
    ):
        print(f"\n{'Knock-outs' if effects is knocked_out else 'Knock-ins'}")
        ranked = lp.analysis.rank_knock_outs(effects, top=top, data=data)
        show(ranked, names, len(ensemble), 2 * top)
        print(f"Spearman correlation of two models, mean: {agreement(effects):.3f}")
        ranks = ranked.set_index("label")["rank"]
        if effects is knocked_out:
            # After the node itself and its ligand come those that the paper names, in this order.
            numbers += [
                ("6e", f"rank of {name}", place, ranks[name])
                for place, name in enumerate(PUBLISHED, start=3)
            ]
            numbers += [("6e", "Spearman correlation of two models", "-", agreement(effects))]
        else:
            dampens = ranked.set_index("label").loc[KNOCK_IN]
            numbers += [("6f", f"rank of the knock-in of {KNOCK_IN}", "-", dampens["rank"])]
            numbers += [("6f", f"its effect on {TF}", "below 0", dampens["effect"])]
        lp.io.write_tsv(ranked, out / file)
        lp.plot.plot_ranked_knock_outs(effects, data, top=top, ax=axes)
    print()
    report(numbers, out, "fig6_knock_outs", {"fig6ef.png": figure})
    config = lp.TrainingConfig.ligand_screen()
    config = replace(config, epochs=FAST_EPOCHS) if arguments.fast else config
    ask_rewired(dataset[0], config, range(1, arguments.rewired + 1), tf)


if __name__ == "__main__":
    main()
