"""Settings: presets, refusals, and the way to and from JSON."""

import dataclasses
import json
import math

import pytest

from lembas_pyg.training import PRESETS, TrainingConfig, one_cycle


def test_every_study_has_a_preset_and_one_with_the_settings_of_the_paper():
    assert len(PRESETS) == 12
    for name in PRESETS:
        config = getattr(TrainingConfig, name)()
        assert TrainingConfig.preset(name.replace("_", "-")) == config


def test_settings_survive_json():
    config = TrainingConfig.ligand_screen()
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_replace_checks_again():
    with pytest.raises(ValueError, match="epochs is 0"):
        dataclasses.replace(TrainingConfig.toy(), epochs=0)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig.toy().epochs = 3


def test_the_paper_preset_of_the_ligand_screen_is_that_of_its_script():
    config = TrainingConfig.ligand_screen_paper()
    assert (config.epochs, config.batch_size, config.lr) == (8000, 5, 1e-3)
    assert (config.spectral_target, config.spectral_sharpness) == (0.9, 10)
    assert config.uniform_max == pytest.approx(1 / 1.2)


def test_the_target_radius_follows_from_precision_and_steps():
    assert TrainingConfig.synthetic_paper().spectral_target == pytest.approx(0.940445, abs=1e-6)
    assert TrainingConfig.literature_macrophage_paper().spectral_target == pytest.approx(
        0.870964, abs=1e-6
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 1.5}, "epochs is 1.5; it must be a whole number of 1 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"seed": -1}, "seed is -1; it must be a whole number of 0 or more"),
        ({"lr": 0.0}, "lr is 0.0; it must be a positive number"),
        ({"lr": math.nan}, "lr is nan"),
        ({"sign": -0.1}, "sign is -0.1; it must be a number of 0 or more"),
        ({"noise": math.inf}, "noise is inf"),
        ({"noise": -1}, "noise is -1; it must be a number of 0 or more"),
        ({"radius": -1}, "radius is -1"),
        ({"lr": "0.1"}, "lr is '0.1'; it must be a positive number"),
        ({"epochs": True}, "epochs is True; it must be a whole number"),
        ({"seed": 2**63}, "it must be below"),
        ({"train_output": 1}, "train_output is 1; it must be of type bool"),
        ({"uniform_min": 1.0}, "uniform_min is 1.0 and uniform_max 0.99"),
        ({"spectral_term": "power"}, "spectral_term is 'power'; choose from rate, radius"),
    ],
)
def test_illegal_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**({"epochs": 10} | change))


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"Preset 'ligandscreen' is not known; .* ligand-screen,"):
        TrainingConfig.preset("ligandscreen")
    with pytest.raises(ValueError, match=r"Unknown settings: lambda2. Legal ones are epochs"):
        TrainingConfig.from_dict({"epochs": 3, "lambda2": 1})


def test_model_options_hold_only_what_a_study_prescribes():
    assert TrainingConfig.toy().model_options() == {
        "train_output": False,
        "input_amplitude": 1.0,
        "output_amplitude": 1.3,
        "radius": None,
    }
    assert TrainingConfig.ligand_screen().model_options() == {"train_output": True, "radius": 0.7}


def test_learning_rates_are_those_of_the_original(shared_golden):
    lines = (shared_golden / "one_cycle_ligand.tsv").read_text().splitlines()[1:]
    for epoch, lr in (map(float, line.split("\t")) for line in lines):
        found = one_cycle(int(epoch), 8000, highest=1e-3, start=1e-4, end=1e-5, peak=1000)
        assert found == pytest.approx(lr, rel=1e-12)


def test_a_peak_of_zero_starts_at_the_top():
    assert one_cycle(0, 100, highest=1.0, start=0.1, end=0.0, peak=0) == 1.0


def test_a_peak_below_one_is_a_share_of_the_epochs():
    share, epoch = (TrainingConfig(epochs=400, lr=1.0, lr_peak=peak) for peak in (0.25, 100))
    assert share.learning_rate(100) == epoch.learning_rate(100) == 1.0
    assert share.learning_rate(40) == epoch.learning_rate(40)


@pytest.mark.parametrize("warmup", [0.5, 4])
def test_the_barrier_is_soft_during_its_warm_up(warmup):
    config = TrainingConfig(epochs=8, spectral=3.0, spectral_sharpness=30.0, spectral_warmup=warmup)
    assert [config.barrier(epoch) for epoch in range(8)] == [(1.0, 10.0)] * 4 + [(3.0, 30.0)] * 4


def test_without_a_warm_up_the_barrier_is_constant():
    config = TrainingConfig(epochs=3, spectral=0.5, spectral_sharpness=20.0)
    assert [config.barrier(epoch) for epoch in range(3)] == [(0.5, 20.0)] * 3


def test_the_learning_rate_starts_anew_with_every_cycle():
    once = TrainingConfig(epochs=10, lr=1.0, lr_start=0.5, lr_peak=0.2)
    twice = dataclasses.replace(once, epochs=20, lr_cycles=2)
    course = [once.learning_rate(epoch) for epoch in range(10)]
    assert [twice.learning_rate(epoch) for epoch in range(20)] == course * 2
    assert course[0] == 0.5
    assert course[2] == 1.0


def test_cycles_share_all_epochs():
    config = TrainingConfig(epochs=11, lr_cycles=3)
    cycles = [config.cycle(epoch) for epoch in range(11)]
    assert [place for place, _ in cycles] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2]
    assert [length for _, length in cycles] == [4] * 8 + [3] * 3


def test_more_cycles_than_epochs_are_refused():
    with pytest.raises(ValueError, match="lr_cycles is 3, more than the 2 epochs"):
        TrainingConfig(epochs=2, lr_cycles=3)
