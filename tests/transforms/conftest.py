"""Networks drawn as text, such as 'L+A A-T': nodes in order of mention, L a ligand, T a TF."""

import numpy as np
import pandas as pd
import pytest

from lembas_pyg.io import read_annotation, read_interactions
from lembas_pyg.network import from_interactions

SIGNS = {"+": (1, 0), "-": (0, 1), "?": (0, 0)}


def _draw(text, ligands="L", tfs="T"):
    edges = [(edge[0], edge[2], *SIGNS[edge[1]]) for edge in text.split()]
    table = pd.DataFrame(edges, columns=["source", "target", "stimulation", "inhibition"])
    codes = pd.unique(table[["source", "target"]].to_numpy().ravel())
    annotation = pd.DataFrame({"code": codes, "name": [code.lower() for code in codes]})
    annotation["TF"] = annotation["code"].isin(list(tfs))
    annotation["ligand"] = annotation["code"].isin(list(ligands))
    return from_interactions(table, annotation)


def _edges_of(data):
    name = np.array(data.node_name)
    source, target = data.edge_index.numpy()
    signs = ["?+-"[sign] for sign in data.edge_sign.tolist()]
    return " ".join(map("".join, zip(name[source], signs, name[target], strict=True)))


@pytest.fixture
def draw():
    return _draw


@pytest.fixture
def edges_of():
    return _edges_of


@pytest.fixture(scope="session")
def published(shared_data):
    """Tables of a published network."""

    def _published(name):
        start = shared_data / "lembas" / "networks" / name
        return read_interactions(f"{start}-Model.tsv"), read_annotation(f"{start}-Annotation.tsv")

    return _published
