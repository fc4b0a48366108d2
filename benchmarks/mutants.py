"""``python -m benchmarks.mutants``: what share of small mistakes the tests notice.

A random sample of `mutations` of ``nn/`` and ``topology.py``, on the operators of torch: the
compiled kernels are off, and the modules that call them are left out. Each mutant lives in the
memory of a forked process only, no file is changed. The tests that reach its statement run, quick
ones before slow ones, until one fails. `--out` is a folder outside of the repository that keeps
verdicts and the map of which tests reach what; a run that was stopped goes on where it was. After
tests were written, delete the map and run the survivors `--again`, on all tests of the map.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import importlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from benchmarks.mutations import Mutation, mutations
from benchmarks.report import Table

ROOT = Path(__file__).parents[1]
_COMPILED = ("compiled", "powers", "simd", "sweeps")
_TESTS = (
    "tests/nn",
    "tests/test_surrogate.py",
    "tests/test_topology.py",
    "tests/test_checkpoint.py",
    "tests/transforms",
    "tests/analysis/test_adjoint.py",
    "tests/analysis/test_sensitivity.py",
    "tests/analysis/test_slow_modes.py",
)
# Tests that take 5 to 20 seconds each, for what quick ones look at too.
_LEFT_OUT = (
    "tests/nn/test_stress.py",
    "tests/transforms/test_random_edges.py::test_every_pair_of_nodes_is_as_likely",
)
_EQUIVALENT = Path(__file__).with_name("equivalent_mutants.tsv")
_TABLE = Path(__file__).with_name("mutants.md")
# Slow to import, and the same for every mutant.
_IMPORTED_ONCE = (
    "torch",
    "torch_geometric",
    "pandas",
    "scipy.sparse.linalg",
    "networkx",
    "sklearn",
    "pytest",
)
# Nothing that costs a start of pytest time, except what the tests use.
_ARGUMENTS = ["-q", "--assert=plain", "--disable-plugin-autoload", "-p", "no:cacheprovider"]
_ARGUMENTS += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
_ARGUMENTS += [f"--deselect={test}" for test in _LEFT_OUT]


class _Loader(SourceFileLoader):
    """Loads one module from a changed tree, and finds no other."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        super().__init__(name, str(path))
        self.tree = tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")


def modules() -> list[Path]:
    """The modules whose mutants are drawn."""
    layers = sorted((ROOT / "lembas_pyg" / "nn").glob("*.py"))
    chosen = [path for path in layers if path.stem not in (*_COMPILED, "__init__")]
    return [*chosen, ROOT / "lembas_pyg" / "topology.py"]


def all_mutants() -> Iterator[dict[str, Any]]:
    """Every mutant: its module, its number there, and the words that name it."""
    for path in modules():
        source = path.read_text(encoding="utf-8")
        for number, mutation in enumerate(mutations(ast.parse(source))):
            yield {
                "module": str(path.relative_to(ROOT)),
                "number": number,
                "line": mutation.line,
                "source": source.splitlines()[mutation.line - 1].strip(),
                "change": " ".join(mutation.text.split()),
            }


def reach_of_tests(out: Path) -> dict[str, Any]:
    """Seconds of every test, and the tests that reach every line; measured once, then kept."""
    file = out / "map.json"
    if not file.is_file():
        in_a_fork(lambda: _measure(file), limit=3600)
    return json.loads(file.read_text(encoding="utf-8"))


def _measure(file: Path) -> int:
    import pytest
    from coverage import Coverage

    coverage = Coverage(data_file=None, source=["lembas_pyg"], config_file=False)
    seconds: dict[str, float] = {}

    class Watch:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
            coverage.switch_context(item.nodeid)
            start = time.perf_counter()
            result = yield
            seconds[item.nodeid] = time.perf_counter() - start
            coverage.switch_context("")
            return result

    coverage.start()
    failed = pytest.main([*_ARGUMENTS, *_TESTS], plugins=[Watch()])
    coverage.stop()
    data = coverage.get_data()
    lines = {
        str(path.relative_to(ROOT)): {
            line: [test for test in tests if test]
            for line, tests in data.contexts_by_lineno(str(path)).items()
        }
        for path in modules()
    }
    if not failed:
        file.write_text(json.dumps({"seconds": seconds, "lines": lines}), encoding="utf-8")
    return int(failed)


def in_a_fork(run: Any, limit: float) -> int | None:
    """Exit code of a function in a process of its own; None where it took longer than `limit`."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 3
        try:
            code = run()
        finally:
            os._exit(code)
    start = time.monotonic()
    while time.monotonic() - start < limit:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def verdict_of(mutant: dict[str, Any], reach: dict[str, Any], on_all: bool) -> str:
    """Whether the tests killed a mutant, ran out of time, or let it survive."""
    path = ROOT / mutant["module"]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mutation = mutations(tree)[mutant["number"]]
    mutation.apply()
    seconds = reach["seconds"]
    tests = _tests_that_reach(mutation, reach["lines"][mutant["module"]])
    tests = sorted(seconds if on_all else tests, key=lambda test: seconds[test])
    if not tests:
        return "survived"
    code = in_a_fork(lambda: _test(path, tree, tests, seconds), limit=900)
    if code == 0:
        return "survived"
    return "timed out" if code in (None, -signal.SIGALRM) else "killed"


def _tests_that_reach(mutation: Mutation, lines: dict[str, list[str]]) -> set[str]:
    """Tests of the statement; where it runs on import, of its function, or of the module."""
    for span in (mutation.lines, mutation.function):
        if span is not None:
            found = {t for n in range(span[0], span[1] + 1) for t in lines.get(str(n), [])}
            if found or span == mutation.function:
                return found
    return {test for tests in lines.values() for test in tests}


def _test(path: Path, tree: ast.Module, tests: list[str], seconds: dict[str, float]) -> int:
    import pytest

    class Limit:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
            # Nothing catches the signal: it ends the process.
            signal.setitimer(signal.ITIMER_REAL, 10 + 4 * seconds.get(item.nodeid, 0))
            result = yield
            signal.setitimer(signal.ITIMER_REAL, 0)
            return result

    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    sys.meta_path.insert(0, _Loader(name, path, tree))
    return int(pytest.main(["-x", *_ARGUMENTS, *tests], plugins=[Limit()]))


def table_of(results: list[dict[str, Any]], sampled: str) -> str:
    """The results by module, then every mutant that no test kills."""
    equivalent = _equivalent()
    counts: dict[str, Counter[str]] = {}
    left: list[list[str]] = []
    for mutant in results:
        verdict = mutant["verdict"]
        if verdict == "survived":
            reason = equivalent.get((mutant["module"], mutant["source"], mutant["change"]))
            verdict = "survived" if reason is None else "equivalent"
            change = f"{mutant['change'].replace('|', chr(92) + '|')}"
            left.append([f"{mutant['module']}:{mutant['line']}", change, reason or "open"])
        for name in (mutant["module"].removeprefix("lembas_pyg/"), "all"):
            counts.setdefault(name, Counter())[verdict] += 1
    kinds = ("killed", "timed out", "survived", "equivalent")
    rows = []
    for name in [*sorted(set(counts) - {"all"}), "all"]:
        count = counts[name]
        real = count.total() - count["equivalent"]
        share = (count["killed"] + count["timed out"]) / real if real else 1.0
        rows.append([name, str(count.total()), *(str(count[k]) for k in kinds), f"{share:.1%}"])
    columns = ["module", "mutants", *kinds, "share killed"]
    text = (
        f"{sampled} Where a test takes four times as long as usual and 10 s more, the mutant is "
        "timed out, which counts as killed. The share leaves out equivalent mutants."
    )
    return "\n".join(
        [
            f"# Mutants\n\nWritten by `make mutants` on {datetime.date.today().isoformat()}.\n",
            str(Table("By module", text, columns, rows)),
            str(Table("Not killed", "", ["place", "change", "why"], left)),
        ]
    )


def _equivalent() -> dict[tuple[str, ...], str]:
    rows = [line.split("\t") for line in _EQUIVALENT.read_text(encoding="utf-8").splitlines()[1:]]
    return {tuple(row[:3]): row[3] for row in rows}


def main() -> None:
    """Draw, run what has no verdict yet, write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the map and verdicts")
    parser.add_argument("--number", type=int, default=330, help="mutants to draw (default: 330)")
    parser.add_argument("--seed", type=int, default=10, help="of the draw (default: 10)")
    parser.add_argument("--again", action="store_true", help="run survivors once more")
    options = parser.parse_args()
    os.environ.update(LEMBAS_PYG_COMPILED="0", OMP_NUM_THREADS="1")
    os.chdir(ROOT)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in _IMPORTED_ONCE:
        importlib.import_module(name)
    everything = list(all_mutants())
    drawn = random.Random(options.seed).sample(everything, options.number)
    file = options.out / "verdicts.jsonl"
    known = {}
    if file.is_file():
        for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            known[row["module"], row["number"]] = row
    reach = reach_of_tests(options.out)
    for mutant in drawn:
        key = (mutant["module"], mutant["number"])
        if key in known and not (options.again and known[key]["verdict"] == "survived"):
            continue
        start = time.monotonic()
        verdict = verdict_of(mutant, reach, on_all=options.again)
        known[key] = {**mutant, "verdict": verdict, "seconds": time.monotonic() - start}
        with file.open("a", encoding="utf-8") as verdicts:
            verdicts.write(json.dumps(known[key]) + "\n")
    sampled = (
        f"{len(drawn)} of {len(everything)} mutants of `nn/` and `topology.py`, drawn with seed "
        f"{options.seed}, on the operators of torch (`LEMBAS_PYG_COMPILED=0`); without "
        f"{', '.join(f'`nn/{name}.py`' for name in _COMPILED)}, the compiled path."
    )
    _TABLE.write_text(
        table_of([known[m["module"], m["number"]] for m in drawn], sampled), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
