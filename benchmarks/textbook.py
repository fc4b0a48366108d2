r"""The algorithm of the paper in numpy and scipy, float64: what our speed is compared with.

Everything as published: states and adjoints by plain iteration up to a fixed number of steps with
an early stop on the summed change, the spectral radius of one random condition a step by Arnoldi
with a shift-invert solve for its left vector, every loss term, Adam, batches of five. Arrays are
node-first, ``[N, S]``, as ours. Nothing is slower than the algorithm asks for: work is done in
place, gradients are written out by hand, and all parameters are one vector.

References:
    Nilsson et al. (2022), Nat. Commun. 13, 3069; Fig. 2, Methods, Suppl. Notes 1, 3 and 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, eigs

from lembas_pyg.training import TrainingConfig

__all__ = ["Gradient", "Parameters", "Step", "Textbook", "Wiring"]

Array = NDArray[np.float64]

# Summed change below which an iteration ends, and the first step at which it may.
_PRECISION = 1e-6
_FIRST_STOP, _FIRST_ADJOINT_STOP = 42, 22
# Arnoldi: vectors and tolerance; largest gap between the eigenvalues of the two solves; largest
# norm of a gradient, beyond which it is scaled to 1.
_NCV, _EIGEN_TOL, _SAME, _LARGEST_NORM = 100, 1e-6, 1e-5, 10.0
# Relative distance of the shift from the eigenvalue: at the very eigenvalue of a small matrix the
# factorisation is singular, or not, by the last bit of a random start.
_SHIFT = 1e-8
# TF weights start from this, and are kept near it.
_AMPLITUDE = 1.2
# Adam.
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Wiring:
    """A signaling network as index arrays.

    Attributes:
        source, target, sign: Interactions and their modes of action ``[E]``.
        ligand_index, tf_index: Nodes with a role ``[L]``, ``[T]``.
        num_nodes: Nodes N.
        leak: Slope of the activation for negative input.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    sign: NDArray[np.int64]
    ligand_index: NDArray[np.int64]
    tf_index: NDArray[np.int64]
    num_nodes: int
    leak: float = 0.01


class Parameters(NamedTuple):
    """Weights of interactions ``[E]``, ligands ``[L]`` and TFs ``[T]``; biases ``[N]``."""

    weight: Array
    bias: Array
    input: Array
    output: Array


class Gradient(NamedTuple):
    """Gradient of the loss with respect to what is trained."""

    weight: Array
    bias: Array
    output: Array


class Step(NamedTuple):
    """Unweighted loss terms by name, and what the iterations took and left.

    Attributes:
        terms: Loss terms.
        gradient: Gradient of their weighted sum.
        num_steps: Steps of the state and of the adjoint.
        residual: Largest change of a state in the last step.
        radius: Spectral radius of the condition that was picked; 0 where there is no such term.
    """

    terms: dict[str, float]
    gradient: Gradient
    num_steps: tuple[int, int]
    residual: float
    radius: float


class Textbook:
    """One model and its training, as the paper describes them.

    Args:
        wiring: The network.
        parameters: Where it starts; copied.
        x: Raw ligand concentrations ``[N, S]``.
        y: Measured TF activity ``[T, S]``, NaN where not measured.
        config: Coefficients, schedule and noise; `max_steps` is the number of iterations.
        seed: Of batches, noise and picked conditions.
        precision: Summed change below which an iteration ends.
    """

    def __init__(
        self,
        wiring: Wiring,
        parameters: Parameters,
        x: Array,
        y: Array,
        config: TrainingConfig,
        *,
        seed: int = 0,
        precision: float = _PRECISION,
    ) -> None:
        self.wiring, self.config, self.precision = wiring, config, precision
        self.rng = np.random.default_rng(seed)
        self.x, self.y = x, y
        self.states = np.full_like(x, 0.5)
        self.amplitude = config.output_amplitude or _AMPLITUDE
        self.input_weight = parameters.input.copy()
        # One vector of all that is trained, and views of its parts.
        trained = (parameters.weight, parameters.bias, parameters.output)
        self.theta = np.concatenate(trained)
        ends = np.cumsum([len(part) for part in trained])[:-1]
        self.weight, self.bias, self.output = np.split(self.theta, ends)
        self.moment1, self.moment2 = np.zeros_like(self.theta), np.zeros_like(self.theta)
        self.adam_step = 0
        # Both index structures once; their values are refilled when the weights change.
        self.order, self.matrix = _csr(wiring.target, wiring.source, wiring.num_nodes)
        self.order_t, self.transpose = _csr(wiring.source, wiring.target, wiring.num_nodes)
        self.refill()

    def refill(self) -> None:
        """Bring the weights into both matrices."""
        self.matrix.data[:] = self.weight[self.order]
        self.transpose.data[:] = self.weight[self.order_t]

    def drive(self, x: Array) -> Array:
        """Ligand input of every node."""
        drive = np.zeros_like(x)
        ligands = self.wiring.ligand_index
        drive[ligands] = self.input_weight[:, None] * x[ligands]
        return drive

    def forward(self, drive: Array) -> tuple[Array, int, float]:
        """State under an input, steps taken, largest change in the last one."""
        drive = drive + self.bias[:, None]
        h, buffer = np.zeros_like(drive), np.empty_like(drive)
        change, step = np.inf, 0
        for step in range(self.config.max_steps):
            before, h = h, self.matrix @ h
            h += drive
            _activate(h, self.wiring.leak, buffer)
            if step >= _FIRST_STOP or step == self.config.max_steps - 1:
                np.subtract(h, before, out=buffer)
                np.abs(buffer, out=buffer)
                change = float(buffer.max(initial=0.0))
                if buffer.sum() < self.precision:
                    break
        return h, step + 1, change

    def predict(self, x: Array) -> tuple[Array, int, float]:
        """TF activity ``[T, S]``, steps taken, largest change in the last one."""
        h, num_steps, residual = self.forward(self.drive(x))
        return self.output[:, None] * h[self.wiring.tf_index], num_steps, residual

    def adjoint(self, slope: Array, grad: Array) -> tuple[Array, int]:
        """Adjoint for the gradient `grad` of the states, clipped softly, and steps taken."""
        clip = self.config.adjoint_clip or np.inf
        u, buffer, step = np.zeros_like(grad), np.empty_like(grad), 0
        for step in range(self.config.max_steps):
            before, u = u, self.transpose @ u
            u += grad
            u *= slope
            if max(u.max(), -u.min()) > clip:
                size = np.abs(u)
                np.copyto(u, np.sign(u) * (clip + np.tanh(size - clip)), where=size > clip)
            if step >= _FIRST_ADJOINT_STOP:
                np.subtract(u, before, out=buffer)
                np.abs(buffer, out=buffer)
                if buffer.sum() < self.precision:
                    break
        return u, step + 1

    def radius(self, slope: Array) -> tuple[float, Array]:
        """Spectral radius for the slopes ``[N]`` of one condition, and its gradient ``[E]``.

        Zero gradient where a solve fails, as published.
        """
        wiring, size = self.wiring, self.wiring.num_nodes
        values = self.matrix.data * np.repeat(slope, np.diff(self.matrix.indptr))
        arrays = values, self.matrix.indices, self.matrix.indptr
        none = np.zeros_like(self.weight)
        try:
            found, right = eigs(
                sp.csr_matrix(arrays, shape=(size, size)),
                k=1,
                ncv=min(_NCV, size),
                tol=_EIGEN_TOL,
            )
        except ArpackError:
            return 0.0, none
        value = found[0]
        try:
            # The same arrays read by columns are the transpose.
            again, left = eigs(
                sp.csc_matrix(arrays, shape=(size, size)),
                k=1,
                sigma=value * (1 + _SHIFT),
                tol=_EIGEN_TOL,
            )
        except (ArpackError, RuntimeError):
            return abs(value), none
        if abs(again[0] - value) > _SAME:
            return abs(value), none
        x, y = right[:, 0], left[:, 0]
        product = y[wiring.target] * x[wiring.source] / (y @ x)
        grad = (np.conj(value) / abs(value) * product).real * slope[wiring.target]
        norm = np.linalg.norm(grad)
        return abs(value), grad / norm if norm > _LARGEST_NORM else grad

    def loss(self, batch: NDArray[np.int64], noise: Array | float = 0.0) -> Step:
        """All loss terms of a batch of conditions, and their gradient."""
        config, wiring = self.config, self.wiring
        h, num_steps, residual = self.forward(self.drive(self.x[:, batch]) + noise)
        slope = _slope(h, wiring.leak)
        at_tf = h[wiring.tf_index]
        error = self.output[:, None] * at_tf - self.y[:, batch]
        known = np.isfinite(error)
        error[~known] = 0.0
        count = max(int(known.sum()), 1)
        terms = {"fit": float(np.square(error).sum()) / count}
        error *= 2 / count
        grad = np.zeros_like(h)
        grad[wiring.tf_index] = self.output[:, None] * error
        for_output = (error * at_tf).sum(axis=1)
        if config.uniform:
            self.states[:, batch] = h
            terms["uniform"], pull = self._uniform(batch)
            grad += config.uniform * pull
        u, num_adjoint_steps = self.adjoint(slope, grad)
        for_weight = np.einsum("es,es->e", u[wiring.target], h[wiring.source])
        for_bias = u.sum(axis=1)
        radius = 0.0
        if config.spectral:
            picked = int(self.rng.integers(len(batch)))
            radius, pull = self.radius(slope[:, picked])
            terms["spectral"], rise = _barrier(radius, config)
            for_weight += config.spectral * rise * pull
        self._parameter_terms(terms, for_weight, for_bias, for_output)
        gradient = Gradient(for_weight, for_bias, for_output)
        return Step(terms, gradient, (num_steps, num_adjoint_steps), residual, radius)

    def _uniform(self, batch: NDArray[np.int64]) -> tuple[float, Array]:
        """State uniformity over all conditions, and its gradient for those of the batch.

        Conditions that tie for a node's smallest or largest state share the gradient.
        """
        low, high = self.config.uniform_min, self.config.uniform_max
        states, num_conditions = self.states, self.states.shape[1]
        mean = states.mean(axis=1)
        centered = states - mean[:, None]
        variance = np.einsum("ns,ns->n", centered, centered) / num_conditions
        smallest, largest = states.min(axis=1), states.max(axis=1)
        of_mean = mean - (low + high) / 2
        of_variance = variance - (high - low) ** 2 / 12
        dead = largest <= 0
        value = np.square(of_mean) + np.square(of_variance)
        value += np.square(smallest - low) + np.square(largest - high)
        total = float(value.sum()) - self.config.uniform_dead * float(largest[dead].sum())
        pull = (4 / num_conditions * of_variance)[:, None] * centered[:, batch]
        pull += (2 / num_conditions * of_mean)[:, None]
        of_largest = 2 * (largest - high) - self.config.uniform_dead * dead
        for extreme, slope in ((smallest, 2 * (smallest - low)), (largest, of_largest)):
            ties = (states == extreme[:, None]).sum(axis=1)
            pull += (slope / ties)[:, None] * (states[:, batch] == extreme[:, None])
        return total, pull

    def _parameter_terms(
        self, terms: dict[str, float], for_weight: Array, for_bias: Array, for_output: Array
    ) -> None:
        """Terms of the parameters alone, added to the terms and in place to the gradients."""
        config, wiring = self.config, self.wiring
        weight, bias, output = self.weight, self.bias, self.output
        wrong = weight * wiring.sign < 0
        terms["sign"] = float(np.abs(weight[wrong]).sum())
        for_weight[wrong] += config.sign * np.sign(weight[wrong])
        ligands = wiring.ligand_index
        terms["ligand_bias"] = float(np.square(bias[ligands]).sum())
        for_bias[ligands] += 2 * config.ligand_bias * bias[ligands]
        terms["l2_weight"] = float(weight @ weight)
        for_weight += 2 * config.l2_weight * weight
        terms["l2_bias"] = float(bias @ bias)
        for_bias += 2 * config.l2_bias * bias
        if config.anti_zero:
            inverse = 1 / (np.square(weight) + 0.5)
            terms["anti_zero"] = float(inverse.sum())
            for_weight -= 2 * config.anti_zero * weight * np.square(inverse)
        away = output - self.amplitude
        terms["projection"] = float(away @ away)
        for_output += 2 * config.projection * away

    def train(self, num_steps: int, first_epoch: int = 0) -> list[Step]:
        """Some optimiser steps of the schedule from an epoch on."""
        config, epoch = self.config, first_epoch
        done: list[Step] = []
        while len(done) < num_steps:
            if config.reset_every and epoch and epoch % config.reset_every == 0:
                self.moment1[:], self.moment2[:], self.adam_step = 0, 0, 0
            lr = _learning_rate(epoch, config)
            order = self.rng.permutation(self.x.shape[1])
            for first in range(0, len(order), config.batch_size):
                if len(done) == num_steps:
                    break
                done.append(self.step(order[first : first + config.batch_size], lr))
            epoch += 1
        return done

    def step(self, batch: NDArray[np.int64], lr: float) -> Step:
        """One step of Adam on a batch of conditions."""
        config = self.config
        if config.weight_noise:
            self.weight += config.weight_noise * self.rng.standard_normal(len(self.weight))
            self.refill()
        level = config.noise + config.noise_per_lr * lr
        shape = self.wiring.num_nodes, len(batch)
        step = self.loss(batch, level * self.rng.standard_normal(shape) if level else 0.0)
        if config.train_output:
            grad = np.concatenate(step.gradient)
        else:
            still = np.zeros_like(step.gradient.output)
            grad = np.concatenate([*step.gradient[:2], still])
        self.adam_step += 1
        self.moment1 += (1 - _BETA1) * (grad - self.moment1)
        self.moment2 += (1 - _BETA2) * (np.square(grad) - self.moment2)
        scale = np.sqrt(self.moment2 / (1 - _BETA2**self.adam_step)) + _EPSILON
        self.theta -= lr / (1 - _BETA1**self.adam_step) * self.moment1 / scale
        self.refill()
        return step


def _csr(row: Any, column: Any, size: int) -> tuple[NDArray[np.int64], sp.csr_matrix]:
    """Order of the entries by rows, and a matrix of that structure."""
    order = np.lexsort((column, row))
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=size))])
    arrays = np.zeros(len(row)), column[order].astype(np.int32), starts.astype(np.int32)
    return order, sp.csr_matrix(arrays, shape=(size, size))


def _activate(z: Array, leak: float, buffer: Array) -> None:
    """Michaelis-Menten-like activation in place: a minimum for z > 0, the leak below."""
    np.maximum(z, 0.5, out=buffer)
    np.divide(-0.25, buffer, out=buffer)
    buffer += 1
    np.minimum(z, buffer, out=buffer)  # the saturated state, and z itself below 0.5
    np.minimum(z, 0, out=z)
    z *= leak
    np.maximum(buffer, z, out=z)


def _slope(h: Array, leak: float) -> Array:
    """Slope of the activation from the state."""
    slope = np.maximum(h, 0.5)
    np.subtract(1, slope, out=slope)
    np.square(slope, out=slope)
    slope *= 4
    slope[h <= 0] = leak
    return slope


def _barrier(radius: float, config: TrainingConfig) -> tuple[float, float]:
    """Spectral loss and its slope."""
    if radius <= config.spectral_floor:
        return 0.0, 0.0
    sharpness, target = config.spectral_sharpness, config.spectral_target
    rise = math.exp(sharpness * (radius - target))
    return rise - math.exp(-sharpness * target), sharpness * rise


def _learning_rate(epoch: int, config: TrainingConfig) -> float:
    """Half a cosine up to the peak, half a cosine down to 95 % of the epochs, then constant."""
    peak, tail = config.peak_epoch, 0.95 * config.epochs
    if epoch <= peak:
        share = (1 - math.cos(math.pi * epoch / peak)) / 2 if peak else 1.0
        return config.lr_start + share * (config.lr - config.lr_start)
    if epoch >= tail:
        return config.lr_end
    share = (1 + math.cos(math.pi * (epoch - peak) / (tail - peak))) / 2
    return config.lr_end + share * (config.lr - config.lr_end)
