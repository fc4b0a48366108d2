"""Two drugs together: what a drug model predicts beyond what each does alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.drug_response import asked_of, drug_of, lines_of, members_of
from lembas_pyg.network import ask_observations
from lembas_pyg.network.drug_checks import LARGEST_DOSE
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.viability import DrugModels, exact_models, mean_and_spread

__all__ = ["bliss", "drug_combination", "loewe"]

# log10 doses at which single drugs are asked for the doses that equal others: from 0 in such steps
# to the last one at least, or so far beyond what is asked.
_STEP, _LAST, _BEYOND = 0.05, 6.0, 1.0
_HALVINGS = 50


def drug_combination(
    model: DrugResponse | DrugModels,
    data: Data,
    drugs: tuple[str, str],
    cell_lines: Iterable[str] | str | None = None,
    *,
    doses: Sequence[float] = (1.4, 2.4, 3.4),
) -> pd.DataFrame:
    r"""Viability under two drugs, beside what they would do if they acted independently.

    Bliss: each kills its share of what the other leaves, :math:`v_{ab} = v_a v_b / v_0`. Loewe:
    each is a dilution of the other, :math:`a / D_a(v) + b / D_b(v) = 1`, with :math:`D(v)` the dose
    of a single drug that leaves :math:`v`. An excess is what was expected less what is predicted:
    positive for a synergy. The model was trained on single drugs: a combination is what the
    network says of two inputs, not what was measured.

    Args:
        model: A drug model, or an ensemble.
        data: Network with a drug screen.
        drugs: Names of two drugs.
        cell_lines: Names of cell lines; all if None.
        doses: log10 doses of each, all of one with all of the other.

    Returns:
        One row a cell line and pair of doses: `cell_line`, `drug_a`, `drug_b`, `dose_a`, `dose_b`
        (log10), `a`, `b` (viability under each alone), `viability` (under both), `spread`,
        `bliss`, `bliss_excess`, `bliss_spread`, `loewe`, `loewe_excess`, `loewe_spread` (of the
        excess over members).

    Raises:
        ValueError: There are not two different drugs of the screen, a cell line is not of it, or
            a dose is not positive.

    References:
        Bliss (1939), Ann. Appl. Biol. 26, 585; Loewe & Muischnek (1926).
    """
    pair = (drugs,) if isinstance(drugs, str) else tuple(drugs)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(
            f"A combination is of two different drugs; {', '.join(map(repr, pair))} "
            f"{'is' if len(pair) == 1 else 'are'} given."
        )
    for drug in pair:
        drug_of(data, drug)
    if min(doses) <= 0:
        raise ValueError(f"The log10 doses {list(doses)} hold one that is not positive.")
    lines = lines_of(data, cell_lines)
    models = exact_models(model, data)

    def under(drug: str, levels: Sequence[float]) -> Tensor:
        found = members_of(models, asked_of(data, drug, lines, list(levels)))
        return found.view(len(models), len(lines), -1)

    last = min(max(_LAST, max(doses) + _BEYOND), LARGEST_DOSE)
    grid = [_STEP * number for number in range(round(last / _STEP) + 1)]
    first, second = (under(drug, grid) for drug in pair)  # [K, C, G]
    untreated = first[..., :1]  # a log10 dose of 0 is no drug
    grid_a, grid_b = np.meshgrid(doses, doses, indexing="ij")
    levels = np.stack([grid_a.ravel(), grid_b.ravel()])  # [2, P]
    both = members_of(models, _pairs(data, pair, lines, levels))
    both = both.view(len(models), len(lines), -1)  # [K, C, P]
    count = len(doses)
    alone = (
        under(pair[0], doses).repeat_interleave(count, -1),
        under(pair[1], doses).repeat(1, 1, count),
    )
    expected = {
        "bliss": bliss(alone[0], alone[1], untreated),
        "loewe": loewe(first, second, levels),
    }
    count = levels.shape[1]
    table = pd.DataFrame(
        {
            "cell_line": np.repeat(lines, count),
            "drug_a": pair[0],
            "drug_b": pair[1],
            "dose_a": np.tile(levels[0], len(lines)),
            "dose_b": np.tile(levels[1], len(lines)),
        }
    )

    def add(name: str, values: Tensor, spread: str | None = None) -> None:
        mean, deviation = mean_and_spread(values.flatten(1))
        table[name] = mean.numpy()
        if spread is not None:
            table[spread] = deviation.numpy()

    add("a", alone[0])
    add("b", alone[1])
    add("viability", both, "spread")
    for name, value in expected.items():
        add(name, value)
        add(f"{name}_excess", value - both, f"{name}_spread")
    return table


def bliss(a: Tensor, b: Tensor, untreated: Tensor | float = 1.0) -> Tensor:
    """Viability under two drugs that act independently, each killing its share.

    Args:
        a: Viability under the first.
        b: Viability under the second.
        untreated: Viability under none.
    """
    return a * b / untreated


def loewe(first: Tensor, second: Tensor, levels: np.ndarray) -> Tensor:
    """Viability under two drugs if each were a dilution of the other.

    A drug that does not reach an effect at any dose contributes nothing to it; of a curve that
    rises again with the dose the lowest viability so far counts.

    Args:
        first: Viability under the first drug alone, at log10 doses 0, 0.05, 0.1 and so on.
        second: The same of the second.
        levels: log10 doses of both in combination.

    Shapes:
        - **first, second:** ``[K, C, G]``
        - **levels:** ``[2, P]``
        - **output:** ``[K, C, P]``
    """
    curves = [curve.cummin(dim=-1).values for curve in (first, second)]
    low = torch.minimum(curves[0][..., -1:], curves[1][..., -1:]).expand(
        *first.shape[:-1], levels.shape[1]
    )
    high = torch.maximum(curves[0][..., :1], curves[1][..., :1]).expand_as(low)
    dose = torch.from_numpy(levels)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # Share of the effect's dose that each contributes; 1 or more: the effect is reached.
        share = torch.zeros_like(middle)
        for curve, level in zip(curves, dose, strict=True):
            share = share + 10.0 ** (level - _log_dose(curve, middle))
        reached = share >= 1
        high, low = torch.where(reached, middle, high), torch.where(reached, low, middle)
    return (low + high) / 2


def _log_dose(curve: Tensor, viability: Tensor) -> Tensor:
    """log10 dose at which a falling curve reaches a viability; infinite where it does not."""
    steps = _STEP * torch.arange(curve.size(-1), dtype=curve.dtype)
    # Position of the first grid point at or below the viability.
    below = torch.searchsorted(-curve, -viability)
    index = below.clamp(1, len(steps) - 1)
    upper, lower = curve.gather(-1, index - 1), curve.gather(-1, index)
    share = ((upper - viability) / (upper - lower).clamp(min=1e-12)).clamp(0, 1)
    found = steps[index - 1] + share * (steps[index] - steps[index - 1])
    return found.masked_fill(below >= len(steps), torch.inf)


def _pairs(data: Data, pair: tuple[str, ...], lines: list[str], levels: np.ndarray) -> Data:
    """Observations of both drugs together, pairs of doses together for each line."""
    count = levels.shape[1]
    index = [f"{line} {number}" for line in lines for number in range(count)]
    doses = {drug: np.tile(level, len(lines)) for drug, level in zip(pair, levels, strict=True)}
    return ask_observations(
        data,
        pd.DataFrame(doses, index=index),
        pd.Series(np.repeat(lines, count), index=index),
    )
