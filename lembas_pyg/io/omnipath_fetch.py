"""Interactions of OmniPath, asked of its web service through the `omnipath` client.

The client is imported on first use and kept within bounds: its import neither contacts the server
nor writes to the home directory, what it logs goes to the debug level of this module, and its
settings are put back. Answers are stored as the table that `read_omnipath` reads.
"""

import hashlib
import importlib
import json
import logging
import os
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from lembas_pyg.io.omnipath import JSON_COLUMNS, read_omnipath
from lembas_pyg.io.replace import FilePath, replace_file
from lembas_pyg.io.tsv import write_tsv

logger = logging.getLogger(__name__)

CLASSES = (
    "OmniPath",
    "PostTranslational",
    "AllInteractions",
    "KinaseExtra",
    "LigRecExtra",
    "PathwayExtra",
    "Dorothea",
    "CollecTRI",
    "TFtarget",
    "Transcriptional",
    "miRNA",
    "TFmiRNA",
    "lncRNAmRNA",
    "SmallMolecule",
)
ORGANISMS = {9606: "human", 10090: "mouse", 10116: "rat"}
LICENSES = ("academic", "non_profit", "commercial", "for_profit", "ignore")
FIELDS = ("datasets", "type", "ncbi_tax_id", "entity_type")
WITH_LEVELS = ("AllInteractions", "Dorothea", "Transcriptional")
URL = "https://omnipathdb.org"
TEMPORARY = re.compile(r"\b(408|413|429|5\d\d) (Client|Server) Error")
PERMANENT = re.compile(r"\b4\d\d Client Error")
_one_at_a_time = threading.Lock()  # the client has one set of options for the whole process


def fetch_omnipath(
    dataset: str = "omnipath",
    *,
    organism: int = 9606,
    resources: Collection[str] | None = None,
    license: str | None = None,
    consensus: bool = True,
    cache: FilePath | None = None,
    retries: int = 3,
    backoff: float = 1.0,
    timeout: float = 600.0,
    url: str = URL,
) -> pd.DataFrame:
    """Ask OmniPath for the interactions of a dataset.

    Args:
        dataset: Name of a class of ``omnipath.interactions``, in any case, with or without
            underscores: ``"omnipath"`` (signaling with references), ``"post_translational"``,
            ``"ligrecextra"``, ``"dorothea"``, ``"collectri"`` and others.
        organism: NCBI taxonomy id: 9606, 10090 or 10116.
        resources: Only interactions of these resources, such as ``["SIGNOR", "KEGG-MEDICUS"]``.
        license: Leave out resources that do not permit this use: academic, non_profit, commercial
            or for_profit; OmniPath honours ignore only with a password. By default the server
            decides, whatever the client is configured for.
        consensus: As in `read_omnipath`.
        cache: Folder where the table is kept, with its provenance and checksum beside it; a
            second call reads it from there. Made if it does not exist. By default nothing is kept.
        retries: How often to ask again after an answer that did not arrive or was an error of the
            server.
        backoff: Pause before asking again, in seconds; doubled each time.
        timeout: Time to wait for the server, in seconds.
        url: Address of the web service.

    Returns:
        Interaction table as `read_omnipath` gives it. ``.attrs["provenance"]`` has url, query,
        date, and version of the client as well.

    Raises:
        ConnectionError: The server could not be reached or gave no table; the message says how to
            do without.
        ImportError: The `omnipath` client is not installed.
        ValueError: An option is not legal, the server refuses the query or has no interactions
            for it, or a file in `cache` has been changed.

    References:
        Türei et al. (2021), Mol. Syst. Biol. 17, e9923; https://omnipathdb.org.
    """
    query = _query(dataset, organism, resources, license, url)
    if retries < 0 or backoff < 0:
        raise ValueError(
            f"`retries` is {retries} and `backoff` {backoff} s; neither can be negative."
        )
    if cache is not None:
        return _fetch_to(Path(cache), query, consensus, retries, backoff, timeout)
    with tempfile.TemporaryDirectory() as folder:
        table = _fetch_to(Path(folder), query, consensus, retries, backoff, timeout)
    del table.attrs["provenance"]["file"]
    return table


def _query(
    dataset: str,
    organism: int,
    resources: Collection[str] | None,
    license: str | None,
    url: str,
) -> dict[str, Any]:
    """The question in checked, JSON-ready form."""
    classes = {name.casefold(): name for name in CLASSES}
    plain = re.sub("[_-]", "", str(dataset)).casefold()
    if plain not in classes:
        raise ValueError(
            f"OmniPath has no dataset '{dataset}'. Legal are {', '.join(CLASSES)}, in any case."
        )
    if organism not in ORGANISMS:
        raise ValueError(
            f"OmniPath has no interactions of organism {organism!r}. Legal are "
            f"{', '.join(f'{key} ({name})' for key, name in ORGANISMS.items())}."
        )
    if isinstance(resources, str) or (resources is not None and not resources):
        raise ValueError(
            f"`resources` is to be a list of names such as ['SIGNOR'], not {resources!r}."
        )
    if license is not None and license not in LICENSES:
        raise ValueError(f"`license` is '{license}'. Legal are {', '.join(LICENSES)}.")
    return {
        "url": url.rstrip("/"),
        "dataset": classes[plain],
        "organism": organism,
        "resources": None if resources is None else sorted(resources),
        "license": license,
        "fields": [*FIELDS, *(["dorothea_level"] if classes[plain] in WITH_LEVELS else [])],
    }


def _fetch_to(
    folder: Path,
    query: dict[str, Any],
    consensus: bool,
    retries: int,
    backoff: float,
    timeout: float,
) -> pd.DataFrame:
    """Read the answer from a folder, after asking the server if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:10]
    path = folder / f"omnipath-{query['dataset']}-{query['organism']}-{key}.tsv.gz"
    beside = path.with_suffix("").with_suffix(".json")
    if path.exists() and beside.exists():
        logger.info("Reading %s, which is kept from an earlier call.", path)
    else:
        answer = _ask_until_answered(query, retries, backoff, timeout)
        write_tsv(answer, path)
        provenance = {
            **query,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "client": f"omnipath {version('omnipath')}",
            "rows": len(answer),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        with replace_file(beside) as file:
            file.write(json.dumps(provenance, indent=2).encode())
    provenance = json.loads(beside.read_bytes())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != provenance["sha256"]:
        raise ValueError(
            f"{path} has been changed since it was fetched: its SHA-256 is {found}, expected "
            f"{provenance['sha256']}. Delete it and fetch it again, or read your own table "
            "with `lembas_pyg.io.read_omnipath`."
        )
    table = read_omnipath(path, consensus=consensus)
    table.attrs["provenance"] = {**provenance, **table.attrs["provenance"]}
    return table


def _ask_until_answered(
    query: dict[str, Any], retries: int, backoff: float, timeout: float
) -> pd.DataFrame:
    """Ask; after an error that may pass, pause and ask again."""
    where = f"{query['url']}/interactions"
    for attempt in range(retries + 1):
        try:
            return _ask(query, where, timeout)
        except ConnectionError as error:
            reason = str(error)
            if attempt == retries or (PERMANENT.search(reason) and not TEMPORARY.search(reason)):
                break
            pause = backoff * 2**attempt
            logger.warning("%s: %s; asking again in %g s.", where, reason, pause)
            time.sleep(pause)
    raise ConnectionError(
        f"Could not get the dataset {query['dataset']} of OmniPath from {where} ({reason}; attempt "
        f"{attempt + 1} of {retries + 1}). Without a connection, download the table on another "
        "computer (with `fetch_omnipath(cache=...)` or a browser) and read it with "
        "`lembas_pyg.io.read_omnipath(file)`."
    )


def _ask(query: dict[str, Any], where: str, timeout: float) -> pd.DataFrame:
    """One question to the server, through the client."""
    with _one_at_a_time, _quiet_client() as logged:
        client = _import_client()
        settings = {
            "url": query["url"],
            "fallback_urls": (),
            "license": None,
            "cache": None,
            "num_retries": 0,
            "timeout": timeout,
            "progress_bar": False,
        }
        before = {name: getattr(client.options, name) for name in settings}
        try:
            for name, value in settings.items():
                setattr(client.options, name, value)
            answer = getattr(client.interactions, query["dataset"]).get(
                organism=ORGANISMS[query["organism"]],
                fields=query["fields"],
                genesymbols=True,
                **{name: query[name] for name in ("resources", "license") if query[name]},
            )
        except RuntimeError as error:
            if "No active exception" in str(error):  # the client lost the exception, not its text
                raise ConnectionError(_last_line(logged) or "no answer") from None
            raise ValueError(f"{where} refuses the query: {error}") from error
        except (ValueError, KeyError) as error:
            raise ConnectionError(f"the answer is not a table: {error!r}") from error
        finally:
            for name, value in before.items():
                setattr(client.options, name, value)
    if not {"source", "target"} <= set(answer):
        raise ConnectionError(f"the answer is not a table of interactions: {list(answer)[:3]}")
    if answer.empty:
        raise ValueError(
            f"{where} has no interactions of organism {query['organism']} in the dataset "
            f"{query['dataset']} for the resources {query['resources'] or 'of all kinds'}. Check "
            "the names of the resources; they are case-sensitive."
        )
    for name in JSON_COLUMNS:
        if name in answer:
            answer[name] = answer[name].map(json.dumps)
    return answer


@contextmanager
def _quiet_client() -> Iterator[list[str]]:
    """Catch what the client logs on the root logger, which it would configure; hide its warnings.

    Yields:
        The messages, as they come.
    """
    logged: list[str] = []
    spec = find_spec("omnipath")
    if spec is None or spec.origin is None:
        raise ImportError(
            "Asking OmniPath needs its client: pip install omnipath. A downloaded table is read "
            "without it, by `lembas_pyg.io.read_omnipath(file)`."
        )
    package = str(Path(spec.origin).parent) + os.sep

    def is_not_of_client(record: logging.LogRecord) -> bool:
        if not record.pathname.startswith(package):
            return True
        logged.append(record.getMessage())
        logger.debug("omnipath: %s", logged[-1])
        return False

    root, silent = logging.getLogger(), logging.NullHandler()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        root.addFilter(is_not_of_client)
        stack.callback(root.removeFilter, is_not_of_client)
        if not root.handlers:  # without one, the first message would configure the root logger
            root.addHandler(silent)
            stack.callback(root.removeHandler, silent)
        yield logged


def _import_client() -> Any:
    """Import the client, which writes a configuration file into the home directory it finds."""
    if "omnipath" in sys.modules:
        return sys.modules["omnipath"]
    home = Path.home()
    with tempfile.TemporaryDirectory() as elsewhere:
        places = {"HOME": elsewhere, "USERPROFILE": elsewhere, "OMNIPATH_AUTOLOAD": "0"}
        before = {name: os.environ.get(name) for name in places}
        os.environ.update(places)
        try:
            client = importlib.import_module("omnipath")
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
    options_class = type(client.options)
    options_class.config_path = home / ".config" / "omnipathdb.ini"
    has_settings = options_class.config_path.is_file()
    users = options_class.from_config() if has_settings else options_class()
    if not has_settings:
        users.cache = str(home / ".cache" / "omnipathdb")
    for name, value in vars(users).items():
        setattr(client.options, name, value)
    return client


def _last_line(logged: list[str]) -> str:
    lines = "\n".join(logged).strip().splitlines()
    return lines[-1] if lines else ""
