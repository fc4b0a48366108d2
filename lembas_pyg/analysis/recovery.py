"""How much of a known model another one has learnt: its answers, states, weights, knock-outs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch_geometric.data import Data

from lembas_pyg.analysis.knock import knock_out
from lembas_pyg.metrics import pearson_r
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.training import Ensemble

__all__ = ["compare_knock_outs", "compare_models"]

# States that vary less than this over the conditions are not compared.
_STILL = 1e-3


def compare_models(model: LEMBAS, reference: LEMBAS, data: Data) -> tuple[pd.Series, pd.Series]:
    """Pearson correlation of TF activities, states and parameters with those of a known model.

    Parameters of a network are rarely determined by its TF activities, so that states may agree
    where weights do not.

    Args:
        model: The model that was trained.
        reference: The known model, of the same network.
        data: Conditions to ask both for.

    Returns:
        Scores `r` and `mse` of TF activities over all conditions in which both are steady (`steady`
        of all), `r_weights`, `r_biases`, `median_r_states` of the nodes that are neither ligand nor
        TF, which nobody showed the model; and the `r` of the state of every node (by accession)
        that varies by more than 0.001 in the reference, 0 where the model holds it still.

    Raises:
        ValueError: The models are of different networks, or the data are not of theirs.

    References:
        Nilsson et al. (2022), Fig. 5a and SI Fig. 11 d-e.
    """
    if difference := reference.network_difference(data):
        raise ValueError(f"The reference model and the data are of other networks: {difference}")
    said, true = predict(model, data), predict(reference, data)
    steady = said.converged & true.converged
    y, y_true = said.y[:, steady], true.y[:, steady]
    h, h_true = said.h[:, steady], true.h[:, steady]
    varied = (h_true.std(dim=1) > _STILL).nonzero().view(-1).tolist()
    states = {
        reference.node_name[i]: pearson_r(h[i], h_true[i]) if h[i].std() > 0 else 0.0
        for i in varied
    }
    inside = ~(data.ligand_mask | data.tf_mask)
    hidden = [states[reference.node_name[i]] for i in varied if inside[i]]
    parameters = [
        (m.conv.edge_weight.detach().double(), m.conv.bias.detach().double().view(-1))
        for m in (model, reference)
    ]
    r_weights, r_biases = (pearson_r(*pair) for pair in zip(*parameters, strict=True))
    scores = {
        "r": pearson_r(y, y_true),
        "mse": float((y - y_true).square().mean()),
        "r_weights": r_weights,
        "r_biases": r_biases,
        "median_r_states": float(np.median(hidden)) if hidden else np.nan,
        "steady": float(steady.double().mean()),
    }
    return pd.Series(scores), pd.Series(states, name="r").rename_axis("node")


def compare_knock_outs(
    model: LEMBAS | Ensemble,
    reference: LEMBAS,
    data: Data,
    nodes: list[str] | None = None,
    *,
    strength: float = -5.0,
    large: float = 0.01,
) -> tuple[pd.Series, pd.DataFrame]:
    """Knock-outs of a trained model beside those of the known model it learnt from.

    Args:
        model: The model that was trained, or an ensemble.
        reference: The known model.
        data: Conditions to knock out in.
        nodes: Accessions to knock out; those that are neither ligand nor TF if None.
        strength: Input that is added to a node (dimensionless).
        large: Change of TF activity from which on its sign counts (fraction of maximal activity).

    Returns:
        Scores: `r` of the change of TF activity, `r_large` and `sign` (share of equal signs) where
        the reference changes by more than `large`, `large` (share of these), `unsteady` (share of
        changes without a steady state in one of the two, which count in no score); and the table
        of `knock_out` with a column `reference` beside `delta`.

    Raises:
        ValueError: As `lembas_pyg.analysis.knock_out`.

    References:
        Nilsson et al. (2022), Fig. 5c: 253 internal nodes, 100 conditions, strength -5.
    """
    if nodes is None:
        inside = ~(data.ligand_mask | data.tf_mask)
        nodes = [data.node_name[i] for i in inside.nonzero().view(-1).tolist()]
    truth = knock_out(reference, data, nodes, strength=strength)["delta"].to_numpy()
    table = knock_out(model, data, nodes, strength=strength)
    delta = table["delta"].to_numpy()
    steady = np.isfinite(truth) & np.isfinite(delta)
    true, said = truth[steady], delta[steady]
    is_large = np.abs(true) > large
    scores = {
        "r": np.corrcoef(true, said)[0, 1],
        "r_large": np.corrcoef(true[is_large], said[is_large])[0, 1],
        "sign": (np.sign(true) == np.sign(said))[is_large].mean(),
        "large": is_large.mean(),
        "unsteady": 1 - steady.mean(),
    }
    return pd.Series(scores), table.assign(reference=truth)
