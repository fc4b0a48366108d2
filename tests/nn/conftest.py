"""Every test of the layers runs on the compiled kernels and on the operators of torch."""

import pytest

from lembas_pyg.nn import compiled


@pytest.fixture(params=["compiled", "torch"], autouse=True)
def backend(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(compiled, "_kernels", lambda: None)
    elif compiled._kernels() is None:
        pytest.skip("numba is not installed")
    return request.param
