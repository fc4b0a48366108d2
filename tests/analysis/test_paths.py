"""Path explanations: networks whose answer is known, and conservation on any network."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.utils import to_dense_adj

from lembas_pyg.analysis import explain_path
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_graphml, read_sif, write_graphml, write_sif
from lembas_pyg.network import add_conditions, from_interactions, to_annotation, to_interactions
from lembas_pyg.nn import LEMBAS, LeakyReLU, michaelis_menten_like, sigmoid
from lembas_pyg.training import Ensemble

# Weights of a network in its linear range. The ligand L acts by A with 0.5 * 0.6, by B with
# 0.2 * 0.5, and is held back by C with 0.2 * -0.25; M is another ligand, D leads nowhere.
WEIGHTS = {
    "L A": 0.5,
    "A T": 0.6,
    "L B": 0.2,
    "B T": 0.5,
    "L C": 0.2,
    "C T": -0.25,
    "M A": 0.4,
    "A D": 0.9,
}


def network_of(weights, tfs=("T",), ligands=("L", "M")):
    rows = [(*pair.split(), int(w > 0), int(w < 0)) for pair, w in weights.items()]
    table = pd.DataFrame(rows, columns=["source", "target", "stimulation", "inhibition"])
    codes = pd.unique(table[["source", "target"]].to_numpy().ravel())
    annotation = pd.DataFrame({"code": codes, "name": [code.lower() for code in codes]})
    annotation["TF"] = annotation["code"].isin(tfs)
    annotation["ligand"] = annotation["code"].isin(ligands)
    return from_interactions(table, annotation)


def under(data, **conditions):
    """The network with conditions, by the doses of L and M."""
    ligands = pd.DataFrame.from_dict(conditions, orient="index", columns=["L", "M"])
    data = add_conditions(data, ligands[[n for n in ("L", "M") if n in data.node_name]])
    data.x = torch.zeros_like(data.x, dtype=torch.float64)  # not rounded to float32
    for name, column in data.conditions.items():
        for ligand in ligands:
            if ligand in data.node_name:
                data.x[data.node_name.index(ligand), column] = ligands.loc[name, ligand]
    return data


def model_of(data, weights, **options):
    model = LEMBAS(data, input_amplitude=1.0, output_amplitude=1.0, radius=None, **options)
    model = model.double()
    names = np.array(data.node_name)
    pairs = map(" ".join, names[data.edge_index.numpy()].T)
    with torch.no_grad():
        model.conv.edge_weight.copy_(torch.tensor([weights[p] for p in pairs], dtype=torch.float64))
        model.conv.bias.fill_(0.1)
    return model


@pytest.fixture(scope="module")
def data():
    return under(network_of(WEIGHTS), LM=(0.3, 0.1), M=(0.0, 0.1), L=(0.3, 0.0))


@pytest.fixture(scope="module")
def model(data):
    return model_of(data, WEIGHTS)


def shares(found):
    pairs = found.edges["source"] + " " + found.edges["target"]
    return dict(zip(pairs, found.edges["share"], strict=True))


def test_in_a_linear_network_paths_carry_the_product_of_their_weights(model, data):
    found = explain_path(model, data, "L", "T", "LM", share=1.0)
    by_a, by_b, by_c = 0.5 * 0.6, 0.2 * 0.5, 0.2 * -0.25
    whole = by_a + by_b + by_c
    assert found.effect == pytest.approx(0.3 * whole, abs=1e-11)
    parts = {"A": by_a, "B": by_b, "C": by_c}
    expected = {f"L {n}": v / whole for n, v in parts.items()}
    expected |= {f"{n} T": v / whole for n, v in parts.items()}
    assert shares(found) == pytest.approx(expected, abs=1e-9)
    assert found.kept == pytest.approx(1, abs=1e-9)
    assert found.lost == pytest.approx(1, abs=1e-9)
    assert found.deleted == pytest.approx(1, abs=1e-9)


def test_the_part_is_the_smallest_that_is_enough(model, data):
    found = explain_path(model, data, "L", "T", "LM", share=0.8)
    assert set(shares(found)) == {"L A", "A T"}
    assert found.kept == pytest.approx(0.30 / 0.35, abs=1e-9)
    assert found.lost == pytest.approx(0.30 / 0.35, abs=1e-9)
    more = explain_path(model, data, "L", "T", "LM", share=0.9)
    # A and B overshoot by 0.05 / 0.35, which is more than a tenth; so C is needed.
    assert set(shares(more)) == {"L A", "A T", "L B", "B T", "L C", "C T"}


def test_the_attribution_is_conserved_on_any_network():
    toy = ToyNetwork()[0]
    ligands = pd.DataFrame({"L1": [2.0, 0.9], "L2": [0.5, 3.0]}, index=["a", "b"])
    toy = add_conditions(toy, ligands)
    checked = 0
    for seed in range(6):
        for act in (michaelis_menten_like, LeakyReLU(), sigmoid):
            generator = torch.Generator().manual_seed(seed)
            model = LEMBAS(toy, act, generator=generator).double()
            with torch.no_grad():  # signals of both signs, so that kinks are crossed
                model.conv.edge_weight.normal_(generator=generator)
                model.conv.bias.normal_(std=0.3, generator=generator)
                model.conv.edge_weight.mul_(0.9)
            for ligand, steps in (("L1", 1), ("L2", 3)):
                try:
                    found = explain_path(
                        model, toy, ligand, "T1", "b", share=0.01, steps=steps, max_edges=8
                    )
                except (RuntimeError, ValueError):  # no steady state, or no effect
                    continue
                flow = found.attribution
                net = torch.zeros(7, dtype=torch.float64)
                net.index_add_(0, toy.edge_index[1], flow)
                net.index_add_(0, toy.edge_index[0], -flow)
                expected = torch.zeros_like(net)
                expected[toy.node_name.index("T1")] = found.effect
                expected[toy.node_name.index(ligand)] = -found.effect
                torch.testing.assert_close(net, expected, rtol=0, atol=1e-10)
                checked += 1
    assert checked > 15


def test_many_steps_are_integrated_gradients(data):
    weights = {"L A": 2.0, "A T": 1.2, "T A": -0.7, "L T": 0.4, "M T": -0.2}
    toy = under(network_of(weights), c=(1.0, 0.5))
    model = model_of(toy, weights)
    found = explain_path(model, toy, "L", "T", "c", share=1.0, steps=400)
    matrix = to_dense_adj(toy.edge_index, edge_attr=model.conv.edge_weight)[0].T.detach()
    ligand, tf = toy.node_name.index("L"), toy.node_name.index("T")
    doses = (torch.arange(4000).double() + 0.5) / 4000
    x = toy.x.double().repeat(1, 4000)
    x[ligand] = doses
    h = model(x).h.detach()
    slope = model.slope(h, x)
    total = torch.zeros(toy.num_edges, dtype=torch.float64)
    unit = torch.eye(4, dtype=torch.float64)
    for s in slope.T:
        inverse = torch.linalg.inv(unit - s[:, None] * matrix) * s  # dh / dp
        u, dh = inverse[tf], inverse[:, ligand]
        total += u[toy.edge_index[1]] * model.conv.edge_weight.detach() * dh[toy.edge_index[0]]
    torch.testing.assert_close(found.attribution, total / 4000, rtol=0, atol=2e-4)


def test_every_edge_is_on_a_way_from_the_ligand_to_the_tf(model, data):
    found = explain_path(model, data, "L", "T", "L", share=1.0)
    assert set(found.network.node_name) == {"L", "A", "B", "C", "T"}
    assert found.network.num_edges == len(found.edges) == 6
    assert found.network.ligand_mask.tolist().count(True) == 1
    names = np.array(found.network.node_name)
    pairs = map(" ".join, names[found.network.edge_index.numpy()].T)
    flow = dict(zip(pairs, found.network.edge_attribution.tolist(), strict=True))
    expected = {pair: share * found.effect for pair, share in shares(found).items()}
    assert flow == pytest.approx(expected)


def test_feedback_on_the_way_is_part_of_it():
    weights = {"L A": 1.0, "A B": 0.9, "B A": 0.9, "A T": 0.2}
    toy = under(network_of(weights), c=(0.02, 0.0))
    model = model_of(toy, weights)
    with torch.no_grad():
        model.conv.bias.zero_()
    found = explain_path(model, toy, "L", "T", "c")
    assert set(shares(found)) == {"L A", "A B", "B A", "A T"}
    # Without feedback 0.02 * 0.2; with it 1 / (1 - 0.81) times as much.
    assert found.effect == pytest.approx(0.004 / 0.19, rel=1e-9)
    assert shares(found)["A B"] == pytest.approx(0.81 / 0.19, rel=1e-9)


def test_the_background_stays_where_only_some_edges_respond():
    # Without M, A would be far below 0 and could pass nothing on.
    weights = {"L A": 1.0, "M A": 1.0, "A T": 1.0}
    toy = under(network_of(weights), c=(0.1, 0.5))
    model = model_of(toy, weights)
    with torch.no_grad():
        model.conv.bias[toy.node_name.index("A")] = -0.4
    found = explain_path(model, toy, "L", "T", "c")
    assert set(shares(found)) == {"L A", "A T"}
    assert found.kept == pytest.approx(1, abs=1e-9)


def test_an_ensemble_says_means_and_spread(data):
    models = [model_of(data, WEIGHTS) for _ in range(3)]
    with torch.no_grad():
        for model, factor in zip(models, (1.0, 0.8, 1.2), strict=True):
            model.output.weight.fill_(factor)
    found = explain_path(Ensemble(models), data, "L", "T", "LM", share=1.0)
    single = explain_path(models[0], data, "L", "T", "LM", share=1.0)
    assert found.effect == pytest.approx(single.effect)
    assert shares(found) == pytest.approx(shares(single))
    spread = found.edges["spread"] / found.edges["attribution"].abs()
    np.testing.assert_allclose(spread, 0.2)
    assert "spread" not in single.edges


def test_the_part_goes_to_other_programs(model, data, tmp_path):
    found = explain_path(model, data, "L", "T", "LM")
    interactions, annotation = to_interactions(found.network), to_annotation(found.network)
    write_graphml(interactions, tmp_path / "part.graphml", annotation)
    write_sif(interactions, tmp_path / "part.sif")
    back, roles = read_graphml(tmp_path / "part.graphml")
    assert back[["source", "target"]].values.tolist() == [["L", "A"], ["A", "T"]]
    assert roles.loc[roles["ligand"].astype(bool), "code"].tolist() == ["L"]
    assert len(read_sif(tmp_path / "part.sif")) == 2


def test_it_says_in_words_what_it_found(model, data):
    said = str(explain_path(model, data, "L", "T", "LM"))
    assert said == (
        "L changes T by +0.105 under LM: 2 interactions between 3 nodes bring about 86% of it. "
        "Without their response 86% of it is lost, and 86% if they are deleted."
    )


def test_too_few_edges_are_said_to_be_too_few(model, data):
    with pytest.warns(UserWarning, match=r"2 interactions bring about 86% .* not the 95% asked"):
        found = explain_path(model, data, "L", "T", "LM", share=0.95, max_edges=3)
    assert len(found.edges) == 2


def test_the_model_is_not_changed(model, data):
    before = {name: value.clone() for name, value in model.named_parameters()}
    explain_path(model, data, "L", "T", "LM")
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())
    assert "edge_weight" not in data


@pytest.mark.parametrize(
    ("asked", "options", "message"),
    [
        (("A", "T", "LM"), {}, "'A' is not a ligand of this network; there are L, M"),
        (("L", "A", "LM"), {}, "'A' is not a TF of this network; there are T"),
        (("X", "T", "LM"), {}, "'X' is not among the 7 nodes"),
        (("L", "T", "M"), {}, "'L' is absent under 'M'; present are M"),
        (("L", "T", "z"), {}, "Unknown conditions: 'z'"),
        (("L", "T", "LM"), {"share": 0}, "share is 0"),
        (("L", "T", "LM"), {"steps": 0}, "steps is 0"),
        (("L", "T", "LM"), {"max_edges": 1.5}, "max_edges is 1.5"),
    ],
)
def test_what_cannot_be_explained_is_refused(model, data, asked, options, message):
    with pytest.raises(ValueError, match=message):
        explain_path(model, data, *asked, **options)


def test_no_effect_cannot_be_explained(data):
    model = model_of(data, WEIGHTS | {"A T": 0.0, "B T": 0.0, "C T": 0.0})
    with pytest.raises(ValueError, match="'L' has no effect on 'T' under 'LM'"):
        explain_path(model, data, "L", "T", "LM")


def test_members_without_steady_state_are_left_out_or_nothing_is_explained():
    weights = {"L A": 1.0, "A B": 1.0, "B A": 1.0, "A T": 0.5}
    toy = under(network_of(weights), c=(0.2, 0.0))
    fine = model_of(toy, weights | {"B A": 0.5}, act=LeakyReLU())
    wild = model_of(toy, weights | {"B A": 2.0}, act=LeakyReLU())
    with pytest.warns(UserWarning, match="1 of 2 members have no stable steady state"):
        found = explain_path(Ensemble([fine, wild]), toy, "L", "T", "c", max_steps=300)
    assert found.effect == pytest.approx(explain_path(fine, toy, "L", "T", "c").effect)
    with pytest.raises(RuntimeError, match="no stable steady state under 'c' at every dose of 'L'"):
        explain_path(wild, toy, "L", "T", "c", max_steps=300)
