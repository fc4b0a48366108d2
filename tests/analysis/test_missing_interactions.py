"""Missing interactions against dense algebra, finite differences and brute force on the toy."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import (
    error_network,
    fit_sparse,
    score_missing_interactions,
    structure_scores,
)
from lembas_pyg.analysis.missing.candidates import Candidates
from lembas_pyg.analysis.missing.gain import gain_rows, linearise
from lembas_pyg.analysis.missing.refit import refit_weight
from lembas_pyg.analysis.missing.score import make_problem
from lembas_pyg.analysis.missing.signal import needed_signals, predicted_loss
from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.nn import LEMBAS, enlarge
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import Ensemble
from lembas_pyg.transforms import ImputeInteractions

EDGE = "S1", "S2"


@pytest.fixture(scope="module")
def whole():
    data = ToyNetwork()[0]
    model = load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    return measure(model, data, grid_stimuli(["L1", "L2"], 4, low=0.13, high=0.97)), model


@pytest.fixture(scope="module")
def data(whole):
    """Data of the whole network on the network without S1 -| S2."""
    smaller = whole[0].clone()
    keep = torch.ones(8, dtype=torch.bool)
    keep[4] = False
    smaller.edge_index = smaller.edge_index[:, keep]
    smaller.edge_sign, smaller.edge_id = smaller.edge_sign[keep], smaller.edge_id[keep]
    return smaller


@pytest.fixture(scope="module")
def model(data):
    table = ToyNetwork.parameters()
    lost = (table["Source"] == EDGE[0]) & (table["Target"] == EDGE[1])
    return load_parameters(LEMBAS(data).double(), table[~lost])


@pytest.fixture(scope="module")
def problem(model, data):
    return make_problem(model, data, tol=1e-13, max_steps=20_000)


def with_edge(problem, source, target, weight):
    edge_index = torch.cat([problem.model.edge_index, torch.tensor([[source], [target]])], dim=1)
    return problem.residual(problem.with_edge(edge_index, weight).value)


def jacobian(problem, source, target, step=1e-6):
    """By central difference: the residuals along the weight of a new interaction."""
    with torch.no_grad():
        ends = [with_edge(problem, source, target, sign * step) for sign in (1, -1)]
    return ((ends[0] - ends[1]) / (2 * step)).flatten()


def test_gains_are_those_of_finite_differences(problem):
    with torch.no_grad():
        gain, weight = gain_rows(linearise(problem), problem.h, torch.arange(7))
    r = problem.residual(problem.h).detach().flatten()
    for source, target in ((4, 5), (2, 5), (6, 3), (1, 6)):
        column = jacobian(problem, source, target)
        assert float(gain[target, source]) == pytest.approx(
            float((column @ r) ** 2 / (column @ column)), rel=1e-5
        )
        assert float(weight[target, source]) == pytest.approx(
            float(-(column @ r) / (column @ column)), rel=1e-5
        )


def test_gains_with_free_parameters_are_those_of_the_dense_projection(problem):
    freedom, r = 0.2, problem.residual(problem.h).detach().flatten()
    columns = []
    parts = ("conv.edge_weight", 7), ("conv.bias", 7)
    for name, size in parts:
        for place in range(size):
            ends = []
            for step in (1e-6, -1e-6):
                parameter = problem.model.get_parameter(name).data.view(-1)
                parameter[place] += step
                point = problem.model.conv.solve(problem.drive, problem.model.edge_index)
                ends.append(problem.residual(point.value).detach().flatten())
                parameter[place] -= step
            columns.append((ends[0] - ends[1]) / 2e-6)
    theta = torch.stack(columns)
    ridge = float(r.square().mean()) / freedom**2
    gram = theta @ theta.t() + ridge * torch.eye(14, dtype=torch.float64)
    left = torch.eye(len(r), dtype=torch.float64) - theta.t() @ torch.linalg.solve(gram, theta)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        linear = linearise(problem, freedom=freedom, num_probes=4000, generator=generator)
        gain, _ = gain_rows(linear, problem.h, torch.arange(7))
    for source, target in ((4, 5), (0, 5)):
        column = jacobian(problem, source, target)
        exact = (column @ left @ r) ** 2 / (column @ left @ column)
        assert float(gain[target, source]) == pytest.approx(float(exact), rel=0.1)


def test_the_needed_signal_of_the_right_target_is_what_the_lost_interaction_gave(problem, whole):
    with torch.no_grad():
        linear = linearise(problem)
        target = torch.tensor([5])
        found = needed_signals(problem, target, linear.step[target], linear.q[target], steps=20)
        lost = -predict(whole[1], whole[0]).h[4]
        loss, weight = predicted_loss(found)
    matters = found.before > 1e-6
    assert float(found.after.sum()) < 1e-6 * float(found.before.sum())
    torch.testing.assert_close(found.signal[0, matters], lost[matters], atol=1e-3, rtol=1e-2)
    assert int(loss[0].argmin()) == 4
    assert float(weight[0, 4]) == pytest.approx(-1.0, abs=0.02)


def test_a_refitted_weight_is_the_best_of_a_grid(problem):
    with torch.no_grad():
        fit = refit_weight(problem, 2, 5, [-0.1], around=True, steps=20)
        losses = {
            w: float(problem.mean(with_edge(problem, 2, 5, w).square().sum()))
            for w in np.linspace(-3, 1, 401)
        }
    best = min(losses, key=losses.get)
    assert fit.weight == pytest.approx(best, abs=0.02)
    assert fit.loss <= losses[best] * 1.001


def test_a_new_edge_is_solved_as_in_the_larger_model(problem, model, data):
    larger = ImputeInteractions(pd.DataFrame({"source": ["T1"], "target": ["R2"]}))(data)
    exact = predict(enlarge(model, larger, 0.3), larger)
    edge_index = torch.cat([data.edge_index, torch.tensor([[6], [3]])], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(problem.with_edge(edge_index, 0.3).value, exact.h)


def test_the_removed_interaction_is_found_first(model, data):
    table = score_missing_interactions(model, data)
    first = table.iloc[0]
    assert (first["source"], first["target"], first["sign"]) == (*EDGE, -1)
    assert first["weight"] == pytest.approx(-1.0, abs=1e-3)
    assert first["loss_after"] < 1e-6 * first["loss"]
    assert first["rank"] == 1 and first["refitted"]
    assert (table["rank"].diff().dropna() >= 0).all()


def test_the_model_is_not_changed(model, data):
    before = {name: value.clone() for name, value in model.state_dict().items() if "_" != name[0]}
    score_missing_interactions(model, data, freedom=0.1)
    for name, value in before.items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)


def test_candidates_are_no_interactions_self_loops_or_inputs_of_ligands(data):
    allowed = Candidates(data).rows(torch.arange(7))
    source, target = data.edge_index
    assert not allowed[target, source].any()
    assert not allowed.diagonal().any()
    assert not allowed[data.ligand_mask].any()
    assert int(allowed.sum()) == 49 - 7 - 5 - 14 + 0


def test_a_table_restricts_the_candidates_and_tells_its_sign(model, data):
    prior = pd.DataFrame(
        {
            "source": ["S1", "R1", "X", "L1"],
            "target": ["S2", "T1", "S2", "R1"],
            "stimulation": [0, 1, 1, 1],
            "inhibition": [1, 0, 0, 0],
        }
    )
    table = score_missing_interactions(model, data, candidates=prior)
    assert set(zip(table["source"], table["target"], strict=True)) == {EDGE, ("R1", "T1")}
    assert table["known_sign"].tolist() == [-1, 1]
    with pytest.raises(ValueError, match="None of the 1 candidates could be missing"):
        score_missing_interactions(model, data, candidates=prior.tail(1))
    with pytest.raises(ValueError, match="has no column target"):
        score_missing_interactions(model, data, candidates=prior[["source"]])


def test_what_was_not_measured_does_not_count(model, data):
    part = data.clone()
    part.y = data.y.clone()
    part.y[6, ::3] = torch.nan
    chosen = [name for i, name in enumerate(data.conditions) if i % 3]
    with_nan = score_missing_interactions(model, part)
    without = score_missing_interactions(model, data, chosen)
    pd.testing.assert_frame_equal(with_nan, without, rtol=1e-6)


def test_parallel_sources_are_ties(model, data):
    """A source that is active exactly as another explains exactly as much."""
    twin = data.clone()
    twin.node_name, twin.node_label = [*data.node_name, "S1b"], [*data.node_label, "S1b"]
    inputs = data.edge_index[:, data.edge_index[1] == 4].clone()
    inputs[1] = 7
    twin.edge_index = torch.cat([data.edge_index, inputs], dim=1)
    twin.edge_sign = torch.cat([data.edge_sign, data.edge_sign[data.edge_index[1] == 4]])
    twin.edge_id = torch.cat([data.edge_id, data.edge_id.new_full((2,), -1)])
    twin.num_nodes = 8
    for name in ("ligand_mask", "receptor_mask", "tf_mask"):
        twin[name] = torch.cat([data[name], torch.tensor([False])])
    twin.x = torch.cat([data.x, data.x.new_zeros(1, 16)])
    twin.y = torch.cat([data.y, data.y.new_full((1, 16), torch.nan)])
    larger = LEMBAS(twin, radius=None).double()
    with torch.no_grad():
        own = data.edge_index[1] == 4
        larger.conv.edge_weight.copy_(
            torch.cat([model.conv.edge_weight, model.conv.edge_weight[own]])
        )
        larger.conv.bias.zero_()
        larger.input.weight.copy_(model.input.weight)
        larger.output.weight.copy_(model.output.weight)
    table = score_missing_interactions(larger, twin)
    tied = table[table["rank"] == 1]
    assert {"S1", "S1b"} <= set(tied["source"][tied["target"] == "S2"])
    assert (tied["ties"] == len(tied)).all()


def test_an_ensemble_gives_medians_and_agreement(model, data):
    single = score_missing_interactions(model, data)
    together = score_missing_interactions(Ensemble([model, model]), data)
    assert together["agree"].iloc[0] == 1.0
    assert together["spread"].iloc[0] == pytest.approx(0.0, abs=1e-12)
    assert together["loss_after"].iloc[0] == pytest.approx(single["loss_after"].iloc[0])


def test_a_model_that_explains_all_lacks_nothing(whole):
    table = score_missing_interactions(whole[1], whole[0])
    assert (table["loss"] - table["loss_after"]).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"screen": 0}, "screen is 0"),
        ({"top": True}, "top is True"),
        ({"freedom": -1.0}, "freedom is -1.0"),
        ({"conditions": "x"}, "Unknown conditions: 'x'"),
    ],
)
def test_illegal_options_are_named(model, data, options, text):
    with pytest.raises(ValueError, match=text):
        score_missing_interactions(model, data, **options)


def test_measurements_are_needed(model, data):
    bare = data.clone()
    del bare.y
    with pytest.raises(ValueError, match="has no measurements"):
        score_missing_interactions(model, bare)


def test_structure_scores_are_those_of_networkx(data):
    graph = nx.Graph(data.edge_index.t().tolist())
    pairs = [(0, 4), (2, 3), (3, 6), (1, 5)]
    names = [[data.node_name[i] for i in pair] for pair in pairs]
    found = structure_scores(data, pd.DataFrame(names, columns=["source", "target"]))
    for column, function in (
        ("adamic_adar", nx.adamic_adar_index),
        ("resource_allocation", nx.resource_allocation_index),
    ):
        expected = [score for _, _, score in function(graph, pairs)]
        np.testing.assert_allclose(found[column], expected)
    common = [len(list(nx.common_neighbors(graph, *pair))) for pair in pairs]
    assert found["common_neighbours"].tolist() == common
    assert found["paths"].tolist() == [1, 0, 1, 1]
    assert found["path_sign"].tolist() == [1, 0, 1, 1]


def test_a_price_on_candidates_leaves_some_out_and_in_the_end_all(model, data):
    candidates = score_missing_interactions(model, data, top=6)
    found = fit_sparse(model, data, candidates, l1=0.1)
    kept = found[found["survives"]]
    assert 0 < len(kept) < len(found)
    assert "S1" in set(kept["source"])
    assert (kept["sparse_weight"] < 0).all()
    assert found["sparse_loss"].iloc[0] < 0.1 * candidates["loss"].iloc[0]
    dearer = fit_sparse(model, data, candidates, l1=0.5)
    assert dearer["sparse_loss"].iloc[0] > found["sparse_loss"].iloc[0]
    none = fit_sparse(model, data, candidates, l1=1.0)
    assert not none["survives"].any()


def test_the_error_network_of_the_paper_gives_targets_and_sources(model, data):
    generator = torch.Generator().manual_seed(0)
    table = error_network(model, data, epochs=60, generator=generator)
    assert table["signal"].is_monotonic_decreasing
    assert not (table["source"] == table["target"]).any()
    assert not table["target"].isin(["L1", "L2"]).any()
    best = table[table["target"] == "S2"]
    assert best["correlation"].abs().is_monotonic_decreasing
