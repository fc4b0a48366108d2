"""Spectral radius against dense linear algebra."""

import numpy as np
import pytest
import torch

from lembas_pyg.nn import spectral_radius


def graph_of(matrix):
    """Edges and weights of a dense matrix, rows targets."""
    matrix = torch.as_tensor(matrix, dtype=torch.float64)
    target, source = matrix.nonzero().T
    return torch.stack([source, target]), matrix[target, source], matrix.size(0)


def dense_radius(matrix):
    return abs(np.linalg.eigvals(np.asarray(matrix, dtype=float))).max()


def random_matrix(size, density, seed):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((size, size)) * (generator.random((size, size)) < density)


@pytest.mark.parametrize(
    ("size", "density"), [(3, 1.0), (12, 0.3), (60, 0.1), (250, 0.02), (400, 0.008)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_radius_is_that_of_the_dense_matrix(size, density, seed):
    matrix = random_matrix(size, density, seed)
    assert spectral_radius(*graph_of(matrix)).item() == pytest.approx(
        dense_radius(matrix), rel=1e-9
    )


@pytest.mark.parametrize(("size", "density", "seed"), [(5, 0.7, 0), (8, 0.4, 1), (12, 0.25, 2)])
def test_gradient_passes_gradcheck(size, density, seed):
    edge_index, weight, size = graph_of(random_matrix(size, density, seed))
    assert torch.autograd.gradcheck(
        lambda weight: spectral_radius(edge_index, weight, size), weight.requires_grad_()
    )


def test_weights_of_zero_may_cut_a_large_component_into_parts():
    size = 300
    matrix = np.zeros((size, size))
    for node in range(size):
        matrix[(node + 1) % size, node] = 0.5
    matrix[3, 9], matrix[100, 5], matrix[20, 130] = 0.2, 0.3, 0.9
    edge_index, weight, _ = graph_of(matrix)
    weight[(edge_index[0] == 20) & (edge_index[1] == 21)] = 0.0
    matrix[21, 20] = 0.0
    rho = spectral_radius(edge_index, weight, size)
    assert rho.item() == pytest.approx(dense_radius(matrix), rel=1e-9)


def test_gradient_of_a_large_component_is_the_dense_one():
    matrix = random_matrix(260, 0.03, 5)
    edge_index, weight, size = graph_of(matrix)
    spectral_radius(edge_index, weight.requires_grad_(), size).backward()
    value, right = np.linalg.eig(matrix)
    value_left, left = np.linalg.eig(matrix.T)
    top = np.argmax(abs(value))
    x, y = right[:, top], left[:, np.argmin(abs(value_left - value[top]))]
    full = (np.conj(value[top]) / abs(value[top]) * np.outer(y, x) / (y @ x)).real
    expected = torch.from_numpy(full)[edge_index[1], edge_index[0]]
    torch.testing.assert_close(weight.grad, expected, rtol=1e-7, atol=1e-10)


def test_negative_loop_of_two_nodes():
    edge_index, weight, size = graph_of([[0, -0.95], [0.95, 0]])
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(0.95, abs=1e-14)
    rho.backward()
    # rho = sqrt(|w1 w2|), so each weight has the derivative +-1/2 towards its own sign.
    torch.testing.assert_close(weight.grad, 0.5 * weight.detach().sign())


@pytest.mark.parametrize(
    "matrix",
    [
        [[0, 0, 0], [1, 0, 0], [2, 3, 0]],  # a graph without cycles
        [[1, -1], [1, -1]],  # cycles that cancel
        [[2, -1, 1], [2, -1, 1], [-2, 1, -1]],
    ],
)
def test_nilpotent_matrices_have_radius_and_gradient_zero(matrix):
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == 0
    rho.backward()
    assert (weight.grad == 0).all()


def test_all_zero_weights_and_no_edges_have_radius_zero():
    loop = torch.tensor([[0, 1], [1, 0]])
    assert spectral_radius(loop, torch.zeros(2), 2).item() == 0
    assert spectral_radius(loop[:, :0], torch.zeros(0), 2).item() == 0


def test_an_edge_of_weight_zero_gets_its_gradient():
    # Nodes 0 and 1 form a loop; the edge 1 -> 0 in parallel has weight zero.
    edge_index = torch.tensor([[0, 1, 1], [1, 0, 0]])
    weight = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    spectral_radius(edge_index, weight, 2).backward()
    torch.testing.assert_close(weight.grad, torch.full((3,), 0.5, dtype=torch.float64))


def test_coinciding_eigenvalues_give_the_gradient_of_their_mean():
    edge_index, weight, size = graph_of(2 * np.eye(3))
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == 2
    rho.backward()
    # Any convex combination of the three derivatives is a subgradient.
    assert weight.grad.sum().item() == pytest.approx(1)
    assert (weight.grad >= 0).all()


def test_a_semisimple_double_eigenvalue_within_one_component():
    # Reflection-like symmetric matrix: eigenvalues 1, 1, -0.5.
    v = np.array([1.0, 2.0, 2.0]) / 3
    edge_index, weight, size = graph_of(np.eye(3) - 1.5 * np.outer(v, v))
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(1)
    rho.backward()
    # Scaling the matrix scales the radius: the derivative along the weights is the radius itself.
    assert (weight.grad @ weight.detach()).item() == pytest.approx(1)


def test_a_defective_eigenvalue_has_a_value_and_refuses_a_gradient():
    basis = np.array([[1.0, 2.0], [3.0, 1.0]])
    matrix = basis @ np.array([[0.5, 1.0], [0.0, 0.5]]) @ np.linalg.inv(basis)
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(ValueError, match="defective"):
        rho.backward()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.ones(3), r"shape \[3\]; it must be \[2\]"),
        (torch.tensor([1.0, torch.nan]), "NaN or infinite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        spectral_radius(torch.tensor([[0, 1], [1, 0]]), weight, 2)


def test_float32_weights_give_a_float32_radius_and_gradient():
    edge_index, weight, size = graph_of([[0, 0.5], [0.5, 0]])
    weight = weight.float().requires_grad_()
    rho = spectral_radius(edge_index, weight, size)
    rho.backward()
    assert rho.dtype == weight.grad.dtype == torch.float32


@pytest.mark.parametrize(("size", "weak"), [(20, 1e-14), (30, 1e-21), (2, 1e-300)])
def test_a_ring_with_a_weak_link_is_no_nilpotent_matrix(size, weak):
    matrix = np.roll(np.eye(size), 1, axis=0)
    matrix[1, 0] = weak
    expected = weak ** (1 / size)
    assert spectral_radius(*graph_of(matrix)).item() == pytest.approx(expected, rel=1e-6)


def test_integer_weights_are_refused():
    with pytest.raises(ValueError, match="weights must be floating point"):
        spectral_radius(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1, 2]), 2)


def dense_gradient(matrix):
    """Derivative of the radius with respect to every entry of a dense matrix."""
    value, right = np.linalg.eig(matrix)
    value_left, left = np.linalg.eig(matrix.T)
    top = np.argmax(abs(value))
    x, y = right[:, top], left[:, np.argmin(abs(value_left - value[top]))]
    return (np.conj(value[top]) / abs(value[top]) * np.outer(y, x) / (y @ x)).real


@pytest.mark.parametrize("seed", range(12))
def test_networks_with_rows_of_very_different_slope(seed):
    # Slopes of saturated and of inactive nodes span orders of magnitude: far from normal matrices.
    generator = np.random.default_rng(seed)
    size = int(generator.integers(180, 420))
    matrix = random_matrix(size, 4 / size, seed) * np.exp(2 * generator.standard_normal((size, 1)))
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(dense_radius(matrix), rel=1e-9)
    rho.backward()
    target, source = edge_index.flip(0)
    expected = torch.from_numpy(dense_gradient(matrix))[target, source]
    error = (weight.grad - expected).norm() / expected.norm()
    assert error < 1e-6  # of numpy's left vectors, more than of ours


@pytest.mark.parametrize("size", [60, 120, 180])
def test_partial_cancellation_is_not_taken_for_a_nilpotent_matrix(size):
    # One large weight makes all others small, and paths of both signs cancel step by step.
    matrix = random_matrix(size, 4 / size, 3)
    matrix[0, 1] = 200.0
    assert spectral_radius(*graph_of(matrix)).item() == pytest.approx(dense_radius(matrix))


def test_a_ring_of_thousands_of_nodes_is_the_geometric_mean_of_its_weights():
    size = 4000
    generator = torch.Generator().manual_seed(0)
    sign = torch.where(torch.rand(size, generator=generator) < 0.3, -1.0, 1.0)
    weight = (torch.rand(size, generator=generator, dtype=torch.float64) + 0.5) * sign
    node = torch.arange(size)
    edge_index = torch.stack([node, (node + 1) % size])
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(weight.detach().abs().log().mean().exp().item(), rel=1e-11)
    rho.backward()
    expected = rho.detach() / (size * weight.detach())
    torch.testing.assert_close(weight.grad, expected, rtol=1e-8, atol=0)


@pytest.mark.parametrize(("layers", "width"), [(2, 120), (6, 50)])
def test_a_component_whose_cycles_share_a_divisor(layers, width):
    size = layers * width
    layer = np.arange(size) // width
    matrix = random_matrix(size, 6 / width, 7)
    matrix[(layer[:, None] - layer) % layers != 1] = 0
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(dense_radius(matrix), rel=1e-9)
    rho.backward()
    # The eigenvalues on a circle tie, and all give the same gradient.
    target, source = edge_index.flip(0)
    expected = torch.from_numpy(dense_gradient(matrix))[target, source]
    torch.testing.assert_close(weight.grad, expected, rtol=1e-6, atol=1e-9)


def test_cancelling_paths_around_a_long_cycle_have_radius_zero():
    # Layers of two nodes; one step maps onto what the next one cancels.
    size = 2 * 150
    matrix = np.zeros((size, size))
    for layer in range(150):
        row, col = 2 * ((layer + 1) % 150), 2 * layer
        matrix[row : row + 2, col : col + 2] = [[1, -1], [1, -1]] if layer < 2 else [[2, 1], [1, 2]]
    edge_index, weight, size = graph_of(matrix)
    assert spectral_radius(edge_index, weight, size).item() == 0


@pytest.mark.parametrize(
    ("small", "defective"),
    [
        (np.eye(3) - 1.5 * np.outer([1, 2, 2], [1, 2, 2]) / 9, False),  # eigenvalues 1, 1, -0.5
        (np.array([[1.4, -0.4], [0.4, 0.6]]), True),  # eigenvalue 1 twice, one eigenvector
    ],
)
def test_coinciding_eigenvalues_of_a_large_component(small, defective):
    factor = random_matrix(110, 0.06, 2)
    matrix = np.kron(small, factor)
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(dense_radius(factor), rel=1e-9 if not defective else 1e-6)
    if defective:
        with pytest.raises(ValueError, match="defective"):
            rho.backward()
    else:
        rho.backward()
        assert (weight.grad @ weight.detach()).item() == pytest.approx(rho.item(), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_value_and_gradient_are_the_dense_ones(seed):
    generator = np.random.default_rng(seed)
    size, degree = int(generator.integers(210, 420)), generator.uniform(1.5, 12)
    matrix = random_matrix(size, degree / size, seed)
    if seed % 3 == 1:  # mostly activation
        matrix = abs(matrix) * np.where(generator.random(matrix.shape) < 0.2, -1, 1)
    if seed % 3 == 2:  # most nodes saturated
        matrix *= np.where(generator.random((size, 1)) < 0.6, 0.01, 1)
    edge_index, weight, size = graph_of(matrix)
    rho = spectral_radius(edge_index, weight.requires_grad_(), size)
    assert rho.item() == pytest.approx(dense_radius(matrix), rel=1e-9)
    rho.backward()
    expected = torch.from_numpy(dense_gradient(matrix))[edge_index[1], edge_index[0]]
    assert (weight.grad - expected).norm() < 1e-8 * expected.norm()
