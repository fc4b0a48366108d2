"""Regions counted by hand."""

import pytest

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions
from lembas_pyg.synthetic import REGIONS, grid_stimuli, split_region


@pytest.fixture
def data():
    return add_conditions(ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=10))


@pytest.mark.parametrize(("region", "size"), list(zip(REGIONS, (36, 20, 25), strict=True)))
def test_regions_have_their_size_and_nothing_is_lost(data, region, size):
    train, test = split_region(data, region)
    assert len(test.conditions) == size
    assert set(train.conditions) | set(test.conditions) == set(data.conditions)
    assert len(train.conditions) == 100 - size


def test_regions_lie_where_they_are_called_after(data):
    _, south_west = split_region(data, "south-west")
    assert float(south_west.x.max()) < 0.5
    _, stripe = split_region(data, "stripe")
    assert sorted(set(stripe.x[0].tolist())) == pytest.approx([4 / 9, 5 / 9])
    assert len(set(stripe.x[1].tolist())) == 10
    inner, boundary = split_region(data, "boundary")
    assert (float(inner.x[:2].min()), float(inner.x[:2].max())) == pytest.approx((1 / 9, 8 / 9))
    assert bool(((boundary.x[:2] == 0) | (boundary.x[:2] == 1)).any(dim=0).all())


def test_what_is_no_region_is_refused(data):
    with pytest.raises(ValueError, match="no region 'north'; choose from boundary, stripe"):
        split_region(data, "north")
    with pytest.raises(ValueError, match="The network has no conditions"):
        split_region(ToyNetwork()[0], "stripe")
    alone = add_conditions(ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=2))
    with pytest.raises(ValueError, match="0 of 4 conditions are in the region 'stripe'"):
        split_region(alone, "stripe")
