"""Signs of interactions whose mode of action nobody wrote down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.isotonic import IsotonicRegression
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.edge_importance import edge_importance
from lembas_pyg.analysis.sign_prior import sign_prior
from lembas_pyg.nn.fixed_point import warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import MAX_STEPS, Members, as_list, prepare

__all__ = ["infer_signs"]

# A sign does not depend on the last digits of a state.
_TOL = 1e-9


class _Member(NamedTuple):
    """What one model says of every interaction ``[E]``."""

    weight: Tensor
    importance: Tensor


def infer_signs(
    model: LEMBAS | Members | None,
    data: Data,
    conditions: Iterable[str] | str | None = None,
    *,
    tol: float = _TOL,
    max_steps: int = MAX_STEPS,
) -> pd.DataFrame:
    r"""Most likely sign of every interaction, and what speaks for it.

    Two witnesses are heard and kept apart. The *wiring*: known signs of similar interactions, see
    `sign_prior`. The *members*: the sign of the weight in models trained from starts that do not
    know it, see `sign_ensemble`; in an ordinary model unknown interactions start as activations,
    and the weight says little.

    The inferred sign is that of the wiring: on the ligand screen the members are hardly better than
    chance, the wiring is right in about four of five (``benchmarks/hidden_signs.md``).
    `hidden_sign_recovery` measures both on data of your own.

    Args:
        model: An ensemble whose members did not know the signs, or one model; None to ask the
            wiring alone. It is not changed.
        data: Network, with conditions if there is a model.
        conditions: Conditions in which interactions may matter; all if None.
        tol: Largest change of a state in the last step (dimensionless).
        max_steps: Steps before giving up on a condition.

    Returns:
        One row an interaction, covariates left out: `edge` (its position), `source`, `target`
        (accessions), `sign` (known; 0 unknown). Of the wiring: `wiring` (probability of
        activation, without the interaction's own sign), `base` (the share of activations among
        known signs; a probability equal to it is no evidence). Then `inferred`, the more likely
        sign, and `confidence`, the share of known interactions with such a probability whose sign
        it is (leave-one-out, isotonic regression): an estimate for unknown signs that are spread
        over the network like known ones. With a model also `weight` and `spread` (mean and
        standard deviation over members), `agreement` (share of members with the sign of the mean),
        `importance` (mean effect of a deletion on a TF, to first order, fraction of maximal
        activity; conditions without a steady state left out) and `evidence` (mean sign of the
        members weighted with the interaction's importance in each, -1 to 1).

    Raises:
        ValueError: No sign is known, a condition is not known, or the data are not of the model's
            network.
    """
    covariate = data.get("covariate_mask")
    kept = torch.ones(data.num_edges, dtype=torch.bool)
    if covariate is not None:
        kept = ~covariate[data.edge_index[0]].cpu()
    edge = kept.nonzero().view(-1)
    source, target = data.edge_index.cpu()[:, edge].tolist()
    table = pd.DataFrame(
        {
            "edge": edge.numpy(),
            "source": [data.node_name[i] for i in source],
            "target": [data.node_name[i] for i in target],
            "sign": data.edge_sign.cpu()[edge].numpy(),
        }
    )
    wiring = sign_prior(data).cpu()[edge].numpy()
    known = table["sign"].to_numpy() != 0
    activation = table["sign"].to_numpy()[known] > 0
    table["wiring"], table["base"] = wiring, activation.mean()
    calibrated = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    calibrated.fit(wiring[known], activation)
    probability = calibrated.predict(wiring)
    table["inferred"] = np.where(probability >= 0.5, 1, -1)
    table["confidence"] = np.maximum(probability, 1 - probability)
    if model is None:
        return table
    names = None if conditions is None else as_list(conditions)
    members = [
        _of_member(member, data, names, tol, max_steps)
        for member in ([model] if isinstance(model, LEMBAS) else model.models)
    ]
    for name, column in _together(members).items():
        table[name] = column[edge].numpy()
    return table


def _of_member(
    model: LEMBAS, data: Data, conditions: list[str] | None, tol: float, max_steps: int
) -> _Member:
    exact, columns = prepare(model, data, conditions, tol, max_steps)
    x = data.x[:, list(columns.values())].to(exact.conv.bias)
    with torch.no_grad():
        point = exact.steady_state(x)
        warn_not_converged(point, tol, {name: i for i, name in enumerate(columns)})
        steady = point.converged
        importance = edge_importance(exact, point.value[:, steady], x[:, steady])
    return _Member(exact.conv.edge_weight.detach().cpu(), importance.cpu())


def _together(members: list[_Member]) -> dict[str, Tensor]:
    """Mean, spread and agreement ``[E]``."""
    weight = torch.stack([member.weight for member in members])
    importance = torch.stack([member.importance for member in members]).nan_to_num()
    mean = weight.mean(dim=0)
    total = importance.sum(dim=0)
    evidence = (weight.sign() * importance).sum(dim=0) / total.clamp(min=1e-300)
    spread = weight.std(dim=0) if len(members) > 1 else torch.full_like(mean, torch.nan)
    return {
        "weight": mean,
        "spread": spread,
        "agreement": (weight.sign() == mean.sign()).double().mean(dim=0),
        "importance": importance.mean(dim=0),
        "evidence": evidence,
    }
