"""What a drug model says of doses and mutations.

All functions take a model or an ensemble (anything with ``.models``), solve in float64, and return
long tables; of an ensemble `spread` is the standard deviation over its members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import ask_observations
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.spelling import did_you_mean
from lembas_pyg.viability import (
    DrugModels,
    exact_models,
    mean_and_spread,
    predict_viability,
)

__all__ = ["asked_of", "dose_response", "drug_of", "lines_of", "members_of", "mutation_effects"]

_POINTS = 25
_DIGITS = 6


def dose_response(
    model: DrugResponse | DrugModels,
    data: Data,
    drug: str,
    cell_lines: Iterable[str] | str | None = None,
    *,
    doses: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Viability of cell lines over the doses of a drug, with what was measured.

    Args:
        model: A drug model, or an ensemble.
        data: Network with a drug screen.
        drug: Name of the drug.
        cell_lines: Names of cell lines; all if None.
        doses: log10 doses; 25 over the range that the drug was measured at, and those measured, if
            None.

    Returns:
        One row a cell line and dose: `cell_line`, `drug`, `log10_dose`, `viability`, `spread`,
        `measured` (NaN where not).

    Raises:
        ValueError: A drug or cell line is not of the screen.
    """
    row, lines = drug_of(data, drug), lines_of(data, cell_lines)
    alone = _measured_alone(data, row)
    if doses is None:
        if alone.empty:
            raise ValueError(f"'{drug}' was not measured alone; name the log10 doses= to ask for.")
        known = alone["log10_dose"].unique()
        grid = np.linspace(known.min(), known.max(), _POINTS)
        doses = np.unique(np.concatenate([grid, known]).round(_DIGITS)).tolist()
    found = predict_viability(model, asked_of(data, drug, lines, doses))
    table = pd.DataFrame(
        {
            "cell_line": np.repeat(lines, len(doses)),
            "drug": drug,
            "log10_dose": np.tile(np.asarray(doses, float), len(lines)),
            "viability": found.viability.numpy(),
            "spread": found.spread.numpy(),
        }
    )
    measured = alone.groupby(["cell_line", "log10_dose"])["measured"].mean()
    return table.join(measured, on=["cell_line", "log10_dose"])


def mutation_effects(
    model: DrugResponse | DrugModels,
    data: Data,
    drug: str,
    dose: float,
    cell_lines: Iterable[str] | str | None = None,
) -> pd.DataFrame:
    """How a response would change if a cell line had, or had not, a mutation.

    A mutation that a line has is taken away, another is given to it. Mutations that no line of the
    screen has were never trained and are left out.

    Args:
        model: A drug model, or an ensemble.
        data: Network with a drug screen.
        drug: Name of the drug.
        dose: log10 dose.
        cell_lines: Names of cell lines; all if None.

    Returns:
        One row a cell line and mutation: `cell_line`, `drug`, `mutation`, `present` (in the line),
        `mutated` and `wild_type` (viability with and without it), `delta` (their difference:
        negative if the mutation sensitises), `spread` (of `delta` over members).

    Raises:
        ValueError: A drug or cell line is not of the screen.
    """
    drug_of(data, drug)
    lines = lines_of(data, cell_lines)
    asked = asked_of(data, drug, lines, [dose])
    models = exact_models(model, data)
    column = asked.cell_line.view(-1)
    blocks = []
    for name, number in data.mutations.items():
        if not bool(data.mutation[number].any()):
            continue
        sides = []
        for value in (1.0, 0.0):
            changed = asked.clone()
            changed.mutation = data.mutation.clone()
            changed.mutation[number] = value
            sides.append(members_of(models, changed))
        mutated, wild_type = sides
        delta, spread = mean_and_spread(mutated - wild_type)
        blocks.append(
            pd.DataFrame(
                {
                    "cell_line": lines,
                    "drug": drug,
                    "mutation": name,
                    "present": data.mutation[number, column].bool().numpy(),
                    "mutated": mean_and_spread(mutated)[0].numpy(),
                    "wild_type": mean_and_spread(wild_type)[0].numpy(),
                    "delta": delta.numpy(),
                    "spread": spread.numpy(),
                }
            )
        )
    if not blocks:
        raise ValueError("No cell line of the screen has a mutation; there is nothing to change.")
    return pd.concat(blocks, ignore_index=True)


def drug_of(data: Data, drug: str) -> int:
    """Number of a single drug of the screen.

    Raises:
        ValueError: Several drugs are named, or it is not of the screen.
    """
    if not isinstance(drug, str):
        raise ValueError(
            f"{drug!r} is not one drug; name one, or use `lembas_pyg.analysis.drug_combination` "
            f"for two."
        )
    if drug not in data.drugs:
        raise ValueError(
            f"'{drug}' is not a drug of the screen, which has {', '.join(data.drugs)}."
            f"{did_you_mean(drug, data.drugs)}"
        )
    return int(data.drugs[drug])


def lines_of(data: Data, cell_lines: Iterable[str] | str | None) -> list[str]:
    """Names of cell lines, all if None.

    Raises:
        ValueError: One is not of the screen, or is named twice.
    """
    if cell_lines is None:
        return list(data.cell_lines)
    lines = [cell_lines] if isinstance(cell_lines, str) else list(cell_lines)
    unknown = [name for name in lines if name not in data.cell_lines]
    if unknown or not lines or len(set(lines)) < len(lines):
        known = list(data.cell_lines)
        meant = did_you_mean(unknown[0], known) if unknown else ""
        raise ValueError(
            f"Cell lines {', '.join(map(repr, unknown or lines)) or 'are not named'}: name some of "
            f"the screen, each once; it has {', '.join(known[:10])}, ... ({len(known)} in all)."
            f"{meant}"
        )
    return lines


def asked_of(data: Data, drug: str | None, lines: list[str], doses: Sequence[float]) -> Data:
    """Observations of all lines at all log10 doses of a drug, the doses of a line together."""
    index = [f"{line} {number}" for line in lines for number in range(len(doses))]
    column = drug if drug is not None else next(iter(data.drugs))
    table = pd.DataFrame({column: np.tile(np.asarray(doses, float), len(lines))}, index=index)
    return ask_observations(data, table, pd.Series(np.repeat(lines, len(doses)), index=index))


def _measured_alone(data: Data, row: int) -> pd.DataFrame:
    """What was measured of a drug alone."""
    alone = (data.dose[row] > 0) & ((data.dose > 0).sum(dim=0) == 1)
    lines = list(data.cell_lines)
    return pd.DataFrame(
        {
            "cell_line": [lines[i] for i in data.cell_line[0, alone].tolist()],
            "log10_dose": data.dose[row, alone].double().numpy().round(_DIGITS),
            "measured": data.viability[0, alone].double().numpy(),
        }
    )


def members_of(
    models: list[DrugResponse], asked: Data, perturbation: Tensor | None = None
) -> Tensor:
    """Viability by every member ``[K, S]``, NaN without a steady state, with a warning."""
    together = _Members(models)
    tol, steps = models[0].conv.tol, models[0].conv.max_steps
    return predict_viability(
        together, asked, perturbation=perturbation, tol=tol, max_steps=steps
    ).members


class _Members:
    """Models as an ensemble."""

    def __init__(self, models: list[DrugResponse]) -> None:
        self.models = models
