"""The folder of a run, as `train`, `cross-validate` or an ensemble left it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.checkpoint import activation_of, load_parameters
from lembas_pyg.io import read_parameters
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import Members
from lembas_pyg.report.run_tables import read_tables
from lembas_pyg.training import Ensemble, load_members

__all__ = ["RunFolder", "read_run", "thinned"]


@dataclass(frozen=True)
class RunFolder:
    """What a run left.

    Attributes:
        path: The folder.
        kind: ``"train"``, ``"cross-validate"`` or ``"ensemble"``.
        settings: What was run, by name.
        inputs: Files of the network, annotation, ligands and TFs, where the run says which.
        tables: Tables that are there, by the names of `write_cross_validation_report`.
        summary: The main numbers.
    """

    path: Path
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Path] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)

    def load(self, data: Data) -> tuple[LEMBAS | Members, Data]:
        """The model or ensemble of the run, and the network it is of.

        Args:
            data: The network that was trained, with conditions; where a surrogate variable was
                looked for, with measurements, see `lembas_pyg.training.load_members`.

        Raises:
            FileNotFoundError: The models are not there.
            ValueError: They are of another network, or damaged.
        """
        if self.kind == "cross-validate":
            return load_members(self.path, data)
        if self.kind == "ensemble":
            return Ensemble.load(self.path, LEMBAS(data, radius=None).double()), data
        file = self.path / "parameters.tsv"
        try:
            parameters = read_parameters(file)
            model = LEMBAS(data, activation_of(parameters), radius=None).double()
            return load_parameters(model, parameters), data
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error


def read_run(folder: str | os.PathLike[str]) -> RunFolder:
    """Read all but the models of the folder of a run.

    A run that was interrupted lacks tables; what is there is read.

    Args:
        folder: As written by ``lembas-pyg train``, ``lembas-pyg cross-validate``,
            `lembas_pyg.training.cross_validate` or `Ensemble.save`.

    Raises:
        FileNotFoundError: There is no such folder, or it holds no trained model.
        ValueError: A file of it is damaged, or it is of drug models.
    """
    path = Path(folder)
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {what}; name the folder of a run, the --out of `train`.")
    kind = _kind(path)
    if kind == "train" and (path / "recovered-parameters.tsv").is_file():
        raise ValueError(
            f"{path} is the folder of `lembas-pyg demo`, which keeps no course of a run to show. "
            "Train with its tables (`lembas-pyg train`), and name the --out of that."
        )
    record = _read_json(path / "config.json")
    given = record.pop("inputs", {})
    if not isinstance(given, dict):
        raise ValueError(
            f"{path / 'config.json'} is damaged: its inputs are {given!r}, not files by name."
        )
    inputs = {name: Path(file) for name, file in given.items() if isinstance(file, str)}
    for nested in ("settings", "versions"):
        if isinstance(record.get(nested), dict):
            record |= record.pop(nested)
    summary = _read_json(path / "summary.json")
    tables = read_tables(path, kind, record, summary)
    if kind == "train" and "histories" in tables:
        tables["histories"] = _course(tables["histories"])
    return RunFolder(path, kind, record, inputs, tables, summary)


def thinned(ensemble: Members, most: int) -> Members:
    """An ensemble of at most so many members, evenly spaced, so that all folds have a say.

    Args:
        ensemble: Members in the order of their folds.
        most: Members to keep.
    """
    models = ensemble.models
    if len(models) <= most:
        return ensemble
    kept = [round((place + 0.5) * len(models) / most - 0.5) for place in range(most)]
    held_out, weights = (getattr(ensemble, name, None) for name in ("held_out", "weights"))
    return Ensemble(
        [models[place] for place in kept],
        weights=None if weights is None else weights[kept],
        held_out=None if held_out is None else [held_out[place] for place in kept],
    )


def _kind(path: Path) -> str:
    """What left the folder."""
    if any(path.glob("member-*.safetensors")):
        return "ensemble"
    for folder in (path / "members", path):
        if (folder / "members.json").is_file() and any(folder.glob("fold-*-member-*.pt")):
            return "cross-validate"
    if (path / "parameters.tsv").is_file():
        return "train"
    if any(path.glob("member-*.pt")):
        raise ValueError(
            f"{path} holds drug models, of which there is no report: a page is of TF activities. "
            f"Ask them with `lembas-pyg drug-response TASK --models {path}`, where TASK is curves, "
            f"combination, targets, mutations or knock-out; fit.tsv has their fit."
        )
    if any((path / "members").glob("fold-*.pt")):
        raise ValueError(
            f"{path} is a cross-validation of drug models, of which there is no report: a page is "
            f"of TF activities. Its scores are in scores.tsv, fold-scores.tsv and predictions.tsv; "
            f"if these are missing, `lembas-pyg drug-response cross-validate --resume` goes on."
        )
    raise FileNotFoundError(
        f"{path} holds no trained model: neither parameters.tsv of `train`, nor members/ of "
        f"`cross-validate`, nor member-000.safetensors of an ensemble. Name the folder that was "
        f"--out of one of these."
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it holds {type(content).__name__}, not settings.")
    return content


def _course(history: pd.DataFrame) -> pd.DataFrame:
    """The history of one training in the columns of a cross-validation's."""
    course = history.assign(fold=0, member=0)
    for name in ("rho", "sign", "not_converged"):
        if name not in course:
            course[name] = float("nan")
    if "visits" in course:
        course["not_converged"] = course["not_converged"] / course["visits"]
    return course
