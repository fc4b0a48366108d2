"""A graph convolution turns gene expression into node biases of a LEMBAS, trained end to end.

Cell lines share one signaling network and differ in the basal input of its nodes. A `GCNConv` sees
the expression of every node in every cell line and adds to that input. Test: cell lines never seen.

    python examples/pyg/expression_to_bias.py [--seed 0] [--fast]
"""

import argparse

import torch
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv

from lembas_pyg import LEMBAS
from lembas_pyg.metrics import pearson_r
from lembas_pyg.training.losses import fit_loss, sign_loss

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--seed", type=int, default=0, help="of network, data and models (default: 0)")
parser.add_argument("--fast", action="store_true", help="train for a fifth of the epochs")
arguments = parser.parse_args()
generator = torch.Generator().manual_seed(arguments.seed)
NODES, LINES, TEST_LINES, STIMULI = 60, 36, 12, 6
LIGANDS, TFS = 4, 8


def uniform(low, high, *size):
    """Draw numbers between `low` and `high`."""
    return low + (high - low) * torch.rand(*size, generator=generator)


def random_network():
    """Signed network in which every node has a way in from a ligand: 4 ligands, 8 TFs."""
    edges = {}
    for node in range(LIGANDS, NODES):
        for source in torch.randint(node, (2,), generator=generator).tolist():
            edges[source, node] = 1.0
    while len(edges) < 3 * NODES:  # feedback and shortcuts; none leads into a ligand
        source, target = torch.randint(LIGANDS, NODES, (2,), generator=generator).tolist()
        if source != target:
            edges[source, target] = 1.0
    edge_index = torch.tensor(list(edges)).T
    is_inhibition = torch.rand(len(edges), generator=generator) < 0.25
    node = torch.arange(NODES)
    return Data(
        edge_index=edge_index,
        edge_sign=torch.where(is_inhibition, -1.0, 1.0),
        ligand_mask=node < LIGANDS,
        tf_mask=node >= NODES - TFS,
        node_name=[f"N{i}" for i in range(NODES)],
        num_nodes=NODES,
    )


class ExpressionToBias(torch.nn.Module):
    """A `LEMBAS` whose basal input follows the expression of each cell line.

    Args:
        network: The wiring, shared by all cell lines.
        num_features: Expression features of a node.
        hidden: Channels between the two convolutions.
        use_expression: Without it, all cell lines are the same.
    """

    def __init__(self, network, num_features, hidden=8, *, use_expression=True):
        super().__init__()
        self.lembas = LEMBAS(network, generator=torch.Generator().manual_seed(arguments.seed))
        self.first, self.second = GCNConv(num_features, hidden), GCNConv(hidden, 1)
        self.own = torch.nn.Linear(num_features, 1)  # a node's own expression, not averaged
        self.use_expression = use_expression

    def forward(self, x, expression, line):
        """Prediction for stimuli `x` [N, S], `expression` [lines, N, F], cell line of each [S]."""
        if not self.use_expression:
            return self.lembas(x)
        edge_index = self.lembas.edge_index
        hidden = self.first(expression, edge_index).tanh()
        bias = self.second(hidden, edge_index) + self.own(expression)  # [lines, N, 1]
        return self.lembas(x, perturbation=bias[line, :, 0].T)


# The truth behind the data: basal input grows with the expression of a node, and falls with the
# mean expression of the nodes that act on it. Features: expression, and one without any meaning.
network = random_network()
truth = LEMBAS(network, generator=generator)
source, target = network.edge_index
expression = torch.randn(LINES, NODES, 2, generator=generator)
degree = torch.bincount(target, minlength=NODES).clamp(min=1)
upstream = torch.zeros(LINES, NODES).index_add_(1, target, expression[:, source, 0]) / degree
basal = 0.15 * expression[..., 0] - 0.15 * upstream

stimuli = torch.zeros(NODES, STIMULI)
stimuli[:LIGANDS] = uniform(0, 1, LIGANDS, STIMULI) * (uniform(0, 1, LIGANDS, STIMULI) < 0.6)
x = stimuli.repeat(1, LINES)  # conditions: all stimuli of the first line, of the second, ...
line = torch.arange(LINES).repeat_interleave(STIMULI)
with torch.no_grad():
    truth_at = truth(x, perturbation=basal[line].T)
    assert truth_at.converged.all()
    y = truth_at.y + 0.02 * torch.randn(truth_at.y.shape, generator=generator)
train, test = line < LINES - TEST_LINES, line >= LINES - TEST_LINES


def train_model(model, epochs):
    """Losses of all epochs, and how many conditions had no steady state at the end."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        prediction = model(x[:, train], expression, line[train])
        conv = model.lembas.conv
        loss = fit_loss(prediction.y, y[:, train])
        wrong_sign = sign_loss(conv.edge_weight, network.edge_sign)
        (loss + 0.1 * wrong_sign + 1e-5 * conv.edge_weight.square().sum()).backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, int((~prediction.converged).sum())


def between_lines(values):
    """What is left of `values` [T, S] when the mean over the cell lines is taken away."""
    grid = values.view(len(values), -1, STIMULI)
    return (grid - grid.mean(dim=1, keepdim=True)).flatten()


def row_of_table(name, model, expression):
    """Print how well a model does, given the expression of every cell line."""
    with torch.no_grad():
        predicted = model(x, expression, line).y
    r = [pearson_r(predicted[:, part].flatten(), y[:, part].flatten()) for part in (train, test)]
    differing = between_lines(predicted[:, test])
    same = not bool(differing.abs().max() > 1e-6)
    r_lines = "-" if same else f"{pearson_r(differing, between_lines(y[:, test])):.3f}"
    print(f"{name:<34}{r[0]:8.3f}{r[1]:8.3f}{r_lines:>16}")


epochs = 60 if arguments.fast else 300
torch.manual_seed(arguments.seed)
without = ExpressionToBias(network, 2, use_expression=False)
combined = ExpressionToBias(network, 2)

prediction = combined(x[:, train], expression, line[train])
fit_loss(prediction.y, y[:, train]).backward()
gradients = {name: p.grad for name, p in combined.named_parameters()}
print("Gradient of the first step, through the steady state:")
for name in ("first.lin.weight", "second.lin.weight", "own.weight", "lembas.conv.edge_weight"):
    print(f"  {name:<24} {float(gradients[name].norm()):.1e}")

print(f"\nFit loss            first   after {epochs} epochs   no steady state")
for name, model in (("without expression", without), ("with expression", combined)):
    losses, failed = train_model(model, epochs)
    print(f"{name:<18}{losses[0]:7.4f}{losses[-1]:19.4f}{failed:18}")

print("\nPearson r of TF activity             train    test   between lines")
row_of_table("without expression", without, expression)
row_of_table("with expression", combined, expression)
shuffled = expression[torch.randperm(LINES, generator=generator)]
row_of_table("with that of another cell line", combined, shuffled)
