r"""A training step whose gradient is written down, for the model as it comes.

With few conditions in a batch, most of a step goes into the records that autograd keeps of some
hundred small operations. Here the same terms and gradients are computed one after the other: fit
and uniform loss give :math:`g = \partial L / \partial h`, one adjoint solve turns it into the
gradient of weights and biases, and the other terms depend on parameters alone.
"""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import Module

from lembas_pyg.nn import compiled
from lembas_pyg.nn.activations import Activation
from lembas_pyg.nn.contraction import NUM_STEPS
from lembas_pyg.nn.implicit import Solver
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.nn.projections import SparseProjection
from lembas_pyg.nn.signaling_conv import SignalingConv

if TYPE_CHECKING:
    from lembas_pyg.training.run import Run, Step

__all__ = ["DirectStep"]

# Methods that a step by autograd calls.
_METHODS = {"checked", "forward", "message", "slope", "solve", "steady_state", "step"}


class DirectStep:
    """Steps of a run without autograd; `applies_to` has to be true of the run.

    Args:
        run: The run. Its states and deviations are changed in place.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        run.model.checked(run.x)
        self.operator = operator = run.model.operator
        crow, col, _ = operator.rows(run.model.conv.edge_weight)
        self.rows = (
            *(part.numpy().view("uint32") for part in (crow, col)),
            operator.perm.numpy().view("uint64"),
        )
        self.measured = run.measured.contiguous().numpy()
        self.sign = run.model.edge_sign.to(torch.int8).numpy()
        self.tf_index = run.model.tf_index.numpy()

    @staticmethod
    def applies_to(run: Run) -> bool:
        """Whether nothing about the model was changed or watched, and the terms are known here."""
        model, config = run.model, run.config
        return (
            type(model) is LEMBAS
            and type(model.conv) is SignalingConv
            and type(model.input) is type(model.output) is SparseProjection
            and compiled.applies_to(model.conv.bias, model.conv.act)
            and not any(map(_is_watched, model.modules()))
            and not any(map(_has_hooks, model.parameters()))
            and (not config.spectral or config.spectral_term == "rate")
        )

    @torch.no_grad()
    def __call__(self, batch: Tensor, lr: float) -> Step:
        """One optimiser step, as `Run.step`."""
        run, config, model = self.run, self.run.config, self.run.model
        conv, weight = model.conv, model.conv.edge_weight
        x = run.of(batch, run.x)
        if config.weight_noise:
            weight.add_(config.weight_noise * run.normal(weight.shape))
        fresh = run.normal(x.shape)
        level = config.noise + config.noise_per_lr * lr
        drive = model.input(x).add_(conv.bias)
        if level:
            drive.add_(level * fresh)
        solver = Solver(self.operator, conv.act, conv.tol, conv.max_steps, conv.clip)
        point = solver.solve(drive, weight)
        solver.order = point.num_steps.argsort(descending=True)

        terms: dict[str, float] = {}
        for_state = torch.zeros_like(drive)
        y, for_output = self._read_out(batch, point.value, for_state, terms)
        if config.uniform:
            terms["uniform"] = self._spread(batch, point.value, for_state)
        act = cast(Activation, conv.act)
        slope = compiled.slope_from_state(point.value, act)
        adjoint = solver.solve_adjoint(for_state, slope, weight)
        for_weight, for_bias = self._edge_sums(adjoint, point.value)
        self._parameter_terms(terms, for_weight, for_bias, for_output)
        factors: dict[str, float] = {}
        rho = 0.0
        if config.spectral:
            factors["spectral"], sharpness = config.barrier(run.epoch)
            start = run.disturbed(batch, fresh)
            rate, last, kept = compiled.rate(self.operator, weight, slope, start, NUM_STEPS)
            run.remember(batch, last)
            terms["spectral"], growth = self._barrier(rate, factors["spectral"], sharpness)
            if bool(growth.any()):
                pull = compiled.rate_backward(self.operator, weight, slope, growth, kept)
                for_weight.add_(pull)
            rho = float(rate.max())
        ligands = model.ligand_index
        for parameter, gradient in (
            (weight, for_weight),
            (conv.bias, for_bias),
            (model.output.weight, for_output),
            (model.input.weight, (adjoint[ligands] * x[ligands]).sum(dim=1)),
        ):
            parameter.grad = gradient if parameter.requires_grad else None
        run.optimizer.step()
        loss = sum(v * factors.get(k, getattr(config, k, 1.0)) for k, v in terms.items())
        report = solver.adjoint
        assert report is not None
        counts = {
            "not_converged": int((~point.converged).sum()),
            "adjoint_not_converged": int((~report.converged).sum()),
            "clipped": int(report.clipped.sum()),
        }
        return {"loss": loss} | terms, counts, y, rho

    def _read_out(
        self, batch: Tensor, h: Tensor, for_state: Tensor, terms: dict[str, float]
    ) -> tuple[Tensor, Tensor]:
        """Predictions and gradient of the TF weights; term `fit`, and its gradient in the state."""
        weight = self.run.model.output.weight.detach()
        y, for_output = h.new_empty(len(weight), len(batch)), torch.empty_like(weight)
        total, known = _kernels().read_out(
            h.numpy(),
            self.tf_index,
            weight.numpy(),
            self.measured,
            batch.numpy(),
            y.numpy(),
            for_state.numpy(),
            for_output.numpy(),
        )
        terms["fit"] = total / max(known, 1)
        return y, for_output

    def _spread(self, batch: Tensor, h: Tensor, for_state: Tensor) -> float:
        """Term `uniform`; its gradient is added, the states are remembered."""
        config = self.run.config
        return _kernels().spread(
            self.run.states.numpy(),
            batch.numpy(),
            h.numpy(),
            config.uniform_min,
            config.uniform_max,
            config.uniform_dead,
            config.uniform,
            for_state.numpy(),
        )

    def _edge_sums(self, adjoint: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient of weights and biases for the adjoint of a batch."""
        conv = self.run.model.conv
        for_weight = torch.empty_like(conv.edge_weight, requires_grad=False)
        for_bias = torch.empty_like(conv.bias, requires_grad=False)
        _kernels().edge_sums(
            *self.rows, adjoint.numpy(), h.numpy(), for_weight.numpy(), for_bias.view(-1).numpy()
        )
        return for_weight, for_bias

    def _parameter_terms(
        self, terms: dict[str, float], for_weight: Tensor, for_bias: Tensor, for_output: Tensor
    ) -> None:
        """Terms of the parameters alone, those with a coefficient; their gradient is added."""
        config, model = self.run.config, self.run.model
        bias, ligands = model.conv.bias, model.ligand_index
        factors = config.sign, config.l2_weight, config.anti_zero
        of_weights = _kernels().weight_terms(
            model.conv.edge_weight.detach().numpy(), self.sign, factors, for_weight.numpy()
        )
        names = "sign", "l2_weight", "anti_zero"
        terms |= {n: v for n, v, f in zip(names, of_weights, factors, strict=True) if f}
        if config.ligand_bias:
            of_ligands = bias[ligands]
            terms["ligand_bias"] = float(of_ligands.square().sum())
            for_bias.index_add_(0, ligands, of_ligands, alpha=2 * config.ligand_bias)
        if config.l2_bias:
            terms["l2_bias"] = float(bias.square().sum())
            for_bias.add_(bias, alpha=2 * config.l2_bias)
        if config.projection:
            off = model.output.weight - model.output.amplitude
            terms["projection"] = float(off.square().sum())
            for_output.add_(off, alpha=2 * config.projection)

    def _barrier(self, rate: Tensor, factor: float, sharpness: float) -> tuple[float, Tensor]:
        """Term `spectral`, and the gradient of the loss in the whole log growth of a deviation."""
        config = self.run.config
        barrier = (sharpness * (rate - config.spectral_target)).exp_()
        above = rate > config.spectral_floor
        barrier.masked_fill_(~above, 0.0)
        value = barrier.sum() - above.sum() * math.exp(-sharpness * config.spectral_target)
        scale = factor * sharpness / (len(rate) * NUM_STEPS)
        return float(value) / len(rate), barrier * rate * scale


@cache
def _kernels() -> ModuleType:
    """The kernels, which take a while to load and are only there where numba is."""
    from lembas_pyg.training import kernels

    return kernels


def _has_hooks(parameter: Tensor) -> bool:
    """Whether somebody wants to see or change the gradient of a parameter."""
    return bool(parameter._backward_hooks) or bool(parameter._post_accumulate_grad_hooks)


def _is_watched(module: Module) -> bool:
    """Whether a hook or explainer sees what passes through a module, or a method was replaced."""
    hooks = (
        module._forward_hooks,
        module._forward_pre_hooks,
        module._backward_hooks,
        module._backward_pre_hooks,
    )
    observed = bool(getattr(module, "_is_observed", False))
    return any(hooks) or observed or not _METHODS.isdisjoint(vars(module))
