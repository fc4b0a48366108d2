"""Questions to a drug model against brute force and closed forms."""

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.analysis import (
    dose_response,
    drug_combination,
    mutation_effects,
    target_effects,
    viability_knock_out,
)
from lembas_pyg.analysis.drug_combination import bliss, loewe
from lembas_pyg.nn import DrugResponse
from lembas_pyg.training import ResponseEnsemble

LINES = ["A1", "B2", "C3", "D4"]


def drug_model(screen, seed, **options):
    generator = torch.Generator().manual_seed(seed)
    model = DrugResponse(screen, generator=generator, **options).double()
    with torch.no_grad():
        model.viability.weight.fill_(0.9)
        model.expression.weight.uniform_(0.05, 0.2, generator=generator)
        model.mutation.weight.uniform_(0.1, 0.4, generator=generator)
        model.drug.weight.mul_(0.3)
    return model


@pytest.fixture
def models(screen):
    return ResponseEnsemble([drug_model(screen, seed, expression_limit=0.0) for seed in (1, 2)])


def direct(model, screen, line, mutation=None, **doses):
    """Viability of one line under doses, asked of the model itself."""
    dose = torch.tensor([[doses.get("P", 0.0)], [doses.get("Q", 0.0)]]).double()
    mutations = screen.mutation if mutation is None else mutation
    model.conv.tol, model.conv.max_steps = 1e-12, 20_000
    with torch.no_grad():
        found = model(dose, torch.tensor([LINES.index(line)]), screen.expression, mutations)
    return float(found.viability)


def average(models, screen, line, mutation=None, **doses):
    values = [direct(model, screen, line, mutation, **doses) for model in models.models]
    return np.mean(values), np.std(values, ddof=1)


def test_curves_are_mean_and_spread_of_the_members_with_what_was_measured(models, screen):
    before = [p.clone() for p in models.parameters()]
    table = dose_response(models, screen, "P", ["D4", "A1"])
    assert table["cell_line"].unique().tolist() == ["D4", "A1"]
    assert table["measured"].notna().sum() == 6
    row = table[(table["cell_line"] == "D4") & (table["log10_dose"] == 1.0)].iloc[0]
    mean, spread = average(models, screen, "D4", P=1.0)
    assert (row["viability"], row["spread"]) == pytest.approx((mean, spread), abs=1e-10)
    assert row["measured"] == pytest.approx(0.7)
    assert all(torch.equal(p, q) for p, q in zip(before, models.parameters(), strict=True))
    asked = dose_response(models.models[0], screen, "Q", "B2", doses=[0.3])
    assert asked["viability"].item() == pytest.approx(direct(models.models[0], screen, "B2", Q=0.3))
    assert asked["spread"].isna().all()


def test_effect_of_targets_is_that_of_drugs_with_other_targets(models, screen):
    table = target_effects(models, screen, "P", 2.0, ["B2"]).set_index("target")
    assert table.index.tolist() == ["R1", "S1"]
    base = average(models, screen, "B2")[0]
    intact = average(models, screen, "B2", P=2.0)[0] - base
    assert table["intact"].tolist() == pytest.approx([intact] * 2, abs=1e-10)
    for model in models.models:
        keep = model.drug.target_index != screen.node_name.index("R1")
        with torch.no_grad():
            model.drug.weight.mul_(keep)
    without = average(models, screen, "B2", P=2.0)[0] - base
    assert table.loc["R1", "without"] == pytest.approx(without, abs=1e-10)
    assert table.loc["S1", "only"] == pytest.approx(without, abs=1e-10)


def test_effect_of_a_mutation_is_the_difference_with_and_without_it(models, screen):
    table = mutation_effects(models, screen, "P", 1.0, ["A1", "C3"])
    assert table["mutation"].unique().tolist() == ["S1 x", "R2 y"]  # no line has S1 z
    row = table[(table["cell_line"] == "C3") & (table["mutation"] == "S1 x")].iloc[0]
    assert not row["present"]
    mutated = screen.mutation.clone()
    mutated[0, 2] = 1.0
    with_it, without = (average(models, screen, "C3", m, P=1.0)[0] for m in (mutated, None))
    assert (row["mutated"], row["wild_type"]) == pytest.approx((with_it, without), abs=1e-10)
    assert row["delta"] == pytest.approx(with_it - without, abs=1e-10)
    row = table[(table["cell_line"] == "A1") & (table["mutation"] == "S1 x")].iloc[0]
    assert row["present"]
    assert row["mutated"] == pytest.approx(average(models, screen, "A1", P=1.0)[0], abs=1e-10)


def test_knock_out_compares_with_the_cells_that_have_the_node(models, screen):
    table = viability_knock_out(models, screen, ["S2"], ["A1"], drug="P", dose=0.5)
    control = average(models, screen, "A1", P=0.5)[0]
    assert table["control"].item() == pytest.approx(control, abs=1e-10)
    assert table["delta"].item() < -0.01  # S2 drives the TF
    bare = viability_knock_out(models, screen, None, ["A1"])
    assert bare["node"].tolist() == screen.node_name
    assert bare["control"].tolist() == pytest.approx([1.0] * 7)
    with pytest.raises(ValueError, match="Name a drug= and its log10 dose= together"):
        viability_knock_out(models, screen, drug="P")


def test_combination_is_asked_of_both_drugs_beside_bliss(models, screen):
    table = drug_combination(models, screen, ("P", "Q"), ["B2", "D4"], doses=[0.5, 1.5])
    assert len(table) == 8
    row = table[
        (table["cell_line"] == "D4") & (table["dose_a"] == 0.5) & (table["dose_b"] == 1.5)
    ].iloc[0]
    assert row["viability"] == pytest.approx(average(models, screen, "D4", P=0.5, Q=1.5)[0])
    assert row["a"] == pytest.approx(average(models, screen, "D4", P=0.5)[0], abs=1e-9)
    each = [direct(m, screen, "D4", P=0.5) * direct(m, screen, "D4", Q=1.5) for m in models.models]
    assert row["bliss"] == pytest.approx(np.mean(each), abs=1e-9)
    assert row["bliss_excess"] == pytest.approx(row["bliss"] - row["viability"], abs=1e-12)
    assert row["loewe_excess"] == pytest.approx(row["loewe"] - row["viability"], abs=1e-12)


def test_a_drug_combined_with_its_double_is_additive_by_loewe(screen):
    screen.drug_sign[:, 0] = screen.drug_sign[:, 1]  # P hits what Q hits
    model = drug_model(screen, 3, expression_limit=0.0)
    with torch.no_grad():
        model.conv.bias[screen.node_name.index("S2")] = 0.4
    table = drug_combination(model, screen, ("P", "Q"), ["A1"], doses=[0.2, 0.4, 0.9])
    assert table["viability"].std() > 0.01
    assert table["bliss_excess"].abs().max() > 0.01
    assert table["loewe_excess"].abs().max() < 1e-3


def test_doses_beyond_the_usual_are_solved_and_not_extrapolated(models, screen):
    table = drug_combination(models, screen, ("P", "Q"), ["D4"], doses=[6.4, 7.3])
    for _, row in table.iterrows():
        assert row["a"] == pytest.approx(average(models, screen, "D4", P=row["dose_a"])[0])
        assert row["b"] == pytest.approx(average(models, screen, "D4", Q=row["dose_b"])[0])
    assert len(table) == 4
    twice = drug_model(screen, 3, expression_limit=0.0)
    with torch.no_grad():
        twice.drug.weight.mul_(0.05)  # so weak that the effect still grows beyond 6
    far = drug_combination(twice, screen, ("P", "Q"), ["D4"], doses=[6.5, 8.0])
    assert far.groupby("dose_a")["loewe"].nunique().eq(2).all()


def test_loewe_of_two_dilutions_is_the_curve_at_the_sum():
    grid = torch.linspace(0, 6, 121).double()

    def hill(log_dose):
        return 1 / (1 + 10 ** (log_dose - 3))

    first, second = hill(grid), hill(grid - 1)  # the second is ten times weaker
    levels = np.array([[2.0, 3.0, 3.5], [3.0, 3.0, 4.5]])
    found = loewe(first.view(1, 1, -1), second.view(1, 1, -1), levels)[0, 0]
    total = np.log10(10 ** levels[0] + 10 ** (levels[1] - 1))
    np.testing.assert_allclose(found, hill(total), atol=2e-4)


def test_loewe_of_a_drug_that_does_nothing_is_the_other_alone():
    grid = torch.linspace(0, 6, 121).double()
    active = 1 / (1 + 10 ** (grid - 3))
    found = loewe(active.view(1, 1, -1), torch.ones(1, 1, 121).double(), np.array([[3.0], [4.0]]))
    assert float(found) == pytest.approx(0.5, abs=1e-6)


def test_bliss_of_independent_drugs():
    assert float(bliss(torch.tensor(0.5), torch.tensor(0.4))) == pytest.approx(0.2)
    assert float(bliss(torch.tensor(0.6), torch.tensor(0.6), 1.2)) == pytest.approx(0.3)


def test_two_drugs_where_one_is_expected_and_one_where_two_are(models, screen):
    with pytest.raises(ValueError, match=r"\('P', 'Q'\) is not one drug; name one, or use"):
        dose_response(models, screen, ("P", "Q"))
    with pytest.raises(ValueError, match="two different drugs; 'P' is given"):
        drug_combination(models, screen, "P")
    with pytest.raises(ValueError, match="two different drugs; 'P', 'P' are given"):
        drug_combination(models, screen, ("P", "P"))
    with pytest.raises(ValueError, match="'Z' is not a drug of the screen, which has P, Q"):
        target_effects(models, screen, "Z", 1.0)
    with pytest.raises(ValueError, match="hold one that is not positive"):
        drug_combination(models, screen, ("P", "Q"), doses=[0.0, 1.0])


def test_unknown_cell_line_is_refused(models, screen):
    with pytest.raises(ValueError, match=r"Cell lines 'E5': name some .* it has A1, B2"):
        dose_response(models, screen, "P", ["E5"])
    with pytest.raises(ValueError, match=r"in all\)\. Did you mean 'A1'\?"):
        dose_response(models, screen, "P", ["a1"])
    with pytest.raises(ValueError, match=r"has P, Q\. Did you mean 'Q'\?"):
        dose_response(models, screen, "q")
    with pytest.raises(ValueError, match="each once"):
        mutation_effects(models, screen, "P", 1.0, ["A1", "A1"])


def test_a_model_of_another_screen_is_refused(models, screen):
    other = screen.clone()
    other.drugs = {"X": 0, "Q": 1}
    with pytest.raises(ValueError, match=r"not of the model's network: the drugs P, Q here"):
        dose_response(models, other, "Q")


def test_measurements_of_combinations_are_not_taken_for_single_drugs(models, screen):
    screen.dose[1, 0] = 1.0  # the first observation of P now has Q besides
    table = dose_response(models, screen, "P", ["A1"])
    assert isinstance(table, pd.DataFrame)
    assert table["measured"].notna().sum() == 2
