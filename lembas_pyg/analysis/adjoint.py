r"""What every node does to every TF, from one linear solve a TF and condition.

At a steady state :math:`h = \sigma(z)`, :math:`z = A h + b + w_{in} x + p`, the effect of a small
input :math:`p_i` on the activity :math:`y_t = w_{out,t} h_t` of a TF is the adjoint of that TF,

.. math::
    \frac{\partial y_t}{\partial p_i} = u_i, \qquad
    u = \sigma'(z) \circ (A^\top u + w_{out,t}\, e_t).

One solve gives the effects of all nodes and, as :math:`\partial y_t / \partial w_{j \to i} = u_i
h_j`, of all interactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lembas_pyg.nn.implicit import Solver
from lembas_pyg.nn.lembas import LEMBAS

__all__ = ["Adjoints", "tf_adjoints"]

# Columns (TF x condition) solved side by side; bounds memory, not the result.
_COLUMNS = 2048


class Adjoints(NamedTuple):
    r"""Effect of a small input of any node on some TFs in some conditions.

    Attributes:
        u: Derivative of TF activity with respect to the input of every node ``[N, T, S']``
            (activity / dimensionless input), S' the conditions of the block.
        conditions: Which conditions those are: columns of the slopes given.
        residual: Largest change in the last step, relative to the weight of the TF ``[T, S']``.
        converged: Whether the solve met the tolerance ``[T, S']``.
    """

    u: Tensor
    conditions: slice
    residual: Tensor
    converged: Tensor


def tf_adjoints(
    model: LEMBAS,
    slope: Tensor,
    tfs: Tensor | None = None,
    *,
    columns: int = _COLUMNS,
) -> Iterator[Adjoints]:
    """Adjoints of TFs in blocks of conditions; solved with the tolerance of the model's layer.

    Args:
        model: A model, in the precision of the solve (float64 for 1e-12).
        slope: Slope of every node's activation at the steady states, as from `LEMBAS.slope`.
        tfs: Positions of TFs among those of the model (rows of its `y`); all if None.
        columns: TFs x conditions solved side by side; a block holds at least one condition.

    Shapes:
        - **slope:** ``[N, S]``
        - **tfs:** ``[T]``

    Yields:
        `Adjoints` of the next conditions, in order. The adjoint of an unstable state does not
        converge; the block says so and warns of nothing.

    Example:
        >>> import lembas_pyg as lp
        >>> model = lp.LEMBAS(lp.datasets.ToyNetwork()[0]).double()
        >>> x = torch.zeros(7, 3)
        >>> h = model(x).h.detach()
        >>> [block.u.shape for block in tf_adjoints(model, model.slope(h, x), columns=2)]
        [torch.Size([7, 1, 2]), torch.Size([7, 1, 1])]
    """
    conv = model.conv
    solver = Solver(model.operator, conv.act, conv.tol, conv.max_steps)
    weight, output = conv.edge_weight.detach(), model.output.weight.detach()
    if tfs is None:
        tfs = torch.arange(len(output), device=output.device)
    rows, output = model.tf_index[tfs], output[tfs]
    num_tfs, num_conditions = len(rows), slope.size(1)
    width = max(1, columns // max(1, num_tfs))
    for first in range(0, num_conditions, width):
        chosen = slice(first, min(first + width, num_conditions))
        part = slope[:, None, chosen].expand(-1, num_tfs, -1)
        grad = torch.zeros_like(part, memory_format=torch.contiguous_format)
        # Unit gradients, so that a TF with a small or no weight is solved as well as any other.
        grad[rows, torch.arange(num_tfs, device=rows.device)] = 1.0
        u = solver.solve_adjoint(grad.flatten(1), part.flatten(1), weight).view(part.shape)
        report = solver.adjoint
        assert report is not None
        yield Adjoints(
            u * output.view(1, -1, 1),
            chosen,
            report.residual.view(part.shape[1:]),
            report.converged.view(part.shape[1:]),
        )
