"""Files published with the paper: fetched once, pinned to a commit, verified by checksum."""

import hashlib
import http.client
import logging
import os
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from lembas_pyg.io.replace import FilePath, replace_file

logger = logging.getLogger(__name__)

COMMIT = "2034125"
BASE_URL = f"https://raw.githubusercontent.com/Lauffenburger-Lab/LEMBAS/{COMMIT}/"
MIRROR = "LEMBAS_PYG_MIRROR"
NO_PATHS: Mapping[str, str] = MappingProxyType({})


def fetch_published(
    files: Mapping[str, str],
    folder: FilePath,
    *,
    paths: Mapping[str, str] = NO_PATHS,
    base_url: str = BASE_URL,
    timeout: float = 20.0,
) -> None:
    """Bring published files into a folder, each verified by its checksum.

    A file that is already there is verified and kept. Others are copied from the folder named by
    the environment variable ``LEMBAS_PYG_MIRROR`` (or one of several, separated as in ``PATH``) if
    they are in it, else downloaded. A file appears in `folder` complete and correct, or not at all.

    Args:
        files: Name -> SHA-256 in hexadecimal.
        folder: Where the files go; made if it does not exist.
        paths: Path below `base_url` of files that are not at ``Model/data/<name>``.
        base_url: Where to download from, with a slash at the end.
        timeout: Seconds to wait for the server.

    Raises:
        ConnectionError: A file could not be downloaded; the message says how to do without.
        NotADirectoryError: The mirror is not a folder.
        ValueError: A file does not have its checksum.

    References:
        Lauffenburger-Lab/LEMBAS at commit 2034125, MIT licence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    verify_published(files, folder, only_present=True)
    missing = [name for name in files if not (folder / name).exists()]
    mirrors = _mirror_folders()
    for name in missing:
        there = [mirror for mirror in mirrors if (mirror / name).exists()]
        # Two studies may have files of one name; the checksum tells them apart.
        right = [mirror for mirror in there if _has_sum(mirror / name, files[name])]
        if there:
            mirror = (right or there)[0]
            verify_published({name: files[name]}, mirror)
            with replace_file(folder / name) as file:
                file.write((mirror / name).read_bytes())
    missing = [name for name in missing if not (folder / name).exists()]
    urls = {name: base_url + paths.get(name, f"Model/data/{name}") for name in missing}
    for name, url in urls.items():
        logger.info("Downloading %s", url)
        try:
            with urllib.request.urlopen(url, timeout=timeout) as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            still = [name for name in missing if not (folder / name).exists()]
            raise ConnectionError(_how_to_do_without(still, files, urls, folder, error)) from error
        _check_sum(content, files[name], url)
        with replace_file(folder / name) as file:
            file.write(content)


def verify_published(
    files: Mapping[str, str], folder: FilePath, *, only_present: bool = False
) -> None:
    """Check the files of a folder against their checksums.

    Args:
        files: Name -> SHA-256 in hexadecimal.
        folder: Where the files are.
        only_present: Skip files that do not exist.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file does not have its checksum.
    """
    for name, checksum in files.items():
        path = Path(folder) / name
        if path.exists() or not only_present:
            _check_sum(path.read_bytes(), checksum, path)


def _check_sum(content: bytes, checksum: str, origin: FilePath) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise ValueError(
            f"{origin} is not the published file: its SHA-256 is {found}, expected {checksum}. "
            "Delete it and fetch it again; read your own tables with `lembas_pyg.io`."
        )


def _has_sum(path: Path, checksum: str) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == checksum


def _mirror_folders() -> list[Path]:
    names = os.environ.get(MIRROR)
    if not names:
        return []
    folders = [Path(name) for name in names.split(os.pathsep) if name]
    for folder in folders:
        if not folder.is_dir():
            raise NotADirectoryError(
                f"The environment variable {MIRROR} names '{folder}', which is not a folder. Name "
                "the folder that holds the published files, or unset it to download them."
            )
    return folders


def _how_to_do_without(
    names: Iterable[str],
    files: Mapping[str, str],
    urls: Mapping[str, str],
    folder: Path,
    error: Exception,
) -> str:
    listed = "\n".join(f"  {name}\n    {urls[name]}\n    SHA-256 {files[name]}" for name in names)
    return (
        f"Could not download published files ({error}). Without a connection, get these files "
        f"from another computer and put them, by these names, either in {folder.absolute()} or "
        f"in a folder named by the environment variable {MIRROR}:\n{listed}"
    )
