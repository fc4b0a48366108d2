"""The folder of a training run: claimed, resumed, filled."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.files import check_folder, is_unused, write_json
from lembas_pyg.cli.settings import option_name
from lembas_pyg.training.config import TrainingConfig

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.nn.activations import Activation
    from lembas_pyg.training import History


def check_run_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that cannot be written to, or would lose an earlier run."""
    check_folder(folder, "--out")
    if resume:
        # Of a run that ended before its first checkpoint there are the settings.
        if not any((folder / name).is_file() for name in ("checkpoint.pt", "config.json")):
            raise ValueError(
                f"--out {folder} holds no checkpoint.pt to resume from; leave out --resume to "
                "start a new run, in a new folder."
            )
    elif not is_unused(folder):
        raise ValueError(
            f"--out {folder} is not empty. Name another folder, or add --resume to go on with the "
            "run in it."
        )


def record_of(arguments: argparse.Namespace, config: TrainingConfig, act: Activation) -> dict:
    """All that decides the result of a run."""
    return {
        "command": "train",
        "preset": arguments.preset,
        "settings": config.to_dict(),
        "activation": repr(act),
        "precision": arguments.precision,
        "inputs": {
            name: str(getattr(arguments, name).resolve())
            for name in ("network", "annotation", "ligands", "tfs")
        },
        "versions": {name: version(name) for name in ("lembas_pyg", "torch", "torch_geometric")},
    }


def check_same_run(folder: Path, record: dict[str, Any]) -> None:
    """Refuse to go on with a run under other settings than it was started with."""
    path = folder / "config.json"
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        before, now = (
            {"activation": run["activation"], "precision": run["precision"], **run["settings"]}
            for run in (earlier, record)
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is missing or damaged, so the settings of the run are not known. Start a new "
            "run, in a new folder."
        ) from error
    changed = [
        f"{option_name(name)} was {before.get(name)}, is {value}"
        for name, value in now.items()
        if before.get(name) != value
    ]
    if changed:
        raise ValueError(
            f"--out {folder} belongs to a run with other settings: {'; '.join(changed)}. Resume "
            "with the settings of that run, or start a new one in a new folder."
        )


def write_run(folder: Path, model: LEMBAS, data: Data, history: History) -> dict[str, Any]:
    """Write what a training brought; its summary."""
    from lembas_pyg.checkpoint import save, to_parameters
    from lembas_pyg.io import write_conditions, write_parameters, write_tsv
    from lembas_pyg.metrics import mean_squared_error, pearson_r
    from lembas_pyg.prediction import predict, tf_table

    write_parameters(to_parameters(model), folder / "parameters.tsv")
    save(model, folder / "model.safetensors")
    if len(history.table):
        write_tsv(history.table, folder / "history.tsv")
    prediction = predict(model, data)
    write_conditions(tf_table(data, prediction), folder / "fit.tsv")
    measured = data.y[data.tf_mask]
    summary = {
        "epochs": len(history.table),
        "interrupted": history.interrupted,
        "train r": pearson_r(prediction.y, measured),
        "train MSE": mean_squared_error(prediction.y, measured),
        "conditions not converged at the end": int((~prediction.converged).sum()),
        "share not converged while training": history.not_converged_share,
        "seconds": round(sum(history.table.get("seconds", ())), 1),
    }
    if history.best:
        model.load_state_dict(history.best)
        write_parameters(to_parameters(model), folder / "best-parameters.tsv")
        summary["epoch of the smallest loss"] = history.best_epoch
    write_json(summary, folder / "summary.json")
    return summary


def print_history(table: pd.DataFrame, rows: int = 12) -> None:
    """The loss curve as a small table: some epochs from the first to the last."""
    if table.empty:
        return
    step = max(1, (len(table) - 1) // (rows - 1))
    shown = table.iloc[[*range(0, len(table) - 1, step), len(table) - 1]]
    columns = [c for c in ("epoch", "lr", "loss", "fit", "r", "rho", "not_converged") if c in shown]
    formats = {"epoch": "{:.0f}", "lr": "{:.1e}", "r": "{:.3f}", "not_converged": "{:.0f}"}
    print("\t".join(columns))
    for row in shown[columns].to_dict("records"):
        print("\t".join(formats.get(name, "{:.4f}").format(row[name]) for name in columns))
