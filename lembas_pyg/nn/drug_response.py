"""Drug response: doses, expression and mutations in, steady state, viability of the cells out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch_geometric.data import Data

from lembas_pyg.nn.activations import michaelis_menten_like
from lembas_pyg.nn.drug_input import drug_layer
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.lembas import LEMBAS
from lembas_pyg.nn.projections import SparseProjection
from lembas_pyg.nn.signaling_conv import SignalingConv

__all__ = ["DrugPrediction", "DrugResponse"]

_NEEDED = ("drug_sign", "mutation_mask", "viability_sign", "drugs", "mutations")
# Receptors are driven by their ligands, which a medium contains: original script.
_LIGAND_BIAS = 1.0


class DrugPrediction(NamedTuple):
    """What the model says of every observation.

    Attributes:
        viability: Viability of the treated cells, as a fraction of that of untreated ones ``[S]``.
        h: State of every node ``[N, S]`` (fraction of saturation).
        residual: Largest change of any state in the last step, untreated state included ``[S]``.
        converged: Whether the treated and the untreated state are steady ``[S]``.
    """

    viability: Tensor
    h: Tensor
    residual: Tensor
    converged: Tensor


class DrugResponse(Module):
    r"""Viability of cell lines under drugs, through a signaling network.

    .. math::
        p_c = \min(w_e \circ e_c + b_e,\, 0) + W_m m_c, \qquad
        h(d, c) = \sigma(A h + b + p_c + W_d\, \theta(d))

    .. math:: \hat v = v_0 + w_v^\top \big(h_{TF}(d, c) - h_{TF}(0, c)\big)

    with log10 doses :math:`d` (0 where a drug is absent), the share :math:`\theta` of a target that
    a dose binds, z-scored expression :math:`e_c` and mutations :math:`m_c` of a cell line. Lowly
    expressed nodes are held back, highly expressed ones are not touched; drugs act on their
    targets, mutations on their genes. Two drugs on one target share it: doses add up, not their
    effects (`drug_input`).

    Args:
        data: Network with `drug_sign`, `mutation_mask` and `viability_sign`, as from
            `lembas_pyg.network.add_drug_screen`.
        act: Activation of every node.
        relative: Whether viability is read off the difference from the untreated cell line, whose
            viability is then the same (:math:`v_0`) in all lines; else off the treated state alone,
            as in the paper.
        programs: Principal components of expression that cell lines are described by, at most,
            besides the expression of drug targets and mutated genes, which is left as it is; None
            to leave all, as in the paper. With far more nodes than lines, single nodes tell lines
            apart that no program does.
        expression_limit: Largest input that expression may add to a node; None for no limit, 0, as
            in the paper, if high expression is to add nothing.
        binding: Whether drugs act by the share of a target that they bind
            (`lembas_pyg.nn.drug_input.DrugBinding`), with an affinity of every drug for each of its
            targets; else by their log10 dose, :math:`\theta(d) = d`, as in the paper.
        drug_amplitude: Initial effect of a drug on a target that it binds entirely, or of one unit
            of log10 dose (dimensionless); None for 1.2 and 0.3. The paper's 1 a unit leaves a
            target no activity at any but the smallest doses, and a small slope.
        viability_amplitude: Initial weight of every TF (dimensionless).
        expression_amplitude: Initial weight of the expression of every node (dimensionless).
        radius: Spectral radius the initial weights are scaled to; None to leave them.
        tol: Largest change of a state in one step accepted as steady (dimensionless).
        max_steps: Steps before giving up, for the state and for the adjoint.
        clip: Largest adjoint that passes one backward step unchanged; None for no limit.
        generator: Source of randomness of the initial weights; the global one if None.

    Attributes:
        signaling: The `LEMBAS` model; its ligands are absent, its bias stands for the medium.
        drug: Projection of drugs to targets; `drug.weight`, and `drug.affinity` (log10 dose that
            binds half of a target), in the order of ``data.drug_sign.T.nonzero()``. An affinity
            starts at the mean of the log10 doses in the data.
        expression: Projection of every node's expression to itself, with `expression_bias`
            ``[N, 1]``.
        mutation: Projection of mutations to their nodes.
        viability: Projection of TFs to viability, with `viability_bias` (a scalar).
        drug_name, mutation_name: Names, for messages and files only.
        dose_unit: Unit of the concentrations whose log10 the doses are.

    Shapes:
        - **dose:** ``[D, S]``, **line:** ``[S]``, numbers of cell lines
        - **expression:** ``[N, C]``, **mutation:** ``[M, C]``
        - **perturbation:** ``[N, S]``, added to the treated state only

    Raises:
        ValueError: The network lacks drugs or targets, or an input does not fit it.

    References:
        Nilsson et al. (2022), SI Fig. 18, Methods; TFs and targets of Froehlich et al. (2018). The
        paper's viability is that of the treated state (``relative=False``). Its text clips
        expression at 0 as here; the original script lets 1 % of what is above pass.
    """

    own_expression: Tensor
    mean_expression: Tensor
    axes: Tensor

    def __init__(
        self,
        data: Data,
        act: Callable[[Tensor], Tensor] = michaelis_menten_like,
        *,
        relative: bool = True,
        programs: int | None = 15,
        expression_limit: float | None = None,
        binding: bool = True,
        drug_amplitude: float | None = None,
        viability_amplitude: float = 0.1,
        expression_amplitude: float = 1e-4,
        radius: float | None = 0.8,
        tol: float = 1e-6,
        max_steps: int = 10_000,
        clip: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check_network(data)
        if programs is not None and programs < 1:
            raise ValueError(f"programs is {programs}; it must be 1 or more, or None.")
        self.relative, self.expression_limit = relative, expression_limit
        self.signaling = LEMBAS(
            data,
            act,
            output_amplitude=1.0,
            train_output=False,
            radius=radius,
            tol=tol,
            max_steps=max_steps,
            clip=clip,
            generator=generator,
        )
        num_nodes = self.signaling.num_nodes
        self.programs = programs
        aimed_at = (data.drug_sign != 0).any(dim=1) | data.mutation_mask.any(dim=1)
        self.register_buffer("own_expression", aimed_at.view(-1, 1))
        self.register_buffer("mean_expression", torch.zeros(num_nodes, 1))
        self.register_buffer("axes", torch.zeros(num_nodes, programs or 0))
        self.learn_programs(data.expression)
        self.binding = binding
        self.drug = drug_layer(data, binding, drug_amplitude)
        node = torch.arange(num_nodes, device=data.drug_sign.device)
        self.expression = SparseProjection(
            node, node, num_nodes, amplitude=expression_amplitude, sign=torch.ones_like(node)
        )
        self.expression_bias = Parameter(torch.zeros(num_nodes, 1))
        mutation, mutated = data.mutation_mask.t().nonzero().unbind(1)
        self.mutation = SparseProjection(mutation, mutated, num_nodes, amplitude=0.0)
        tf = data.viability_sign.nonzero().view(-1)
        sign = data.viability_sign[tf]
        self.viability = SparseProjection(
            tf, torch.zeros_like(tf), 1, amplitude=sign * viability_amplitude, sign=sign
        )
        self.viability_bias = Parameter(torch.ones(()))
        self.num_drugs, self.num_mutations = data.drug_sign.size(1), data.mutation_mask.size(1)
        self.drug_name, self.mutation_name = list(data.drugs), list(data.mutations)
        self.dose_unit: str = getattr(data, "dose_unit", "nM")
        with torch.no_grad():
            self.conv.bias[data.ligand_mask] = _LIGAND_BIAS

    @property
    def conv(self) -> SignalingConv:
        """The layer that holds interaction weights and biases."""
        return self.signaling.conv

    def network_difference(self, data: Data) -> str | None:
        """First difference between the model's network and another; None if they are the same.

        Args:
            data: A network with drugs.
        """
        missing = [name for name in _NEEDED if name not in data]
        if missing:
            return f"no {', '.join(missing)} there."
        unit = getattr(data, "dose_unit", "nM")
        if unit != self.dose_unit:
            return f"doses in {self.dose_unit} here, in {unit} there."
        for what, mine, theirs in (
            ("drugs", self.drug_name, list(data.drugs)),
            ("mutations", self.mutation_name, list(data.mutations)),
        ):
            if mine != theirs:
                return f"the {what} {', '.join(mine)} here, {', '.join(theirs)} there."
        for what, layer, values in (
            ("drug targets", self.drug, data.drug_sign.t()),
            ("mutated genes", self.mutation, data.mutation_mask.t()),
            ("TFs of viability", self.viability, data.viability_sign),
        ):
            there = values.nonzero().t()
            here = torch.stack([layer.source_index, layer.target_index])[: there.size(0)]
            if not torch.equal(here.cpu(), there.cpu()):
                return f"other {what} here than there."
            sign = values[tuple(there)]
            if values.dtype != torch.bool and not torch.equal(layer.sign.cpu(), sign.cpu()):
                return f"other signs of {what} here than there."
        return self.signaling.network_difference(data)

    def forward(
        self,
        dose: Tensor,
        line: Tensor,
        expression: Tensor,
        mutation: Tensor,
        perturbation: Tensor | None = None,
    ) -> DrugPrediction:
        """Viability of every observation; warns where there is no steady state.

        Args:
            dose: log10 dose of every drug, 0 where it is absent.
            line: Cell line of every observation, a column of `expression` and `mutation`.
            expression: z-scored expression of every node in every cell line.
            mutation: 1 where a cell line has a mutation, else 0.
            perturbation: Added to the input of any node of the treated cells (dimensionless).
        """
        cells = self.cells(expression, mutation)
        response = self.respond(dose, line, cells, perturbation)
        point = FixedPoint(
            response.h, response.residual, torch.zeros_like(line), response.converged
        )
        warn_not_converged(point, self.conv.tol)
        return response

    def learn_programs(self, expression: Tensor) -> None:
        """Find the principal components of expression; training does so for the lines it sees.

        Args:
            expression: z-scored expression of cell lines ``[N, C]``.
        """
        if self.programs is None:
            return
        exact = expression.double()
        mean = exact.mean(dim=1, keepdim=True)
        axes = torch.linalg.svd(exact - mean, full_matrices=False).U
        axes = axes[:, : min(self.programs, expression.size(1) - 1)]  # of a mean there are fewer
        self.mean_expression.copy_(mean)
        self.axes.zero_()[:, : axes.size(1)] = axes.to(self.axes)

    def described(self, expression: Tensor) -> Tensor:
        """Expression as far as the programs tell it, and that of targets as it is ``[N, C]``."""
        if self.programs is None:
            return expression
        told = self.axes @ (self.axes.t() @ (expression - self.mean_expression))
        return torch.where(self.own_expression, expression, told + self.mean_expression)

    def cells(self, expression: Tensor, mutation: Tensor) -> Tensor:
        """What expression and mutations add to the input of every node ``[N, C]``."""
        expression = self._check("expression", expression, self.signaling.num_nodes)
        mutation = self._check("mutation", mutation, self.num_mutations)
        expressed = self.expression(self.described(expression)) + self.expression_bias
        if self.expression_limit is not None:
            expressed = expressed.clamp(max=self.expression_limit)
        return expressed + self.mutation(mutation)

    def respond(
        self, dose: Tensor, line: Tensor, cells: Tensor, perturbation: Tensor | None = None
    ) -> DrugPrediction:
        """As `forward`, for cell lines as `cells` gives them, without warning.

        Args:
            dose: log10 dose of every drug ``[D, S]``, 0 where it is absent.
            line: Cell line of every observation ``[S]``, a column of `cells`.
            cells: Input of every node in every cell line ``[N, C]``.
            perturbation: Added to the input of any node of the treated cells ``[N, S]``.
        """
        dose = self._check("dose", dose, self.num_drugs)
        if line.shape != dose.shape[1:]:
            raise ValueError(
                f"line has shape {list(line.shape)}; it names a cell line for each of the "
                f"{dose.size(1)} observations of dose."
            )
        treated = cells.index_select(1, line) + self.drug_input(dose)
        if perturbation is not None:
            treated = treated + self._check("perturbation", perturbation, self.signaling.num_nodes)
        count = treated.size(1)
        edge_index = self.signaling.edge_index
        if not self.relative:
            point = self.conv.solve(treated, edge_index)
            effect = self.viability(point.value).view(-1)
            viability = effect + self.viability_bias
            return DrugPrediction(viability, point.value, point.residual, point.converged)
        # Untreated states are solved once a cell line.
        lines, which = line.unique(return_inverse=True)
        both = torch.cat([treated, cells.index_select(1, lines)], dim=1)
        point = self.conv.solve(both, edge_index)
        effect = self.viability(point.value).view(-1)
        change = effect[:count] - effect[count:].index_select(0, which)
        return DrugPrediction(
            change + self.viability_bias,
            point.value[:, :count],
            torch.maximum(point.residual[:count], point.residual[count:][which]),
            point.converged[:count] & point.converged[count:][which],
        )

    def drug_input(self, dose: Tensor) -> Tensor:
        """What drugs add to the input of every node ``[N, S]``.

        Where several act on a target their doses add up, not their effects
        (`lembas_pyg.nn.joint_effect.joint_effect`).

        Args:
            dose: log10 dose of every drug ``[D, S]``, 0 where it is absent.
        """
        return self.drug(dose)

    def slope(self, h: Tensor, drive: Tensor) -> Tensor:
        """Slope of every node's activation at a steady state ``[N, S]``, without gradient.

        Args:
            h: Steady state ``[N, S]``.
            drive: What it was solved under, besides the bias ``[N, S]``.
        """
        return self.signaling.slope(h, torch.zeros_like(drive), drive)

    def _check(self, name: str, value: Tensor, rows: int) -> Tensor:
        """The value in the model's precision, refused where its shape is wrong."""
        if value.dim() != 2 or value.size(0) != rows:
            raise ValueError(f"{name} has shape {list(value.shape)}; it must have {rows} rows.")
        return value.to(self.conv.bias.dtype)


def _check_network(data: Data) -> None:
    """Refuse a network that lacks what the model needs."""
    missing = [name for name in _NEEDED if name not in data]
    if missing:
        raise ValueError(
            f"The network has no {', '.join(missing)}; add drugs, mutations and viability with "
            f"`lembas_pyg.network.add_drug_screen`, or take `lembas_pyg.datasets.DrugViability`."
        )
    without = (data.drug_sign == 0).all(dim=0).nonzero().view(-1).tolist()
    if without:
        drug = list(data.drugs)[without[0]]
        raise ValueError(f"The drug '{drug}' has no target in this network.")
    if not bool(data.viability_sign.any()):
        raise ValueError("No TF of this network has an effect on viability (viability_sign).")
