"""Tables in Markdown, with the machine they were measured on."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["Table", "machine", "number"]


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        title: Heading.
        text: What is measured and how, and what to note.
        columns: Names of the columns.
        rows: Entries, numbers already as text.
    """

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        first, *others = (
            "| " + " | ".join(map(str.ljust, line, widths)).rstrip() + " |" for line in lines
        )
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([f"## {self.title}", "", self.text, "", first, rule, *others, ""])


def number(value: float, digits: int = 3) -> str:
    """A number with few significant digits, in the shortest usual form."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}"
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}" if "e" in text or abs(value) >= 10**digits else text


def machine() -> str:
    """Processor, cores, versions, date and load."""
    packages = [f"{name} {_version(name)}" for name in ("torch", "numba", "numpy", "scipy")]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return "\n".join(
        [
            f"* processor: {_processor()}, {os.cpu_count()} cores",
            f"* Python {platform.python_version()}, {', '.join(packages)}",
            f"* {datetime.date.today().isoformat()}, lembas_pyg {_version('lembas_pyg')}, "
            f"load at the start {load:.1f}",
        ]
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines: Iterable[str] = information.read_text().splitlines() if information.exists() else ()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
