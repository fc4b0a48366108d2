"""Tables to graph and back: names become indices here, once.

The graph is a PyG `Data` with

* ``edge_index [2, E]``, ``edge_sign [E]`` (+1, -1, 0 unknown; int64), ``edge_id [E]`` (row of the
  merged interaction table, where the evidence stays; -1 for an edge that has no row there),
* ``node_name`` and ``node_label`` (accession and symbol), ``ligand_mask``, ``receptor_mask`` and
  ``tf_mask [N]``,
* after `add_conditions` also ``x`` and ``y [N, S]`` and ``conditions`` (name -> column).

What is not one entry a node or an edge is a dictionary, because PyG takes a list of length N (or
E) for node (or edge) data and would slice it with the nodes.
"""

from lembas_pyg.network.conditions import add_conditions, select_conditions, to_conditions
from lembas_pyg.network.drug_screen import (
    add_drug_screen,
    ask_observations,
    from_drug_screen,
    select_observations,
)
from lembas_pyg.network.nodes import node_index
from lembas_pyg.network.tables import (
    add_report,
    curation_report,
    from_interactions,
    to_annotation,
    to_interactions,
)

__all__ = [
    "add_conditions",
    "add_drug_screen",
    "add_report",
    "ask_observations",
    "curation_report",
    "from_drug_screen",
    "from_interactions",
    "node_index",
    "select_conditions",
    "select_observations",
    "to_annotation",
    "to_conditions",
    "to_interactions",
]
