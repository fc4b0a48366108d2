"""Doses and their logarithms."""

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import LogDose


def table(*values):
    return pd.DataFrame({"Lapatinib": values, "Erlotinib": 10.0}, index=list("abc")[: len(values)])


def test_logarithms_and_back_with_absent_drugs():
    raw = table(100.0, np.nan, 2.5)
    doses = LogDose().transform(raw)
    np.testing.assert_allclose(doses["Lapatinib"], [2.0, 0.0, 0.39794], atol=1e-6)
    pd.testing.assert_frame_equal(LogDose().inverse(doses), raw)


@pytest.mark.parametrize("dose", [0.0, -3.0])
def test_a_dose_without_logarithm_is_refused(dose):
    with pytest.raises(
        ValueError, match=r"'Lapatinib' in the observation 'b' is -?\d nM, which has"
    ):
        LogDose().transform(table(100.0, dose))


def test_a_dose_that_would_read_as_absent_is_refused():
    with pytest.raises(ValueError, match=r"1 uM\. A log10 of 0 or less reads as 'absent'"):
        LogDose("uM").transform(table(1.0))
