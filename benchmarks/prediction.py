"""Prediction, and all knock-outs of a network."""

from __future__ import annotations

import copy
import cProfile
import pstats
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.networks import Shared, ligand_screen, random_stimuli, to_textbook
from benchmarks.report import Table, number
from benchmarks.textbook import Textbook
from benchmarks.timing import Timing, call, interleaved
from lembas_pyg.analysis import knock_out
from lembas_pyg.nn import LEMBAS

__all__ = ["knock_outs", "prediction"]

# Conditions the textbook takes side by side where there are more: its fastest way.
_CHUNK = 128
# Each within the next: compiled solve, steady state, answers of the model, long table of them.
_PLACES = (
    ("nn/compiled.py", "_solve"),
    ("nn/lembas.py", "steady_state"),
    ("analysis/long_table.py", "_answers"),
    ("analysis/long_table.py", "long_table"),
)


def prediction(shared: Shared, quick: bool) -> list[Table]:
    """Milliseconds of a prediction against the textbook's 150 steps."""
    problem = ligand_screen(shared, quick)
    rows = []
    for num_conditions in (1, 5, 103) if quick else (1, 5, 103, 1000, 10_000):
        x = random_stimuli(problem.data, num_conditions, seed=0)
        if num_conditions == problem.data.x.size(1):
            x = problem.data.x
        book = to_textbook(problem.trained, problem.data, problem.paper)
        models = {name: _predictor(problem.trained, name) for name in ("float32", "float64")}
        stimuli = x.double().numpy()
        book.predict(stimuli[:, :_CHUNK])  # the first call is slower
        cases: dict[str, Callable[[], object]] = {
            "textbook": partial(_by_chunks, book, stimuli),
            **{name: partial(model, x.to(model.conv.bias)) for name, model in models.items()},
        }
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what did not converge: it is in the table
            timings: dict[str, Timing] = {}
            if num_conditions > 2000:  # minutes of the textbook
                timings["textbook"] = call(cases.pop("textbook"))
            rounds = 1 if quick else 5 if num_conditions > 500 else 15
            timings |= interleaved(cases, rounds)
            cells = [number(num_conditions), number(1e3 * timings["textbook"].cpu)]
            for name, model in models.items():
                point = model.steady_state(x)
                cells += [
                    number(1e3 * timings[name].cpu),
                    number(timings["textbook"].cpu / timings[name].cpu),
                    f"{point.num_steps.double().mean():.0f}",
                    number(float(point.residual.max()), 2),
                    number(int((~point.converged).sum())),
                ]
        rows.append(cells)
    return [
        Table(
            "Prediction",
            f"Milliseconds of processor time from stimulus to TF activity on the {problem.name} "
            f"network with trained weights, one thread; medians of interleaved measurements. "
            f"103 conditions are those of the data, others one or two random ligands each. "
            f"Textbook: 150 steps with its early stop, float64, {_CHUNK} conditions at a time. "
            f"Ours to a residual of 1e-6 in every condition. x: times the textbook; n: "
            f"conditions that did not converge.",
            [
                "conditions",
                "textbook ms",
                *("float32 ms", "x", "mean steps", "residual", "n"),
                *("float64 ms", "x", "mean steps", "residual", "n"),
            ],
            rows,
        )
    ]


def _by_chunks(book: Textbook, x: np.ndarray) -> None:
    """Prediction of some conditions at a time."""
    for first in range(0, x.shape[1], _CHUNK):
        book.predict(x[:, first : first + _CHUNK])


def _predictor(model: LEMBAS, dtype: str) -> LEMBAS:
    """A copy of a model that solves to 1e-6."""
    model = copy.deepcopy(model).to(getattr(torch, dtype))
    model.conv.tol, model.conv.max_steps = 1e-6, 5000
    return model


def knock_outs(shared: Shared, quick: bool) -> list[Table]:
    """All nodes times all conditions by `knock_out`, on two threads."""
    problem = ligand_screen(shared, quick)
    nodes = problem.data.node_name[:20] if quick else None
    num_threads = torch.get_num_threads()
    rows = []
    for threads, tol in ((2, 1e-12), (2, 1e-6), (1, 1e-6)):
        torch.set_num_threads(threads)
        profile = cProfile.Profile()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what has no steady state: it is in the table
            wall, cpu = time.perf_counter(), time.process_time()
            table = profile.runcall(knock_out, problem.trained, problem.data, nodes, tol=tol)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        num_tfs = int(problem.data.tf_mask.sum())
        lost = int(table["delta"].isna().sum()) // num_tfs
        solve, steady, answers, whole = (_seconds(profile, *place) for place in _PLACES)
        making = whole - answers
        rows.append(
            [
                str(threads),
                f"{tol:.0e}",
                number(len(table) // num_tfs),
                number(lost),
                number(wall),
                number(cpu),
                number(solve),
                number(steady - solve),
                number(making),
                number(wall - steady - making),
                number(len(table) / 1e6),
            ]
        )
    torch.set_num_threads(num_threads)
    return [
        Table(
            "Knock-outs",
            f"`analysis.knock_out` of every node under every condition of the {problem.name} "
            f"network with trained weights, float64, from the call to the long table. Seconds by "
            f"the clock, but for the processor time of both threads; then the clock seconds of "
            f"its parts: compiled solve, the rest of `steady_state` (checks, ligand input, "
            f"copies), making the table, everything else (making the inputs).",
            [
                "threads",
                "tolerance",
                "states",
                "none steady",
                "s",
                "processor s",
                "solve",
                "around it",
                "table",
                "else",
                "million rows",
            ],
            rows,
        )
    ]


def _seconds(profile: cProfile.Profile, file: str, function: str) -> float:
    """Seconds spent in a function of the package and below it."""
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return sum(
        cumulative
        for (path, _, name), (*_, cumulative, _) in stats.items()
        if name == function and Path(path).parts[-2:] == tuple(file.split("/"))
    )
