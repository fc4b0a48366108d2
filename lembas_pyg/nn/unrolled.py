"""Back-propagation through time: the gradient by recording every iteration.

The reference the adjoint is compared with. It needs memory for every step, and its gradient is
that of the number of steps taken, which becomes that of the steady state as they grow.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["saved_bytes", "unrolled_state"]


def unrolled_state(
    drive: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor,
    act: Callable[[Tensor], Tensor],
    num_steps: int,
) -> Tensor:
    r"""State after a number of steps of :math:`h \leftarrow \sigma(A h + x)` from 0.

    Every step is recorded by autograd, so that gradients are those of back-propagation through
    time.

    Args:
        drive: Everything added to the incoming signal: stimulus, bias, perturbation.
        edge_index: Directed interactions, row 0 source, row 1 target.
        edge_weight: Weight of every interaction.
        act: Activation of every node.
        num_steps: Steps.

    Shapes:
        - **drive:** ``[N, S]``
        - **edge_index:** ``[2, E]``
        - **edge_weight:** ``[E]``
        - **output:** ``[N, S]``

    Raises:
        ValueError: There is no step.

    References:
        Nilsson et al. (2022), Suppl. Notes 1 and 2, SI Fig. 2.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps is {num_steps}; at least one step is needed.")
    source, target = edge_index
    h = torch.zeros_like(drive)
    for _ in range(num_steps):
        signal = edge_weight[:, None] * h.index_select(0, source)
        h = act(drive.index_add(0, target, signal))
    return h


def saved_bytes(function: Callable[[], Tensor]) -> tuple[Tensor, int]:
    """Call a function, and add up the memory that autograd keeps for its gradient.

    Args:
        function: Makes a tensor with a gradient.

    Returns:
        That tensor, and the bytes of all storages kept for the backward pass, each counted once.
    """
    kept: dict[int, tuple[Tensor, int]] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        # The tensor is held as long as we count, so that no address is used again.
        kept[storage.data_ptr()] = tensor, storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = function()
    return value, sum(size for _, size in kept.values())
