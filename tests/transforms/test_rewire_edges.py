from collections import Counter

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.network import curation_report, from_interactions, to_interactions
from lembas_pyg.topology import reachable_from
from lembas_pyg.transforms import RewireEdges


def degrees(data):
    """In- and out-degree of every node and sign."""
    sign = data.edge_sign.tolist()
    return [Counter(zip(end.tolist(), sign, strict=True)) for end in data.edge_index]


def pairs_of(data):
    return list(zip(*data.edge_index.tolist(), strict=True))


@pytest.fixture
def network():
    """N = 60, E = 400, signs in thirds, a self-loop and two edges between the same nodes."""
    generator = torch.Generator().manual_seed(1)
    edges = torch.stack([torch.randint(60, (400,), generator=generator) for _ in range(2)])
    sign = torch.arange(400) % 3 - 1
    node = torch.arange(60)
    return Data(
        edge_index=edges,
        edge_sign=sign,
        edge_id=torch.arange(400),
        node_name=[f"P{i}" for i in range(60)],
        ligand_mask=node < 4,
        receptor_mask=torch.zeros(60, dtype=torch.bool),
        tf_mask=node >= 50,
        num_nodes=60,
    )


@pytest.mark.parametrize("seed", range(5))
def test_degrees_are_kept_by_node_and_sign(network, seed):
    rewired = RewireEdges(seed)(network)
    assert degrees(rewired) == degrees(network)
    assert torch.equal(rewired.edge_index[0], network.edge_index[0])
    assert rewired.rewired_fraction > 0.7


def test_no_loop_and_no_repetition_is_made(network):
    before, after = pairs_of(network), pairs_of(RewireEdges(0, rounds=50)(network))
    loops = {pair for pair in after if pair[0] == pair[1]}
    assert loops <= set(before)
    repeated = {pair for pair, count in Counter(after).items() if count > 1}
    assert repeated <= {pair for pair, count in Counter(before).items() if count > 1}


def test_the_seed_makes_the_network(network):
    first, again, other = (RewireEdges(seed)(network).edge_index for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_report_and_edge_ids_tell_what_changed(network):
    network = network.subgraph(torch.arange(60))  # a copy
    rewired = RewireEdges(0)(network)
    changed = (rewired.edge_index != network.edge_index).any(dim=0)
    assert torch.equal(rewired.edge_id, torch.where(changed, -1, torch.arange(400)))
    report = curation_report(rewired)
    assert len(report) == changed.sum()
    edge = int(changed.nonzero()[0])
    (source, target), (_, new) = network.edge_index[:, edge], rewired.edge_index[:, edge]
    assert report.iloc[0].tolist() == [
        "RewireEdges",
        "changed",
        "interaction",
        f"P{source}",
        f"P{target}",
        f"now P{source} -> P{new}",
    ]
    known = set(pairs_of(network))
    share = np.mean([pair not in known for pair in pairs_of(rewired)])
    assert rewired.rewired_fraction == pytest.approx(share)
    assert curation_report(network).empty


def test_ligands_may_keep_their_receptors(network):
    rewired = RewireEdges(0, keep_ligand_edges=True)(network)
    of_ligand = network.ligand_mask[network.edge_index[0]]
    assert torch.equal(rewired.edge_index[:, of_ligand], network.edge_index[:, of_ligand])
    assert degrees(rewired) == degrees(network)
    assert rewired.rewired_fraction > 0.6


def test_receptors_are_the_targets_of_ligands(network):
    rewired = RewireEdges(0)(network)
    targets = {target for source, target in pairs_of(rewired) if source < 4}
    assert rewired.receptor_mask.nonzero().flatten().tolist() == sorted(targets)


def test_tfs_may_be_kept_in_reach(draw):
    text = "L+A A+B B+C C+T M+D D+E E+F L+G G+H"  # a swap of C+T cuts T off unless it is undone
    data = draw(text)

    def in_reach(rewired):
        reached = reachable_from(rewired.ligand_mask, rewired.edge_index)
        return bool(reached[rewired.tf_mask].all())

    free = [in_reach(RewireEdges(seed)(data)) for seed in range(20)]
    kept = [RewireEdges(seed, keep_tfs_reachable=True)(data) for seed in range(20)]
    assert not all(free)
    assert all(map(in_reach, kept))
    assert np.mean([rewired.rewired_fraction for rewired in kept]) > 0.3


def test_nothing_to_exchange_is_no_change(draw, edges_of):
    text = "L+A A-T"
    rewired = RewireEdges(0)(draw(text))
    assert edges_of(rewired) == text
    assert rewired.rewired_fraction == 0


def test_a_rewired_graph_makes_a_table(published):
    interactions, annotation = published("KEGGnet")
    data = from_interactions(interactions, annotation)
    table = to_interactions(RewireEdges(0)(data), interactions)
    assert len(table) == len(interactions)
    assert (table["sources"] == "").mean() > 0.9


def test_the_name_of_the_seed_is_shown_and_rounds_are_positive():
    assert repr(RewireEdges(7)) == "RewireEdges(7)"
    with pytest.raises(ValueError, match="`rounds` is 0"):
        RewireEdges(0, rounds=0)


@pytest.mark.parametrize("name", ["KEGGnet", "ligandScreen", "macrophage"])
def test_published_networks_keep_their_degrees(published, name):
    data = from_interactions(*published(name))
    rewired = RewireEdges(0, keep_ligand_edges=True, keep_tfs_reachable=True)(data)
    assert degrees(rewired) == degrees(data)
    assert len(set(pairs_of(rewired))) == data.num_edges
    reached = reachable_from(rewired.ligand_mask, rewired.edge_index)
    assert reached[rewired.tf_mask].all()
    assert rewired.rewired_fraction > 0.6
