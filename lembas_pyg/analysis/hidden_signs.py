"""Are inferred signs right? Known ones are hidden, and asked for."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm, rankdata
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.sign_ensemble import sign_ensemble
from lembas_pyg.analysis.signs import infer_signs
from lembas_pyg.nn.activations import michaelis_menten_like
from lembas_pyg.training.config import TrainingConfig

__all__ = ["hidden_sign_recovery", "hide_signs", "sign_folds", "sign_scores"]

_GROUPS = ("edge", "source", "target")
# Columns of a table of hidden signs that are no evidence.
_NOT_EVIDENCE = {"fold", "source", "target", "sign", "importance"}


def hidden_sign_recovery(
    data: Data,
    config: TrainingConfig,
    *,
    folds: int = 5,
    members: int = 4,
    by: str = "edge",
    act: Callable[[Tensor], Tensor] = michaelis_menten_like,
) -> pd.DataFrame:
    """Hide the known signs, one part after the other, and infer them.

    Every known sign is hidden once. Members are trained without it, from first weights that do not
    know it either; the wiring is asked with the signs of the other parts.

    Args:
        data: Network with conditions; it is not changed. Hidden batches are told by the caller.
        config: Settings of the training; its seed is that of the parts, too.
        folds: Parts; each hides a share of ``1 / folds`` of the known signs.
        members: Models a part, an even number; 0 to ask the wiring alone, which takes seconds.
        by: What is dealt into parts, see `sign_folds`.
        act: Activation of every node.

    Returns:
        One row a hidden sign: `fold`, `source`, `target`, `sign` (the true one), `importance`, and
        evidence, positive for activation: `members` (mean weight), `members_by_effect` (each sign
        weighted with its effect), `wiring` (see `sign_prior`, less the base rate). For
        `sign_scores`.

    Raises:
        ValueError: The folds, the members or `by` make no sense, or as `sign_ensemble`.
    """
    generator = torch.Generator().manual_seed(config.seed)
    fold = sign_folds(data, folds, by=by, generator=generator)
    parts = []
    for number in range(folds):
        hidden = hide_signs(data, fold == number)
        ensemble = sign_ensemble(hidden, config, members, act=act) if members else None
        table = infer_signs(ensemble, hidden)
        found = pd.DataFrame({"fold": number, **table[["source", "target"]]})
        edge = torch.tensor(table["edge"].to_numpy())
        found["sign"] = data.edge_sign.cpu()[edge].numpy()
        if members:
            found["importance"] = table["importance"]
            found["members"], found["members_by_effect"] = table["weight"], table["evidence"]
        found["wiring"] = table["wiring"] - table["base"]
        parts.append(found[(fold[edge] == number).numpy()])
    return pd.concat(parts, ignore_index=True)


def sign_folds(
    data: Data,
    folds: int = 5,
    *,
    by: str = "edge",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Deal the interactions of known sign into parts of about equal size.

    Args:
        data: Network.
        folds: Number of parts.
        by: ``"edge"``: each by itself. ``"source"`` or ``"target"``: all known interactions of one
            source (target) together, so that nothing is known of what it does (of what acts on
            it). Which of them is like the unknown ones of a network is for the user to judge.
        generator: Source of randomness; the global one if None.

    Shapes:
        - **output:** ``[E]``, the part from 0; -1 where the sign is not known

    Raises:
        ValueError: There are fewer known signs than parts, or `by` is not known.
    """
    if by not in _GROUPS:
        raise ValueError(f"by is {by!r}; choose from {', '.join(_GROUPS)}.")
    known = (data.edge_sign != 0).nonzero().view(-1).cpu()
    if not 2 <= folds <= len(known):
        raise ValueError(
            f"folds is {folds}; it must be 2 or more, and at most the {len(known)} known signs."
        )
    fold = torch.full((data.num_edges,), -1)
    if by == "edge":
        order = torch.randperm(len(known), generator=generator)
        fold[known[order]] = torch.arange(len(known)) % folds
        return fold
    node = data.edge_index[0 if by == "source" else 1].cpu()
    size = torch.bincount(node[known], minlength=int(data.num_nodes))
    load = torch.zeros(folds)
    part = torch.zeros_like(size)
    for place in torch.randperm(len(size), generator=generator).tolist():
        part[place] = load.argmin()  # the part with the fewest so far
        load[part[place]] += size[place]
    fold[known] = part[node[known]]
    return fold


def hide_signs(data: Data, hidden: Tensor) -> Data:
    """A copy of a network in which some interactions are of unknown sign.

    Args:
        data: Network; it is not changed.
        hidden: Whether to hide the sign of each interaction ``[E]``.
    """
    out = copy.copy(data)
    out.edge_sign = data.edge_sign.masked_fill(hidden.to(data.edge_sign.device), 0)
    return out


def sign_scores(
    edges: pd.DataFrame,
    evidence: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score inferred signs against true ones, activations and inhibitions with equal weight.

    Args:
        edges: `sign` (the true one), and columns of evidence, positive for activation; 0 or NaN
            is no answer. As from `hidden_sign_recovery`.
        evidence: Columns to score; all but those that name the interaction if None.
        level: Of the confidence intervals.
        resamples: Bootstrap samples of interactions, drawn within either sign.
        seed: Of those samples.

    Returns:
        One row a column of evidence: `evidence`, `answered` (interactions), `coverage` (share),
        `activations` and `inhibitions` (share of each that is right) with Wilson's limits (`_low`,
        `_high`), `balanced_accuracy` (their mean; 0.5 is chance, whatever the share of
        activations) with bootstrap limits, `auc` (probability that an activation has more evidence
        than an inhibition; needs no threshold). NaN where one of the signs has no answer.

    Raises:
        ValueError: A column is missing.
    """
    chosen = [evidence] if isinstance(evidence, str) else evidence
    names = [c for c in edges if c not in _NOT_EVIDENCE] if chosen is None else list(chosen)
    missing = [name for name in ("sign", *names) if name not in edges]
    if missing:
        raise ValueError(
            f"The table has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, edges))}."
        )
    rng = np.random.default_rng(seed)
    rows = []
    for name in names:
        score = edges[name].to_numpy(dtype=float)
        sign = edges["sign"].to_numpy(dtype=float)
        answered = (sign != 0) & np.isfinite(score) & (score != 0)
        row: dict[str, str | float] = {"evidence": name, "answered": int(answered.sum())}
        row["coverage"] = float(answered.sum() / max(1, (sign != 0).sum()))
        score, sign = score[answered], sign[answered]
        right = np.sign(score) == sign
        resampled, shares = [], []
        for word, value in (("activations", 1), ("inhibitions", -1)):
            hits, count = int(right[sign == value].sum()), int((sign == value).sum())
            share = hits / count if count else math.nan
            low, high = wilson(hits, count, level)
            row |= {word: share, f"{word}_low": low, f"{word}_high": high}
            shares.append(share)
            # Resampled interactions of one sign are right as often as a binomial number says.
            drawn = rng.binomial(count, share if count else 0.0, resamples)
            resampled.append(drawn / count if count else np.full(resamples, math.nan))
        tail = (1 - level) / 2
        low, high = np.quantile(np.mean(resampled, axis=0), [tail, 1 - tail])
        row |= {"balanced_accuracy": float(np.mean(shares))}
        row |= {"balanced_accuracy_low": low, "balanced_accuracy_high": high}
        rows.append(row | {"auc": _auc(score, sign)})
    return pd.DataFrame(rows)


def wilson(hits: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a share.

    References:
        Wilson (1927), J. Am. Stat. Assoc. 22, 209.
    """
    if not count:
        return math.nan, math.nan
    z, share = float(norm.ppf((1 + level) / 2)), hits / count
    centre = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (centre - half) / (1 + z * z / count), (centre + half) / (1 + z * z / count)


def _auc(score: np.ndarray, sign: np.ndarray) -> float:
    """Probability that an activation scores above an inhibition, ties counted half."""
    positive = int((sign > 0).sum())
    if not 0 < positive < len(sign):
        return math.nan
    ranks = rankdata(score)[sign > 0].sum()
    return float((ranks / positive - (positive + 1) / 2) / (len(sign) - positive))
