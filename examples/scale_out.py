"""One cross-validation in processes, on a Dask cluster, or in shares: the results do not differ.

python examples/scale_out.py [--jobs 4] [--out CV]
python examples/scale_out.py --scheduler tcp://127.0.0.1:8786 [--out CV]
python examples/scale_out.py --share 0/10 --out CV    (to 9/10, anywhere, then without --share)
"""

import argparse
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import lembas_pyg as lp
from lembas_pyg.training import k_fold

TOY = Path(__file__).resolve().parent / "toy"


def read_data():
    """The toy network and its measurements, every ninth condition of them."""
    interactions = lp.io.read_interactions(TOY / "network.tsv")
    annotation = lp.io.read_annotation(TOY / "annotation.tsv")
    ligands, tfs = (lp.io.read_conditions(TOY / f"{name}.tsv") for name in ("ligands", "tfs"))
    data = lp.network.from_interactions(interactions, annotation)
    return lp.network.add_conditions(data, ligands[::9], tfs[::9])


def main():
    """Train all folds, or a share of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes on this machine")
    parser.add_argument("--scheduler", help="address of a Dask scheduler")
    parser.add_argument("--share", help="I/N: every Nth fold, from the Ith on (0 is the first)")
    parser.add_argument("--out", help="folder of the trained members; a second call goes on there")
    arguments = parser.parse_args()

    data = read_data()
    folds = k_fold(data, 5)
    if arguments.share:
        number, count = map(int, arguments.share.split("/"))
        folds = folds[folds["Index"] % count == number]
        if folds.empty:
            return print(f"share {arguments.share}: no fold")
    cluster = nullcontext()
    if arguments.scheduler:
        from distributed import Client

        cluster = Client(arguments.scheduler)
    with cluster as client:
        found = lp.cross_validate(
            data,
            folds,
            replace(lp.TrainingConfig.toy(), epochs=20),
            members=2,
            baselines=not arguments.share,
            executor=client.get_executor() if client else None,
            jobs=arguments.jobs,
            folder=arguments.out,
        )
    if arguments.share:
        return print(f"share {arguments.share}: folds {sorted(set(folds['Index']))}")
    print(found.scores[["model", "r", "mse"]].to_string(index=False))


if __name__ == "__main__":  # workers import this file
    main()
