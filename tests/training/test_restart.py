"""A cross-validation of the command line whose processes are killed, one and then all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lembas_pyg.cli import main

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "examples" / "toy"
COMMAND = ["cross-validate", "--preset", "toy", "--epochs", "60", "--folds", "5", "--members", "2"]
COMMAND += ["--no-baselines", "--threads", "1"]
COMMAND += [f"--{name}={TOY / name}.tsv" for name in ("network", "annotation", "ligands", "tfs")]
RESULTS = ["predictions.tsv", "scores.tsv"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc")


def wait_for(condition, run, seconds=120):
    """The first true value of a condition, while the run goes on."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert run.poll() is None, "it ended too early"
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.005)
    return found


def workers_of(pid):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")")[-1].split()[1])
            if parent == pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_files(tmp_path):
    assert main([*COMMAND, "--out", str(tmp_path / "whole")]) == 0

    out, log = tmp_path / "killed", tmp_path / "log"
    members = out / "members"
    command = [sys.executable, "-m", "lembas_pyg", *COMMAND, "--jobs", "2", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        log.open("w") as file,
        subprocess.Popen(command, stderr=file, env=environment, start_new_session=True) as run,
    ):
        try:
            wait_for(lambda: list(members.glob("*.pt")), run)
            os.kill(workers_of(run.pid)[0], signal.SIGKILL)
            wait_for(
                lambda: "was lost (its worker process died, exit code -9)" in log.read_text(), run
            )
            before = len(list(members.glob("*.pt")))
            wait_for(lambda: len(list(members.glob("*.pt"))) > before, run)
            assert run.poll() is None
        finally:
            os.killpg(run.pid, signal.SIGKILL)
    done = {path: path.stat().st_mtime_ns for path in members.glob("*.pt")}
    assert 2 <= len(done) < 10
    assert not [name for name in RESULTS if (out / name).exists()]

    assert main([*COMMAND, "--out", str(out), "--resume"]) == 0
    for name in RESULTS:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(list(members.glob("*.pt"))) == 10
