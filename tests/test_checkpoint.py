"""Parameters to text and files and back, and onto no other network."""

import pickle

import pandas as pd
import pytest
import torch

from lembas_pyg import checkpoint
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.io import read_parameters, write_parameters
from lembas_pyg.nn import LEMBAS, LeakyReLU, MichaelisMentenLike, Sigmoid


@pytest.fixture
def data():
    return ToyNetwork()[0]


@pytest.fixture
def model(data):
    model = LEMBAS(data, generator=torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.rand_like(parameter) / 3 - number)
    return model


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def without(data, node):
    """The toy network without one node."""
    return data.subgraph(torch.tensor([name != node for name in data.node_name]))


def test_the_table_names_every_parameter(model):
    table = checkpoint.to_parameters(model)
    assert table["Type"].value_counts().to_dict() == {
        "Weight": 8,
        "Bias": 7,
        "Input": 2,
        "Projection": 1,
    }
    row = table[(table["Source"] == "S1") & (table["Target"] == "S2")]
    edge = model.edge_index.T == torch.tensor([model.node_name.index(n) for n in ("S1", "S2")])
    assert row["Value"].item() == model.conv.edge_weight[edge.all(dim=1)].item()
    assert table.attrs == {"activation": "MML", "leak": "0.01"}


def test_the_reference_parameters_reach_their_places(data):
    model = checkpoint.load_parameters(LEMBAS(data).double(), ToyNetwork.parameters())
    weights = dict(
        zip(
            [(data.node_name[s], data.node_name[t]) for s, t in data.edge_index.T.tolist()],
            model.conv.edge_weight.tolist(),
            strict=True,
        )
    )
    assert weights["S1", "R1"] == 1.4
    assert weights["R2", "S1"] == -0.9
    assert model.output.weight.tolist() == [1.3]
    assert model.input.weight.tolist() == [1.0, 1.0]


def test_parameters_survive_the_text_exactly(model, data, tmp_path):
    write_parameters(checkpoint.to_parameters(model), tmp_path / "p.tsv")
    table = read_parameters(tmp_path / "p.tsv").sample(frac=1, random_state=0)
    table.attrs = {"activation": "MML", "leak": "0.01"}
    assert same(checkpoint.load_parameters(LEMBAS(data).double(), table), model)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_parameters_survive_a_file_exactly(model, data, tmp_path, suffix):
    checkpoint.save(model, tmp_path / f"m.{suffix}")
    assert same(checkpoint.load(LEMBAS(data).double(), tmp_path / f"m.{suffix}"), model)
    assert [file.name for file in tmp_path.iterdir()] == [f"m.{suffix}"]


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_a_file_of_another_network_is_refused_and_changes_nothing(model, data, tmp_path, suffix):
    checkpoint.save(model, tmp_path / f"m.{suffix}")
    smaller = LEMBAS(without(data, "S2"))
    before = smaller.conv.edge_weight.detach().clone()
    with pytest.raises(ValueError, match=r"another network: 6 nodes here and 7 there; .*: S2"):
        checkpoint.load(smaller, tmp_path / f"m.{suffix}")
    assert torch.equal(smaller.conv.edge_weight, before)
    flipped = data.clone()
    flipped.edge_sign = -flipped.edge_sign
    with pytest.raises(ValueError, match="8 of 8 modes of action differ"):
        checkpoint.load(LEMBAS(flipped), tmp_path / f"m.{suffix}")


def test_a_file_of_another_activation_is_refused(model, data, tmp_path):
    checkpoint.save(model, tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"the model {'activation': 'sigmoid'}"):
        checkpoint.load(LEMBAS(data, act=Sigmoid()), tmp_path / "m.pt")


class Malicious:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code of a file was executed')",))


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
@pytest.mark.parametrize("content", [b"", b"junk", pickle.dumps(Malicious()), "other"])
def test_no_other_file_is_loaded_or_executed(data, tmp_path, suffix, content):
    file = tmp_path / f"m.{suffix}"
    if content == "other":
        torch.save({"x": torch.ones(1)}, file)
    else:
        file.write_bytes(content)
    with pytest.raises(ValueError, match="is no model"):
        checkpoint.load(LEMBAS(data), file)


def test_missing_files_and_unknown_endings_are_named(model, data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone.pt does not exist"):
        checkpoint.load(LEMBAS(data), tmp_path / "gone.pt")
    with pytest.raises(ValueError, match=r"ends in '.h5'; models are .safetensors or .pt"):
        checkpoint.save(model, tmp_path / "m.h5")
    (tmp_path / "m.h5").touch()
    with pytest.raises(ValueError, match=r"ends in '.h5'"):
        checkpoint.load(model, tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(index=0), "they lack 1 parameters .1 Weight., such as .* L1 -> R1"),
        (
            lambda t: t.replace({"Target": {"T1": "S1"}}),
            "they lack 1 parameters|have, and this network has not",
        ),
        (lambda t: t.replace({"Source": {"R1": "R9"}}), "another network: they lack 2 parameters"),
        (lambda t: pd.concat([t, t[:1]]), "more than once"),
    ],
)
def test_the_table_of_another_network_is_refused(data, change, message):
    model = LEMBAS(data)
    before = model.conv.edge_weight.detach().clone()
    with pytest.raises(ValueError, match=message):
        checkpoint.load_parameters(model, change(ToyNetwork.parameters()))
    assert torch.equal(model.conv.edge_weight, before)


def test_parameters_with_too_many_rows_are_refused(data):
    with pytest.raises(ValueError, match="have, and this network has not, 3 parameters"):
        checkpoint.load_parameters(LEMBAS(without(data, "L2")), ToyNetwork.parameters())


def test_the_activation_is_that_of_the_text(data):
    table = ToyNetwork.parameters()
    assert checkpoint.activation_of(table) == MichaelisMentenLike()
    table.attrs = {"activation": "leakyRelu", "leak": "0.2"}
    assert checkpoint.activation_of(table) == LeakyReLU(leak=0.2)
    with pytest.raises(ValueError, match="made with the activation LeakyReLU"):
        checkpoint.load_parameters(LEMBAS(data), table)
    table.attrs = {}
    assert checkpoint.activation_of(table) == MichaelisMentenLike()
    table.attrs = {"leak": "0.1"}
    assert checkpoint.activation_of(table) == MichaelisMentenLike(leak=0.1)
    table.attrs = {"activation": "MML", "leak": "little"}
    with pytest.raises(ValueError, match="leak of the parameters is 'little'"):
        checkpoint.activation_of(table)


def test_an_activation_of_ones_own_cannot_be_written(data):
    with pytest.raises(ValueError, match=r"'tanh' is not one of lembas_pyg.nn"):
        checkpoint.to_parameters(LEMBAS(data, act=torch.tanh))


def test_published_parameters_load_unchanged(shared_data):
    from lembas_pyg.io import read_annotation, read_interactions
    from lembas_pyg.network import from_interactions

    folder = shared_data / "lembas" / "networks"
    network = from_interactions(
        read_interactions(folder / "KEGGnet-Model.tsv"),
        read_annotation(folder / "KEGGnet-Annotation.tsv"),
    )
    table = read_parameters(folder / "KEGGnet-Parameters.txt")
    model = checkpoint.load_parameters(LEMBAS(network, radius=None).double(), table)
    back = checkpoint.to_parameters(model)
    keys = ["Type", "Source", "Target"]
    merged = back.merge(table, on=keys, suffixes=("", "_read"), validate="one_to_one")
    assert len(merged) == len(table)
    assert (merged["Value"] == merged["Value_read"]).all()


def test_code_inside_a_file_of_the_right_form_is_not_executed(data, tmp_path):
    torch.save({"about": {}, "tensors": Malicious()}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="is no model"):
        checkpoint.load(LEMBAS(data), tmp_path / "m.pt")
