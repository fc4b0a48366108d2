"""Figure 6 g of Nilsson et al. (2022): nodes that some TF is sensitive to, by models of all folds.

    python examples/paper/fig6g_sensitivity.py --members fig6/members --out fig6g [--fast]

Of each condition only the models that were trained on it are asked, as by the authors; their median
is taken, then its extreme over conditions. Nodes, neither ligand nor TF, with an absolute value of
0.5 or more on some TF are counted: 235 in the paper. Beside it stands what the other models say,
those that have not seen the condition, and every model by itself. `--fast` trains two models for a
few epochs and asks them about some conditions, to see the script run; its numbers say nothing.
"""

import argparse
from pathlib import Path

from _figure import report
from fig6_knock_outs import train_fast  # the script beside this one

import lembas_pyg as lp
from lembas_pyg.training import load_members

PUBLISHED, THRESHOLD, FAST_CONDITIONS = 235, 0.5, 6


def count(models, data, **options):
    """Hubs, and the table they are read from."""
    table = lp.analysis.sensitivity(models, data, strongest=True, **options)
    return lp.analysis.hubs(table, data, THRESHOLD), table


def say(name, found):
    """Print the number of hubs, and how many models agree on their signs."""
    agree = (found["agree"] / found["members"]).mean()
    print(f"{name:<52} {len(found):>5}   models of one sign {agree:.2f}")


def main():
    """Ask, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=Path, default=Path("fig6/members"), help="of fig6")
    parser.add_argument("--out", type=Path, default=Path("fig6g"), help="folder")
    parser.add_argument("--fast", action="store_true", help="two small models, some conditions")
    arguments = parser.parse_args()
    dataset = lp.datasets.LigandScreen(str(arguments.out / "LigandScreen"))
    folder, out = arguments.members, arguments.out
    if arguments.fast:
        print("FAST: two models of a few epochs. The numbers say nothing.\n")
        out = out / "fast"
        folder = train_fast(dataset, out)
    elif not any(folder.glob("fold-*.pt")):
        print(f"{folder} holds no models of a cross-validation; run fig6_ligand_screen.py first.")
        return

    ensemble, data = load_members(folder, dataset[0])
    conditions = None
    if arguments.fast:
        held_out = set.union(*map(set, ensemble.held_out))
        conditions = [name for name in data.conditions if name in held_out][:FAST_CONDITIONS]
    print(f"{len(ensemble)} models; internal nodes with an absolute sensitivity of {THRESHOLD}")
    print(f"{'the paper':<52} {PUBLISHED:>5}")
    found, table = count(ensemble, data, conditions=conditions, trained_on=True)
    say("median of the models trained on the condition", found)
    unseen, _ = count(ensemble, data, conditions=conditions, trained_on=False)
    say("median of the models that have not seen it", unseen)
    print(f"{'  of both':<52} {len(set(found['node']) & set(unseen['node'])):>5}")
    alone = [len(count(model, data, conditions=conditions)[0]) for model in ensemble.models]
    print(f"{'single models, all conditions, mean':<52} {sum(alone) / len(alone):>5.0f}", end="")
    print(f"   from {min(alone)} to {max(alone)}")

    print(f"\nFirst of the median\n{found.head(12).round(2).to_string(index=False)}")
    lp.io.write_tsv(found, out / "hubs.tsv")
    if len(found):
        axes = lp.plot.plot_sensitivity(table, data, threshold=THRESHOLD)
        axes.figure.savefig(out / "fig6g.png", dpi=150)
    print()
    report(
        [
            ("6g", "hubs, median of the models trained on the condition", PUBLISHED, len(found)),
            ("6g", "hubs, median of the models that have not seen it", "-", len(unseen)),
            ("6g", "hubs of a single model, mean", "-", sum(alone) / len(alone)),
        ],
        out,
        "fig6g_sensitivity",
    )


if __name__ == "__main__":
    main()
