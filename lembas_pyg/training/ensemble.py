"""Several models of one network that predict together."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module, ModuleList

from lembas_pyg import checkpoint
from lembas_pyg.io.replace import replace_together
from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["Ensemble", "EnsemblePrediction"]

_AVERAGES = ("mean", "median")


class EnsemblePrediction(NamedTuple):
    """What an ensemble says of every condition.

    Attributes:
        y: Average TF activity over the members with a steady state ``[T, S]``; NaN without any.
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

    .. math:: \hat y = \frac{1}{M} \sum_{m=1}^{M} \hat y_m

    Models trained from different seeds fit the same data with different parameters. What they
    agree on is better supported by the data than what one of them says.
    `lembas_pyg.predict`, `lembas_pyg.analysis.knock_out` and (for PyG's explainers)
    `lembas_pyg.analysis.Response` take an ensemble like a model.

    Args:
        members: Models of one network.
        average: ``"mean"`` or ``"median"`` over members.
        limits: Predictions of members are clipped to this range before they are averaged; None to
            leave them. TF activities lie in [0, 1].
        held_out: Of every member, the conditions it was trained without, where that is known: for
            analyses that ask of a condition only members that have, or have not, seen it.

    Raises:
        ValueError: There is no member, they are of different networks, the average is unknown, or
            `held_out` is of another number of members.

    References:
        Nilsson et al. (2022), Fig. 6e-f: medians over the models of all folds.
    """

    def __init__(
        self,
        members: Iterable[LEMBAS],
        *,
        average: str = "mean",
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
        return combine(members, residual, converged, self.average)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write every member as ``member-000.safetensors`` and so on; `held_out` is not kept.

        All appear together, or none.

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
            ValueError: They are of another network or activation.
        """
        files = sorted(Path(folder).glob("member-*.safetensors"))
        if not files or files[0].stem != "member-000":  # the last that `save` puts there
            raise FileNotFoundError(f"{folder} holds no ensemble: no member-000.safetensors.")
        members = [checkpoint.load(copy.deepcopy(model), file) for file in files]
        return cls(members, average=average, limits=limits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} x {self.members[0]!r}, average={self.average})"


def combine(
    members: Tensor, residual: Tensor, converged: Tensor, average: str = "mean"
) -> EnsemblePrediction:
    """Average and spread of the predictions of members, see `EnsemblePrediction`."""
    members = members.masked_fill(~converged.unsqueeze(1), torch.nan)
    y = members.nanmean(dim=0) if average == "mean" else members.nanmedian(dim=0).values
    count = converged.sum(dim=0)
    squares = (members - members.nanmean(dim=0)).square().nansum(dim=0)
    spread = (squares / (count - 1).clamp(min=1)).sqrt().masked_fill(count < 2, torch.nan)
    return EnsemblePrediction(y, spread, converged, residual, members)
