"""The model: ligand concentrations in, steady state, transcription factor activities out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from lembas_pyg.nn import compiled
from lembas_pyg.nn.activations import Activation, michaelis_menten_like, slope_at
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.init import basal_bias_, scale_to_radius_, signed_uniform_
from lembas_pyg.nn.operator import SignedOperator
from lembas_pyg.nn.projections import SparseProjection
from lembas_pyg.nn.signaling_conv import SignalingConv
from lembas_pyg.nn.wiring import WIRING, wiring_difference

__all__ = ["LEMBAS", "Prediction"]

# A covariate from 0 to 1 stays in the linear range of the activation.
_COVARIATE_AMPLITUDE = 0.5


class Prediction(NamedTuple):
    """What the model says of every condition.

    Attributes:
        y: TF activity ``[T, S]`` (fraction of maximal activity).
        h: State of every node ``[N, S]`` (fraction of saturation).
        residual: Largest change of any state in the last step ``[S]`` (dimensionless).
        converged: Whether the condition reached a steady state ``[S]``.
    """

    y: Tensor
    h: Tensor
    residual: Tensor
    converged: Tensor


class LEMBAS(Module):
    r"""Large-scale knowledge-embedded artificial signaling network.

    .. math::
        h^\ast = \sigma(A h^\ast + w_{in} \circ x + b + p), \qquad
        \hat y = w_{out} \circ h^\ast_{TF}

    with raw ligand concentrations :math:`x`, an optional perturbation :math:`p` of any node
    (knock-outs, drugs, noise), and the wiring, roles and modes of action of `data`.

    Args:
        data: Network with `edge_index`, `edge_sign`, `node_name`, `ligand_mask`, `tf_mask`;
            interactions of nodes in a `covariate_mask` start at 0.
        act: Activation of every node.
        input_amplitude: Initial weight of every ligand (1 / concentration).
        output_amplitude: Initial weight of every TF (dimensionless).
        train_input: Whether ligand weights are trained.
        train_output: Whether TF weights are trained.
        radius: Spectral radius the initial weights are scaled to; None to leave them.
        tol: Largest change of a state in one step accepted as steady (dimensionless).
        max_steps: Steps before giving up, for the state and for the adjoint.
        clip: Largest adjoint that passes one backward step unchanged; None for no limit.
        generator: Source of randomness of the initial weights; the global one if None.

    Attributes:
        input: Ligand input, `input.weight` ``[L]`` in the order of ``ligand_mask.nonzero()``.
        conv: `SignalingConv`, `conv.edge_weight` ``[E]`` and `conv.bias` ``[N, 1]``.
        output: TF output, `output.weight` ``[T]`` in the order of ``tf_mask.nonzero()``.
        edge_index, edge_sign: The wiring and its modes of action ``[2, E]``, ``[E]``.
        node_name: Accessions, for messages and files only.

    Inputs are taken to the model's precision: float32, or float64 after ``model.double()``.

    Shapes:
        - **x:** ``[N, S]``, raw concentrations at ligand nodes, 0 elsewhere
        - **perturbation:** ``[N, S]``
        - **y:** ``[T, S]``, to be compared with ``data.y[data.tf_mask]``

    Raises:
        ValueError: The network lacks an attribute, ligands, TFs or edges; or an input does not
            fit it.

    References:
        Nilsson et al. (2022), Fig. 2, Methods. There the ligand weights are fixed and the TF
        weights trained, both as here by default.
    """

    edge_index: Tensor
    edge_sign: Tensor
    ligand_index: Tensor
    tf_index: Tensor
    not_ligand: Tensor
    covariate_mask: Tensor

    def __init__(
        self,
        data: Data,
        act: Callable[[Tensor], Tensor] = michaelis_menten_like,
        *,
        input_amplitude: float = 3.0,
        output_amplitude: float = 1.2,
        train_input: bool = False,
        train_output: bool = True,
        radius: float | None = 0.8,
        tol: float = 1e-6,
        max_steps: int = 10_000,
        clip: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check_network(data)
        self.num_nodes, self.radius = int(data.num_nodes), radius
        self.node_name: list[str] = list(data.node_name)
        # The wiring is the model's identity, so it is saved with the parameters.
        self.register_buffer("edge_index", data.edge_index.clone())
        self.register_buffer("edge_sign", data.edge_sign.clone())
        self.register_buffer("ligand_index", data.ligand_mask.nonzero().view(-1))
        self.register_buffer("tf_index", data.tf_mask.nonzero().view(-1))
        self.register_buffer("not_ligand", (~data.ligand_mask).nonzero().view(-1), persistent=False)
        covariates = data.get("covariate_mask")
        if covariates is None:
            covariates = torch.zeros_like(data.ligand_mask)
        self.register_buffer("covariate_mask", covariates.clone(), persistent=False)
        self.input = SparseProjection(
            self.ligand_index,
            self.ligand_index,
            self.num_nodes,
            amplitude=input_amplitude,
            trainable=train_input,
        )
        self.conv = SignalingConv(
            self.num_nodes, data.num_edges, act, tol=tol, max_steps=max_steps, clip=clip
        )
        self.output = SparseProjection(
            self.tf_index,
            torch.arange(self.tf_index.numel(), device=self.tf_index.device),
            self.tf_index.numel(),
            amplitude=output_amplitude,
            trainable=train_output,
        )
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Initial parameters of the paper, see `lembas_pyg.nn.init`."""
        self.input.reset_parameters()
        self.output.reset_parameters()
        weight, bias = self.conv.edge_weight, self.conv.bias
        signed_uniform_(weight, self.edge_sign, generator=generator)
        basal_bias_(bias, self.edge_index, self.edge_sign)
        with torch.no_grad():
            self.input.weight[self.covariate_mask[self.ligand_index]] = _COVARIATE_AMPLITUDE
            weight[self.covariate_mask[self.edge_index[0]]] = 0.0
        if self.radius is not None:
            scale_to_radius_(weight, self.edge_index, self.num_nodes, self.radius)

    def forward(self, x: Tensor, perturbation: Tensor | None = None) -> Prediction:
        """TF activities and states of every condition; warns where there is no steady state.

        Args:
            x: Raw ligand concentrations, 0 at nodes that are no ligand.
            perturbation: Added to the input of any node before the activation (dimensionless).
        """
        point = self.steady_state(x, perturbation)
        warn_not_converged(point, self.conv.tol)
        return self.predict_from(point)

    def steady_state(
        self, x: Tensor, perturbation: Tensor | None = None, start: Tensor | None = None
    ) -> FixedPoint:
        """States with residual, steps and verdict of every condition, without warning.

        Args:
            x: Raw ligand concentrations ``[N, S]``.
            perturbation: Added to the input of any node before the activation ``[N, S]``.
            start: First state ``[N, S]``; zero if None, as in the paper.
        """
        x = self.checked(x)
        drive = self.input(x)
        if perturbation is not None:
            perturbation = self._check_input("perturbation", perturbation)
            if perturbation.size(1) != x.size(1):
                raise ValueError(
                    f"perturbation has {perturbation.size(1)} conditions, but x has {x.size(1)}."
                )
            drive = drive + perturbation
        return self.conv.solve(drive, self.edge_index, start=start)

    def checked(self, x: Tensor) -> Tensor:
        """Concentrations in the model's precision, refused where no model could take them.

        Args:
            x: Raw ligand concentrations ``[N, S]``.

        Raises:
            ValueError: `x` has another shape, is not finite, or not 0 at a node that is no ligand.
        """
        x = self._check_input("x", x)
        if not bool(x.sum().isfinite()):
            raise ValueError(
                "x holds NaN or infinite concentrations; write 0 for an absent ligand."
            )
        if bool(x.index_select(0, self.not_ligand).any()):
            row = int(self.not_ligand[(x[self.not_ligand] != 0).any(dim=1)][0])
            raise ValueError(
                f"x is not zero at '{self.node_name[row]}', which is no ligand of this network. "
                f"Mark it as ligand in the annotation, or use perturbation= for other nodes."
            )
        return x

    @property
    def operator(self) -> SignedOperator:
        """The sparse operator of the model's wiring."""
        return self.conv.operator(self.edge_index, self.num_nodes)

    def slope(self, h: Tensor, x: Tensor, perturbation: Tensor | None = None) -> Tensor:
        r"""Slope of every node's activation at a steady state, without gradient.

        The steady state is stable if :math:`\mathrm{diag}(\sigma') A` has a radius below 1.

        Args:
            h: Steady state ``[N, S]``.
            x: Raw ligand concentrations it belongs to ``[N, S]``.
            perturbation: Perturbation it belongs to ``[N, S]``.
        """
        with torch.no_grad():
            if isinstance(self.conv.act, Activation):
                return compiled.slope_from_state(h, self.conv.act)
            z = self.operator.propagate(self.conv.edge_weight, h) + self.input(x) + self.conv.bias
            return slope_at(self.conv.act, z if perturbation is None else z + perturbation, h)

    def network_difference(self, data: Data) -> str | None:
        """First difference between the model's network and another; None if they are the same.

        Args:
            data: A network.
        """
        return wiring_difference(
            self._identity(),
            {
                "node_name": list(data.node_name),
                "edge_index": data.edge_index,
                "edge_sign": data.edge_sign,
                "ligand_index": data.ligand_mask.nonzero().view(-1),
                "tf_index": data.tf_mask.nonzero().view(-1),
            },
        )

    def _identity(self) -> dict[str, Any]:
        return {"node_name": self.node_name, **{name: getattr(self, name) for name in WIRING}}

    def get_extra_state(self) -> dict[str, list[str]]:
        """Node names, saved beside the tensors."""
        return {"node_name": self.node_name}

    def set_extra_state(self, state: dict[str, list[str]]) -> None:
        """Refuse the parameters of a network with other nodes."""
        difference = wiring_difference({"node_name": self.node_name}, state)
        if difference is not None:
            raise ValueError(f"These parameters belong to another network: {difference}")

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Refuse the parameters of another wiring, which would fit by chance of size."""
        theirs = {name: state_dict.get(prefix + name) for name in WIRING}
        if all(value is not None for value in theirs.values()):
            difference = wiring_difference(self._identity(), theirs)
            if difference is not None:
                raise ValueError(f"These parameters belong to another network: {difference}")
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def predict_from(self, point: FixedPoint) -> Prediction:
        """Prediction that a solved steady state stands for."""
        return Prediction(self.output(point.value), point.value, point.residual, point.converged)

    def _check_input(self, name: str, value: Tensor) -> Tensor:
        """The value in the model's precision, refused where its shape is wrong."""
        if value.dim() != 2 or value.size(0) != self.num_nodes:
            raise ValueError(
                f"{name} has shape {list(value.shape)}; it must be [N, S] with N = "
                f"{self.num_nodes} nodes as rows and conditions as columns."
            )
        return value.to(self.conv.bias.dtype)


def _check_network(data: Data) -> None:
    """Refuse a network that lacks what the model needs."""
    needed = ("edge_index", "edge_sign", "node_name", "ligand_mask", "tf_mask")
    missing = [name for name in needed if name not in data]
    if missing:
        raise ValueError(
            f"The network has no {', '.join(missing)}; make it with "
            f"`lembas_pyg.network.from_interactions`."
        )
    for name, size in (("ligand_mask", data.num_nodes), ("tf_mask", data.num_nodes)):
        mask = data[name]
        if mask.dtype != torch.bool or mask.numel() != size:
            raise ValueError(
                f"{name} is {mask.dtype} of {mask.numel()} entries; it must be bool, one for each "
                f"of the {size} nodes."
            )
    for name, count in (
        ("interaction", data.num_edges),
        ("ligand", int(data.ligand_mask.sum())),
        ("transcription factor", int(data.tf_mask.sum())),
    ):
        if count == 0:
            raise ValueError(
                f"The network has no {name}. Roles come from the columns 'ligand' and 'TF' of the "
                f"annotation table."
            )
    if data.edge_sign.numel() != data.num_edges:
        raise ValueError(
            f"{data.edge_sign.numel()} modes of action for {data.num_edges} interactions; a "
            f"transform that adds edges has to extend edge_sign (0 for unknown)."
        )
    if len(data.node_name) != data.num_nodes:
        raise ValueError(f"{len(data.node_name)} node names for {data.num_nodes} nodes.")
