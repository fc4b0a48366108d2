"""Findings: what a trained model says of the network."""

from lembas_pyg.analysis.describe import describe_network
from lembas_pyg.analysis.double_knock import double_knock_out
from lembas_pyg.analysis.edges import edge_effects
from lembas_pyg.analysis.explain import Response
from lembas_pyg.analysis.hubs import hubs, strongest
from lembas_pyg.analysis.knock import knock_in, knock_out
from lembas_pyg.analysis.paths import PathExplanation, explain_path
from lembas_pyg.analysis.ranking import rank_knock_outs
from lembas_pyg.analysis.sensitivity import sensitivity

__all__ = [
    "PathExplanation",
    "Response",
    "describe_network",
    "double_knock_out",
    "edge_effects",
    "explain_path",
    "hubs",
    "knock_in",
    "knock_out",
    "rank_knock_outs",
    "sensitivity",
    "strongest",
]
