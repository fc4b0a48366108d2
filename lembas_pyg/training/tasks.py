"""What a worker does for a fold: train and ask one member, or fit the baselines."""

from __future__ import annotations

import copy
import pickle
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.network import node_index, select_conditions
from lembas_pyg.nn.lembas import LEMBAS, Prediction
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.prediction import predict
from lembas_pyg.surrogate import SURROGATE, SurrogateVariable, add_covariate, find_surrogate
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.cross_validation_results import TOLD, course_of
from lembas_pyg.training.trainer import fit

__all__ = ["BaselinesTask", "MemberTask", "attempt_member", "fit_baselines"]

# Where an unknown surrogate variable is averaged over, as shares of the conditions that tell of it.
_SHARES = torch.linspace(0.05, 0.95, 10)


@dataclass(frozen=True)
class MemberTask:
    """One member of one fold: all that a worker has to know."""

    data: Data
    config: TrainingConfig
    model: Callable[..., LEMBAS]
    fold: int
    member: int
    held_out: list[str]
    scramble: bool

    def __str__(self) -> str:
        return f"fold {self.fold}, member {self.member}"

    @property
    def file(self) -> str:
        return f"fold-{self.fold:03d}-member-{self.member:03d}.pt"

    @property
    def seed(self) -> int:
        """Of the initial weights and the training; different in every fold and member."""
        sequence = np.random.SeedSequence([self.config.seed, self.fold, self.member])
        return int(sequence.generate_state(1)[0])

    def __getstate__(self) -> dict[str, Any]:
        """With little to send: most entries of the data are 0 or unknown."""
        return self.__dict__ | {"data": zlib.compress(pickle.dumps(self.data), 1)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"data": pickle.loads(zlib.decompress(state["data"]))})


@dataclass(frozen=True)
class BaselinesTask:
    """One fold of all baselines."""

    data: Data
    config: TrainingConfig
    costimulus: str | None
    fold: int
    held_out: list[str]

    def __str__(self) -> str:
        return f"the baselines of fold {self.fold}"


def attempt_member(task: MemberTask) -> dict[str, Any] | FloatingPointError:
    """Train one member; divergence is a result, so that it does not end the training of others."""
    try:
        return _train_member(task)
    except FloatingPointError as error:
        return error.with_traceback(None)  # which would hold the tensors of the training


def _train_member(task: MemberTask) -> dict[str, Any]:
    """Train one member of one fold and predict what it has not seen."""
    data, seed = task.data, task.seed
    train = select_conditions(data, [c for c in data.conditions if c not in set(task.held_out)])
    if task.scramble:
        order = np.random.default_rng(seed).permutation(train.y.size(1))
        train.y = train.y[:, torch.from_numpy(order)]
    config = replace(task.config, seed=seed)
    if config.surrogate_variable:  # what is held out may not tell its own value
        surrogate = find_surrogate(train)
        data = add_covariate(data, SURROGATE, surrogate.of(data.x))
        train = add_covariate(train, SURROGATE, surrogate.value)
    generator = torch.Generator().manual_seed(seed)
    model = task.model(data, generator=generator, **config.model_options())
    history = fit(model, train, config, progress=False)
    if history.interrupted:
        return {"interrupted": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what did not converge is part of the result
        prediction = predict(model, data, task.held_out)
        if config.surrogate_variable:
            prediction = _over_values(model, data, task.held_out, surrogate, prediction)
    return {
        "held_out": task.held_out,
        "y": prediction.y,
        "converged": prediction.converged,
        "residual": prediction.residual,
        "radius": _radius(model, data, task.held_out, prediction.h),
        "seed": seed,
        "train_r": float(history.table["r"].iloc[-1]),
        "seconds": float(history.table["seconds"].sum()),
        "not_converged": history.not_converged_share,
        "interrupted": False,
        "history": course_of(history),
        "state": {
            name: value
            for name, value in model.state_dict().items()
            if isinstance(value, Tensor) and value.is_floating_point()
        },
    }


def _over_values(
    model: LEMBAS,
    data: Data,
    conditions: list[str],
    surrogate: SurrogateVariable,
    prediction: Prediction,
) -> Prediction:
    """Activities averaged over values of the surrogate variable where none is known.

    The answer to an average value is another one, and no cell may have it. Values are those of the
    conditions that come closest (`SurrogateVariable.relatives`). A condition converged if it did
    with each of them.
    """
    part = select_conditions(data, conditions)
    unknown = ~surrogate.known(part.x[:-1])
    if not surrogate.found or not bool(unknown.any()):
        return prediction
    part = select_conditions(
        part, [name for name, is_ in zip(conditions, unknown.tolist(), strict=True) if is_]
    )
    shares = _SHARES.to(surrogate.value)
    values = torch.stack(  # [10, S']
        [surrogate.value[row].quantile(shares) for row in surrogate.relatives(part.x[:-1])], dim=1
    )
    answers = []
    for row in values:
        part.x[-1] = row
        answers.append(predict(model, part))
    y, residual = prediction.y.clone(), prediction.residual.clone()
    converged = prediction.converged.clone()
    y[:, unknown] = torch.stack([answer.y.clamp(0, 1) for answer in answers]).mean(dim=0)
    residual[unknown] = torch.stack([answer.residual for answer in answers]).amax(dim=0)
    converged[unknown] = torch.stack([answer.converged for answer in answers]).all(dim=0)
    return prediction._replace(y=y, residual=residual, converged=converged)


def _radius(model: LEMBAS, data: Data, conditions: list[str], h: Tensor) -> Tensor:
    """Exact spectral radius at the state of every held-out condition."""
    exact = copy.deepcopy(model).double()
    x = data.x[:, [data.conditions[name] for name in conditions]].double()
    slope = exact.slope(h, x)
    weight = exact.conv.edge_weight.detach()
    found = []
    for column in slope.T:
        scaled = weight * column[exact.edge_index[1]]
        finite = bool(scaled.isfinite().all())
        radius = spectral_radius(exact.edge_index, scaled, exact.num_nodes) if finite else torch.inf
        found.append(float(radius))
    return torch.tensor(found, dtype=torch.double)


def fit_baselines(task: BaselinesTask) -> dict[str, Tensor]:
    """What models that know no network predict of a fold.

    Where ours is told of a surrogate variable, so is a second set of them.
    """
    data, held_out, config = task.data, task.held_out, task.config
    costimulus = task.costimulus
    from lembas_pyg.training.baselines import (
        MEAN_WITHIN,
        REGRESSIONS,
        mean_within,
        predict_baselines,
    )

    train = select_conditions(data, [name for name in data.conditions if name not in set(held_out)])
    test = select_conditions(data, held_out)
    ligands = data.ligand_mask.nonzero().view(-1)
    y = train.y[data.tf_mask].T.double().numpy()
    x, z = (part.x[ligands].T.double().numpy() for part in (train, test))
    position = None
    if costimulus is not None:
        by = "name" if costimulus in data.node_name else "label"
        position = ligands.tolist().index(int(node_index(data, **{by: costimulus})))
    found = predict_baselines(x, y, z, costimulus=position, seed=config.seed)
    if config.surrogate_variable:
        surrogate = find_surrogate(train)
        label, told = (part.numpy()[:, None] for part in (surrogate.value, surrogate.of(test.x)))
        wide = np.hstack([x, label]), y, np.hstack([z, told])
        more = predict_baselines(*wide, names=REGRESSIONS, seed=config.seed)
        if position is not None:
            # Both as ligands of their own: nothing else tells the conditions apart.
            cells = (
                np.hstack([x[:, [position]], label.round()]),
                y,
                np.hstack([z[:, [position]], told.round()]),
            )
            more[MEAN_WITHIN] = mean_within(*cells).clip(0, 1)
        found |= {f"{name}{TOLD}": value for name, value in more.items()}
    return {name: torch.from_numpy(np.ascontiguousarray(value.T)) for name, value in found.items()}
