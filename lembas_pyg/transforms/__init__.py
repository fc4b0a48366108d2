"""Graph to graph: pruning, additions and null models, each with a report of what it did.

Transforms compose with those of PyG, leave the graph they are given alone, and cut all that belongs
to a node or an edge together. `lembas_pyg.network.curation_report` tells what they removed and why.
"""

from lembas_pyg.transforms.impute_interactions import ImputeInteractions
from lembas_pyg.transforms.random_edges import RandomEdges
from lembas_pyg.transforms.remove_dead_ends import RemoveDeadEnds
from lembas_pyg.transforms.remove_ligand_feedback import RemoveLigandFeedback
from lembas_pyg.transforms.remove_redundant_nodes import RemoveRedundantNodes
from lembas_pyg.transforms.rewire_edges import RewireEdges

__all__ = [
    "ImputeInteractions",
    "RandomEdges",
    "RemoveDeadEnds",
    "RemoveLigandFeedback",
    "RemoveRedundantNodes",
    "RewireEdges",
]
