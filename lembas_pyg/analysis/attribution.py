r"""Attribution: what every interaction passes on of the effect of a ligand on a TF.

The dose of the ligand is raised from 0 to that of the condition in steps. Between two doses the
change of every state is written with the secant :math:`s_i = \Delta h_i / \Delta z_i` of the
activation in place of its slope, so that nothing is lost to its bends and kinks:

.. math:: \Delta h = s \circ (A\, \Delta h + w_{in} \Delta x), \qquad
          u = s \circ (A^\top u + w_{out,t}\, e_t).

What an interaction passes on towards the TF is

.. math:: F_{j \to i} = \sum_{steps} u_i\, w_{j \to i}\, \Delta h_j .

It is conserved like a current: as much flows into every node as out of it, the ligand is the only
source and the TF the only sink, and both have the strength of the whole effect
:math:`y_t(x) - y_t(x \text{ without the ligand})`, for any number of steps. Many small steps make
it the integral of the derivatives along the dose (integrated gradients), one step the rescale
rule of DeepLIFT at a steady state.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.analysis.adjoint import tf_adjoints
from lembas_pyg.nn.activations import slope_at
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.prediction import prepare

__all__ = ["Dose"]

# Changes of a raw state in one step of the dose that are too small to tell a secant from.
_STILL = 1e-9


class Dose:
    """One model under rising doses of a ligand, all else of the condition being as it is.

    Args:
        model: It is not changed.
        data: Network with conditions.
        ligand, tf: Rows of the ligand and the TF.
        condition: Name of the condition, the highest dose.
        steps: Steps from no ligand to there.
        tol: Largest change of a state in the last step of a solve.
        max_steps: Steps before giving up on a solve.

    Attributes:
        effect: Change of TF activity from the first to the last dose.
        attribution: What every interaction passes on of it ``[E]``.
        weight: Weight of every interaction ``[E]``.
        is_steady: Whether there is a steady state, and an attribution, at every dose.
        residual: Largest change of a state in the last step, over the doses.
    """

    def __init__(
        self,
        model: LEMBAS,
        data: Data,
        ligand: int,
        tf: int,
        condition: str,
        steps: int,
        tol: float,
        max_steps: int,
    ) -> None:
        self.model, columns = prepare(model, data, condition, tol, max_steps)
        full = data.x[:, list(columns.values())].to(self.model.conv.bias.dtype)
        none = full.clone()
        none[ligand] = 0.0
        self.ends = torch.cat([none, full], dim=1)
        self.weight = self.model.conv.edge_weight.detach()
        self.tf, self.place = tf, self.model.tf_index.tolist().index(tf)
        doses = torch.linspace(0, 1, steps + 1, dtype=full.dtype)
        x = none + (full - none) * doses
        with torch.no_grad():
            point = self.model.steady_state(x)
            self.first = point.value[:, :1]
            self.effect = self._change(point.value)
            self.residual = float(point.residual.max())
            self.is_steady = bool(point.converged.all())
            self.attribution = self._attribute(point.value, x)

    def _change(self, h: Tensor) -> float:
        """Change of TF activity from the first to the last column."""
        return float(self.model.output.weight[self.place] * (h[self.tf, -1] - h[self.tf, 0]))

    def _attribute(self, h: Tensor, x: Tensor) -> Tensor:
        """What every edge passes on towards the TF ``[E]``."""
        model = self.model
        z = model.operator.propagate(self.weight, h) + model.input(x) + model.conv.bias
        dz, dh = z.diff(dim=1), model.conv.act(z).diff(dim=1)
        still = dz.abs() < _STILL
        secant = torch.where(still, slope_at(model.conv.act, z, h)[:, 1:], dh / dz)
        place = torch.tensor([self.place])
        blocks = list(tf_adjoints(model, secant, place))
        self.is_steady &= all(bool(block.converged.all()) for block in blocks)
        u = torch.cat([block.u[:, 0] for block in blocks], dim=1)
        return self.weight * model.operator.edge_dot(u, h.diff(dim=1))

    @torch.no_grad()
    def effect_through(self, mask: Tensor) -> float:
        """Effect where other edges carry what they carry without the ligand."""
        zero = torch.zeros_like(self.weight)
        passive = self.model.operator.propagate(torch.where(mask, zero, self.weight), self.first)
        return self._solve(torch.where(mask, self.weight, zero), passive)

    @torch.no_grad()
    def effect_without(self, mask: Tensor) -> float:
        """Effect in a network that lacks some edges."""
        return self._solve(self.weight.masked_fill(mask, 0.0), torch.zeros_like(self.first))

    def _solve(self, weight: Tensor, passive: Tensor) -> float:
        drive = self.model.input(self.ends) + passive
        point = self.model.conv.solve(drive, self.model.edge_index, weight)
        return self._change(point.value) if bool(point.converged.all()) else float("nan")
