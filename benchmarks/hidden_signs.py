"""``python -m benchmarks.hidden_signs``: are inferred signs right; writes a table beside it.

Known signs are hidden in five parts, each once. Models are trained without them, from first weights
that do not know them, and asked; so is the wiring. Every finished training is on disk at once, in
``--folder``; another call goes on, and ``--only-table`` writes the table of what is there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.networks import Shared
from benchmarks.report import Table, machine
from benchmarks.sign_witnesses import Study, evidence_of, ligand_screen, synthetic
from lembas_pyg.analysis import hidden_sign_recovery, sign_scores

_RESULTS = Path(__file__).with_name("hidden_signs.md")


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
