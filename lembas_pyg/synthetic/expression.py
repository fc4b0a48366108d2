"""Expression as it would be if TFs did what a regulon says, and nothing else but noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

__all__ = ["simulate_expression"]


def simulate_expression(
    activity: pd.DataFrame,
    regulon: pd.DataFrame,
    *,
    noise: float = 1.0,
    background: int = 0,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    r"""Make log expression of known TF activities.

    .. math:: e_{sg} = \beta_g + \sum_t w_{tg} a_{st} + \nu \varepsilon_{sg}, \quad
        \beta_g \sim U(4, 12), \quad \varepsilon_{sg} \sim N(0, 1)

    Args:
        activity: Samples x TFs, on any scale; that of `noise`.
        regulon: source (TF), target, weight. TFs without a column of `activity` do nothing.
        noise: Standard deviation :math:`\nu` of a gene in samples of the same activities.
        background: Genes to add that no TF acts on, called ``background_1`` and so on.
        generator: Source of randomness; that of torch if None.

    Returns:
        Log expression, samples x genes (targets in order of first mention, then background).

    Raises:
        ValueError: No TF of the regulon has an activity, an activity is not finite, or an amount
            is negative.

    Example:
        >>> activity = pd.DataFrame({"T1": [-1.0, 1.0]}, index=["low", "high"])
        >>> regulon = pd.DataFrame({"source": "T1", "target": ["G1", "G2"], "weight": [1, -1]})
        >>> e = simulate_expression(activity, regulon, noise=0.0)
        >>> (e.loc["high"] - e.loc["low"]).round(9).tolist()
        [2.0, -2.0]
    """
    if noise < 0 or background < 0:
        raise ValueError(f"`noise` is {noise}, `background` {background}; give 0 or more.")
    table = activity.astype(float)
    if not np.isfinite(table.to_numpy()).all():
        raise ValueError("An activity is missing or infinite; give a finite number for each.")
    acting = regulon[regulon["source"].isin(table.columns)]
    if acting.empty:
        raise ValueError(
            f"No TF of the regulon ({list(regulon['source'].unique()[:3])}, ...) has an activity "
            f"({list(table.columns[:3])}, ...). Name the columns by TF."
        )
    genes = [*dict.fromkeys(regulon["target"]), *(f"background_{i + 1}" for i in range(background))]
    weight = np.zeros((table.shape[1], len(genes)))
    rows, columns = (
        table.columns.get_indexer(acting["source"]),
        pd.Index(genes).get_indexer(acting["target"]),
    )
    np.add.at(weight, (rows, columns), acting["weight"].to_numpy(float))
    shape = len(table), len(genes)
    level = 4 + 8 * torch.rand(len(genes), generator=generator, dtype=torch.float64).numpy()
    spread = torch.randn(shape, generator=generator, dtype=torch.float64).numpy()
    values = level + table.to_numpy() @ weight + noise * spread
    return pd.DataFrame(values, table.index, pd.Index(genes, dtype=str))
