"""The layer takes edges in every form PyG has, with equal results and gradients."""

import pytest
import torch
import torch_geometric
from torch_geometric import EdgeIndex
from torch_geometric.data import Batch, Data
from torch_geometric.nn import Sequential
from torch_geometric.utils import to_torch_coo_tensor, to_torch_csr_tensor

from lembas_pyg.nn import SignalingConv
from lembas_pyg.nn.adjacency import edges_of

# N=4, E=6, S=3; not in row-major order.
EDGE_INDEX = torch.tensor([[3, 0, 1, 2, 2, 1], [0, 1, 2, 0, 3, 1]])


@pytest.fixture
def conv():
    torch.manual_seed(1)
    conv = SignalingConv(4, 6, tol=1e-13).double()
    with torch.no_grad():
        conv.edge_weight.copy_(torch.tensor([0.5, -0.4, 0.7, 0.3, -0.6, 0.2]))
    return conv


@pytest.fixture
def x():
    return torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def gradients(conv, x, adjacency, **options):
    x = x.clone().requires_grad_()
    conv.zero_grad()
    h = conv(x, adjacency, **options)
    h.square().sum().backward()
    return h.detach(), x.grad, conv.edge_weight.grad.clone(), conv.bias.grad.clone()


def sparse_tensor(value):
    torch_sparse = pytest.importorskip(
        "torch_sparse", reason="torch-sparse is not installed (extra [sparse])"
    )
    return torch_sparse.SparseTensor(
        row=EDGE_INDEX[1], col=EDGE_INDEX[0], value=value, sparse_sizes=(4, 4)
    )


def positioned_csr():
    positions = torch.arange(6)
    coo = torch.sparse_coo_tensor(EDGE_INDEX.flip(0), positions, (4, 4))
    return coo.coalesce()


FORMS = {
    "EdgeIndex": lambda: EdgeIndex(EDGE_INDEX, sparse_size=(4, 4)),
    "coo": positioned_csr,
    "csr": lambda: positioned_csr().to_sparse_csr(),
    "csc": lambda: positioned_csr().to_sparse_csc(),
    "SparseTensor": lambda: sparse_tensor(torch.arange(6)),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_states_and_gradients(conv, x, form):
    expected = gradients(conv, x, EDGE_INDEX)
    for one, other in zip(gradients(conv, x, FORMS[form]()), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


@pytest.mark.filterwarnings("ignore:Sparse")
def test_without_values_the_rows_have_to_be_in_the_order_of_the_weights(conv, x):
    order = torch.argsort(EDGE_INDEX[1] * 4 + EDGE_INDEX[0])
    in_order = EDGE_INDEX[:, order]
    plain = to_torch_csr_tensor(EDGE_INDEX, size=(4, 4)).transpose(0, 1).to_sparse_csr()
    torch.testing.assert_close(conv(x, plain), conv(x, in_order))
    conv(x, EDGE_INDEX)  # the layer now knows another order
    other = to_torch_csr_tensor(EDGE_INDEX, size=(4, 4)).transpose(0, 1).to_sparse_csr()
    with pytest.raises(ValueError, match="not in the order of the edges this layer was used"):
        conv(x, other)


def test_a_sparse_tensor_without_values_follows_the_same_rule(conv, x):
    adjacency = sparse_tensor(None)
    conv(x, EDGE_INDEX)
    with pytest.raises(ValueError, match="not in the order of the edges"):
        conv(x, adjacency)


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize(
    ("adjacency", "message"),
    [
        (lambda: to_torch_coo_tensor(EDGE_INDEX, torch.rand(6)), "must be integers, not torch.fl"),
        (lambda: "edges", "Edges of type str are not known"),
    ],
)
def test_other_things_are_refused(adjacency, message):
    with pytest.raises(ValueError, match=message):
        edges_of(adjacency())


def test_a_batch_of_copies_gives_the_states_of_the_single_graph(conv, x):
    graph = Data(x=x, edge_index=EDGE_INDEX, edge_pos=torch.arange(6), node_pos=torch.arange(4))
    batch = Batch.from_data_list([graph, graph])
    h = conv(batch.x, batch.edge_index, edge_pos=batch.edge_pos, node_pos=batch.node_pos)
    expected = conv(x, EDGE_INDEX)
    torch.testing.assert_close(h, expected.repeat(2, 1))


def test_a_batch_of_subgraphs_uses_the_parameters_of_each(conv, x):
    graph = Data(x=x, edge_index=EDGE_INDEX, edge_pos=torch.arange(6), node_pos=torch.arange(4))
    parts = [graph.subgraph(torch.tensor([0, 2, 3])), graph.subgraph(torch.tensor([1, 2]))]
    batch = Batch.from_data_list(parts)
    h = conv(batch.x, batch.edge_index, edge_pos=batch.edge_pos, node_pos=batch.node_pos)
    alone = [conv(p.x, p.edge_index, edge_pos=p.edge_pos, node_pos=p.node_pos) for p in parts]
    torch.testing.assert_close(h, torch.cat(alone))


def test_conditions_may_have_weights_of_their_own(conv, x):
    weight = torch.rand(6, 3, dtype=torch.float64) - 0.5
    h = conv(x, EDGE_INDEX, weight)
    alone = [conv(x[:, [s]], EDGE_INDEX, weight[:, s].contiguous()) for s in range(3)]
    torch.testing.assert_close(h, torch.cat(alone, dim=1))
    assert torch.autograd.gradcheck(
        lambda weight, x: conv(x, EDGE_INDEX, weight),
        (weight.requires_grad_(), x.clone().requires_grad_()),
    )


@pytest.mark.parametrize("shape", [(6, 2), (5, 3), (6, 3, 1)])
def test_weights_of_another_shape_are_refused(conv, x, shape):
    with pytest.raises(ValueError, match=r"weights|edge_weight has shape"):
        conv(x, EDGE_INDEX, torch.rand(shape).double())


def test_the_layer_stands_in_a_sequence_of_layers(conv, x):
    model = Sequential(
        "x, edge_index", [(conv, "x, edge_index -> x"), (torch.nn.Linear(3, 2).double(), "x -> x")]
    )
    model(x, EDGE_INDEX).sum().backward()
    assert conv.edge_weight.grad.abs().sum() > 0


def test_compiled_modules_give_the_same_states(conv, x):
    compiled = torch.compile(conv, backend="eager")
    torch.testing.assert_close(compiled(x, EDGE_INDEX), conv(x, EDGE_INDEX))


def test_a_masked_edge_is_a_deleted_edge(conv, x):
    expected = conv(x, EDGE_INDEX[:, 1:], conv.edge_weight[1:])
    mask = torch.ones(6, dtype=torch.float64)
    mask[0] = 0
    with explained(conv, mask):
        h = conv(x, EDGE_INDEX)
    torch.testing.assert_close(h, expected, rtol=0, atol=1e-12)


def test_the_gradient_of_a_mask_is_that_of_the_solved_state(conv, x):
    coefficient = torch.rand(4, 3, dtype=torch.float64)

    def masked(mask):
        with explained(conv, mask):
            return (coefficient * conv(x, EDGE_INDEX)).sum()

    mask = torch.full((6,), 0.8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(masked, mask)


class explained:
    """The layer as an explainer prepares it, with a mask on its messages."""

    def __init__(self, conv, mask):
        self.conv, self.mask = conv, mask

    def __enter__(self):
        torch_geometric.explain.algorithm.utils.set_masks(
            self.conv, self.mask, EDGE_INDEX, apply_sigmoid=False
        )

    def __exit__(self, *_):
        torch_geometric.explain.algorithm.utils.clear_masks(self.conv)


def test_an_explainer_finds_the_only_way_from_a_ligand():
    """Chain 0 -> 1 -> 2 with a side branch 0 -> 3: only the chain carries node 2."""
    edge_index = torch.tensor([[0, 1, 0], [1, 2, 3]])

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = SignalingConv(4, 3)
            torch.nn.init.constant_(self.conv.edge_weight, 0.9)

        def forward(self, x, edge_index):
            return self.conv(x, edge_index)

    x = torch.zeros(4, 1)
    x[0] = 0.5
    explainer = torch_geometric.explain.Explainer(
        Model(),
        algorithm=torch_geometric.explain.GNNExplainer(epochs=60, lr=0.05),
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
    )
    torch.manual_seed(0)
    mask = explainer(x, edge_index, index=2).edge_mask
    assert mask[0] > mask[2]
    assert mask[1] > mask[2]
