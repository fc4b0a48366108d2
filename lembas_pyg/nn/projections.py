"""Projections between what is measured or added and the nodes of the network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter

__all__ = ["SparseProjection"]


class SparseProjection(Module):
    r"""Linear map along a list of pairs, one weight each.

    .. math:: y_i = \sum_{j \to i} w_{ji} x_j

    As ligand input it takes raw concentrations to the ligands' nodes; as TF output it takes node
    states to TF activities; a drug model has four more, from drugs, expression and mutations to
    nodes, and from TFs to viability (`lembas_pyg.nn.DrugResponse`).

    Args:
        source_index: Row of the input each pair reads.
        target_index: Row of the output each pair adds to.
        num_targets: Rows of the output.
        amplitude: Initial weight of every pair (dimensionless, or 1 / concentration), or of each.
        sign: Sign the weight of each pair should have, +1, -1, or 0 for none; for the sign loss
            of training, nothing is enforced here. None for no pair.
        trainable: Whether the weights are trained.

    Attributes:
        weight: Weight of every pair ``[P]``.

    Shapes:
        - **source_index, target_index, sign:** ``[P]``
        - **input:** ``[M, S]``
        - **output:** ``[num_targets, S]``

    References:
        Nilsson et al. (2022), Methods: amplitude 3 for ligands, 1.2 for TFs; only the output is
        trained.
    """

    source_index: Tensor
    target_index: Tensor
    amplitude: float | Tensor
    sign: Tensor

    def __init__(
        self,
        source_index: Tensor,
        target_index: Tensor,
        num_targets: int,
        *,
        amplitude: float | Tensor,
        sign: Tensor | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__()
        if source_index.shape != target_index.shape:
            raise ValueError(
                f"{source_index.numel()} sources, but {target_index.numel()} targets; a pair "
                f"needs one of each."
            )
        if sign is not None and sign.shape != source_index.shape:
            raise ValueError(f"{sign.numel()} signs, but {source_index.numel()} pairs.")
        self.num_targets = num_targets
        # A number stays one: as a tensor of float32 it would be rounded for models of float64.
        if isinstance(amplitude, Tensor):
            initial = amplitude.to(torch.get_default_dtype())
            self.register_buffer("amplitude", initial, persistent=False)
        else:
            self.amplitude = amplitude
        signs = torch.zeros_like(source_index) if sign is None else sign
        self.register_buffer("sign", signs, persistent=False)
        self.register_buffer("source_index", source_index, persistent=False)
        self.register_buffer("target_index", target_index, persistent=False)
        self.weight = Parameter(torch.empty(source_index.numel()), requires_grad=trainable)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every weight to its amplitude."""
        with torch.no_grad():
            initial = torch.as_tensor(self.amplitude, dtype=self.weight.dtype)
            self.weight.copy_(initial.expand_as(self.weight))

    def forward(self, x: Tensor) -> Tensor:
        """Weighted sum over the pairs of every output row."""
        y = x.new_zeros(self.num_targets, x.size(1))
        return y.index_add(0, self.target_index, self.weight.view(-1, 1) * x[self.source_index])

    def extra_repr(self) -> str:
        """Pairs and targets."""
        return f"pairs={self.weight.numel()}, num_targets={self.num_targets}"
