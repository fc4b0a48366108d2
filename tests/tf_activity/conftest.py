import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def regulon():
    """Two TFs of five targets and one of two; the second represses one of its own."""
    rows = [("T1", f"G{i}", 1.0) for i in range(5)]
    rows += [("T2", f"G{i}", -1.0 if i == 4 else 1.0) for i in range(4, 9)]
    rows += [("T3", "G0", 1.0), ("T3", "G9", -1.0), ("T3", "absent", 1.0)]
    return pd.DataFrame(rows, columns=["source", "target", "weight"])


@pytest.fixture
def expression():
    """7 samples x 13 genes, positive and not centred."""
    rng = np.random.default_rng(0)
    values = rng.normal(8, 1, (7, 13))
    return pd.DataFrame(values, [f"S{i}" for i in range(7)], [f"G{i}" for i in range(13)])
