"""The form in which PyG's explainers call a model."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

__all__ = ["Response"]


class Response(Module):
    """TF activities of a model or an ensemble, with the graph as an argument.

    Explainers of PyG multiply the messages along every edge by a mask. The mask takes part in the
    solve of every member and in its gradient.

    Args:
        model: `lembas_pyg.nn.LEMBAS` or `lembas_pyg.training.Ensemble`.

    Shapes:
        - **x:** ``[N, S]``, raw concentrations at ligand nodes, 0 elsewhere
        - **edge_index:** ``[2, E]``, that of the model
        - **output:** TF activity ``[T, S]``

    Raises:
        ValueError: The edges are not those of the model.

    Example:
        >>> import lembas_pyg as lp
        >>> from lembas_pyg.datasets import ToyNetwork
        >>> from torch_geometric.explain import Explainer, GNNExplainer
        >>> model = lp.LEMBAS(ToyNetwork()[0])
        >>> explainer = Explainer(
        ...     lp.analysis.Response(model),
        ...     algorithm=GNNExplainer(epochs=2),
        ...     explanation_type="model",
        ...     edge_mask_type="object",
        ...     model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
        ... )
        >>> x = torch.zeros(7, 1).index_fill(0, model.ligand_index, 0.5)
        >>> explainer(x, model.edge_index, index=0).edge_mask.shape
        torch.Size([8])
    """

    def __init__(self, model: Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        first = getattr(self.model, "models", [self.model])[0]
        known = first.edge_index
        if edge_index is not known and not torch.equal(edge_index, known):
            raise ValueError(
                f"edge_index has {edge_index.size(1)} edges that are not the "
                f"{known.size(1)} of the model, in their order; give model.edge_index."
            )
        return self.model(x).y
