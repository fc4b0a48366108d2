"""How TF activities spread, against numpy, and on activities whose dimension is known."""

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import activity_by_tf, activity_space, describe_activities, linearity
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS, LeakyReLU
from lembas_pyg.prediction import predict
from lembas_pyg.synthetic import random_stimuli


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def network_of(edges, ligands, tfs):
    """Activations only."""
    table = pd.DataFrame(edges, columns=["source", "target"]).assign(stimulation=1, inhibition=0)
    names = sorted({name for edge in edges for name in edge})
    annotation = pd.DataFrame({"code": names, "name": names})
    return from_interactions(
        table,
        annotation.assign(
            ligand=[name in ligands for name in names], TF=[name in tfs for name in names]
        ),
    )


@pytest.fixture(scope="module")
def fan():
    """Two ligands, three TFs: of the first, of the second, of both; and one without input."""
    edges = [("A", "T1"), ("B", "T2"), ("A", "T3"), ("B", "T3"), ("A", "X"), ("T4", "X")]
    data = network_of(edges, {"A", "B"}, {"T1", "T2", "T3", "T4"})
    return add_conditions(data, random_stimuli(["A", "B"], 60, 2, generator=generator()))


@pytest.fixture(scope="module")
def linear(fan):
    """Weights of 1 and no saturation: TF activities add up."""
    model = LEMBAS(fan, LeakyReLU(), input_amplitude=1.0, output_amplitude=1.0, radius=None)
    with torch.no_grad():
        model.conv.edge_weight.fill_(0.5)
        model.conv.bias.zero_()
    return model.double()


def test_properties_are_those_of_numpy(fan, linear):
    y = predict(linear, fan).y.numpy()
    found = describe_activities({"fan": linear}, fan)["fan"]
    variance = y.var(axis=1)
    alive = y[variance >= 1e-4]
    assert found["share of steady conditions"] == 1
    assert found["mean"] == pytest.approx(y.mean())
    assert found["standard deviation of the means of TFs"] == pytest.approx(y.mean(axis=1).std())
    assert found["variance of a TF, mean"] == pytest.approx(variance.mean())
    assert found["share of dead TFs"] == 0.25
    off = np.corrcoef(alive)[np.triu_indices(3, 1)]
    assert found["mean absolute correlation of two TFs"] == pytest.approx(np.abs(off).mean())
    power = np.linalg.eigvalsh(np.cov(y))
    assert found["dimension"] == pytest.approx(power.sum() ** 2 / (power**2).sum())
    assert found["components for 90 % of the variance"] == 2


def test_two_models_stand_side_by_side(fan, linear):
    table = describe_activities({"one": linear, "other": LEMBAS(fan, generator=generator())}, fan)
    assert table.columns.tolist() == ["one", "other"]
    assert table.loc["variance of a TF, mean", "one"] > table.loc["variance of a TF, mean", "other"]


def test_every_tf_has_its_row(fan, linear):
    y = predict(linear, fan).y.numpy()
    found = activity_by_tf(linear, fan)
    assert found.index.tolist() == ["T1", "T2", "T3", "T4"]
    np.testing.assert_allclose(found["mean"], y.mean(axis=1))
    np.testing.assert_allclose(found["variance"], y.var(axis=1))


def test_activities_without_any_steady_state_are_refused():
    toy = ToyNetwork()[0]
    model = LEMBAS(toy, LeakyReLU(), radius=None)
    with torch.no_grad():
        model.conv.edge_weight.fill_(40.0)
    data = add_conditions(toy, random_stimuli(["L1", "L2"], 3, 2, generator=generator()))
    with pytest.warns(UserWarning, match="did not reach"), pytest.raises(ValueError, match="None"):
        describe_activities({"unstable": model}, data)


def test_a_square_covers_its_area_and_has_two_dimensions():
    corners = torch.tensor([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0], [0.0] * 4]) / 2
    places, summary = activity_space({1: corners, 2: 3 * corners})
    assert summary["area"].tolist() == pytest.approx([1, 9])
    assert summary["dimension"].tolist() == pytest.approx([2, 2])
    assert summary["components"].tolist() == [2, 2]
    assert summary["variance"].tolist() == pytest.approx([0.5, 4.5])
    assert len(places) == 8
    distance = np.hypot(*(places.loc[0, ["pc1", "pc2"]] - places.loc[3, ["pc1", "pc2"]]))
    assert distance == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("activities", "problem"),
    [({}, "no set"), ({1: torch.rand(3, 2)}, "Set 1"), ({2: torch.ones(3, 9)}, "Set 2")],
)
def test_sets_that_cover_nothing_are_refused(activities, problem):
    with pytest.raises(ValueError, match=problem):
        activity_space(activities)


def test_activities_that_add_up_are_predicted_from_single_ligands(fan, linear):
    table = linearity(linear, fan, [1, 2], num_conditions=60, num_folds=5, generator=generator(2))
    assert table.index.tolist() == [1, 2]
    np.testing.assert_allclose(table[["r_single", "r_fitted"]], 1.0)


def test_activities_that_saturate_are_not(fan, linear):
    model = LEMBAS(fan, radius=None).double()
    model.load_state_dict(linear.state_dict())
    with torch.no_grad():
        model.conv.edge_weight.fill_(6.0)
    table = linearity(model, fan, [1, 2], num_conditions=200, generator=generator(2))
    assert table.loc[2, "r_single"] < table.loc[2, "r_fitted"] < 0.97


def test_fits_without_folds_are_refused(fan, linear):
    with pytest.raises(ValueError, match="num_folds is 1"):
        linearity(linear, fan, num_folds=1)
    with pytest.raises(ValueError, match="fewer than the 20 folds"):
        linearity(linear, fan, [2], num_conditions=10)
