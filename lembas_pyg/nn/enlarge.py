"""A trained model in a network with more interactions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["enlarge"]


def enlarge(model: LEMBAS, data: Data, weight: float | Tensor = 0.0) -> LEMBAS:
    """Make the model of a network with more interactions, all other parameters as they are.

    With weights of 0 it predicts what the smaller one does, and can be trained on from there.

    Args:
        model: A model; it is not changed.
        data: Its network with further interactions, as from
            `lembas_pyg.transforms.ImputeInteractions`.
        weight: Of the new interactions, in the order of the edges of `data`.

    Shapes:
        - **weight:** scalar or ``[number of new interactions]``

    Returns:
        A new model in the precision of the old one.

    Raises:
        ValueError: The network lacks a node, role or interaction of the model, or the weights are
            not as many as the new interactions.
    """
    out = LEMBAS(
        data,
        model.conv.act,
        input_amplitude=float(model.input.amplitude),
        output_amplitude=float(model.output.amplitude),
        train_input=model.input.weight.requires_grad,
        train_output=model.output.weight.requires_grad,
        radius=None,
        tol=model.conv.tol,
        max_steps=model.conv.max_steps,
        clip=model.conv.clip,
    ).to(model.conv.bias)
    for name in ("ligand_index", "tf_index"):
        if out.node_name != model.node_name or not torch.equal(
            getattr(out, name), getattr(model, name)
        ):
            raise ValueError(
                "The larger network has other nodes, ligands or TFs than the model; only "
                "interactions may be added."
            )
    keys = [
        (one.edge_index[0] * one.num_nodes + one.edge_index[1]).tolist() for one in (model, out)
    ]
    place = {key: i for i, key in enumerate(keys[1])}
    lost = [key for key in keys[0] if key not in place]
    if lost:
        source, target = divmod(lost[0], model.num_nodes)
        raise ValueError(
            f"The larger network lacks {len(lost)} interactions of the model, such as "
            f"'{model.node_name[source]}' -> '{model.node_name[target]}'."
        )
    kept = torch.tensor([place[key] for key in keys[0]], device=out.edge_index.device)
    is_new = torch.ones(len(keys[1]), dtype=torch.bool, device=kept.device)
    is_new[kept] = False
    weight = torch.as_tensor(weight, device=kept.device)
    if weight.dim() and weight.shape != (int(is_new.sum()),):
        raise ValueError(
            f"{weight.numel()} weights for {int(is_new.sum())} new interactions; give one each."
        )
    with torch.no_grad():
        out.conv.edge_weight[kept] = model.conv.edge_weight
        out.conv.edge_weight[is_new] = weight.to(out.conv.edge_weight)
        out.conv.bias.copy_(model.conv.bias)
        out.input.weight.copy_(model.input.weight)
        out.output.weight.copy_(model.output.weight)
    return out
