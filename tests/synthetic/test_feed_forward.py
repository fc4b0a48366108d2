"""Networks trained together against networks trained alone; fits of rate constants."""

import numpy as np
import pytest
import torch

from lembas_pyg.nn import leaky_relu, michaelis_menten_like, sigmoid
from lembas_pyg.synthetic import (
    MECHANISMS,
    FeedForward,
    feed_forward_scores,
    fit_feed_forward,
    fit_rate_constants,
    other_form_scores,
)

ACTS = {"MML": michaelis_menten_like, "leaky ReLU": leaky_relu, "sigmoid": sigmoid}
LEVEL = np.linspace(0, 1, 7)
A, B = (grid.ravel() for grid in np.meshgrid(LEVEL, LEVEL, indexing="ij"))


@pytest.mark.parametrize("hidden", [0, 3])
def test_networks_are_those_of_torch(hidden):
    acts = [sigmoid, michaelis_menten_like, michaelis_menten_like, leaky_relu]
    model = FeedForward(acts, hidden, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        model.scale.copy_(torch.tensor([0.5, 2.0, 1.5, 3.0]).view(-1, 1, 1))
    x = torch.rand(6, 2, dtype=torch.float64)
    for number, act in enumerate(acts):
        h = x
        for weight, bias in zip(model.weights, model.biases, strict=True):
            layer = torch.nn.functional.linear(h, weight[number].T, bias[number, 0])
            h = model.scale[number] * act(layer)
        torch.testing.assert_close(model(x)[number], h[:, 0])


def test_networks_do_not_meet_in_training():
    """All conditions at once, so that their order does not matter."""
    x = torch.tensor(np.stack([A, B], axis=1))
    y = torch.stack([x[:, 0] * x[:, 1], x.sum(dim=1) / 2])
    together = FeedForward([sigmoid, michaelis_menten_like], 2).double()
    alone = [FeedForward([act], 2).double() for act in together.acts]
    for number, model in enumerate(alone):
        for own, shared in zip(model.parameters(), together.parameters(), strict=True):
            own.data.copy_(shared.data[number : number + 1])
        fit_feed_forward(model, x, y[number : number + 1], epochs=5, batch_size=49, lr=0.01)
    fit_feed_forward(together, x, y, epochs=5, batch_size=49, lr=0.01)
    torch.testing.assert_close(together(x), torch.cat([model(x) for model in alone]))


def test_without_hidden_layer_mml_is_best_for_independent_sources():
    names = ["independent_activation", "independent_deactivation"]
    table, predicted = feed_forward_scores(
        ACTS,
        mechanisms={name: MECHANISMS[name] for name in names},
        replicates=3,
        epochs=600,
        batch_size=49,
        lr=0.02,
    )
    assert predicted.shape == (len(table), 400) == (18, 400)
    r = table.pivot_table(index="mechanism", columns="activation", values="r", aggfunc="mean")
    assert (r["MML"] > 0.99).all()
    assert (r["MML"] > r[["leaky ReLU", "sigmoid"]].max(axis=1)).all()
    assert (other_form_r(names) < r["MML"]).all()


def other_form_r(names):
    """Best correlation of a mechanism with another form, by mechanism."""
    forms = [*names, "advanced_cooperative_activation", "competitive_inhibition"]
    table = other_form_scores(
        {name: MECHANISMS[name] for name in names}, {name: MECHANISMS[name] for name in forms}
    )
    right = table[table["mechanism"] == table["form"]]
    assert (right["r"] > 1 - 1e-9).all()
    return table.drop(right.index).groupby("mechanism")["r"].max()


def test_rate_constants_are_found_up_to_the_unit_of_time():
    mechanism = MECHANISMS["competitive_inhibition"]
    true = mechanism.with_rate_constants({"k1": 0.9, "k2": 0.3, "k3": 1.0, "k4": 0.5})
    fitted, scale = fit_rate_constants(mechanism, A, B, 1.7 * true.activity(A, B))
    k = fitted.rate_constants
    assert (k["k1"] / k["k2"], k["k3"] / k["k4"]) == pytest.approx((3.0, 2.0), rel=1e-4)
    assert scale == pytest.approx(1.7, rel=1e-5)


def test_what_does_not_fit_is_refused():
    model = FeedForward([sigmoid] * 3)
    with pytest.raises(ValueError, match=r"with M = 3 networks"):
        fit_feed_forward(model, torch.rand(5, 2), torch.rand(2, 5))
    with pytest.raises(ValueError, match="epochs=0"):
        fit_feed_forward(model, torch.rand(5, 2), torch.rand(3, 5), epochs=0)
    with pytest.raises(ValueError, match="0 activations"):
        FeedForward([])
    mechanism = MECHANISMS["cooperative_activation"]
    with pytest.raises(ValueError, match="vectors of one length"):
        fit_rate_constants(mechanism, A, B[:5], A)
    with pytest.raises(ValueError, match="NaN or infinite"):
        fit_rate_constants(mechanism, A, B, np.full(49, np.nan))
