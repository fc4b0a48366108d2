"""Any width-preserving layer of PyG as an implicit layer: `SteadyState` on a node regression.

Activators and inhibitors reach a node over paths of any length. Two stacked layers see two steps
of them; a fixed point sees all, with the parameters of one layer.

    python examples/pyg/implicit_layers.py [--seed 0] [--fast]
"""

import argparse

import torch
from torch_geometric.nn import GraphConv, RGCNConv

from lembas_pyg.nn import SteadyState

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--seed", type=int, default=0, help="of graph and models (default: 0)")
parser.add_argument("--fast", action="store_true", help="train for a quarter of the epochs")
arguments = parser.parse_args()
torch.manual_seed(arguments.seed)
NODES, EDGES, CHANNELS = 100, 300, 4

# Truth: h = A h + x with activating (+) and inhibiting (-) edges, solved exactly.
edge_index = torch.randint(NODES, (2, EDGES))
edge_type = (torch.rand(EDGES) < 0.3).long()  # 1: inhibition
sign = torch.where(edge_type == 1, -1.0, 1.0)
degree = torch.bincount(edge_index[1], minlength=NODES).clamp(min=1)
weight = 0.9 * sign / degree[edge_index[1]]
adjacency = torch.zeros(NODES, NODES).index_put_((edge_index[1], edge_index[0]), weight, True)
x = torch.randn(NODES, 1)
y = torch.linalg.solve(torch.eye(NODES) - adjacency, x)
test = torch.rand(NODES) < 0.3


class Regression(torch.nn.Module):
    """Input and output maps of each node around layers that spread its state."""

    def __init__(self, *layers):
        super().__init__()
        self.encode = torch.nn.Linear(1, CHANNELS)
        self.layers = torch.nn.ModuleList(layers)
        self.decode = torch.nn.Linear(CHANNELS, 1)

    def forward(self, x, **edges):
        h = self.encode(x)
        for layer in self.layers:
            h = layer(h, **edges) if isinstance(layer, SteadyState) else layer(h, **edges).tanh()
        return self.decode(h)


def graph_conv():
    """One weight matrix for all edges; the mean over the sources."""
    return GraphConv(CHANNELS, CHANNELS, aggr="mean")


def relational_conv():
    """One weight matrix for activations, another for inhibitions."""
    return RGCNConv(CHANNELS, CHANNELS, num_relations=2)


def steady(conv):
    """`conv` to its fixed point, scaled down where a deviation would not shrink by a tenth."""
    return SteadyState(conv, torch.tanh, tol=1e-5, max_steps=200, max_radius=0.9)


def train_model(model, edges, epochs):
    """Final training loss, test loss."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(epochs):
        optimizer.zero_grad()
        error = (model(x, **edges) - y)[:, 0].square()
        error[~test].mean().backward()
        optimizer.step()
    with torch.no_grad():
        error = (model(x, **edges) - y)[:, 0].square() / y.var()
    return float(error[~test].mean()), float(error[test].mean())


def report(layer):
    """The convergence report of the last call in words."""
    point = layer.report
    verdict = "converged" if bool(point.converged.all()) else "NOT CONVERGED"
    return (
        f"{verdict} in {int(point.num_steps[0])} steps, residual {float(point.residual[0]):.0e}, "
        f"scale {layer.scale:.2f}"
    )


epochs = 30 if arguments.fast else 120
plain = {"edge_index": edge_index}
typed = plain | {"edge_type": edge_type}
models = {
    "two GraphConv": (Regression(graph_conv(), graph_conv()), plain),
    "steady GraphConv": (Regression(steady(graph_conv())), plain),
    "two RGCNConv": (Regression(relational_conv(), relational_conv()), typed),
    "steady RGCNConv": (Regression(steady(relational_conv())), typed),
}
print(f"Unexplained share of the variance after {epochs} epochs")
print(f"{'layers':<20}{'parameters':>11}{'train':>8}{'test':>8}   convergence")
for name, (model, edges) in models.items():
    losses = train_model(model, edges, epochs)
    count = sum(parameter.numel() for parameter in model.parameters())
    layer = model.layers[0]
    words = report(layer) if isinstance(layer, SteadyState) else ""
    print(f"{name:<20}{count:>11}{losses[0]:8.3f}{losses[1]:8.3f}   {words}")

# Nothing makes a layer a contraction. This one turns every state against itself and never rests;
# scaled down it has an answer.
print("\nGraphConv in which every node inhibits itself twice over")
conv = graph_conv()
with torch.no_grad():
    conv.lin_root.weight.copy_(-2 * torch.eye(CHANNELS))
drive = 0.1 * torch.randn(NODES, CHANNELS)
for max_radius in (None, 0.9):
    layer = SteadyState(conv, torch.tanh, tol=1e-5, max_steps=200, max_radius=max_radius)
    layer.solve(drive, edge_index)  # as a call of the layer, but without the warning
    print(f"max_radius {max_radius!s:<9}{report(layer)}")
