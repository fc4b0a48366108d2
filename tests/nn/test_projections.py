"""The sparse projection against a dense matrix."""

import pytest
import torch

from lembas_pyg.nn import SparseProjection


def test_pairs_add_up_like_the_dense_matrix():
    source, target = torch.tensor([0, 2, 2, 1]), torch.tensor([1, 0, 1, 1])
    projection = SparseProjection(source, target, 2, amplitude=1.0)
    with torch.no_grad():
        projection.weight.copy_(torch.tensor([0.5, -1.0, 2.0, 3.0]))
    x = torch.rand(3, 4)
    dense = torch.tensor([[0, 0, -1.0], [0.5, 3.0, 2.0]])
    torch.testing.assert_close(projection(x), dense @ x)


def test_weights_start_at_the_amplitude_and_may_be_frozen():
    index = torch.arange(3)
    projection = SparseProjection(index, index, 3, amplitude=1.2, trainable=False)
    assert projection.weight.tolist() == pytest.approx([1.2] * 3)
    assert not projection.weight.requires_grad
    assert repr(projection) == "SparseProjection(pairs=3, num_targets=3)"


def test_unequal_lists_are_refused():
    with pytest.raises(ValueError, match="2 sources, but 3 targets"):
        SparseProjection(torch.arange(2), torch.arange(3), 3, amplitude=1.0)


def test_the_amplitude_is_no_part_of_what_is_saved():
    index = torch.arange(2)
    layer = SparseProjection(index, index, 2, amplitude=torch.tensor([1.0, 2.0]))
    assert set(layer.state_dict()) == {"weight"}
