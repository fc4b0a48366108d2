"""The drug model against dense algebra and finite differences."""

import math

import pytest
import torch
from scipy.optimize import brentq
from torch_geometric.utils import to_dense_adj

from lembas_pyg.nn import DrugResponse, SparseProjection
from lembas_pyg.nn.drug_input import DrugBinding, DrugInput
from lembas_pyg.nn.joint_effect import joint_effect


@pytest.fixture(params=["binding", "log dose", "limited"])
def model(screen, request):
    generator = torch.Generator().manual_seed(1)
    options = {"tol": 1e-13, "generator": generator, "binding": request.param != "log dose"}
    options["expression_limit"] = 0.0 if request.param == "limited" else None
    model = DrugResponse(screen, **options).double()
    with torch.no_grad():
        for parameter in (
            model.expression.weight,
            model.expression_bias,
            model.mutation.weight,
            model.drug.weight,
        ):
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator).double())
        if model.binding:
            model.drug.affinity.add_(torch.randn(3, generator=generator).double())
            model.drug.log_steepness.add_(torch.randn(3, generator=generator).double())
        model.viability.weight.fill_(0.8)
    return model


def arguments(screen, columns=slice(None)):
    return (
        screen.dose[:, columns],
        screen.cell_line[0, columns],
        screen.expression,
        screen.mutation,
    )


def drug_input(model, dose):
    """Input of every node, a pair of drug and target at a time; no target has two drugs here."""
    total, layer = torch.zeros(model.signaling.num_nodes, dose.size(1)).double(), model.drug
    for pair, (drug, target) in enumerate(zip(layer.source_index, layer.target_index, strict=True)):
        effect = dose[drug]
        if model.binding:
            steepness = layer.log_steepness[pair].exp()
            dilution = 10 ** (steepness * (layer.affinity[pair] - dose[drug]))
            effect = torch.where(dose[drug] > 0, 1 / (1 + dilution), 0.0)
        total[target] += layer.weight[pair] * effect
    return total


def dense_states(model, screen, with_drug):
    """States of all observations by plain iteration of dense matrices."""
    n = screen.num_nodes
    weight = to_dense_adj(screen.edge_index, edge_attr=model.conv.edge_weight, max_num_nodes=n)[0].T
    mutation = torch.zeros(n, 3).double()
    mutation[model.mutation.target_index, model.mutation.source_index] = model.mutation.weight
    line = screen.cell_line[0]
    expressed = model.expression.weight[:, None] * screen.expression + model.expression_bias
    if model.expression_limit is not None:
        expressed = torch.minimum(expressed, torch.zeros(()))
    drive = expressed + mutation @ screen.mutation
    drive = drive[:, line] + with_drug * drug_input(model, screen.dose) + model.conv.bias
    h = torch.zeros(n, len(line)).double()
    for _ in range(3000):
        h = model.conv.act(weight @ h + drive)
    return h


def test_viability_is_that_of_the_dense_equations(model, screen):
    with torch.no_grad():
        found = model(*arguments(screen))
        treated, untreated = (dense_states(model, screen, with_drug) for with_drug in (1, 0))
        tf = screen.node_name.index("T1")
        expected = 1.0 + 0.8 * (treated[tf] - untreated[tf])
    torch.testing.assert_close(found.viability, expected)
    torch.testing.assert_close(found.h, treated)
    assert found.converged.all() and found.viability.std() > 1e-3


def test_the_papers_model_reads_the_treated_state_alone(model, screen):
    with torch.no_grad():
        model.relative = False
        found = model(*arguments(screen))
        treated = dense_states(model, screen, 1)
    torch.testing.assert_close(found.viability, 1.0 + 0.8 * treated[screen.node_name.index("T1")])


def test_untreated_cells_of_every_line_are_as_viable(model, screen):
    dose = torch.zeros(2, 4)
    found = model(dose, torch.arange(4), screen.expression, screen.mutation)
    torch.testing.assert_close(found.viability, torch.ones(4).double())


def test_gradients_are_those_of_finite_differences(model, screen):
    columns = slice(0, 24, 5)
    parameters = dict(model.named_parameters())
    loss = model(*arguments(screen, columns)).viability.square().sum()
    loss.backward()
    for name, parameter in parameters.items():
        if not parameter.requires_grad:
            continue
        flat, step = parameter.data.view(-1), 1e-6
        for entry in range(min(len(flat), 4)):
            before, sides = float(flat[entry]), []
            for sign in (1, -1):
                flat[entry] = before + sign * step
                with torch.no_grad():
                    sides.append(model(*arguments(screen, columns)).viability.square().sum())
            flat[entry] = before
            expected = float(sides[0] - sides[1]) / (2 * step)
            found = float(parameter.grad.view(-1)[entry])
            assert found == pytest.approx(expected, abs=1e-7, rel=1e-5), name


def test_two_drugs_on_one_target_add_their_doses(screen):
    screen.drug_sign[:, 1] = screen.drug_sign[:, 0]  # Q hits what P hits
    for binding, expected in ((False, -0.8), (True, -0.4 * 100**0.6 / (100**0.6 + 10**0.6))):
        model = DrugResponse(screen, binding=binding, drug_amplitude=0.4).double()
        if binding:
            model.drug.affinity.data.fill_(1.0)
        alone = model.drug_input(torch.tensor([[2.0], [0.0]]).double())
        half = torch.tensor([[50.0], [50.0]]).double().log10()
        torch.testing.assert_close(model.drug_input(half), alone)
        torch.testing.assert_close(alone.min(), torch.tensor(expected).double())


def test_drugs_of_other_strength_and_direction_by_brute_force():
    weight = torch.tensor([-0.5, -0.2, 0.3, -0.4], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([1, 1, 1, 0])
    level = torch.tensor([[2.0, 0.0], [3.0, 1.0], [1.5, 0.0], [0.0, 2.0]], dtype=torch.float64)
    curve = DrugInput(torch.arange(4), target, 3, amplitude=1.0)
    found = joint_effect(curve, weight, level, target, 3)
    # The effect at which the shares of both inhibitors sum up to 1, from a fine grid.
    grid = torch.linspace(0.5, 3.0, 2_000_001, dtype=torch.float64)
    shares = 10 ** (2.0 - grid / 0.5) + 10 ** (3.0 - grid / 0.2)
    inhibition = float(grid[(shares - 1).abs().argmin()])
    expected = torch.tensor([[0.0, -0.8], [0.45 - inhibition, -0.2], [0.0, 0.0]]).double()
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)
    assert torch.autograd.gradcheck(lambda w: joint_effect(curve, w, level, target, 3), weight)


def test_drugs_that_bind_one_target_by_brute_force():
    target = torch.tensor([0, 0, 0])
    layer = DrugBinding(torch.arange(3), target, 1, affinity=1.5, amplitude=-1.0).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([-1.5, -0.4, -0.7]))
        layer.affinity.copy_(torch.tensor([2.0, 0.5, 1.2]))
    level = torch.tensor([[1.4, 2.6, 2.0], [1.1, 3.5, 0.0], [0.9, 1.0, 3.0]]).double()
    found = layer(level)
    for column in range(3):

        def shares(effect, column=column):
            """Share of the doses in what each drug would need alone for the effect."""
            total = 0.0
            for pair in range(3):
                largest, half = (
                    -float(layer.weight.detach()[pair]),
                    float(layer.affinity.detach()[pair]),
                )
                if level[pair, column] > 0 and effect < largest:  # or no dose is enough
                    needed = half + math.log10(effect / (largest - effect)) / 0.6
                    total += 10 ** (float(level[pair, column]) - needed)
            return total

        expected = -brentq(lambda effect: shares(effect) - 1, 1e-6, 1.5, xtol=1e-10)
        assert float(found.detach()[0, column]) == pytest.approx(expected, abs=1e-7)

    def asked(weight, affinity, steepness):
        values = {"weight": weight, "affinity": affinity, "log_steepness": steepness}
        return torch.func.functional_call(layer, values, (level,))

    assert torch.autograd.gradcheck(asked, (layer.weight, layer.affinity, layer.log_steepness))


def test_a_drug_that_is_absent_binds_nothing_and_half_of_a_target_at_its_affinity(screen):
    model = DrugResponse(screen).double()
    assert model.drug.affinity.tolist() == pytest.approx(
        [float(screen.dose[screen.dose > 0].mean())] * 3
    )
    assert not model.drug_input(torch.zeros(2, 1).double()).any()
    half = model.drug_input(model.drug.affinity[0].detach() * torch.eye(2).double())
    assert float(half.detach().min()) == pytest.approx(-0.6)


def test_drugs_on_different_targets_do_not_meddle(model, screen):
    with torch.no_grad():
        model.drug.weight.copy_(-model.drug.weight.abs())
    dose = torch.tensor([[1.5, 1.5, 0.0], [0.7, 0.0, 0.7]]).double()
    both, first, second = model.drug_input(dose).unbind(1)
    torch.testing.assert_close(both, first + second)


def test_perturbation_reaches_the_treated_cells_only(model, screen):
    push = torch.zeros(7, 24).double()
    push[screen.node_name.index("S2")] = -5.0
    with torch.no_grad():
        pushed = model(*arguments(screen), push)
        tf = screen.node_name.index("T1")
        expected = 1.0 + 0.8 * (pushed.h[tf] - dense_states(model, screen, 0)[tf])
    torch.testing.assert_close(pushed.viability, expected)


def test_signs_and_amplitudes_start_as_told(screen):
    model = DrugResponse(screen, drug_amplitude=0.4, viability_amplitude=0.2)
    assert model.drug.weight.tolist() == pytest.approx([-0.4] * 3)
    assert model.viability.weight.tolist() == pytest.approx([0.2])
    assert model.drug.sign.tolist() == [-1] * 3
    assert model.conv.bias[screen.ligand_mask].view(-1).tolist() == [1.0, 1.0]


def test_networks_that_do_not_fit_are_refused(model, screen):
    from lembas_pyg.datasets import ToyNetwork

    with pytest.raises(ValueError, match="has no drug_sign, mutation_mask, viability_sign"):
        DrugResponse(ToyNetwork()[0])
    empty = screen.clone()
    empty.drug_sign = torch.zeros_like(screen.drug_sign)
    with pytest.raises(ValueError, match="drug 'P' has no target"):
        DrugResponse(empty)
    assert "the drugs P, Q here, P, Z there" in model.network_difference(
        screen.clone().update({"drugs": {"P": 0, "Z": 1}})
    )
    assert "other drug targets" in model.network_difference(
        screen.clone().update({"drug_sign": screen.drug_sign.flip(0)})
    )
    assert model.network_difference(screen) is None


def test_inputs_that_do_not_fit_are_refused(model, screen):
    dose, line, expression, mutation = arguments(screen)
    with pytest.raises(ValueError, match=r"dose has shape \[1, 24\]; it must have 2 rows"):
        model(dose[:1], line, expression, mutation)
    with pytest.raises(ValueError, match=r"line has shape \[23\]"):
        model(dose, line[1:], expression, mutation)
    with pytest.raises(ValueError, match="expression has shape"):
        model(dose, line, expression[1:], mutation)


def test_a_projection_has_a_weight_and_sign_of_each_pair():
    index = torch.arange(3)
    amplitude, sign = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1, -1, 0])
    projection = SparseProjection(index, index, 3, amplitude=amplitude, sign=sign)
    assert projection.weight.tolist() == [1.0, -2.0, 0.5]
    with pytest.raises(ValueError, match="2 signs, but 3 pairs"):
        SparseProjection(index, index, 3, amplitude=1.0, sign=sign[:2])


def test_lines_are_described_by_programs_but_for_targets_and_mutated_genes(screen):
    model = DrugResponse(screen, programs=1).double()
    model.learn_programs(screen.expression)
    found = model.described(screen.expression)
    mean = screen.expression.mean(dim=1, keepdim=True)
    u, s, vh = torch.linalg.svd(screen.expression - mean)
    expected = mean + s[0] * u[:, :1] @ vh[:1]
    own = [screen.node_name.index(name) for name in ("R1", "S1", "S2", "R2")]
    expected[own] = screen.expression[own]
    torch.testing.assert_close(found, expected)
    whole = DrugResponse(screen, programs=None)
    assert torch.equal(whole.described(screen.expression), screen.expression)
    with pytest.raises(ValueError, match="programs is 0; it must be 1 or more, or None"):
        DrugResponse(screen, programs=0)
    with pytest.raises(ValueError, match="programs is -1; it must be 1 or more, or None"):
        DrugResponse(screen, programs=-1)


def test_more_programs_than_lines_leave_expression_as_it_is(model, screen):
    model.learn_programs(screen.expression)
    torch.testing.assert_close(model.described(screen.expression), screen.expression)


def test_expression_above_the_limit_adds_nothing(screen):
    limited, free = (DrugResponse(screen, expression_limit=limit) for limit in (0.0, None))
    for model in (limited, free):
        with torch.no_grad():
            model.expression.weight.fill_(0.5)
    expected = 0.5 * screen.expression.float()
    mutations = torch.zeros_like(screen.mutation)
    cells = free.cells(screen.expression, mutations)
    torch.testing.assert_close(cells, expected, atol=1e-6, rtol=0)
    cells = limited.cells(screen.expression, mutations)
    torch.testing.assert_close(cells, expected.clamp(max=0), atol=1e-6, rtol=0)


def test_a_network_of_other_signs_or_another_unit_is_told(screen):
    model = DrugResponse(screen)
    assert model.network_difference(screen) is None
    for name, words in (
        ("drug_sign", "other signs of drug targets here than there."),
        ("viability_sign", "other signs of TFs of viability here than there."),
    ):
        other = screen.clone()
        other[name] = -screen[name]
        assert model.network_difference(other) == words
    other = screen.clone()
    other.dose_unit = "uM"
    assert model.network_difference(other) == "doses in nM here, in uM there."


def test_a_screen_without_steady_state_is_warned_of(model, screen):
    model.conv.max_steps = model.signaling.conv.max_steps = 1
    with pytest.warns(UserWarning, match="did not reach a steady state"):
        model(*arguments(screen))


def test_slopes_are_those_of_the_activation(model, screen):
    found = model(*arguments(screen))
    cells = model.cells(screen.expression.double(), screen.mutation.double())
    drive = cells[:, screen.cell_line[0]] + model.drug_input(screen.dose.double())
    z = (drive + model.conv.bias).detach()
    h = found.h.detach()
    weight = to_dense_adj(
        screen.edge_index, edge_attr=model.conv.edge_weight, max_num_nodes=screen.num_nodes
    )[0].T
    z = (z + weight @ h).detach().requires_grad_()
    (expected,) = torch.autograd.grad(model.conv.act(z).sum(), z)
    torch.testing.assert_close(model.slope(h, drive), expected, rtol=1e-6, atol=1e-9)
