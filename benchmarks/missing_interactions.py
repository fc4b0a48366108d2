"""``python -m benchmarks.missing_interactions``: are removed interactions found again?

Of the reference model of the KEGG network, important interactions are removed one at a time; the
data are those of the whole model. Writes ``benchmarks/missing_interactions.md``. What was fitted or
ranked is on disk at once, in ``--folder``; another call goes on.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from benchmarks.networks import Shared
from benchmarks.report import Table, machine, number
from lembas_pyg import checkpoint
from lembas_pyg.analysis import error_network, score_missing_interactions, structure_scores
from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.gain import gain_rows, linearise, parameter_gram
from lembas_pyg.analysis.missing.refit import Problem
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.io import read_annotation, read_interactions, read_parameters
from lembas_pyg.network import from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import measure, random_stimuli
from lembas_pyg.training import TrainingConfig, fit

_RESULTS = Path(__file__).with_name("missing_interactions.md")
_CONDITIONS, _LIGANDS, _EDGES, _IMPORTANT = 400, 5, 50, 1e-4
_TOL, _MAX_STEPS = 1e-6, 1000
_FREEDOM = 0.01
_STRUCTURE = "adamic_adar", "resource_allocation", "preferential_attachment", "paths"


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
    stimuli = random_stimuli(ligands, _CONDITIONS, _LIGANDS, generator=generator)
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
        important = (torch.tensor(error) >= _IMPORTANT).nonzero().view(-1)
        order = torch.randperm(len(important), generator=torch.Generator().manual_seed(0))
        file.write_text(json.dumps(important[order[:_EDGES]].tolist()))
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
        problem = make_problem(model, data, tol=_TOL, max_steps=_MAX_STEPS)
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
            after = make_problem(trial, data, tol=_TOL, max_steps=_MAX_STEPS)
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


_SETTINGS: dict[str, Callable[[Removed], LEMBAS] | None] = {
    "posthoc": None,
    "warm": adapted,
    "scratch": from_scratch,
}


def model_of(setting: str, removed: Removed, folder: Path) -> LEMBAS:
    """The model of a setting, from disk where it is there."""
    make = _SETTINGS[setting]
    if make is None:
        return removed.model
    file = folder / f"{setting}-{removed.edge:03d}.safetensors"
    if not file.exists():
        checkpoint.save(make(removed), file)
    empty = LEMBAS(removed.data, radius=None, train_output=False)
    return checkpoint.load(empty.double(), file)


def ranks(
    removed: Removed, model: LEMBAS, *, freedom: float = 0.0, baseline: bool = False
) -> dict[str, Any]:
    """Where every method has the removed interaction among all candidates."""
    data, started = removed.data, time.perf_counter()
    generator = torch.Generator().manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # conditions without a steady state are left out
        found = score_missing_interactions(
            model, data, top=None, freedom=freedom, generator=generator
        )
        seconds = time.perf_counter() - started
        problem = make_problem(model, data, tol=_TOL, max_steps=_MAX_STEPS)
    allowed = Candidates(data).rows(torch.arange(data.num_nodes))
    ends = data.node_name.index(removed.target), data.node_name.index(removed.source)
    with torch.no_grad():
        plain = linearise(problem)
        gain, _ = gain_rows(plain, problem.h, torch.arange(data.num_nodes))
        free = linearise(problem, freedom=_FREEDOM, generator=torch.Generator().manual_seed(0))
        adapt, _ = gain_rows(free, problem.h, torch.arange(data.num_nodes))
        gradient = (plain.c @ problem.h.t()).abs()
    result: dict[str, Any] = {"edge": removed.edge, "loss": problem.loss, "seconds": seconds}
    result["candidates"] = int(allowed.sum())
    result["conditions"] = problem.h.size(1)
    result["gradient"] = _rank(gradient, allowed, *ends)
    result["gain"] = _rank(gain, allowed, *ends)
    result["gain, parameters adapt"] = _rank(adapt, allowed, *ends)
    result |= _rank_in(found, removed, gain, allowed)
    result |= _structure(data, allowed, *ends)
    if baseline:
        table = error_network(model, data, generator=torch.Generator().manual_seed(0))
        result |= _rank_of_error_network(table, removed)
    return result


def _rank(score: Tensor, allowed: Tensor, target: int, source: int) -> float:
    """Rank among all candidates; those with the same score share the middle of their places."""
    own = score[target, source]
    others = score[allowed]
    ahead = int((others > own * (1 + 1e-9) + 1e-300).sum())
    tied = int(((others - own).abs() <= own.abs() * 1e-9 + 1e-300).sum())
    return ahead + (tied + 1) / 2


def _rank_in(
    found: pd.DataFrame, removed: Removed, gain: Tensor, allowed: Tensor
) -> dict[str, float]:
    """Rank of the pair and of its target in the table; behind it, those not tried go by gain."""
    name = removed.data.node_name
    target, source = name.index(removed.target), name.index(removed.source)
    rest = gain.masked_fill(~allowed, -1.0)
    place = tuple(torch.tensor([name.index(n) for n in found[end]]) for end in ("target", "source"))
    own = rest[target, source].clone()
    rest[place] = -1.0
    here = found[(found["source"] == removed.source) & (found["target"] == removed.target)]
    pair = float(here["rank"].iloc[0]) if len(here) else len(found) + int((rest > own).sum()) + 1
    first = found.groupby("target")["rank"].min()
    if removed.target in first:
        rank = float((first < first[removed.target]).sum()) + 1
    else:
        best = rest.amax(dim=1)
        rank = len(first) + float((best > best[target]).sum()) + 1
    ties = float(here["ties"].iloc[0]) if len(here) else 1.0
    return {"found": pair, "target": rank, "ties": ties}


def _structure(data: Data, allowed: Tensor, target: int, source: int) -> dict[str, float]:
    targets, sources = allowed.nonzero().t()
    name = np.asarray(data.node_name, dtype=object)
    pairs = pd.DataFrame({"source": name[sources.numpy()], "target": name[targets.numpy()]})
    table = structure_scores(data, pairs)
    result = {}
    for column in _STRUCTURE:
        score = torch.full(allowed.shape, -1.0, dtype=torch.float64)
        score[targets, sources] = torch.from_numpy(table[column].to_numpy(float, copy=True))
        result[column] = _rank(score, allowed, target, source)
    return result


def _rank_of_error_network(table: pd.DataFrame, removed: Removed) -> dict[str, float]:
    """Ranks by the signal of the target, then the correlation of the source."""
    own = (table["source"] == removed.source) & (table["target"] == removed.target)
    targets = table["target"].drop_duplicates().tolist()
    pair = float(own.to_numpy().argmax()) + 1 if own.any() else float(len(table))
    return {
        "error network": pair,
        "error network, target": float(targets.index(removed.target)) + 1
        if removed.target in targets
        else float(len(targets)),
    }


_METHODS = {
    "found": "`score_missing_interactions` (shortlist and refit)",
    "gain": "Gauss-Newton gain alone",
    "gain, parameters adapt": f"gain, parameters adapt (freedom {_FREEDOM:g})",
    "gradient": "gradient alone",
    "target": "its target alone (shortlist and refit)",
    "error network": "error network of the paper",
    "error network, target": "its target (error network)",
    "adamic_adar": "Adamic-Adar (graph alone)",
    "resource_allocation": "resource allocation (graph alone)",
    "preferential_attachment": "preferential attachment (graph alone)",
    "paths": "directed paths of two (graph alone)",
}


def table_of(setting: str, rows: list[dict[str, Any]]) -> Table:
    """One line a method: shares in the first places and the median rank."""
    lines = []
    for key, text in _METHODS.items():
        rank = np.array([row[key] for row in rows if key in row])
        if len(rank):
            shares = [f"{(rank <= k).mean():.0%}" for k in (1, 10, 100, 1000)]
            low, middle, high = np.quantile(rank, [0.25, 0.5, 0.75])
            spread = f"{number(low)} - {number(high)}"
            lines.append([text, str(len(rank)), *shares, number(middle), spread])
    count = np.mean([row["candidates"] for row in rows])
    chance = [f"{k / count:.2%}" for k in (1, 10, 100, 1000)]
    quarters = f"{number(count / 4)} - {number(3 * count / 4)}"
    lines.append(["chance, of all pairs", str(len(rows)), *chance, number(count / 2), quarters])
    seconds = np.median([row["seconds"] for row in rows])
    loss = np.median([row["loss"] for row in rows])
    extra = (
        f" {len(rows)} edges; median error {loss:.1e}, {seconds:.0f} s a ranking (shared cores)."
    )
    columns = ["method", "edges", "first", "top 10", "top 100", "top 1,000", "median", "quartiles"]
    return Table(_TITLE[setting], _TEXT[setting] + extra, columns, lines)


def write(folder: Path, out: Path) -> None:
    """Write the tables of all that is on disk."""
    tables = []
    for setting in _SETTINGS:
        files = sorted(folder.glob(f"{setting}-*.json"))
        rows = [json.loads(file.read_text()) for file in files]
        if rows:
            tables.append(table_of(setting, rows))
    out.write_text("\n".join([_HEAD, machine(), "", *map(str, tables)]), "utf-8")


def main() -> None:
    """Rank what is not ranked yet, and write the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.missing_interactions", description=__doc__
    )
    parser.add_argument("--data", type=Path, help="published data (default: ../shared/data)")
    parser.add_argument("--golden", type=Path, help="published models (default: ../shared/golden)")
    parser.add_argument("--folder", type=Path, default=Path("missing-runs"), help="of results")
    parser.add_argument("--settings", nargs="+", choices=_SETTINGS, default=list(_SETTINGS))
    parser.add_argument("--edges", type=int, default=_EDGES, help="interactions to remove")
    parser.add_argument("--baselines", type=int, default=10, help="error networks to train")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shared = Shared.find(options.data, options.golden)
    if shared.data is None or shared.golden is None:
        parser.error("the published data are not there; name their folders")
    options.folder.mkdir(parents=True, exist_ok=True)
    data, model = reference(shared)
    edges = important_edges(data, model, options.folder)
    for setting in options.settings:
        for number_of, edge in enumerate(edges[: options.edges]):
            file = options.folder / f"{setting}-{edge:03d}.json"
            if file.exists():
                continue
            removed = without_edge(data, model, edge)
            chosen = model_of(setting, removed, options.folder)
            baseline = setting == "posthoc" and number_of < options.baselines
            freedom = 0.0 if setting == "posthoc" else _FREEDOM
            row = ranks(removed, chosen, freedom=freedom, baseline=baseline)
            print(json.dumps(row), flush=True)
            file.write_text(json.dumps(row))
            write(options.folder, options.out)


_HEAD = f"""# Are removed interactions found again?

Written by `python -m benchmarks.missing_interactions`. KEGG network with its reference model,
whose TF activities under {_CONDITIONS} random conditions of {_LIGANDS} ligands are the data.
Removed one at a time: {_EDGES} random interactions out of those whose removal raises the mean
squared error by {_IMPORTANT:g} or more. Ranks are among all pairs that are no interaction, not of a
node with itself and not into a ligand. After a refit, a candidate is ahead if its loss is lower by
more than 1 %; candidates that were not tried come behind those that were, by their gain. Scores of
equal value share the middle of their places.
"""
_TITLE = {
    "posthoc": "Post hoc: the reference model without the interaction",
    "warm": "Fitted without the interaction, from the reference model",
    "scratch": "Fitted without the interaction, from scratch",
}
_TEXT = {
    "posthoc": "All other parameters as they were.",
    "warm": (
        "All weights and biases were refitted to the data without the interaction "
        "(Levenberg-Marquardt, error alone), from those of the reference model. The ranking lets "
        f"them adapt (freedom {_FREEDOM:g})."
    ),
    "scratch": ("`TrainingConfig.synthetic()` from random weights, seed 0; the ranking as above."),
}


if __name__ == "__main__":
    main()
