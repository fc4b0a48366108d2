"""``python -m benchmarks.missing_interactions``: are removed interactions found again?

Of the reference model of the KEGG network, important interactions are removed one at a time; the
data are those of the whole model. Writes ``benchmarks/missing_interactions.md``. What was fitted or
ranked is on disk at once, in ``--folder``; another call goes on.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from benchmarks.networks import Shared
from benchmarks.removed_interactions import (
    CONDITIONS,
    EDGES,
    IMPORTANT,
    LIGANDS,
    MAX_STEPS,
    SETTINGS,
    TOL,
    Removed,
    important_edges,
    model_of,
    reference,
    without_edge,
)
from benchmarks.report import Table, machine, number
from lembas_pyg.analysis import error_network, score_missing_interactions, structure_scores
from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.gain import gain_rows, linearise
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.nn import LEMBAS

_RESULTS = Path(__file__).with_name("missing_interactions.md")
_FREEDOM = 0.01
_STRUCTURE = "adamic_adar", "resource_allocation", "preferential_attachment", "paths"


def ranks(removed: Removed, model: LEMBAS, *, freedom: float = 0.0) -> dict[str, Any]:
    """Where every method has the removed interaction among all candidates."""
    data, started = removed.data, time.perf_counter()
    generator = torch.Generator().manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # conditions without a steady state are left out
        found = score_missing_interactions(
            model, data, top=None, freedom=freedom, generator=generator
        )
        seconds = time.perf_counter() - started
        problem = make_problem(model, data, tol=TOL, max_steps=MAX_STEPS)
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


def ranks_of_error_network(removed: Removed) -> dict[str, float]:
    """Ranks of the pair and its target by the method of the paper, post hoc."""
    generator = torch.Generator().manual_seed(0)
    table = error_network(removed.model, removed.data, generator=generator)
    own = ((table["source"] == removed.source) & (table["target"] == removed.target)).to_numpy()
    targets = table["target"].drop_duplicates().tolist()
    is_target = removed.target in targets
    return {
        # What it does not list, such as a source that reacts to the target, comes last.
        "error network": float(own.argmax() + 1 if own.any() else len(table) + 1),
        "error network, target": float(
            targets.index(removed.target) + 1 if is_target else len(targets) + 1
        ),
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
    for setting in SETTINGS:
        files = sorted(folder.glob(f"{setting}-*.json"))
        rows = [json.loads(file.read_text()) for file in files]
        for row in rows if setting == "posthoc" else []:
            baseline = folder / f"baseline-{row['edge']:03d}.json"
            row |= json.loads(baseline.read_text()) if baseline.exists() else {}
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
    parser.add_argument("--settings", nargs="*", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--edges", type=int, default=EDGES, help="interactions to remove")
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
        for edge in edges[: options.edges]:
            file = options.folder / f"{setting}-{edge:03d}.json"
            if not file.exists():
                removed = without_edge(data, model, edge)
                chosen = model_of(setting, removed, options.folder)
                freedom = 0.0 if setting == "posthoc" else _FREEDOM
                _keep(ranks(removed, chosen, freedom=freedom), file)
                write(options.folder, options.out)
    for edge in edges[: options.baselines]:
        file = options.folder / f"baseline-{edge:03d}.json"
        if not file.exists():
            _keep(ranks_of_error_network(without_edge(data, model, edge)), file)
    write(options.folder, options.out)


def _keep(row: dict[str, Any], file: Path) -> None:
    print(json.dumps(row), flush=True)
    file.write_text(json.dumps(row))


_HEAD = f"""# Are removed interactions found again?

Written by `python -m benchmarks.missing_interactions`. KEGG network with its reference model,
whose TF activities under {CONDITIONS} random conditions of {LIGANDS} ligands are the data.
Removed one at a time: {EDGES} random interactions out of those whose removal raises the mean
squared error by {IMPORTANT:g} or more. Ranks are among all pairs that are no interaction, not of a
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
