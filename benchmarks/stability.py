"""The spectral term: exact radius against contraction rate."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.networks import Problem, Shared, to_textbook
from benchmarks.report import Table, number
from benchmarks.timing import interleaved
from benchmarks.training import problems
from lembas_pyg.nn import contraction_rate, spectral_radius
from lembas_pyg.training.losses import spectral_loss

__all__ = ["stability"]

# The deviation is taken along from call to call; in training the weights change in between.
_CALLS = (1, 5, 25, 125)


def stability(shared: Shared, quick: bool) -> list[Table]:
    """Time and agreement of the two, value and gradient."""
    found = [_compared(problem, 1 if quick else 5) for problem in problems(shared, quick)]
    return [
        Table(
            "Spectral term: time",
            "Milliseconds of processor time for value and gradient at trained weights, medians: "
            "textbook (Arnoldi with 100 vectors, shift-invert left vector) and our exact radius, "
            "one condition, float64; contraction rate of all conditions at once, 8 steps, "
            "float32. x: a condition of the rate against one of the textbook.",
            ["network", "textbook, 1 condition", "exact, 1 condition", "rate, all", "x"],
            [rows[0] for rows in found],
        ),
        Table(
            "Spectral term: agreement",
            "Difference of the contraction rate from the exact radius, relative, after 1, 5, 25 "
            "and 125 calls with the deviation taken along and 1 % of it drawn anew, float32, "
            "weights standing still: median / largest over the conditions; and of the slowest "
            "condition at the end. Last: norm of the difference of the gradients of the spectral "
            "loss of all conditions, relative to the exact one, and their cosine; nan where every "
            "radius is below the floor of that loss.",
            [
                "network",
                "exact radius, range",
                *(f"{calls} calls" for calls in _CALLS),
                "slowest",
                "gradient",
                "cosine",
            ],
            [rows[1] for rows in found],
        ),
    ]


def _compared(problem: Problem, rounds: int) -> tuple[list[str], list[str]]:
    """Rows of both tables for one network."""
    model, data = problem.model("trained"), problem.data
    model.conv.tol, model.conv.max_steps = 1e-6, 5000
    with torch.no_grad():
        slope = model.slope(model.steady_state(data.x).value, data.x)
    book = to_textbook(model, data, problem.paper)
    weight = model.conv.edge_weight

    def exact(column: int) -> torch.Tensor:
        wide = weight.double() * slope[data.edge_index[1], column].double()
        return spectral_radius(data.edge_index, wide, data.num_nodes)

    def of_all(start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return contraction_rate(model.operator, weight, slope, start)

    radii = torch.stack([exact(column) for column in range(slope.size(1))])
    config = problem.config
    barrier = config.spectral_sharpness, config.spectral_target, config.spectral_floor
    weight.grad = None
    spectral_loss(radii, *barrier).backward()
    assert weight.grad is not None
    reference, radii = weight.grad.double().numpy(), radii.detach()
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(slope.shape, generator=generator)
    gaps, rate = [], radii
    for calls in range(1, max(_CALLS) + 1):
        fresh = torch.randn(slope.shape, generator=generator)
        vector = vector + 0.01 * fresh * (vector.norm(dim=0) / fresh.norm(dim=0))
        rate, vector = of_all(vector)
        if calls in _CALLS:
            gap = ((rate.detach() - radii) / radii).abs()
            gaps.append(f"{number(float(gap.median()), 2)} / {number(float(gap.max()), 2)}")
    weight.grad = None
    spectral_loss(rate, *barrier).backward()
    ours = weight.grad.double().numpy()
    cases = {
        "textbook": lambda: book.radius(slope[:, 0].double().numpy()),
        "exact": lambda: exact(0).backward(),
        "rate": lambda: of_all(vector)[0].mean().backward(),
    }
    ms = {name: 1e3 * timing.cpu for name, timing in interleaved(cases, rounds).items()}
    length = np.linalg.norm(reference) or np.nan
    gradient = float(np.linalg.norm(ours - reference) / length)
    cosine = float(ours @ reference / ((np.linalg.norm(ours) or np.nan) * length))
    slowest = float(((rate.detach() - radii) / radii).abs()[radii.argmax()])
    ratio = ms["textbook"] * slope.size(1) / ms["rate"]
    return (
        [problem.name, *(number(ms[name], 2) for name in cases), number(ratio)],
        [
            problem.name,
            f"{float(radii.min()):.3f} - {float(radii.max()):.3f}",
            *gaps,
            number(slowest, 2),
            number(gradient, 2),
            number(cosine, 2),
        ],
    )
