"""As many edges, anywhere."""

from collections import Counter

import numpy as np
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import curation_report
from lembas_pyg.transforms import RandomEdges


def pairs(data):
    return list(zip(*data.edge_index.tolist(), strict=True))


@pytest.fixture(scope="module")
def network():
    return ToyNetwork()[0]


@pytest.mark.parametrize("seed", range(5))
def test_there_are_as_many_edges_of_each_sign_and_none_twice(network, seed):
    found = RandomEdges(seed)(network)
    assert Counter(found.edge_sign.tolist()) == Counter(network.edge_sign.tolist())
    assert len(set(pairs(found))) == network.num_edges
    assert all(source != target for source, target in pairs(found))
    assert (found.edge_id == -1).all()


def test_every_pair_of_nodes_is_as_likely(network):
    count = Counter(pair for seed in range(800) for pair in pairs(RandomEdges(seed)(network)))
    share = network.num_edges / (7 * 6)
    assert len(count) == 7 * 6
    counts = np.array(list(count.values()))
    assert abs(counts / 800 - share).max() < 5 * (share * (1 - share) / 800) ** 0.5


def test_the_network_given_stays_and_roles_are_kept(network):
    before = pairs(network)
    found = RandomEdges(3)(network)
    assert pairs(network) == before != pairs(found)
    assert found.node_name == network.node_name
    assert torch.equal(found.ligand_mask, network.ligand_mask)
    assert torch.equal(found.tf_mask, network.tf_mask)
    targets = {target for source, target in pairs(found) if found.ligand_mask[source]}
    assert set(found.receptor_mask.nonzero().view(-1).tolist()) == targets
    assert (curation_report(found)["rule"] == "RandomEdges").sum() == network.num_edges


def test_a_seed_gives_one_network(network):
    assert pairs(RandomEdges(1)(network)) == pairs(RandomEdges(1)(network))


@pytest.mark.parametrize("seed", [-1, True, 0.5])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="`seed` is"):
        RandomEdges(seed)


def test_more_edges_than_pairs_are_refused(network):
    crowded = network.clone()
    crowded.edge_index = network.edge_index.repeat(1, 6)
    crowded.edge_sign = network.edge_sign.repeat(6)
    with pytest.raises(ValueError, match="48 interactions, but 7 nodes make 42"):
        RandomEdges(0)(crowded)
