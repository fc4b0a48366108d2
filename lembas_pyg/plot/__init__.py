"""Pictures of findings: a table or a network in, matplotlib Axes out."""

from lembas_pyg.plot.cross_validation import (
    activity_heat_map,
    fold_scores,
    measured_vs_predicted,
    score_by_condition,
    score_by_tf,
)
from lembas_pyg.plot.drug_response import plot_combination, plot_dose_response
from lembas_pyg.plot.fit import plot_fit
from lembas_pyg.plot.history import plot_history, plot_training_courses
from lembas_pyg.plot.knock_out import plot_knock_out
from lembas_pyg.plot.network import plot_network
from lembas_pyg.plot.parameters import plot_parameters
from lembas_pyg.plot.paths import plot_path
from lembas_pyg.plot.ranked_knock_outs import plot_ranked_knock_outs, plot_synergy
from lembas_pyg.plot.sensitivity import plot_sensitivity
from lembas_pyg.plot.stability import plot_radius, plot_slow_nodes
from lembas_pyg.plot.tf_activity import plot_activity_clusters, plot_replicate_spread

__all__ = [
    "activity_heat_map",
    "fold_scores",
    "measured_vs_predicted",
    "plot_activity_clusters",
    "plot_combination",
    "plot_dose_response",
    "plot_fit",
    "plot_history",
    "plot_knock_out",
    "plot_network",
    "plot_parameters",
    "plot_path",
    "plot_radius",
    "plot_ranked_knock_outs",
    "plot_replicate_spread",
    "plot_sensitivity",
    "plot_slow_nodes",
    "plot_synergy",
    "plot_training_courses",
    "score_by_condition",
    "score_by_tf",
]
