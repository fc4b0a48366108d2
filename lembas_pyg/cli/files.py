"""Files that a command writes: refused early where writing would fail or lose something."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lembas_pyg.cli.settings import option_name

INPUTS = ("network", "annotation", "parameters", "ligands")


def check_outputs(
    arguments: argparse.Namespace, *options: str, inputs: Sequence[str] = INPUTS
) -> dict[str, Path]:
    """Files to write, refused before any work where writing would fail or lose something."""
    read = {place: name for name in inputs for place in _places(getattr(arguments, name))}
    found: dict[str, Path] = {}
    for option in options:
        path = getattr(arguments, option)
        if path is None:
            continue
        place = path.resolve()
        name = option_name(option)
        if place in read:
            other = "FILE" if read[place] == "files" else option_name(read[place])
            raise ValueError(f"{name} {path} is also {other}; name another file.")
        for other, earlier in found.items():
            if place == earlier.resolve():
                raise ValueError(f"{name} {path} is also {option_name(other)}; name another file.")
        _check_file(path, name, arguments.overwrite)
        found[option] = path
    return found


def _places(given: Path | Sequence[Path] | None) -> list[Path]:
    """Where the files of an option are, those in a folder too."""
    paths = [] if given is None else [given] if isinstance(given, Path) else list(given)
    within = [inner for path in paths if path.is_dir() for inner in path.iterdir()]
    return [path.resolve() for path in (*paths, *within)]


def _check_file(path: Path, option: str, overwrite: bool) -> None:
    """Refuse a file that could not be written, or is there already."""
    from lembas_pyg.io.replace import is_stream

    if path.is_dir():
        raise IsADirectoryError(f"{option} {path} is a folder; name a file.")
    if is_stream(path):
        return  # /dev/stdout and the like
    if path.exists() and not overwrite:
        raise FileExistsError(f"{option} {path} exists; add --overwrite to replace it.")
    folder = path.parent
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{option} {path}: {folder} is a file, not a folder.")
    if not folder.is_dir():
        raise FileNotFoundError(f"{option} {path}: the folder {folder} does not exist; make it.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{option} {path}: the folder {folder} is not writable.")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write JSON; a number that is none (no variance, no correlation) becomes null."""
    from lembas_pyg.io.replace import replace_file

    numbers = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in content.items()
    }
    with replace_file(path) as file:
        file.write(f"{json.dumps(numbers, indent=2, allow_nan=False)}\n".encode())


def is_unused(folder: Path, *own: str) -> bool:
    """Whether a folder holds nothing, but for what a killed command has left of no use.

    Args:
        folder: It need not be there.
        own: Folders in it that the command makes first.
    """
    from lembas_pyg.io.replace import is_partial

    if not folder.is_dir():
        return True
    return all(
        is_partial(path) or (path.name in own and path.is_dir() and is_unused(path))
        for path in folder.iterdir()
    )


def check_folder(folder: Path, option: str) -> None:
    """Refuse a folder that could not be made or written to; make nothing yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{option} {folder}: {there} is a file, not a folder.")
    if not os.access(there, os.W_OK):
        raise PermissionError(f"{option} {folder}: the folder {there} is not writable.")
