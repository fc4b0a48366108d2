"""Random signed networks, tame and wild: what converges is right, what does not is reported."""

import numpy as np
import pytest
import torch

from lembas_pyg.nn import LeakyReLU, MichaelisMentenLike, SignalingConv

NUM_CONDITIONS, STEPS = 4, 4000


def random_problem(seed):
    """Network, weights and drive: size, density, feedback, gain, self-loops and islands vary."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 80))
    edges = generator.integers(0, size, (2, int(size * generator.uniform(0.5, 6))))
    if generator.random() < 0.3:  # no feedback
        edges = np.sort(edges, axis=0)
        edges = edges[:, edges[0] != edges[1]]
    if generator.random() < 0.3:  # two islands
        half = size // 2
        edges = edges[:, (edges[0] < half) == (edges[1] < half)]
    weight = generator.standard_normal(edges.shape[1])
    matrix = np.zeros((size, size))
    np.add.at(matrix, (edges[1], edges[0]), weight)
    radius = abs(np.linalg.eigvals(matrix)).max()
    gain = generator.uniform(0.1, 3.0) / max(radius, 0.1)
    drive = generator.normal(0.2, 1.0, (size, NUM_CONDITIONS))
    return edges, gain * weight, gain * matrix, drive


def reference(act, matrix, drive):
    """Plain iteration in dense algebra; which conditions came to rest."""
    matrix, drive = torch.from_numpy(matrix), torch.from_numpy(drive)
    h = torch.zeros_like(drive)
    for _ in range(STEPS):
        previous, h = h, act(matrix @ h + drive)
    return h, (h - previous).abs().amax(dim=0)


@pytest.mark.parametrize("act", [MichaelisMentenLike(), LeakyReLU()], ids=["MML", "leaky"])
def test_states_of_random_networks(act):
    counts = {"converged": 0, "not": 0}
    for seed in range(100):
        edges, weight, matrix, drive = random_problem(seed)
        conv = SignalingConv(len(drive), edges.shape[1], act, tol=1e-12, max_steps=STEPS).double()
        with torch.no_grad():
            conv.bias.zero_()
            point = conv.solve(
                torch.from_numpy(drive), torch.from_numpy(edges), torch.from_numpy(weight)
            )
        expected, change = reference(act, matrix, drive)
        for s in range(NUM_CONDITIONS):
            if point.converged[s]:
                assert point.residual[s] <= 1e-12
                error = (point.value[:, s] - expected[:, s]).abs().max()
                assert error < 1e-8 * max(1.0, float(expected[:, s].abs().max())), seed
            else:
                assert not change[s] <= 1e-12, f"{seed}: a steady state was missed"
            counts["converged" if point.converged[s] else "not"] += 1
        assert not point.value.isnan().any()
    assert counts["converged"] > 150
    assert counts["not"] > 20
