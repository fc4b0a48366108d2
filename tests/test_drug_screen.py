"""Drug screens: tables to tensors, and every bad input by name."""

import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.network import add_drug_screen, ask_observations, select_observations
from lembas_pyg.transforms import RemoveDeadEnds


def changed(tables, **changes):
    return add_drug_screen(**(tables | changes))


def test_every_table_is_where_it_belongs(screen, screen_tables):
    node = {name: i for i, name in enumerate(screen.node_name)}
    assert screen.drug_sign.nonzero().tolist() == sorted(
        [node[target], "PQ".index(drug)] for drug, target in [("P", "R1"), ("P", "S1"), ("Q", "S2")]
    )
    assert set(screen.drug_sign.unique().tolist()) == {-1, 0}
    assert screen.mutation_mask.nonzero().tolist() == [
        [node["R2"], 1],
        [node["S1"], 0],
        [node["S1"], 2],
    ]
    assert screen.viability_sign.nonzero().view(-1).tolist() == [node["T1"]]
    assert screen.expression[node["R2"], 2] == screen_tables["expression"].loc["C3", "R2"]
    assert list(screen.unmeasured_nodes) == ["L2", "S2"]
    assert not screen.expression[[node["L2"], node["S2"]]].any()
    assert screen.mutation.shape == (3, 4) and screen.dose.shape == (2, 24)
    names = list(screen.cell_lines)
    assert [names[i] for i in screen.cell_line[0].tolist()] == screen_tables["cell_lines"].tolist()
    np.testing.assert_array_equal(screen.viability[0], screen_tables["viability"])
    assert screen.dose_unit == "nM"
    assert changed(screen_tables, unit="uM").dose_unit == "uM"


def test_tables_in_another_order_give_the_same_screen(screen, screen_tables):
    shuffled = {
        name: screen_tables[name].sample(frac=1, random_state=0)
        for name in ("cell_lines", "expression", "mutations", "viability", "drug_targets")
    }
    other = changed(screen_tables, **shuffled)
    for name in ("dose", "cell_line", "viability", "drug_sign"):
        assert torch.equal(other[name], screen[name])
    assert torch.equal(other.expression, screen.expression)


def test_nodes_are_cut_with_what_belongs_to_them(screen):
    kept = screen.subgraph(torch.tensor([0, 2, 3, 4, 5, 6]))  # without L2
    assert kept.drug_sign.shape == (6, 2) and kept.expression.shape == (6, 4)
    assert kept.dose.shape == (2, 24)
    assert RemoveDeadEnds()(screen).mutation_mask.size(0) == RemoveDeadEnds()(screen).num_nodes


def test_mutations_are_there_or_not(screen_tables):
    mutations = screen_tables["mutations"].astype(float)
    mutations.iloc[1, 0] = 3.0
    words = rf"The mutation '{mutations.columns[0]}' of the cell line '\w+' is 3; write 1"
    with pytest.raises(ValueError, match=words):
        changed(screen_tables, mutations=mutations)


def test_percentages_are_no_viabilities(screen_tables):
    viability = 100 * screen_tables["viability"]
    with pytest.raises(ValueError, match=r"it is a fraction of that of untreated cells.*percent"):
        changed(screen_tables, viability=viability)


def test_unknown_drug_target_is_refused(screen_tables):
    targets = screen_tables["drug_targets"].replace("S2", "S9")
    with pytest.raises(ValueError, match=r"'Q' has an unknown target\. 'S9' is not among"):
        changed(screen_tables, drug_targets=targets)


def test_drug_without_target_is_refused(screen_tables):
    targets = screen_tables["drug_targets"].query("source != 'Q'")
    with pytest.raises(ValueError, match="Drugs without a target in the network: 'Q'"):
        changed(screen_tables, drug_targets=targets)


def test_drug_target_without_sign_or_twice_is_refused(screen_tables):
    targets = screen_tables["drug_targets"]
    with pytest.raises(ValueError, match="'P' -> 'R1' has no sign"):
        changed(screen_tables, drug_targets=targets.assign(inhibition=0))
    with pytest.raises(ValueError, match="'P' -> 'R1' is given twice"):
        changed(screen_tables, drug_targets=pd.concat([targets, targets]))


@pytest.mark.parametrize("what", ["expression", "mutations"])
def test_cell_line_without_expression_or_mutations_is_refused(screen_tables, what):
    with pytest.raises(ValueError, match=f"Cell lines without {what}: 'C3'"):
        changed(screen_tables, **{what: screen_tables[what].drop(index="C3")})


def test_gap_in_the_expression_is_refused(screen_tables):
    expression = screen_tables["expression"].copy()
    expression.loc["B2", "R1"] = np.nan
    with pytest.raises(ValueError, match="'B2' has no value for 'R1' in the table of expression"):
        changed(screen_tables, expression=expression)


def test_expression_of_no_node_is_refused(screen_tables):
    expression = screen_tables["expression"].rename(columns={"R1": "EGFR"})
    with pytest.raises(ValueError, match=r"Expression has a column of no node\. 'EGFR'"):
        changed(screen_tables, expression=expression)


def test_duplicated_observation_is_refused_by_name(screen_tables):
    doses = screen_tables["doses"].copy()
    doses.loc["o1"] = doses.loc["o0"]
    with pytest.raises(ValueError, match=r"'o0' and 'o1' are the same: cell line 'A1', .* P 0.5"):
        changed(screen_tables, doses=doses)


def test_observation_without_a_line_or_a_drug_is_refused(screen_tables):
    with pytest.raises(ValueError, match="Observations with no cell line: 'o5'"):
        changed(screen_tables, cell_lines=screen_tables["cell_lines"].drop("o5"))
    with pytest.raises(ValueError, match="a viability, but no dose: 'o24'"):
        extra = pd.concat([screen_tables["viability"], pd.Series({"o24": 1.0})])
        changed(screen_tables, viability=extra)
    doses = screen_tables["doses"].copy()
    doses.loc["o3"] = 0.0
    with pytest.raises(ValueError, match="Observations without a drug: 'o3'"):
        changed(screen_tables, doses=doses)


@pytest.mark.parametrize(("dose", "words"), [(-1.0, "is -1.0"), (np.nan, "is nan"), (300.0, "300")])
def test_doses_that_are_no_logarithms_are_refused(screen_tables, dose, words):
    doses = screen_tables["doses"].copy()
    doses.loc["o2", "P"] = dose
    with pytest.raises(
        ValueError, match=f"'P' in the observation 'o2' {words}|{words}.*concentration"
    ):
        changed(screen_tables, doses=doses)


def test_mutation_of_no_gene_and_tf_that_is_none_are_refused(screen_tables):
    with pytest.raises(ValueError, match="Mutations of no known gene: 'S1 x'"):
        changed(screen_tables, mutated=screen_tables["mutated"].drop("S1 x"))
    with pytest.raises(ValueError, match="'S1 x' changes an unknown gene"):
        changed(screen_tables, mutated=screen_tables["mutated"].replace("S1", "BRAF"))
    with pytest.raises(ValueError, match="'S1' has an effect on viability, but is no TF"):
        changed(screen_tables, viability_tfs=screen_tables["viability_tfs"].replace("T1", "S1"))


def test_observations_are_chosen_and_asked(screen):
    part = select_observations(screen, [5, 2])
    assert torch.equal(part.dose, screen.dose[:, [5, 2]])
    assert torch.equal(part.viability, screen.viability[:, [5, 2]])
    doses = pd.DataFrame({"Q": [1.0, 2.0], "P": [0.0, 3.0]}, index=["x", "y"])
    asked = ask_observations(screen, doses, pd.Series({"y": "B2", "x": "D4"}))
    assert asked.dose.tolist() == [[0.0, 3.0], [1.0, 2.0]]
    assert asked.cell_line.tolist() == [[3, 1]]
    assert asked.viability.isnan().all()
    with pytest.raises(ValueError, match="'Z' is not a drug of the screen, which has 'P', 'Q'"):
        ask_observations(
            screen, doses.rename(columns={"Q": "Z"}), pd.Series({"y": "B2", "x": "D4"})
        )
    with pytest.raises(ValueError, match="'E5' is not a cell line"):
        ask_observations(screen, doses, pd.Series({"y": "B2", "x": "E5"}))
