"""Which interactions a prediction rests on: PyG's GNNExplainer beside deleting them one by one.

    python examples/pyg/explain_prediction.py [--fast]
    python examples/pyg/explain_prediction.py --network M.tsv --annotation A.tsv \
        --parameters P.tsv --ligands L.tsv --condition NAME --tf CODE

The explainer looks for few edges that *suffice* for the prediction: it multiplies the signal of
every edge by a mask between 0 (deleted) and 1 (as it is). Deletion asks which single edge is
*needed*. Where a signal has several ways to go, the answers differ. Without tables it takes the toy
network.
"""

import argparse
import time
from pathlib import Path

import pandas as pd
import torch
from torch_geometric.explain import Explainer, GNNExplainer

import lembas_pyg as lp
from lembas_pyg.analysis import Response
from lembas_pyg.checkpoint import activation_of, load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions, from_interactions, node_index

TOY = Path(__file__).resolve().parents[1] / "toy"
TABLES = ("network", "annotation", "parameters", "ligands", "condition", "tf")

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
for name in TABLES:
    parser.add_argument(f"--{name}", help="all six, or none for the toy network")
parser.add_argument("--top", type=int, default=10, help="edges to list (default: 10)")
parser.add_argument("--epochs", type=int, default=300, help="of the explainer (default: 300)")
parser.add_argument("--size", type=float, default=1e-4, help="cost of an edge (default: 1e-4)")
parser.add_argument("--seed", type=int, default=0, help="of the first masks (default: 0)")
parser.add_argument("--fast", action="store_true", help="100 epochs")
arguments = parser.parse_args()
missing = [f"--{name}" for name in TABLES if getattr(arguments, name) is None]
if 0 < len(missing) < len(TABLES):
    parser.error(f"{', '.join(missing)} missing; give all six tables and names, or none.")
if arguments.top < 1 or arguments.epochs < 1:
    parser.error("--top and --epochs must be 1 or more.")


class OpenExplainer(GNNExplainer):
    """GNNExplainer that starts from the whole network.

    Masks normally start near one half. Over a path of ten edges a signal is then down to a
    thousandth of itself, and its gradient with it.
    """

    def _initialize_masks(self, x, edge_index):
        super()._initialize_masks(x, edge_index)
        self.edge_mask.data += 3  # sigmoid(3) = 0.95


def read_inputs():
    """Network with conditions, parameter table, names of the condition and the TF."""
    if missing:
        folder, parameters = TOY, ToyNetwork.parameters()
        network, annotation, ligands = (
            folder / f"{name}.tsv" for name in ("network", "annotation", "ligands")
        )
        condition, tf = None, "T1"
    else:
        network, annotation, ligands = arguments.network, arguments.annotation, arguments.ligands
        parameters = lp.io.read_parameters(arguments.parameters)
        condition, tf = arguments.condition, arguments.tf
    graph = from_interactions(lp.io.read_interactions(network), lp.io.read_annotation(annotation))
    data = add_conditions(graph, lp.io.read_conditions(ligands))
    condition = list(data.conditions)[-1] if condition is None else condition
    if condition not in data.conditions:
        some = ", ".join(list(data.conditions)[:5])
        raise ValueError(f"There is no condition '{condition}'; the table has {some}, ...")
    if not data.tf_mask[node_index(data, tf)]:
        raise ValueError(f"'{tf}' is no TF of this network.")
    return data, parameters, condition, tf


def activity(weight):
    """Activity of the TF with other weights; NaN where there is no steady state."""
    point = model.conv.solve(drive, model.edge_index, weight)
    return model.output(point.value)[row, 0] if point.converged.all() else torch.tensor(torch.nan)


def rank_correlation(one, other):
    """Spearman's correlation of two tensors, entries without steady state left out."""
    table = pd.DataFrame({"one": one.numpy(), "other": other.numpy()}).dropna()
    return table["one"].corr(table["other"], method="spearman")


try:
    data, parameters, condition, tf = read_inputs()
    model = lp.LEMBAS(data, act=activation_of(parameters), radius=None, tol=1e-8).double()
    load_parameters(model, parameters).requires_grad_(False)
except (OSError, ValueError) as error:
    parser.error(str(error))

node = node_index(data, tf)
row = int((model.tf_index == node).nonzero())  # among the TFs
x = data.x[:, [data.conditions[condition]]]
drive = model.input(x)

# The explanation. Its size and entropy terms are meant for classifiers, whose losses are about 1;
# squared errors of activities are far smaller.
epochs = 100 if arguments.fast else arguments.epochs
torch.manual_seed(arguments.seed)
started = time.perf_counter()
explainer = Explainer(
    Response(model),
    algorithm=OpenExplainer(epochs=epochs, lr=0.1, edge_size=arguments.size, edge_ent=0.0),
    explanation_type="model",
    edge_mask_type="object",
    model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
)
mask = explainer(x, model.edge_index, index=row).edge_mask
seconds_explaining = time.perf_counter() - started

# The gradient of the same mask at 1, from one adjoint solve: the change to first order.
weight = model.conv.edge_weight.clone().requires_grad_()
full = activity(weight)
slope = torch.autograd.grad(full, weight)[0] * weight.detach()
weight, full = weight.detach(), full.detach()

# The truth: without the edge. Where the slope is exactly 0 no signal comes or goes.
started = time.perf_counter()
effect = torch.zeros_like(weight)
candidates = slope.nonzero().view(-1)
for edge in candidates.tolist():
    effect[edge] = activity(weight.index_fill(0, torch.tensor([edge]), 0.0)) - full
seconds_deleting = time.perf_counter() - started

kept = mask > 0.5
label = data.node_label
print(f"{label[node]} under {condition}: activity {full:.3f}")
print(f"  without any ligand               {float(model(0 * x).y[row]):.3f}")
print(f"  with the {int(kept.sum()):>4} edges of mask > 0.5   {activity(weight * kept):.3f}")
print(f"  with the {int((~kept).sum()):>4} other edges         {activity(weight * ~kept):.3f}\n")

order = mask.argsort(descending=True)[: arguments.top]
rank = effect.nan_to_num().abs().argsort(descending=True).argsort() + 1
print(f"{'edges by mask':<32}{'mask':>6}{'weight':>8}{'if deleted':>12}{'rank of that':>14}")
for edge in order.tolist():
    source, target = (label[i] for i in data.edge_index[:, edge].tolist())
    name = f"{source} {'->' if weight[edge] >= 0 else '-|'} {target}"
    print(f"{name:<32}{mask[edge]:6.2f}{weight[edge]:8.2f}{effect[edge]:+12.4f}{rank[edge]:>14}")

size = effect[candidates].abs()
best = effect.nan_to_num().abs().topk(min(50, len(effect))).indices
print(f"\nRank correlation with the effect of deletion ({len(candidates)} edges that matter):")
print(f"  mask of the explainer            {rank_correlation(mask[candidates], size):.2f}")
print(f"  gradient of the mask at 1        {rank_correlation(slope[candidates].abs(), size):.2f}")
listed = rank_correlation(mask[order], effect[order].abs())
print(f"  {f'mask, the {len(order)} edges listed':<33}{listed:.2f}")
found = int(kept[best].sum())
print(f"Of the {len(best)} edges whose deletion changes most, {found} have a mask > 0.5.")
if lost := int(effect.isnan().sum()):
    print(f"{lost} deletions leave no steady state and are left out.")
print(
    f"\nExplaining took {seconds_explaining:.1f} s ({epochs} epochs), "
    f"deleting {seconds_deleting:.1f} s ({len(candidates)} edges)."
)
