import numpy as np
import pandas as pd
import pytest
import torch

from lembas_pyg.network import add_conditions, from_interactions, select_conditions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.prediction import predict
from lembas_pyg.surrogate import SURROGATE, add_covariate, find_surrogate
from lembas_pyg.training import TrainingConfig, cross_validate, fit, tasks

LIGANDS = [f"L{i}" for i in range(8)]


def screen(shift=0.4, seed=0):
    """Eight ligands with and without C, three TFs; L6 and L7 shift all TFs alike."""
    codes = [*LIGANDS, "C", "A", "B", "T", "U", "V"]
    edges = [(ligand, "AB"[i % 2]) for i, ligand in enumerate(LIGANDS)]
    edges += [("C", "A"), ("A", "B"), ("A", "T"), ("B", "U"), ("A", "V"), ("B", "V")]
    interactions = pd.DataFrame(edges, columns=["source", "target"])
    interactions["stimulation"], interactions["inhibition"] = 1, 0
    annotation = pd.DataFrame({"code": codes, "name": codes})
    annotation["TF"] = annotation["code"].isin(["T", "U", "V"])
    annotation["ligand"] = annotation["code"].isin([*LIGANDS, "C"])
    rng = np.random.default_rng(seed)
    x, y = {}, {}
    for ligand in LIGANDS:
        for c in (0, 1):
            name = f"{ligand}+C" if c else ligand
            x[name] = {ligand: 1.0, "C": float(c)}
            second = shift * (ligand in ("L6", "L7"))
            y[name] = 0.2 + 0.3 * c + second * np.array([1, 0.8, 0.9]) + rng.normal(0, 0.02, 3)
    ligands = pd.DataFrame(x).T.reindex(columns=[*LIGANDS, "C"]).fillna(0.0)
    tfs = pd.DataFrame(y, index=["T", "U", "V"]).T
    return add_conditions(from_interactions(interactions, annotation), ligands, tfs)


def test_the_variable_is_found_and_told_by_the_ligand():
    data = screen()
    found = find_surrogate(data)
    assert found.found
    of = dict(zip(data.conditions, found.value.tolist(), strict=True))
    second = {"L6", "L6+C", "L7", "L7+C"}
    assert all(value > 0.85 if name in second else value < 0.15 for name, value in of.items())
    assert "a surrogate variable, 4 of 16 conditions" in str(found)

    train = select_conditions(data, [name for name in data.conditions if name != "L6"])
    held_out = select_conditions(data, ["L6"])
    found = find_surrogate(train)
    assert found.of(held_out.x).item() > 0.85
    assert found.known(held_out.x).tolist() == [True]


def test_what_was_not_seen_is_the_average():
    data = screen()
    train = select_conditions(data, [name for name in data.conditions if "L6" not in name])
    found = find_surrogate(train)
    x = select_conditions(data, ["L6+C"]).x
    assert found.of(x).item() == pytest.approx(2 / 14, abs=0.03)
    assert found.known(x).tolist() == [False]
    # The co-stimulus alone says nothing of it either.
    x[[data.node_name.index("L6")]] = 0
    assert found.of(x).item() == pytest.approx(2 / 14, abs=0.03)


def test_nothing_is_found_without_two_groups():
    found = find_surrogate(screen(shift=0.0))
    assert not found.found
    assert str(found) == "no surrogate variable"
    assert found.value.tolist() == [0.0] * 16


def test_an_unseen_ligand_is_judged_by_ligands_of_its_kind():
    data = screen()
    code = {"L0": "P01375", "L1": "P01137", "L6": "CHEBI15551", "L7": "CHEBI15647"}
    data.node_name = [code.get(name, name) for name in data.node_name]
    train = select_conditions(data, [name for name in data.conditions if "L6" not in name])
    found = find_surrogate(train)
    asked = select_conditions(data, ["L6", "L6+C", "L0"])
    assert not found.known(asked.x)[:2].any()
    assert (found.of(asked.x)[:2] > 0.85).all()
    assert found.of(asked.x)[2] < 0.15
    shared = [name for name in train.conditions if "L7" in name]
    columns = found.relatives(asked.x)[0].nonzero().view(-1).tolist()
    assert [list(train.conditions)[column] for column in columns] == shared


def test_lacking_measurements_are_no_obstacle():
    data = screen()
    data.y[data.node_name.index("T"), :3] = torch.nan
    data.y[:, 5] = torch.nan
    value = find_surrogate(data).value
    assert (value > 0.8).sum() == 4
    assert value[5] == pytest.approx(4 / 15, abs=0.03)
    with pytest.raises(ValueError, match="3 measured conditions are too few"):
        find_surrogate(select_conditions(data, list(data.conditions)[:3]))


def test_a_covariate_is_a_node_that_does_nothing_before_training():
    data = screen()
    wide = add_covariate(data, SURROGATE, find_surrogate(data).value)
    assert wide.num_nodes == data.num_nodes + 1
    assert wide.node_name[-1] == SURROGATE
    assert wide.num_edges == data.num_edges + int((~data.ligand_mask).sum())
    assert "covariate_mask" not in data
    wide.validate()
    models = [LEMBAS(d, generator=torch.Generator().manual_seed(1)) for d in (data, wide)]
    plain, told = (model(d.x).y for model, d in zip(models, (data, wide), strict=True))
    assert not models[1].conv.edge_weight[data.num_edges :].any()
    assert told.shape == plain.shape
    # The other weights are other random numbers, so only the covariate is compared.
    none = add_covariate(data, SURROGATE, torch.zeros(16))
    torch.testing.assert_close(models[1](none.x).y, told)
    fit(models[1], wide, TrainingConfig(epochs=5, batch_size=16), progress=False)
    assert models[1].conv.edge_weight[data.num_edges :].abs().min() > 0


def test_covariates_are_checked():
    data = screen()
    with pytest.raises(ValueError, match=r"shape \[3\]; it must be \[16\]"):
        add_covariate(data, SURROGATE, torch.zeros(3))
    with pytest.raises(ValueError, match="between 0 and 1"):
        add_covariate(data, SURROGATE, torch.full((16,), 2.0))
    with pytest.raises(ValueError, match="'L1' already"):
        add_covariate(data, "L1", torch.zeros(16))


def test_cross_validation_reads_no_held_out_activity():
    data = screen()
    folds = pd.DataFrame({"Index": [0, 0, 1], "Condition": ["L6", "L1+C", "L7+C"]})
    options = {"epochs": 300, "batch_size": 16, "lr": 2e-2, "lr_peak": 0.2, "adam_beta2": 0.95}
    config = TrainingConfig(surrogate_variable=True, **options)
    run = {"progress": False, "costimulus": "C"}
    found = cross_validate(data, folds, config, **run)
    changed = data.clone()
    changed.y[data.tf_mask.nonzero().view(-1), data.conditions["L6"]] = 0.0
    other = cross_validate(changed, folds, config, **run)
    first = found.predictions["fold"] == 0
    names = ["condition", "tf", "predicted"]
    pd.testing.assert_frame_equal(found.predictions[first][names], other.predictions[first][names])
    by_model = found.by_model[found.by_model["fold"] == 0]
    ours = other.by_model[other.by_model["fold"] == 0]
    pd.testing.assert_series_equal(by_model["predicted"], ours["predicted"])
    assert "mean within co-stimulus, with surrogate variable" in set(found.scores["model"])

    scores = found.scores.set_index("model")["mse"]
    blind = cross_validate(data, folds, TrainingConfig(**options), **run)
    assert scores["LEMBAS"] < 0.5 * blind.scores.set_index("model")["mse"]["LEMBAS"]


def test_an_unknown_value_is_averaged_over():
    data = screen()
    folds = pd.DataFrame({"Index": [0, 0], "Condition": ["L6", "L6+C"]})
    config = TrainingConfig(
        epochs=300, batch_size=16, lr=2e-2, lr_peak=0.2, adam_beta2=0.95, surrogate_variable=True
    )
    found = cross_validate(data, folds, config, baselines=False, progress=False)
    names = [name for name in data.conditions if "L6" not in name]
    surrogate = find_surrogate(select_conditions(data, names))
    asked = select_conditions(data, ["L6", "L6+C"])
    wide = add_covariate(asked, SURROGATE, surrogate.of(asked.x))
    answers = []
    for place in surrogate.value.quantile(torch.linspace(0.05, 0.95, 10).double()):
        wide.x[-1] = place
        answers.append(predict(found.ensemble(wide).models[0], wide).y.clamp(0, 1))
    expected = torch.stack(answers).mean(dim=0)
    predicted = torch.tensor(found.wide().to_numpy()).T
    order = [list(found.wide().columns).index(data.node_name[i]) for i in data.tf_mask.nonzero()]
    torch.testing.assert_close(predicted[order], expected, atol=1e-6, rtol=0)
    assert (answers[0] - answers[-1]).abs().max() > 0.05
    with pytest.raises(ValueError, match="give the network with this covariate"):
        found.ensemble(data)


def test_a_value_without_steady_state_is_told(monkeypatch):
    data = screen()
    folds = pd.DataFrame({"Index": [0, 0], "Condition": ["L6", "L1"]})
    config = TrainingConfig(epochs=5, batch_size=16, lr_peak=0.2, surrogate_variable=True)
    calls = []

    def unsteady(model, wide, *names):
        calls.append(wide.x[-1].clone())
        found = predict(model, wide, *names)
        if len(calls) == 3:  # the second of ten values
            found = found._replace(
                residual=torch.full_like(found.residual, 0.5),
                converged=torch.zeros_like(found.converged),
            )
        return found

    monkeypatch.setattr(tasks, "predict", unsteady)
    rest = select_conditions(data, [name for name in data.conditions if name != "L6+C"])
    members = cross_validate(rest, folds, config, baselines=False, progress=False).members
    assert len(calls) == 11
    assert members["held_out_not_converged"].tolist() == [1]
    assert members["residual"].tolist() == [0.5]
