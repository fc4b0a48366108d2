"""Doses: from concentrations to the logarithms a drug model takes, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lembas_pyg.io.conditions import check_conditions

__all__ = ["LogDose"]


@dataclass(frozen=True)
class LogDose:
    r"""Doses as log10 of the concentration in a unit, 0 where a drug is absent.

    .. math:: d = \log_{10} c

    In a unit below the smallest dose every logarithm is positive, so that 0 is left for "absent".

    Args:
        unit: Unit of the concentrations, such as nM; a word for messages and files.

    References:
        Nilsson et al. (2022), Methods (log-transformed concentrations). The published table holds
        8 doses from 2.5 to 8,000, nM by their range.

    Example:
        >>> doses = pd.DataFrame({"Lapatinib": [10.0, 1000.0]}, index=["a", "b"])
        >>> LogDose().transform(doses)["Lapatinib"].tolist()
        [1.0, 3.0]
    """

    unit: str = "nM"

    def transform(self, concentrations: pd.DataFrame) -> pd.DataFrame:
        """Logarithms of raw concentrations.

        Args:
            concentrations: Observations x drugs; NaN or blank where a drug is absent.

        Raises:
            ValueError: A concentration is 0 or less, or so small that its logarithm would read as
                "absent".
        """
        raw = check_conditions(concentrations, "The table of doses")
        not_positive = raw.le(0).to_numpy()
        if not_positive.any():
            row, drug = np.argwhere(not_positive)[0]
            raise ValueError(
                f"The dose of '{raw.columns[drug]}' in the observation '{raw.index[row]}' is "
                f"{raw.iat[row, drug]:g} {self.unit}, which has no logarithm. A dose is positive; "
                f"leave the field blank (NaN) where the drug is absent."
            )
        too_small = raw.le(1).to_numpy()
        if too_small.any():
            row, drug = np.argwhere(too_small)[0]
            raise ValueError(
                f"The dose of '{raw.columns[drug]}' in the observation '{raw.index[row]}' is "
                f"{raw.iat[row, drug]:g} {self.unit}. A log10 of 0 or less reads as 'absent': give "
                f"all doses in a smaller unit, in which they are above 1."
            )
        return raw.map(np.log10, na_action="ignore").fillna(0.0)

    def inverse(self, doses: pd.DataFrame) -> pd.DataFrame:
        """Raw concentrations of logarithms, NaN where a drug is absent.

        Args:
            doses: Observations x drugs, log10 doses.
        """
        table = check_conditions(doses, "The table of log10 doses")
        return table.where(table > 0).map(lambda dose: 10.0**dose, na_action="ignore")
