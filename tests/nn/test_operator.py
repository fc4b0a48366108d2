"""The sparse operator against dense algebra."""

import pytest
import torch

from lembas_pyg.nn.operator import SignedOperator

# N=4, E=6: a parallel edge and a self-loop; S=3.
EDGE_INDEX = torch.tensor([[0, 0, 1, 2, 3, 3], [1, 1, 2, 0, 3, 0]])


@pytest.fixture
def weight():
    return torch.tensor([0.5, -2.0, 1.0, 0.3, -0.7, 0.2], dtype=torch.float64)


def dense(weight):
    matrix = torch.zeros(4, 4, dtype=weight.dtype)
    return matrix.index_put((EDGE_INDEX[1], EDGE_INDEX[0]), weight, accumulate=True)


def test_matrix_and_transpose_are_the_weighted_adjacency(weight):
    operator = SignedOperator(EDGE_INDEX, 4)
    assert operator.num_edges == 6
    torch.testing.assert_close(operator.matrix(weight).to_dense(), dense(weight))
    torch.testing.assert_close(operator.transpose(weight).to_dense(), dense(weight).T)


def test_propagate_has_the_gradients_of_the_dense_product(weight):
    operator = SignedOperator(EDGE_INDEX, 4)
    h = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    weight.requires_grad_()
    torch.testing.assert_close(operator.propagate(weight, h), dense(weight) @ h)
    assert torch.autograd.gradcheck(operator.propagate, (weight, h))


def test_edge_dot_sums_over_conditions(weight):
    operator = SignedOperator(EDGE_INDEX, 4)
    u, h = torch.randn(2, 4, 3, dtype=torch.float64)
    expected = torch.stack([(u[i] * h[j]).sum() for j, i in EDGE_INDEX.T.tolist()])
    torch.testing.assert_close(operator.edge_dot(u, h), expected)


@pytest.mark.parametrize(
    ("edge_index", "message"),
    [
        (torch.zeros(3, 2, dtype=torch.long), r"shape \[3, 2\]; it must be \[2, E\]"),
        (torch.zeros(2, 3), "torch.float32; node numbers must be integers"),
        (torch.tensor([[0, 4], [1, 0]]), "names node 4 .* there are 4 nodes"),
        (torch.tensor([[0, -1], [1, 0]]), "smallest -1"),
    ],
)
def test_a_bad_edge_index_is_refused(edge_index, message):
    with pytest.raises(ValueError, match=message):
        SignedOperator(edge_index, 4)


def test_a_second_derivative_is_refused(weight):
    operator = SignedOperator(EDGE_INDEX, 4)
    h = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(
        operator.propagate(weight, h).square().sum(), h, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
