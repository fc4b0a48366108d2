"""What a cross-validation found: tables of all folds and members, and how members were trained."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.training.ensemble import Ensemble, combine
from lembas_pyg.training.scores import calibration, fold_scores, score_table
from lembas_pyg.training.trainer import History

__all__ = ["OURS", "TOLD", "CrossValidation", "collect", "course_of"]

logger = logging.getLogger(__name__)

OURS = "LEMBAS"
# Baselines that were told of the surrogate variable are named so.
TOLD = ", with surrogate variable"
# Regressions that are averaged with ours.
_BLENDED = ("ridge, alpha per TF", "kernel ridge")
# Of the history of a training, what is kept with the member.
_COURSE = ("epoch", "lr", "loss", "fit", "r", "rho", "sign", "not_converged")
_MAX_EPOCHS = 200


@dataclass
class CrossValidation:
    """What a cross-validation found.

    Attributes:
        predictions: `fold`, `condition`, `tf`, `measured`, `predicted` (average of the members,
            clipped to [0, 1]), `spread` (standard deviation over members); one row an entry.
        by_model: `model`, `fold`, `condition`, `tf`, `measured`, `predicted`; ours, a single
            member of ours, the mean of ours and a regression ("blended"), and every baseline.
        by_member: `fold`, `member`, `condition`, `tf`, `measured`, `predicted` (clipped to [0, 1]);
            states that did not converge as they were reached last.
        scores: One row a model: Pearson `r` over all held-out entries, and `r_centred` without
            the means of TFs; `fold_mean`, `fold_sd`, `fold_median` and `fold_worst` of the r of
            folds, `tf_median` and `condition_median` of the r of TFs and conditions, `mse`,
            `entries`.
        fold_scores: `model`, `fold`, `r`, `mse`.
        members: `fold`, `member`, `seed`, `train_r`, `seconds`, `not_converged` (share of training
            visits without steady state), `held_out_not_converged` (conditions), `residual` and
            `radius` (largest over the held-out conditions).
        calibration: Share of entries within 1 and 2 `spread` of the prediction, and the rank
            correlation of spread and absolute error; NaN with one member.
        states: State dict of every trained member, by fold and member.
        histories: How members were trained: `fold`, `member`, `epoch`, `lr`, `loss` (weighted
            sum), `fit` and `sign` (loss terms, unweighted), `r`, `rho` (largest contraction rate
            or radius; 0 without a spectral term) as of `History`, and `not_converged` (share of
            the visits of the epoch that found no steady state). At most 200 epochs of a training,
            evenly spaced, with the first and the last; `sign` is blank where it has no coefficient.
            Members that were written before courses were kept have no rows.
    """

    predictions: pd.DataFrame
    by_model: pd.DataFrame
    by_member: pd.DataFrame
    scores: pd.DataFrame
    fold_scores: pd.DataFrame
    members: pd.DataFrame
    calibration: dict[str, float]
    states: dict[tuple[int, int], dict[str, Tensor]]
    histories: pd.DataFrame

    def wide(self, column: str = "predicted") -> pd.DataFrame:
        """One column of `predictions` as a table of conditions x TFs.

        A condition that several folds hold out has a row for each.

        Args:
            column: `measured`, `predicted` or `spread`.
        """
        return self.predictions.pivot(index=["fold", "condition"], columns="tf", values=column)

    def ensemble(
        self, data: Data, fold: int | None = None, model: Callable[..., LEMBAS] = LEMBAS
    ) -> Ensemble:
        """The trained members of a fold, or of all folds, as one model; it knows their `held_out`.

        Args:
            data: The network; with `surrogate_variable` that of
                `lembas_pyg.surrogate.add_covariate`, which the members were trained on.
            fold: Number of the fold; all if None.
            model: What made the members, as for `cross_validate`.

        Raises:
            ValueError: There is no such fold, or the members are of another network.
        """
        chosen = [key for key in self.states if fold in (None, key[0])]
        if not chosen:
            folds = sorted({index for index, _ in self.states})
            raise ValueError(f"There is no fold {fold}; folds are {folds}.")
        members = []
        for key in chosen:
            member = model(data)
            here, there = member.conv.num_edges, len(self.states[key]["conv.edge_weight"])
            if here != there:
                raise ValueError(
                    f"The members have {there} interactions, the network {here}. Where a "
                    f"surrogate variable was looked for, give the network with this covariate: "
                    f"add_covariate(data, SURROGATE, find_surrogate(data).value) of "
                    f"lembas_pyg.surrogate."
                )
            member.load_state_dict(self.states[key], strict=False)
            members.append(member)
        folds = self.predictions.groupby("fold")["condition"].unique()
        return Ensemble(members, held_out=[folds[number] for number, _ in chosen])


def collect(
    data: Data,
    held_out: dict[int, list[str]],
    members: int,
    results: dict[tuple[int, int], dict[str, Any]],
    baselines: dict[int, dict[str, Tensor]],
) -> CrossValidation:
    """Tables of all results, in the order of folds and members.

    Args:
        data: Network with measured conditions.
        held_out: Conditions, by the number of their fold.
        members: Models a fold.
        results: What each training left, by fold and member.
        baselines: Predictions ``[T, conditions]`` of other models, by fold and name.
    """
    blocks, alone, rows = [], [], []
    unsteady: list[str] = []
    for fold, names in held_out.items():
        found = [results[fold, member] for member in range(members)]
        y = torch.stack([result["y"] for result in found]).clamp(0, 1)
        converged = torch.stack([result["converged"] for result in found])
        residual = torch.stack([result["residual"] for result in found])
        # To leave out what no member has a steady state for would flatter the score.
        steady = converged.any(dim=0)
        together = combine(y, residual, converged | ~steady)
        unsteady += [
            f"{name} (fold {fold})" for name, is_ in zip(names, steady, strict=True) if not is_
        ]
        ours = {OURS: together.y, "spread": together.spread}
        if members > 1:
            ours[f"{OURS}, one member"] = y[0]
        ours |= _blends(together.y, baselines.get(fold, {})) | baselines.get(fold, {})
        blocks.append(_block(data, fold, names, ours))
        for member, result in enumerate(found):
            block = _block(data, fold, names, {"predicted": y[member]})
            block.insert(1, "member", member)
            alone.append(block)
            rows.append(
                {
                    "fold": fold,
                    "member": member,
                    **{k: result[k] for k in ("seed", "train_r", "seconds", "not_converged")},
                    "held_out_not_converged": int((~result["converged"]).sum()),
                    "residual": float(result["residual"].max()),
                    "radius": float(result["radius"].max()),
                }
            )
    wide = pd.concat(blocks, ignore_index=True)
    keys = ["fold", "condition", "tf", "measured"]
    models = [name for name in wide.columns if name not in (*keys, "spread")]
    predictions = wide[[*keys, OURS, "spread"]].rename(columns={OURS: "predicted"})
    by_model = wide.melt(keys, models, var_name="model", value_name="predicted")
    by_model = by_model[["model", *keys, "predicted"]]
    if unsteady:
        logger.warning(
            "%d held-out conditions have no steady state in any member; they are scored by the "
            "states that were reached last: %s",
            len(unsteady),
            ", ".join(unsteady),
        )
    return CrossValidation(
        predictions=predictions,
        by_model=by_model,
        by_member=pd.concat(alone, ignore_index=True),
        scores=score_table(by_model),
        fold_scores=fold_scores(by_model),
        members=pd.DataFrame(rows),
        calibration=calibration(predictions),
        states={key: results[key]["state"] for key in sorted(results)},
        histories=_histories(results),
    )


def _blends(y: Tensor, baselines: dict[str, Tensor]) -> dict[str, Tensor]:
    """Means of our prediction and that of a regression: the two err differently."""
    return {
        f"{OURS}, blended with {name}": (y + baselines[name]) / 2
        for stem in _BLENDED
        for name in [f"{stem}{TOLD}" if f"{stem}{TOLD}" in baselines else stem]
        if name in baselines
    }


def _block(data: Data, fold: int, names: list[str], values: dict[str, Tensor]) -> pd.DataFrame:
    """All values of one fold, one row a condition and TF."""
    columns = [data.conditions[name] for name in names]
    tfs = [data.node_name[i] for i in data.tf_mask.nonzero().view(-1).tolist()]
    measured = data.y[data.tf_mask][:, columns]
    table = {"measured": measured} | values
    return pd.DataFrame(
        {
            "fold": fold,
            "condition": np.repeat(names, len(tfs)),
            "tf": np.tile(tfs, len(names)),
            **{name: value.double().T.reshape(-1).numpy() for name, value in table.items()},
        }
    )


def course_of(history: History) -> dict[str, Tensor]:
    """The course of a training in 200 epochs or fewer, with the first and the last.

    Args:
        history: Of a training of one epoch or more.

    Returns:
        `epoch`, `lr`, `loss`, `fit`, `r`, `rho`, `sign` (where it has a coefficient) and
        `not_converged` (share of the visits of the epoch), as float32 ``[epochs]``.
    """
    table = history.table
    table = table.assign(not_converged=table["not_converged"] / table["visits"])
    rows = np.linspace(0, len(table) - 1, min(len(table), _MAX_EPOCHS)).round().astype(int)
    return {
        name: torch.tensor(table[name].to_numpy()[rows], dtype=torch.float32)
        for name in _COURSE
        if name in table
    }


def _histories(results: dict[tuple[int, int], dict[str, Any]]) -> pd.DataFrame:
    """Courses of all members; those of earlier versions have none."""
    tables = [pd.DataFrame(columns=["fold", "member", *_COURSE], dtype="float32")]
    for key in sorted(results):
        if "history" not in results[key]:
            continue
        course = {name: value.numpy() for name, value in results[key]["history"].items()}
        table = pd.DataFrame(course).reindex(columns=_COURSE).astype("float32")
        table.insert(0, "fold", key[0])
        table.insert(1, "member", key[1])
        tables.append(table)
    whole = dict.fromkeys(("fold", "member", "epoch"), int)
    return pd.concat(tables[1:] or tables, ignore_index=True).astype(whole)
