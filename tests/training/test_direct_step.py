"""Steps whose gradient is written down, against the same steps by autograd."""

import copy
import dataclasses

import pytest
import torch
from torch_geometric.data import Data

from lembas_pyg.nn import LEMBAS, LeakyReLU, Sigmoid, compiled
from lembas_pyg.training import TrainingConfig, fit
from lembas_pyg.training.direct_step import DirectStep
from lembas_pyg.training.run import Run

pytestmark = pytest.mark.skipif(
    not compiled.applies_to(torch.zeros(1)), reason="without compiled code there is one kind"
)

# Every term counts, also the ones presets leave out.
SETTINGS = TrainingConfig(
    epochs=4,
    batch_size=7,
    lr=1e-2,
    lr_peak=2,
    reset_every=3,
    noise=1e-3,
    noise_per_lr=0.1,
    weight_noise=1e-5,
    sign=0.3,
    ligand_bias=0.1,
    l2_weight=1e-3,
    l2_bias=2e-3,
    anti_zero=1e-3,
    uniform=1e-2,
    uniform_dead=0.7,
    spectral=1e-2,
    spectral_floor=0.2,
    projection=1e-2,
    tol=1e-12,
    max_steps=3000,
)


@pytest.fixture(scope="module")
def data():
    """Twenty conditions of a random network, some TFs not measured in some of them."""
    generator = torch.Generator().manual_seed(3)
    edges = torch.randint(60, (2, 400), generator=generator)
    # No edge leads into a ligand, none from a node to itself, none is there twice.
    edges = edges[:, (edges[1] >= 5) & (edges[0] != edges[1])].unique(dim=1)
    nodes = torch.arange(60)
    data = Data(
        edge_index=edges,
        edge_sign=torch.randint(-1, 2, (edges.size(1),), generator=generator),
        node_name=[f"N{node}" for node in range(60)],
        ligand_mask=nodes < 5,
        tf_mask=nodes >= 50,
        x=torch.zeros(60, 20),
        y=torch.full((60, 20), torch.nan),
        conditions=[f"condition {number}" for number in range(20)],
        num_nodes=60,
    )
    data.x[:5] = torch.rand(5, 20, generator=generator)
    data.y[50:] = torch.rand(10, 20, generator=generator)
    data.y[52, 3:6] = torch.nan
    return data


def both(data, config, **options):
    """The same run twice, the first with direct steps, the second by autograd."""
    generator = torch.Generator().manual_seed(0)
    model = LEMBAS(data, generator=generator, **config.model_options() | options).double()
    runs = []
    for _ in range(2):
        own = copy.deepcopy(model)
        own.conv.tol, own.conv.max_steps = config.tol, config.max_steps
        own.conv.clip = config.adjoint_clip or None
        runs.append(Run(own, data, config))
    assert runs[0].direct is not None
    runs[1].direct = None
    return runs


def gradients(run):
    return {name: p.grad for name, p in run.model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("batch_size", [1, 5, 12, 20], ids="{} a batch".format)
@pytest.mark.parametrize("options", [{}, {"train_input": True}, {"act": LeakyReLU(0.01)}], ids=str)
def test_a_step_has_the_terms_and_gradients_of_autograd(data, batch_size, options):
    direct, traced = both(data, dataclasses.replace(SETTINGS, batch_size=batch_size), **options)
    batch = torch.randperm(20, generator=torch.Generator().manual_seed(1))[:batch_size]
    if batch_size == 20:
        batch = torch.arange(20)
    found, expected = direct.direct(batch, 1e-3), traced.step(batch, 1e-3)
    for one, other in zip(found[:2], expected[:2], strict=True):
        assert set(one) == set(other)
        for name, value in one.items():
            assert float(value) == pytest.approx(float(other[name]), rel=1e-8), name
    assert torch.allclose(found[2], expected[2], atol=1e-10)
    assert float(found[3]) == pytest.approx(float(expected[3]), rel=1e-8)
    theirs = gradients(traced)
    for name, value in gradients(direct).items():
        assert value.abs().max() > 0, name
        assert torch.allclose(value, theirs[name], rtol=1e-6, atol=1e-10), name


@pytest.mark.parametrize(
    "left_out",
    "uniform spectral sign l2_weight l2_bias ligand_bias anti_zero projection noise "
    "weight_noise adjoint_clip".split(),
)
def test_runs_stay_together_whatever_is_left_out(data, left_out):
    config = dataclasses.replace(SETTINGS, **{left_out: 0.0}, noise_per_lr=0.0)
    direct, traced = both(data, config)
    for _ in range(config.epochs):
        row, expected = direct.run_epoch(), traced.run_epoch()
        assert set(row) == set(expected)
        for name in set(row) - {"seconds"}:
            assert row[name] == pytest.approx(expected[name], rel=1e-6), name
    for one, other in zip(direct.parameters, traced.parameters, strict=True):
        assert torch.allclose(one, other, atol=1e-7)
    assert torch.allclose(direct.deviation, traced.deviation, atol=1e-6)


def test_an_active_clip_is_that_of_autograd(data):
    config = dataclasses.replace(SETTINGS, adjoint_clip=1e-3)
    direct, traced = both(data, config)
    row, expected = direct.run_epoch(), traced.run_epoch()
    assert row["clipped"] == expected["clipped"] > 0
    assert torch.allclose(direct.parameters[0], traced.parameters[0], atol=1e-8)


def test_a_state_that_is_not_reached_is_counted(data):
    direct, _ = both(data, dataclasses.replace(SETTINGS, max_steps=1))
    assert direct.run_epoch()["not_converged"] == 20


def forget(parameter):
    parameter.grad.zero_()


@pytest.mark.parametrize(
    "what",
    "activation,subclass,hook,radius,watched weight,watched gradient,replaced method".split(","),
)
def test_a_model_that_was_changed_goes_by_autograd(data, what):
    term = "radius" if what == "radius" else "rate"
    config = dataclasses.replace(SETTINGS, spectral_term=term, weight_noise=0.0)
    kind = type("Own", (LEMBAS,), {}) if what == "subclass" else LEMBAS
    model = kind(data, **({"act": Sigmoid()} if what == "activation" else {}))
    if what == "hook":
        model.output.register_forward_hook(lambda module, inputs, output: output * 0.5)
    if what == "watched weight":
        model.conv.edge_weight.register_hook(lambda gradient: gradient * 0)
    if what == "watched gradient":
        model.conv.edge_weight.register_post_accumulate_grad_hook(forget)
    if what == "replaced method":
        model.steady_state = model.steady_state
    run = Run(model, data, config)
    assert run.direct is None
    before = model.conv.edge_weight.detach().clone()
    run.run_epoch()
    assert torch.equal(model.conv.edge_weight, before) == what.startswith("watched")


def test_frozen_parameters_stay(data):
    config = dataclasses.replace(SETTINGS, weight_noise=0.0)
    model = LEMBAS(data, **config.model_options())
    model.conv.bias.requires_grad_(False)
    before = model.conv.bias.clone()
    fit(model, data, config, progress=False)
    assert torch.equal(model.conv.bias, before)


def test_an_earlier_snapshot_is_not_changed_by_later_epochs(data):
    run, _ = both(data, SETTINGS)
    run.run_epoch()
    kept = run.snapshot()
    expected = run.run_epoch()
    run.run_epoch()
    run.restore(kept)
    again = run.run_epoch()
    del expected["seconds"], again["seconds"]
    assert again == expected


def test_a_run_stopped_within_an_epoch_goes_on_as_if_it_had_not(data, tmp_path, monkeypatch):
    whole = LEMBAS(data, generator=torch.Generator().manual_seed(0))
    other = copy.deepcopy(whole)
    fit(whole, data, SETTINGS, progress=False)
    step, file, calls = DirectStep.__call__, tmp_path / "checkpoint.pt", []

    def stopping(self, batch, lr):
        calls.append(batch)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return step(self, batch, lr)

    monkeypatch.setattr(DirectStep, "__call__", stopping)
    assert fit(other, data, SETTINGS, checkpoint=file, progress=False).interrupted
    fit(other, data, SETTINGS, checkpoint=file, resume=True, progress=False)
    for one, two in zip(whole.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_rate_that_is_not_a_number_is_not_hidden(data, monkeypatch):
    run, _ = both(data, SETTINGS)
    rates = compiled.rate

    def lost(*arguments):
        rate, last, kept = rates(*arguments)
        return rate.index_fill(0, torch.tensor([0]), torch.nan), last, kept

    monkeypatch.setattr(compiled, "rate", lost)
    with pytest.raises(FloatingPointError, match="infinite or NaN"):
        run.run_epoch()
