"""Findings: what a trained model says of the network."""

from lembas_pyg.analysis.describe import describe_network
from lembas_pyg.analysis.double_knock import double_knock_out
from lembas_pyg.analysis.explain import Response
from lembas_pyg.analysis.knock import knock_in, knock_out
from lembas_pyg.analysis.ranking import rank_knock_outs

__all__ = [
    "Response",
    "describe_network",
    "double_knock_out",
    "knock_in",
    "knock_out",
    "rank_knock_outs",
]
