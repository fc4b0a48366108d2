"""``python -m benchmarks.viability``: settings of drug models, chosen without the fold they face.

Of the five published folds of cell lines every pair is left out once and models are trained on the
other three. Each such training says something of both folds, and so to the choice for either: what
faces fold 1 is chosen by predictions of folds 2 to 5 from models that have not seen fold 1.
Predictions of each training are on disk at once, in ``--folder``; another call goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch_geometric.data import Data

from benchmarks.report import Table, machine
from lembas_pyg.checkpoint import load_tensors, save_tensors
from lembas_pyg.datasets import DrugViability
from lembas_pyg.metrics import pearson_r
from lembas_pyg.network import select_observations
from lembas_pyg.nn import DrugResponse
from lembas_pyg.training import TrainingConfig, train_responses
from lembas_pyg.viability import predict_viability

_RESULTS = Path(__file__).with_name("viability.md")
RECIPE = TrainingConfig.viability()
_LOG_DOSE = partial(DrugResponse, binding=False)


class Trial(NamedTuple):
    """One row of the table."""

    name: str
    model: Callable[..., DrugResponse] = DrugResponse
    config: TrainingConfig = RECIPE


def trials() -> list[Trial]:
    """What is compared."""
    to = partial(dataclasses.replace, RECIPE)
    return [
        Trial("log dose times a weight, as in the paper", _LOG_DOSE),
        Trial("share of the target that is bound (the preset)"),
        Trial("the same, noise of 0.05 on every node of a line", config=to(noise=0.05)),
        Trial("the same, 30 epochs", config=to(epochs=30)),
        Trial("the same, 8 programs of expression", partial(DrugResponse, programs=8)),
    ]


def predicted(trial: Trial, data: Data, folds: np.ndarray, pair: tuple[int, int], **how: Any):
    """Median viability of both folds of a pair, from models of the others ``{fold: [O]}``."""
    rest = np.flatnonzero(~np.isin(folds, pair))
    models = train_responses(
        select_observations(data, rest.tolist()), trial.config, model=trial.model, **how
    )
    found = {}
    for fold in pair:
        asked = select_observations(data, np.flatnonzero(folds == fold).tolist())
        found[fold] = predict_viability(models, asked, tol=1e-6).viability
    return found


def inner_scores(
    trial: Trial, data: Data, folds: np.ndarray, folder: Path, **how: Any
) -> np.ndarray:
    """Mean r of inner folds, for every outer fold."""
    numbers = np.unique(folds).tolist()
    scores: dict[int, list[float]] = {number: [] for number in numbers}
    slug = "".join(c if c.isalnum() else "-" for c in f"{trial.name} {how['members']}")
    for pair in combinations(numbers, 2):
        file = folder / slug / f"{pair[0]}-{pair[1]}.pt"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(predicted(trial, data, folds, pair, **how), file)
        found = load_tensors(file)
        for outer, inner in (pair, pair[::-1]):
            measured = data.viability.view(-1)[torch.from_numpy(folds == inner)]
            scores[outer].append(float(pearson_r(found[inner], measured.to(found[inner]))))
    return np.array([np.mean(scores[number]) for number in numbers])


def main() -> None:
    """Measure all trials and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viability", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("viability-runs"), help="of results")
    parser.add_argument("--members", type=int, default=4, help="models a training (default: 4)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    dataset = DrugViability(str(options.folder / "DrugViability"))
    data, folds = dataset[0], np.asarray(dataset.folds())
    columns = ["setting", *(f"fold {number}" for number in np.unique(folds)), "mean"]
    rows: list[list[str]] = []
    how = {"members": options.members, "jobs": options.jobs}
    for trial in trials():
        scores = inner_scores(trial, data, folds, options.folder, **how)
        rows.append([trial.name, *(f"{score:.4f}" for score in [*scores, scores.mean()])])
        print("\t".join(rows[-1]), flush=True)
        table = Table("Choice for each fold", _TEXT.format(options.members), columns, rows)
        options.out.write_text("\n".join([_HEAD, machine(), "", str(table)]), "utf-8")


_HEAD = """# Settings of drug models

Written by `python -m benchmarks.viability`.
"""
_TEXT = (
    "Mean r of the four other folds, each predicted by models ({} a training) that have seen "
    "neither it nor the fold of the column: what the choice for that fold may rest on."
)


if __name__ == "__main__":
    main()
