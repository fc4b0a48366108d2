"""Stimuli, and the TF activities a model gives for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from lembas_pyg.network import add_conditions, select_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict

__all__ = [
    "grid_stimuli",
    "measure",
    "random_stimuli",
    "screen_stimuli",
    "split_conditions",
]

# A grid grows with the power of its ligands; beyond this it was not meant.
_MAX_CONDITIONS = 1_000_000


def grid_stimuli(
    ligands: Sequence[str], num_levels: int = 10, low: float = 0.0, high: float = 1.0
) -> pd.DataFrame:
    """All combinations of evenly spaced concentrations, the last ligand changing fastest.

    Args:
        ligands: Accessions of the ligands.
        num_levels: Concentrations of each ligand, `low` and `high` included.
        low: Smallest concentration.
        high: Largest concentration, in the same unit.

    Returns:
        Concentrations, ``num_levels ** len(ligands)`` conditions x ligands; conditions are called
        after them, such as ``L1=0.11 L2=0.89``.

    Raises:
        TypeError: The ligands are one text instead of several.
        ValueError: A ligand is named twice or not at all, there are fewer than two levels, the
            concentrations are no range from 0 upward, or the grid is larger than memory.

    References:
        Nilsson et al. (2022), Fig. 2d: 10 x 10 concentrations in [0, 1].

    Example:
        >>> grid_stimuli(["L1", "L2"], num_levels=2)
                           L1   L2
        condition
        L1=0.00 L2=0.00   0.0  0.0
        L1=0.00 L2=1.00   0.0  1.0
        L1=1.00 L2=0.00   1.0  0.0
        L1=1.00 L2=1.00   1.0  1.0
    """
    names = _check_ligands(ligands)
    _check_count("num_levels", num_levels, at_least=2)
    if not (math.isfinite(low) and math.isfinite(high) and 0 <= low < high):
        raise ValueError(
            f"The concentrations go from low={low} to high={high}; low must be 0 or more and "
            f"below high, both finite."
        )
    if len(names) * math.log(num_levels) > math.log(_MAX_CONDITIONS):
        raise ValueError(
            f"{num_levels} levels of {len(names)} ligands are {num_levels}^{len(names)} "
            f"conditions, more than {_MAX_CONDITIONS:,}. Take fewer levels or ligands, or "
            f"`random_stimuli`."
        )
    levels = np.linspace(low, high, num_levels)
    grid = np.stack(np.meshgrid(*[levels] * len(names), indexing="ij"), axis=-1)
    values = grid.reshape(-1, len(names))
    texts = np.asarray(_short_texts(levels))[np.searchsorted(levels, values)]
    index = [" ".join(map("=".join, zip(names, row, strict=True))) for row in texts]
    return _to_table(values, index, names)


def random_stimuli(
    ligands: Sequence[str],
    num_conditions: int,
    num_active: int,
    *,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    """A control without any ligand, then random ligands at random concentrations.

    Ligands are drawn with replacement, so that a condition has `num_active` of them or, where one
    was drawn again, fewer; concentrations are uniform in [0, 1).

    Args:
        ligands: Accessions of the ligands.
        num_conditions: Conditions, the control included.
        num_active: Draws a condition.
        generator: Source of randomness; the global one if None.

    Returns:
        Concentrations, conditions x ligands; conditions are called after them, such as
        ``(none)`` and ``L1=0.3745 L2=0.9507``, and numbered where two would be alike.

    Raises:
        TypeError: The ligands are one text instead of several.
        ValueError: A ligand is named twice or not at all, or a number is below 1.

    References:
        Nilsson et al. (2022), Methods; the first condition of the original function is blank, too.
    """
    return _drawn_stimuli(ligands, num_conditions, num_active, generator, visit=False)


def screen_stimuli(
    ligands: Sequence[str],
    num_conditions: int,
    num_active: int,
    *,
    generator: torch.Generator | None = None,
) -> pd.DataFrame:
    """A control without any ligand, then every ligand in turn together with random ones.

    Condition i > 0 has ligand (i - 1) mod L and `num_active` - 1 others, drawn with replacement;
    concentrations are uniform in [0, 1). After L + 1 conditions every ligand was there once,
    which `random_stimuli` does not promise.

    Args:
        ligands: Accessions of the L ligands.
        num_conditions: Conditions, the control included.
        num_active: Draws a condition, that of the ligand whose turn it is included.
        generator: Source of randomness; the global one if None.

    Returns:
        Concentrations, conditions x ligands, named as by `random_stimuli`.

    Raises:
        TypeError: The ligands are one text instead of several.
        ValueError: A ligand is named twice or not at all, or a number is below 1.

    References:
        Nilsson et al. (2022), Fig. 5a, and the script of the screen of synthetic data.

    Example:
        >>> stimuli = screen_stimuli(["L1", "L2"], num_conditions=4, num_active=1)
        >>> (stimuli > 0).astype(int).to_numpy().tolist()
        [[0, 0], [1, 0], [0, 1], [1, 0]]
    """
    return _drawn_stimuli(ligands, num_conditions, num_active, generator, visit=True)


def _drawn_stimuli(
    ligands: Sequence[str],
    num_conditions: int,
    num_active: int,
    generator: torch.Generator | None,
    *,
    visit: bool,
) -> pd.DataFrame:
    """A control, then random ligands; the first of a condition is the next in turn on a visit."""
    names = _check_ligands(ligands)
    _check_count("num_conditions", num_conditions, at_least=1)
    _check_count("num_active", num_active, at_least=1)
    shape = num_conditions - 1, num_active
    drawn = torch.randint(len(names), shape, generator=generator)
    if visit:
        drawn[:, -1] = torch.arange(num_conditions - 1) % len(names)
    concentration = torch.rand(shape, generator=generator, dtype=torch.float64)
    values = np.zeros((num_conditions, len(names)))
    rows = np.arange(1, num_conditions)
    for draw in range(num_active):  # one at a time: of a ligand drawn again, the last counts
        values[rows, drawn[:, draw].numpy()] = concentration[:, draw].numpy()
    return _to_table(values, _condition_names(values, names), names)


def measure(
    model: LEMBAS,
    data: Data,
    ligands: pd.DataFrame,
    *,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Data:
    """Add conditions whose TF activities are those of a model at its steady state.

    Args:
        model: The reference; it is not changed.
        data: Its network; it is not changed, earlier conditions are replaced in the copy.
        ligands: Concentrations, conditions x ligands.
        noise: Standard deviation of a normal measurement error (fraction of maximal activity);
            activities are not cut to [0, 1].
        generator: Source of randomness of the error; the global one if None.

    Returns:
        A copy with `x`, `y` and `conditions`, as `lembas_pyg.network.add_conditions` gives it;
        float64, solved to 1e-12. `y` is NaN where there is no steady state, and a warning names
        those conditions.

    Raises:
        ValueError: The noise is negative or not finite, the table does not fit the network, or
            the network is not that of the model.
    """
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise is {noise}; a standard deviation is a number of 0 or more.")
    prediction = predict(model, add_conditions(data, ligands))
    y = prediction.y.masked_fill(~prediction.converged, torch.nan).cpu()
    if noise:
        y = y + noise * torch.randn(y.shape, generator=generator, dtype=y.dtype)
    tfs = [model.node_name[i] for i in model.tf_index.tolist()]
    return add_conditions(data, ligands, pd.DataFrame(y.T.numpy(), ligands.index, tfs))


def split_conditions(
    data: Data, share: float = 0.8, *, generator: torch.Generator | None = None
) -> tuple[Data, Data]:
    """Divide the conditions at random into those to train on and those to test on.

    Args:
        data: Network with conditions; it is not changed.
        share: Share of conditions to train on, between 0 and 1; rounded to whole conditions.
        generator: Source of randomness; the global one if None.

    Returns:
        Two copies of the network with `x`, `y` (where measured) and `conditions` of either part,
        in their original order.

    Raises:
        ValueError: There are no conditions, or one part would be empty.
    """
    if "conditions" not in data:
        raise ValueError(
            "The network has no conditions; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands)`."
        )
    num_conditions = len(data.conditions)
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; it must lie between 0 and 1, such as 0.8.")
    num_train = round(share * num_conditions)
    if not 0 < num_train < num_conditions:
        raise ValueError(
            f"A share of {share} of {num_conditions} conditions leaves one part empty. Choose "
            f"another share, or more conditions."
        )
    order = torch.randperm(num_conditions, generator=generator)
    train, test = order[:num_train].sort().values, order[num_train:].sort().values
    names = list(data.conditions)
    return (
        select_conditions(data, [names[i] for i in train.tolist()]),
        select_conditions(data, [names[i] for i in test.tolist()]),
    )


def _check_ligands(ligands: Sequence[str]) -> list[str]:
    """The names, each given once."""
    if isinstance(ligands, str):
        raise TypeError(f"The ligands are a list of names; for a single one give ['{ligands}'].")
    names = list(ligands)
    if not names:
        raise ValueError("No ligand was named; a stimulus needs at least one.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"Ligands named more than once: {', '.join(repeated)}.")
    return names


def _check_count(what: str, value: int, *, at_least: int) -> None:
    if not isinstance(value, int) or value < at_least:
        raise ValueError(f"{what} is {value!r}; it must be a whole number of {at_least} or more.")


def _short_texts(levels: np.ndarray) -> list[str]:
    """The levels with as many decimals as tell them apart, at least two."""
    for decimals in range(2, 18):
        texts = [f"{level:.{decimals}f}" for level in levels]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(float(level)) for level in levels]


def _condition_names(values: np.ndarray, names: list[str]) -> list[str]:
    """Every condition called after its ligands; equal ones are numbered."""
    texts = [
        " ".join(f"{names[i]}={row[i]:.4f}" for i in row.nonzero()[0]) or "(none)" for row in values
    ]
    count = pd.Series(texts).groupby(texts).cumcount()
    return [f"{text} #{n + 1}" if n else text for text, n in zip(texts, count, strict=True)]


def _to_table(values: np.ndarray, index: list[str], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(values, index=pd.Index(index, name="condition"), columns=names)
