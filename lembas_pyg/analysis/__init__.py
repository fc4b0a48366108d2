"""Findings: what a trained model says of the network."""

from lembas_pyg.analysis.describe import describe_network
from lembas_pyg.analysis.explain import Response
from lembas_pyg.analysis.knock import knock_in, knock_out

__all__ = ["Response", "describe_network", "knock_in", "knock_out"]
