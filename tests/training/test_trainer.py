"""The training loop on the toy network: what it learns, counts, keeps and refuses."""

import dataclasses
import itertools
import math

import pandas as pd
import pytest
import torch

from lembas_pyg.checkpoint import load_parameters, load_tensors, save_tensors
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.network import add_conditions, to_conditions
from lembas_pyg.nn import LEMBAS, Sigmoid
from lembas_pyg.training import TrainingConfig, fit
from lembas_pyg.training.run import Run

SETTINGS = TrainingConfig(
    epochs=6,
    batch_size=4,
    lr=1e-2,
    lr_peak=2,
    reset_every=4,
    noise=1e-3,
    noise_per_lr=0.1,
    weight_noise=1e-6,
    ligand_bias=0.1,
    l2_weight=1e-4,
    l2_bias=1e-4,
    anti_zero=1e-5,
    uniform=1e-3,
    spectral=1e-3,
    projection=1e-3,
    input_amplitude=1.0,
    output_amplitude=1.3,
)
TERMS = ["fit", "sign", "ligand_bias", "l2_weight", "l2_bias", "anti_zero", "uniform", "spectral"]


@pytest.fixture(scope="module")
def data():
    """Nine conditions of the toy network, measured on the reference model."""
    network = ToyNetwork()[0]
    levels = [0.0, 0.5, 1.0]
    ligands = pd.DataFrame(
        list(itertools.product(levels, levels)), columns=["L1", "L2"], dtype=float
    ).set_axis([f"condition {i}" for i in range(9)])
    stimulated = add_conditions(network, ligands)
    reference = load_parameters(LEMBAS(network).double(), ToyNetwork.parameters())
    y = reference(stimulated.x).y.detach()
    return add_conditions(network, ligands, to_conditions(stimulated, y, network.tf_mask))


def model_for(data, config=SETTINGS):
    generator = torch.Generator().manual_seed(config.seed)
    return LEMBAS(data, generator=generator, **config.model_options())


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.fixture(scope="module")
def trained(data):
    model = model_for(data)
    return model, fit(model, data, SETTINGS)


def test_the_history_has_a_row_an_epoch_and_a_column_a_term(trained):
    _, history = trained
    assert history.table["epoch"].tolist() == list(range(6))
    assert set(TERMS) < set(history.table.columns)
    assert {"lr", "loss", "r", "rho", "not_converged", "clipped"} < set(history.table.columns)
    assert history.table["lr"].idxmax() == 2
    assert not history.interrupted


def test_the_loss_is_the_weighted_sum_of_its_terms(trained):
    _, history = trained
    table = history.table
    expected = table["fit"] + sum(table[name] * getattr(SETTINGS, name) for name in TERMS[1:])
    expected += table["projection"] * SETTINGS.projection
    pd.testing.assert_series_equal(table["loss"], expected, check_names=False, rtol=1e-5)


def test_the_first_epoch_starts_from_the_model_as_it_is(data):
    """Without noise, one full batch: the first loss is that of the initial model."""
    config = TrainingConfig(epochs=1, batch_size=9, sign=0.0)
    model = model_for(data, config)
    expected = (model(data.x).y - data.y[data.tf_mask]).square().mean().item()
    assert fit(model, data, config).table["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_training_lowers_the_loss(data):
    config = dataclasses.replace(SETTINGS, epochs=120, lr_peak=20, noise=0.0, noise_per_lr=0.0)
    history = fit(model_for(data, config), data, config)
    assert history.table["fit"].iloc[-1] < 0.2 * history.table["fit"].iloc[0]


def test_the_same_seed_gives_the_same_model_and_another_seed_another(data, trained):
    model, _ = trained
    again = model_for(data)
    fit(again, data, SETTINGS)
    assert equal(model, again)
    other = model_for(data)
    fit(other, data, dataclasses.replace(SETTINGS, seed=1))
    assert not equal(model, other)


def test_the_best_state_is_that_of_the_smallest_loss(trained):
    _, history = trained
    assert history.best_epoch == history.table["loss"].idxmin()
    assert set(history.best) >= {"conv.edge_weight", "conv.bias", "output.weight"}


def test_solver_settings_are_given_back(data):
    model = model_for(data)
    before = model.conv.tol, model.conv.max_steps, model.conv.clip
    fit(model, data, SETTINGS)
    assert (model.conv.tol, model.conv.max_steps, model.conv.clip) == before


@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_resumed_run_equals_the_uninterrupted_one(
    data, trained, tmp_path, stop_after, monkeypatch
):
    whole, history = trained
    file = tmp_path / "checkpoint.pt"
    model = model_for(data)
    interrupt_in(monkeypatch, epoch=stop_after)
    stopped = fit(model, data, SETTINGS, checkpoint=file)
    assert stopped.interrupted
    assert len(stopped.table) == stop_after
    fresh = model_for(data)
    resumed = fit(fresh, data, SETTINGS, checkpoint=file, resume=True)
    assert equal(fresh, whole)
    drop = ["seconds"]
    pd.testing.assert_frame_equal(
        resumed.table.drop(columns=drop), history.table.drop(columns=drop)
    )
    assert resumed.best_epoch == history.best_epoch
    for name in ("conv.edge_weight", "conv.bias"):
        assert torch.equal(resumed.best[name], history.best[name])


def interrupt_in(monkeypatch, epoch):
    """Press Ctrl-C in the second of the three steps of an epoch."""
    calls = itertools.count()
    disturbed = Run.disturbed

    def interrupted(*args):
        if next(calls) == 3 * epoch + 1:
            raise KeyboardInterrupt
        return disturbed(*args)

    monkeypatch.setattr(Run, "disturbed", interrupted)


def test_an_interrupted_model_is_that_of_the_last_complete_epoch(data, monkeypatch):
    expected, model = model_for(data), model_for(data)
    run = Run(expected, data, SETTINGS)
    expected.conv.tol, expected.conv.max_steps = SETTINGS.tol, SETTINGS.max_steps
    expected.conv.clip = SETTINGS.adjoint_clip
    run.run_epoch()
    run.run_epoch()
    interrupt_in(monkeypatch, epoch=2)
    assert fit(model, data, SETTINGS).interrupted
    assert equal(model, expected)


def test_resuming_without_a_file_starts_anew(data, trained, tmp_path):
    model = model_for(data)
    fit(model, data, SETTINGS, checkpoint=tmp_path / "new.pt", resume=True)
    assert equal(model, trained[0])


def test_a_checkpoint_of_another_run_is_refused(data, tmp_path):
    file = tmp_path / "checkpoint.pt"
    fit(model_for(data), data, SETTINGS, checkpoint=file)
    with pytest.raises(ValueError, match="other settings: seed was 0, is 7"):
        changed = dataclasses.replace(SETTINGS, seed=7)
        fit(model_for(data), data, changed, checkpoint=file, resume=True)
    other = data.clone()
    other.y = other.y + 0.1
    with pytest.raises(ValueError, match="other conditions or measurements"):
        fit(model_for(data), other, SETTINGS, checkpoint=file, resume=True)


def test_a_checkpoint_from_before_a_setting_existed_is_taken(data, trained, tmp_path):
    file = tmp_path / "checkpoint.pt"
    fit(model_for(data), data, SETTINGS, checkpoint=file)
    state = load_tensors(file)
    del state["config"]["lr_cycles"]
    save_tensors(state, file)
    model = model_for(data)
    fit(model, data, SETTINGS, checkpoint=file, resume=True)
    assert equal(model, trained[0])


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_refused(data, tmp_path, content):
    file = tmp_path / "checkpoint.pt"
    if content is None:
        torch.save({"something": 1}, file)
    else:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"no (readable )?training checkpoint"):
        fit(model_for(data), data, SETTINGS, checkpoint=file, resume=True)


def test_a_checkpoint_of_another_activation_or_precision_is_refused(data, tmp_path):
    file = tmp_path / "checkpoint.pt"
    fit(model_for(data), data, SETTINGS, checkpoint=file)
    other = LEMBAS(data, Sigmoid(), **SETTINGS.model_options())
    with pytest.raises(ValueError, match="another kind: MichaelisMentenLike"):
        fit(other, data, SETTINGS, checkpoint=file, resume=True)
    with pytest.raises(ValueError, match=r"float32 there, .*float64 here"):
        fit(model_for(data).double(), data, SETTINGS, checkpoint=file, resume=True)


def test_settings_are_a_training_config(data):
    with pytest.raises(TypeError, match=r"config is dict; .* TrainingConfig.from_dict"):
        fit(model_for(data), data, SETTINGS.to_dict())


def test_resume_needs_a_file(data):
    with pytest.raises(ValueError, match="resume=True needs checkpoint="):
        fit(model_for(data), data, SETTINGS, resume=True)


def test_conditions_without_a_steady_state_are_counted(data):
    config = dataclasses.replace(SETTINGS, epochs=2, max_steps=2, tol=1e-12)
    history = fit(model_for(data, config), data, config)
    assert history.table["not_converged"].tolist() == [9, 9]
    assert history.not_converged_share == 1.0


def test_the_exact_radius_may_take_the_place_of_the_rate(data):
    config = dataclasses.replace(SETTINGS, spectral_term="radius", spectral_floor=0.0)
    history = fit(model_for(data, config), data, config)
    assert (history.table["spectral"] > 0).all()
    assert (history.table["rho"] < 1.5).all()


def test_an_infinite_loss_stops_the_training(data):
    model = model_for(data)
    with torch.no_grad():
        model.output.weight.fill_(math.inf)
    with pytest.raises(FloatingPointError, match=r"infinite or NaN in epoch 0 .*learning rate"):
        fit(model, data, SETTINGS)
    assert model.conv.edge_weight.isfinite().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.__delattr__("y"), "The data have no y; add conditions with"),
        (lambda d: d.y.fill_(torch.nan), "No TF activity of this network was measured"),
        (lambda d: d.edge_sign.neg_(), "not of the model's network: 8 of 8 modes of action"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused(data, change, message):
    model = model_for(data)
    other = data.clone()
    change(other)
    with pytest.raises(ValueError, match=message):
        fit(model, other, SETTINGS)


def test_a_network_in_which_no_ligand_reaches_a_tf_is_refused(data):
    cut = data.clone()
    cut.edge_index = cut.edge_index.clone()
    cut.edge_index[1, :2] = cut.node_name.index("T1")
    cut.edge_index[:, :2] = cut.edge_index[:, :2].flip(0)
    with pytest.raises(ValueError, match="No path leads from any ligand to any TF"):
        fit(model_for(cut), cut, SETTINGS)


def test_training_runs_on_the_device_of_the_tests(data, device):
    model = model_for(data).to(device)
    history = fit(model, data.clone().to(device), dataclasses.replace(SETTINGS, epochs=2))
    assert len(history.table) == 2
