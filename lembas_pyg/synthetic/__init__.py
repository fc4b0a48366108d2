"""Data without an experiment: stimuli, and what a model with known parameters would measure."""

from lembas_pyg.synthetic.expression import simulate_expression
from lembas_pyg.synthetic.stimuli import (
    grid_stimuli,
    measure,
    random_stimuli,
    screen_stimuli,
    split_conditions,
)

__all__ = [
    "grid_stimuli",
    "measure",
    "random_stimuli",
    "screen_stimuli",
    "simulate_expression",
    "split_conditions",
]
