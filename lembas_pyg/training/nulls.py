"""Nulls of a cross-validation: other wirings, activations or measurements, trained alike."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch_geometric.data import Data

from lembas_pyg.nn.activations import LeakyReLU, Sigmoid
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.cross_validation import OURS, CrossValidation, cross_validate
from lembas_pyg.training.folds import check_folds
from lembas_pyg.training.scores import compare_folds, fold_scores, score_table
from lembas_pyg.transforms.rewire_edges import RewireEdges

__all__ = ["NULLS", "NullComparison", "check_nulls", "compare_nulls", "slug"]

logger = logging.getLogger(__name__)

_SCRAMBLED = "scrambled y"
_REWIRINGS = {"rewired": False, "rewired, ligand edges kept": True}
_ACTIVATIONS = {"leaky ReLU": LeakyReLU, "sigmoid": Sigmoid}
NULLS = (_SCRAMBLED, *_REWIRINGS, *_ACTIVATIONS)

_ONE_MEMBER = f"{OURS}, one member"
_MODEL = ["model", "fold", "condition", "tf", "measured", "predicted"]


@dataclass
class NullComparison:
    """The true network beside its nulls, by single members.

    Attributes:
        by_model: `model`, `fold`, `condition`, `tf`, `measured`, `predicted`. Members of the true
            network are "LEMBAS, one member", "LEMBAS, member 2" and so on; nulls "LEMBAS,
            scrambled y", or "LEMBAS, rewired 1" and so on where there are several.
        scores: One row a model, see `score_table`.
        fold_scores: `model`, `fold`, `r`, `mse`.
        members: `model`, `fold`, `seed`, `train_r`, `seconds`, `not_converged`,
            `held_out_not_converged`, `residual` and `radius` of every training of a null.
        comparisons: One row a null: `null`; `true_r` and `null_r`, the mean r of folds;
            `difference`, true less null, with its 95 % interval `low` to `high` (bootstrap over
            folds); `wilcoxon_p`, paired by fold; `mann_whitney_p`, not paired; both two-sided;
            `folds` compared; `repeats` averaged; `rewired_fraction`, the share of interactions
            between nodes that were not linked before, blank without rewiring. Blank where fewer
            than two folds have an r in both.
    """

    by_model: pd.DataFrame
    scores: pd.DataFrame
    fold_scores: pd.DataFrame
    members: pd.DataFrame
    comparisons: pd.DataFrame


class _Run(NamedTuple):
    """One cross-validation of one member a fold."""

    null: str
    name: str
    folder: Path
    data: Data
    model: Callable[..., LEMBAS]


def compare_nulls(
    data: Data,
    folds: pd.DataFrame,
    config: TrainingConfig,
    *,
    nulls: Iterable[str] | None = None,
    repeats: int = 3,
    model: Callable[..., LEMBAS] = LEMBAS,
    jobs: int = 1,
    executor: Executor | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
    reference: CrossValidation | None = None,
) -> NullComparison:
    r"""Ask whether a score is owed to the network: train what lacks it in the same way.

    .. math:: \Delta_f = \frac{1}{M} \sum_m r_f(\text{true network}_m)
        - \frac{1}{K} \sum_k r_f(\text{null}_k)

    over folds :math:`f`. Nulls are single models, so they stand against single members of the true
    network, never against their ensemble, which scores higher for being one. Nulls by name:

    - ``scrambled y``: measurements permuted among the conditions that are trained on.
    - ``rewired``: targets exchanged between interactions of the same sign, those of ligands too
      (`RewireEdges`); TFs that ligands reach stay reachable.
    - ``rewired, ligand edges kept``: the same, but ligands keep their receptors.
    - ``leaky ReLU``, ``sigmoid``: the true network with another activation.

    Args:
        data: Network with measured conditions.
        folds: As for `cross_validate`; two folds or more.
        config: Settings of every training, of nulls as of the true network. Rewirings are drawn
            from its seed.
        nulls: Names of nulls; all but the activation of the model itself if None.
        repeats: Rewired networks of each kind; members of the true network without `reference`.
        model: What is trained, as for `cross_validate`.
        jobs: As for `cross_validate`.
        executor: As for `cross_validate`.
        folder: Where each fold of each null is written once it is trained; a second call with the
            same arguments goes on with what is missing there. More repeats or other nulls may be
            asked for in the same folder.
        progress: As for `cross_validate`.
        reference: The true network, cross-validated with the same folds and settings; its members
            count one by one. Trained here if None.

    Returns:
        Predictions, scores and comparisons.

    Raises:
        TypeError: `folds` or `config` is of another type.
        ValueError: A null is not known, named twice, or has the activation of the model itself;
            fewer than two folds can have a correlation; the reference is of other folds or
            measurements; and as of `cross_validate`.
        RuntimeError: As of `cross_validate`.

    References:
        Nilsson et al. (2022), SI Fig. 17a: scrambled data, leaky ReLU and sigmoid; Methods,
        Statistics: Mann-Whitney's U test of the r of folds. Maslov and Sneppen (2002), Science
        296, 910: rewiring.
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"repeats is {repeats!r}; it must be a whole number of 1 or more.")
    if not isinstance(config, TrainingConfig):
        raise TypeError(f"config is {type(config).__name__}; give a TrainingConfig.")
    names = check_nulls(data, folds, nulls, model)
    if reference is not None:
        _check_reference(reference, data, check_folds(folds, data))
    runs = [run for name in names for run in _runs(name, data, config, model, repeats)]
    place = None if folder is None else Path(folder)
    train = partial(
        cross_validate,
        folds=folds,
        config=config,
        baselines=False,
        executor=executor,
        jobs=jobs,
        progress=progress,
    )
    if reference is None:
        logger.info("Training the true network (%d members a fold).", repeats)
        where = None if place is None else place / "true-network"
        reference = train(data, model=model, members=repeats, folder=where)
    tables, members = [_single_members(reference)], []
    for run in runs:
        logger.info("Training the null '%s'.", run.name)
        found = train(
            run.data,
            model=run.model,
            scramble=run.null == _SCRAMBLED,
            folder=None if place is None else place / run.folder,
        )
        title = f"{OURS}, {run.name}"
        tables.append(found.by_model.assign(model=title))
        members.append(found.members.drop(columns="member").assign(model=title))
    by_model = pd.concat(tables, ignore_index=True)[_MODEL]
    by_fold = fold_scores(by_model)
    together = pd.concat(members, ignore_index=True)
    together.insert(0, "model", together.pop("model"))
    return NullComparison(
        by_model=by_model,
        scores=score_table(by_model),
        fold_scores=by_fold,
        members=together,
        comparisons=pd.DataFrame(
            [_compare(name, [run for run in runs if run.null == name], by_fold) for name in names]
        ),
    )


def check_nulls(
    data: Data,
    folds: pd.DataFrame,
    nulls: Iterable[str] | None,
    model: Callable[..., LEMBAS] = LEMBAS,
) -> list[str]:
    """Names of the nulls, refused where no comparison can come of them.

    Args:
        data: As for `compare_nulls`.
        folds: As for `compare_nulls`.
        nulls: As for `compare_nulls`.
        model: As for `compare_nulls`.

    Raises:
        TypeError: `folds` is no table.
        ValueError: As of `compare_nulls`.
    """
    _check_scorable(data, check_folds(folds, data))
    act = model(data).conv.act
    own = {name for name, kind in _ACTIVATIONS.items() if isinstance(act, kind)}
    if nulls is None:
        return [name for name in NULLS if name not in own]
    names, known = [nulls] if isinstance(nulls, str) else list(nulls), ", ".join(map(repr, NULLS))
    if not names:
        raise ValueError(f"nulls names no null; choose from {known}.")
    for name in names:
        if name not in NULLS:
            raise ValueError(f"{name!r} is not a null; choose from {known}.")
        if names.count(name) > 1:
            times = names.count(name)
            raise ValueError(f"The null {name!r} is named {times} times; name it once.")
        if name in own:
            raise ValueError(
                f"{name!r} is no null of a model with the activation {act}; leave it out."
            )
    return names


def slug(name: str) -> str:
    """Name of a null as that of a folder, and as an option of the command line."""
    return name.lower().replace(",", "").replace(" ", "-")


def _runs(
    null: str, data: Data, config: TrainingConfig, model: Callable[..., LEMBAS], repeats: int
) -> list[_Run]:
    """What is trained for a null; which rewirings does not depend on how many."""
    folder = Path(slug(null))
    if null not in _REWIRINGS:
        if null in _ACTIVATIONS:
            model = partial(model, act=_ACTIVATIONS[null]())
        return [_Run(null, null, folder, data, model)]
    runs = []
    for repeat in range(1, repeats + 1):
        sequence = np.random.SeedSequence([config.seed, NULLS.index(null), repeat])
        rewired = RewireEdges(
            int(sequence.generate_state(1)[0]),
            keep_ligand_edges=_REWIRINGS[null],
            keep_tfs_reachable=True,
        )(data)
        name = f"{null} {repeat}"
        if rewired.rewired_fraction == 0:
            logger.warning(
                "The null '%s' is the true network: no interaction could be exchanged without "
                "cutting off a TF, or for want of another of the same sign.",
                name,
            )
        runs.append(_Run(null, name, folder / str(repeat), rewired, model))
    return runs


def _single_members(reference: CrossValidation) -> pd.DataFrame:
    """Members of the true network as models of their own."""
    member = reference.by_member["member"]
    name = {n: _ONE_MEMBER if n == 0 else f"{OURS}, member {n + 1}" for n in member.unique()}
    table = reference.by_member.assign(model=member.map(name))
    return table.sort_values("member", kind="stable")[_MODEL]


def _compare(null: str, runs: list[_Run], by_fold: pd.DataFrame) -> dict[str, object]:
    """The true network less a null, fold by fold, each averaged over its models."""
    r = by_fold.pivot(index="fold", columns="model", values="r")
    rewired = [run.data.rewired_fraction for run in runs if null in _REWIRINGS]
    is_true = r.columns.str.fullmatch(rf"{OURS}, (one member|member \d+)")
    true, other = r.loc[:, is_true], r[[f"{OURS}, {run.name}" for run in runs]]
    both = pd.DataFrame({"true": true.mean(axis=1), "null": other.mean(axis=1)}).dropna()
    row = {"null": null, "true_r": both["true"].mean(), "null_r": both["null"].mean()}
    if len(both) < 2:
        blank = ("difference", "low", "high", "wilcoxon_p", "mann_whitney_p")
        row |= dict.fromkeys(blank, np.nan)
    else:
        found = compare_folds(both["true"], both["null"])
        row |= {
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "wilcoxon_p": found.p,
            "mann_whitney_p": float(stats.mannwhitneyu(both["true"], both["null"]).pvalue),
        }
    return row | {
        "folds": len(both),
        "repeats": len(runs),
        "rewired_fraction": float(np.mean(rewired)) if rewired else np.nan,
    }


def _check_scorable(data: Data, held_out: dict[int, list[str]]) -> None:
    """Refuse folds of which no comparison can come, before hours of training."""
    y = data.y[data.tf_mask]
    varies = 0
    for names in held_out.values():
        entries = y[:, [data.conditions[name] for name in names]]
        varies += len(entries[~entries.isnan()].unique()) > 1
    if varies < 2:
        raise ValueError(
            f"Nulls are compared by the r of folds, and {varies} of {len(held_out)} folds have "
            f"two different measured entries; two folds or more are needed. Hold out other "
            f"conditions, or more of them at a time."
        )


def _check_reference(
    reference: CrossValidation, data: Data, held_out: dict[int, list[str]]
) -> None:
    """Refuse the result of other folds or measurements: it would not be compared like with like."""
    if not isinstance(reference, CrossValidation):
        raise TypeError(
            f"reference is {type(reference).__name__}; give a CrossValidation, as from "
            f"`lembas_pyg.cross_validate(...)`."
        )
    found = reference.by_member
    pairs = {(fold, name) for fold, names in held_out.items() for name in names}
    if pairs != set(zip(found["fold"], found["condition"], strict=True)):
        raise ValueError(
            "reference holds out other conditions than folds; cross-validate the true network "
            "with the same folds."
        )
    position = {data.node_name[i]: i for i in data.tf_mask.nonzero().view(-1).tolist()}
    same = set(position) == set(found["tf"])
    if same:
        row = torch.tensor(found["tf"].map(position).to_numpy())
        column = torch.tensor(found["condition"].map(data.conditions).to_numpy())
        y = data.y[row, column].double().cpu().numpy()
        same = np.array_equal(y, found["measured"].to_numpy(float), equal_nan=True)
    if not same:
        raise ValueError(
            "reference was cross-validated on other measurements than those of data; give the "
            "result for the same network and tables."
        )
