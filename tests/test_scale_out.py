"""The page on many machines: its blocks run as they are."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

import lembas_pyg as lp
from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import k_fold

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "howto" / "scale-out.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def end_group(group):
    """End what a block has left running: in order, or after ten seconds anyway."""
    with contextlib.suppress(ProcessLookupError):  # nothing is left
        os.killpg(group, signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.1)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


@pytest.fixture
def run_block(tmp_path):
    """What a block prints, in a folder that stays; what it leaves running is ended."""
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
    }

    def run(block, **variables):
        text = block.replace("scale_out.py", str(ROOT / "examples" / "scale_out.py"))
        with subprocess.Popen(
            ["bash", "-ec", text],
            cwd=tmp_path,
            env=environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                assert process.wait(300) == 0
            finally:
                end_group(process.pid)
            return process.stdout.read()

    return run


@pytest.mark.slow
def test_jobs_shares_and_a_cluster_give_the_same_scores(run_block, tmp_path):
    jobs, share, collect, dask = SHELL
    expected = run_block(jobs)
    assert expected.split()[:3] == ["model", "r", "mse"]
    (tmp_path / "CV").rename(tmp_path / "jobs")

    for task in range(3):
        slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3"}
        assert f"share {task}/3: folds" in run_block(share, SLURM_CPUS_PER_TASK="2", **slurm)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "CV").glob("*.pt")}
    assert len(times) == 10
    assert run_block(collect) == expected
    assert {path: path.stat().st_mtime_ns for path in times} == times
    (tmp_path / "CV").rename(tmp_path / "shares")

    pytest.importorskip("distributed", reason='needs "lembas_pyg[cluster]" (Dask)')
    assert run_block(dask) == expected
    assert len(list((tmp_path / "CV").glob("*.pt"))) == 10


@pytest.mark.slow
def test_the_cluster_of_a_queue_is_used_as_the_page_says(tmp_path, monkeypatch):
    """With processes of this machine in place of jobs of the queue."""
    distributed = pytest.importorskip("distributed", reason='needs "lembas_pyg[cluster]" (Dask)')

    class SLURMCluster(distributed.LocalCluster):
        def __init__(self, cores, processes, memory, walltime):
            assert cores == processes
            super().__init__(
                n_workers=0,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                local_directory=str(tmp_path),
            )

        def scale(self, jobs):
            super().scale(min(jobs, 1))

    queue = types.ModuleType("dask_jobqueue")
    queue.SLURMCluster = SLURMCluster
    monkeypatch.setitem(sys.modules, "dask_jobqueue", queue)
    monkeypatch.chdir(tmp_path)
    data = measure(reference_model(), ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=3))
    config = lp.TrainingConfig(epochs=3, lr=1e-2)
    names = {"lp": lp, "data": data, "folds": k_fold(data, 2), "config": config}
    (block,) = PYTHON
    exec(block, names)
    assert names["found"].members["fold"].tolist() == [0, 1]
    assert len(list((tmp_path / "CV").glob("*.pt"))) == 2
