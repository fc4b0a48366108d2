"""Everything that can be set about training, in one place."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any

from lembas_pyg.training.presets import PRESETS, Presets
from lembas_pyg.training.schedule import one_cycle

__all__ = ["PRESETS", "TrainingConfig"]

_POSITIVE = ("lr", "tol", "spectral_target", "spectral_sharpness")
_SPECTRAL_TERMS = ("rate", "radius")
# Weight and steepness of the spectral barrier during its warm-up, as parts of the later ones.
_SOFT_BARRIER = 1 / 3


@dataclass(frozen=True)
class TrainingConfig(Presets):
    """Settings of one training run; ``dataclasses.replace`` makes a changed copy.

    A coefficient of 0 switches its term off. The presets are named constructors; those ending in
    ``_paper`` hold the settings of the published scripts, the others what we found to work.

    Args:
        epochs: Visits of every condition.
        batch_size: Conditions a step; the last batch of an epoch may be smaller.
        seed: Of the order of conditions and the noise; the command line draws the initial weights
            from it as well.
        lr: Largest learning rate.
        lr_start: Learning rate of the first epoch of a cycle.
        lr_end: Learning rate of the last 5 % of the epochs of a cycle.
        lr_peak: Epoch of a cycle with the largest learning rate; a share of the cycle if below 1.
        lr_cycles: Cycles of the learning rate, each over an equal part of `epochs`; Adam starts
            anew with each.
        lr_expression: Learning rate of the expression weights and biases of a drug model, as a
            share of that of the others.
        adam_beta2: Decay of Adam's second moment; small values let it forget steep gradients.
        reset_every: Epochs after which Adam forgets its moments (warm restart); 0 for never.
        noise: Standard deviation of the noise added to every node's input (dimensionless).
        noise_per_lr: The same, as a multiple of the current learning rate; both add up.
        weight_noise: Standard deviation of the noise added to every weight at each step.
        adjoint_clip: Largest adjoint that passes one backward step unchanged; 0 for no limit.
        sign: Weight of the sign loss.
        ligand_bias: Weight of the ligand bias loss.
        l2_weight: Weight of the squared interaction weights.
        l2_bias: Weight of the squared biases.
        l2_expression: Weight of the squared expression weights and biases of a drug model.
        anti_zero: Weight of the term that keeps interaction weights away from zero.
        uniform: Weight of the state uniformity loss.
        uniform_min: Smallest state wanted over all conditions.
        uniform_max: Largest state wanted over all conditions.
        uniform_dead: Extra weight, within that loss, of nodes that are never active.
        spectral: Weight of the spectral barrier.
        spectral_sharpness: Steepness k of the barrier.
        spectral_target: Spectral radius at which the barrier is about 1.
        spectral_floor: Spectral radius below which the barrier is 0.
        spectral_warmup: Epochs in which the barrier is soft, with a third of its weight and of its
            steepness; below 1, their share. A steep barrier that is there from the start can lock
            training into the valley it started in.
        spectral_term: ``"rate"``, contraction of all conditions of the batch; ``"radius"``, exact
            spectral radius of one random condition a step, as in the paper.
        surrogate_variable: Whether cross-validation looks, in the conditions it trains on, for what
            they share besides their ligands (`lembas_pyg.surrogate`), and makes it an input.
        projection: Weight of the squared distance of TF weights from their amplitude.
        input_amplitude: Initial weight of ligands; by default the model's own.
        output_amplitude: Initial weight of TFs; by default the model's own.
        radius: Spectral radius the initial weights are scaled to; 0 to leave them; by default the
            model's own.
        train_output: Whether TF weights are trained.
        tol: Largest change of a state accepted as steady while training.
        max_steps: Steps of a solve before a condition counts as not converged.

    Raises:
        ValueError: A value is outside its legal range.

    References:
        Nilsson et al. (2022), Methods, and the published scripts, which differ: the values of a
        preset are those of the script it names.
    """

    epochs: int
    batch_size: int = 5
    seed: int = 0
    # schedule
    lr: float = 2e-3
    lr_start: float = 1e-5
    lr_end: float = 1e-5
    lr_peak: float = 1000
    lr_cycles: int = 1
    lr_expression: float = 1.0
    adam_beta2: float = 0.999
    reset_every: int = 200
    # noise and clip
    noise: float = 0.0
    noise_per_lr: float = 0.0
    weight_noise: float = 0.0
    adjoint_clip: float = 1.0
    # loss
    sign: float = 0.1
    ligand_bias: float = 0.0
    l2_weight: float = 0.0
    l2_bias: float = 0.0
    l2_expression: float = 0.0
    anti_zero: float = 0.0
    uniform: float = 0.0
    uniform_min: float = 0.0
    uniform_max: float = 0.99
    uniform_dead: float = 10.0
    spectral: float = 0.0
    spectral_sharpness: float = 20.0
    spectral_target: float = math.exp(math.log(1e-4) / 150)
    spectral_floor: float = 0.5
    spectral_warmup: float = 0.0
    spectral_term: str = "rate"
    projection: float = 0.0
    surrogate_variable: bool = False
    # the model it starts from
    input_amplitude: float | None = None
    output_amplitude: float | None = None
    radius: float | None = None
    train_output: bool = True
    # solver
    tol: float = 1e-5
    max_steps: int = 300

    def __post_init__(self) -> None:
        self._check_types()
        for name in ("epochs", "batch_size", "lr_cycles", "max_steps"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; it must be a whole number of 1 or more."
                )
        if self.lr_cycles > self.epochs:
            raise ValueError(
                f"lr_cycles is {self.lr_cycles}, more than the {self.epochs} epochs; each cycle "
                f"takes at least one."
            )
        if self.seed >= 2**63:
            raise ValueError(f"seed is {self.seed}; it must be below 2**63.")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; it must be a positive number."
                )
        if not self.adam_beta2 < 1:
            raise ValueError(f"adam_beta2 is {self.adam_beta2}; it must be 0 or more, below 1.")
        if not self.uniform_min < self.uniform_max:
            raise ValueError(
                f"uniform_min is {self.uniform_min} and uniform_max {self.uniform_max}; states "
                f"need a range: the first must be the smaller."
            )
        if self.spectral_term not in _SPECTRAL_TERMS:
            raise ValueError(
                f"spectral_term is {self.spectral_term!r}; choose from "
                f"{', '.join(_SPECTRAL_TERMS)}."
            )

    def _check_types(self) -> None:
        """Refuse what is no number, not finite or negative; no setting may be that."""
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if field.type in ("bool", "str"):
                if type(value).__name__ != field.type:
                    raise ValueError(f"{name} is {value!r}; it must be of type {field.type}.")
            elif field.type == "int":
                if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
                    least = 0 if name in ("seed", "reset_every") else 1
                    raise ValueError(
                        f"{name} is {value!r}; it must be a whole number of {least} or more."
                    )
            elif value is not None or "None" not in str(field.type):
                number = isinstance(value, Real) and not isinstance(value, bool)
                if not (number and math.isfinite(value) and value >= 0):
                    legal = "a positive number" if name in _POSITIVE else "a number of 0 or more"
                    raise ValueError(f"{name} is {value!r}; it must be {legal}.")

    @property
    def peak_epoch(self) -> float:
        """Epoch of the largest learning rate, in the first cycle."""
        return self.lr_peak if self.lr_peak >= 1 else self.lr_peak * self.cycle(0)[1]

    def cycle(self, epoch: int) -> tuple[int, int]:
        """Epoch within the cycle of the learning rate, and epochs of that cycle."""
        number = epoch * self.lr_cycles // self.epochs
        first, end = (-(-i * self.epochs // self.lr_cycles) for i in (number, number + 1))
        return epoch - first, end - first

    def learning_rate(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        within, epochs = self.cycle(epoch)
        return one_cycle(
            within,
            epochs,
            highest=self.lr,
            start=self.lr_start,
            end=self.lr_end,
            peak=self.lr_peak if self.lr_peak >= 1 else self.lr_peak * epochs,
        )

    def barrier(self, epoch: int) -> tuple[float, float]:
        """Weight and steepness of the spectral barrier in an epoch, counted from 0."""
        warmup = self.spectral_warmup
        soft = epoch < (warmup if warmup >= 1 else warmup * self.epochs)
        share = _SOFT_BARRIER if soft else 1.0
        return share * self.spectral, share * self.spectral_sharpness

    def model_options(self) -> dict[str, Any]:
        """Arguments for `lembas_pyg.nn.LEMBAS` that this study prescribes."""
        options: dict[str, Any] = {"train_output": self.train_output}
        for name in ("input_amplitude", "output_amplitude"):
            if getattr(self, name) is not None:
                options[name] = getattr(self, name)
        if self.radius is not None:
            options["radius"] = self.radius or None
        return options

    @property
    def defaults(self) -> dict[str, Any]:
        """What a setting is where nothing says otherwise, as in files from before it existed."""
        return {field.name: field.default for field in fields(self) if field.name != "epochs"}

    def to_dict(self) -> dict[str, Any]:
        """All settings by name, as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> TrainingConfig:
        """Settings from a dictionary, refusing names that do not exist.

        Raises:
            ValueError: A name is not a setting.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise ValueError(
                f"Unknown settings: {', '.join(unknown)}. Legal ones are {', '.join(known)}."
            )
        return cls(**settings)

    @classmethod
    def preset(cls, name: str) -> TrainingConfig:
        """Preset by name, with dashes or underscores.

        Raises:
            ValueError: There is no such preset.
        """
        key = name.replace("-", "_")
        if key not in PRESETS:
            legal = ", ".join(preset.replace("_", "-") for preset in PRESETS)
            raise ValueError(f"Preset '{name}' is not known; choose from {legal}.")
        return getattr(cls, key)()
