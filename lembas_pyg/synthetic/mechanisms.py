r"""The six molecular mechanisms by which two sources set the activity of a target.

With :math:`K_i` the ratio of a rate constant to that of the way back, activities at steady state:

==================================  ==========================================================
independent activation              :math:`z / (1 + z)`, :math:`z = (k_1 A + k_3 B) / k_2`
independent (de)activation          :math:`z / (1 + z)`, :math:`z = (k_1 A - k_3 B)^+ / k_2`
cooperative activation              :math:`z / (1 + z)`, :math:`z = k_1 A B / k_2`
advanced cooperative activation     :math:`K A \cdot K B / ((1 + K A)(1 + K B))`, A and B bind in
                                    either order, all steps with the same :math:`K`
competitive inhibition              :math:`K_1 A / (1 + K_1 A + K_3 B)`, B binds the inactive state
non-competitive inhibition          B also takes the active state, A brings it back; no short form
==================================  ==========================================================

The first is a Michaelis-Menten expression in a weighted sum of the sources, which is what a node
with the Michaelis-Menten-like activation computes.

References:
    Nilsson et al. (2022), Fig. 1a, SI Fig. 1, Suppl. Table 1. (De)activation is that of the
    original code, the net activity of A and B on one reaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from lembas_pyg.synthetic.kinetics import Mechanism, Reaction

__all__ = ["MECHANISMS", "mechanism_surface"]


def _off(substrate: str, constant: str, product: str = "X") -> Reaction:
    return Reaction(substrate, product, constant)


# Rate constants (1 / time, per concentration of each source) are those of the original script.
MECHANISMS: Mapping[str, Mechanism] = MappingProxyType(
    {
        "independent_activation": Mechanism(
            "independent activation",
            ("X", "Xact"),
            "Xact",
            (
                Reaction("X", "Xact", "k1", "A"),
                _off("Xact", "k2"),
                Reaction("X", "Xact", "k3", "B"),
            ),
            {"k1": 0.2, "k2": 0.1, "k3": 0.2},
        ),
        "independent_deactivation": Mechanism(
            "independent (de)activation",
            ("X", "Xact"),
            "Xact",
            (Reaction("X", "Xact", "k1", "A", opposed_by=("k3", "B")), _off("Xact", "k2")),
            {"k1": 0.2, "k2": 0.1, "k3": 0.2},
        ),
        "cooperative_activation": Mechanism(
            "cooperative activation",
            ("X", "Xact"),
            "Xact",
            (Reaction("X", "Xact", "k1", "AB"), _off("Xact", "k2")),
            {"k1": 0.5, "k2": 0.1},
        ),
        "advanced_cooperative_activation": Mechanism(
            "advanced cooperative activation",
            ("X", "XA", "XB", "Xact"),
            "Xact",
            (
                Reaction("X", "XA", "k1", "A"),
                _off("XA", "k2"),
                Reaction("X", "XB", "k3", "B"),
                _off("XB", "k4"),
                Reaction("XA", "Xact", "k5", "B"),
                _off("Xact", "k6", "XA"),
                Reaction("XB", "Xact", "k7", "A"),
                _off("Xact", "k8", "XB"),
            ),
            {f"k{i}": (0.5, 0.1)[(i - 1) % 2] for i in range(1, 9)},
        ),
        "competitive_inhibition": Mechanism(
            "competitive inhibition",
            ("X", "Xact", "XB"),
            "Xact",
            (
                Reaction("X", "Xact", "k1", "A"),
                _off("Xact", "k2"),
                Reaction("X", "XB", "k3", "B"),
                _off("XB", "k4"),
            ),
            {"k1": 0.5, "k2": 0.1, "k3": 2.0, "k4": 0.1},
        ),
        "non_competitive_inhibition": Mechanism(
            "non-competitive inhibition",
            ("X", "Xact", "XB"),
            "Xact",
            (
                Reaction("X", "Xact", "k1", "A"),
                _off("Xact", "k2"),
                Reaction("X", "XB", "k3", "B"),
                _off("XB", "k4"),
                Reaction("Xact", "XB", "k5", "B"),
                Reaction("XB", "Xact", "k6", "A"),
            ),
            {"k1": 0.5, "k2": 0.1, "k3": 2.0, "k4": 0.1, "k5": 0.1, "k6": 0.1},
        ),
    }
)


def mechanism_surface(
    mechanism: Mechanism, num_levels: int = 50, *, time: float | None = 1000.0
) -> pd.DataFrame:
    """Activity of the target on a grid of source concentrations from 0 to 1.

    Args:
        mechanism: One of `MECHANISMS`, or one of your own.
        num_levels: Concentrations of each source.
        time: End of the simulation, see `Mechanism.simulate`; None for the exact steady state.

    Returns:
        Fraction of the target that is active; rows are concentrations of A, columns of B.

    Raises:
        ValueError: There are fewer than two levels.

    References:
        Nilsson et al. (2022), Fig. 1a: 50 x 50 concentrations.
    """
    if num_levels < 2:
        raise ValueError(f"num_levels is {num_levels}; a grid needs 2 or more.")
    level = np.linspace(0, 1, num_levels)
    a, b = np.meshgrid(level, level, indexing="ij")
    if time is None:
        value = mechanism.activity(a, b)
    else:
        value = mechanism.simulate(a, b, time)[..., mechanism.states.index(mechanism.active)]
    return pd.DataFrame(value, pd.Index(level, name="A"), pd.Index(level, name="B"))
