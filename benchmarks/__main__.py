"""``python -m benchmarks``: measure, print, and write ``benchmarks/results.md``."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

_RESULTS = Path(__file__).with_name("results.md")
_SECTIONS = (
    "training",
    "gradients",
    "stability",
    "prediction",
    "knock-outs",
    "scaling",
    "alternatives",
    "paths",
)


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names,
        default=_SECTIONS,
        metavar="NAME,...",
        help=f"sections to run: {', '.join(_SECTIONS)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run under a minute")
    parser.add_argument("--data", type=Path, help="published data (default: ../shared/data)")
    parser.add_argument("--golden", type=Path, help="published models (default: ../shared/golden)")
    parser.add_argument(
        "--out",
        type=Path,
        help=f"file to write (default: {_RESULTS.name} beside the code, by a full run only)",
    )
    options = parser.parse_args()
    # Read when numpy and torch are loaded, which is why they are imported below.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    import torch

    from benchmarks import prediction, scaling, stability, training
    from benchmarks.networks import Shared
    from benchmarks.report import machine

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    run = {
        "training": training.training,
        "gradients": training.gradients,
        "stability": stability.stability,
        "prediction": prediction.prediction,
        "knock-outs": prediction.knock_outs,
        "scaling": scaling.scaling,
        "alternatives": scaling.alternatives,
        "paths": scaling.paths,
    }
    shared = Shared.find(options.data, options.golden)
    parts = [f"# Benchmarks\n\nWritten by `make bench`.\n\n{machine()}\n"]
    print(parts[0], flush=True)
    if shared.data is None:
        note = "The published data were not found: networks are synthetic ones of the same size.\n"
        parts.append(note)
        print(note, flush=True)
    for name in options.only:
        for table in run[name](shared, options.quick):
            parts.append(str(table))
            print(table, flush=True)
    is_full = options.only == _SECTIONS and not options.quick
    out = options.out or (_RESULTS if is_full else None)
    if out is not None:
        out.write_text("\n".join(parts), encoding="utf-8")
        print(f"Written to {out}.", file=sys.stderr)


def _names(text: str) -> tuple[str, ...]:
    """Sections by name, in the order of the tables."""
    wanted = {name.strip() for name in text.split(",")}
    unknown = sorted(wanted - set(_SECTIONS))
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)} not known; choose from {', '.join(_SECTIONS)}"
        )
    return tuple(name for name in _SECTIONS if name in wanted)


if __name__ == "__main__":
    main()
