"""The changing state of one training run, epoch by epoch and step by step."""

from __future__ import annotations

import math
import pickle
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.checkpoint import load_tensors
from lembas_pyg.metrics import pearson_r
from lembas_pyg.nn.contraction import contraction_rate
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.training import losses
from lembas_pyg.training.config import TrainingConfig
from lembas_pyg.training.direct_step import DirectStep

__all__ = ["Run", "Step"]

# Loss terms, counts, predictions and largest radius of a step.
Step = tuple[dict[str, Any], dict[str, Any], Tensor, Any]

_FORMAT = "lembas_pyg training checkpoint 1"
# Share of noise in the warm-started deviation of the contraction rate, so that a mode that
# becomes dominant is found even if the deviation had lost it.
_FRESH = 0.01


@dataclass
class Run:
    """What the next epoch depends on, and what has happened so far."""

    model: LEMBAS
    data: Data
    config: TrainingConfig
    epoch: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)
    best_loss: float = float("inf")
    best_epoch: int = -1

    def __post_init__(self) -> None:
        model, bias = self.model, self.model.conv.bias
        self.x, self.measured = self.read(bias)
        self.fingerprint = _fingerprint(self.x, self.measured)
        self.settings = self.config.to_dict()
        self.generator = torch.Generator(bias.device).manual_seed(self.config.seed)
        self.states, self.deviation = self.remembered()
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(
            self.groups(), self.config.lr, betas=(0.9, self.config.adam_beta2), fused=True
        )
        self.direct = DirectStep(self) if DirectStep.applies_to(self) else None

    def groups(self) -> list[dict[str, Any]]:
        """Parameters that share a learning rate, and the `share` of the schedule's it is."""
        return [{"params": self.parameters}]

    def read(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and measurements, conditions as columns, in the model's precision."""
        return self.data.x.to(like), self.data.y[self.data.tf_mask].to(like)

    def remembered(self) -> tuple[Tensor, Tensor]:
        """Latest state and deviation of every condition, before any visit."""
        # Nothing is known of a state before its first visit: the middle of its range.
        states = torch.full_like(self.x, 0.5)
        return states, self.normal(self.x.shape) / math.sqrt(self.x.size(0))

    def normal(self, shape: torch.Size | tuple[int, ...]) -> Tensor:
        """Standard normal numbers of the run's own generator."""
        bias = self.model.conv.bias
        return torch.randn(shape, generator=self.generator, dtype=bias.dtype, device=bias.device)

    def run_epoch(self) -> dict[str, float]:
        """Visit every condition once; the epoch's row of the history."""
        config, started = self.config, time.perf_counter()
        lr = config.learning_rate(self.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("share", 1.0)
        restart = config.reset_every and self.epoch % config.reset_every == 0
        if self.epoch and (restart or config.cycle(self.epoch)[0] == 0):
            self.optimizer.state.clear()
        num_conditions = self.x.size(1)
        order = self.order()
        predicted = torch.empty_like(self.measured)
        total: dict[str, Any] = {}
        largest = self.x.new_zeros(())
        step = self.step if self.direct is None else self.direct
        for batch in order.split(config.batch_size):
            terms, counts, y, rho = step(batch, lr)
            predicted[:, batch] = y
            # A rate that is NaN stays NaN, where `max` would drop it.
            largest = torch.maximum(largest, torch.as_tensor(rho).to(largest))
            share = len(batch) / num_conditions
            counted = {name: share * value for name, value in terms.items()} | counts
            for name, value in counted.items():
                total[name] = value + total.get(name, 0.0)
        row = {"epoch": self.epoch, "lr": lr, **{k: float(v) for k, v in total.items()}}
        if not all(map(math.isfinite, row.values())):
            raise FloatingPointError(
                f"The loss became infinite or NaN in epoch {self.epoch} "
                f"({', '.join(f'{k}={v:.3g}' for k, v in row.items())}). Lower the learning rate "
                f"(lr={config.lr}) or set adjoint_clip."
            )
        row |= {"r": pearson_r(predicted, self.measured), "rho": float(largest)}
        row |= {"visits": num_conditions, "seconds": time.perf_counter() - started}
        self.rows.append(row)
        if row["loss"] < self.best_loss:
            self.best_loss, self.best_epoch = row["loss"], self.epoch
            self.best = _cloned(self.model.state_dict())
        self.epoch += 1
        return row

    def order(self) -> Tensor:
        """Conditions in the order of their visits in an epoch; as they are if in one batch."""
        count, device = self.x.size(1), self.generator.device
        if self.config.batch_size >= count:
            return torch.arange(count, device=device)
        return torch.randperm(count, generator=self.generator, device=device)

    def step(self, batch: Tensor, lr: float) -> Step:
        """One optimiser step, by autograd."""
        config, model = self.config, self.model
        if config.weight_noise:
            with torch.no_grad():
                weight = model.conv.edge_weight
                weight.add_(config.weight_noise * self.normal(weight.shape))
        x = self.of(batch, self.x)
        fresh = self.normal(x.shape)
        level = config.noise + config.noise_per_lr * lr
        noise = level * fresh if level else None
        point = model.steady_state(x, noise)
        y = model.output(point.value)
        terms = {"fit": losses.fit_loss(y, self.of(batch, self.measured))}
        terms |= self.parameter_terms()
        if config.uniform:
            states = self.replaced(batch, self.states, point.value)
            terms["uniform"] = losses.uniform_loss(
                states, config.uniform_min, config.uniform_max, config.uniform_dead
            )
            self.states = states.detach()
        rho = self.x.new_zeros(())
        factors: dict[str, float] = {}
        if config.spectral:
            factors["spectral"], sharpness = config.barrier(self.epoch)
            rho = self.radius(model.slope(point.value.detach(), x, noise), batch, fresh)
            terms["spectral"] = losses.spectral_loss(
                rho, sharpness, config.spectral_target, config.spectral_floor
            )
        terms, counts = self.descend(terms, factors)
        counts = {"not_converged": (~point.converged).sum()} | counts
        return terms, counts, y.detach(), rho.detach().max()

    def descend(
        self, terms: dict[str, Tensor], factors: dict[str, float]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Step of the optimiser down the weighted sum; terms without gradient, adjoint counts."""
        # `fit` is not weighted; every other term has the coefficient of its name.
        weighted = [
            value * factors.get(name, getattr(self.config, name, 1.0))
            for name, value in terms.items()
        ]
        loss = torch.stack(weighted).sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        adjoint, counts = self.model.conv.adjoint, {}
        if adjoint is not None:
            counts["adjoint_not_converged"] = (~adjoint.converged).sum()
            counts["clipped"] = adjoint.clipped.sum()
        terms = {"loss": loss.detach()} | {name: value.detach() for name, value in terms.items()}
        return terms, counts

    def parameter_terms(self) -> dict[str, Tensor]:
        """Loss terms of the parameters alone, those with a coefficient."""
        config, conv, output = self.config, self.model.conv, self.model.output
        terms = {
            "sign": lambda: losses.sign_loss(conv.edge_weight, self.model.edge_sign),
            "ligand_bias": lambda: losses.ligand_bias_loss(conv.bias, self.model.ligand_index),
            "l2_weight": lambda: losses.l2_loss(conv.edge_weight),
            "l2_bias": lambda: losses.l2_loss(conv.bias),
            "anti_zero": lambda: losses.anti_zero_loss(conv.edge_weight),
            "projection": lambda: losses.projection_loss(output.weight, output.amplitude),
        }
        return {name: term() for name, term in terms.items() if getattr(config, name)}

    def radius(self, slope: Tensor, batch: Tensor, fresh: Tensor) -> Tensor:
        """Contraction rate of every condition of the batch, or the radius of a random one."""
        model = self.model
        if self.config.spectral_term == "radius":
            pick = torch.randint(
                len(batch), (1,), generator=self.generator, device=self.generator.device
            )
            weight = slope[model.edge_index[1], pick] * model.conv.edge_weight
            return spectral_radius(model.edge_index, weight, model.num_nodes)
        start = self.disturbed(batch, fresh)
        rate, last = contraction_rate(model.operator, model.conv.edge_weight, slope, start)
        self.remember(batch, last)
        return rate

    def disturbed(self, batch: Tensor, fresh: Tensor) -> Tensor:
        """Deviations that the conditions of a batch start from, with some fresh noise."""
        # A deviation has length 1, or 0 where it died out, as where all slopes are 0.
        start = self.of(batch, self.deviation)
        return torch.add(start, fresh, alpha=_FRESH / math.sqrt(len(fresh)))

    def remember(self, batch: Tensor, last: Tensor) -> None:
        """Keep the deviations that a batch was left with."""
        if not bool(last.sum().isfinite()):
            last = last.nan_to_num(0.0, 0.0, 0.0)
        self.deviation.index_copy_(1, batch, last)

    def of(self, batch: Tensor, value: Tensor) -> Tensor:
        """Columns of the conditions of a batch, which is in order where it is all of them."""
        return value if len(batch) == value.size(1) else value.index_select(1, batch)

    def replaced(self, batch: Tensor, value: Tensor, part: Tensor) -> Tensor:
        """A value of all conditions with that of a batch put in its place."""
        return part if len(batch) == value.size(1) else value.index_copy(1, batch, part)

    def snapshot(self) -> dict[str, Any]:
        """Copy of everything the next epoch depends on."""
        return {
            "format": _FORMAT,
            "config": self.settings,
            "kind": self.kind(),
            "data": self.fingerprint,
            "model": _cloned(self.model.state_dict()),
            "optimizer": _cloned(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
            "states": self.states.clone(),
            "deviation": self.deviation.clone(),
            "epoch": self.epoch,
            "rows": list(self.rows),
            "best": self.best,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
        }

    def kind(self) -> str:
        """What a model is beside its parameters and network."""
        conv = self.model.conv
        return f"{conv.act!r} in {conv.bias.dtype}"

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.states, self.deviation = state["states"].clone(), state["deviation"].clone()
        self.epoch, self.rows = state["epoch"], list(state["rows"])
        self.best, self.best_loss = state["best"], state["best_loss"]
        self.best_epoch = state["best_epoch"]

    def load(self, file: Path) -> None:
        """Go on from a checkpoint, refusing one of another run."""
        device = self.model.conv.bias.device
        try:
            state = load_tensors(file, device)
        except (pickle.UnpicklingError, RuntimeError) as error:
            raise ValueError(f"{file} is no readable training checkpoint: {error}") from error
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise ValueError(f"{file} is no training checkpoint of this version ({_FORMAT}).")
        mine = self.settings
        theirs = self.config.defaults | state["config"]
        changed = [
            f"{name} was {theirs.get(name)!r}, is {value!r}"
            for name, value in mine.items()
            if theirs.get(name) != value
        ]
        if changed:
            raise ValueError(
                f"{file} belongs to a run with other settings: {'; '.join(changed)}. Use the same "
                f"settings to resume, or another checkpoint to start anew."
            )
        if state["kind"] != self.kind():
            raise ValueError(
                f"{file} belongs to a model of another kind: {state['kind']} there, {self.kind()} "
                f"here."
            )
        if state["data"] != self.fingerprint:
            raise ValueError(f"{file} belongs to a run on other conditions or measurements.")
        state["generator"] = state["generator"].cpu()
        try:
            self.restore(state)
        except ValueError as error:
            raise ValueError(f"{file} cannot be gone on from: {error}") from error


def _fingerprint(x: Tensor, measured: Tensor) -> list[float]:
    """Numbers that tell other conditions or measurements from the same ones."""
    flat = measured.nan_to_num(-1.0).double()
    place = torch.arange(1, flat.numel() + 1, dtype=torch.double, device=flat.device).view_as(flat)
    at = torch.arange(1, x.numel() + 1, dtype=torch.double, device=x.device).view_as(x)
    return [*x.shape, float((x * at).sum()), float((flat * place).sum())]


def _cloned(state: Any) -> Any:
    """Deep copy of a state dict whose tensors may change in place."""
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        # The names of the nodes, `_extra_state`, never change and are many.
        return {
            key: value if key == "_extra_state" else _cloned(value) for key, value in state.items()
        }
    if isinstance(state, list | tuple):
        return [_cloned(value) for value in state]
    return state
