"""Every command that writes, ended before its time: by Ctrl-C, `kill`, a full or read-only disk.

What holds then is in the table of ``docs/command-line.md``.
"""

import contextlib
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lembas_pyg.datasets
from lembas_pyg.checkpoint import load_tensors
from lembas_pyg.cli import main
from lembas_pyg.cli.speech import ending_in_order
from lembas_pyg.io import read_tsv

ROOT = Path(__file__).resolve().parents[1]
TOY = Path(lembas_pyg.datasets.__file__).parent / "toy"

NETWORK = "--network M.tsv --annotation A.tsv"
MODEL = f"{NETWORK} --parameters P.tsv --ligands L.tsv"
DATA = f"{NETWORK} --ligands L.tsv --tfs T.tsv --preset toy"
DRUGS = "--screen screen --models models"
# All that a command writes is in the folder `out`.
COMMANDS = {
    "convert": "convert --format table M.tsv --out out/N.tsv --ligands L1,L2"
    " --annotation-out out/A.tsv --report out/R.tsv",
    "curate": f"curate {NETWORK} --remove-dead-ends --out out/N.tsv --annotation-out out/A.tsv"
    " --report out/R.tsv",
    "tf-activity": "tf-activity --scores SCORES.tsv --samples SHEET.tsv --controls PBS"
    " --out out/T.tsv --spread-out out/SD.tsv --scores-out out/S.tsv --report out/R.tsv"
    " --ligands-out out/L.tsv",
    "predict": f"predict {MODEL} --out out/Y.tsv --states out/H.tsv.gz",
    "knock-out": f"knock-out {MODEL} --out out/KO.tsv",
    "sensitivity": f"sensitivity {MODEL} --out out/S.tsv --hubs out/HUBS.tsv",
    "explain": f"explain {MODEL} --ligand L2 --tf T1 --condition two --out out/E.tsv"
    " --graphml out/E.graphml --picture out/E.png",
    "stability": f"stability {MODEL} --out out/MODES.tsv --nodes-out out/NODES.tsv"
    " --states-out out/STATES.tsv --starts 4",
    "impute": f"impute {MODEL} --tfs T.tsv --out out/NEW.tsv --network-out out/N.tsv"
    " --parameters-out out/P.tsv",
    "report": "report RUN --out out/report.html",
    "train": f"train {DATA} --epochs 30 --out out/RUN",
    "cross-validate": f"cross-validate {DATA} --epochs 10 --folds 2 --members 2 --out out/CV",
    "drug-response train": "drug-response train --screen screen --epochs 5 --members 3"
    " --out out/models",
    "drug-response cross-validate": "drug-response cross-validate --screen screen --epochs 3"
    " --split random --folds 2 --no-baselines --out out/CV",
    "drug-response curves": f"drug-response curves {DRUGS} --drug P --out out/C.tsv",
    "drug-response targets": f"drug-response targets {DRUGS} --drug P --doses 1 --out out/T.tsv",
    "drug-response mutations": f"drug-response mutations {DRUGS} --drug P --doses 1"
    " --out out/M.tsv",
    "drug-response combination": f"drug-response combination {DRUGS} --drug P,Q --doses 1,2"
    " --out out/PAIRS.tsv",
    "drug-response knock-out": f"drug-response knock-out {DRUGS} --out out/KO.tsv",
}
LONG = {"demo": "demo --out out/demo"}  # half a minute
FOLDERS = {"demo", "train", "cross-validate", "drug-response train", "drug-response cross-validate"}
RESUME = FOLDERS - {"demo"}
# What these leave at an interruption, the tables of the last epoch and the members that are
# trained, is not there in the end.
LEAVES_PART = {"train", "drug-response train"}

HIDDEN = re.compile(r"\.[^/]+\.[0-9a-f]{32}\.partial")

# A small part of the longer tests belongs to the default suite.
FEW = ("convert", "predict", "train", "cross-validate", "drug-response train")
MANY = [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in COMMANDS]

LIGANDS = "\tL1\tL2\nnone\t0\t0\none\t1\t0\ntwo\t0\t1\nboth\t1\t0.5\n"
TFS = "\tT1\nnone\t0.1\none\t0.2\ntwo\t0.8\nboth\t0.4\n"
SCORES = "TF\tS1\tS2\tS3\tS4\nP1\t1\t1.2\t-1\t-0.9\nP2\t0.3\t0.2\t0.1\t0.4\n"
SHEET = "sample\tcondition\nS1\tTNF\nS2\tTNF\nS3\tPBS\nS4\tPBS\n"


# ---- commands in their folders


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, write_screen):
    """A folder with all that commands read."""
    folder = tmp_path_factory.mktemp("interruptions") / "inputs"
    folder.mkdir()
    for letter, name in (("M", "Model"), ("A", "Annotation"), ("P", "Parameters")):
        shutil.copyfile(TOY / f"toy-{name}.tsv", folder / f"{letter}.tsv")
    for name, text in (("L", LIGANDS), ("T", TFS), ("SCORES", SCORES), ("SHEET", SHEET)):
        (folder / f"{name}.tsv").write_text(text)
    write_screen(folder / "screen")
    succeed(f"train {DATA} --epochs 3 --out RUN", folder)
    succeed("drug-response train --screen screen --epochs 2 --members 2 --out models", folder)
    (folder / "out").mkdir()
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs):
    """What a command writes that nothing disturbs, by file."""
    found = {}

    def run_once(name):
        if name not in found:
            folder = inputs.parent / name.replace(" ", "-")
            shutil.copytree(inputs, folder)
            succeed(command_of(name), folder)
            found[name] = contents(folder / "out")
        return found[name]

    return run_once


@pytest.fixture
def folder(inputs, tmp_path):
    """A copy of the inputs to work in."""
    return shutil.copytree(inputs, tmp_path / "work")


def command_of(name):
    command = (COMMANDS | LONG)[name]
    return command if name in FOLDERS else f"{command} --overwrite"


def run(command, folder):
    """Exit code and errors of a command in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command.split())
    return code, err.getvalue()


def succeed(command, folder):
    code, err = run(command, folder)
    assert code == 0, err


def go_on(name, folder):
    """Give the command again, with --resume where something was begun, and let it end."""
    begun = any(not HIDDEN.fullmatch(Path(file).name) for file in files(folder / "out"))
    succeed(command_of(name) + " --resume" * (begun and name in RESUME), folder)


def earlier(name, folder):
    """Put something in the place of every output that may be replaced."""
    if name not in FOLDERS:
        for path in re.findall(r"out/\S+", COMMANDS[name]):
            (folder / path).write_text("precious")


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contents(folder):
    """Files with what they say, but for how long it took."""
    return {name: content(folder / name) for name in files(folder) if not HIDDEN.search(name)}


def content(path):
    """What a complete file says; one that is cut short is an error."""
    match path.suffix:
        case ".json":
            about = json.loads(path.read_text())
            return {k: v for k, v in about.items() if "seconds" not in k and k != "inputs"}
        case ".pt":
            assert load_tensors(path)
            return None  # holds seconds too
        case ".tsv":
            assert path.read_bytes().endswith(b"\n")
            table = read_tsv(path, first="name")
            return table.drop(columns="seconds", errors="ignore").to_csv()
        case ".html":
            return re.sub(r'"number">[\d,]+\.\d<|[\d,]+ s\b', "", path.read_text())  # seconds
    return path.read_bytes()


def assert_whole(name, folder, before, expected, *, killed=False):
    """Every file is what it was before, or complete; nothing else is there."""
    out = folder / "out"
    for file, text in files(out).items():
        if HIDDEN.search(file):
            assert killed, f"{file} was left"
        elif text != before.get(file):
            found = content(out / file)
            if name not in LEAVES_PART:
                assert found == expected[file], file
    assert set(before) <= set(files(out)), "a file has gone"


def assert_explained(code, err, reason, *, path="out/"):
    """Exit code 1, and one paragraph that names the file and the reason."""
    assert code == 1, err
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if "error:" in line]
    assert re.match(r"lembas-pyg: error: ", line) and reason in line, err
    assert path in line, err
    assert err.splitlines()[-1] == line
    assert all(line.startswith("lembas-pyg: ") for line in err.splitlines())


# ---- disks


def mounted(folder, options, at):
    """A small disk of its own in place of a folder; skipped where that is not allowed."""
    if os.geteuid() or not sys.platform.startswith("linux") or not shutil.which("mount"):
        pytest.skip("only root may mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    return at


@pytest.fixture
def disk(folder):
    """`out` as a disk of 64 kB."""
    out = mounted(folder, "size=64k", folder / "out")
    yield out
    subprocess.run(["umount", "-l", str(out)], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(name, folder, disk):
    earlier(name, folder)
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    before = files(disk)
    code, err = run(command_of(name), folder)
    assert_explained(code, err, "No space left on device")
    assert files(disk) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_read_only_disk(name, folder, disk):
    earlier(name, folder)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    before = files(disk)
    code, err = run(command_of(name), folder)
    assert_explained(code, err, "not writable")
    assert files(disk) == before


@contextlib.contextmanager
def files_of_at_most(size):
    """As a disk that has only so much space left for every file; needs no root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [pytest.param(20, marks=pytest.mark.slow), 3000])
@pytest.mark.parametrize("name", MANY)
def test_a_disk_that_ends_within_a_file(name, size, folder, undisturbed):
    expected = undisturbed(name)
    earlier(name, folder)
    before = files(folder / "out")
    with files_of_at_most(size):
        code, err = run(command_of(name), folder)
    if code or size == 20:
        assert_explained(code, err, "File too large")
    assert_whole(name, folder, before, expected)
    go_on(name, folder)
    assert contents(folder / "out") == expected


# ---- signals


@contextlib.contextmanager
def ended_at(step, which, number=signal.SIGTERM):
    """Send a signal right before or after a file is moved to its place, the `which`-th."""
    moved = [0]
    real = os.replace

    def replace(*paths):
        moved[0] += 1
        if step == "before" and moved[0] == which:
            signal.raise_signal(number)
        real(*paths)
        if step == "after" and moved[0] == which:
            signal.raise_signal(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace)
        yield moved


@pytest.mark.parametrize(
    ("step", "which"),
    [
        ("before", 1),
        pytest.param("after", 1, marks=pytest.mark.slow),
        pytest.param("before", 3, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", MANY)
def test_an_end_in_the_midst_of_writing(name, step, which, folder, undisturbed):
    expected = undisturbed(name)
    if which > len(expected):
        pytest.skip("it writes fewer files")
    earlier(name, folder)
    before = files(folder / "out")
    with ended_at(step, which):
        code, err = run(command_of(name), folder)
    assert code == 130, err
    assert re.fullmatch(r"lembas-pyg: Interrupted\b.*\n", err.splitlines(keepends=True)[-1]), err
    assert_whole(name, folder, before, expected)
    go_on(name, folder)
    assert contents(folder / "out") == expected


# A process that has everything imported, and does each command in a copy of itself: what it is
# told is a command, a folder, a signal and when to send it.
SERVER = """
import importlib, json, os, pkgutil, signal, sys, time
import lembas_pyg, matplotlib.pyplot, sklearn.linear_model
for module in pkgutil.walk_packages(lembas_pyg.__path__, "lembas_pyg."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)
from lembas_pyg import cli
make_parser = cli.make_parser
print("ready", flush=True)
for line in sys.stdin:
    argv, folder, number, moment = json.loads(line)
    heard, say = os.pipe()
    pid = os.fork()
    if not pid:
        cli.make_parser = lambda: os.write(say, b".") and make_parser()  # signals are heeded now
        os.chdir(folder)
        os.dup2(os.open("../log", os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            code = cli.main(argv)
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 99
        os._exit(code)
    os.read(heard, 1)
    os.close(heard), os.close(say)
    start = time.monotonic()
    if number:
        time.sleep(moment)
        os.kill(pid, number)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps([code, time.monotonic() - start]), flush=True)
"""


@pytest.fixture(scope="module")
def server():
    """Gives a command, sends a signal at a moment; exit code, errors and seconds."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"

        def serve(command, folder, number=0, moment=0.0):
            request = [command.split(), str(folder), int(number), moment]
            print(json.dumps(request), file=process.stdin, flush=True)
            code, seconds = json.loads(process.stdout.readline())
            return code, (folder.parent / "log").read_text(), seconds

        yield serve
        process.stdin.close()


def assert_ended(name, number, code, err, folder, before, expected):
    """What holds after a signal, at whatever moment it came."""
    if code == 0:  # it came too late
        assert contents(folder / "out") == expected
        return
    assert "Traceback" not in err, err
    if number == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130, err
        last = err.splitlines()[-1]
        assert re.match(r"lembas-pyg: Interrupted\b", last), err
    assert_whole(name, folder, before, expected, killed=number == signal.SIGKILL)


MOMENTS = 4  # of each command and signal; of one that takes long, half as many


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", [*COMMANDS, *LONG])
def test_an_end_at_any_moment(name, number, inputs, tmp_path, undisturbed, server):
    expected = undisturbed(name)
    draw = random.Random(f"{name} {number}")
    whole = shutil.copytree(inputs, tmp_path / "whole" / "work")
    code, err, seconds = server(command_of(name), whole)
    assert code == 0, err
    moments = MOMENTS // 2 if name in LONG else MOMENTS
    for turn in range(moments):
        folder = shutil.copytree(inputs, tmp_path / str(turn) / "work")
        earlier(name, folder)
        before = files(folder / "out")
        moment = (turn + draw.random()) / moments * seconds
        code, err, _ = server(command_of(name), folder, number, moment)
        assert_ended(name, number, code, err, folder, before, expected)
        is_done = code == 0 or (name in FOLDERS and contents(folder / "out") == expected)
        if not is_done:
            go_on(name, folder)
        assert contents(folder / "out") == expected


def test_an_interruption_that_was_lost_comes_again(capfd):
    class Deaf:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    class Half:
        def __del__(self):
            raise AttributeError("made by half")

    with pytest.raises(KeyboardInterrupt), ending_in_order() as came:
        Deaf()  # nothing can be raised from its end
        Half()
        time.sleep(10)
    assert came == [signal.SIGTERM] * 2
    assert capfd.readouterr().err == ""
