"""How well networks, and mechanisms of another form, approximate each mechanism."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lembas_pyg.metrics import pearson_r
from lembas_pyg.nn.activations import Activation
from lembas_pyg.synthetic.feed_forward import FeedForward, fit_feed_forward
from lembas_pyg.synthetic.kinetics import Mechanism
from lembas_pyg.synthetic.mechanisms import MECHANISMS, mechanism_surface
from lembas_pyg.synthetic.rate_constants import fit_rate_constants

__all__ = ["feed_forward_scores", "other_form_scores"]

# Levels of each source to train and to test on.
_TRAIN, _TEST = 7, 20


def feed_forward_scores(
    acts: Mapping[str, Activation],
    hidden: int = 0,
    *,
    mechanisms: Mapping[str, Mechanism] = MECHANISMS,
    replicates: int = 10,
    epochs: int = 5000,
    batch_size: int = 10,
    lr: float = 2e-3,
    seed: int = 0,
) -> tuple[pd.DataFrame, Tensor]:
    """Train feed-forward networks on a coarse grid of every mechanism, test on a fine one.

    Args:
        acts: Name -> activation.
        hidden: Nodes of the hidden layer; 0 for none.
        mechanisms: Name -> mechanism.
        replicates: Networks of each kind, from different initial parameters.
        epochs: Visits of every point of the 7 x 7 grid.
        batch_size: Points a step; 49 for all at once.
        lr: Learning rate.
        seed: Of initial parameters and order.

    Returns:
        One row a network: `mechanism`, `activation`, `hidden`, `replicate`, `r` (Pearson
        correlation over the 20 x 20 grid; NaN where a network has become constant); and its
        predictions there.

    Shapes:
        - **predictions:** ``[M, 400]``, in the order of the rows; A changes slowest

    References:
        Nilsson et al. (2022), Fig. 1c. We simulate at the points of either grid; there they are
        interpolated from one of 50 x 50.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = pd.MultiIndex.from_product(
        [acts, [hidden], mechanisms, range(replicates)],
        names=["activation", "hidden", "mechanism", "replicate"],
    ).to_frame(index=False)
    model = FeedForward([acts[name] for name in rows["activation"]], hidden, generator=generator)
    (x, train), (x_test, test) = (_points(mechanisms, levels) for levels in (_TRAIN, _TEST))
    place = torch.tensor(pd.Index(mechanisms).get_indexer(rows["mechanism"]))
    fit_feed_forward(
        model,
        x,
        train[place],
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        generator=generator,
    )
    with torch.no_grad():
        predicted = model(x_test)
    r = [pearson_r(*pair) for pair in zip(predicted, test[place], strict=True)]
    return rows.assign(r=r), predicted


def other_form_scores(
    targets: Mapping[str, Mechanism] = MECHANISMS, forms: Mapping[str, Mechanism] = MECHANISMS
) -> pd.DataFrame:
    """Fit the rate constants of every mechanism to the activities of every other.

    Args:
        targets: Mechanisms that make the data, by name.
        forms: Mechanisms that are fitted, by name; those of the target's own name are the right
            form.

    Returns:
        One row a pair: `mechanism`, `form`, `r` (Pearson correlation over the 20 x 20 grid after
        a fit to the 7 x 7 grid).

    References:
        Nilsson et al. (2022), SI Fig. 1b.
    """
    (x, train), (x_test, test) = (_points(targets, levels) for levels in (_TRAIN, _TEST))
    a, b = x.double().T.numpy()
    rows = []
    for target, activity, wanted in zip(targets, train, test, strict=True):
        for name, form in forms.items():
            fitted, _ = fit_rate_constants(form, a, b, activity.double().numpy())
            predicted = torch.from_numpy(fitted.activity(*x_test.double().T.numpy()))
            rows.append((target, name, pearson_r(predicted, wanted)))
    return pd.DataFrame(rows, columns=["mechanism", "form", "r"])


def _points(mechanisms: Mapping[str, Mechanism], levels: int) -> tuple[Tensor, Tensor]:
    """Source concentrations ``[S, 2]``, and activities relative to their maximum ``[P, S]``."""
    surfaces = [mechanism_surface(mechanism, levels) for mechanism in mechanisms.values()]
    level = surfaces[0].index.to_numpy()
    x = np.stack(np.meshgrid(level, level, indexing="ij"), axis=-1).reshape(-1, 2)
    y = np.stack([surface.to_numpy().ravel() / surface.to_numpy().max() for surface in surfaces])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
