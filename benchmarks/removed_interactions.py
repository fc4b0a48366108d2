"""The reference model without one interaction, and models fitted without it."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from benchmarks.networks import Shared
from lembas_pyg import checkpoint
from lembas_pyg.analysis.missing.gain import linearise, parameter_gram
from lembas_pyg.analysis.missing.refit import Problem
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.io import read_annotation, read_interactions, read_parameters
from lembas_pyg.network import from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import measure, random_stimuli
from lembas_pyg.training import TrainingConfig, fit

CONDITIONS, LIGANDS, EDGES, IMPORTANT = 400, 5, 50, 1e-4
TOL, MAX_STEPS = 1e-6, 1000


class Removed(NamedTuple):
    """The reference model without one interaction, and the data of the whole one."""

    edge: int
    data: Data
    model: LEMBAS
    source: str
    target: str


def reference(shared: Shared) -> tuple[Data, LEMBAS]:
    """The reference model and its answers to random stimuli."""
    assert shared.data is not None and shared.golden is not None
    base = str(shared.data / "lembas" / "networks" / "KEGGnet")
    data = from_interactions(
        read_interactions(f"{base}-Model.tsv"), read_annotation(f"{base}-Annotation.tsv")
    )
    model = LEMBAS(data, radius=None).double()
    parameters = read_parameters(shared.golden / "KEGGnet-Parameters.tsv")
    checkpoint.load_parameters(model, parameters)
    ligands = [data.node_name[i] for i in data.ligand_mask.nonzero().view(-1)]
    generator = torch.Generator().manual_seed(0)
    stimuli = random_stimuli(ligands, CONDITIONS, LIGANDS, generator=generator)
    return measure(model, data, stimuli), model


def without_edge(data: Data, model: LEMBAS, edge: int) -> Removed:
    """Network and model without one interaction."""
    keep = torch.arange(data.num_edges) != edge
    smaller = data.clone()
    smaller.edge_index = data.edge_index[:, keep]
    for name in ("edge_sign", "edge_id"):
        smaller[name] = data[name][keep]
    reduced = LEMBAS(smaller, radius=None, train_output=False).double()
    with torch.no_grad():
        reduced.conv.edge_weight.copy_(model.conv.edge_weight[keep])
        for part in ("conv.bias", "input.weight", "output.weight"):
            reduced.get_parameter(part).copy_(model.get_parameter(part))
    source, target = (data.node_name[i] for i in data.edge_index[:, edge].tolist())
    return Removed(edge, smaller, reduced, source, target)


def important_edges(data: Data, model: LEMBAS, folder: Path) -> list[int]:
    """A random choice of the interactions whose removal raises the error enough."""
    file = folder / "important.json"
    if not file.exists():
        exact = copy.deepcopy(model)
        exact.conv.tol = 1e-8
        y, weight = data.y[data.tf_mask], exact.conv.edge_weight.data
        error = []
        with torch.no_grad():
            for edge in range(data.num_edges):
                kept, weight[edge] = weight[edge].clone(), 0.0
                h = exact.steady_state(data.x).value
                error.append(float((exact.output(h) - y).square().mean()))
                weight[edge] = kept
        important = (torch.tensor(error) >= IMPORTANT).nonzero().view(-1)
        order = torch.randperm(len(important), generator=torch.Generator().manual_seed(0))
        file.write_text(json.dumps(important[order[:EDGES]].tolist()))
    return json.loads(file.read_text())


def adapted(removed: Removed, steps: int = 12) -> LEMBAS:
    """The same model after weights and biases made up for the interaction as well as they could.

    Levenberg-Marquardt on the mean squared error alone; the curvature from a quarter of the
    conditions, which changes with every step.
    """
    model, data = copy.deepcopy(removed.model), removed.data
    generator, damping = torch.Generator().manual_seed(0), 0.1
    part = len(data.conditions) // 4
    with torch.no_grad():
        problem = make_problem(model, data, tol=TOL, max_steps=MAX_STEPS)
        losses = [problem.loss]
        for _ in range(steps):
            some = torch.randperm(problem.h.size(1), generator=generator)[:part]
            sample = problem.of(some)
            gram, _ = parameter_gram(sample, sample.residual(sample.h).unsqueeze(0))
            gram *= problem.h.size(1) / part
            found = _better(model, data, problem, gram, damping)
            if found is None:
                break
            model, problem, damping = found
            losses.append(problem.loss)
            if len(losses) > 3 and losses[-1] > 0.98 * losses[-3]:
                break
    return model


def _better(
    model: LEMBAS, data: Data, problem: Problem, gram: Tensor, damping: float
) -> tuple[LEMBAS, Problem, float] | None:
    """A step that lowers the loss and loses no steady state; None if no damping gives one."""
    c, num_edges = linearise(problem).c, data.num_edges
    slope = torch.cat([model.operator.edge_dot(c, problem.h), c.sum(dim=1)])
    for _ in range(9):
        damped = gram + torch.diag(damping * (gram.diagonal() + 1))
        step = -torch.linalg.solve(damped, slope)
        trial = copy.deepcopy(model)
        trial.conv.edge_weight.add_(step[:num_edges])
        trial.conv.bias.add_(step[num_edges:].view(-1, 1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of conditions without a steady state: refused
            after = make_problem(trial, data, tol=TOL, max_steps=MAX_STEPS)
        if after.h.size(1) == problem.h.size(1) and after.loss < problem.loss:
            return trial, after, damping / 5
        damping *= 5
    return None


def from_scratch(removed: Removed) -> LEMBAS:
    """A model of the smaller network, trained on the data from random weights."""
    config = TrainingConfig.synthetic()
    generator = torch.Generator().manual_seed(config.seed)
    model = LEMBAS(removed.data, **config.model_options(), generator=generator)
    fit(model, removed.data, config, progress=False)
    return model


SETTINGS: dict[str, Callable[[Removed], LEMBAS] | None] = {
    "posthoc": None,
    "warm": adapted,
    "scratch": from_scratch,
}


def model_of(setting: str, removed: Removed, folder: Path) -> LEMBAS:
    """The model of a setting, from disk where it is there."""
    make = SETTINGS[setting]
    if make is None:
        return removed.model
    file = folder / f"{setting}-{removed.edge:03d}.safetensors"
    if not file.exists():
        checkpoint.save(make(removed), file)
    empty = LEMBAS(removed.data, radius=None, train_output=False)
    return checkpoint.load(empty.double(), file)
