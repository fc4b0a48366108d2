"""Inferred signs: the wiring by brute force, starts that know nothing, scores by hand."""

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.analysis import (
    hidden_sign_recovery,
    hide_signs,
    infer_signs,
    sign_ensemble,
    sign_folds,
    sign_prior,
    sign_scores,
)
from lembas_pyg.analysis.edge_importance import edge_importance
from lembas_pyg.analysis.hidden_signs import wilson
from lembas_pyg.analysis.sign_ensemble import undecided_model
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.network import add_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.surrogate import add_covariate
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import Ensemble, TrainingConfig


def random_network(num_nodes=9, num_edges=25, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pairs = [(i, j) for i in range(num_nodes) for j in range(num_nodes) if i != j]
    order = torch.randperm(len(pairs), generator=generator)[:num_edges]
    edge_index = torch.tensor([pairs[i] for i in order]).T.contiguous()
    return Data(
        edge_index=edge_index,
        edge_sign=torch.randint(-1, 2, (num_edges,), generator=generator),
        node_name=[f"N{i}" for i in range(num_nodes)],
        node_label=[f"N{i}" for i in range(num_nodes)],
        ligand_mask=torch.arange(num_nodes) == 0,
        tf_mask=torch.arange(num_nodes) == num_nodes - 1,
        num_nodes=num_nodes,
    )


@pytest.fixture(scope="module")
def toy():
    return measure(reference_model(), ToyNetwork()[0], grid_stimuli(["L1", "L2"], 4))


@pytest.fixture(scope="module")
def config():
    return dataclasses.replace(TrainingConfig.toy(), epochs=30, batch_size=16)


# --- the wiring


def test_the_wiring_votes_as_the_formula_says():
    data = random_network()
    edges = list(zip(*data.edge_index.tolist(), data.edge_sign.tolist(), strict=True))
    neighbours = {
        i: {("to", b) for a, b, _ in edges if a == i} | {("from", a) for a, b, _ in edges if b == i}
        for i in range(9)
    }

    def alike(i, j):
        shared = len(neighbours[i] & neighbours[j])
        return 1.0 if i == j else (shared**2 / len(neighbours[i]) / len(neighbours[j])) ** 1.5

    known = [sign for _, _, sign in edges if sign]
    base = sum(known) / len(known)
    for place, (j, i, _) in enumerate(edges):
        others = edges[:place] + edges[place + 1 :]
        votes = [(alike(j, other) * alike(i, k), sign) for other, k, sign in others if sign]
        mean = (sum(v * s for v, s in votes) + 0.1 * base) / (sum(v for v, _ in votes) + 0.1)
        assert sign_prior(data)[place].item() == pytest.approx((1 + mean) / 2, abs=1e-12)


def test_an_interaction_has_no_vote_on_itself_but_for_the_base_rate():
    data = random_network()
    before = sign_prior(data)
    place = int((data.edge_sign > 0).nonzero()[0])
    flipped = data.clone()
    flipped.edge_sign[place] = -1
    step = 2 / int((data.edge_sign != 0).sum()) / 2
    assert abs(sign_prior(flipped)[place] - before[place]) <= step + 1e-12


def test_a_covariate_makes_no_nodes_alike():
    data = random_network()
    data.x = torch.zeros(9, 2)
    data.conditions = {"a": 0, "b": 1}
    told = add_covariate(data, "batch", torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(sign_prior(told)[:25], sign_prior(data))
    assert len(infer_signs(None, told)) == 25


def test_where_no_sign_is_known_nothing_can_be_learned():
    data = random_network()
    data.edge_sign.zero_()
    with pytest.raises(ValueError, match="no interaction of known sign"):
        sign_prior(data)


# --- members that know nothing


@pytest.mark.parametrize("start", ["random", "zero", "positive"])
def test_first_weights_do_not_know_a_hidden_sign(toy, config, start):
    place = 3
    weights = []
    for sign in (1, -1):
        data = toy.clone()
        data.edge_sign[place] = sign
        hidden = hide_signs(data, torch.arange(toy.num_edges) == place)
        model = undecided_model(hidden, config, 1, start=start)
        weights.append(torch.cat([model.conv.edge_weight, model.conv.bias[:, 0]]))
    assert torch.equal(*weights)


def test_members_of_a_pair_start_from_opposite_signs(toy, config):
    config = dataclasses.replace(config, radius=0.8)
    unknown = torch.arange(toy.num_edges) % 2 == 0
    hidden = hide_signs(toy, unknown)
    first, second, third = (
        undecided_model(hidden, config, n).conv.edge_weight.sign() for n in range(3)
    )
    assert torch.equal(first[unknown], -second[unknown])
    assert torch.equal(first[~unknown], second[~unknown])
    assert torch.equal(first[~unknown], toy.edge_sign[~unknown].sign().float())
    assert not torch.equal(first, third)


def test_an_odd_number_of_random_starts_is_refused(toy, config):
    with pytest.raises(ValueError, match="members is 3"):
        sign_ensemble(toy, config, 3)
    with pytest.raises(ValueError, match="start is 'plus'"):
        sign_ensemble(toy, config, 2, start="plus")


def test_importance_is_the_mean_first_order_effect_of_a_deletion(toy):
    model = load_parameters(LEMBAS(toy, tol=1e-12).double(), ToyNetwork.parameters())
    x = toy.x[:, :5]
    y = model(x).y
    effects = []
    for value in y.flatten():
        (grad,) = torch.autograd.grad(value, model.conv.edge_weight, retain_graph=True)
        effects.append((grad * model.conv.edge_weight).detach().abs())
    with torch.no_grad():
        found = edge_importance(model, model(x).h, x)
    # In each condition one term a source; the mean of absolute values is exact.
    torch.testing.assert_close(found, torch.stack(effects).mean(dim=0), rtol=1e-8, atol=1e-12)


def test_the_table_of_an_ensemble(toy):
    first = load_parameters(LEMBAS(toy).double(), ToyNetwork.parameters())
    second = load_parameters(LEMBAS(toy).double(), ToyNetwork.parameters())
    with torch.no_grad():
        second.conv.edge_weight[2] *= -0.5
    data = hide_signs(toy, torch.arange(toy.num_edges) == 2)
    with pytest.raises(ValueError, match="modes of action differ"):
        infer_signs(first, data)
    table = infer_signs(Ensemble([first, second]), toy, list(toy.conditions)[:4])
    weight = first.conv.edge_weight.detach()
    assert table["edge"].tolist() == list(range(toy.num_edges))
    assert table["sign"].tolist() == toy.edge_sign.tolist()
    assert table["agreement"].tolist() == [0.5 if e == 2 else 1.0 for e in range(toy.num_edges)]
    assert table["weight"][2] == pytest.approx(weight[2].item() / 4)
    assert table["spread"][2] == pytest.approx(abs(weight[2].item()) * 1.5 / math.sqrt(2))
    matters = table["importance"] > 0
    others = matters & (table["edge"] != 2)
    assert (table.loc[others, "evidence"] == np.sign(weight.numpy())[others]).all()
    assert table["confidence"].between(0.5, 1).all()
    assert set(table["inferred"]) <= {1, -1}


def test_a_single_model_has_no_spread(toy):
    model = load_parameters(LEMBAS(toy), ToyNetwork.parameters())
    assert infer_signs(model, toy, "L1=0.00 L2=0.33")["spread"].isna().all()


# --- hidden signs


def test_every_known_sign_is_hidden_once():
    data = random_network()
    for by, row in (("edge", None), ("source", 0), ("target", 1)):
        fold = sign_folds(data, 3, by=by, generator=torch.Generator().manual_seed(0))
        assert ((fold == -1) == (data.edge_sign == 0)).all()
        assert set(fold[fold >= 0].tolist()) == {0, 1, 2}
        if row is not None:
            for node in range(9):
                of_node = fold[(data.edge_index[row] == node) & (fold >= 0)]
                assert of_node.unique().numel() <= 1


def test_folds_that_make_no_sense_are_refused():
    data = random_network()
    with pytest.raises(ValueError, match="folds is 1"):
        sign_folds(data, 1)
    with pytest.raises(ValueError, match="by is 'node'"):
        sign_folds(data, 2, by="node")


def test_a_sign_that_the_data_determine_is_recovered():
    """L1 -> A -> T and L2 -> B -| T; each sign hidden alone follows from the others."""
    data = Data(
        edge_index=torch.tensor([[0, 2, 1, 3], [2, 4, 3, 4]]),
        edge_sign=torch.tensor([1, 1, 1, -1]),
        node_name=["L1", "L2", "A", "B", "T"],
        node_label=["L1", "L2", "A", "B", "T"],
        ligand_mask=torch.tensor([True, True, False, False, False]),
        tf_mask=torch.tensor([False, False, False, False, True]),
        num_nodes=5,
    )
    ligands = grid_stimuli(["L1", "L2"], 4)
    truth = 0.1 + 0.5 * ligands["L1"] * (1 - ligands["L2"])
    data = add_conditions(data, ligands, pd.DataFrame({"T": truth}))
    config = dataclasses.replace(TrainingConfig.toy(), epochs=300, batch_size=16, lr=2e-2)
    found = hidden_sign_recovery(data, config, folds=4, members=2)
    assert sorted(found["fold"]) == [0, 1, 2, 3]
    assert (np.sign(found["members"]) == found["sign"]).all()
    score = sign_scores(found, "members").iloc[0]
    assert score["balanced_accuracy"] == 1


def test_without_members_the_wiring_is_asked_alone(toy, config):
    found = hidden_sign_recovery(toy, config, folds=4, members=0)
    assert found.columns.tolist() == ["fold", "source", "target", "sign", "wiring"]
    for number in range(4):
        part = found[found["fold"] == number]
        hidden = [
            toy.node_name[s] + toy.node_name[t] in set(part["source"] + part["target"])
            for s, t in toy.edge_index.T.tolist()
        ]
        data = hide_signs(toy, torch.tensor(hidden))
        known = data.edge_sign[data.edge_sign != 0]
        expected = sign_prior(data)[torch.tensor(hidden)] - (known > 0).double().mean()
        np.testing.assert_allclose(part["wiring"], expected)


# --- scores


def test_scores_by_hand():
    table = pd.DataFrame(
        {
            "sign": [1, 1, 1, 1, -1, -1, 0, 1],
            "a": [0.5, 0.1, -0.2, 0.3, -1.0, 0.2, 9.0, np.nan],
        }
    )
    row = sign_scores(table).iloc[0]
    assert row["answered"] == 6
    assert row["coverage"] == pytest.approx(6 / 7)
    assert (row["activations"], row["inhibitions"]) == (0.75, 0.5)
    assert row["balanced_accuracy"] == pytest.approx(0.625)
    assert row["balanced_accuracy_low"] < 0.625 < row["balanced_accuracy_high"]
    plus, minus = [0.5, 0.1, -0.2, 0.3], [-1.0, 0.2]
    assert row["auc"] == np.mean([p > m for p, m in itertools.product(plus, minus)])


def test_activation_for_everything_is_chance():
    table = pd.DataFrame({"sign": [1] * 75 + [-1] * 25, "always": 1.0})
    row = sign_scores(table).iloc[0]
    assert row["balanced_accuracy"] == row["auc"] == 0.5


def test_the_interval_is_that_of_resampled_interactions():
    rng = np.random.default_rng(0)
    sign = rng.choice([1, -1], 300, p=[0.7, 0.3])
    score = sign * rng.choice([1, -1], 300, p=[0.65, 0.35])
    row = sign_scores(pd.DataFrame({"sign": sign, "a": score}), resamples=4000).iloc[0]
    right = score == sign
    drawn = [
        np.mean([rng.choice(right[sign == v], (sign == v).sum()).mean() for v in (1, -1)])
        for _ in range(4000)
    ]
    limits = row[["balanced_accuracy_low", "balanced_accuracy_high"]].tolist()
    assert limits == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=0.01)


def test_wilson_interval():
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 0)[0] != wilson(0, 0)[0]


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column 'b'"):
        sign_scores(pd.DataFrame({"sign": [1], "a": [1.0]}), "b")


def test_without_an_answer_for_one_sign_there_is_no_score():
    row = sign_scores(pd.DataFrame({"sign": [1, -1], "a": [1.0, 0.0]})).iloc[0]
    assert math.isnan(row["balanced_accuracy"])
    assert math.isnan(row["auc"])
