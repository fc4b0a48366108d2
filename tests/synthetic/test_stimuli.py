"""Stimuli counted by hand; measurements against the closed form of a chain."""

import itertools

import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_conditions, write_conditions
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import (
    grid_stimuli,
    measure,
    random_stimuli,
    screen_stimuli,
    split_conditions,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def chain():
    """L -> S -> T with weights 0.5 and -2, biases 0, 0.1, 0.4; TF weight 1.2, ligand weight 3."""
    interactions = pd.DataFrame(
        {"source": ["L", "S"], "target": ["S", "T"], "stimulation": [1, 0], "inhibition": [0, 1]}
    )
    annotation = pd.DataFrame(
        {
            "code": ["L", "S", "T"],
            "name": "",
            "TF": [False, False, True],
            "ligand": [True, False, False],
        }
    )
    data = from_interactions(interactions, annotation)
    model = LEMBAS(data, radius=None).double()
    with torch.no_grad():
        model.conv.edge_weight.copy_(torch.tensor([0.5, -2.0]))
        model.conv.bias.copy_(torch.tensor([[0.0], [0.1], [0.4]]))
    return model, data


@pytest.fixture
def data():
    return add_conditions(
        ToyNetwork()[0],
        pd.DataFrame({"L1": [0.0, 0.1, 0.2, 0.3, 0.4]}, index=list("abcde")),
        pd.DataFrame({"T1": [0.5, 0.6, 0.7, 0.8, 0.9]}, index=list("abcde")),
    )


def test_a_grid_holds_every_combination_once():
    table = grid_stimuli(["A", "B", "C"], num_levels=2, low=0.5, high=2.5)
    assert [tuple(row) for row in table.to_numpy()] == list(itertools.product([0.5, 2.5], repeat=3))
    assert table.columns.tolist() == ["A", "B", "C"]
    assert table.index[1] == "A=0.50 B=0.50 C=2.50"


def test_names_of_fine_levels_stay_apart():
    table = grid_stimuli(["A"], num_levels=1001)
    assert table.index.is_unique
    assert table.index[1] == "A=0.001"


def test_stimuli_survive_being_written_and_read(tmp_path):
    table = random_stimuli(["A", "B"], 7, 2, generator=generator())
    write_conditions(table, tmp_path / "ligands.tsv")
    pd.testing.assert_frame_equal(read_conditions(tmp_path / "ligands.tsv"), table)


def test_random_stimuli_start_with_a_control_and_have_at_most_the_draws():
    table = random_stimuli(list("ABCDE"), 400, 3, generator=generator())
    active = (table > 0).sum(axis="columns")
    assert active.iloc[0] == 0
    assert table.index[0] == "(none)"
    assert set(active[1:]) == {1, 2, 3}  # drawn with replacement
    assert table.to_numpy().max() < 1
    assert table.index.is_unique


def test_conditions_with_equal_names_are_numbered():
    # Two ligands at 4 decimals cannot give 40,000 different names with one draw each.
    table = random_stimuli(["A", "B"], 40_000, 1, generator=generator())
    assert table.index.is_unique
    assert table.index.str.contains(" #2").any()


def test_random_stimuli_repeat_with_the_seed():
    first, again, other = (
        random_stimuli(["A", "B"], 5, 1, generator=generator(seed)) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert first.index.tolist() != other.index.tolist()


def test_a_screen_visits_every_ligand_in_turn_after_a_control():
    names = list("ABCDE")
    values = screen_stimuli(names, 13, 3, generator=generator()).to_numpy()
    assert values.shape == (13, 5)
    assert not values[0].any()
    assert all(values[i, (i - 1) % 5] > 0 for i in range(1, 13))
    active = (values[1:] > 0).sum(axis=1)
    assert active.min() >= 1 and active.max() <= 3 and len(set(active)) > 1
    assert values.max() < 1


def test_the_others_of_a_screen_repeat_with_the_seed():
    first, again, other = (
        screen_stimuli(list("ABCDE"), 9, 2, generator=generator(seed)) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert ((first > 0).to_numpy() != (other > 0).to_numpy()).any()


def test_measurements_are_the_states_worked_out_by_hand(chain):
    model, data = chain
    stimuli = pd.DataFrame({"L": [0.0, 0.1]}, index=["control", "low"])
    measured = measure(model, data, stimuli)
    # control: S = 0.1, T = 0.4 - 0.2 = 0.2; low: L = 0.3, S = 0.25, T = 0.4 - 0.5 -> leak
    expected = torch.tensor([[1.2 * 0.2, 1.2 * 0.01 * -0.1]], dtype=torch.float64)
    torch.testing.assert_close(measured.y[measured.tf_mask], expected)
    assert measured.conditions == {"control": 0, "low": 1}
    assert "y" not in data


def test_noise_has_the_size_and_the_seed_asked_for(chain):
    model, data = chain
    stimuli = random_stimuli(["L"], 2000, 1, generator=generator())
    exact = measure(model, data, stimuli).y[2]
    first, again = (
        measure(model, data, stimuli, noise=0.05, generator=generator(3)).y[2] for _ in range(2)
    )
    assert torch.equal(first, again)
    assert float((first - exact).std()) == pytest.approx(0.05, rel=0.1)


def test_a_condition_without_steady_state_is_not_measured(chain):
    _, data = chain
    data.edge_index[1, 1] = 0  # L -> S -| L oscillates under a strong stimulus
    data.tf_mask[:] = torch.tensor([False, True, False])
    unstable = LEMBAS(data, act=torch.tanh, radius=None).double()
    with torch.no_grad():
        unstable.conv.edge_weight.copy_(torch.tensor([2.0, -2.0]))
    with pytest.warns(UserWarning, match="1 of 1 conditions did not reach a steady state"):
        measured = measure(unstable, data, pd.DataFrame({"L": [0.1]}, index=["a"]))
    assert measured.y.isnan().all()


def test_a_split_shares_out_every_condition_with_its_values(data):
    train, test = split_conditions(data, 0.6, generator=generator())
    assert (len(train.conditions), len(test.conditions)) == (3, 2)
    assert sorted([*train.conditions, *test.conditions]) == list("abcde")
    for part in (train, test):
        for name, column in part.conditions.items():
            assert torch.equal(part.x[:, column], data.x[:, data.conditions[name]])
            assert part.y[6, column] == data.y[6, data.conditions[name]]
        assert list(part.conditions) == sorted(part.conditions)
    assert data.x.shape == (7, 5)


def test_splits_repeat_with_the_seed_and_differ_otherwise(data):
    names = [
        tuple(split_conditions(data, generator=generator(seed))[1].conditions)
        for seed in (0, 0, *range(1, 8))
    ]
    assert names[0] == names[1]
    assert len(set(names)) > 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: grid_stimuli([]), "No ligand was named"),
        (lambda d: grid_stimuli(["A", "A"]), "named more than once: A"),
        (lambda d: grid_stimuli(["A"], num_levels=1), "num_levels is 1; it must be .* 2 or more"),
        (lambda d: grid_stimuli(["A"], low=1.0), "low=1.0 to high=1.0"),
        (lambda d: grid_stimuli(list("ABCDEFG")), r"10 levels of 7 ligands are 10\^7"),
        (lambda d: random_stimuli(["A"], 0, 1), "num_conditions is 0"),
        (lambda d: random_stimuli(["A"], 2, 1.5), "num_active is 1.5"),
        (lambda d: split_conditions(d, 1.0), "share is 1.0; it must lie between 0 and 1"),
        (lambda d: split_conditions(d, 0.05), "0.05 of 5 conditions leaves one part empty"),
        (lambda d: split_conditions(ToyNetwork()[0]), "The network has no conditions"),
        (lambda d: measure(LEMBAS(d), d, None, noise=-1.0), "noise is -1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(data, call, message):
    with pytest.raises(ValueError, match=message):
        call(data)


def test_one_text_is_no_list_of_ligands():
    with pytest.raises(TypeError, match=r"give \['IL6'\]"):
        grid_stimuli("IL6")
