"""Find an interaction that the network lacks, and add it.

    python examples/missing_interaction.py

The toy network loses S1 -| S2, but the measurements are those of the whole network. Which of all
pairs of nodes would explain the difference?
"""

import pandas as pd
import torch

import lembas_pyg as lp
from lembas_pyg.nn import enlarge
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.transforms import ImputeInteractions

HIDDEN = ("S1", "S2")
COLUMNS = ["rank", "source", "target", "sign", "weight", "gain", "loss", "loss_after", "ties"]


def main():
    """Hide an interaction, look for it among all pairs and among those of a table, and add it."""
    whole = lp.datasets.ToyNetwork()[0]
    table = lp.datasets.ToyNetwork.parameters()
    reference = lp.checkpoint.load_parameters(lp.LEMBAS(whole).double(), table)
    measured = measure(reference, whole, grid_stimuli(["L1", "L2"], 8, low=0.05))
    data = without(measured, *HIDDEN)
    lost = (table["Source"] == HIDDEN[0]) & (table["Target"] == HIDDEN[1])
    model = lp.checkpoint.load_parameters(lp.LEMBAS(data).double(), table[~lost])
    print(f"Mean squared error without {' -| '.join(HIDDEN)}: {error(model, data):.2e}\n")

    found = lp.analysis.score_missing_interactions(model, data, top=6)
    print("Best of all pairs:")
    print(found[COLUMNS].to_string(index=False, float_format="{:.3g}".format))

    graph = lp.analysis.structure_scores(data, found[["source", "target"]])
    print("\nWhat the graph alone says of them:")
    print(graph[["source", "target", "adamic_adar", "paths"]].to_string(index=False))

    together = lp.analysis.fit_sparse(model, data, found, l1=0.1)
    print("\nFitted together, with a price on each:")
    print(together[["source", "target", "sparse_weight"]].to_string(index=False))

    prior = pd.DataFrame({"source": ["S1", "R1", "T1"], "target": ["S2", "T1", "R2"]})
    chosen = lp.analysis.score_missing_interactions(model, data, candidates=prior)
    print("\nBest of a table of candidates:")
    print(chosen[COLUMNS].to_string(index=False, float_format="{:.3g}".format))

    larger = ImputeInteractions(found, top=1)(data)
    repaired = enlarge(model, larger, float(found["weight"].iloc[0]))
    print(f"\nMean squared error with the best one added: {error(repaired, larger):.1e}")
    added = lp.network.curation_report(larger).iloc[-1]
    print(f"Evidence kept for {added['source']} -> {added['target']}: {added['detail']}")


def without(data, source, target):
    """The network and its conditions without one interaction."""
    name = data.node_name
    kept = [(name[s], name[t]) != (source, target) for s, t in data.edge_index.t().tolist()]
    out, mask = data.clone(), torch.tensor(kept)
    out.edge_index = data.edge_index[:, mask]
    out.edge_sign, out.edge_id = data.edge_sign[mask], data.edge_id[mask]
    return out


def error(model, data):
    """Mean squared error of the TF activities at the steady state."""
    prediction = lp.predict(model, data)
    return float((prediction.y - data.y[data.tf_mask]).square().mean())


if __name__ == "__main__":
    main()
