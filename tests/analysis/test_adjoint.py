"""Adjoints of TFs against dense algebra."""

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import to_dense_adj

from lembas_pyg.analysis.adjoint import tf_adjoints
from lembas_pyg.nn import LEMBAS, LeakyReLU

N, E, L, T, S = 11, 30, 2, 3, 7


def random_model(act=None, **options):
    generator = torch.Generator().manual_seed(5)
    pairs = torch.randperm(N * N, generator=generator)[:E]
    nodes = torch.arange(N)
    data = Data(
        edge_index=torch.stack([pairs // N, pairs % N]),
        edge_sign=torch.randint(-1, 2, (E,), generator=generator),
        node_name=[f"n{i}" for i in range(N)],
        ligand_mask=nodes < L,
        tf_mask=nodes >= N - T,
        num_nodes=N,
    )
    chosen = {} if act is None else {"act": act}
    model = LEMBAS(data, generator=generator, tol=1e-13, **chosen, **options).double()
    with torch.no_grad():
        model.output.weight.copy_(torch.tensor([0.3, 0.0, 2.0]))
        model.conv.bias.copy_(torch.rand(N, 1, generator=generator) * 0.6 - 0.2)
    x = torch.zeros(N, S, dtype=torch.float64)
    x[:L] = torch.rand(L, S, generator=generator, dtype=torch.float64)
    return model, x


def dense(model, slope):
    """The same by inverting a matrix for every condition."""
    matrix = to_dense_adj(model.edge_index, edge_attr=model.conv.edge_weight, max_num_nodes=N)[0].T
    rows = []
    for column in slope.T:
        state = torch.linalg.inv(torch.eye(N).double() - column[:, None] * matrix) * column
        rows.append(model.output.weight[:, None] * state[model.tf_index])
    return torch.stack(rows, dim=-1).transpose(0, 1).detach()  # [N, T, S]


@pytest.mark.parametrize("act", [None, LeakyReLU(), torch.tanh])
def test_adjoints_are_the_rows_of_the_inverse(act):
    model, x = random_model(act)
    slope = model.slope(model(x).h.detach(), x)
    (block,) = tf_adjoints(model, slope)
    assert block.conditions == slice(0, S)
    assert block.converged.shape == block.residual.shape == (T, S)
    assert block.converged.all()
    torch.testing.assert_close(block.u, dense(model, slope), rtol=0, atol=1e-11)
    assert (block.u[:, 1] == 0).all()  # a TF without weight


@pytest.mark.parametrize("columns", [1, 6, 11])
def test_blocks_do_not_change_the_result(columns):
    model, x = random_model()
    slope = model.slope(model(x).h.detach(), x)
    blocks = list(tf_adjoints(model, slope, torch.tensor([2, 0]), columns=columns))
    assert len(blocks) == -(-S // max(1, columns // 2))
    assert [i for b in blocks for i in range(S)[b.conditions]] == list(range(S))
    found = torch.cat([block.u for block in blocks], dim=-1)
    torch.testing.assert_close(found, dense(model, slope)[:, [2, 0]], rtol=0, atol=1e-11)


def test_an_adjoint_without_solution_is_reported():
    model, x = random_model(max_steps=50)
    (block,) = tf_adjoints(model, torch.full_like(x, 3.0))
    assert not block.converged.all()
