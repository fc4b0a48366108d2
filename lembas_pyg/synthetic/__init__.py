"""Data without an experiment: stimuli, models that stand for the cell, and what they teach."""

from lembas_pyg.synthetic.reference_model import parameterise
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
    "parameterise",
    "random_stimuli",
    "screen_stimuli",
    "split_conditions",
]
