"""Mechanisms against published simulations, closed forms and the matrix exponential."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import expm

from lembas_pyg.synthetic import MECHANISMS, Mechanism, Reaction, mechanism_surface

PUBLISHED = {
    "independent_activation": "independentActivation",
    "independent_deactivation": "independentDeActivation",
    "cooperative_activation": "cooperativeActivation",
    "advanced_cooperative_activation": "advancedCooperativeActivation",
    "competitive_inhibition": "competitiveInhibition",
    "non_competitive_inhibition": "nonCompetitiveInhibtion",
}
LEVEL = np.linspace(0, 2, 5)
A, B = np.meshgrid(LEVEL, LEVEL, indexing="ij")


def saturated(z):
    return z / (1 + z)


CLOSED = {
    "independent_activation": lambda k: saturated((k["k1"] * A + k["k3"] * B) / k["k2"]),
    "independent_deactivation": lambda k: saturated(
        np.maximum(k["k1"] * A - k["k3"] * B, 0) / k["k2"]
    ),
    "cooperative_activation": lambda k: saturated(k["k1"] * A * B / k["k2"]),
    "competitive_inhibition": lambda k: (
        k["k1"] * A / k["k2"] / (1 + k["k1"] * A / k["k2"] + k["k3"] * B / k["k4"])
    ),
}


@pytest.fixture
def kinase():
    return Mechanism(
        "a kinase",
        ("X", "Xact"),
        "Xact",
        (Reaction("X", "Xact", "on", "A"), Reaction("Xact", "X", "off")),
        {"on": 2.0, "off": 1.0},
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_surfaces_are_the_published_ones(name, shared_data):
    file = shared_data / "lembas" / "mechanisms" / f"{PUBLISHED[name]}.tsv"
    published = pd.read_csv(file, sep="\t", index_col=0)
    surface = mechanism_surface(MECHANISMS[name])
    np.testing.assert_allclose(surface.index, published.index, atol=1e-12)
    np.testing.assert_allclose(surface.columns, published.columns.astype(float), atol=1e-12)
    assert abs(surface.to_numpy() - published.to_numpy()).max() < 2e-3


def test_there_are_no_other_mechanisms():
    assert set(MECHANISMS) == set(PUBLISHED)


@pytest.mark.parametrize("name", CLOSED)
def test_activity_has_its_closed_form_whatever_the_rate_constants(name):
    constants = {"k1": 0.7, "k2": 0.3, "k3": 0.2, "k4": 0.9}
    mechanism = MECHANISMS[name]
    mechanism = mechanism.with_rate_constants({k: constants[k] for k in mechanism.rate_constants})
    np.testing.assert_allclose(mechanism.activity(A, B), CLOSED[name](constants), atol=1e-12)


def test_two_sites_bind_independently_where_all_steps_are_alike():
    expected = saturated(5 * A) * saturated(5 * B)
    activity = MECHANISMS["advanced_cooperative_activation"].activity(A, B)
    np.testing.assert_allclose(activity, expected, atol=1e-12)


def test_independent_activation_is_a_node_with_a_saturating_activation():
    """Beyond half of saturation MML is the Michaelis-Menten expression, shifted and scaled."""
    from lembas_pyg.nn import michaelis_menten_like

    z = torch.linspace(0.5, 20, 100, dtype=torch.float64)
    shifted = (2 * z - 1).numpy()
    expected = 0.5 + 0.5 * saturated(shifted)
    np.testing.assert_allclose(michaelis_menten_like(z).numpy(), expected, atol=1e-12)
    for sources in ((0.3, 0.9), (1.2, 0.0), (0.0, 1.2)):  # equal sums, equal activity
        activity = MECHANISMS["independent_activation"].activity(*sources)
        assert activity == pytest.approx(saturated(2 * sum(sources)))


@pytest.mark.parametrize("name", MECHANISMS)
def test_simulation_follows_the_matrix_exponential(name):
    mechanism = MECHANISMS[name]
    start = np.full(len(mechanism.states), 1 / len(mechanism.states))
    expected = [
        [expm(150.0 * mechanism.rates(a, b)) @ start for b in (0.0, 0.4, 1.0)] for a in (0.1, 0.7)
    ]
    found = mechanism.simulate([[0.1], [0.7]], [0.0, 0.4, 1.0], time=150.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", MECHANISMS)
def test_simulation_ends_at_the_algebraic_steady_state(name):
    mechanism = MECHANISMS[name]
    np.testing.assert_allclose(mechanism.simulate(A, B), mechanism.steady_state(A, B), atol=1e-6)


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_target_is_conserved(name):
    mechanism = MECHANISMS[name]
    np.testing.assert_allclose(mechanism.rates(A, B).sum(axis=-2), 0, atol=1e-12)
    for states in (mechanism.simulate(A, B), mechanism.steady_state(A, B)):
        np.testing.assert_allclose(states.sum(axis=-1), 1, atol=1e-8)
        assert states.min() > -1e-8


def test_a_mechanism_of_ones_own_takes_other_rate_constants(kinase):
    assert kinase.activity(1.0, 5.0) == pytest.approx(2 / 3)
    slow = kinase.with_rate_constants({"on": 0.5})
    assert slow.activity(1.0, 5.0) == pytest.approx(1 / 3)
    assert kinase.rate_constants["on"] == 2.0


def test_a_simulation_that_is_too_short_is_not_silent(kinase):
    with pytest.warns(UserWarning, match=r"a kinase has not reached a steady state at time 0\.5"):
        kinase.simulate(1.0, 0.0, time=0.5)


def test_a_steady_state_that_depends_on_the_start_is_refused(kinase):
    with pytest.raises(ValueError, match="not unique"):
        kinase.with_rate_constants({"off": 0.0}).steady_state(0.0, 0.0)


def test_what_makes_no_sense_is_refused(kinase):
    with pytest.raises(ValueError, match="'onn' is no rate constant here; choose from 'on', 'off'"):
        kinase.with_rate_constants({"onn": 1.0})
    with pytest.raises(ValueError, match="The rate constant on is -1"):
        kinase.with_rate_constants({"on": -1.0})
    with pytest.raises(ValueError, match="'Y' is no state here"):
        Mechanism("m", ("X",), "X", (Reaction("X", "Y", "k"),), {"k": 1.0})
    with pytest.raises(ValueError, match="'C' is no source here"):
        Mechanism("m", ("X", "Y"), "X", (Reaction("X", "Y", "k", "C"),), {"k": 1.0})
    with pytest.raises(ValueError, match="use the rate constants k; given are k, unused"):
        Mechanism("m", ("X", "Y"), "X", (Reaction("X", "Y", "k"),), {"k": 1.0, "unused": 2.0})
    with pytest.raises(ValueError, match="finite and 0 or more"):
        kinase.activity(-1.0, 0.0)
    with pytest.raises(ValueError, match="time is 0"):
        kinase.simulate(1.0, 0.0, time=0)
    with pytest.raises(ValueError, match="num_levels is 1"):
        mechanism_surface(kinase, 1)
