"""How much every interaction matters to what is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from lembas_pyg.analysis.adjoint import tf_adjoints
from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["edge_importance"]


def edge_importance(model: LEMBAS, h: Tensor, x: Tensor) -> Tensor:
    r"""Mean effect of deleting each interaction on a TF, to first order.

    .. math:: \frac{|w_{ji}|}{T S} \sum_{t, s} |u^t_{is}|\, |h_{js}|,
              \qquad u^t = \sigma' \circ (A^\top u^t + \partial \hat y_t / \partial h)

    Args:
        model: A model, in the precision of the solve.
        h: Its steady states.
        x: Raw ligand concentrations they belong to.

    Shapes:
        - **h, x:** ``[N, S]``
        - **output:** ``[E]`` (fraction of maximal activity); NaN where no adjoint converged
    """
    weight = model.conv.edge_weight.detach()
    total, solved = torch.zeros_like(weight), 0
    for block in tf_adjoints(model, model.slope(h, x)):
        size = block.u.masked_fill(~block.converged, 0.0).abs().sum(dim=1)
        total += model.operator.edge_dot(size, h[:, block.conditions].abs())
        solved += int(block.converged.sum())
    return total * weight.abs() / solved if solved else total * torch.nan
