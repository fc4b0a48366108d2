"""Training: settings, losses, and the loop."""

from lembas_pyg.training.config import PRESETS, TrainingConfig
from lembas_pyg.training.schedule import one_cycle
from lembas_pyg.training.trainer import History, fit

__all__ = ["PRESETS", "History", "TrainingConfig", "fit", "one_cycle"]
