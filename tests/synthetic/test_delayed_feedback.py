"""A feedback with delay against Euler's method, and against its closed form before the delay."""

import math

import numpy as np
import pytest
import torch

from lembas_pyg.checkpoint import load_parameters
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.nn import LEMBAS, michaelis_menten_like
from lembas_pyg.synthetic import DelayedFeedback, simulate_feedback


@pytest.fixture(scope="module")
def nfkb():
    network = ToyNetwork(name="nfkb")[0]
    model = LEMBAS(network, radius=None).double()
    return load_parameters(model, ToyNetwork.parameters("nfkb")), network


def activity(tnf, p100):
    """The chain worked out by hand."""

    def act(z):
        return float(michaelis_menten_like(torch.tensor(z, dtype=torch.float64)))

    return 1.3 * act(1.1 * act(0.9 * act(tnf) - 0.7 * act(p100)))


def test_before_the_delay_mrna_rises_to_its_closed_form(nfkb):
    table = simulate_feedback(*nfkb, "TNF", "P100", [-5.0, 4.0, 9.0])
    y = activity(1.0, 0.0)
    expected = [0.0, *(0.05 / 0.2 * y * (1 - math.exp(-0.2 * t)) for t in (4.0, 9.0))]
    np.testing.assert_allclose(table["mRNA"], expected, rtol=1e-5)
    np.testing.assert_allclose(table["NFKB_N"], [0.0, y, y], atol=1e-9)
    assert table[["TNF", "P100"]].to_numpy().tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]


def test_the_course_is_that_of_small_steps_of_euler(nfkb):
    step, end = 0.01, 60.0
    mrna, protein = [0.0], [0.0]
    for i in range(round(end / step)):
        delayed = mrna[i - 1000] if i >= 1000 else 0.0
        y = activity(1.0, 4 * protein[i])
        mrna.append(mrna[i] + step * (0.05 * y - 0.2 * mrna[i]))
        protein.append(protein[i] + step * (0.2 * delayed - 0.11 * protein[i]))
    table = simulate_feedback(*nfkb, "TNF", "P100", [20.0, 35.0, 60.0])
    chosen = [round(t / step) for t in table["time"]]
    np.testing.assert_allclose(table["mRNA"], np.array(mrna)[chosen], atol=2e-4)
    np.testing.assert_allclose(table["P100"], 4 * np.array(protein)[chosen], atol=4e-3)


def test_tf_activity_oscillates(nfkb):
    course = simulate_feedback(*nfkb, "TNF", "P100", np.linspace(1, 120, 120))["NFKB_N"].to_numpy()
    assert (np.diff(np.sign(np.diff(course))) != 0).sum() >= 2


def test_what_makes_no_sense_is_refused(nfkb):
    with pytest.raises(ValueError, match="'NFKB_C' is no ligand"):
        simulate_feedback(*nfkb, "TNF", "NFKB_C", [1.0])
    with pytest.raises(ValueError, match="times must be finite, increasing"):
        simulate_feedback(*nfkb, "TNF", "P100", [2.0, 1.0])
    with pytest.raises(ValueError, match="delay is 0"):
        DelayedFeedback(delay=0.0)
    with pytest.raises(ValueError, match="not of the model's network"):
        simulate_feedback(nfkb[0], ToyNetwork()[0], "TNF", "P100", [1.0])
