"""The folder of a cross-validation: claimed, gone on with, filled."""

from __future__ import annotations

import argparse
import dataclasses
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import check_folder, is_unused, write_json
from lembas_pyg.cli.inputs import refuse

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

    from lembas_pyg.training import CrossValidation, NullComparison, TrainingConfig

__all__ = [
    "check_folder_of_folds",
    "folds_of",
    "join_nulls",
    "null_options",
    "print_scores",
    "write_results",
]


def check_folder_of_folds(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that cannot be written to, or would lose an earlier run."""
    check_folder(folder, "--out")
    begun = (folder / "members" / "members.json").is_file()
    if resume and not begun:
        raise ValueError(
            f"--out {folder} holds no cross-validation to go on with; leave out --resume to start "
            "a new one, in a new folder."
        )
    if not resume and not is_unused(folder, "members"):
        raise ValueError(
            f"--out {folder} is not empty. Name another folder, or add --resume to go on with the "
            "cross-validation in it."
        )


def folds_of(arguments: argparse.Namespace, data: Data) -> pd.DataFrame:
    """The fold table of a file, or one that is made of the conditions."""
    from lembas_pyg.io import read_folds
    from lembas_pyg.training import k_fold, leave_one_ligand_out, leave_one_out

    text = arguments.folds
    if text == "leave-one-out":
        return leave_one_out(data)
    if text == "leave-one-ligand-out":
        return leave_one_ligand_out(data, arguments.costimulus)
    if not text.lstrip("+").isdecimal():
        return read_folds(Path(text))
    num_conditions = data.x.size(1)
    if int(text) > num_conditions:
        refuse(
            arguments,
            f"argument --folds: {text} is more than the {num_conditions} conditions; give at most "
            f"as many, or leave-one-out",
        )
    return k_fold(data, int(text), seed=arguments.fold_seed)


def null_options(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Which nulls to train, as `compare_nulls` takes them; None without any."""
    from lembas_pyg.training.nulls import NULLS, slug

    if arguments.nulls is None:
        return None
    name = {slug(null): null for null in NULLS}
    chosen: dict[str, Any] = {"nulls": None}
    if arguments.nulls != ["all"]:
        chosen["nulls"] = [name[null] for null in arguments.nulls]
    if arguments.null_repeats is not None:
        chosen["repeats"] = arguments.null_repeats
    return chosen


def join_nulls(found: CrossValidation, nulls: NullComparison) -> CrossValidation:
    """The same with nulls between our models and the baselines."""
    import pandas as pd

    from lembas_pyg.training.cross_validation import OURS

    names = nulls.members["model"].unique()
    joined = {}
    for field in ("by_model", "scores", "fold_scores"):
        table, other = getattr(found, field), getattr(nulls, field)
        ours = table["model"].str.startswith(OURS)
        parts = [table[ours], other[other["model"].isin(names)], table[~ours]]
        joined[field] = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return dataclasses.replace(found, **joined)


def write_results(
    folder: Path,
    config: TrainingConfig,
    arguments: argparse.Namespace,
    activation: str,
    found: CrossValidation,
    seconds: float,
    nulls: NullComparison | None = None,
) -> dict[str, Any]:
    """Write tables, summary and report; the summary."""
    from lembas_pyg.io import write_tsv
    from lembas_pyg.report import write_cross_validation_report
    from lembas_pyg.training.cross_validation import OURS

    write_tsv(found.predictions, folder / "predictions.tsv")
    write_tsv(found.by_model, folder / "predictions-by-model.tsv")
    write_tsv(found.scores, folder / "scores.tsv")
    write_tsv(found.fold_scores, folder / "fold-scores.tsv")
    write_tsv(found.members, folder / "members.tsv")
    write_tsv(found.histories, folder / "history.tsv")
    for column in ("measured", "predicted"):
        wide = found.wide(column).reset_index()
        write_tsv(wide, folder / f"{column}.tsv")
    if nulls is not None:
        write_tsv(nulls.comparisons, folder / "null-comparisons.tsv")
        write_tsv(nulls.members, folder / "null-members.tsv")
    ours = found.scores.set_index("model").loc[OURS]
    others = found.scores[~found.scores["model"].str.startswith(OURS)]
    summary: dict[str, Any] = {
        "folds": found.fold_scores["fold"].nunique(),
        "members": arguments.members,
        "r": float(ours["r"]),
        "MSE": float(ours["mse"]),
        "worst fold r": float(ours["fold_worst"]),
        "median TF r": float(ours["tf_median"]),
        "mean train r": float(found.members["train_r"].mean()),
    }
    if len(others):
        best = others.loc[others["r"].idxmax()]
        summary |= {"best baseline": best["model"], "best baseline r": float(best["r"])}
    if nulls is not None:
        for row in nulls.comparisons.itertuples():
            summary[f"fold r above '{row.null}'"] = row.difference
    summary |= {
        "held-out states not converged": int(found.members["held_out_not_converged"].sum()),
        "share not converged while training": float(found.members["not_converged"].mean()),
        "seconds of training": float(found.members["seconds"].sum()),
        "seconds by the clock": round(seconds, 1),
    }
    if arguments.members > 1:
        summary |= {f"calibration: {name}": value for name, value in found.calibration.items()}
    write_json(summary, folder / "summary.json")
    settings = {
        "preset": arguments.preset,
        "folds": str(arguments.folds),
        "members": arguments.members,
        "activation": activation,
        "scrambled": arguments.scramble,
        "nulls": [] if nulls is None else nulls.comparisons["null"].tolist(),
        **config.to_dict(),
        **{f"version of {name}": version(name) for name in ("lembas_pyg", "torch", "numpy")},
    }
    inputs = {
        name: str(getattr(arguments, name).resolve())
        for name in ("network", "annotation", "ligands", "tfs")
    }
    record = {"command": "cross-validate", **settings, "inputs": inputs}
    write_json(record, folder / "config.json")
    write_cross_validation_report(
        folder / "report.html",
        predictions=found.predictions,
        scores=found.scores,
        fold_scores=found.fold_scores,
        members=found.members,
        settings=settings,
        null_comparisons=None if nulls is None else nulls.comparisons,
        histories=found.histories,
    )
    return summary


def print_scores(scores: pd.DataFrame) -> None:
    """The score table as text."""
    columns = ["model", "r", "r_centred", "fold_mean", "fold_worst", "tf_median", "mse"]
    print("\t".join(columns))
    for row in scores[columns].to_dict("records"):
        print("\t".join([row["model"], *(f"{row[name]:.3f}" for name in columns[1:-1])]), end="\t")
        print(f"{row['mse']:.4f}")
