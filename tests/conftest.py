"""Options and data shared by all tests."""

import os
from pathlib import Path

import pandas as pd
import pytest
import torch


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="torch device to test on (default: cpu)")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes longer than a few seconds")
    config.addinivalue_line("markers", "online: needs the network")


def pytest_collection_modifyitems(config, items):
    """Leave slow and online tests out unless a marker expression asks for them."""
    if config.getoption("-m"):
        return
    opt_in = [item for item in items if {"slow", "online"} & set(item.keywords)]
    config.hook.pytest_deselected(items=opt_in)
    items[:] = [item for item in items if item not in opt_in]


@pytest.fixture
def device(request):
    return torch.device(request.config.getoption("--device"))


@pytest.fixture(scope="session")
def shared():
    """The folder of published data beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("LEMBAS_PYG_SHARED", beside))
    if not folder.is_dir():
        pytest.skip(f"published data not found: {folder} (set LEMBAS_PYG_SHARED)")
    return folder


def _screen_tables():
    from lembas_pyg.datasets import ToyNetwork

    lines = ["A1", "B2", "C3", "D4"]
    rows = [(line, drug, dose) for line in lines for drug in "PQ" for dose in (0.5, 1.0, 2.0)]
    names = [f"o{number}" for number in range(len(rows))]
    doses = pd.DataFrame(0.0, index=names, columns=["P", "Q"])
    for name, (_, drug, dose) in zip(names, rows, strict=True):
        doses.loc[name, drug] = dose
    generator = torch.Generator().manual_seed(0)
    expression = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    columns = ["L1", "R1", "R2", "S1", "T1"]
    pairs = [("P", "R1"), ("P", "S1"), ("Q", "S2")]
    return {
        "data": ToyNetwork()[0],
        "doses": doses,
        "cell_lines": pd.Series([line for line, _, _ in rows], index=names),
        "expression": pd.DataFrame(expression.numpy(), index=lines, columns=columns),
        "mutations": pd.DataFrame(
            [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]],
            index=lines,
            columns=["S1 x", "R2 y", "S1 z"],
        ),
        "drug_targets": pd.DataFrame(pairs, columns=["source", "target"]).assign(
            stimulation=0, inhibition=1
        ),
        "mutated": pd.Series({"S1 x": "S1", "R2 y": "R2", "S1 z": "S1"}),
        "viability_tfs": pd.DataFrame(
            {"source": ["T1"], "target": "viability", "stimulation": 1, "inhibition": 0}
        ),
        "viability": pd.Series([1 - 0.3 * dose for _, _, dose in rows], index=names),
    }


@pytest.fixture
def screen_tables():
    """Tables of a small drug screen on the toy network: 2 drugs, 4 lines, 3 mutations."""
    return _screen_tables()


@pytest.fixture(scope="session")
def write_screen():
    """Writes the tables of the small drug screen to a new folder."""
    from lembas_pyg.io import write_annotation, write_conditions, write_interactions, write_tsv
    from lembas_pyg.network import to_annotation, to_interactions

    def write(place):
        place.mkdir()
        tables = _screen_tables()
        write_interactions(to_interactions(tables["data"]), place / "network.tsv")
        write_annotation(to_annotation(tables["data"]), place / "annotation.tsv")
        for name in ("doses", "expression", "mutations"):
            write_conditions(tables[name], place / f"{name}.tsv")
        write_conditions(tables["viability"].to_frame("viability"), place / "viability.tsv")
        for file, (key, value), column in (
            ("cell-lines", ("observation", "cell_line"), "cell_lines"),
            ("mutated-genes", ("mutation", "node"), "mutated"),
        ):
            table = tables[column].rename_axis(key).rename(value).reset_index()
            write_tsv(table, place / f"{file}.tsv")
        for file, key in (("drug-targets", "drug_targets"), ("viability-tfs", "viability_tfs")):
            write_interactions(tables[key].assign(direction=1), place / f"{file}.tsv")
        return place

    return write


@pytest.fixture
def screen(screen_tables):
    """The small drug screen as a graph."""
    from lembas_pyg.network import add_drug_screen

    return add_drug_screen(**screen_tables)


@pytest.fixture(scope="session")
def shared_data(shared):
    return _subfolder(shared, "data")


@pytest.fixture(scope="session")
def shared_golden(shared):
    return _subfolder(shared, "golden")


def _subfolder(shared, name):
    if not (shared / name).is_dir():
        pytest.skip(f"published data not found: {shared / name}")
    return shared / name
