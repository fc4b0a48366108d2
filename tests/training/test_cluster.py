"""Cross-validation on a Dask cluster of this machine."""

import logging
import os
import signal
import time

import pandas as pd
import pytest
import torch

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.nn import LEMBAS
from lembas_pyg.synthetic import grid_stimuli, measure
from lembas_pyg.training import TrainingConfig, cross_validate, k_fold

distributed = pytest.importorskip("distributed", reason='needs "lembas_pyg[cluster]" (Dask)')

CONFIG = TrainingConfig(epochs=8, batch_size=4, lr=1e-2, reset_every=0)
MEMBERS = 3


@pytest.fixture(scope="module")
def data():
    toy, stimuli = ToyNetwork()[0], grid_stimuli(["L1", "L2"], num_levels=4)
    return measure(reference_model(), toy, stimuli)


@pytest.fixture(scope="module")
def expected(data):
    """Trained in this process."""
    return run(data, LEMBAS)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two processes of one thread each, on the loopback interface."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:
        yield found


class Noting:
    """A model that notes the process, threads and seed of every training, and may kill it."""

    def __init__(self, folder, deadly=None):
        self.folder, self.deadly = folder, deadly

    def __call__(self, data, generator=None, **options):
        if generator is not None:
            notes = self.folder / "notes"
            marker = self.folder / "dead"
            done = len(notes.read_text().splitlines()) if notes.exists() else 0
            if self.deadly is not None and done >= self.deadly and not marker.exists():
                marker.touch()
                time.sleep(0.5)  # in the midst of a training
                os.kill(os.getpid(), signal.SIGKILL)
            with open(notes, "a") as file:
                file.write(f"{os.getpid()} {torch.get_num_threads()} {generator.initial_seed()}\n")
        return LEMBAS(data, generator=generator, **options)

    def notes(self):
        return pd.read_csv(self.folder / "notes", sep=" ", names=["process", "threads", "seed"])


def run(data, model, **options):
    folds = k_fold(data, 4)
    options = {"members": MEMBERS, "baselines": False, "progress": False, **options}
    return cross_validate(data, folds, CONFIG, model=model, **options)


def same(one, other):
    pd.testing.assert_frame_equal(one.predictions, other.predictions, check_exact=True)
    columns = [name for name in one.members if name != "seconds"]
    pd.testing.assert_frame_equal(one.members[columns], other.members[columns], check_exact=True)


def test_a_cluster_gives_what_this_process_gives(data, expected, cluster, tmp_path):
    model = Noting(tmp_path)
    with distributed.Client(cluster) as client:
        found = run(data, model, executor=client.get_executor())
    same(expected, found)
    notes = model.notes()
    assert os.getpid() not in set(notes["process"])
    assert set(notes["threads"]) == {1}
    assert sorted(notes["seed"]) == sorted(found.members["seed"])


@pytest.mark.parametrize("allowed_failures", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_worker_of_a_cluster_loses_no_fold(
    data, expected, cluster, tmp_path, caplog, allowed_failures
):
    """Dask tries again by itself while a task has lost no more workers than it allows; then we."""
    model = Noting(tmp_path, deadly=5)
    cluster.scheduler.allowed_failures = allowed_failures
    with caplog.at_level(logging.INFO), distributed.Client(cluster) as client:
        found = run(data, model, executor=client.get_executor(), folder=tmp_path / "members")
    assert (tmp_path / "dead").exists()
    same(expected, found)
    assert model.notes()["seed"].value_counts().eq(1).all()
    assert len(list((tmp_path / "members").glob("*.pt"))) == len(found.members) == 4 * MEMBERS
    assert "was killed by signal 9" in caplog.text
    assert "lose already computed task" not in caplog.text
    assert ("was lost" in caplog.text) == (allowed_failures == 0)
