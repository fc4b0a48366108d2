"""Scores against scipy."""

import numpy as np
import pytest
import scipy.stats
import torch

from lembas_pyg.metrics import mean_squared_error, pearson_r


def test_scores_are_pooled_over_what_was_measured():
    generator = np.random.default_rng(0)
    y, measured = generator.random((2, 4, 7))
    measured[generator.random((4, 7)) < 0.3] = np.nan
    known = ~np.isnan(measured)
    expected = scipy.stats.pearsonr(y[known], measured[known]).statistic
    y, tensor = torch.from_numpy(y), torch.from_numpy(measured)
    assert pearson_r(y, tensor) == pytest.approx(expected)
    error = ((y.numpy() - measured)[known] ** 2).mean()
    assert mean_squared_error(y, tensor) == pytest.approx(error)


def test_without_variance_or_entries_there_is_no_correlation():
    assert np.isnan(pearson_r(torch.ones(3), torch.rand(3)))
    assert np.isnan(pearson_r(torch.rand(3), torch.full((3,), torch.nan)))
    assert np.isnan(mean_squared_error(torch.rand(3), torch.full((3,), torch.nan)))


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \[2, 3\], measurements \[3, 2\]"):
        pearson_r(torch.rand(2, 3), torch.rand(3, 2))
