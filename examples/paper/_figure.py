"""What the scripts of this folder share: their options, and the table of their numbers.

Every script is run as ``python examples/paper/NAME.py --out FOLDER [--seed 0] [--fast]`` and leaves
``FOLDER/NAME-numbers.tsv`` beside its pictures: columns `figure`, `what`, `paper`, `ours`.
"""

import argparse
import time
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lembas_pyg.io import write_tsv

COLUMNS = ["figure", "what", "paper", "ours"]
_started = time.perf_counter()


def options(doc: str, out: str, fast: str) -> argparse.ArgumentParser:
    """Options that all scripts have; a script may add its own.

    Args:
        doc: Docstring of the script; its first line is the description.
        out: Folder that results go to by default.
        fast: What `--fast` leaves out.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(out), help=f"folder (default: {out})")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default: 0)")
    parser.add_argument("--fast", action="store_true", help=fast)
    return parser


def report(
    rows: list[tuple[str, str, object, object]],
    folder: Path,
    name: str,
    pictures: dict[str, Figure] | None = None,
) -> None:
    """Print the numbers beside those of the paper; write them and the pictures to a folder.

    Args:
        rows: Figure or panel, what was measured, the paper's number or word, ours.
        folder: Where to write; made if it is not there.
        name: Of the script; the table is ``<name>-numbers.tsv``.
        pictures: File name -> figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows, columns=COLUMNS)
    for column in ("paper", "ours"):
        table[column] = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in table[column]]
    widths = [max(len(c), *map(len, table[c])) for c in COLUMNS]
    for row in [COLUMNS, *table.to_numpy().tolist()]:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    file = folder / f"{name}-numbers.tsv"
    write_tsv(table, file)
    for picture, figure in (pictures or {}).items():
        figure.savefig(folder / picture, dpi=150)
        print(f"Picture: {folder / picture}")
    print(f"Table: {file} ({time.perf_counter() - _started:.0f} s)")
