"""The toy network in numbers that can be counted on its drawing."""

from lembas_pyg.analysis import describe_network
from lembas_pyg.datasets import ToyNetwork


def test_the_toy_network_in_numbers():
    found = describe_network(ToyNetwork()[0])
    radius = found.pop("spectral radius of |A|, unit weights")
    assert abs(radius - 1) < 1e-12  # the loop R1 -> S1 -> R1
    assert found == {
        "nodes": 7,
        "interactions": 8,
        "ligands": 2,
        "receptors": 2,
        "TFs": 1,
        "activations": 6,
        "inhibitions": 2,
        "unknown signs": 0,
        "self-loops": 0,
        "nodes on paths from ligands to TFs": 7,
        "components": 1,
        "nodes in the largest feedback component": 2,
    }
