"""The layer: a signaling network iterated to its steady state."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch_geometric.nn import MessagePassing
from torch_geometric.typing import SparseTensor

from lembas_pyg.nn.activations import michaelis_menten_like
from lembas_pyg.nn.adjacency import edges_of
from lembas_pyg.nn.fixed_point import FixedPoint, warn_not_converged
from lembas_pyg.nn.implicit import (
    AdjointReport,
    Solver,
    check_solver,
    steady_state,
    steady_state_of,
)
from lembas_pyg.nn.operator import SignedOperator

__all__ = ["SignalingConv"]


class SignalingConv(MessagePassing):
    r"""Steady state of a signaling network.

    .. math:: h^\ast_i = \sigma\Big(\sum_{j \to i} w_{ji} h^\ast_j + b_i + x_i\Big)

    Conditions are columns and do not mix. Gradients are those of the steady state, not of the
    iterations that led there.

    Args:
        num_nodes: Molecular species :math:`N`.
        num_edges: Directed interactions :math:`E`, one weight each.
        act: Activation :math:`\sigma`; maps raw input to a fraction of saturation.
        tol: Largest change of any state of a condition in one step (dimensionless) accepted as
            steady; relative to the largest incoming gradient for the adjoint.
        max_steps: Steps before giving up, for the state and for the adjoint.
        clip: Largest adjoint that passes one backward step unchanged (paper: 1); None for no
            limit, so that gradients are exact wherever they exist.

    Attributes:
        edge_weight: Trainable weights ``[E]``, in the order of the edges.
        bias: Trainable basal input ``[N, 1]``.
        adjoint: Report of the last backward solve, or None.

    Edges may be given as PyG gives them: an edge index, an `EdgeIndex`, a sparse torch tensor or a
    ``torch_sparse.SparseTensor`` (transposed adjacency, rows are targets). Integer values of a
    sparse matrix are positions into the weights; without values the order of its rows has to be
    that of the weights.

    Shapes:
        - **x:** drive ``[N, S]``
        - **edge_index:** ``[2, E]``, row 0 source, row 1 target, or sparse ``[N, N]``
        - **edge_weight:** ``[E]``, or ``[E, S]`` for conditions with weights of their own
        - **edge_pos, node_pos:** ``[E']``, ``[N']``
        - **output:** state ``[N, S]``

    Raises:
        ValueError: The edges or nodes are not those the parameters were made for.

    References:
        Nilsson et al. (2022), Fig. 2b-c, Suppl. Note 5. The text iterates 150 steps; we stop at
        `tol`, per condition, and report what did not get there.

    Example:
        >>> conv = SignalingConv(num_nodes=2, num_edges=1)
        >>> with torch.no_grad():
        ...     _ = conv.edge_weight.fill_(0.5), conv.bias.fill_(0.0)
        >>> conv(torch.tensor([[0.4], [0.0]]), torch.tensor([[0], [1]])).tolist()
        [[0.4000000059604645], [0.20000000298023224]]
    """

    def __init__(
        self,
        num_nodes: int,
        num_edges: int,
        act: Callable[[Tensor], Tensor] = michaelis_menten_like,
        *,
        tol: float = 1e-6,
        max_steps: int = 10_000,
        clip: float | None = None,
    ) -> None:
        super().__init__(aggr="sum")
        if not callable(act):
            raise ValueError(f"act is {act!r}; give a function, such as activation_by_name('MML').")
        check_solver(tol, max_steps)
        self.num_nodes, self.num_edges = num_nodes, num_edges
        self.act, self.tol, self.max_steps, self.clip = act, tol, max_steps, clip
        self.edge_weight = Parameter(torch.empty(num_edges))
        self.bias = Parameter(torch.empty(num_nodes, 1))
        self._operator: SignedOperator | None = None
        self._operator_key: tuple[Tensor, int, int] | None = None
        self._adjacency: tuple[Any, Tensor, Tensor | None] | None = None
        self._solver: Solver | None = None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small positive weights and a basal input near zero."""
        torch.nn.init.uniform_(self.edge_weight, 0.1, 0.2)
        torch.nn.init.constant_(self.bias, 1e-3)

    @property
    def adjoint(self) -> AdjointReport | None:
        """How the last backward solve went."""
        return None if self._solver is None else self._solver.adjoint

    def forward(
        self,
        x: Tensor,
        edge_index: Tensor | SparseTensor,
        edge_weight: Tensor | None = None,
        edge_pos: Tensor | None = None,
        node_pos: Tensor | None = None,
    ) -> Tensor:
        """Steady state of every condition; warns where there is none.

        Args:
            x: Drive: everything added to the signals, besides the bias.
            edge_index: Directed interactions.
            edge_weight: Weights to use in place of the layer's own.
            edge_pos: Position of each edge in the layer's own parameters, for batches and
                subgraphs; all edges in order if None.
            node_pos: Position of each node in the layer's own parameters; all in order if None.
        """
        return _untraced(self._warning)((x, edge_index, edge_weight, edge_pos, node_pos, None))

    def _warning(self, inputs: tuple[Any, ...]) -> Tensor:
        """State of every condition, with a warning where there is none."""
        point = self._solve(*inputs)
        if self._solver is not None:
            self._solver.warn = True
        warn_not_converged(point, self.tol)
        return point.value

    def solve(
        self,
        x: Tensor,
        edge_index: Tensor | SparseTensor,
        edge_weight: Tensor | None = None,
        edge_pos: Tensor | None = None,
        node_pos: Tensor | None = None,
        *,
        start: Tensor | None = None,
    ) -> FixedPoint:
        """As `forward`, but with the residual and verdict of every condition, and no warning.

        Args:
            x: Drive: everything added to the signals, besides the bias.
            edge_index: Directed interactions.
            edge_weight: Weights to use in place of the layer's own.
            edge_pos: Position of each edge in the layer's own parameters.
            node_pos: Position of each node in the layer's own parameters.
            start: First state ``[N, S]``; zero if None.
        """
        solve = _untraced(self._solve)
        return solve(x, edge_index, edge_weight, edge_pos, node_pos, start)

    def _solve(
        self,
        x: Tensor,
        edge_index: Tensor | SparseTensor,
        edge_weight: Tensor | None,
        edge_pos: Tensor | None,
        node_pos: Tensor | None,
        start: Tensor | None,
    ) -> FixedPoint:
        edges, positions = self._edges(edge_index)
        if positions is not None:
            edge_pos = positions if edge_pos is None else edge_pos[positions]
        if edge_pos is not None:
            _check_positions("edge_pos", edge_pos, self.num_edges)
        if node_pos is not None:
            _check_positions("node_pos", node_pos, self.num_nodes)
        if edge_weight is None:
            edge_weight = self.edge_weight if edge_pos is None else self.edge_weight[edge_pos]
        elif positions is not None:
            edge_weight = edge_weight[positions]
        bias = self.bias if node_pos is None else self.bias[node_pos]
        x, edge_weight = x.to(bias.dtype), edge_weight.to(bias.dtype)
        _check_sizes(x, bias, edges, edge_weight)
        if start is not None:
            _check_start(start, x)
            start = start.to(bias.dtype)
        drive = x + bias
        if edge_weight.dim() == 2 or self._is_observed:
            self._solver = None
            step = partial(self.step, edge_index=edges)
            columns = [edge_weight]
            if edge_weight.dim() == 1:
                step, columns = partial(step, edge_weight=edge_weight), []
            return steady_state_of(
                step, drive, *columns, tol=self.tol, max_steps=self.max_steps, start=start
            )
        operator = self.operator(edges, x.size(0))
        self._solver = Solver(operator, self.act, self.tol, self.max_steps, self.clip)
        return steady_state(drive, edge_weight, self._solver, start)

    def step(self, h: Tensor, drive: Tensor, edge_weight: Tensor, *, edge_index: Tensor) -> Tensor:
        """The right-hand side of the equation, once, as PyG message passing."""
        return self.act(self.propagate(edge_index, h=h, edge_weight=edge_weight) + drive)

    def message(self, h_j: Tensor, edge_weight: Tensor) -> Tensor:
        """Signal along every edge: its weight times the state of its source."""
        return (edge_weight if edge_weight.dim() == 2 else edge_weight.view(-1, 1)) * h_j

    def operator(self, edge_index: Tensor, num_nodes: int) -> SignedOperator:
        """The sparse operator of `edge_index`, built once and kept while the edges stay."""
        # The version counter tells an edge index that was changed in place from the same one.
        version = -1 if edge_index.is_inference() else edge_index._version
        key = (edge_index, version, num_nodes)
        known = self._operator_key
        if known is None or known[0] is not edge_index or known[1:] != key[1:]:
            self._operator = SignedOperator(edge_index, num_nodes)
            self._operator_key = key
        assert self._operator is not None
        return self._operator

    def _edges(self, adjacency: Tensor | SparseTensor) -> tuple[Tensor, Tensor | None]:
        """Edge index and positions of an adjacency, worked out once while it stays the same."""
        if type(adjacency) is Tensor and adjacency.layout == torch.strided:
            return adjacency, None
        known = self._adjacency
        if known is None or known[0] is not adjacency:
            edges, positions = edges_of(adjacency)
            wiring = None if self._operator_key is None else self._operator_key[0]
            is_sparse = not isinstance(adjacency, Tensor) or adjacency.layout != torch.strided
            if is_sparse and positions is None and wiring is not None:
                if wiring.shape != edges.shape or not torch.equal(wiring, edges):
                    raise ValueError(
                        "The rows of the sparse adjacency are not in the order of the edges this "
                        "layer was used with, so its weights would go to other edges. Give the "
                        "position of each edge as integer values, such as "
                        "SparseTensor(row=target, col=source, value=torch.arange(E))."
                    )
            self._adjacency = known = adjacency, edges, positions
        return known[1], known[2]

    @property
    def _is_observed(self) -> bool:
        """Whether an explainer or hook needs to see the messages."""
        hooks = (
            self._propagate_forward_pre_hooks,
            self._propagate_forward_hooks,
            self._message_forward_pre_hooks,
            self._message_forward_hooks,
            self._aggregate_forward_pre_hooks,
            self._aggregate_forward_hooks,
        )
        return bool(self.explain) or any(hooks)

    def __getstate__(self) -> dict:
        """Without the operator and solver, which are rebuilt on first use."""
        state = self.__dict__.copy()
        state.update(_operator=None, _operator_key=None, _adjacency=None, _solver=None)
        return state

    def __repr__(self) -> str:
        act = getattr(self.act, "name", getattr(self.act, "__name__", repr(self.act)))
        return (
            f"{type(self).__name__}(num_nodes={self.num_nodes}, num_edges={self.num_edges}, "
            f"act={act})"
        )


def _untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep `torch.compile` out: a solver decides by its data when to stop, a graph cannot.

    The compiler takes seconds to import and is only there where somebody uses it.
    """
    compiler = sys.modules.get("torch._dynamo")
    return function if compiler is None else compiler.disable(function)


def _check_sizes(x: Tensor, bias: Tensor, edge_index: Tensor, edge_weight: Tensor) -> None:
    """Refuse a drive or an edge list that does not fit the parameters."""
    if x.dim() != 2 or x.size(0) != bias.size(0):
        raise ValueError(
            f"The drive has shape {list(x.shape)}; it must be [N, S] with N = {bias.size(0)} nodes "
            f"as rows and conditions as columns. For a subgraph or batch pass node_pos."
        )
    if edge_index.size(1) != edge_weight.size(0):
        raise ValueError(
            f"edge_index has {edge_index.size(1)} edges, but there are {edge_weight.size(0)} "
            f"weights. For a subgraph or batch pass edge_pos."
        )
    if edge_weight.dim() > 2 or (edge_weight.dim() == 2 and edge_weight.size(1) != x.size(1)):
        raise ValueError(
            f"edge_weight has shape {list(edge_weight.shape)}; it must be [E], or [E, S] with "
            f"S = {x.size(1)} conditions."
        )


def _check_start(start: Tensor, x: Tensor) -> None:
    if start.shape != x.shape:
        raise ValueError(
            f"start has shape {list(start.shape)}; it must be that of the drive, {list(x.shape)}."
        )


def _check_positions(name: str, positions: Tensor, count: int) -> None:
    """Refuse positions outside of the layer's parameters."""
    if positions.numel() and not 0 <= int(positions.min()) <= int(positions.max()) < count:
        raise ValueError(
            f"{name} holds {int(positions.max())} (smallest {int(positions.min())}), but the layer "
            f"has {count} parameters of that kind, numbered from 0."
        )
