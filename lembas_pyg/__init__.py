"""Genome-scale simulation of cell signaling as a PyTorch Geometric extension."""

from lembas_pyg import (
    analysis,
    checkpoint,
    datasets,
    io,
    metrics,
    network,
    nn,
    topology,
    training,
)
from lembas_pyg.nn import LEMBAS
from lembas_pyg.training import History, TrainingConfig, fit

__version__ = "0.1.0"

__all__ = [
    "LEMBAS",
    "History",
    "TrainingConfig",
    "analysis",
    "checkpoint",
    "datasets",
    "fit",
    "io",
    "metrics",
    "network",
    "nn",
    "topology",
    "training",
]
