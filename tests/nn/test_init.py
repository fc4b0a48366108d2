"""Initial parameters against the rules of the paper."""

import pytest
import torch

from lembas_pyg.nn import spectral_radius
from lembas_pyg.nn.init import basal_bias_, scale_to_radius_, signed_uniform_

EDGE_INDEX = torch.tensor([[0, 1, 2, 2, 3, 0], [1, 2, 0, 3, 3, 4]])
EDGE_SIGN = torch.tensor([1, -1, 0, -1, -1, -1])


def test_weights_are_in_range_and_negative_only_for_known_inhibitions():
    weight = signed_uniform_(torch.empty(6), EDGE_SIGN)
    assert ((weight.abs() >= 0.1) & (weight.abs() < 0.2)).all()
    assert (weight < 0).tolist() == [False, True, False, True, True, True]


def test_the_generator_decides_the_weights():
    draws = [
        signed_uniform_(torch.empty(6), EDGE_SIGN, generator=torch.Generator().manual_seed(s))
        for s in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_only_nodes_that_are_all_inhibited_start_active():
    # Node 0 has an unknown input, 1 an activation, 2, 3 and 4 inhibitions only.
    bias = basal_bias_(torch.empty(5, 1), EDGE_INDEX, EDGE_SIGN)
    assert bias.view(-1).tolist() == pytest.approx([1e-3, 1e-3, 1, 1, 1])


def test_a_node_without_inputs_keeps_the_small_bias():
    bias = basal_bias_(torch.empty(6, 1), EDGE_INDEX, EDGE_SIGN)
    assert bias[5].item() == pytest.approx(1e-3)


def test_weights_are_scaled_to_the_radius():
    weight = signed_uniform_(torch.empty(6, dtype=torch.float64), EDGE_SIGN)
    before = weight.clone()
    scale_to_radius_(weight, EDGE_INDEX, 5, 0.8)
    assert spectral_radius(EDGE_INDEX, weight, 5).item() == pytest.approx(0.8)
    ratio = weight / before
    torch.testing.assert_close(ratio, ratio[:1].expand(6))


def test_a_network_without_feedback_is_left_as_it_is():
    weight = torch.ones(1)
    assert scale_to_radius_(weight, torch.tensor([[0], [1]]), 2).item() == 1


def test_a_radius_of_zero_is_refused():
    with pytest.raises(ValueError, match="radius is 0; it must be positive"):
        scale_to_radius_(torch.ones(1), torch.tensor([[0], [0]]), 1, 0)
