"""What the wiring alone says of the sign of an interaction."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch_geometric.data import Data

__all__ = ["sign_prior"]

# Exponent of the similarity: of 1, 2 and 3 the one that ranked hidden signs best in all published
# networks. And how much the base rate counts, in interactions of exactly the same kind.
_POWER, _PSEUDO_COUNT = 3, 0.1
# Interactions whose votes are counted side by side; bounds memory, not the result.
_BLOCK = 20_000


def sign_prior(data: Data) -> Tensor:
    r"""Probability of activation of every interaction, from the known signs of similar ones.

    .. math::
        p_{ji} = \frac{1}{2} + \frac{1}{2} \,
            \frac{\sum_{lk} K_{jl} K_{ik} s_{lk} + a \bar s}{\sum_{lk} K_{jl} K_{ik} |s_{lk}| + a}

    Every interaction l -> k of known sign s votes, the more the more alike are the two sources and
    the two targets: K is the cubed cosine of their neighbours, regulators and targets apart, and 1
    for the same node. Members of a family share their neighbours, and a phosphatase or a ubiquitin
    ligase inhibits most of what it acts on. An interaction has no vote on itself, so what is said
    of known signs is a leave-one-out prediction. The base rate :math:`\bar s` is that of all known
    signs; a probability at the base rate is no evidence at all.

    No measurement and no model enters.

    Args:
        data: Network with `edge_sign`; it is not changed.

    Shapes:
        - **output:** ``[E]``, float64

    Raises:
        ValueError: No sign is known.
    """
    sign = data.edge_sign.cpu().double().numpy()
    if not sign.any():
        raise ValueError(
            "The network has no interaction of known sign; there is nothing to learn from."
        )
    source, target = data.edge_index.cpu().numpy()
    shape = (int(data.num_nodes), int(data.num_nodes))
    wired = np.ones(len(sign), dtype=bool)
    if "covariate_mask" in data:  # a covariate acts on every node, which makes none alike
        wired = ~data.covariate_mask.cpu().numpy()[source]
    similarity = _similarity(source[wired], target[wired], shape)
    known = sp.csr_matrix((sign, (source, target)), shape=shape)
    votes = [similarity @ matrix for matrix in (known, abs(known))]
    probability = np.empty(len(sign))
    base = sign.sum() / abs(sign).sum()
    for start in range(0, len(sign), _BLOCK):
        block = slice(start, start + _BLOCK)
        own = sign[block]
        alike = similarity[target[block]]
        signed, total = (
            np.asarray(matrix[source[block]].multiply(alike).sum(axis=1)).ravel()
            for matrix in votes
        )
        mean = (signed - own + _PSEUDO_COUNT * base) / (total - abs(own) + _PSEUDO_COUNT)
        probability[block] = (1 + mean) / 2
    return torch.from_numpy(probability.clip(0, 1)).to(data.edge_index.device)


def _similarity(source: np.ndarray, target: np.ndarray, shape: tuple[int, int]) -> sp.csr_matrix:
    """Cosine of the neighbours of every two nodes that share one, to a power; 1 on the diagonal."""
    pattern = sp.csr_matrix((np.ones(len(source)), (source, target)), shape=shape)
    pattern.data[:] = 1.0  # parallel edges count once
    neighbours = sp.hstack([pattern, pattern.T]).tocsr()
    length = np.sqrt(np.asarray(neighbours.sum(axis=1)).ravel())
    unit = sp.diags(1 / length.clip(min=1)) @ neighbours
    similarity = sp.csr_matrix(unit @ unit.T)
    similarity.data **= _POWER
    similarity.setdiag(1.0)
    return similarity
