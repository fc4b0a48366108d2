"""Training: settings, losses, the loop, cross-validation with its nulls, and ensembles.

All but the settings is imported on first use, and torch with it, so that settings are at hand at
once.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lembas_pyg.training.config import PRESETS, TrainingConfig
from lembas_pyg.training.schedule import one_cycle

if TYPE_CHECKING:
    from lembas_pyg.training.cross_validation import CrossValidation, cross_validate
    from lembas_pyg.training.ensemble import Ensemble, EnsemblePrediction, weights_by_fit
    from lembas_pyg.training.folds import k_fold, leave_one_ligand_out, leave_one_out
    from lembas_pyg.training.members import load_members
    from lembas_pyg.training.nulls import NullComparison, compare_nulls
    from lembas_pyg.training.radius import shrink_radius
    from lembas_pyg.training.refinement import Refinement, refine
    from lembas_pyg.training.response_ensemble import ResponseEnsemble
    from lembas_pyg.training.response_members import train_responses
    from lembas_pyg.training.response_splits import response_folds
    from lembas_pyg.training.response_validation import (
        ResponseValidation,
        cross_validate_response,
    )
    from lembas_pyg.training.scores import Comparison, compare_folds, fold_scores, score_table
    from lembas_pyg.training.trainer import History, fit

__all__ = [
    "PRESETS",
    "Comparison",
    "CrossValidation",
    "Ensemble",
    "EnsemblePrediction",
    "History",
    "NullComparison",
    "Refinement",
    "ResponseEnsemble",
    "ResponseValidation",
    "TrainingConfig",
    "compare_folds",
    "compare_nulls",
    "cross_validate",
    "cross_validate_response",
    "fit",
    "fold_scores",
    "k_fold",
    "leave_one_ligand_out",
    "leave_one_out",
    "load_members",
    "one_cycle",
    "refine",
    "response_folds",
    "score_table",
    "shrink_radius",
    "train_responses",
    "weights_by_fit",
]

_HOME = {
    "Comparison": "scores",
    "CrossValidation": "cross_validation",
    "Ensemble": "ensemble",
    "EnsemblePrediction": "ensemble",
    "History": "trainer",
    "NullComparison": "nulls",
    "Refinement": "refinement",
    "ResponseEnsemble": "response_ensemble",
    "ResponseValidation": "response_validation",
    "compare_folds": "scores",
    "compare_nulls": "nulls",
    "cross_validate": "cross_validation",
    "cross_validate_response": "response_validation",
    "fit": "trainer",
    "fold_scores": "scores",
    "k_fold": "folds",
    "leave_one_ligand_out": "folds",
    "leave_one_out": "folds",
    "load_members": "members",
    "refine": "refinement",
    "response_folds": "response_splits",
    "score_table": "scores",
    "shrink_radius": "radius",
    "train_responses": "response_members",
    "weights_by_fit": "ensemble",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
