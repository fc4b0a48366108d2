"""What a drug screen may not hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.network.nodes import first_of, unknown_node

# A log10 dose above this is taken for a concentration.
LARGEST_DOSE = 15.0
# Fractions of untreated cells beyond this, either way (noise), are taken for percentages.
_MOST_VIABLE = 5.0


def check_doses(doses: pd.DataFrame) -> None:
    """Refuse doses that are no log10 doses."""
    bad = (doses.isna() | (doses < 0)).to_numpy()
    if bad.any():
        row, drug = np.argwhere(bad)[0]
        raise ValueError(
            f"The log10 dose of '{doses.columns[drug]}' in the observation '{doses.index[row]}' is "
            f"{doses.iat[row, drug]}. It is positive, or 0 where the drug is absent; "
            f"`lembas_pyg.io.LogDose` makes it of concentrations."
        )
    large = (doses > LARGEST_DOSE).to_numpy()
    if large.any():
        row, drug = np.argwhere(large)[0]
        raise ValueError(
            f"The log10 dose of '{doses.columns[drug]}' in the observation '{doses.index[row]}' is "
            f"{doses.iat[row, drug]:g}, which looks like a concentration; "
            f"`lembas_pyg.io.LogDose` takes its logarithm."
        )


def check_treated(doses: pd.DataFrame) -> None:
    """Refuse observations without a drug."""
    untreated = doses.index[(doses == 0).all(axis=1)]
    if len(untreated):
        raise ValueError(
            f"Observations without a drug: {first_of(untreated)}. Viability is a fraction of that "
            f"of untreated cells, which is 1 by definition: leave them out."
        )


def check_expression(data: Data, expression: pd.DataFrame) -> None:
    """Refuse expression of what is no node."""
    known = set(data.node_name)
    for name in expression.columns:
        if name not in known:
            raise ValueError(f"Expression has a column of no node. {unknown_node(data, name)}")


def check_mutations(mutations: pd.DataFrame) -> None:
    """Refuse mutations that are neither there nor absent."""
    bad = ~mutations.isin([0, 1]).to_numpy()
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"The mutation '{mutations.columns[column]}' of the cell line '{mutations.index[row]}' "
            f"is {mutations.iat[row, column]:g}; write 1 where a line has it, else 0."
        )


def check_fractions(observations: pd.Index, viability: np.ndarray) -> None:
    """Refuse viabilities that are no fractions of untreated cells."""
    bad = np.flatnonzero(np.abs(viability) > _MOST_VIABLE)
    if len(bad):
        raise ValueError(
            f"The viability of '{observations[bad[0]]}' is {viability[bad[0]]:g}; it is a fraction "
            f"of that of untreated cells, about 0 to 1 and within {_MOST_VIABLE:g} of 0. Divide "
            f"percentages by 100."
        )


def check_distinct(doses: pd.DataFrame, cell_lines: pd.Series) -> None:
    """Refuse two observations of the same cell line under the same doses."""
    whole = doses.assign(**{"": cell_lines})
    again = whole.duplicated(keep="first")
    if again.any():
        name = whole.index[again][0]
        same = (whole == whole.loc[name]).all(axis=1)
        first = whole.index[same][0]
        drugs = ", ".join(f"{d} {v:g}" for d, v in doses.loc[name].items() if v)
        raise ValueError(
            f"The observations '{first}' and '{name}' are the same: cell line "
            f"'{cell_lines[name]}', log10 dose {drugs}; {int(again.sum())} repeat an earlier one. "
            f"Average replicates first, or keep one of them."
        )
