"""Newton's method and the linear solver end where the iteration ends."""

import numpy as np
import pytest
import torch

from lembas_pyg.nn import michaelis_menten_like
from lembas_pyg.nn.activations import slope_at
from lembas_pyg.nn.direct import newton_state, solve_adjoint_directly
from lembas_pyg.nn.implicit import Solver
from lembas_pyg.nn.operator import SignedOperator


@pytest.fixture
def problem():
    """N = 7, E = 13 with a repeated edge, S = 4, radius below 1: wiring, weights, input."""
    generator = torch.Generator().manual_seed(0)
    edge_index = torch.randint(7, (2, 12), generator=generator)
    edge_index = torch.cat([edge_index, edge_index[:, :1]], dim=1)
    weight = 0.5 * torch.randn(13, dtype=torch.float64, generator=generator)
    drive = torch.randn(7, 4, dtype=torch.float64, generator=generator)
    return SignedOperator(edge_index, 7), weight, drive


def dense(operator, weight):
    matrix = np.zeros((7, 7))
    np.add.at(matrix, (operator.target.numpy(), operator.source.numpy()), weight.numpy())
    return matrix


def test_newton_finds_the_state_of_the_iteration_in_fewer_steps(problem):
    operator, weight, drive = problem
    iterated = Solver(operator, michaelis_menten_like, 1e-12, 1000).solve(drive, weight)
    found = newton_state(operator, weight, drive, michaelis_menten_like, tol=1e-12)
    assert found.converged.all()
    torch.testing.assert_close(found.value, iterated.value, rtol=0, atol=1e-10)
    assert found.num_steps.max() < iterated.num_steps.max() / 2


def test_newton_says_where_it_gave_up(problem):
    operator, weight, drive = problem
    found = newton_state(operator, weight, drive, michaelis_menten_like, tol=1e-12, max_steps=1)
    assert not found.converged.any()
    assert (found.residual > 1e-12).all()
    assert found.num_steps.tolist() == [1] * 4


def test_newton_without_steps_is_refused(problem):
    with pytest.raises(ValueError, match="max_steps is 0"):
        newton_state(*problem, michaelis_menten_like, max_steps=0)


def test_the_adjoint_is_that_of_dense_algebra(problem):
    operator, weight, drive = problem
    h = newton_state(operator, weight, drive, michaelis_menten_like, tol=1e-12).value
    matrix = dense(operator, weight)
    slope = slope_at(michaelis_menten_like, torch.from_numpy(matrix) @ h + drive, h)
    grad = torch.rand(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = solve_adjoint_directly(operator, weight, slope, grad)
    for column in range(4):
        d = np.diag(slope[:, column].numpy())
        wanted = np.linalg.solve(np.eye(7) - d @ matrix.T, d @ grad[:, column].numpy())
        np.testing.assert_allclose(found[:, column], wanted, atol=1e-12)
