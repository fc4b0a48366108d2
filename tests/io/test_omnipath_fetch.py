"""The real client asks a server on this computer, which gives recorded answers."""

import gzip
import http.server
import json
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from lembas_pyg.io import fetch_omnipath, read_omnipath
from lembas_pyg.io.omnipath_fetch import CLASSES

pytestmark = pytest.mark.skipif(
    find_spec("omnipath") is None, reason="the omnipath client is not installed"
)

HEADER = (
    "source target source_genesymbol target_genesymbol is_directed is_stimulation is_inhibition "
    "consensus_direction consensus_stimulation consensus_inhibition sources references omnipath "
    "ligrecextra type curation_effort ncbi_tax_id_source entity_type_source ncbi_tax_id_target "
    "entity_type_target"
)
ROWS = [
    "P00001 P00002 AA BB 1 1 0 1 1 0 KEGG-MEDICUS;SIGNOR SIGNOR:11;SIGNOR:12 True False "
    "post_translational 2 9606 protein 9606 protein",
    "P00002 P00003 BB CC 1 1 1 1 0 1 SPIKE SPIKE:13 True True post_translational 1 9606 protein "
    "9606 protein",
    "P00003 COMPLEX:P00001_P00002 CC AA_BB 0 0 0 0 0 0 HPRD  True False post_translational 0 9606 "
    "protein 9606 complex",
]
ANSWER = "".join(line.replace(" ", "\t") + "\n" for line in [HEADER, *ROWS])
EVIDENCES = {
    "id_a": "P00001",
    "id_b": "P00002",
    "positive": [
        {"resource": "ExTRI", "references": ["21"], "dataset": "collectri", "via": "CollecTRI"}
    ],
    "negative": [],
    "directed": [],
    "undirected": [],
}
REGULON_ANSWER = (
    "\t".join([*HEADER.split(" "), "extra_attrs", "evidences"])
    + "\n"
    + "\t".join([*ROWS[0].split(" "), '{"a":1}', json.dumps(EVIDENCES)])
    + "\n"
)
OTHER_ANSWERS = {  # what the client asks for when it is imported with its autoload on
    "/about": "Recorded answers, version 0.15.11",
    "/resources": json.dumps({"SIGNOR": {"queries": {"interactions": {"datasets": ["omnipath"]}}}}),
    "/queries/interactions": json.dumps({"datasets": ["omnipath"], "organisms": ["9606"]}),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        web = self.server
        url = urlparse(self.path)
        web.asked.append((url.path, {key: value[0] for key, value in parse_qs(url.query).items()}))
        status = web.statuses.pop(0) if web.statuses else 200
        body = OTHER_ANSWERS.get(url.path, web.answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + web.missing))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.asked, web.statuses, web.answer, web.missing = [], [], ANSWER, 0
        web.url = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=web.serve_forever, args=[0.01])
        thread.start()
        yield web
        web.shutdown()
        thread.join()


@pytest.fixture
def fetch(server):
    def _fetch(dataset="omnipath", **options):
        return fetch_omnipath(dataset, **{"url": server.url, "backoff": 0.0, **options})

    return _fetch


def test_the_answer_becomes_an_interaction_table(fetch):
    table = fetch()
    assert table["source"].tolist() == ["P00001", "P00002", "P00003"]
    assert table[["direction", "stimulation", "inhibition"]].values.tolist() == [
        [1, 1, 0],
        [1, 0, 1],
        [0, 0, 0],
    ]
    assert table["references"].tolist() == ["SIGNOR:11;SIGNOR:12", "SPIKE:13", ""]
    assert table["target_type"].tolist() == ["protein", "protein", "complex"]
    assert table["source_taxon"].tolist() == ["9606"] * 3
    assert fetch(consensus=False)["stimulation"].tolist() == [1, 1, 0]


def test_the_server_is_asked_again_after_an_error_of_its_own(fetch, server, caplog):
    server.statuses = [500, 503]
    with caplog.at_level(logging.WARNING):
        table = fetch(retries=2)
    assert len(table) == 3
    assert len(server.asked) == 3
    assert server.asked[0] == server.asked[2]
    assert [record.name for record in caplog.records] == ["lembas_pyg.io.omnipath_fetch"] * 2
    assert "500 Server Error" in caplog.text


def test_pauses_double(fetch, server, monkeypatch):
    pauses = []
    monkeypatch.setattr("lembas_pyg.io.omnipath_fetch.time.sleep", pauses.append)
    server.statuses = [500, 500, 500]
    fetch(backoff=0.5)
    assert pauses == [0.5, 1.0, 2.0]


def test_a_server_that_keeps_failing_is_left(fetch, server):
    server.statuses = [500, 502, 503]
    with pytest.raises(ConnectionError, match=r"503 Server Error.*attempt 3 of 3.*read_omnipath"):
        fetch(retries=2)


def test_an_address_that_does_not_exist_is_asked_once(fetch, server):
    server.statuses = [404]
    with pytest.raises(ConnectionError, match=r"404 Client Error.*attempt 1 of 4"):
        fetch()


def test_without_a_connection_the_cure_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=r"refused.*`lembas_pyg\.io\.read_omnipath\(file\)`"):
        fetch_omnipath(url=f"http://127.0.0.1:{port}", retries=1, backoff=0.0)


def test_an_answer_cut_short_is_asked_for_again(fetch, server):
    server.missing = 10
    with pytest.raises(ConnectionError, match=r"IncompleteRead|ended prematurely"):
        fetch(retries=1)
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", ["<html>Log in to the hospital's network</html>\n", ""])
def test_an_answer_that_is_no_table_is_refused(fetch, server, answer):
    server.answer = answer
    with pytest.raises(ConnectionError, match="the answer is not a table"):
        fetch(retries=0)


def test_a_refused_query_says_why(fetch, server):
    server.answer = "Something is not entirely good:\nUnknown resource: `KEG`\n"
    with pytest.raises(ValueError, match="refuses the query: Unknown resource: `KEG`"):
        fetch(resources=["KEG"])
    assert len(server.asked) == 1


def test_no_interactions_is_an_error(fetch, server):
    server.answer = ANSWER.splitlines(keepends=True)[0]
    with pytest.raises(ValueError, match=r"no interactions of organism 10090.*\['KEG'\]"):
        fetch(resources=["KEG"], organism=10090)


def test_options_reach_the_server(fetch, server):
    fetch(resources=["SIGNOR", "KEGG-MEDICUS"], organism=10116, license="commercial")
    path, query = server.asked[0]
    assert path == "/interactions"
    assert query == {
        "datasets": "omnipath",
        "organisms": "10116",
        "resources": "KEGG-MEDICUS,SIGNOR",
        "license": "commercial",
        "genesymbols": "1",
        "format": "tsv",
        "fields": "curation_effort,datasets,entity_type,ncbi_tax_id,references,sources,type",
    }


@pytest.mark.parametrize(
    ("dataset", "asked"),
    [
        ("OmniPath", "omnipath"),
        ("post_translational", "kinaseextra,ligrecextra,omnipath,pathwayextra"),
        ("PostTranslational", "kinaseextra,ligrecextra,omnipath,pathwayextra"),
        ("ligrecextra", "ligrecextra"),
        ("kinase_extra", "kinaseextra"),
        ("pathwayextra", "pathwayextra"),
        ("small_molecule", "small_molecule"),
        ("tf-target", "tf_target"),
    ],
)
def test_datasets_are_classes_of_the_client(fetch, server, dataset, asked):
    fetch(dataset)
    assert server.asked[0][1]["datasets"] == asked


@pytest.mark.parametrize("dataset", CLASSES)
def test_every_class_of_the_client_is_there(fetch, dataset):
    fetch()
    import omnipath

    assert callable(getattr(omnipath.interactions, dataset).get)


def test_regulons_come_with_the_evidence_of_their_own_dataset(fetch, server):
    server.answer = REGULON_ANSWER
    table = fetch("collectri")
    assert table["target"].tolist() == ["P00002"]
    assert json.loads(table["extra_attrs"][0]) == {"a": 1}
    assert "evidences" in server.asked[0][1]["fields"]


def test_levels_of_confidence_are_asked_for_where_there_are_some(fetch, server):
    for dataset in ("dorothea", "collectri"):
        server.answer = REGULON_ANSWER.replace("collectri", dataset)
        fetch(dataset)
    assert ["dorothea_level" in query["fields"] for _, query in server.asked] == [True, False]


def test_a_second_call_reads_what_the_first_has_kept(fetch, server, tmp_path):
    first = fetch(cache=tmp_path / "kept")
    server.answer = "gone"
    second = fetch(cache=tmp_path / "kept")
    assert first.equals(second)
    assert len(server.asked) == 1
    table, beside = sorted((tmp_path / "kept").iterdir(), reverse=True)
    assert (table.suffixes, beside.suffix) == ([".tsv", ".gz"], ".json")
    assert read_omnipath(table).equals(first)


def test_another_question_is_kept_apart(fetch, server, tmp_path):
    fetch(cache=tmp_path)
    fetch(cache=tmp_path, resources=["SIGNOR"])
    assert len(server.asked) == 2
    assert len(list(tmp_path.glob("*.tsv.gz"))) == 2


def test_provenance_is_in_the_table_and_beside_the_file(fetch, server, tmp_path):
    provenance = fetch(cache=tmp_path, license="academic").attrs["provenance"]
    assert provenance["url"] == server.url
    assert provenance["dataset"] == "OmniPath"
    assert provenance["license"] == "academic"
    assert provenance["rows"] == 3
    assert provenance["client"].startswith("omnipath 1.")
    assert provenance["date"].startswith("20")
    assert provenance["direction and sign"] == "consensus"
    beside = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert beside.items() <= provenance.items()


def test_without_a_cache_nothing_is_kept(fetch):
    assert "file" not in fetch().attrs["provenance"]


def test_a_changed_file_is_not_read(fetch, tmp_path):
    path = Path(fetch(cache=tmp_path).attrs["provenance"]["file"])
    path.write_bytes(gzip.compress(ANSWER.replace("P00001", "P99999").encode()))
    with pytest.raises(ValueError, match=r"has been changed.*Delete it and fetch it again"):
        fetch(cache=tmp_path)


def test_the_options_of_the_client_are_put_back(fetch):
    fetch()
    import omnipath

    before = dict(vars(omnipath.options))
    fetch()
    assert vars(omnipath.options) == before


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"dataset": "kegg"}, "no dataset 'kegg'. Legal are OmniPath, PostTranslational"),
        ({"organism": 7227}, r"organism 7227. Legal are 9606 \(human\), 10090 \(mouse\)"),
        ({"resources": "SIGNOR"}, r"list of names such as \['SIGNOR'\]"),
        ({"resources": []}, "list of names"),
        ({"license": "free"}, "`license` is 'free'. Legal are academic, non_profit"),
        ({"retries": -1}, "neither can be negative"),
    ],
)
def test_illegal_options_are_refused_before_asking(fetch, server, options, match):
    with pytest.raises(ValueError, match=match):
        fetch(**options)
    assert server.asked == []


def test_a_missing_client_is_named(monkeypatch):
    monkeypatch.setattr("lembas_pyg.io.omnipath_fetch.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install omnipath"):
        fetch_omnipath()


@pytest.mark.parametrize("configured", [False, True])
def test_the_client_leaves_home_and_log_alone(server, tmp_path, configured):
    home = tmp_path / "home"
    home.mkdir()
    if configured:  # with the autoload that contacts the server on import
        (home / ".config").mkdir()
        (home / ".config" / "omnipathdb.ini").write_text(
            "[https://omnipathdb.org]\nlicense = commercial\ncache_dir = None\nautoload = True\n"
        )
    files = sorted(home.rglob("*"))
    script = textwrap.dedent(
        f"""
        import logging, os, sys
        from lembas_pyg.io import fetch_omnipath
        assert "omnipath" not in sys.modules, "imported before it is used"
        table = fetch_omnipath(url={server.url!r}, backoff=0.0)
        import omnipath
        assert logging.getLogger().handlers == [], "the root logger was configured"
        assert "OMNIPATH_AUTOLOAD" not in os.environ
        assert os.environ["HOME"] == {str(home)!r}
        print(len(table), omnipath.options.license, omnipath.options.url)
        """
    )
    server.statuses = [500]
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(root)}
    environment.pop("OMNIPATH_AUTOLOAD", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    license = "License.COMMERCIAL" if configured else "None"
    assert done.stdout.split() == ["3", license, "https://omnipathdb.org"]
    assert len(done.stderr.splitlines()) == 1, done.stderr  # the warning that it asks again
    assert "500 Server Error" in done.stderr
    assert sorted(home.rglob("*")) == files
    assert [path for path, _ in server.asked] == ["/interactions"] * 2
    assert "license" not in server.asked[0][1]


@pytest.mark.online
def test_omnipath_itself_answers(tmp_path):
    table = fetch_omnipath("ligrecextra", resources=["CellPhoneDB"], cache=tmp_path)
    assert len(table) > 100
    assert (table["source_taxon"] == "9606").all()
    assert table["sources"].str.contains("CellPhoneDB").all()
