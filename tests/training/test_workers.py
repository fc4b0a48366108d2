"""Workers that die, callers that die, and what is left of both."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lembas_pyg.training.workers import run_tasks

on_linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")


class Once:
    """Die by SIGKILL on one task, the first time; note every call that comes to its end."""

    def __init__(self, folder, deadly):
        self.folder, self.deadly = folder, deadly

    def __call__(self, task):
        marker = self.folder / "dead"
        if task == self.deadly and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        with open(self.folder / "calls", "a") as file:
            file.write(f"{task}\n")
        return 10 * task


def threads(task):
    import torch  # here, as most workers of these tests do without

    return torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]


def tensors(task):
    import torch

    return [torch.full((3,), float(task)) for _ in range(50)]


def semaphores(task):
    from tqdm.auto import tqdm

    with tqdm(disable=True):
        return [line for line in Path("/proc/self/maps").read_text().split() if "/sem." in line]


def fail(task):
    raise FileNotFoundError(2, "no such thing", f"file {task}")


def die(task):
    os._exit(7)


def test_a_process_that_dies_takes_no_other_task_with_it(tmp_path, caplog):
    found = dict(run_tasks(Once(tmp_path, 3), range(8), jobs=2))
    assert found == {task: 10 * task for task in range(8)}
    assert sorted((tmp_path / "calls").read_text().split()) == [str(task) for task in range(8)]
    assert [record.getMessage() for record in caplog.records] == [
        "3 was lost (its worker process died, exit code -9); it is tried again."
    ]


def test_a_task_that_takes_every_worker_with_it_ends_the_run():
    with pytest.raises(RuntimeError, match=r"[45] has lost 4 workers, .* exit code 7"):
        list(run_tasks(die, [4, 5], jobs=2))


def test_an_error_comes_back_as_it_was_with_the_place_it_came_from():
    with pytest.raises(FileNotFoundError, match="file 1") as caught:
        list(run_tasks(fail, [1, 1], jobs=2))
    notes = "".join(caught.value.__notes__)
    assert "in fail" in notes
    assert "While working on 1." in notes


def test_processes_have_one_thread_and_the_caller_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert {result for _, result in run_tasks(threads, [1, 2, 3], jobs=2)} == {(1, "1")}
    assert os.environ["OMP_NUM_THREADS"] == "2"


@on_linux
def test_tensors_of_processes_hold_no_files_open():
    import torch

    kept = []
    for count, (task, result) in enumerate(run_tasks(tensors, range(6), jobs=2)):
        assert torch.equal(result[-1], torch.full((3,), float(task)))
        kept.append(result)
        if count == 0:
            before = len(os.listdir("/proc/self/fd"))
    assert len(os.listdir("/proc/self/fd")) <= before + 4


@on_linux
def test_processes_have_no_semaphores_to_leave_behind():
    found = [result for _, result in run_tasks(semaphores, range(2), jobs=2)]
    assert found == [[], []]


class Losing(ThreadPoolExecutor):
    """An executor that has a result at hand when it reports a loss."""

    def __init__(self):
        super().__init__(1)
        self.submitted = []

    def submit(self, function, /, *args):
        self.submitted.append(args[1])
        future = Future()
        if len(self.submitted) == 1:
            future.set_exception(type("KilledWorker", (Exception,), {})("gone"))
        else:
            future.set_result(function(*args))
        return future


def test_results_at_hand_are_given_before_a_loss_is_looked_into():
    with Losing() as executor:
        found = list(run_tasks(abs, [-1, -2, -3], executor=executor))
        assert sorted(found[:2]) == [(-3, 3), (-2, 2)]
        assert found[2] == (-1, 1)
        assert executor.submitted == [-1, -2, -3, -1]


SLEEPERS = """
import os, sys, time
from lembas_pyg.training.workers import run_tasks

def sleep(task):
    os.write(1, f"{os.getpid()}\\n".encode())  # in one piece: two processes share the pipe
    time.sleep(600)

if __name__ == "__main__":
    list(run_tasks(sleep, [1, 2], jobs=2))
"""


@on_linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_in_the_midst_of_their_work_when_the_caller_does(tmp_path, how):
    def is_running(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": root},
        start_new_session=True,
        # Shells start what they run in the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as run:
        try:
            workers = [int(run.stdout.readline()) for _ in range(2)]
            assert all(map(is_running, workers))
            run.send_signal(how)
            run.wait(20)
            deadline = time.monotonic() + 20
            while any(map(is_running, workers)) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not any(map(is_running, workers))
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
