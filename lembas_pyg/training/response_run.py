"""Training of a drug model: the steps of a run, on observations of cell lines under drugs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn.contraction import contraction_rate
from lembas_pyg.nn.drug_input import DrugBinding
from lembas_pyg.nn.drug_response import DrugResponse
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.training import losses
from lembas_pyg.training.run import Run, Step

__all__ = ["ResponseRun", "check_response_data"]

# Observations of a batch whose contraction is followed: one block of the compiled kernel.
_FOLLOWED = 32
_FRESH = 0.01
# Observations of a line that are visited together, as they share an untreated state.
_TOGETHER = 8
# Affinities differ by orders of magnitude and are to find their place in a run: steps of theirs in
# those of a weight.
_AFFINITY, _STEEPNESS = 10.0, 3.0


@dataclass
class ResponseRun(Run):
    """A run of a `lembas_pyg.nn.DrugResponse`; what it shares with other models is in `Run`.

    Noise is added to the cell lines, the same to treated and untreated cells, so that it stands
    for what expression does not tell of a line.
    """

    @property
    def response(self) -> DrugResponse:
        """The model, as what it is."""
        return cast(DrugResponse, cast(Any, self.model))

    def read(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Doses ``[D, O]`` and viability ``[1, O]``; expression and mutations beside."""
        data = self.data
        self.expression, self.mutation = data.expression.to(like), data.mutation.to(like)
        self.line = data.cell_line.view(-1)
        self.response.learn_programs(data.expression[:, self.line.unique()])
        return data.dose.to(like), data.viability.to(like)

    def groups(self) -> list[dict[str, Any]]:
        """Expression and affinities learn at a pace of their own: Adam moves all alike."""
        model = self.response
        own = [(self.config.lr_expression, [model.expression.weight, model.expression_bias])]
        if isinstance(model.drug, DrugBinding):
            own += [(_AFFINITY, [model.drug.affinity]), (_STEEPNESS, [model.drug.log_steepness])]
        apart = {id(value) for _, values in own for value in values}
        others = [value for value in self.parameters if id(value) not in apart]
        return [{"params": others}, *({"params": p, "share": share} for share, p in own)]

    def remembered(self) -> tuple[Tensor, Tensor]:
        """No states; deviations of a block of observations, whichever they are."""
        num_nodes = self.response.signaling.num_nodes
        deviation = self.normal((num_nodes, _FOLLOWED)) / math.sqrt(num_nodes)
        return self.x.new_zeros(0), deviation

    def order(self) -> Tensor:
        """Observations in random order, but some of a cell line together."""
        shuffled = torch.randperm(self.x.size(1), generator=self.generator)
        shuffled = shuffled[self.line[shuffled].argsort(stable=True)]
        chunks = [
            chunk
            for part in shuffled.split(self.line.bincount().tolist())
            for chunk in part.split(_TOGETHER)
        ]
        mixed = torch.randperm(len(chunks), generator=self.generator).tolist()
        return torch.cat([chunks[i] for i in mixed])

    def step(self, batch: Tensor, lr: float) -> Step:
        """One optimiser step, by autograd."""
        config, model = self.config, self.response
        cells = model.cells(self.expression, self.mutation)
        level = config.noise + config.noise_per_lr * lr
        if level:
            cells = cells + level * self.normal(cells.shape)
        dose, line = self.of(batch, self.x), self.line[batch]
        found = model.respond(dose, line, cells)
        y = found.viability.view(1, -1)
        terms = {"fit": losses.fit_loss(y, self.of(batch, self.measured))}
        terms |= self.parameter_terms()
        if config.uniform:
            terms["uniform"] = losses.uniform_loss(
                found.h, config.uniform_min, config.uniform_max, config.uniform_dead
            )
        rho = self.x.new_zeros(())
        factors: dict[str, float] = {}
        if config.spectral:
            factors["spectral"], sharpness = config.barrier(self.epoch)
            few = slice(0, _FOLLOWED)
            with torch.no_grad():
                drive = cells[:, line[few]] + model.drug_input(dose[:, few])
            slope = model.slope(found.h[:, few].detach(), drive)
            rho = self.radius(slope, batch, self.normal(slope.shape))
            terms["spectral"] = losses.spectral_loss(
                rho, sharpness, config.spectral_target, config.spectral_floor
            )
        terms, counts = self.descend(terms, factors)
        counts = {"not_converged": (~found.converged).sum()} | counts
        return terms, counts, y.detach(), rho.detach().max()

    def parameter_terms(self) -> dict[str, Tensor]:
        """Loss terms of the parameters alone, those with a coefficient."""
        config, conv, model = self.config, self.model.conv, self.response
        signed = (model.drug, model.expression, model.viability)
        linear = (model.drug, model.mutation, model.viability)
        terms = {
            "sign": lambda: sum(
                (losses.sign_loss(layer.weight, layer.sign) for layer in signed),
                losses.sign_loss(conv.edge_weight, model.signaling.edge_sign),
            ),
            "l2_weight": lambda: sum(
                (losses.l2_loss(layer.weight) for layer in linear),
                losses.l2_loss(conv.edge_weight),
            ),
            "l2_bias": lambda: losses.l2_loss(conv.bias),
            "l2_expression": lambda: (
                losses.l2_loss(model.expression.weight) + losses.l2_loss(model.expression_bias)
            ),
            "anti_zero": lambda: losses.anti_zero_loss(conv.edge_weight),
        }
        return {name: term() for name, term in terms.items() if getattr(config, name)}

    def radius(self, slope: Tensor, batch: Tensor, fresh: Tensor) -> Tensor:
        """Contraction rate of a block of the batch, or the radius of a random observation."""
        model, signaling = self.model, self.response.signaling
        count = slope.size(1)
        if self.config.spectral_term == "radius":
            pick = torch.randint(count, (1,), generator=self.generator, device=slope.device)
            weight = slope[signaling.edge_index[1], pick] * model.conv.edge_weight
            return spectral_radius(signaling.edge_index, weight, signaling.num_nodes)
        scale = _FRESH / math.sqrt(len(fresh))
        start = torch.add(self.deviation[:, :count], fresh, alpha=scale)
        rate, last = contraction_rate(signaling.operator, model.conv.edge_weight, slope, start)
        if not bool(last.sum().isfinite()):
            last = last.nan_to_num(0.0, 0.0, 0.0)
        self.deviation = torch.cat([last, self.deviation[:, count:]], dim=1)
        return rate


def check_response_data(model: DrugResponse, data: Data) -> None:
    """Refuse data a drug model cannot be trained on.

    Args:
        model: The model.
        data: Network with a drug screen.

    Raises:
        ValueError: The data do not fit the model, or hold no measurement.
    """
    missing = [name for name in ("dose", "cell_line", "viability") if name not in data]
    if missing:
        raise ValueError(
            f"The data have no {', '.join(missing)}; add a drug screen with "
            f"`lembas_pyg.network.add_drug_screen`."
        )
    difference = model.network_difference(data)
    if difference is not None:
        raise ValueError(f"The data are not of the model's network: {difference}")
    if data.viability.numel() == 0 or bool(data.viability.isnan().all()):
        raise ValueError("No viability was measured; there is nothing to fit.")
