"""What is asked for the signs of hidden interactions: trained members, gradients, the wiring."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg import checkpoint
from lembas_pyg.analysis import hide_signs, sign_folds
from lembas_pyg.analysis.adjoint import tf_adjoints
from lembas_pyg.analysis.sign_ensemble import undecided_model
from lembas_pyg.analysis.sign_prior import sign_prior
from lembas_pyg.analysis.signs import infer_signs
from lembas_pyg.io import read_annotation, read_conditions, read_interactions, read_parameters
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import prepare
from lembas_pyg.surrogate import SURROGATE, add_covariate, find_surrogate
from lembas_pyg.synthetic import measure, random_stimuli
from lembas_pyg.training import Ensemble, TrainingConfig, fit

_FOLDS = 5
# Hidden interactions whose weight is refitted with the other sign, a fold, and the weights tried,
# relative to the one it has.
_FLIPPED, _TRIED = 40, (-2.0, -1.0, -0.5, -0.25, 0.0, 1.0)
_TOL = 1e-9


class Study(NamedTuple):
    """A network with measurements, and how it is trained.

    `members` are counted by what their hidden interactions start from; those without them
    (``"absent"``) tell the gradient at weight 0.
    """

    name: str
    data: Data
    config: TrainingConfig
    conditions: list[str]
    members: dict[str, int]


def ligand_screen(base: str) -> Study:
    """The published screen, its surrogate variable told."""
    data = from_interactions(
        read_interactions(f"{base}-Model.tsv"), read_annotation(f"{base}-Annotation.tsv")
    )
    data = add_conditions(
        data, read_conditions(f"{base}-Ligands.tsv"), read_conditions(f"{base}-TFs.tsv")
    )
    data = add_covariate(data, SURROGATE, find_surrogate(data).value)
    members = {"random": 4, "absent": 1, "zero": 1, "positive": 1}
    return Study(
        "ligand-screen", data, TrainingConfig.ligand_screen(), list(data.conditions), members
    )


def synthetic(base: str) -> Study:
    """400 made-up conditions of the KEGG network, whose reference model knows the truth."""
    data = from_interactions(
        read_interactions(f"{base}-Model.tsv"), read_annotation(f"{base}-Annotation.tsv")
    )
    truth = checkpoint.load_parameters(
        LEMBAS(data).double(), read_parameters(f"{base}-Parameters.txt")
    )
    ligands = [data.node_name[i] for i in data.ligand_mask.nonzero().view(-1).tolist()]
    stimuli = random_stimuli(ligands, 400, 5, generator=torch.Generator().manual_seed(0))
    config = dataclasses.replace(TrainingConfig.synthetic(), epochs=150)
    data = measure(truth, data, stimuli)
    members = {"random": 2, "absent": 1}
    return Study("synthetic", data, config, list(data.conditions)[:100], members)


def without(data: Data, gone: Tensor) -> Data:
    """A copy without some interactions."""
    out = copy.copy(data)
    for key in [key for key in data.keys() if key.startswith("edge_")]:
        out[key] = data[key][..., ~gone]
    return out


def trained(study: Study, hidden: Data, start: str, number: int, folder: Path) -> LEMBAS:
    """One member, trained or from disk."""
    model = undecided_model(
        hidden, study.config, number, start="random" if start == "absent" else start
    )
    file = folder / f"{start}-{number}.safetensors"
    if file.exists():
        return checkpoint.load(model, file)
    seed = study.config.seed + number
    fit(model, hidden, dataclasses.replace(study.config, seed=seed), progress=False)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(model, file)
    print(file, flush=True)
    return model


def gradient_at_zero(model: LEMBAS, data: Data, study: Study, edges: Tensor) -> np.ndarray:
    """Minus the gradient of the loss for the weight of absent interactions, over its curvature.

    Gauss-Newton: with r the residuals and u^t the adjoint of TF t, the signed root of the gain
    (sum r u h)^2 / sum (u h)^2.
    """
    exact, columns = prepare(model, data, study.conditions, _TOL, 20_000)
    place = list(columns.values())
    x, measured = data.x[:, place].double(), data.y[data.tf_mask][:, place].double()
    with torch.no_grad():
        h = exact.steady_state(x).value
        rest = (measured - exact.output(h)).nan_to_num()
    source, target = edges
    gain, size = torch.zeros(2, edges.size(1), dtype=torch.double)
    for block in tf_adjoints(exact, exact.slope(h, x)):
        state = h[source][:, block.conditions]
        pull = torch.einsum("nts,ts->ns", block.u, rest[:, block.conditions])
        gain += (pull[target] * state).sum(dim=1)
        size += (block.u.square().sum(dim=1)[target] * state.square()).sum(dim=1)
    return (gain / size.clamp(min=1e-30).sqrt()).numpy()


def by_flipping(model: LEMBAS, data: Data, study: Study, edges: list[int]) -> list[float]:
    """Rise of the loss when a weight has the other sign, with its sign; the size is refitted."""
    exact, columns = prepare(model, data, study.conditions, _TOL, 20_000)
    place = list(columns.values())
    x, measured = data.x[:, place].double(), data.y[data.tf_mask][:, place].double()
    weight, found = exact.conv.edge_weight, []
    with torch.no_grad():
        start = exact.steady_state(x).value
        for edge in edges:
            own, losses = float(weight[edge]), []
            for factor in _TRIED:
                weight[edge] = factor * own
                point = exact.steady_state(x, start=start)
                error = (exact.output(point.value) - measured).square().nanmean()
                losses.append(float(error) if bool(point.converged.all()) else np.inf)
            weight[edge] = own
            other, kept = min(losses[:-2]), min(losses[-2:])
            found.append(float(np.sign(own) * (other - kept)))
    return found


def evidence_of(study: Study, folder: Path, only_table: bool) -> Iterator[pd.DataFrame]:
    """All evidence on the hidden signs, part by part."""
    data = study.data
    generator = torch.Generator().manual_seed(study.config.seed)
    fold = sign_folds(data, _FOLDS, generator=generator)
    for start, members in study.members.items():  # the most important first, over all parts
        for number in range(_FOLDS):
            hidden = hide_signs(data, fold == number)
            if start == "absent":
                hidden = without(data, fold == number)
            place = folder / study.name / f"part-{number}"
            for member in range(members):
                if not only_table:
                    trained(study, hidden, start, member, place)
    for number in range(_FOLDS):
        place = folder / study.name / f"part-{number}"
        if (place / f"random-{study.members['random'] - 1}.safetensors").exists():
            yield _evidence(study, fold == number, place).assign(fold=number)


def _evidence(study: Study, asked: Tensor, folder: Path) -> pd.DataFrame:
    """Evidence on the hidden signs of one part, from what is on disk."""
    cached = folder / "evidence.pkl"
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    if cached.exists():
        table = pd.read_pickle(cached)
        if table.attrs["files"] == files:
            return table
    data, hidden = study.data, hide_signs(study.data, asked)
    edges = asked.nonzero().view(-1)
    count = range(study.members["random"])
    of = [undecided_model(hidden, study.config, n).conv.edge_weight.detach() for n in count]
    members = [trained(study, hidden, "random", number, folder) for number in count]
    found = infer_signs(Ensemble(members), hidden, study.conditions)
    found = found.set_index("edge").loc[edges.numpy()]
    table = pd.DataFrame({"edge": edges.numpy(), "sign": data.edge_sign[edges].numpy()})
    for name in ("source", "target", "importance"):
        table[name] = found[name].to_numpy()
    table["members"] = found["weight"].to_numpy()
    table["members_by_effect"] = found["evidence"].to_numpy()
    unanimous = found["agreement"].to_numpy() == 1
    table["members_unanimous"] = np.where(unanimous, table["members"], np.nan)
    change = torch.stack(
        [m.conv.edge_weight.detach() - w for m, w in zip(members, of, strict=True)]
    )
    table["change"] = change.mean(dim=0)[edges].numpy()
    table["one_member"] = members[0].conv.edge_weight.detach()[edges].numpy()
    for start in ("zero", "positive"):
        if f"{start}-0.safetensors" in files:
            model = trained(study, hidden, start, 0, folder)
            table[start] = model.conv.edge_weight.detach()[edges].numpy()
    absent = [n for n in range(study.members["absent"]) if f"absent-{n}.safetensors" in files]
    if absent:
        rest = without(data, asked)
        gradient = np.stack(
            [
                gradient_at_zero(
                    trained(study, rest, "absent", number, folder),
                    rest,
                    study,
                    data.edge_index[:, edges],
                )
                for number in absent
            ]
        )
        table["gradient"] = gradient.mean(axis=0)
    top = table["importance"].to_numpy().argsort()[::-1][:_FLIPPED]
    flipped = [by_flipping(m, hidden, study, edges[top.copy()].tolist()) for m in members[:2]]
    table["flip"] = np.nan
    table.loc[top, "flip"] = np.mean(flipped, axis=0)
    wiring = sign_prior(hidden)[edges].numpy()
    table["wiring"] = wiring - float((hidden.edge_sign > 0).sum() / (hidden.edge_sign != 0).sum())
    table["wiring_likely"] = wiring - 0.5
    table.attrs["files"] = files
    table.to_pickle(cached)
    return table
