"""The page of a run: its network to walk through, activities, scores and stability."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis import describe_network
from lembas_pyg.io.replace import FilePath, replace_file
from lembas_pyg.report import page
from lembas_pyg.report.cross_validation import (
    member_sections,
    score_sections,
    settings_section,
)
from lembas_pyg.report.findings import Findings
from lembas_pyg.report.network_data import (
    heat_data,
    knock_out_data,
    network_data,
    path_data,
    state_data,
)
from lembas_pyg.report.packing import script_json
from lembas_pyg.report.run_folder import RunFolder
from lembas_pyg.report.training import training_section

__all__ = ["write_run_report"]

_SCRIPTS = ("data", "tables", "network", "graph", "details", "heat", "main")
# A page that asks nothing of anybody: no address is reached, only what is in the file.
_HEAD = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
)
_NOT_SCORED = {
    "train": "A training holds nothing out, so there are no scores beside baselines: how well the "
    "model predicts conditions it has not seen is not known. `lembas-pyg cross-validate` tells.",
    "cross-validate": "The cross-validation is not finished, so it has no scores yet. Go on with "
    "`lembas-pyg cross-validate --resume`.",
    "ensemble": "The folder holds members alone, without scores.",
}


def write_run_report(
    path: FilePath,
    run: RunFolder,
    data: Data,
    findings: Findings,
    interactions: pd.DataFrame | None = None,
) -> Path:
    """Write one HTML file to look at a run: it needs no network access, and no other file.

    The network with search, neighbourhoods, states, knock-outs, evidence and paths; a heat map of
    TF activities; scores beside baselines; convergence and stability. What was not asked, or the
    run does not have, is said to be absent.

    Args:
        path: File to write or replace.
        run: The run, from `read_run`.
        data: Network with conditions that the models of the run are of.
        findings: What the models say, from `explore`.
        interactions: The table the network was made from, for resources and references.

    Returns:
        The path.

    Raises:
        OSError: The file cannot be written.
        ValueError: The interaction table is that of another network, or a table of the run lacks
            a column.
    """
    predictions = _predictions(run, data, findings)
    heat = None if predictions is None else heat_data(data, predictions)
    content = {
        **network_data(data, interactions),
        **state_data(findings.states),
        "knockOuts": (
            None if findings.knock_outs is None else knock_out_data(data, findings.knock_outs)
        ),
        "paths": None if findings.paths is None else path_data(data, findings.paths),
        "heat": heat,
    }
    title = f"Report of {run.path.resolve().name}"
    sections = [
        f"<header><h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(_summary(run, data, findings))}</p>",
        '<nav><a href="#network">Network</a> <a href="#activities">TF activities</a> '
        '<a href="#scores">Scores</a> <a href="#stability">Convergence and stability</a> '
        '<a href="#run">What was run</a></nav></header>',
        page.asset("assets/explorer.html"),
        *_unexplained_part(findings, data),
        _section("activities", "TF activities", _heat_section(run, heat)),
        _section("scores", "How well it predicts", _score_part(run)),
        _section(
            "stability",
            "Steady states and stability",
            [*_stability_part(findings, data), *_training_part(run)],
        ),
        _section("run", "", _run_part(run, data)),
        f'<script type="application/json" id="content">{script_json(content)}</script>',
        f"<script>{page.asset('vendor/cytoscape.min.js')}</script>",
        *(f"<script>\n{page.asset(f'assets/{name}.js')}</script>" for name in _SCRIPTS),
    ]
    with replace_file(path) as file:
        file.write(page.document(title, sections, ["explorer.css"], _HEAD).encode("utf-8"))
    return Path(path)


def _section(name: str, title: str, parts: list[str]) -> str:
    heading = f"<h2>{html.escape(title)}</h2>\n" if title else ""
    return f'<section id="{name}">\n{heading}' + "\n".join(parts) + "\n</section>"


def _summary(run: RunFolder, data: Data, findings: Findings) -> str:
    """What the page is of, in two sentences."""
    members = findings.states.members
    what = {
        "train": "One trained model",
        "cross-validate": f"{members:,} members of a cross-validation, each trained without the "
        "conditions of its fold,",
        "ensemble": f"An ensemble of {members:,} models",
    }[run.kind]
    network = _without_covariates(data)
    text = (
        f"{what} of a network of {network.num_nodes:,} nodes and {network.num_edges:,} "
        f"interactions, under {len(data.conditions):,} conditions."
    )
    added = data.num_nodes - network.num_nodes
    if added:
        text += f" {added} covariate{'s act' if added > 1 else ' acts'} on all nodes besides."
    if members > 1:
        text += " Numbers are medians over the members with a steady state."
    return text


def _unexplained_part(findings: Findings, data: Data) -> list[str]:
    """Effects without a path to show, and why; nothing where all have one."""
    if not findings.unexplained:
        return []
    table = pd.DataFrame(findings.unexplained)
    label = dict(zip(data.node_name, data.node_label, strict=True))
    for name in ("ligand", "tf"):
        table[name] = table[name].map(label)
    few = len(table) == 1
    asked = len(table) + len(findings.paths or ())
    text = (
        f"{len(table)} of {asked} effects that were to be explained {'has' if few else 'have'} no "
        f"path to show."
    )
    columns = {"ligand": "ligand", "tf": "TF", "condition": "condition", "reason": "why"}
    listed = page.table(table, columns)
    return [page.note(text), f"<details><summary>Which, and why</summary>{listed}</details>"]


def _predictions(run: RunFolder, data: Data, findings: Findings) -> pd.DataFrame | None:
    """Held-out predictions of the run, or else what the models say of measured conditions."""
    if "predictions" in run.tables:
        return run.tables["predictions"]
    if "y" not in data:
        return None
    tfs = [data.node_name[i] for i in data.tf_mask.nonzero().view(-1).tolist()]
    return pd.DataFrame(
        {
            "fold": 0,
            "condition": np.repeat(list(data.conditions), len(tfs)),
            "tf": np.tile(tfs, len(data.conditions)),
            "measured": data.y[data.tf_mask].double().T.reshape(-1).numpy(),
            "predicted": findings.states.activity.T.reshape(-1),
        }
    )


def _heat_section(run: RunFolder, heat: dict[str, Any] | None) -> list[str]:
    """A place for the heat map, and what it shows."""
    if heat is None:
        return [page.note("No TF activity was measured in the conditions given.")]
    held_out = "predictions" in run.tables
    which = "of held-out conditions" if held_out else "of the conditions the model was fitted to"
    return [
        page.note(
            f"Measured and predicted activities {which}, as fractions of the maximum, ordered by "
            "clustering the measured ones. Point at a cell for its numbers; a click opens the TF "
            "under this condition in the network above."
        ),
        '<div id="heat" class="scroll"></div>',
    ]


def _score_part(run: RunFolder) -> list[str]:
    """Scores beside baselines, or why there are none."""
    tables = run.tables
    if not {"predictions", "scores", "fold_scores", "members"} <= set(tables):
        lines = [page.note(_NOT_SCORED[run.kind])]
        told = {
            "setting": list(run.summary),
            "value": [
                page.number(value) if isinstance(value, float) else str(value)
                for value in run.summary.values()
            ],
        }
        if run.summary:
            columns = {"setting": "of the training", "value": "value"}
            lines.append(page.table(pd.DataFrame(told), columns))
        return lines
    return score_sections(
        tables["predictions"],
        tables["scores"],
        tables["fold_scores"],
        tables["members"],
        run.settings,
        tables.get("null_comparisons"),
        heat_map=False,
    )


def _stability_part(findings: Findings, data: Data) -> list[str]:
    """Which steady states were found, and how fast a deviation from them dies out."""
    states = findings.states
    found = states.converged.sum(axis=0)
    table = pd.DataFrame(
        {
            "condition": list(data.conditions),
            "steady": found,
            "residual": states.residual.max(axis=0),
        }
    )
    columns = {
        "condition": "condition",
        "steady": f"members with a steady state (of {states.members})",
        "residual": "largest residual",
    }
    lacking = int((found < states.members).sum())
    text = (
        "Every model has a steady state in every condition."
        if not lacking
        else f"In {lacking} of {len(table)} conditions a model has no steady state; its numbers "
        "are left out there."
    )
    if findings.stability is not None:
        rows = findings.stability.set_index("condition").loc[table["condition"]]
        table["radius"] = rows["radius"].to_numpy()
        columns["radius"] = "spectral radius"
        if "spread" in rows:
            table["spread"] = rows["spread"].to_numpy()
            columns["spread"] = "spread"
        table["time_scale"] = rows["time_scale"].to_numpy()
        columns["time_scale"] = "time scale (steps)"
        worst = table["radius"].max()
        text += (
            f" The largest spectral radius of a condition is {page.number(float(worst))}: a small "
            "deviation from the steady state shrinks by this factor a step, and grows from 1 on."
        )
    parts = [f"<p>{html.escape(text)}</p>"]
    if findings.stability is None:
        parts.append(page.note("Spectral radii were not asked for (--without stability)."))
    listed = page.table(table, columns)
    return [*parts, f"<details><summary>All conditions</summary>{listed}</details>"]


def _training_part(run: RunFolder) -> list[str]:
    """How the members were trained, and whether they converged."""
    tables = run.tables
    if {"predictions", "members"} <= set(tables):
        return member_sections(
            tables["predictions"], tables["members"], run.settings, tables.get("histories")
        )
    if "histories" in tables:
        one = pd.DataFrame({"fold": [0], "member": [0]})
        return training_section(tables["histories"], one, run.settings)
    return ["<h2>Training</h2>", page.note("The course of training was not kept.")]


def _run_part(run: RunFolder, data: Data) -> list[str]:
    """What was run, and the network in numbers."""
    tables = run.tables
    if {"predictions", "members"} <= set(tables):
        parts = settings_section(tables["predictions"], tables["members"], run.settings)
    else:
        settings = pd.DataFrame(
            {"setting": list(run.settings), "value": [str(v) for v in run.settings.values()]}
        )
        listed = page.table(settings, {"setting": "setting", "value": "value"})
        parts = ["<h2>What was run</h2>"]
        parts.append(listed if len(settings) else page.note("The run does not say."))
    numbers = describe_network(_without_covariates(data))
    counted = pd.DataFrame(
        {"what": list(numbers), "value": [page.number(value) for value in numbers.values()]}
    )
    listed = page.table(counted, {"what": "network", "value": "value"})
    return [*parts, f"<details><summary>The network in numbers</summary>{listed}</details>"]


def _without_covariates(data: Data) -> Data:
    """The network of the tables, without what was added for training."""
    return data.subgraph(~data.covariate_mask) if "covariate_mask" in data else data
