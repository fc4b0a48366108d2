"""The ways to a top eigenvalue, each on its own, against dense algebra."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp

from lembas_pyg.nn import eigen


@pytest.fixture(autouse=True)
def backend():
    """None: no layer takes part."""


def block_of(size, seed, largest=0.4):
    """A sparse matrix whose largest eigenvalue has a given size."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((size, size)) * (generator.random((size, size)) < 8 / size)
    return matrix * (largest / abs(np.linalg.eigvals(matrix)).max())


@pytest.mark.parametrize("way", [eigen._refined_arnoldi, eigen._twofold_arnoldi])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("largest", [0.4, 3.0])
def test_value_and_both_vectors_are_those_of_dense_algebra(way, seed, largest):
    matrix = block_of(320, seed, largest)
    value = scipy.linalg.eigvals(matrix)
    found = way(sp.csr_matrix(matrix))
    assert found is not None
    assert abs(value - found.value).min() < 1e-9
    assert abs(found.value) == pytest.approx(largest, rel=1e-9)
    np.testing.assert_allclose(matrix @ found.right, found.value * found.right, atol=1e-9)
    np.testing.assert_allclose(
        found.left.conj().T @ matrix, found.value * found.left.conj().T, atol=1e-8
    )
    np.testing.assert_allclose(found.left.conj().T @ found.right, [[1.0]], atol=1e-9)


@pytest.mark.parametrize("way", [eigen._refined_arnoldi, eigen._twofold_arnoldi])
def test_a_crowd_of_equally_large_eigenvalues_is_left_to_others(way):
    ring = sp.csr_matrix(np.roll(np.eye(310), 1, axis=0) * 0.9)
    assert way(ring) is None


def test_a_value_that_is_there_twice_is_left_to_others():
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.standard_normal((310, 310)))[0]
    value = np.concatenate([[5.0, 5.0], np.linspace(0.1, 2, 308)])
    matrix = sp.csr_matrix((basis * value) @ basis.T)
    assert eigen._twofold_arnoldi(matrix) is None
    assert eigen._refined_arnoldi(matrix) is None
