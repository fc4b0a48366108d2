"""Knock-outs and knock-ins of published models against exact steady states of the original code."""

import warnings

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import knock_in, knock_out, rank_knock_outs
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.io import read_parameters
from lembas_pyg.nn import LEMBAS

STRENGTHS = {"ko_m5": -5.0, "ko_m3": -3.0, "ki_p3": 3.0}
# IKBKB of the macrophage model, knocked in by +3. The iteration of the paper, from a state of 0,
# ends in an oscillation, and the golden state is a point of it: one step changes it by 0.024.
UNSTEADY = {("macrophage", "ki_p3"): ["O14920"]}


class Published:
    def __init__(self, name, folder):
        self.name = name
        with np.load(folder / f"{name}.npz") as arrays:
            self.file = dict(arrays)
        size = len(self.file["node_names"])
        masks = {}
        for role, key in (("ligand_mask", "input_index"), ("tf_mask", "output_index")):
            masks[role] = torch.zeros(size, dtype=torch.bool)
            masks[role][torch.from_numpy(self.file[key])] = True
        edges = np.stack([self.file["edge_source"], self.file["edge_target"]])
        x = torch.zeros(size, len(self.file["X"]), dtype=torch.double)
        x[torch.from_numpy(self.file["input_index"])] = torch.from_numpy(self.file["X"].T.copy())
        names = self.file["node_names"].tolist()
        self.data = Data(
            edge_index=torch.from_numpy(edges),
            edge_sign=torch.from_numpy(self.file["edge_sign"]),
            node_name=names,
            node_label=names,
            num_nodes=size,
            x=x,
            conditions={str(c): i for i, c in enumerate(self.file["condition_names"])},
            **masks,
        )
        parameters = read_parameters(folder / f"{name}-Parameters.tsv")
        self.model = load_parameters(LEMBAS(self.data, radius=None).double(), parameters)
        self.model.requires_grad_(False)

    def golden(self, key):
        """Nodes x TFs, TFs in the order of the network."""
        order = np.argsort(self.file["output_index"])
        return self.file[key][:, order]


@pytest.fixture(scope="module", params=["macrophage", "KEGGnet"])
def published(request, shared_golden):
    return Published(request.param, shared_golden)


@pytest.mark.parametrize("key", STRENGTHS)
def test_effects_are_those_of_the_original(published, key):
    if f"{key}_Yhat" not in published.file:
        pytest.skip(f"{published.name} has no golden {key}")
    function = knock_in if STRENGTHS[key] > 0 else knock_out
    nodes = published.file["ko_nodes"].tolist()
    condition = str(published.file["ko_condition"])
    unsteady = UNSTEADY.get((published.name, key), [])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        table = function(
            published.model, published.data, nodes, condition, STRENGTHS[key], tol=1e-13
        )
    assert len(told) == len(unsteady)
    for name, warning in zip(unsteady, told, strict=True):
        assert f"{name} under {condition} (residual" in str(warning.message)
    for column, golden in (("perturbed", f"{key}_Yhat"), ("delta", f"{key}_delta")):
        wide = table.pivot(index="node", columns="tf", values=column).loc[nodes]
        assert wide.index[wide.isna().any(axis=1)].tolist() == unsteady
        steady = ~np.isin(nodes, unsteady)
        found, expected = wide[steady], published.golden(golden)[steady]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)
        assert abs(found.to_numpy() - expected).max() < 1e-11  # what is reached


def test_the_exception_is_no_steady_state(shared_golden):
    published = Published("macrophage", shared_golden)
    model, file = published.model, published.file
    position = file["ko_nodes"].tolist().index("O14920")
    x = published.data.x[:, [published.data.conditions[str(file["ko_condition"])]]]
    perturbation = torch.zeros_like(x)
    perturbation[published.data.node_name.index("O14920")] = 3.0
    drive = model.input(x) + model.conv.bias + perturbation
    matrix = torch.zeros(len(x), len(x), dtype=torch.double)
    matrix[model.edge_index[1], model.edge_index[0]] = model.conv.edge_weight

    def residual(h):
        return (model.conv.act(matrix @ h + drive) - h).abs().max().item()

    def jacobian(h):
        return model.conv.act.slope(matrix @ h + drive) * matrix

    def radius(h):
        return torch.linalg.eigvals(jacobian(h)).abs().max().item()

    h = torch.from_numpy(file["ki_p3_state"][position]).view(-1, 1)
    assert residual(h) == pytest.approx(0.024, abs=5e-4)
    assert radius(h) == pytest.approx(1.139, abs=2e-3)
    # Newton's method finds the steady state that the oscillation goes around; it is unstable.
    eye = torch.eye(len(x), dtype=torch.double)
    for _ in range(20):
        change = model.conv.act(matrix @ h + drive) - h
        h = h + torch.linalg.solve(eye - jacobian(h), change)
    assert residual(h) < 1e-13
    assert radius(h) == pytest.approx(1.054, abs=2e-3)
    # There is another one, which is stable; a cell that was steady before goes there.
    point = model.steady_state(x, perturbation, start=model.steady_state(x).value)
    assert point.converged.all()
    assert radius(point.value) == pytest.approx(0.847, abs=2e-3)


def test_rela_under_tnf_depends_on_tnf_its_receptor_and_ikk(shared_golden):
    published = Published("macrophage", shared_golden)
    effects = knock_out(published.model, published.data, None, "TNFa", tfs="Q04206")
    ranked = rank_knock_outs(effects)
    # RELA, TNF, TNFRSF1A, CHUK, MAP3K7 (TAK1)
    first = ["Q04206", "Ligand_TNFa", "P19438", "O15111", "O43318"]
    assert ranked["node"].iloc[:5].tolist() == first
    assert (ranked["effect"].iloc[:5] < -0.3).all()
