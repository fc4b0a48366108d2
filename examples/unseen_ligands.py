"""What a network knows of a ligand that it has never seen: leave one ligand out.

    python examples/unseen_ligands.py --out unseen [--members 3] [--jobs 2] [--repeats 3] [--fast]

Both conditions of a ligand are held out. A regression on ligand columns can only answer with the
average; a network knows the receptors. Each is asked twice: with the surrogate variable of the
held-out conditions guessed from ligands of the same kind, as it would be in a laboratory, and
told. To tell it, its value is read from the held-out activities themselves (one number for each
condition), so the second table is no score of a prediction; it shows what is left to know of a
ligand. There the network is compared with itself rewired. The data are downloaded, or taken from
the folder in `LEMBAS_PYG_MIRROR`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import lembas_pyg as lp
from lembas_pyg.surrogate import SURROGATE, add_covariate, find_surrogate
from lembas_pyg.training import compare_nulls, leave_one_ligand_out

COSTIMULUS = "LPS"
COLUMNS = ["model", "r", "r_centred", "fold_median", "mse"]


def main():
    """Compare what can be said of unseen ligands whose surrogate variable is guessed, and told."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("unseen"), help="folder (unseen)")
    parser.add_argument("--members", type=int, default=3, help="models a fold (3)")
    parser.add_argument("--repeats", type=int, default=3, help="rewired networks of a kind (3)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--fast", action="store_true", help="three ligands, a few epochs")
    arguments = parser.parse_args()

    out = arguments.out / "fast" if arguments.fast else arguments.out
    out.mkdir(parents=True, exist_ok=True)
    data = lp.datasets.LigandScreen(str(arguments.out / "LigandScreen"))[0]
    folds = leave_one_ligand_out(data, COSTIMULUS)
    config = lp.TrainingConfig.ligand_screen()
    if arguments.fast:
        config = replace(config, epochs=5)
        folds = folds[folds["Index"] < 3]
        arguments.members = arguments.repeats = 1
    options = {"members": arguments.members, "jobs": arguments.jobs, "costimulus": COSTIMULUS}
    options["baselines"] = not arguments.fast

    print(f"{folds['Index'].nunique()} ligands, surrogate variable guessed from their kind")
    guessed = lp.cross_validate(data, folds, config, folder=out / "guessed", **options)
    show(guessed.scores, out / "guessed.tsv")

    print("\nsurrogate variable told")
    told = add_covariate(data, SURROGATE, find_surrogate(data).value)
    config = replace(config, surrogate_variable=False)
    known = lp.cross_validate(told, folds, config, folder=out / "told", **options)
    show(known.scores, out / "told.tsv")

    print("\nthe network against itself rewired, surrogate variable told, by single members")
    nulls = compare_nulls(
        told,
        folds,
        config,
        nulls=["rewired", "rewired, ligand edges kept"],
        repeats=arguments.repeats,
        jobs=arguments.jobs,
        folder=out / "nulls",
        reference=known,
    )
    nulls.comparisons.to_csv(out / "rewired.tsv", sep="\t", index=False)
    columns = ["null", "true_r", "null_r", "difference", "low", "high", "wilcoxon_p"]
    print(nulls.comparisons[columns].round(4).to_string(index=False))


def show(scores, file):
    """Print the scores, the best first, and keep them all."""
    scores.to_csv(file, sep="\t", index=False)
    print(scores.sort_values("r", ascending=False)[COLUMNS].round(4).to_string(index=False))


if __name__ == "__main__":
    main()
