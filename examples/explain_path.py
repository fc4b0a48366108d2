"""What a trained model is sensitive to, and by which interactions a ligand acts on a TF.

    python examples/explain_path.py
    python examples/explain_path.py --network M.tsv --annotation A.tsv --parameters P.tsv \
        --ligands L.tsv --ligand CODE --tf CODE --condition NAME

Without tables it takes the toy network, of which the answer can be seen on its drawing. Files go to
the folder `paths/`.
"""

import argparse
from pathlib import Path

import lembas_pyg as lp
from lembas_pyg.checkpoint import activation_of, load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions, from_interactions, to_annotation, to_interactions

TOY = Path(__file__).parent / "toy"
OUT = Path("paths")
NAMES = ("network", "annotation", "parameters", "ligands", "ligand", "tf", "condition")

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
for name in NAMES:
    parser.add_argument(f"--{name}", help="all seven, or none for the toy network")
arguments = parser.parse_args()
given = [name for name in NAMES if getattr(arguments, name) is not None]
if given and len(given) < len(NAMES):
    parser.error("give all seven tables and names, or none.")


def read(name):
    """The table that was given, or that of the toy network."""
    return getattr(arguments, name) or TOY / f"{name}.tsv"


interactions = lp.io.read_interactions(read("network"))
data = from_interactions(interactions, lp.io.read_annotation(read("annotation")))
data = add_conditions(data, lp.io.read_conditions(read("ligands")))
parameters = lp.io.read_parameters(arguments.parameters) if given else ToyNetwork.parameters()
model = load_parameters(lp.LEMBAS(data, activation_of(parameters)).double(), parameters)
ligand, tf = arguments.ligand or "L2", arguments.tf or "T1"
condition = arguments.condition or list(data.conditions)[-1]

# How sensitive is every TF to every node? One row a node and TF, of its strongest condition.
table = lp.analysis.sensitivity(model, data, strongest=True)
hubs = lp.analysis.hubs(table, data)
print(f"{len(hubs)} internal nodes to which some TF is sensitive in some condition:")
print(hubs.head(10).round(3).to_string(index=False))

# What would deleting an interaction do? Predicted by a straight line, and solved for.
edges = lp.analysis.edge_effects(model, data, conditions=condition, tfs=tf)
largest = edges.sort_values("first_order", key=abs, ascending=False).head(8)
pairs = list(zip(largest["source"], largest["target"], strict=True))
exact = lp.analysis.edge_effects(model, data, pairs, condition, tfs=tf, delete=True)
print(f"\nChange of {tf} under {condition} by deleting an interaction:")
columns = ["source", "target", "first_order", "delta"]
print(exact[columns].round(4).to_string(index=False))

# Which interactions carry the effect of the ligand to the TF?
found = lp.analysis.explain_path(model, data, ligand, tf, condition)
print(f"\n{found}")
columns = ["source_label", "target_label", "weight", "attribution", "share"]
print(found.edges[columns].round(4).to_string(index=False))

OUT.mkdir(exist_ok=True)
part = to_interactions(found.network).assign(attribution=found.network.edge_attribution.numpy())
lp.io.write_graphml(part, OUT / "path.graphml", to_annotation(found.network))
lp.io.write_sif(part, OUT / "path.sif")
lp.plot.plot_path(found).figure.savefig(OUT / "path.png", dpi=150)
if not hubs.empty:
    ax = lp.plot.plot_sensitivity(table, data, top=40)
    ax.figure.savefig(OUT / "sensitivity.png", dpi=150)
