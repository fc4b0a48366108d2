"""Settings by name: those of the published scripts, and what we found to work.

The source of each ``_paper`` preset is the script named in its docstring.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Self

# What our presets change in every study: the contraction of all conditions in place of the radius
# of a random one, and steps enough to settle.
_OURS: dict[str, Any] = {"spectral_term": "rate", "max_steps": 300}
# What the inner folds of the ligand screen chose (`benchmarks/recipe.py`).
_FULL_BATCH: dict[str, Any] = {
    "batch_size": 128,
    "lr": 1e-2,
    "lr_start": 1e-3,
    "lr_peak": 0.2,
    "adam_beta2": 0.95,
    "reset_every": 0,
    "noise": 1e-2,
    "l2_weight": 1e-5,
    "l2_bias": 1e-5,
    "uniform": 0.0,
    **_OURS,
}


class Presets:
    """Named constructors of `TrainingConfig`."""

    @classmethod
    def _of(cls, **settings: Any) -> Self:
        return cls(**settings)

    def _changed(self, **settings: Any) -> Self:
        return replace(self, **settings)  # type: ignore[type-var]

    @classmethod
    def toy_paper(cls) -> Self:
        """Toy network of Fig. 2 (script toyNetRecurrent)."""
        return cls._of(
            epochs=1000,
            batch_size=1,
            lr=2e-3,
            lr_peak=200,
            reset_every=100,
            sign=1.0,
            ligand_bias=0.1,
            l2_weight=1e-8,
            l2_bias=1e-8,
            input_amplitude=1.0,
            output_amplitude=1.3,
            radius=0.0,
            train_output=False,
            max_steps=150,
        )

    @classmethod
    def toy(cls) -> Self:
        """Toy network of Fig. 2, in a twentieth of the steps: batches of 20, frequent restarts.

        The restarts decide whether parameters are recovered: a gradient beside the threshold of
        the positive feedback is so large that Adam's second moment slows what follows.
        """
        return cls._of(
            epochs=1000,
            batch_size=20,
            lr=1e-2,
            lr_start=1e-3,
            lr_end=1e-5,
            lr_peak=0.2,
            reset_every=50,
            sign=1.0,
            ligand_bias=0.1,
            l2_weight=1e-8,
            l2_bias=1e-8,
            input_amplitude=1.0,
            output_amplitude=1.3,
            radius=0.0,
            train_output=False,
            tol=1e-6,
        )

    @classmethod
    def ligand_screen_paper(cls) -> Self:
        """Macrophages under 59 ligands, Fig. 6 (script ligandScreenCrossValidation)."""
        return cls._of(
            epochs=8000,
            batch_size=5,
            lr=1e-3,
            lr_start=1e-4,
            lr_end=1e-5,
            lr_peak=1000,
            noise=1e-3,
            adjoint_clip=5.0,
            sign=0.1,
            ligand_bias=1e-4,
            l2_weight=1e-6,
            l2_bias=1e-6,
            uniform=1e-5,
            uniform_max=1 / 1.2,
            uniform_dead=1.0,
            spectral=1e-3,
            spectral_sharpness=10.0,
            spectral_target=0.9,
            spectral_term="radius",
            projection=1e-4,
            radius=0.7,
            max_steps=150,
        )

    @classmethod
    def ligand_screen(cls) -> Self:
        """Macrophages under 59 ligands: all conditions at once, a surrogate variable told.

        Chosen on inner folds, see ``benchmarks/recipe.py``.
        """
        return cls.ligand_screen_paper()._changed(
            epochs=700,
            surrogate_variable=True,
            **_FULL_BATCH,
        )

    @classmethod
    def literature_macrophage_paper(cls) -> Self:
        """Macrophages under 12 ligands, SI Fig. 15 (script macrophageNet)."""
        return cls._of(
            epochs=5000,
            batch_size=5,
            lr=2e-3,
            noise_per_lr=10.0,
            weight_noise=1e-8,
            sign=0.1,
            ligand_bias=1e-3,
            l2_weight=1e-6,
            l2_bias=1e-6,
            anti_zero=1e-6,
            uniform=1e-5,
            uniform_dead=50.0,
            spectral=1e-3,
            spectral_sharpness=21.0,
            spectral_target=math.exp(math.log(1e-6) / 100),
            spectral_term="radius",
            projection=1e-6,
            max_steps=100,
        )

    @classmethod
    def literature_macrophage(cls) -> Self:
        """Macrophages under 12 ligands: the recipe of the screen, no surrogate variable."""
        return cls.literature_macrophage_paper()._changed(
            epochs=1000,
            noise_per_lr=0.0,
            weight_noise=0.0,
            anti_zero=0.0,
            **_FULL_BATCH,
        )

    @classmethod
    def synthetic_paper(cls) -> Self:
        """Models fitted to synthetic data of the KEGG network, Fig. 5 (synthNetDataScreen)."""
        return cls._of(
            epochs=10_000,
            batch_size=5,
            lr=2e-3,
            noise_per_lr=10.0,
            sign=0.1,
            ligand_bias=1e-5,
            l2_weight=1e-8,
            l2_bias=1e-8,
            anti_zero=1e-8,
            uniform=1e-4,
            uniform_dead=50.0,
            spectral=1e-3,
            spectral_sharpness=21.0,
            spectral_term="radius",
            train_output=False,
            max_steps=150,
        )

    @classmethod
    def synthetic(cls) -> Self:
        """Synthetic data of the KEGG network, in a 28th of the visits; no noise.

        Small batches and a spectral barrier that bites only near its target, soft at first: a
        steep one, or one that bites early, keeps single TFs unfitted.
        """
        return cls.synthetic_paper()._changed(
            epochs=360,
            batch_size=8,
            lr=6e-3,
            lr_start=1.2e-3,
            lr_end=6e-5,
            lr_peak=0.2,
            adam_beta2=0.95,
            reset_every=0,
            noise_per_lr=0.0,
            anti_zero=0.0,
            uniform=1e-6,
            uniform_dead=5e3,
            spectral_sharpness=60.0,
            spectral_target=0.97,
            spectral_warmup=0.2,
            **_OURS,
        )

    @classmethod
    def reference_model_paper(cls) -> Self:
        """Parameters without data, Fig. 4 (generateSynthNet); its own terms come with it."""
        return cls._of(
            epochs=5000,
            batch_size=200,
            lr=2e-3,
            lr_start=2e-3,
            lr_end=2e-3,
            weight_noise=1e-8,
            sign=2.0,
            ligand_bias=1e-2,
            l2_weight=1e-6,
            l2_bias=1e-6,
            uniform_min=0.01,
            spectral=1e-2,
            spectral_sharpness=21.0,
            spectral_term="radius",
            train_output=False,
            max_steps=150,
        )

    @classmethod
    def reference_model(cls) -> Self:
        """Parameters without data, with the contraction of all conditions.

        A quarter of the stimuli a step and more steps, which are larger and fall; a
        spectral barrier that bites only near its target; gradients without limit (it would bend
        those of the objective, which is a sum over TFs); and all nodes asked to vary at first.
        """
        return cls.reference_model_paper()._changed(
            epochs=16_000,
            batch_size=50,
            lr=5e-3,
            lr_start=5e-3,
            lr_end=1e-4,
            lr_peak=0,
            adjoint_clip=0.0,
            weight_noise=0.0,
            uniform=1.0,
            spectral_sharpness=60.0,
            spectral_target=0.97,
            **_OURS,
        )

    @classmethod
    def viability_paper(cls) -> Self:
        """Drug response of cell lines, SI Fig. 18 (script viabilityNet)."""
        return cls._of(
            epochs=40,
            batch_size=50,
            output_amplitude=0.1,
            lr=2e-3,
            lr_peak=5,
            reset_every=2,
            noise=1e-3,
            sign=0.1,
            l2_weight=1e-6,
            l2_bias=1e-6,
            l2_expression=1e-6,
            uniform=1e-5,
            uniform_dead=1.0,
            spectral=1e-3,
            spectral_sharpness=5.0,
            spectral_target=math.exp(math.log(1e-6) / 100),
            spectral_term="radius",
            max_steps=100,
        )

    @classmethod
    def viability(cls) -> Self:
        """Drug response of cell lines: larger batches, faster, and held to small weights.

        Chosen on two of the five folds, from models of some of the others
        (``docs/howto/figs18-viability.md``).
        """
        return cls.viability_paper()._changed(
            epochs=20,
            batch_size=128,
            lr=1e-2,
            lr_start=1e-3,
            lr_peak=0.2,
            adam_beta2=0.95,
            reset_every=0,
            noise=0.0,
            l2_weight=1e-4,
            l2_bias=1e-4,
            l2_expression=1e-4,
            uniform=0.0,
            **_OURS,
        )


PRESETS = tuple(
    name + variant
    for name in (
        "toy",
        "ligand_screen",
        "literature_macrophage",
        "synthetic",
        "reference_model",
        "viability",
    )
    for variant in ("", "_paper")
)
