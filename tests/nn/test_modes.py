"""Slow modes against dense linear algebra."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from lembas_pyg.nn import modes
from lembas_pyg.nn.modes import leading_modes


def graph_of(matrix):
    """Edges and weights of a dense matrix, rows targets."""
    matrix = torch.as_tensor(matrix, dtype=torch.float64)
    target, source = matrix.nonzero().T
    return torch.stack([source, target]), matrix[target, source], matrix.size(0)


def random_matrix(size, density, seed):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((size, size)) * (generator.random((size, size)) < density)


def dense_modes(matrix, k):
    """Eigenvalues (one of each pair) and participations, by inverting the eigenvectors."""
    value, right = np.linalg.eig(matrix)
    left = np.linalg.inv(right)  # rows: left eigenvectors
    order = np.argsort(-abs(value), kind="stable")
    order = order[value[order].imag >= 0][:k]
    product = abs(left[order].T * right[:, order])
    return value[order], product / product.sum(axis=0)


@pytest.mark.parametrize(("size", "density"), [(5, 0.9), (40, 0.15), (360, 0.02)])
@pytest.mark.parametrize("seed", [0, 1])
def test_modes_are_those_of_the_dense_matrix(size, density, seed):
    matrix = random_matrix(size, density, seed)
    value, participation = dense_modes(matrix, 3)
    found = leading_modes(*graph_of(matrix), 3)
    np.testing.assert_allclose([m.value for m in found], value, rtol=1e-8)
    for number, mode in enumerate(found):
        np.testing.assert_allclose(mode.participation, participation[:, number], atol=1e-7)


def test_modes_of_several_components_are_ranked_together():
    matrix = np.zeros((7, 7))
    matrix[1, 0], matrix[0, 1] = 0.5, 0.5  # 0.5 and -0.5
    matrix[2, 1] = 3.0  # a way out, no feedback
    matrix[4, 3], matrix[3, 4] = 0.9, -0.4  # 0.6i
    matrix[5, 5] = 0.55  # a self-loop
    found = leading_modes(*graph_of(matrix), 3)
    np.testing.assert_allclose([m.value for m in found[:2]], [0.6j, 0.55], atol=1e-12)
    assert abs(found[2].value) == pytest.approx(0.5)
    np.testing.assert_allclose(found[0].participation, [0, 0, 0, 0.5, 0.5, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found[1].participation, [0, 0, 0, 0, 0, 1, 0], atol=1e-12)


def test_without_feedback_there_is_no_mode():
    assert leading_modes(*graph_of([[0, 0, 0], [2.0, 0, 0], [1.0, 1.0, 0]]), 2) == []


def test_a_loop_of_weight_zero_is_no_feedback():
    edge_index, weight, size = graph_of([[0, 1.0], [1.0, 0]])
    weight[0] = 0.0
    assert leading_modes(edge_index, weight, size) == []


def test_where_arnoldi_is_in_doubt_dense_algebra_decides(monkeypatch):
    matrix = random_matrix(320, 0.03, 2)
    expected = leading_modes(*graph_of(matrix), 2)
    monkeypatch.setattr(modes, "_by_arnoldi", lambda block, k: None)
    for found, wanted in zip(leading_modes(*graph_of(matrix), 2), expected, strict=True):
        assert found.value == pytest.approx(wanted.value, rel=1e-9)
        torch.testing.assert_close(found.participation, wanted.participation, rtol=0, atol=1e-8)


def test_a_large_ring_whose_eigenvalues_all_tie_has_modes():
    ring = np.roll(np.eye(310), 1, axis=0) * 0.9
    found = leading_modes(*graph_of(ring), 4)
    np.testing.assert_allclose([abs(m.value) for m in found], 0.9, rtol=1e-9)
    assert all(math.isclose(float(m.participation.sum()), 1) for m in found)


def test_what_does_not_fit_is_refused():
    edge_index, weight, size = graph_of([[0, 1.0], [1.0, 0]])
    with pytest.raises(ValueError, match="at least one mode"):
        leading_modes(edge_index, weight, size, 0)
    with pytest.raises(ValueError, match=r"must be \[2\]"):
        leading_modes(edge_index, weight[:1], size)
    with pytest.raises(ValueError, match="finite"):
        leading_modes(edge_index, weight * torch.nan, size)


def test_of_equally_large_eigenvalues_the_one_that_oscillates_least_comes_first():
    value = np.array([1.0, 8j * (1 + 3e-10), 8.0, -8.0])
    assert modes._ranked(value).tolist() == [2, 1, 3, 0]


def test_arnoldi_is_trusted_where_eigenvalues_are_apart():
    matrix = random_matrix(360, 0.02, 0)
    value, left, right = modes._by_arnoldi(sp.csr_matrix(matrix), 2)
    np.testing.assert_allclose(matrix @ right, right * value, atol=1e-8)
    np.testing.assert_allclose(matrix.T @ left, left * value, atol=1e-8)


def test_a_mode_that_is_there_twice_is_left_to_dense_algebra():
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((310, 310)))[0]
    value = np.concatenate([[10.0, 5.0, 5.0], np.linspace(0.01, 2, 307)])
    assert modes._by_arnoldi(sp.csr_matrix((basis * value) @ basis.T), 3) is None


def test_what_is_outside_of_feedback_is_not_solved_for():
    size = 3200  # more than any solver is asked for
    chain = torch.stack([torch.arange(size - 1), torch.arange(1, size)])
    edges = torch.cat([chain, torch.tensor([[1], [0]])], dim=1)
    weight = torch.full((size,), 0.5, dtype=torch.float64)
    (mode,) = leading_modes(edges, weight, size, 1)
    assert mode.value == pytest.approx(0.5)
    assert mode.participation[:2].tolist() == pytest.approx([0.5, 0.5])
