"""Options and data shared by all tests."""

import os
from pathlib import Path

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
