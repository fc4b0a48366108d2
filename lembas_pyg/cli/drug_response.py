"""The command ``drug-response``: train drug models, hold out observations, ask questions."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lembas_pyg.cli.drug_response_options import (
    ASKING,
    DEFAULTS,
    MEMBERS,
    check_new,
    check_question,
    check_training,
    spare_published,
)
from lembas_pyg.cli.files import check_outputs
from lembas_pyg.cli.inputs import refuse, set_threads

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch_geometric.data import Data

__all__ = ["drug_response"]

_PRESET = "viability"


def drug_response(arguments: argparse.Namespace) -> int:
    """Train, cross-validate, or answer a question."""
    asks = arguments.task in ASKING
    if asks:
        check_question(arguments)
        outputs = check_outputs(arguments, "out", inputs=("models", "screen"))
        spare_published(arguments)
    else:
        check_training(arguments)
        check_new(arguments)
    for name, value in DEFAULTS.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    set_threads(arguments)
    data, folds = _screen(arguments)
    if arguments.task == "train":
        return _train(arguments, data)
    if arguments.task == "cross-validate":
        return _cross_validate(arguments, data, folds)

    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import ResponseEnsemble

    models = ResponseEnsemble.load(arguments.models, data)
    write_tsv(_answer(arguments, models, data), outputs["out"])
    return 0


def _screen(arguments: argparse.Namespace) -> tuple[Data, np.ndarray | None]:
    """The screen, and its own folds."""
    if arguments.published is not None:
        from lembas_pyg.datasets import DrugViability

        dataset = DrugViability(str(arguments.published))
        return dataset[0], dataset.folds()

    from lembas_pyg.io import read_drug_screen
    from lembas_pyg.network import from_drug_screen

    screen = read_drug_screen(arguments.screen, arguments.unit)
    return from_drug_screen(screen), screen.folds


def _config(arguments: argparse.Namespace) -> Any:
    from lembas_pyg.training import TrainingConfig

    config = replace(TrainingConfig.preset(_PRESET), seed=arguments.seed)
    return config if arguments.epochs is None else replace(config, epochs=arguments.epochs)


def _model(arguments: argparse.Namespace) -> Any:
    from lembas_pyg.nn import DrugResponse

    return partial(DrugResponse, expression_limit=arguments.expression_limit)


def _train(arguments: argparse.Namespace, data: Data) -> int:
    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import train_responses
    from lembas_pyg.viability import predict_viability, viability_table

    models = train_responses(
        data,
        _config(arguments),
        members=arguments.members,
        model=_model(arguments),
        jobs=arguments.jobs,
        folder=arguments.out / MEMBERS,
    )
    if not (arguments.out / "member-000.pt").is_file():
        for part in arguments.out.glob("member-*.pt"):  # of a command that was killed meanwhile
            part.unlink()
        models.save(arguments.out)
    fit = viability_table(data, predict_viability(models, data, tol=1e-6))
    write_tsv(fit, arguments.out / "fit.tsv")
    shutil.rmtree(arguments.out / MEMBERS)  # all is written, and nothing left to go on with
    r = fit["viability"].corr(fit["measured"])
    print(f"Pearson r of the fit: {r:.3f} ({len(models)} models)")
    return 0


def _cross_validate(arguments: argparse.Namespace, data: Data, folds: np.ndarray | None) -> int:
    from lembas_pyg.io import write_tsv
    from lembas_pyg.training import cross_validate_response, response_folds

    if arguments.split is not None:
        count = 5 if arguments.folds is None else arguments.folds
        folds = response_folds(data, arguments.split, count, seed=arguments.seed)
    elif folds is None:
        refuse(arguments, "argument --split: the screen has no folds.tsv; say what to hold out")
    found = cross_validate_response(
        data,
        folds,
        _config(arguments),
        members=arguments.members,
        model=_model(arguments),
        baselines=arguments.baselines,
        jobs=arguments.jobs,
        folder=arguments.out / MEMBERS,
    )
    for name in found._fields:
        write_tsv(getattr(found, name), arguments.out / f"{name.replace('_', '-')}.tsv")
    print(found.scores.round(3).to_string(index=False))
    return 0


def _answer(arguments: argparse.Namespace, models: Any, data: Data) -> pd.DataFrame:
    """The table of a question."""
    from lembas_pyg import analysis

    drug: Any = None if arguments.drug is None else arguments.drug[0]
    lines, doses = arguments.cell_lines, arguments.doses
    if arguments.task == "curves":
        return analysis.dose_response(models, data, drug, lines, doses=doses)
    if arguments.task == "combination":
        more = {} if doses is None else {"doses": doses}
        return analysis.drug_combination(models, data, tuple(arguments.drug), lines, **more)
    if arguments.task == "knock-out":
        under = {} if drug is None else {"drug": drug, "dose": doses[0]}
        return analysis.viability_knock_out(models, data, arguments.nodes, lines, **under)
    ask: Callable[..., pd.DataFrame] = {
        "targets": analysis.target_effects,
        "mutations": analysis.mutation_effects,
    }[arguments.task]
    return ask(models, data, drug, doses[0], lines)
