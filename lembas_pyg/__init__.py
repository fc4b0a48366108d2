"""Genome-scale simulation of cell signaling as a PyTorch Geometric extension.

Modules are imported on first use: torch and PyG take seconds, which ``lembas-pyg --help`` has not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lembas_pyg import (
        analysis,
        checkpoint,
        datasets,
        exchange,
        io,
        metrics,
        network,
        nn,
        plot,
        synthetic,
        tf_activity,
        topology,
        training,
        transforms,
        viability,
    )
    from lembas_pyg.nn import LEMBAS
    from lembas_pyg.prediction import predict
    from lembas_pyg.training import Ensemble, History, TrainingConfig, cross_validate, fit

__version__ = "0.1.0"

__all__ = [
    "LEMBAS",
    "Ensemble",
    "History",
    "TrainingConfig",
    "analysis",
    "checkpoint",
    "cross_validate",
    "datasets",
    "exchange",
    "fit",
    "io",
    "metrics",
    "network",
    "nn",
    "plot",
    "predict",
    "synthetic",
    "tf_activity",
    "topology",
    "training",
    "transforms",
    "viability",
]

_HOME = {
    "LEMBAS": "nn",
    "predict": "prediction",
    "Ensemble": "training",
    "History": "training",
    "TrainingConfig": "training",
    "cross_validate": "training",
    "fit": "training",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME.get(name, name)}")
    return getattr(module, name) if name in _HOME else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
