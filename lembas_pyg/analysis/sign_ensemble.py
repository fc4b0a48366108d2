"""Models that were not told the sign they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.activations import michaelis_menten_like
from lembas_pyg.nn.init import scale_to_radius_
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.ensemble import Ensemble
from lembas_pyg.training.trainer import fit

__all__ = ["STARTS", "sign_ensemble", "undecided_model"]

STARTS = ("random", "zero", "positive")


def sign_ensemble(
    data: Data,
    config: TrainingConfig,
    members: int = 4,
    *,
    start: str = "random",
    act: Callable[[Tensor], Tensor] = michaelis_menten_like,
) -> Ensemble:
    """Train models whose unknown interactions start without a preferred sign.

    An ordinary model starts every unknown interaction as an activation, and most of them end as
    one: members then agree on what none of them was taught by the data. Here the members come in
    pairs that start from opposite signs, so that a start has no say in their average.

    Args:
        data: Network with conditions, see `lembas_pyg.training.fit`; it is not changed. A
            surrogate variable is told by the caller (`lembas_pyg.surrogate.add_covariate`).
        config: Settings of the training; the members' seeds count up from its seed.
        members: Models to train; an even number, so that starts cancel.
        start: First weights of unknown interactions: ``"random"`` signs, opposite within each
            pair; ``"zero"``; or ``"positive"``, as an ordinary model has them.
        act: Activation of every node.

    Returns:
        The trained members, for `infer_signs`.

    Raises:
        ValueError: The start is not known, members are not even where signs are drawn, or as
            `lembas_pyg.training.fit`.
    """
    if members < 1 or (start == "random" and members % 2):
        raise ValueError(
            f"members is {members}; with random starts take an even number, such as 4, so that "
            f"every start has its opposite."
        )
    trained = []
    for number in range(members):
        model = undecided_model(data, config, number, start=start, act=act)
        settings = dataclasses.replace(config, seed=config.seed + number)
        if fit(model, data, settings, progress=False).interrupted:
            raise KeyboardInterrupt  # half a training is no member
        trained.append(model)
    return Ensemble(trained)


def undecided_model(
    data: Data,
    config: TrainingConfig,
    number: int = 0,
    *,
    start: str = "random",
    act: Callable[[Tensor], Tensor] = michaelis_menten_like,
) -> LEMBAS:
    """The untrained member of a `sign_ensemble`.

    Args:
        data: Network.
        config: Settings of the training.
        number: Which member; 2k and 2k + 1 start from opposite signs.
        start: As for `sign_ensemble`.
        act: Activation of every node.

    Raises:
        ValueError: The start is not known.
    """
    if start not in STARTS:
        raise ValueError(f"start is {start!r}; choose from {', '.join(STARTS)}.")
    pair, is_second = divmod(number, 2)
    generator = torch.Generator().manual_seed(config.seed + pair)
    model = LEMBAS(data, act, generator=generator, **config.model_options())
    if start == "positive":
        return model
    weight = model.conv.edge_weight
    unknown = (model.edge_sign == 0).cpu()
    sign = torch.randint(2, unknown.shape, generator=generator) * 2.0 - 1.0
    if start == "zero":
        sign.zero_()
    elif is_second:
        sign.neg_()
    with torch.no_grad():
        weight[unknown] *= sign[unknown].to(weight)
    if model.radius is not None:
        scale_to_radius_(weight, model.edge_index, model.num_nodes, model.radius)
    return model
