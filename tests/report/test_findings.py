"""What a report asks of models, against the library and against the equations."""

import numpy as np
import pandas as pd
import pytest
import torch

import lembas_pyg as lp
from lembas_pyg.report import explore, thinned


@pytest.fixture(scope="module")
def toy():
    """Two models of the toy network, and the network under four conditions."""
    names = ["none", "one", "two", "both"]
    ligands = pd.DataFrame([[0, 0], [1, 0], [0, 1], [1, 0.3]], names, ["L1", "L2"], dtype=float)
    tfs = pd.DataFrame({"T1": [0.1, 0.2, 0.8, np.nan]}, names)
    data = lp.network.add_conditions(lp.datasets.ToyNetwork()[0], ligands, tfs)
    models = [lp.LEMBAS(data, generator=torch.Generator().manual_seed(3)).double() for _ in "ab"]
    lp.checkpoint.load_parameters(models[1], lp.datasets.ToyNetwork.parameters())
    return lp.Ensemble(models), data


@pytest.fixture(scope="module")
def findings(toy):
    return explore(*toy)


def test_states_are_medians_of_the_members(toy, findings):
    ensemble, data = toy
    states = np.stack([lp.predict(model, data).h.numpy() for model in ensemble.models])
    weights = np.stack([m.conv.edge_weight.detach().numpy() for m in ensemble.models])
    np.testing.assert_allclose(findings.states.state, states.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(
        findings.states.state_spread, np.abs(states[0] - states[1]) / 2**0.5, atol=1e-10
    )
    np.testing.assert_allclose(findings.states.weight, weights.mean(axis=0))
    np.testing.assert_allclose(
        findings.states.activity, np.stack([lp.predict(m, data).y for m in ensemble.models]).mean(0)
    )
    assert findings.states.members == 2 and findings.states.converged.shape == (2, 4)


def test_slopes_are_derivatives_of_the_activation(toy):
    ensemble, data = toy
    model = ensemble.models[1]
    found = explore(model, data, without=["knock-outs", "stability", "paths"]).states
    dense = np.zeros((7, 7))
    np.add.at(dense, tuple(data.edge_index.flip(0).numpy()), found.weight)
    drive = data.x[:, 3:].clone().double()
    drive[model.ligand_index] *= model.input.weight.detach().view(-1, 1)
    z = dense @ found.state[:, 3:] + model.conv.bias.detach().numpy() + drive.numpy()
    step = 1e-6
    higher, lower = (model.conv.act(torch.from_numpy(z + d)).numpy() for d in (step, -step))
    np.testing.assert_allclose(found.slope[:, 3:], (higher - lower) / (2 * step), atol=1e-6)
    assert np.isnan(found.state_spread).all()


def test_knock_outs_are_those_of_the_library(toy, findings):
    ensemble, data = toy
    table = lp.analysis.knock_out(ensemble, data).set_index(["condition", "node", "tf"])
    for c, condition in enumerate(data.conditions):
        for n, node in enumerate(data.node_name):
            row = table.loc[condition, node, "T1"]
            assert findings.knock_outs.delta[c, n, 0] == pytest.approx(row["delta"], abs=1e-5)
    assert findings.knock_outs.conditions == list(data.conditions)
    assert findings.knock_outs.agree.max() == 2


def test_only_the_conditions_asked_for_are_knocked(toy):
    found = explore(*toy, ["two"], without=["stability", "paths"])
    assert found.knock_outs.conditions == ["two"]
    assert found.knock_outs.delta.shape == (1, 7, 1)
    assert found.stability is None and found.paths is None


def test_each_ligand_is_explained_where_it_changes_a_tf_most(toy, findings):
    ensemble, data = toy
    effects = {}
    for condition, column in data.conditions.items():
        for ligand in ("L1", "L2"):
            node = data.node_name.index(ligand)
            if data.x[node, column] == 0:
                continue
            without = data.clone()
            without.x = data.x.clone()
            without.x[node] = 0
            change = [
                lp.predict(model, data).y[0, column] - lp.predict(model, without).y[0, column]
                for model in ensemble.models
            ]
            effects[ligand, condition] = abs(float(sum(change)) / 2)
    for path in findings.paths:
        own = {c: size for (ligand, c), size in effects.items() if ligand == path.ligand}
        assert path.condition == max(own, key=own.get)
    assert [path.ligand for path in findings.paths] == ["L1", "L2"]


def test_stability_is_that_of_the_library(toy, findings):
    ensemble, data = toy
    expected = lp.analysis.stability(ensemble, data, modes=1, nodes=1).over_members().conditions
    pd.testing.assert_frame_equal(findings.stability, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"without": ["knockouts"]}, r"without names \['knockouts'\]; legal are knock-outs,"),
        ({"paths": -1}, "paths is -1"),
        ({"conditions": ["three"]}, "Unknown conditions: 'three'"),
    ],
)
def test_what_cannot_be_asked_is_refused(toy, options, words):
    with pytest.raises(ValueError, match=words):
        explore(*toy, **options)


def test_members_are_thinned_evenly(toy):
    ensemble, _ = toy
    first, second = ensemble.models
    held_out = [[str(i)] for i in range(6)]
    six = lp.Ensemble([first, second] * 3, held_out=held_out)
    kept = thinned(six, 3)
    assert kept.held_out == [frozenset(["0"]), frozenset(["2"]), frozenset(["4"])]
    assert thinned(six, 6) is six and len(thinned(six, 1)) == 1


def test_what_has_no_steady_state_is_named_and_left_out(toy):
    ensemble, data = toy
    unstable = lp.LEMBAS(data, generator=torch.Generator().manual_seed(3)).double()
    unstable.load_state_dict(ensemble.models[1].state_dict())
    loop = [(2, 4), (4, 2)]  # R1 <-> S1, one of the two now inhibits: it oscillates
    for edge, pair in enumerate(zip(*data.edge_index.tolist(), strict=True)):
        if pair in loop:
            with torch.no_grad():
                unstable.conv.edge_weight[edge] = 40.0 if pair == loop[0] else -40.0
    without = ["knock-outs", "stability", "paths"]
    with pytest.warns(UserWarning, match="have no steady state in a member"):
        found = explore(unstable, data, without=without).states
    assert np.isnan(found.state[:, ~found.converged[0]]).all()
    assert not np.isnan(found.state[:, found.converged[0]]).any()
