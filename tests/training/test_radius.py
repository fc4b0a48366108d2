"""Descent of the spectral radius against dense eigenvalues."""

import numpy as np
import pytest
import torch
from torch_geometric.utils import to_dense_adj

from lembas_pyg.training import shrink_radius


def test_the_radius_goes_down_to_the_target_and_weights_barely_change():
    generator = torch.Generator().manual_seed(0)
    edge_index = (torch.rand(30, 30, generator=generator) < 0.3).nonzero().T
    weight = torch.randn(edge_index.size(1), generator=generator, dtype=torch.float64)

    def radius(values):
        matrix = to_dense_adj(edge_index, edge_attr=values, max_num_nodes=30)[0].numpy()
        return abs(np.linalg.eigvals(matrix)).max()

    weight = weight * 1.1 / radius(weight)
    before = weight.clone()
    after, radii = shrink_radius(edge_index, weight, 30, 0.95)
    assert torch.equal(weight, before)
    assert radii[0] == pytest.approx(1.1)
    assert radii[-1] == pytest.approx(radius(after))
    assert radii[-1] <= 0.95 < radii[-2]
    assert float(torch.corrcoef(torch.stack([before, after]))[0, 1]) > 0.99


def test_too_few_steps_show_in_the_last_radius():
    edge_index, weight = torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.2, 1.2])
    _, radii = shrink_radius(edge_index, weight, 2, max_steps=3)
    assert len(radii) == 4
    assert 0.95 < radii[-1] < radii[0]
    with pytest.raises(ValueError, match="max_steps=0"):
        shrink_radius(edge_index, weight, 2, max_steps=0)
