import functools
import hashlib
import http.server
import os
import socket
import threading

import pytest

from lembas_pyg.datasets.published import MIRROR, fetch_published, verify_published

CONTENT = {"a.tsv": b"a\tb\n", "b.tsv": b"1\t2\n", "c.txt": b"somewhere else\n"}
FILES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
PATHS = {"c.txt": "other/place.txt"}


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch):
    monkeypatch.delenv(MIRROR, raising=False)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        self.server.paths.append(self.path)


@pytest.fixture
def server(tmp_path):
    """A web server on this computer that holds the files where the repository has them."""
    folder = tmp_path / "served"
    for name, content in CONTENT.items():
        path = folder / PATHS.get(name, f"Model/data/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        web.paths, web.folder = [], folder
        web.url = f"http://127.0.0.1:{web.server_port}/"
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield web
        web.shutdown()
        thread.join()


@pytest.fixture
def nobody():
    """The address of a server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_downloaded_and_verified(server, tmp_path):
    fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=server.url)
    assert contents(tmp_path / "raw") == CONTENT


def test_files_that_are_there_are_kept(server, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.tsv").write_bytes(CONTENT["a.tsv"])
    fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=server.url)
    assert [path for path in server.paths if "a.tsv" in path] == []


def test_changed_download_is_refused_and_not_kept(server, tmp_path):
    (server.folder / "Model" / "data" / "b.tsv").write_bytes(b"edited")
    with pytest.raises(ValueError, match=r"b\.tsv is not the published file: its SHA-256 is"):
        fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=server.url)
    assert os.listdir(tmp_path / "raw") == ["a.tsv"]


def test_changed_file_in_the_folder_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"edited")
    with pytest.raises(ValueError, match=r"a\.tsv is not the published file"):
        fetch_published(FILES, tmp_path)


def test_mirror_is_used_first(tmp_path, monkeypatch, nobody):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for name, content in CONTENT.items():
        (mirror / name).write_bytes(content)
    monkeypatch.setenv(MIRROR, str(mirror))
    fetch_published(FILES, tmp_path / "raw", base_url=nobody)
    assert contents(tmp_path / "raw") == CONTENT


def test_what_the_mirror_lacks_is_downloaded(tmp_path, monkeypatch, server):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "a.tsv").write_bytes(CONTENT["a.tsv"])
    monkeypatch.setenv(MIRROR, str(mirror))
    fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=server.url)
    assert contents(tmp_path / "raw") == CONTENT
    assert sorted(path for path in server.paths if "a.tsv" in path) == []


def test_changed_file_in_the_mirror_is_refused(tmp_path, monkeypatch):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "a.tsv").write_bytes(b"edited")
    monkeypatch.setenv(MIRROR, str(mirror))
    with pytest.raises(ValueError, match=r"mirror.a\.tsv is not the published file"):
        fetch_published(FILES, tmp_path / "raw")


def test_mirror_has_to_be_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(MIRROR, str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match=f"{MIRROR} names '.*nowhere', which is not"):
        fetch_published(FILES, tmp_path / "raw")


def test_without_a_connection_the_message_says_what_to_put_where(tmp_path, nobody):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.tsv").write_bytes(CONTENT["a.tsv"])
    with pytest.raises(ConnectionError) as caught:
        fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=nobody)
    text = str(caught.value)
    assert str(tmp_path / "raw") in text
    assert MIRROR in text
    assert f"{nobody}Model/data/b.tsv" in text
    assert f"{nobody}other/place.txt" in text
    assert FILES["b.tsv"] in text
    assert "a.tsv" not in text


def test_file_missing_on_the_server_is_named(tmp_path, server):
    (server.folder / "other" / "place.txt").unlink()
    with pytest.raises(ConnectionError, match=r"404.*\n  c\.txt\n.*other/place\.txt"):
        fetch_published(FILES, tmp_path / "raw", paths=PATHS, base_url=server.url)
    assert sorted(os.listdir(tmp_path / "raw")) == ["a.tsv", "b.tsv"]


def test_missing_file_is_not_verified_unless_asked_for(tmp_path):
    verify_published(FILES, tmp_path, only_present=True)
    with pytest.raises(FileNotFoundError):
        verify_published(FILES, tmp_path)
