"""Findings: what a trained model says of the network."""

from lembas_pyg.analysis.describe import describe_network
from lembas_pyg.analysis.explain import Response
from lembas_pyg.analysis.knock import knock_in, knock_out
from lembas_pyg.analysis.missing import (
    error_network,
    fit_sparse,
    score_missing_interactions,
    structure_scores,
)

__all__ = [
    "Response",
    "describe_network",
    "error_network",
    "fit_sparse",
    "knock_in",
    "knock_out",
    "score_missing_interactions",
    "structure_scores",
]
