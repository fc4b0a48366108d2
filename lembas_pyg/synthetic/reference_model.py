"""A model that stands for the cell: parameters found without data, by what it should show."""

from __future__ import annotations

import warnings
from numbers import Integral

import torch
from torch import Tensor
from torch_geometric.data import Data

from lembas_pyg.nn import LEMBAS
from lembas_pyg.nn.contraction import contraction_rate
from lembas_pyg.nn.init import scale_to_radius_, signed_uniform_
from lembas_pyg.topology import reachable_from
from lembas_pyg.training import TrainingConfig, losses

__all__ = ["parameterise", "random_model"]

# Start of the parameters, which differs from that of models to be trained.
_LARGEST_WEIGHT, _LARGEST_BIAS, _RADIUS = 3.0, 0.01, 0.8
# Weights of the terms: uniform over the TFs of a condition, correlated TFs, correlated conditions.
_OVER_TFS, _CORRELATED_TFS, _CORRELATED_CONDITIONS = 0.1, 5.5, 4.0
# Activities that vary less than this have next to no correlation. Without such a floor the
# gradient of a correlation grows as what varies fades, and drowns all other terms.
_FLOOR = 0.03
# So many TFs can be spread over the range of activities in one condition; fewer are not asked to.
_FEWEST_TFS = 10
# Share of the steps in which all nodes, and not TFs alone, are asked to vary, ever less so.
_WARM_UP = 0.3
# Length of the random part of a deviation, which keeps it from missing a mode.
_FRESH = 1e-3
# At the end every one of so many fresh conditions has to be steady; weights shrink by this factor
# until they are.
_NUM_CHECKED, _SHRINK, _MAX_SHRINKS = 1000, 0.98, 50
# Variance of the activity of a TF that does not respond to them.
_DEAD = 1e-4


def random_model(
    data: Data,
    config: TrainingConfig | None = None,
    *,
    generator: torch.Generator | None = None,
) -> LEMBAS:
    """A model with the random parameters that `parameterise` starts from.

    Weights uniform in [0, 3), negative for known inhibitions and scaled to a spectral radius of
    0.8; biases uniform in [0, 0.01).

    Args:
        data: The network; conditions in it take no part.
        config: Settings of the model; `TrainingConfig.reference_model()` if None.
        generator: Source of randomness; the global one if None.

    Returns:
        A float64 model on the CPU.

    Raises:
        ValueError: The network has no ligands or no TFs.

    References:
        Nilsson et al. (2022), Methods, synthetic data generation, and Fig. 4b.
    """
    return _start(data, config or TrainingConfig.reference_model(), generator).double()


def parameterise(
    data: Data,
    config: TrainingConfig | None = None,
    *,
    num_active: int = 5,
    starts: int = 5,
    generator: torch.Generator | None = None,
) -> LEMBAS:
    r"""Find parameters for which TF activities vary with the stimulus and differ from each other.

    .. math::
        \min_\theta\; U(\hat Y) + 0.1\, U(\hat Y^T) + 5.5\, C(\hat Y) + 4\, C(\hat Y^T)
        + \text{terms of the parameters and of the spectral radius}

    with :math:`U` of `lembas_pyg.training.losses.uniform_loss` and :math:`C` the mean squared
    correlation of two rows, over fresh random stimuli at every step; with fewer than ten TFs, only
    :math:`U(\hat Y)` and the terms of the parameters and radius. Drawn at random instead, the
    parameters of a biological network give TF activities that hardly depend on the stimulus.

    At first every node but the ligands is asked to vary as well, with a weight that falls to 0 over
    three tenths of the steps: a TF behind a node that has fallen silent or saturated would stay
    dead, as next to no gradient passes there. Where one is dead at the end, in spite of a path from
    a ligand (variance below 1e-4 over 1,000 fresh stimuli), the search starts anew.

    Args:
        data: The network; conditions in it take no part. It is not changed.
        config: Settings; `TrainingConfig.reference_model()` if None. An epoch is one step with
            `batch_size` stimuli, at the learning rate of the epoch; `seed` is used where no
            generator is given. Of the terms of the loss, the weights of the parameters and of the
            spectral barrier apply, the limits of uniformity, and `uniform` as weight of all nodes
            but the ligands at the first step; noise and the warm-up of the barrier do not.
        num_active: Ligands drawn a stimulus, see `lembas_pyg.synthetic.random_stimuli`.
        starts: Searches, at most, until one leaves no TF dead.
        generator: Source of randomness.

    Returns:
        A float64 model on the CPU without weights against a known mode of action, with a steady
        state for each of 1,000 fresh stimuli. If every search leaves dead TFs, the first of those
        with the fewest, and a warning that names them.

    Raises:
        ValueError: The network has no ligands or no TFs, or `num_active` or `starts` is below 1.
        FloatingPointError: The objective became infinite or NaN, or no steady state was left when
            the weights were shrunk at the end.

    References:
        Nilsson et al. (2022), Methods, synthetic data generation, and Fig. 4. The weights of the
        correlations and the term of all nodes are ours: the text names none.
    """
    config = config or TrainingConfig.reference_model()
    generator = generator or torch.Generator().manual_seed(config.seed)
    for name, value, what in (
        ("num_active", num_active, "a stimulus draws one ligand or more"),
        ("starts", starts, "a search starts once or more often"),
    ):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} is {value!r}; {what}, a whole number.")
    best: tuple[LEMBAS, list[str]] | None = None
    for _ in range(starts):
        model, dead = _search(data, config, num_active, generator)
        if not dead:
            return model
        if best is None or len(dead) < len(best[1]):
            best = model, dead
    assert best is not None
    model, dead = best
    warnings.warn(
        f"{len(dead)} of {len(model.tf_index)} TFs do not respond to any stimulus, in the best of "
        f"{starts} searches: {', '.join(dead[:5])}{', ...' if len(dead) > 5 else ''}. Raise the "
        f"number of steps (epochs={config.epochs}) or of searches.",
        stacklevel=2,
    )
    return model


def _search(
    data: Data, config: TrainingConfig, num_active: int, generator: torch.Generator
) -> tuple[LEMBAS, list[str]]:
    """Parameters from one start, and the TFs that are dead though a ligand can reach them."""
    model = _start(data, config, generator)
    conv = model.conv
    conv.tol, conv.max_steps, conv.clip = config.tol, config.max_steps, config.adjoint_clip or None
    betas = (0.9, config.adam_beta2)
    optimizer = torch.optim.Adam([conv.edge_weight, conv.bias], config.lr, betas=betas)
    deviation = torch.zeros(model.num_nodes, config.batch_size)
    for step in range(config.epochs):
        optimizer.param_groups[0]["lr"] = config.learning_rate(step)
        x = _stimuli(model, config.batch_size, num_active, generator)
        fresh = torch.randn(deviation.shape, generator=generator)
        nodes = config.uniform * max(0.0, 1 - step / (_WARM_UP * config.epochs))
        loss, deviation = _objective(model, x, deviation + _FRESH * fresh, config, nodes)
        if not bool(loss.isfinite()):
            raise FloatingPointError(
                f"The objective became infinite or NaN in step {step}. Lower the learning rate "
                f"(lr={config.lr}) or raise the spectral term (spectral={config.spectral})."
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model, y = _settled(model, num_active, generator)
    dead = y.var(dim=1, correction=0) < _DEAD
    dead &= reachable_from(data.ligand_mask, data.edge_index)[model.tf_index]
    return model, [model.node_name[int(i)] for i in model.tf_index[dead]]


def _start(data: Data, config: TrainingConfig, generator: torch.Generator | None) -> LEMBAS:
    """Large weights and small biases, scaled to the radius of the paper."""
    model = LEMBAS(data, **(config.model_options() | {"radius": None}), generator=generator)
    weight, bias = model.conv.edge_weight, model.conv.bias
    signed_uniform_(weight, data.edge_sign, 0.0, _LARGEST_WEIGHT, generator)
    with torch.no_grad():
        bias.uniform_(0.0, _LARGEST_BIAS, generator=generator)
    scale_to_radius_(weight, data.edge_index, model.num_nodes, _RADIUS)
    return model


def _stimuli(
    model: LEMBAS, num_conditions: int, num_active: int, generator: torch.Generator
) -> Tensor:
    """What `random_stimuli` draws, without its names: that takes longer than a step."""
    ligands = model.ligand_index
    shape = num_conditions - 1, num_active
    drawn = ligands[torch.randint(len(ligands), shape, generator=generator)]
    concentration = torch.rand(shape, generator=generator)
    x = torch.zeros(model.num_nodes, num_conditions)
    for draw in range(num_active):
        x[drawn[:, draw], torch.arange(1, num_conditions)] = concentration[:, draw]
    return x


def _objective(
    model: LEMBAS,
    x: Tensor,
    deviation: Tensor,
    config: TrainingConfig,
    nodes: float,
) -> tuple[Tensor, Tensor]:
    """What a varied model has little of, and the deviation that the next step starts from."""
    weight, bias = model.conv.edge_weight, model.conv.bias
    point = model.steady_state(x)
    y = model.output(point.value)
    limits = config.uniform_min, config.uniform_max, config.uniform_dead
    slope = model.slope(point.value.detach(), x)
    rate, deviation = contraction_rate(model.operator, weight, slope, deviation)
    terms = [
        (1.0, losses.uniform_loss(y, *limits)),
        (
            config.spectral,
            losses.spectral_loss(
                rate, config.spectral_sharpness, config.spectral_target, config.spectral_floor
            ),
        ),
        (config.sign, losses.sign_loss(weight, model.edge_sign)),
        (config.ligand_bias, losses.ligand_bias_loss(bias, model.ligand_index)),
        (config.l2_weight, losses.l2_loss(weight)),
        (config.l2_bias, losses.l2_loss(bias)),
    ]
    if len(y) >= _FEWEST_TFS:
        terms += [
            (_OVER_TFS, losses.uniform_loss(y.t(), *limits)),
            (_CORRELATED_TFS, _correlation(y)),
            (_CORRELATED_CONDITIONS, _correlation(y.t())),
        ]
    if nodes > 0:
        h, amplitude = point.value[model.not_ligand], float(model.output.weight.mean())
        low, high, dead = limits
        terms.append((nodes, losses.uniform_loss(h, low / amplitude, high / amplitude, dead)))
    return torch.stack([factor * value for factor, value in terms]).sum(), deviation


def _correlation(y: Tensor) -> Tensor:
    """Mean squared correlation of two rows, itself included; next to none of rows that stay."""
    centred = y - y.mean(dim=1, keepdim=True)
    scale = (centred.square().mean(dim=1, keepdim=True) + _FLOOR**2).sqrt()
    unit = centred / (scale * y.size(1) ** 0.5)
    # The squared Gram matrix of the rows sums to that of the columns: take the smaller one.
    gram = unit @ unit.t() if len(y) <= y.size(1) else unit.t() @ unit
    return gram.square().sum() / len(y) ** 2


@torch.no_grad()
def _settled(model: LEMBAS, num_active: int, generator: torch.Generator) -> tuple[LEMBAS, Tensor]:
    """The model with right signs, its weights shrunk until every condition has a steady state.

    With the TF activity of those conditions.
    """
    model = model.double()
    weight = model.conv.edge_weight
    weight.masked_fill_(weight * model.edge_sign < 0, 0.0)
    model.conv.tol, model.conv.max_steps, model.conv.clip = 1e-9, 3000, None
    x = _stimuli(model, _NUM_CHECKED, num_active, generator).double()
    for _ in range(_MAX_SHRINKS):
        point = model.steady_state(x)
        if bool(point.converged.all()):
            return model, model.output(point.value)
        weight.mul_(_SHRINK)
    raise FloatingPointError(
        f"Some of {_NUM_CHECKED} conditions have no steady state even with weights shrunk to "
        f"{_SHRINK**_MAX_SHRINKS:.0%}. Raise the spectral term of the settings."
    )
