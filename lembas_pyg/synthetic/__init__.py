"""Data without an experiment: stimuli, what a model would measure, kinetics of mechanisms."""

from lembas_pyg.synthetic.approximations import feed_forward_scores, other_form_scores
from lembas_pyg.synthetic.delayed_feedback import DelayedFeedback, simulate_feedback
from lembas_pyg.synthetic.expression import simulate_expression
from lembas_pyg.synthetic.feed_forward import FeedForward, fit_feed_forward
from lembas_pyg.synthetic.kinetics import Mechanism, Reaction
from lembas_pyg.synthetic.mechanisms import MECHANISMS, mechanism_surface
from lembas_pyg.synthetic.rate_constants import fit_rate_constants
from lembas_pyg.synthetic.reference_model import parameterise, random_model
from lembas_pyg.synthetic.regions import REGIONS, split_region
from lembas_pyg.synthetic.stimuli import (
    grid_stimuli,
    measure,
    random_stimuli,
    screen_stimuli,
    split_conditions,
)

__all__ = [
    "MECHANISMS",
    "REGIONS",
    "DelayedFeedback",
    "FeedForward",
    "Mechanism",
    "Reaction",
    "feed_forward_scores",
    "fit_feed_forward",
    "fit_rate_constants",
    "grid_stimuli",
    "measure",
    "mechanism_surface",
    "other_form_scores",
    "parameterise",
    "random_model",
    "random_stimuli",
    "screen_stimuli",
    "simulate_expression",
    "simulate_feedback",
    "split_conditions",
    "split_region",
]
