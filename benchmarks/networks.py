"""The networks that are measured: published ones, or synthetic ones of the same size."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from benchmarks.textbook import Parameters, Textbook, Wiring
from lembas_pyg import checkpoint
from lembas_pyg.io import read_annotation, read_conditions, read_interactions, read_parameters
from lembas_pyg.network import add_conditions, from_interactions
from lembas_pyg.nn import LEMBAS
from lembas_pyg.training import TrainingConfig, fit

__all__ = [
    "Problem",
    "Shared",
    "ligand_screen",
    "literature_macrophage",
    "random_graph",
    "random_stimuli",
    "synthetic",
    "to_textbook",
]

# Standard deviation of the logarithm of the degrees of the published networks.
_SPREAD = 0.95
# Activation, inhibition, unknown: shares of the ligand screen.
_SIGNS = {1: 0.60, -1: 0.22, 0: 0.18}


@dataclass(frozen=True)
class Shared:
    """Folders of published data; None where they are not there.

    Attributes:
        data: With ``lembas/networks/<name>-Model.tsv`` and so on.
        golden: With ``macrophage-Parameters.tsv``.
    """

    data: Path | None
    golden: Path | None

    @classmethod
    def find(cls, data: Path | None = None, golden: Path | None = None) -> Shared:
        """Folders as given, else beside the repository or in ``LEMBAS_PYG_SHARED``."""
        beside = Path(__file__).resolve().parents[2] / "shared"
        shared = Path(os.environ.get("LEMBAS_PYG_SHARED", beside))
        folders = (data or shared / "data", golden or shared / "golden")
        return cls(*(folder if folder.is_dir() else None for folder in folders))


@dataclass(frozen=True)
class Problem:
    """A network with conditions, and how models of it are trained.

    Attributes:
        name: What the tables call it.
        data: Network with conditions.
        config: Our settings.
        paper: Settings of the published script, for the textbook.
        trained: A model with trained weights, float32.
    """

    name: str
    data: Data
    config: TrainingConfig
    paper: TrainingConfig
    trained: LEMBAS

    def model(self, start: str) -> LEMBAS:
        """A new model with ``"fresh"`` or ``"trained"`` weights."""
        generator = torch.Generator().manual_seed(0)
        model = LEMBAS(self.data, **self.config.model_options(), generator=generator)
        if start == "trained":
            model.load_state_dict(self.trained.state_dict())
        return model


def ligand_screen(shared: Shared, quick: bool) -> Problem:
    """The ligand screen, trained here for fewer epochs than the preset's."""
    config = TrainingConfig.ligand_screen()
    if shared.data is None:
        name, data = "synthetic, size of the ligand screen", synthetic(seed=0)
    else:
        name, data = "ligand screen", _published(shared.data, "ligandScreen")
    trained = _trained(data, dataclasses.replace(config, epochs=20 if quick else 600))
    return Problem(name, data, config, TrainingConfig.ligand_screen_paper(), trained)


def literature_macrophage(shared: Shared, quick: bool) -> Problem:
    """The literature macrophages with published weights."""
    config = TrainingConfig.literature_macrophage()
    paper = TrainingConfig.literature_macrophage_paper()
    if shared.data is None or shared.golden is None:
        data = synthetic(
            seed=1, num_nodes=1128, num_edges=5732, num_ligands=12, num_tfs=58, num_conditions=23
        )
        trained = _trained(data, dataclasses.replace(config, epochs=20 if quick else 600))
        return Problem("synthetic, size of the macrophages", data, config, paper, trained)
    data = _published(shared.data, "macrophage")
    trained = LEMBAS(data, **config.model_options())
    table = read_parameters(shared.golden / "macrophage-Parameters.tsv")
    checkpoint.load_parameters(trained, table)
    return Problem("macrophages", data, config, paper, trained)


def _published(folder: Path, stem: str) -> Data:
    path = str(folder / "lembas" / "networks" / stem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of measured TFs that are not in the network
        network = from_interactions(
            read_interactions(f"{path}-Model.tsv"), read_annotation(f"{path}-Annotation.tsv")
        )
        return add_conditions(
            network, read_conditions(f"{path}-Ligands.tsv"), read_conditions(f"{path}-TFs.tsv")
        )


def _trained(data: Data, config: TrainingConfig) -> LEMBAS:
    """A trained model, kept between runs in the folder for temporary files."""
    about = json.dumps(config.to_dict(), sort_keys=True).encode()
    tensors = (data.edge_index, data.edge_sign, data.x, data.y)
    about += b"".join(tensor.numpy().tobytes() for tensor in tensors)
    key = hashlib.sha256(about).hexdigest()[:16]
    file = Path(tempfile.gettempdir()) / "lembas_pyg-benchmarks" / f"{key}.safetensors"
    generator = torch.Generator().manual_seed(config.seed)
    model = LEMBAS(data, **config.model_options(), generator=generator)
    if file.exists():
        return checkpoint.load(model, file)
    fit(model, data, config, progress=False)
    file.parent.mkdir(exist_ok=True)
    checkpoint.save(model, file)
    return model


def synthetic(
    seed: int,
    num_nodes: int = 1262,
    num_edges: int = 6594,
    num_ligands: int = 60,
    num_tfs: int = 74,
    num_conditions: int = 103,
) -> Data:
    """A random network with log-normal degrees, and TF activities of a random model of it.

    Args:
        seed: Of everything.
        num_nodes: Nodes, the first ones ligands, the last ones TFs.
        num_edges: Interactions, none twice, none from a node to itself, none into a ligand.
        num_ligands: Ligands; every condition has one or two.
        num_tfs: TFs, each measured in every condition.
        num_conditions: Conditions.
    """
    rng = np.random.default_rng(seed)
    out, into = np.exp(_SPREAD * rng.standard_normal((2, num_nodes)))
    into[:num_ligands] = 0
    pairs = np.empty(0, np.int64)
    while len(pairs) < num_edges:
        ends = [rng.choice(num_nodes, num_edges, p=p / p.sum()) for p in (out, into)]
        more = (ends[0] * num_nodes + ends[1])[ends[0] != ends[1]]
        pairs = np.unique(np.concatenate([pairs, more]))
    source, target = np.divmod(np.sort(rng.permutation(pairs)[:num_edges]), num_nodes)
    role = torch.arange(num_nodes)
    data = Data(
        edge_index=torch.from_numpy(np.stack([source, target])),
        edge_sign=torch.from_numpy(rng.choice(list(_SIGNS), num_edges, p=list(_SIGNS.values()))),
        node_name=[f"node{i}" for i in range(num_nodes)],
        ligand_mask=role < num_ligands,
        tf_mask=role >= num_nodes - num_tfs,
        conditions={f"condition{i}": i for i in range(num_conditions)},
        num_nodes=num_nodes,
    )
    data.x = random_stimuli(data, num_conditions, seed)
    model = LEMBAS(data, radius=0.9, generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        model.conv.bias.uniform_(0, 0.3, generator=torch.Generator().manual_seed(seed + 1))
        data.y = torch.full((num_nodes, num_conditions), torch.nan, dtype=torch.float64)
        data.y[data.tf_mask] = model(data.x).y.clamp(0, 1)
    return data


def random_stimuli(data: Data, num_conditions: int, seed: int) -> torch.Tensor:
    """One or two ligands a condition at concentration 1, ``[N, S]``."""
    rng = np.random.default_rng(seed)
    ligands = data.ligand_mask.nonzero().view(-1).numpy()
    x = torch.zeros(data.num_nodes, num_conditions, dtype=torch.float64)
    for _ in range(2):  # the same ligand twice is a condition of one
        x[rng.choice(ligands, num_conditions), np.arange(num_conditions)] = 1.0
    return x


def random_graph(num_edges: int, radius: float = 0.8, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Edge index and weights of a random network of 10 edges a node, radius as wanted.

    The radius of a large random matrix with 10 entries a row is their standard deviation times
    the root of 10.
    """
    generator = torch.Generator().manual_seed(seed)
    num_nodes = num_edges // 10
    edge_index = torch.randint(num_nodes, (2, num_edges), generator=generator)
    return edge_index, torch.randn(num_edges, generator=generator) * radius / 10**0.5


def to_textbook(
    model: LEMBAS, data: Data, config: TrainingConfig, *, precision: float = 1e-6
) -> Textbook:
    """The same network, parameters and conditions in the textbook implementation."""
    source, target = data.edge_index.numpy()
    wiring = Wiring(
        source,
        target,
        data.edge_sign.numpy(),
        model.ligand_index.numpy(),
        model.tf_index.numpy(),
        model.num_nodes,
    )
    tensors = (model.conv.edge_weight, model.conv.bias, model.input.weight, model.output.weight)
    arrays = (tensor.detach().double().view(-1).numpy() for tensor in tensors)
    x, y = data.x.double().numpy(), data.y[data.tf_mask].double().numpy()
    return Textbook(wiring, Parameters(*arrays), x, y, config, precision=precision)
