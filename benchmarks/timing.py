"""Medians of interleaved measurements, and peak memory of a process of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Timing", "call", "interleaved", "measured_apart"]


class Timing(NamedTuple):
    """Median seconds of one call: on the clock, and of processor time of this process."""

    wall: float
    cpu: float


def call(function: Callable[[], object]) -> Timing:
    """Seconds of a single call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def interleaved(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Medians over rounds of A B C A B C ..., so that all cases meet the same disturbances.

    Args:
        cases: Functions to time, by name; called once before, so that code is compiled.
        rounds: Times each is measured.
    """
    for function in cases.values():
        function()
    taken: dict[str, list[Timing]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, function in cases.items():
            taken[name].append(call(function))
    return {
        name: Timing(*map(statistics.median, zip(*timings, strict=True)))
        for name, timings in taken.items()
    }


def measured_apart(
    module: str, arguments: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """What ``python -m module '{arguments}'`` prints as JSON, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", module, json.dumps(dict(arguments))]
    finished = subprocess.run(
        command, env=dict(environment), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(finished.stdout)
