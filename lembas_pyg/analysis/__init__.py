"""Findings: what a trained model says of the network."""

from lembas_pyg.analysis.activities import (
    activity_by_tf,
    activity_space,
    describe_activities,
    steady_activities,
)
from lembas_pyg.analysis.basin_report import basin_report
from lembas_pyg.analysis.basins import SteadyStates, steady_states
from lembas_pyg.analysis.describe import describe_network
from lembas_pyg.analysis.double_knock import double_knock_out
from lembas_pyg.analysis.drug_combination import drug_combination
from lembas_pyg.analysis.drug_response import dose_response, mutation_effects
from lembas_pyg.analysis.drug_targets import target_effects, viability_knock_out
from lembas_pyg.analysis.edges import edge_effects
from lembas_pyg.analysis.explain import Response
from lembas_pyg.analysis.hidden_signs import (
    hidden_sign_recovery,
    hide_signs,
    sign_folds,
    sign_scores,
)
from lembas_pyg.analysis.hubs import hubs, strongest
from lembas_pyg.analysis.knock import knock_in, knock_out
from lembas_pyg.analysis.linearity import linearity
from lembas_pyg.analysis.missing import (
    error_network,
    fit_sparse,
    score_missing_interactions,
    structure_scores,
)
from lembas_pyg.analysis.paths import PathExplanation, explain_path
from lembas_pyg.analysis.ranking import rank_knock_outs
from lembas_pyg.analysis.recovery import compare_knock_outs, compare_models
from lembas_pyg.analysis.sensitivity import sensitivity
from lembas_pyg.analysis.sign_ensemble import sign_ensemble
from lembas_pyg.analysis.sign_prior import sign_prior
from lembas_pyg.analysis.signs import infer_signs
from lembas_pyg.analysis.slow_modes import Stability, stability

__all__ = [
    "PathExplanation",
    "Response",
    "Stability",
    "SteadyStates",
    "activity_by_tf",
    "activity_space",
    "basin_report",
    "compare_knock_outs",
    "compare_models",
    "describe_activities",
    "describe_network",
    "dose_response",
    "double_knock_out",
    "drug_combination",
    "edge_effects",
    "error_network",
    "explain_path",
    "fit_sparse",
    "hidden_sign_recovery",
    "hide_signs",
    "hubs",
    "infer_signs",
    "knock_in",
    "knock_out",
    "linearity",
    "mutation_effects",
    "rank_knock_outs",
    "score_missing_interactions",
    "sensitivity",
    "sign_ensemble",
    "sign_folds",
    "sign_prior",
    "sign_scores",
    "stability",
    "steady_activities",
    "steady_states",
    "strongest",
    "structure_scores",
    "target_effects",
    "viability_knock_out",
]
