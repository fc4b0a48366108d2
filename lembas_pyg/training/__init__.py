"""Training: settings, losses, and the loop.

The loop, and torch with it, is imported on first use, so that settings are at hand at once.
"""

from typing import TYPE_CHECKING, Any

from lembas_pyg.training.config import PRESETS, TrainingConfig
from lembas_pyg.training.schedule import one_cycle

if TYPE_CHECKING:
    from lembas_pyg.training.trainer import History, fit

__all__ = ["PRESETS", "History", "TrainingConfig", "fit", "one_cycle"]


def __getattr__(name: str) -> Any:
    if name not in ("History", "fit"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lembas_pyg.training import trainer

    return getattr(trainer, name)
