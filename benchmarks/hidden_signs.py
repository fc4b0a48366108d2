"""``python -m benchmarks.hidden_signs``: are inferred signs right; writes a table beside it.

Known signs are hidden in five parts, each once. Models are trained without them, from first weights
that do not know them, and asked; so is the wiring. Every finished training is on disk at once, in
``--folder``; another call goes on, and ``--only-table`` writes the table of what is there.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch_geometric.data import Data

from benchmarks.networks import Shared
from benchmarks.report import Table, machine
from lembas_pyg import checkpoint
from lembas_pyg.analysis import hidden_sign_recovery, hide_signs, sign_folds, sign_scores
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

_RESULTS = Path(__file__).with_name("hidden_signs.md")
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


def stacked(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Log-odds of activation from several witnesses; each part by a regression on the others."""
    features = table[names].fillna(0.0).to_numpy()
    features = features / features.std(axis=0).clip(min=1e-12)
    if "importance" not in names:  # a weight may say more where it matters
        rank = table["importance"].rank(pct=True).to_numpy()[:, None]
        features = np.hstack([features, features * rank])
    score = np.full(len(table), np.nan)
    for number in table["fold"].unique():
        test = (table["fold"] == number).to_numpy()
        model = LogisticRegression(class_weight="balanced", C=1.0, max_iter=1000)
        model.fit(features[~test], table["sign"][~test] > 0)
        score[test] = model.decision_function(features[test])
    return score


_SPOKEN = {
    "members": "mean weight of all members, opposite random starts",
    "one_member": "weight of one member, random start",
    "members_unanimous": "the same members, where all agree",
    "members_by_effect": "the same, each sign weighted with its effect",
    "change": "mean change of the weight from its start",
    "positive": "weight of one ordinary member (unknown starts positive)",
    "zero": "weight of one member that starts from 0",
    "gradient": "gradient at weight 0, trained without the interactions",
    "flip": "loss with the other sign refitted (40 strongest a part)",
    "members_stacked": "mean weight, change, start from 0 and gradient, logistic regression",
    "wiring": "wiring alone (signs of similar interactions)",
    "wiring_likely": "wiring alone, the more likely sign",
    "wiring_and_members": "wiring and members, logistic regression",
}


def score_rows(table: pd.DataFrame) -> list[list[str]]:
    """Rows of the main table."""
    table = table.copy()
    data_columns = [c for c in ("members", "change", "zero", "gradient") if c in table]
    table["members_stacked"] = stacked(table, data_columns)
    table["wiring_and_members"] = stacked(table, [*data_columns, "wiring", "wiring_likely"])
    names = [name for name in _SPOKEN if name in table]
    rows = []
    for _, row in sign_scores(table, names).iterrows():
        rows.append([_SPOKEN[row["evidence"]], *_texts(row)])
    return rows


def _texts(row: pd.Series) -> list[str]:
    return [
        f"{row['answered']:,.0f}",
        *(
            f"{row[name]:.2f} ({row[f'{name}_low']:.2f}-{row[f'{name}_high']:.2f})"
            for name in ("activations", "inhibitions")
        ),
        f"**{row['balanced_accuracy']:.3f}** ({row['balanced_accuracy_low']:.3f}-"
        f"{row['balanced_accuracy_high']:.3f})",
        f"{row['auc']:.3f}",
    ]


def importance_rows(table: pd.DataFrame) -> list[list[str]]:
    """The same for the interactions that matter most to the members."""
    order = table["importance"].rank(ascending=False, pct=True)
    rows = []
    for share in (0.02, 0.05, 0.1, 0.25, 0.5, 1.0):
        part = table[order <= share]
        for name in ("members", "members_unanimous", "gradient", "wiring"):
            if name in part:
                row = sign_scores(part, name).iloc[0]
                rows.append([f"{share:.0%}", _SPOKEN[name], *_texts(row)])
    return rows


def wiring_rows(study: Study) -> list[list[str]]:
    """The wiring alone, by what is hidden together."""
    spoken = {
        "edge": "single interactions",
        "source": "all of a source",
        "target": "all of a target",
    }
    rows = []
    for by, words in spoken.items():
        found = hidden_sign_recovery(study.data, study.config, members=0, by=by)
        rows.append([words, *_texts(sign_scores(found).iloc[0])])
    return rows


def main() -> None:
    """Train what is missing and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hidden_signs", description=__doc__)
    parser.add_argument("--data", type=Path, help="published data (default: ../shared/data)")
    parser.add_argument("--folder", type=Path, default=Path("sign-runs"), help="of trained models")
    parser.add_argument("--only-table", action="store_true", help="train nothing")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shared = Shared.find(options.data)
    if shared.data is None:
        parser.error("the published data are not there; name their folder with --data")
    base = str(shared.data / "lembas/networks")
    columns = ["evidence", "answered", "activations", "inhibitions", "balanced accuracy", "AUC"]
    tables: list[Table] = []
    for study in (ligand_screen(f"{base}/ligandScreen"), synthetic(f"{base}/KEGGnet")):
        title = study.name.replace("-", " ").capitalize()
        rows = wiring_rows(study)
        hidden = ["hidden together", *columns[1:]]
        tables.append(Table(f"{title}: the wiring", _TEXT["wiring"], hidden, rows))
        parts = list(evidence_of(study, options.folder, options.only_table))
        if parts:
            table = pd.concat(parts, ignore_index=True)
            text = _TEXT[study.name].format(parts=len(parts), hidden=len(table))
            tables.append(Table(f"{title}: every witness", text, columns, score_rows(table)))
            tables.append(
                Table(
                    f"{title}: the interactions that matter",
                    _TEXT["importance"],
                    ["most important", *columns],
                    importance_rows(table),
                )
            )
        options.out.write_text("\n".join([_HEAD, machine(), "", *map(str, tables)]), "utf-8")


_HEAD = """# Are inferred signs right?

Written by `python -m benchmarks.hidden_signs`. Every known sign is hidden once, in five parts, and
asked for. Balanced accuracy is the mean of the shares of activations and of inhibitions that are
right: 0.5 is chance, and what "activation" for everything scores. In brackets 95 % confidence:
Wilson for the shares, bootstrap over interactions for their mean; both take interactions for
independent, which those of one family are not, so that the wiring's are too narrow.
"""
_TEXT = {
    "ligand-screen": (
        "Ligand screen, `TrainingConfig.ligand_screen()`, surrogate variable told; {parts} parts, "
        "{hidden:,} hidden signs."
    ),
    "synthetic": (
        "Positive control: 400 conditions of the reference model of the KEGG network, "
        "`TrainingConfig.synthetic()` with 150 epochs, two members; {parts} parts, "
        "{hidden:,} hidden signs. Its weights have the signs that are hidden, and the data are "
        "without noise."
    ),
    "importance": "By the mean effect of a deletion on a TF, to first order, over the members.",
    "wiring": (
        "The sign as that of most similar interactions of known sign, against their base rate; no "
        "measurement enters. Hidden at random, or with all known signs of the same source or "
        "target."
    ),
}


if __name__ == "__main__":
    main()
