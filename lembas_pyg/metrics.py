"""How well predictions agree with measurements."""

from __future__ import annotations

from torch import Tensor

__all__ = ["mean_squared_error", "pearson_r"]


def pearson_r(y: Tensor, measured: Tensor) -> float:
    """Pearson correlation over all measured entries, pooled.

    Args:
        y: Predictions, any shape.
        measured: Measurements of the same shape, NaN where not measured.

    Returns:
        The correlation; NaN with fewer than two entries or no variance.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> import torch
        >>> y, measured = torch.tensor([1.0, 2.0, 9.0]), torch.tensor([2.0, 4.0, float("nan")])
        >>> round(pearson_r(y, measured), 9)
        1.0
    """
    y, measured = _measured(y, measured)
    if y.numel() < 2:
        return float("nan")
    y, measured = y - y.mean(), measured - measured.mean()
    scale = y.norm() * measured.norm()
    return float((y @ measured) / scale) if scale > 0 else float("nan")


def mean_squared_error(y: Tensor, measured: Tensor) -> float:
    """Mean squared difference over all measured entries; NaN if there is none.

    Args:
        y: Predictions, any shape.
        measured: Measurements of the same shape, NaN where not measured.

    Raises:
        ValueError: The shapes differ.
    """
    y, measured = _measured(y, measured)
    return float((y - measured).square().mean())


def _measured(y: Tensor, measured: Tensor) -> tuple[Tensor, Tensor]:
    """Both as flat float64 tensors of the measured entries."""
    if y.shape != measured.shape:
        raise ValueError(
            f"Predictions have shape {list(y.shape)}, measurements {list(measured.shape)}."
        )
    known = ~measured.isnan()
    return y.detach()[known].double(), measured[known].double()
