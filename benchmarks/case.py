"""One case in a process of its own: ``python -m benchmarks.case '{"name": ..., ...}'``.

Prints seconds, steps (of state and adjoint together) and the peak of memory above what was in use
before, as JSON. Whatever numpy,
torch and compiled code take is in it, since the operating system counts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.networks import Shared, ligand_screen, random_graph, synthetic
from lembas_pyg.nn import LEMBAS, SignalingConv, michaelis_menten_like
from lembas_pyg.training import TrainingConfig, fit

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Run the case that the first argument describes."""
    torch.set_num_threads(1)
    arguments = json.loads(sys.argv[1])
    cases: dict[str, Callable[..., Callable[[], tuple[float, float]]]] = {
        "solve": _solve,
        "dense": _dense,
        "unrolled": _unrolled,
        "training": _training,
    }
    run = cases[arguments.pop("name")](**arguments)
    before = _start_counting()
    seconds, steps = run()
    print(json.dumps({"seconds": seconds, "steps": steps, "bytes": _peak() - before}))


def _solve(
    num_edges: int, num_conditions: int, num_steps: int, rounds: int
) -> Callable[[], tuple[float, float]]:
    """State and gradients of a random network, until nothing changes or the steps are used up."""
    # Compiled on a small network, so that the compiler's memory is not counted.
    small = _layer(1000, num_conditions, 8)
    small()
    run = _layer(num_edges, num_conditions, num_steps)
    return lambda: _fastest(run, rounds)


def _layer(num_edges: int, num_conditions: int, num_steps: int) -> Callable[[], float]:
    edge_index, edge_weight = random_graph(num_edges)
    num_nodes = num_edges // 10
    # No residual is below this tolerance but 0.
    conv = SignalingConv(num_nodes, num_edges, tol=1e-300, max_steps=num_steps)
    with torch.no_grad():
        conv.edge_weight.copy_(edge_weight)
        conv.bias.uniform_(-0.5, 0.5, generator=torch.Generator().manual_seed(1))
    x = torch.zeros(num_nodes, num_conditions)
    x[: num_nodes // 20] = 1.0
    conv.operator(edge_index, num_nodes)

    def run() -> float:
        conv.zero_grad()
        point = conv.solve(x, edge_index)
        point.value.sum().backward()
        assert conv.adjoint is not None
        return float(point.num_steps.max() + conv.adjoint.num_steps.max())

    return run


def _dense(**arguments: Any) -> Callable[[], tuple[float, float]]:
    """Dense matmul in place of the sparse operator, gradients through all the steps."""
    return _through_all_steps(dense=True, **arguments)


def _unrolled(**arguments: Any) -> Callable[[], tuple[float, float]]:
    """Sparse steps of message passing, gradients through all of them."""
    return _through_all_steps(dense=False, **arguments)


def _through_all_steps(
    dense: bool, num_nodes: int, num_edges: int, num_conditions: int, num_steps: int, rounds: int
) -> Callable[[], tuple[float, float]]:
    data = synthetic(1, num_nodes, num_edges, 12, 58, num_conditions)
    model = LEMBAS(data, generator=torch.Generator().manual_seed(0))
    edge_index, weight, bias = model.edge_index, model.conv.edge_weight, model.conv.bias
    source, target = edge_index
    drive = model.input(data.x.to(bias)).detach()
    matrix = torch.zeros(num_nodes, num_nodes)
    with torch.no_grad():
        matrix[target, source] = weight
    matrix.requires_grad_()

    def propagate(h: Tensor) -> Tensor:
        if dense:
            return matrix @ h
        messages = weight.view(-1, 1) * h[source]
        return torch.zeros_like(h).index_add(0, target, messages)

    def run() -> float:
        model.zero_grad()
        matrix.grad = None
        h = torch.zeros_like(drive)
        for _ in range(num_steps):
            h = michaelis_menten_like(propagate(h) + drive + bias)
        h.sum().backward()
        return 2.0 * num_steps

    return lambda: _fastest(run, rounds)


def _training(
    batch_size: int, epochs: int, quick: bool, data: str | None
) -> Callable[[], tuple[float, float]]:
    """Training of the ligand screen from trained weights, seconds of an epoch."""
    problem = ligand_screen(Shared(None if data is None else Path(data), None), quick)

    def run(epochs: int = epochs) -> float:
        config = TrainingConfig.ligand_screen().to_dict()
        config |= {"epochs": epochs, "batch_size": batch_size}
        fit(problem.model("trained"), problem.data, TrainingConfig(**config), progress=False)
        return 0.0  # not counted

    run(1)

    def epoch() -> tuple[float, float]:
        seconds, steps = _fastest(run, 1)
        return seconds / epochs, steps

    return epoch


def _fastest(run: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Processor seconds and steps of the fastest of some calls."""
    taken = []
    for _ in range(rounds):
        before = time.process_time()
        steps = run()
        taken.append((time.process_time() - before, steps))
    return min(taken)


def _start_counting() -> int:
    """Bytes in use; the peak starts anew where the system can do that."""
    try:
        _RESET.write_text("5")
        return _from_status("VmRSS")
    except OSError:
        return _peak()


def _peak() -> int:
    """Largest number of bytes in use since the counting started."""
    try:
        return _from_status("VmHWM")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _from_status(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} has no {field}.")


if __name__ == "__main__":
    main()
