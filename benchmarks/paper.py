"""``python -m benchmarks.paper``: figures of the paper redrawn, their numbers in a page.

Runs the scripts of ``examples/paper``, or those of some figures (``--fig 1 5 S8``), each in a
folder of its own, and sets the numbers they leave beside those of the paper, in ``docs/paper.md``.
Numbers of all runs are in ``benchmarks/paper.tsv``, where those of figures that are not run again
stay as they are. Scripts that take longer run when their figure is named. ``--fast`` shows that all
scripts run, and how long they take; its numbers say nothing and are not written.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.networks import Shared
from benchmarks.report import Table, machine

_ROOT = Path(__file__).parents[1]
_SCRIPTS = _ROOT / "examples" / "paper"
_PAGE = _ROOT / "docs" / "paper.md"
_TABLE = _ROOT / "benchmarks" / "paper.tsv"
_NUMBERS = ["figure", "what", "paper", "ours"]
# Scripts that are run only when their figure is named, and the pages on them.
_LONG = {
    "fig6_ligand_screen": "{doc}`howto/fig6-ligand-screen`",
    "fig6_knock_outs": "{doc}`howto/fig6-knock-outs`",
    "fig6g_sensitivity": "{doc}`howto/fig6g-sensitivity`",
    "figS11a_spectral_regularisation": "{doc}`howto/figs11a-spectral-regularisation`",
    "figS13_tf_activity": "{doc}`howto/figs13-tf-activity`",
    "figS15_literature": "{doc}`howto/figs15-literature`",
}
# Scripts that ask the trained models of another one.
_ASK = dict.fromkeys(("fig6_knock_outs", "fig6g_sensitivity"), "fig6_ligand_screen")
_MISSING = [
    ("S12", "missing interaction: `python -m benchmarks.missing_interactions`"),
]


class Run(NamedTuple):
    """What one script left.

    Attributes:
        script: Name without suffix.
        numbers: Columns `figure`, `what`, `paper`, `ours`, all text.
        seconds: Wall time.
        date: Day of the run.
    """

    script: str
    numbers: pd.DataFrame
    seconds: float
    date: str


def scripts(figures: list[str] | None = None) -> list[Path]:
    """Scripts in the order of the figures; of some figures if named.

    Raises:
        ValueError: There is no script of a figure.
    """
    found = sorted(_SCRIPTS.glob("fig*.py"), key=_order)
    if figures is None:
        return found
    known = {_figure(path) for path in found}
    strangers = [figure for figure in figures if figure not in known]
    if strangers:
        raise ValueError(
            f"There is no script of figure {strangers[0]}; there are {', '.join(sorted(known))}."
        )
    return [path for path in found if _figure(path) in figures]


def _figure(path: Path) -> str:
    """Figure of a script, such as 5 or S8; panels are left out."""
    return re.match(r"fig(S?\d+)", path.stem)[1]


def _order(path: Path) -> tuple[bool, int, bool, str]:
    figure = _figure(path)
    asks = path.stem in _ASK
    return figure.startswith("S"), int(figure.removeprefix("S")), asks, path.stem


def run(path: Path, folder: Path, fast: bool) -> Run:
    """Run a script and read its numbers.

    Raises:
        subprocess.CalledProcessError: The script failed.
    """
    started = time.perf_counter()
    command = [sys.executable, str(path), "--out", str(folder / path.stem)]
    if fast:
        command.append("--fast")
    elif path.stem in _ASK:
        command += ["--members", str(folder / _ASK[path.stem] / "members")]
    networks = Shared.find(None).data
    environment = dict(os.environ)
    if '"--jobs"' in path.read_text(encoding="utf-8"):
        command += ["--jobs", str(os.cpu_count())]
        environment.setdefault("OMP_NUM_THREADS", "1")  # a process a core
    if networks is not None:
        folders = [str(networks / "lembas" / name) for name in ("networks", "viability")]
        environment.setdefault("LEMBAS_PYG_MIRROR", os.pathsep.join(folders))
    subprocess.run(command, check=True, env=environment)
    seconds = time.perf_counter() - started
    today = datetime.date.today().isoformat()
    return Run(path.stem, _numbers(folder, path.stem), seconds, today)


def _numbers(folder: Path, script: str) -> pd.DataFrame:
    """The table a script left, wherever below the folder it is; empty if it leaves none."""
    for file in sorted((folder / script).rglob(f"{script}-numbers.tsv")):
        return pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    return pd.DataFrame(columns=_NUMBERS)


def read(table: Path) -> list[Run]:
    """All runs of a table, in the order of the figures; none where there is no table."""
    if not table.exists():
        return []
    rows = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False)
    found = {
        str(script): Run(str(script), part[_NUMBERS], float(part["seconds"].iloc[0]), day)
        for (script, day), part in rows.groupby(["script", "date"], sort=False)
    }
    return [found[path.stem] for path in scripts() if path.stem in found]


def write(runs: list[Run], table: Path) -> None:
    """A table that `read` reads: a row for every number."""
    parts = [
        found.numbers.assign(script=found.script, seconds=f"{found.seconds:.0f}", date=found.date)
        for found in runs
    ]
    columns = ["script", "date", "seconds", *_NUMBERS]
    pd.concat(parts)[columns].to_csv(table, sep="\t", index=False, lineterminator="\n")


def page(runs: list[Run]) -> str:
    """The page of all numbers."""
    rows = [
        [*row, *([f"{found.seconds:.0f}", found.date] if first == 0 else ["", ""])]
        for found in runs
        for first, row in enumerate(found.numbers.to_numpy().tolist())
    ]
    numbers = Table(
        "Numbers",
        "Seconds of the clock for the whole script, where other work may have run beside it, and "
        "the day of the run.",
        [*_NUMBERS, "seconds", "date"],
        rows,
    )
    shown = {found.script for found in runs if len(found.numbers)}
    longer = Table(
        "On pages of their own",
        "Scripts that take longer and need more words; `make paper FIG=6` runs those of a figure.",
        ["script", "numbers above", "page"],
        [[f"`{name}.py`", "yes" if name in shown else "-", at] for name, at in _LONG.items()],
    )
    missing = Table(
        "Not here",
        "What no script redraws yet.",
        ["figure", "why"],
        [list(row) for row in _MISSING],
    )
    return "\n".join([_HEAD, machine(), "", str(numbers), str(longer), str(missing)])


def main() -> None:
    """Run scripts and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper", description=__doc__)
    parser.add_argument("--fig", nargs="+", metavar="N", help="such as 1 5 S8 (default: all)")
    parser.add_argument("--folder", type=Path, default=Path("paper-runs"), help="of all results")
    parser.add_argument("--fast", action="store_true", help="only show that all scripts run")
    parser.add_argument("--table", type=Path, default=_TABLE, help="of all numbers")
    parser.add_argument("--out", type=Path, default=_PAGE, help="page to write (docs/paper.md)")
    options = parser.parse_args()
    try:
        chosen = scripts(options.fig)
    except ValueError as problem:
        parser.error(str(problem))
    done = {}
    for path in chosen:
        if path.stem in _LONG and options.fig is None and not options.fast:
            continue
        print(f"== {path.name}", flush=True)
        folder = options.folder / "fast" if options.fast else options.folder
        done[path.stem] = run(path, folder, options.fast)
        if not options.fast:
            # At once: what comes next may take an hour, or fail.
            known = {found.script: found for found in read(options.table)} | done
            write([known[path.stem] for path in scripts() if path.stem in known], options.table)
            options.out.write_text(page(read(options.table)), "utf-8")
    if options.fast:
        taken = {name: found.seconds for name, found in done.items()}
        print(*(f"{seconds:7.1f} s  {name}" for name, seconds in taken.items()), sep="\n")
        print(f"{sum(taken.values()):7.1f} s  together")


_HEAD = """# The paper's figures, redrawn

Written by `make paper` (`python -m benchmarks.paper`); `make paper FIG=5` runs one figure again. A
number of the paper that stands in a figure only is a word here. Of figures 4 and 6 c, and S17, the
column `paper` holds what the published parameters or predictions give.
"""


if __name__ == "__main__":
    main()
