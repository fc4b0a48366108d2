"""Training, cross-validation, baselines and ensembles of drug models, on a small screen."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

import lembas_pyg as lp
from lembas_pyg.network import select_observations
from lembas_pyg.nn import DrugResponse, Sigmoid
from lembas_pyg.training import (
    ResponseEnsemble,
    TrainingConfig,
    cross_validate_response,
    fit,
    response_folds,
    response_members,
    train_responses,
)
from lembas_pyg.training.response_baselines import (
    RESPONSE_BASELINES,
    predict_response_baselines,
)
from lembas_pyg.viability import predict_viability, viability_table

CONFIG = replace(TrainingConfig.viability(), epochs=30, batch_size=8, lr=1e-2)


def trained(screen, config=CONFIG, seed=0, **options):
    model = DrugResponse(screen, generator=torch.Generator().manual_seed(seed), **options)
    return model, fit(model, screen, config, progress=False)


def test_training_fits_what_another_model_says_and_tells_how_it_went(screen):
    source = DrugResponse(screen, generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        source.viability.weight.fill_(1.0)
        source.mutation.weight.fill_(0.3)
        source.drug.weight.mul_(0.2)
    screen.viability = predict_viability(source, screen).viability.view(1, -1)
    assert screen.viability.std() > 0.05
    model, history = trained(screen, replace(CONFIG, epochs=300, lr=2e-2, l2_weight=1e-6))
    table = history.table
    assert len(table) == 300 and table["visits"].eq(24).all()
    assert table["fit"].iloc[-1] < 0.3 * table["fit"].iloc[0]
    assert {"sign", "l2_weight", "spectral", "r", "rho"} <= set(table)
    found = predict_viability(model, screen)
    r = np.corrcoef(found.viability, screen.viability[0])[0, 1]
    assert r > 0.9
    assert found.spread.isnan().all() and found.converged.all()


@pytest.mark.parametrize("affinity", [1.2, 3.8])
def test_affinities_find_the_dose_at_which_a_drug_acts(screen, affinity):
    screen.dose[0] = torch.linspace(0.5, 4.5, 24)
    screen.dose[1] = 0
    source = DrugResponse(screen, generator=torch.Generator().manual_seed(5)).double()
    hit = source.drug.source_index == 0
    with torch.no_grad():
        source.viability.weight.fill_(1.0)
        source.drug.affinity.fill_(affinity)
        source.drug.log_steepness.fill_(0.5)
    screen.viability = predict_viability(source, screen).viability.view(1, -1)
    model, _ = trained(screen, replace(CONFIG, epochs=200, l2_weight=1e-6))
    found = model.drug.affinity.detach()[hit]
    assert float(found.mean()) == pytest.approx(affinity, abs=0.7)


def test_training_is_the_same_again_and_after_a_checkpoint(screen, tmp_path):
    whole, _ = trained(screen)
    half = DrugResponse(screen, generator=torch.Generator().manual_seed(0))
    file = tmp_path / "run.pt"
    real = lp.training.trainer.ResponseRun.run_epoch

    def stop(run):
        if run.epoch == 11:
            raise KeyboardInterrupt
        return real(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lp.training.trainer.ResponseRun, "run_epoch", stop)
        assert fit(half, screen, CONFIG, checkpoint=file, progress=False).interrupted
    again = DrugResponse(screen)
    fit(again, screen, CONFIG, checkpoint=file, resume=True, progress=False)
    for name, value in whole.state_dict().items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, again.state_dict()[name]), name


def test_every_observation_is_visited_once_an_epoch(screen):
    from lembas_pyg.training.response_run import ResponseRun

    run = ResponseRun(DrugResponse(screen), screen, CONFIG)
    first, second = run.order(), run.order()
    assert sorted(first.tolist()) == list(range(24))
    assert first.tolist() != second.tolist()


def test_wrong_data_are_refused(screen):
    model = DrugResponse(screen)
    unmeasured = screen.clone()
    unmeasured.viability = torch.full_like(screen.viability, torch.nan)
    with pytest.raises(ValueError, match="No viability was measured"):
        fit(model, unmeasured, CONFIG, progress=False)
    bare = screen.clone()
    del bare["dose"]
    with pytest.raises(ValueError, match="The data have no dose"):
        fit(model, bare, CONFIG, progress=False)
    with pytest.raises(ValueError, match="The data have no dose"):
        predict_viability(model, bare)


def test_unmeasured_observations_count_for_nothing(screen):
    gap = screen.clone()
    gap.viability = screen.viability.clone()
    gap.viability[0, 5:] = torch.nan
    model, _ = trained(gap, replace(CONFIG, epochs=2))
    assert all(bool(p.isfinite().all()) for p in model.parameters())


@pytest.mark.parametrize("split", ["cell-line", "drug", "drug-cell-line", "random"])
def test_what_is_held_out_together_is_in_one_fold(screen, split):
    folds = response_folds(screen, split, 3, seed=1)
    line, drug = screen.cell_line[0].numpy(), screen.dose.argmax(dim=0).numpy()
    unit = {
        "cell-line": line,
        "drug": drug,
        "drug-cell-line": 2 * line + drug,
        "random": np.arange(24),
    }[split]
    assert pd.Series(folds).groupby(unit).nunique().eq(1).all()
    assert len(np.unique(folds)) == (2 if split == "drug" else 3)


def test_splits_that_cannot_be_are_refused(screen):
    with pytest.raises(ValueError, match="split is 'patient'; choose from cell-line, drug"):
        response_folds(screen, "patient")
    with pytest.raises(ValueError, match="num_folds is 9; it must be 2 to 4"):
        response_folds(screen, "cell-line", 9)
    screen.dose[:, 3] = 1.0
    with pytest.raises(ValueError, match="Observation 3 has 2 drugs; to hold out drugs"):
        response_folds(screen, "drug")


def test_baselines_never_see_what_is_held_out(screen):
    train = torch.from_numpy(response_folds(screen, "cell-line", 4) != 1)
    changed = screen.clone()
    changed.viability = torch.where(train, screen.viability, 99.0)
    found, other = (predict_response_baselines(data, train) for data in (screen, changed))
    assert list(found) == list(RESPONSE_BASELINES)
    for name, value in found.items():
        torch.testing.assert_close(value, other[name], msg=name)
        assert value.shape == (24,) and value.isfinite().all()


def test_dose_mean_is_that_of_the_observations_trained_on(screen):
    screen.viability = torch.rand(1, 24, generator=torch.Generator().manual_seed(0)).double()
    train = torch.arange(24) % 5 != 0
    found = predict_response_baselines(screen, train, names=["mean of drug and dose"])
    key = [tuple(column) for column in screen.dose.t().tolist()]
    expected = [
        np.mean(
            [v for v, k, t in zip(screen.viability[0], key, train, strict=True) if t and k == mine]
        )
        for mine in key
    ]
    np.testing.assert_allclose(found["mean of drug and dose"], expected)
    unseen = screen.dose[0] > 0  # nothing of the drug Q
    found = predict_response_baselines(screen, unseen, names=["mean of drug and dose"])
    of_dose = {d: float(screen.viability[0, screen.dose[0] == d].mean()) for d in (0.5, 1.0, 2.0)}
    expected = [of_dose[float(d)] for d in screen.dose.amax(dim=0)]
    np.testing.assert_allclose(found["mean of drug and dose"], expected)


def test_unknown_baseline_is_refused(screen):
    with pytest.raises(ValueError, match="'oracle' is not a baseline"):
        predict_response_baselines(screen, torch.ones(24, dtype=torch.bool), names=["oracle"])
    with pytest.raises(ValueError, match="nothing to fit"):
        predict_response_baselines(screen, torch.zeros(24, dtype=torch.bool))


def test_cross_validation_holds_out_whole_lines_with_baselines_beside(screen):
    folds = response_folds(screen, "cell-line", 2)
    config = replace(CONFIG, epochs=5)
    found = cross_validate_response(screen, folds, config, members=2)
    table = found.predictions
    assert len(table) == 24 and table["fold"].tolist() == folds.tolist()
    assert not table.isna().any().any()
    names = found.scores["model"].tolist()
    assert names[:3] == ["LEMBAS", "LEMBAS, one member", "mean of drug and dose"]
    assert "mean of LEMBAS and ridge" in names
    row = found.scores.set_index("model").loc["ridge"]
    assert row["r"] == pytest.approx(table["ridge"].corr(table["measured"]))
    assert row["mse"] == pytest.approx(((table["ridge"] - table["measured"]) ** 2).mean())
    by_fold = [part["ridge"].corr(part["measured"]) for _, part in table.groupby("fold")]
    assert row["fold_mean"] == pytest.approx(np.mean(by_fold))
    assert row["fold_sd"] == pytest.approx(np.std(by_fold, ddof=1))
    assert len(found.members) == 4 and found.members["held_out_not_converged"].eq(0).all()
    again = cross_validate_response(screen, folds, config, members=2)
    pd.testing.assert_frame_equal(again.predictions, table)


def test_a_member_of_a_fold_does_not_see_what_is_held_out(screen):
    folds = response_folds(screen, "cell-line", 2)
    changed = screen.clone()
    changed.viability = screen.viability.clone()
    changed.viability[0, torch.from_numpy(folds == 1)] = 0.123
    config = replace(CONFIG, epochs=2)
    one, other = (
        cross_validate_response(data, folds, config, baselines=False).predictions["LEMBAS"]
        for data in (screen, changed)
    )
    np.testing.assert_array_equal(one[folds == 1], other[folds == 1])
    assert (one[folds == 2] != other[folds == 2]).any()


def test_folds_that_do_not_fit_are_refused(screen):
    with pytest.raises(ValueError, match=r"folds has shape \[3\]"):
        cross_validate_response(screen, np.ones(3), CONFIG)
    with pytest.raises(ValueError, match="All observations are in one fold"):
        cross_validate_response(screen, np.ones(24), CONFIG)
    with pytest.raises(ValueError, match="members is 0"):
        cross_validate_response(screen, np.arange(24), CONFIG, members=0)


def test_an_ensemble_is_kept_and_read(screen, tmp_path):
    model = partial(DrugResponse, relative=False, expression_limit=None)
    models = train_responses(screen, replace(CONFIG, epochs=3), members=2, model=model)
    assert len(models) == 2
    models.save(tmp_path / "models")
    again = ResponseEnsemble.load(tmp_path / "models", screen)
    assert not again.models[0].relative and again.models[0].expression_limit is None
    found, other = (predict_viability(one, screen) for one in (models, again))
    assert torch.equal(found.members, other.members)
    torch.testing.assert_close(found.viability, found.members.mean(dim=0))
    torch.testing.assert_close(found.spread, found.members.std(dim=0))
    with pytest.raises(FileExistsError, match="holds an ensemble already"):
        models.save(tmp_path / "models")
    with pytest.raises(FileNotFoundError, match=r"no drug models: no member-000\.pt"):
        ResponseEnsemble.load(tmp_path, screen)
    renamed = screen.clone()
    renamed.drugs = {"P": 0, "Z": 1}
    with pytest.raises(ValueError, match=r"its drug_name is \['P', 'Q'\], here it is \['P', 'Z'\]"):
        ResponseEnsemble.load(tmp_path / "models", renamed)
    opposite = screen.clone()
    opposite.drug_sign = -screen.drug_sign
    with pytest.raises(ValueError, match="the signs of its drug layer differ"):
        ResponseEnsemble.load(tmp_path / "models", opposite)
    other = screen.clone()
    other.dose_unit = "uM"
    with pytest.raises(ValueError, match="its dose_unit is nM, here it is uM"):
        ResponseEnsemble.load(tmp_path / "models", other)
    with pytest.raises(ValueError, match="An ensemble needs a member"):
        ResponseEnsemble([])


def test_the_activation_and_the_solver_are_kept(screen, tmp_path):
    model = DrugResponse(screen, Sigmoid(), tol=1e-7, max_steps=77, clip=3.0)
    ResponseEnsemble([model]).save(tmp_path / "models")
    again = ResponseEnsemble.load(tmp_path / "models", screen).models[0]
    assert again.conv.act == Sigmoid()
    assert (again.conv.tol, again.conv.max_steps, again.conv.clip) == (1e-7, 77, 3.0)
    found, other = (predict_viability(one, screen).viability for one in (model, again))
    assert torch.equal(found, other)
    with pytest.raises(ValueError, match=r"is not one of lembas_pyg\.nn"):
        ResponseEnsemble([DrugResponse(screen, torch.tanh)]).save(tmp_path / "other")


@pytest.mark.parametrize("name", ["dose", "expression", "viability", "mutation", "drug_sign"])
def test_a_folder_of_other_data_is_refused(screen, tmp_path, name):
    folds = np.arange(24) % 2
    config, options = replace(CONFIG, epochs=1), {"baselines": False, "folder": tmp_path}
    cross_validate_response(screen, folds, config, **options)
    other = screen.clone()
    values = other[name].clone()
    rows, columns = values.nonzero(as_tuple=True)
    values[rows[0], columns[0]] *= -1 if name == "drug_sign" else 0.5
    values[rows[-1], columns[-1]] *= -1 if name == "drug_sign" else 1.5
    other[name] = values
    with pytest.raises(ValueError, match="another cross-validation: it differs in data"):
        cross_validate_response(other, folds, config, **options)


def test_states_that_are_not_steady_are_blank_and_told(screen):
    model, _ = trained(screen, replace(CONFIG, epochs=1))
    with pytest.warns(UserWarning, match="not reach a steady state|did not converge"):
        found = predict_viability(model, screen, max_steps=1)
    assert found.viability.isnan().all()
    table = viability_table(screen, found)
    assert table["viability"].isna().all() and table["measured"].notna().all()


def test_table_names_drugs_and_doses(screen):
    model, _ = trained(screen, replace(CONFIG, epochs=1))
    screen.dose[1, 0] = 2.0
    table = viability_table(screen, predict_viability(model, screen))
    assert table.loc[0, ["cell_line", "drug", "log10_dose"]].tolist() == ["A1", "P+Q", "0.5+2"]
    assert table.loc[1, ["cell_line", "drug", "log10_dose"]].tolist() == ["A1", "P", "1"]
    part = select_observations(screen, [1])
    assert viability_table(part, predict_viability(model, part))["log10_dose"].tolist() == [1.0]
    assert torch.equal(
        predict_viability(model, part).viability[0], torch.tensor(table["viability"][1]).double()
    )


def test_programs_are_those_of_the_lines_trained_on(screen):
    config = replace(CONFIG, epochs=1)
    seen = [i for i, line in enumerate(screen.cell_line[0].tolist()) if line != 2]
    changed = screen.clone()
    changed.expression = screen.expression.clone()
    changed.expression[:, 2] = 50.0  # the line held out
    axes = []
    for data in (screen, changed):
        model = DrugResponse(data, generator=torch.Generator().manual_seed(0))
        fit(model, select_observations(data, seen), config, progress=False)
        axes.append(model.axes @ model.axes.t())
    torch.testing.assert_close(*axes)


def test_a_cross_validation_goes_on_where_it_ended(screen, tmp_path):
    folds, config = response_folds(screen, "cell-line", 2), replace(CONFIG, epochs=2)
    whole = cross_validate_response(screen, folds, config, members=2)
    cross_validate_response(screen, folds, config, folder=tmp_path)
    (tmp_path / "fold-002-member-000.pt").unlink()
    again = cross_validate_response(screen, folds, config, members=2, folder=tmp_path)
    pd.testing.assert_frame_equal(again.predictions, whole.predictions)
    with pytest.raises(ValueError, match="of another cross-validation: it differs in settings"):
        cross_validate_response(screen, folds, replace(config, epochs=3), folder=tmp_path)
    other = partial(DrugResponse, relative=False)
    with pytest.raises(ValueError, match="it differs in model"):
        cross_validate_response(screen, folds, config, model=other, folder=tmp_path)


def test_a_cross_validation_of_an_earlier_kind_of_drug_model_is_refused(
    screen, tmp_path, monkeypatch
):
    folds, config = response_folds(screen, "cell-line", 2), replace(CONFIG, epochs=1)
    options = {"folder": tmp_path, "baselines": False}
    with monkeypatch.context() as patch:
        patch.setattr(response_members, "FORMAT", "an earlier one")
        cross_validate_response(screen, folds, config, **options)
    with pytest.raises(ValueError, match="it differs in model"):
        cross_validate_response(screen, folds, config, **options)


def test_an_interrupted_training_keeps_whole_members_and_goes_on(screen, tmp_path):
    config = replace(CONFIG, epochs=3)
    whole = train_responses(screen, config, members=3)
    real, epochs = lp.training.trainer.ResponseRun.run_epoch, []

    def stop(run):
        epochs.append(run.epoch)
        if len(epochs) == 5:  # in the second member
            raise KeyboardInterrupt
        return real(run)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lp.training.trainer.ResponseRun, "run_epoch", stop)
        train_responses(screen, config, members=3, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fold-000-member-000.pt"]
    again = train_responses(screen, config, members=3, folder=tmp_path)
    for one, other in zip(whole.models, again.models, strict=True):
        for name, value in one.named_parameters():
            assert torch.equal(value, other.get_parameter(name)), name
    with pytest.raises(ValueError, match="of another training: it differs in settings"):
        train_responses(screen, replace(config, lr=0.5), members=3, folder=tmp_path)


def test_a_part_of_an_ensemble_is_none(screen, tmp_path):
    models = train_responses(screen, replace(CONFIG, epochs=1), members=2)
    models.save(tmp_path)
    (tmp_path / "member-000.pt").unlink()  # as after a kill: it is the last to be put there
    with pytest.raises(FileNotFoundError, match="holds no drug models"):
        ResponseEnsemble.load(tmp_path, screen)
