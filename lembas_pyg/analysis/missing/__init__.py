"""Interactions that the network lacks: which, why, and how far the data can tell.

The way: what an input at each node would do to the loss (`gain`), which pairs are worth a solve
(`shortlist`, with the input each target needs from `signal`), and the weight of each fitted on the
whole loss (`refit`). `structure` holds what the graph alone says; `error_network` is the paper's
own method, to compare with; `sparse` fits many candidates together.
"""

from lembas_pyg.analysis.missing.error_network import error_network
from lembas_pyg.analysis.missing.score import score_missing_interactions
from lembas_pyg.analysis.missing.sparse import fit_sparse
from lembas_pyg.analysis.missing.structure import structure_scores

__all__ = ["error_network", "fit_sparse", "score_missing_interactions", "structure_scores"]
