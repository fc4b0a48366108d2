"""Scaling with the size of the network, and against layers that are not made for the task."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.networks import Shared
from benchmarks.report import Table, number
from benchmarks.timing import measured_apart

__all__ = ["alternatives", "paths", "scaling"]

_CONDITIONS = 16
_FEW, _MANY = 20, 100


def scaling(shared: Shared, quick: bool) -> list[Table]:
    """Time of a sweep and peak memory from 1,000 to 1,000,000 edges."""
    sizes = [10**3, 10**4] if quick else [10**3, 10**4, 10**5, 10**6]
    rows, sweeps, peaks = [], [], []
    for num_edges in sizes:
        few, many = (
            _case("solve", num_edges=num_edges, num_conditions=_CONDITIONS, num_steps=n, rounds=5)
            for n in (_FEW, _MANY)
        )
        sweeps.append((many["seconds"] - few["seconds"]) / (many["steps"] - few["steps"]))
        peaks.append(few["bytes"])
        rows.append(
            [
                f"{num_edges:,}",
                number(1e6 * sweeps[-1]),
                number(1e9 * sweeps[-1] / num_edges / _CONDITIONS),
                number(few["bytes"] / 2**20),
                number(many["bytes"] / 2**20),
                number(few["bytes"] / num_edges),
            ]
        )
    first = 1 if len(sizes) > 2 else 0
    exponents = [
        np.polyfit(np.log(sizes[first:]), np.log(values[first:]), 1)[0]
        for values in (sweeps, peaks)
    ]
    rows.append(["exponent", f"{exponents[0]:.2f}", "", f"{exponents[1]:.2f}", "", ""])
    return [
        Table(
            "Scaling",
            f"`SignalingConv` on random networks of 10 edges a node, {_CONDITIONS} conditions, "
            f"float32, one thread. Time of a sweep: difference of at most {_MANY} and {_FEW} steps "
            f"of state and adjoint each (they stop when nothing changes), over the steps taken, "
            f"fastest of 5. Peak memory of solve and gradient above what was in use before, of "
            f"{_FEW} and of {_MANY} steps, each in a process of its own. "
            f"Exponents of a straight line through the logarithms from {sizes[first]:,} edges on "
            f"(wanted: time 1.15, memory 1.05 at most).",
            [
                "edges",
                "µs a sweep",
                "ns an edge and condition",
                f"MB, {_FEW} steps",
                f"MB, {_MANY} steps",
                "bytes an edge",
            ],
            rows,
        )
    ]


def alternatives(shared: Shared, quick: bool) -> list[Table]:
    """Dense matmul and unrolled back-propagation at the size of the macrophages."""
    num_nodes, num_edges = 1128, 5732
    rounds = 1 if quick else 5
    rows = []
    for num_steps in (20,) if quick else (50, 150, 450):
        size: dict[str, Any] = {"num_conditions": 23, "num_steps": num_steps, "rounds": rounds}
        nodes: dict[str, Any] = {"num_nodes": num_nodes, "num_edges": num_edges}
        found = {
            "ours": _case("solve", num_edges=10 * num_nodes, **size),
            "unrolled": _case("unrolled", **nodes, **size),
            "dense": _case("dense", **nodes, **size),
        }
        cells = [str(num_steps)]
        for name in found:
            cells.append(number(1e3 * found[name]["seconds"]))
            cells.append(number(found[name]["bytes"] / 2**20))
        for name in ("unrolled", "dense"):
            cells.append(number(found[name]["seconds"] / found["ours"]["seconds"]))
        rows.append(cells)
    return [
        Table(
            "Other ways to do it",
            "State and gradient of 23 conditions after a number of steps, float32, one "
            "thread, fastest of some calls, peak memory each in a process of its own. Ours: "
            "`SignalingConv` on a random network of 1,128 nodes and twice the macrophages' edges, "
            "as many steps for the adjoint, fewer where nothing changes any more. Unrolled: "
            "message passing by gather and scatter in torch on 5,732 edges, gradients through all "
            "the steps. Dense: the same with a dense "
            "matrix of the nodes.",
            [
                "steps",
                *("ours ms", "MB"),
                *("unrolled ms", "MB"),
                *("dense ms", "MB"),
                *("unrolled x", "dense x"),
            ],
            rows,
        )
    ]


def paths(shared: Shared, quick: bool) -> list[Table]:
    """The operators of torch against compiled kernels."""
    epochs = 2 if quick else 10
    rows = []
    for batch_size in (103,) if quick else (20, 103):
        found = [
            _case(
                "training",
                {"LEMBAS_PYG_COMPILED": switch},
                batch_size=batch_size,
                epochs=epochs,
                quick=quick,
                data=None if shared.data is None else str(shared.data),
            )["seconds"]
            for switch in ("1", "0")
        ]
        rows.append([str(batch_size), *(number(1e3 * s) for s in found)])
        rows[-1].append(number(found[1] / found[0]))
    return [
        Table(
            "Compiled and uncompiled",
            f"Milliseconds of processor time of an epoch of `fit` on the ligand screen with "
            f"trained weights, as in the first table, over {epochs} epochs; the same with "
            f"LEMBAS_PYG_COMPILED=0, where only operators of torch are used. Each in a process of "
            f"its own.",
            ["batch", "compiled ms", "torch ms", "x"],
            rows,
        )
    ]


def _case(
    name: str, environment: Mapping[str, str] | None = None, **arguments: Any
) -> dict[str, Any]:
    return measured_apart(
        "benchmarks.case", {"name": name, **arguments}, {**os.environ, **(environment or {})}
    )
