"""Parameters without data."""

import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, spread_parameters


def test_tf_activity_comes_to_use_its_range():
    data = add_conditions(ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=4))
    start, end = (
        spread_parameters(data, steps=n, lr=0.03, generator=torch.Generator().manual_seed(0))
        for n in (1, 60)
    )
    y_start, y_end = predict(start, data).y, predict(end, data).y
    assert y_end.std() > y_start.std()
    assert (y_end.max() - y_end.min()) > 0.5
    assert bool((end.conv.edge_weight * end.edge_sign >= 0).all())


def test_without_conditions_there_is_nothing_to_spread():
    with pytest.raises(ValueError, match="The network has no conditions"):
        spread_parameters(ToyNetwork()[0])
