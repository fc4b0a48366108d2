import itertools
from collections import Counter

import pytest
import torch

from lembas_pyg.topology import has_path, nodes_between, reachable_from, redundant_nodes, rewire


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
        (mask(6, 0), EDGES - 1, "nodes -1 to"),
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


def random_edges(num_nodes, num_edges, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(num_nodes, (2, num_edges), generator=generator)


def test_nodes_between_are_on_a_walk():
    assert nodes_between(mask(6, 0, 3), mask(6, 1), EDGES).tolist() == [1, 1, 1, 1, 0, 0]
    assert not nodes_between(mask(6, 1), mask(6, 0), EDGES).any()
    assert nodes_between(mask(6, 5), mask(6, 5), EDGES).nonzero().flatten().tolist() == [5]


def redundant_by_hand(protected, edges):
    """Nodes that are not protected, with one source and one target that are the same node."""
    found = set()
    for node in set(range(len(protected))) - set(protected.nonzero().flatten().tolist()):
        sources = {source for source, target in edges if target == node}
        targets = {target for source, target in edges if source == node}
        if len(sources) == 1 and sources == targets:
            found.add(node)
    return found


@pytest.mark.parametrize("num_edges", [4, 9, 14])
@pytest.mark.parametrize("seed", range(40))
def test_redundant_nodes_are_those_of_the_definition(num_edges, seed):
    edge_index = random_edges(7, num_edges, seed)
    edge_index = torch.cat([edge_index, edge_index[:, : num_edges // 2].flip(0)], dim=1)
    protected = mask(7, seed % 7)
    edges = set(zip(*edge_index.tolist(), strict=True))

    once = redundant_nodes(protected, edge_index, repeat=False)
    assert set(once.nonzero().flatten().tolist()) == redundant_by_hand(protected, edges)

    gone = set()
    while found := redundant_by_hand(protected, edges):
        gone |= found
        edges = {edge for edge in edges if not found & set(edge)}
    assert set(redundant_nodes(protected, edge_index).nonzero().flatten().tolist()) == gone


def test_a_long_chain_of_redundant_nodes_is_peeled_from_its_end():
    node = torch.arange(2000)
    there = torch.stack([node[:-1], node[1:]])
    edge_index = torch.cat([there, there.flip(0)], dim=1)
    assert redundant_nodes(mask(2000, 0), edge_index).sum() == 1999
    assert redundant_nodes(mask(2000, 0, 1999), edge_index).sum() == 0


def test_no_node_and_no_edge_are_no_redundant_node():
    nothing = torch.empty(2, 0, dtype=torch.long)
    assert redundant_nodes(torch.zeros(0, dtype=torch.bool), nothing).tolist() == []
    assert redundant_nodes(mask(2), nothing).tolist() == [False, False]


def test_every_arrangement_is_equally_likely():
    edge_index = torch.tensor([[0, 1, 2], [3, 4, 5]])
    generator = torch.Generator().manual_seed(0)
    kind = torch.ones(3, dtype=torch.long)
    found = Counter()
    for draw in range(600):  # a round exchanges one pair, so its number decides on the parity
        edges = rewire(edge_index, kind, 6, rounds=20 + draw % 2, generator=generator)
        found[tuple(edges[1].tolist())] += 1
    assert len(found) == 6
    assert max(abs(count - 100) for count in found.values()) < 45  # 5 standard deviations


def test_exchanges_stay_within_a_class_and_among_movable_edges():
    edge_index = torch.tensor([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])
    kind = torch.tensor([1, 1, 2, 2, 3, 3])
    movable = torch.tensor([True, True, True, True, False, False])
    generator = torch.Generator().manual_seed(0)
    found = {
        tuple(
            rewire(edge_index, kind, 12, movable=movable, rounds=r, generator=generator)[1].tolist()
        )
        for r in (1, 2)
    }
    assert found == {(7, 6, 9, 8, 10, 11), (6, 7, 8, 9, 10, 11)}


def test_exchanges_that_are_not_accepted_are_undone():
    edge_index = random_edges(20, 60, 0)
    kind = torch.zeros(60, dtype=torch.long)
    generator = torch.Generator().manual_seed(0)
    kept = rewire(edge_index, kind, 20, accept=lambda edges: False, generator=generator)
    assert torch.equal(kept, edge_index)
    first = edge_index[:, 0]
    kept = rewire(
        edge_index,
        kind,
        20,
        accept=lambda edges: torch.equal(edges[:, 0], first),
        generator=generator,
    )
    assert torch.equal(kept[:, 0], first)
    assert (kept != edge_index).any(dim=0).sum() > 30
