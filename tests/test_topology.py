import itertools

import pytest
import torch

from lembas_pyg.topology import has_path, reachable_from


def mask(num_nodes, *marked):
    return torch.tensor([node in marked for node in range(num_nodes)])


EDGES = torch.tensor([[0, 1, 2, 3, 4], [1, 2, 1, 2, 4]])  # 0 -> 1 <-> 2 <- 3, 4 -> 4, 5 alone


def test_signals_run_along_the_edges_only():
    assert reachable_from(mask(6, 0), EDGES).nonzero().flatten().tolist() == [0, 1, 2]
    assert reachable_from(mask(6, 1), EDGES.flip(0)).nonzero().flatten().tolist() == [0, 1, 2, 3]


def test_several_starts_are_one_search():
    assert reachable_from(mask(6, 3, 4), EDGES).nonzero().flatten().tolist() == [1, 2, 3, 4]


def test_no_start_reaches_nothing_and_no_edge_only_the_start():
    assert not reachable_from(mask(6), EDGES).any()
    assert reachable_from(mask(3, 1), torch.empty(2, 0, dtype=torch.long)).tolist() == [0, 1, 0]


def test_agrees_with_the_closure_of_every_graph_of_three_nodes():
    pairs = list(itertools.product(range(3), repeat=2))
    for chosen in itertools.product([False, True], repeat=9):
        edges = [pair for pair, keep in zip(pairs, chosen, strict=True) if keep]
        edge_index = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T
        closure = torch.eye(3)
        for source, target in edges * 3:
            closure[:, target] = torch.maximum(closure[:, target], closure[:, source])
        for node in range(3):
            assert reachable_from(mask(3, node), edge_index).tolist() == closure[node].tolist()


def test_a_path_has_a_direction():
    assert has_path(mask(6, 0), mask(6, 2), EDGES)
    assert not has_path(mask(6, 2), mask(6, 0), EDGES)
    assert has_path(mask(6, 5), mask(6, 5), EDGES)


def test_inputs_are_not_changed_and_device_is_kept(device):
    start = mask(6, 0).to(device)
    reached = reachable_from(start, EDGES.to(device))
    assert start.tolist() == mask(6, 0).tolist()
    assert reached.device == start.device


@pytest.mark.parametrize(
    ("start", "edge_index", "match"),
    [
        (torch.ones(6), EDGES, "boolean vector, not torch.float32"),
        (torch.ones(6, 1, dtype=torch.bool), EDGES, r"of shape \[6, 1\]"),
        (mask(4, 0), EDGES, "nodes 0 to 4, but the mask has 4"),
        (mask(6, 0), EDGES.T, r"in the shape \[2, E\], not torch.int64 of shape \[5, 2\]"),
        (mask(6, 0), EDGES.float(), "whole numbers"),
    ],
)
def test_illegal_graphs_are_described(start, edge_index, match):
    with pytest.raises(ValueError, match=match):
        reachable_from(start, edge_index)


def test_masks_of_different_networks_are_refused():
    with pytest.raises(ValueError, match="mark 7 and 6 nodes"):
        has_path(mask(7, 0), mask(6, 0), EDGES)


@pytest.mark.slow
def test_a_million_edges_take_about_a_second():
    import time

    generator = torch.Generator().manual_seed(0)
    edge_index = torch.randint(200_000, (2, 1_000_000), generator=generator)
    start = time.perf_counter()
    reached = reachable_from(mask(200_000, 0), edge_index)
    assert time.perf_counter() - start < 5
    assert reached.sum() > 100_000
