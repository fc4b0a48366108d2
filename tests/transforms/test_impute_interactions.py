import pandas as pd
import pytest
import torch

from lembas_pyg.network import curation_report, to_interactions
from lembas_pyg.nn import LEMBAS, enlarge
from lembas_pyg.transforms import ImputeInteractions


def rows(*pairs):
    return pd.DataFrame(pairs, columns=["source", "target", "sign"])


def test_new_edges_come_last_and_are_marked(draw, edges_of):
    data = draw("L+A A+B B+T")
    larger = ImputeInteractions(rows(("A", "T", -1), ("L", "B", 0)))(data)
    assert edges_of(larger) == "L+A A+B B+T A-T L?B"
    assert larger.edge_imputed.tolist() == [False, False, False, True, True]
    assert larger.edge_id.tolist() == [0, 1, 2, -1, -1]
    assert larger.receptor_mask.tolist() == [False, True, True, False]
    assert edges_of(data) == "L+A A+B B+T"
    assert data.receptor_mask.tolist() == [False, True, False, False]


def test_no_interaction_is_added_twice(draw, edges_of):
    data = draw("L+A A+T")
    larger = ImputeInteractions(rows(("A", "T", -1), ("L", "T", 1), ("L", "T", 1)))(data)
    assert edges_of(larger) == "L+A A+T L+T"
    again = ImputeInteractions(rows(("T", "A", 1)))(larger)
    assert again.edge_imputed.tolist() == [False, False, True, True]


def test_the_report_tells_the_evidence(draw):
    table = rows(("L", "T", 1)).assign(gain=0.25)
    report = curation_report(ImputeInteractions(table)(draw("L+A A+T")))
    assert report.loc[0, ["rule", "action", "source", "target"]].tolist() == [
        "ImputeInteractions",
        "added",
        "L",
        "T",
    ]
    assert report.loc[0, "detail"] == "sign 1, gain 0.25"


def test_only_the_first_rows_are_added(draw, edges_of):
    table = rows(("L", "T", 1), ("T", "A", 1))
    assert edges_of(ImputeInteractions(table, top=1)(draw("L+A A+T"))) == "L+A A+T L+T"


def test_flags_of_an_interaction_table_give_the_sign(draw, edges_of):
    table = to_interactions(draw("L-T"))
    assert edges_of(ImputeInteractions(table)(draw("L+A A+T"))) == "L+A A+T L-T"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (rows(("A", "A", 1)), "'A' would act on itself"),
        (rows(("A", "T", 2)), "A sign is 2"),
        (rows(("L", "T", 1), ("L", "T", -1)), "two different signs"),
        (rows(("L", "T", 1))[["source"]], "no column target"),
    ],
)
def test_illegal_tables_are_refused(table, text):
    with pytest.raises(ValueError, match=text):
        ImputeInteractions(table)


def test_nothing_acts_on_a_ligand_and_nodes_have_to_be_known(draw):
    with pytest.raises(ValueError, match="'L' is a ligand"):
        ImputeInteractions(rows(("A", "L", 1)))(draw("L+A A+T"))
    with pytest.raises(ValueError, match="'X' is not among"):
        ImputeInteractions(rows(("X", "T", 1)))(draw("L+A A+T"))


def test_an_enlarged_model_predicts_the_same_until_it_is_trained(draw):
    data = draw("L+A A+B B+T")
    model = LEMBAS(data, train_output=False, generator=torch.Generator().manual_seed(0))
    larger = enlarge(model, ImputeInteractions(rows(("L", "T", 1)))(data))
    x = torch.tensor([[0.3, 0.8]] + [[0.0, 0.0]] * 3)
    torch.testing.assert_close(larger(x).h, model(x).h)
    assert not larger.output.weight.requires_grad
    assert larger.conv.edge_weight[-1] == 0
    with pytest.raises(ValueError, match="lacks 1 interactions of the model, such as 'A' -> 'B'"):
        enlarge(model, draw("L+A B+T A+T"))
    with pytest.raises(ValueError, match="2 weights for 1 new"):
        enlarge(model, ImputeInteractions(rows(("L", "T", 1)))(data), torch.ones(2))
