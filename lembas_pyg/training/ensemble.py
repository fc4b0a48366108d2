"""Several models of one network that predict together."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import Module, ModuleList
from torch_geometric.data import Data

from lembas_pyg import checkpoint
from lembas_pyg.io.replace import replace_together
from lembas_pyg.io.tsv import parse_numbers, read_tsv, write_tsv
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import predict

__all__ = ["Ensemble", "EnsemblePrediction", "weights_by_fit"]

_AVERAGES = ("mean", "median")
_WEIGHTS = "weights.tsv"


class EnsemblePrediction(NamedTuple):
    """What an ensemble says of every condition.

    Attributes:
        y: Average TF activity over the members with a steady state ``[T, S]``; NaN without any.
            Only this knows of weights.
        spread: Standard deviation over those members ``[T, S]``; NaN with fewer than two.
        converged: Members with a steady state, by condition ``[M, S]``.
        residual: Largest change in the last step ``[M, S]``.
        members: TF activity of every member ``[M, T, S]``; NaN without steady state.
    """

    y: Tensor
    spread: Tensor
    converged: Tensor
    residual: Tensor
    members: Tensor


class Ensemble(Module):
    r"""Average of models that differ in their parameters alone.

    .. math:: \hat y_t = \sum_{m=1}^{M} w_{mt} \, \hat y_{mt} \Big/ \sum_{m=1}^{M} w_{mt},
        \qquad w_{mt} = 1 \text{ if nothing else is given}

    Models trained from different seeds fit the same data with different parameters. What they
    agree on is better supported by the data than what one of them says.
    `lembas_pyg.predict`, `lembas_pyg.analysis.knock_out` and (for PyG's explainers)
    `lembas_pyg.analysis.Response` take an ensemble like a model.

    Args:
        members: Models of one network.
        average: ``"mean"`` or ``"median"`` over members.
        weights: Of every member in the mean, or of every member for each TF (dimensionless; only
            their ratios matter), such as from `weights_by_fit`. Effects of perturbations are
            medians over members, whatever their weights.
        limits: Predictions of members are clipped to this range before they are averaged; None to
            leave them. TF activities lie in [0, 1].
        held_out: Of every member, the conditions it was trained without, where that is known: for
            analyses that ask of a condition only members that have, or have not, seen it.

    Shapes:
        - **weights:** ``[M]`` or ``[M, T]``

    Raises:
        ValueError: There is no member, they are of different networks, the average is unknown,
            `held_out` is of another number of members, or `weights` are of another shape, below 0,
            not finite, 0 for all members, or given for a median.

    References:
        Nilsson et al. (2022), Fig. 6e-f: medians over the models of all folds.
    """

    def __init__(
        self,
        members: Iterable[LEMBAS],
        *,
        average: str = "mean",
        weights: Tensor | None = None,
        limits: tuple[float, float] | None = (0.0, 1.0),
        held_out: Iterable[Iterable[str]] | None = None,
    ) -> None:
        super().__init__()
        models = list(members)
        if not models:
            raise ValueError("An ensemble needs a member; none was given.")
        if average not in _AVERAGES:
            raise ValueError(f"average is {average!r}; choose from {', '.join(_AVERAGES)}.")
        first = models[0]
        for number, model in enumerate(models[1:], start=1):
            same = model.node_name == first.node_name and all(
                torch.equal(getattr(model, name), getattr(first, name))
                for name in ("tf_index", "ligand_index")
            )
            if not same:
                raise ValueError(
                    f"Member {number} is a model of another network than member 0: the members of "
                    f"an ensemble have the same nodes, ligands and TFs."
                )
        self.members = ModuleList(models)
        self.average, self.limits = average, limits
        self.weights: Tensor | None
        checked = None if weights is None else _checked(weights, average, models)
        self.register_buffer("weights", checked)
        self.held_out = None if held_out is None else [frozenset(names) for names in held_out]
        if self.held_out is not None and len(self.held_out) != len(models):
            raise ValueError(
                f"held_out tells of {len(self.held_out)} members, and there are {len(models)}; "
                f"give the conditions of each, none where it was trained on all."
            )

    @property
    def models(self) -> list[LEMBAS]:
        """The members."""
        return list(self.members)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.members)

    def forward(self, x: Tensor, perturbation: Tensor | None = None) -> EnsemblePrediction:
        """Average and spread of what the members predict.

        Args:
            x: Raw ligand concentrations ``[N, S]``.
            perturbation: Added to the input of any node before the activation ``[N, S]``.
        """
        outputs, residuals, verdicts = [], [], []
        for model in self.models:
            point = model.steady_state(x, perturbation)
            outputs.append(model.output(point.value))
            residuals.append(point.residual)
            verdicts.append(point.converged)
        return self.combine(torch.stack(outputs), torch.stack(residuals), torch.stack(verdicts))

    def combine(self, members: Tensor, residual: Tensor, converged: Tensor) -> EnsemblePrediction:
        """Clip given predictions; their average and spread, see `EnsemblePrediction`.

        Args:
            members: TF activity of every member ``[M, T, S]``.
            residual: Largest change in the last step ``[M, S]``.
            converged: Whether the member has a steady state ``[M, S]``.
        """
        if self.limits is not None:
            members = members.clamp(*self.limits)
        return combine(members, residual, converged, self.average, self.weights)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write every member as ``member-000.safetensors`` and so on; `held_out` is not kept.

        Weights are in ``weights.tsv``, a row a member and a column a TF. All appear together, or
        none.

        Args:
            folder: Made if it is not there.

        Raises:
            FileExistsError: The folder holds members already.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("member-*.safetensors")):
            raise FileExistsError(f"{folder} holds an ensemble already; name another folder.")
        with replace_together(folder) as place:
            if self.weights is not None:
                table = pd.DataFrame(self.weights.cpu().numpy(), columns=_tf_names(self.models[0]))
                write_tsv(table, place / _WEIGHTS)
            for number, model in enumerate(self.models):
                checkpoint.save(model, place / f"member-{number:03d}.safetensors")

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        model: LEMBAS,
        *,
        average: str = "mean",
        limits: tuple[float, float] | None = (0.0, 1.0),
    ) -> Ensemble:
        """Read what `save` wrote.

        Args:
            folder: Of the members.
            model: Model of the same network and activation; it is not changed.
            average: As for the class.
            limits: As for the class.

        Raises:
            FileNotFoundError: The folder holds no members.
            ValueError: They are of another network or activation, or a median is asked for and
                they have weights.
        """
        files = sorted(Path(folder).glob("member-*.safetensors"))
        if not files or files[0].stem != "member-000":  # the last that `save` puts there
            raise FileNotFoundError(f"{folder} holds no ensemble: no member-000.safetensors.")
        members = [checkpoint.load(copy.deepcopy(model), file) for file in files]
        return cls(
            members, average=average, limits=limits, weights=_read_weights(Path(folder), members)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} x {self.members[0]!r}, average={self.average})"


def combine(
    members: Tensor,
    residual: Tensor,
    converged: Tensor,
    average: str = "mean",
    weights: Tensor | None = None,
) -> EnsemblePrediction:
    """Average and spread of the predictions of members, see `EnsemblePrediction`."""
    members = members.masked_fill(~converged.unsqueeze(1), torch.nan)
    if weights is not None:
        share = weights.to(members).unsqueeze(2).expand_as(members) * converged.unsqueeze(1)
        y = (share * members.nan_to_num()).sum(dim=0) / share.sum(dim=0)
    else:
        y = members.nanmean(dim=0) if average == "mean" else members.nanmedian(dim=0).values
    count = converged.sum(dim=0)
    squares = (members - members.nanmean(dim=0)).square().nansum(dim=0)
    spread = (squares / (count - 1).clamp(min=1)).sqrt().masked_fill(count < 2, torch.nan)
    return EnsemblePrediction(y, spread, converged, residual, members)


def weights_by_fit(members: Iterable[LEMBAS], data: Data, floor: float = 1e-4) -> Tensor:
    r"""Weights of members for an `Ensemble`: of every TF, who fits its training conditions best.

    .. math:: w_{mt} = \frac{1}{\mathrm{MSE}_{mt} + \epsilon}

    Of models that differ by their start, some get stuck where a TF is not fitted, which shows in
    training: no held-out condition is needed to tell. Where all fit a TF, their weights are alike.

    Args:
        members: Models of one network; they are not changed.
        data: Network with the conditions that the members were trained on, and what was measured.
        floor: Error that no longer matters, :math:`\epsilon` (square of TF activity), above 0.

    Shapes:
        - **returns:** ``[M, T]``

    Returns:
        Weights, float64. A condition without steady state counts as an error of 1; a TF that was
        not measured has equal weights.

    Raises:
        ValueError: `floor` is not above 0, there is no member, the data have no measurements, or
            they are of another network.

    References:
        Not in the paper.
    """
    if not floor > 0:
        raise ValueError(f"floor is {floor}; give a number above 0, such as 1e-4.")
    if data.get("y") is None:
        raise ValueError(
            "The data have no measurements to compare with; add them with "
            "`lembas_pyg.network.add_conditions(data, ligands, tfs)`."
        )
    weights = []
    for model in members:
        found = predict(model, data)
        measured = data.y[data.tf_mask].to(found.y)
        error = (found.y - measured).square().masked_fill(~found.converged, 1.0)
        error = error.masked_fill(measured.isnan(), torch.nan).nanmean(dim=1).nan_to_num(0.0)
        weights.append(1 / (error + floor))
    if not weights:
        raise ValueError("An ensemble needs a member; none was given.")
    return torch.stack(weights)


def _checked(weights: Tensor, average: str, models: list[LEMBAS]) -> Tensor:
    """Weights of every member and TF."""
    weights = torch.as_tensor(weights).detach().clone()
    if not weights.is_floating_point():
        weights = weights.to(torch.get_default_dtype())
    size, num_tfs = len(models), len(models[0].tf_index)
    if average != "mean":
        raise ValueError(f"weights are of a mean, and average is {average!r}; give one of the two.")
    if weights.shape not in ((size,), (size, num_tfs)):
        raise ValueError(
            f"weights have the shape {list(weights.shape)}; {size} members of {num_tfs} TFs need "
            f"[{size}] or [{size}, {num_tfs}]."
        )
    if not weights.isfinite().all() or (weights < 0).any():
        wrong = weights[~weights.isfinite() | (weights < 0)][0].item()
        raise ValueError(f"A weight is {wrong}; weights are finite and not below 0.")
    if (weights.sum(dim=0) == 0).any():
        raise ValueError("All weights of a TF are 0: give at least one member a weight above 0.")
    return weights if weights.dim() == 2 else weights.unsqueeze(1).repeat(1, num_tfs)


def _tf_names(model: LEMBAS) -> list[str]:
    """Accessions of TFs, in the order of predictions."""
    return [model.node_name[i] for i in model.tf_index.tolist()]


def _read_weights(folder: Path, members: list[LEMBAS]) -> Tensor | None:
    """Weights beside members, if they have any."""
    file = folder / _WEIGHTS
    if not file.exists():
        return None
    names = _tf_names(members[0])
    table = read_tsv(file, required=names)
    columns = [parse_numbers(table[name], file).to_numpy() for name in names]
    return torch.tensor(np.stack(columns, axis=1))
