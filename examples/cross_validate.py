"""Train, ask held-out conditions, compare with models without a network, knock out: toy network."""

from dataclasses import replace
from pathlib import Path

import lembas_pyg as lp

tables = Path(__file__).parent / "toy"
interactions = lp.io.read_interactions(tables / "network.tsv")
annotation = lp.io.read_annotation(tables / "annotation.tsv")
data = lp.network.from_interactions(interactions, annotation)
ligands, tfs = (lp.io.read_conditions(tables / f"{name}.tsv") for name in ("ligands", "tfs"))
data = lp.network.add_conditions(data, ligands, tfs)

config = replace(lp.TrainingConfig.toy(), epochs=200)  # the preset has 1,000
folds = lp.training.k_fold(data, 3)
# Members that are trained are on disk at once; after an interruption the same call goes on.
found = lp.cross_validate(data, folds, config, members=2, folder="cross-validation")
print(found.scores[["model", "r", "mse", "fold_worst"]].round(4).to_string(index=False))

ensemble, data = lp.training.load_members("cross-validation", data)
held_out = found.predictions
missed = (held_out["predicted"] - held_out["measured"]).abs()
print("\nHeld-out conditions that are missed most:")
print(held_out.loc[missed.nlargest(3).index].round(3).to_string(index=False))

effects = lp.analysis.knock_out(ensemble, data)
print("\nKnock-outs by the median of the six models:")
print(lp.analysis.rank_knock_outs(effects, "T1", data=data).head(3).round(3).to_string(index=False))
