"""Files that appear complete or not at all, whatever ends the program that writes them."""

import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

FilePath = str | os.PathLike[str]

_OPEN_FILE = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+")


@contextmanager
def replace_file(path: FilePath) -> Iterator[BinaryIO]:
    """Write a file beside its final place and move it there once it is complete, on the disk.

    Args:
        path: Final place. Something that is not a regular file (``/dev/stdout``, a pipe) is
            written to directly.

    Yields:
        An open binary file.

    Raises:
        OSError: The folder does not exist or cannot be written to, or `path` is a directory.
    """
    path = Path(path)
    if path.is_symlink() and not is_stream(path):
        path = path.resolve()  # the link stays, what it points to is replaced
    folder = path.parent
    if path.is_dir():
        raise IsADirectoryError(f"Cannot write {path}: it is a directory. Give a file name.")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Cannot write {path}: the folder {folder} does not exist. Create it first."
        )
    if is_stream(path):
        with _naming(path), path.open("ab") as file:  # appending leaves what is there
            yield file
        return
    partial = folder / _partial(path.name)
    try:
        with _naming(path), _created(partial, path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a power failure could leave the new name without content
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def replace_together(folder: FilePath) -> Iterator[Path]:
    """Write files to a folder of their own, and move them to theirs once all are complete.

    The last by name is moved first: where the first is, all are, even if the program was killed.

    Args:
        folder: Final place, which has no files of their names.

    Yields:
        The folder to write to; what is written there is no folder.

    Raises:
        OSError: The folder cannot be written to.
    """
    place = Path(folder)
    partial = place / _partial("files")
    moved: list[Path] = []
    try:
        partial.mkdir()
        yield partial
        for file in sorted(partial.iterdir(), reverse=True):
            moved.append(place / file.name)
            os.replace(file, moved[-1])
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is not None:
            error.filename = str(place / Path(error.filename).name)
        for path in moved:
            path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_partial(path: FilePath) -> bool:
    """Whether something was left by `replace_file` or `replace_together` when it was killed."""
    return re.fullmatch(r"\..+\.[0-9a-f]{32}\.partial", Path(path).name) is not None


def is_stream(path: FilePath) -> bool:
    """Whether something is written to directly: a pipe, a device, an open file by its number."""
    path = Path(path)
    if _OPEN_FILE.fullmatch(os.path.abspath(path)):
        return path.exists()
    return path.exists() and not path.is_dir() and not stat.S_ISREG(path.stat().st_mode)


def _partial(name: str) -> str:
    """Name of what is not complete yet, of this call alone; hidden."""
    return f".{name}.{uuid.uuid4().hex}.partial"


def _created(partial: Path, path: Path) -> BinaryIO:
    """A new file, or why there can be none."""
    try:
        return partial.open("xb")
    except PermissionError as error:
        raise PermissionError(
            f"Cannot write {path}: no permission to create files in {path.parent}."
        ) from error
    except OSError as error:
        raise OSError(f"Cannot write {path}: {error.strerror} (folder {path.parent}).") from error


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in an error of the system that names none, such as a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
