"""What a file holds, plain or compressed: the one place that reads bytes."""

import gzip
from pathlib import Path

from lembas_pyg.io.replace import FilePath


def read_bytes(path: FilePath) -> bytes:
    """Read a file as it is, or what is compressed in it.

    Args:
        path: File, plain or ``.gz``.

    Raises:
        OSError: There is no such file.
        ValueError: The file ends in ``.gz`` and is not compressed, or cut off.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, not a file. Name the file in it.")
    if not path.exists():
        raise FileNotFoundError(
            f"The file {path} does not exist. Check the name and the folder (now {Path.cwd()})."
        )
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise ValueError(
                f"{path} ends in .gz but is not a complete gzip file ({error}). Compress it "
                "again, or remove the ending if it is plain text."
            ) from error
    return content
