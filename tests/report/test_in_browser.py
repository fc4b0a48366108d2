"""The page in Chromium: it opens without complaint, finds nodes, shows and sorts what it knows."""

import itertools
import os

import numpy as np
import pandas as pd
import pytest
import torch

import lembas_pyg as lp
from lembas_pyg.io import read_annotation, read_conditions, read_interactions
from lembas_pyg.report import explore, read_run, write_run_report

LABELS = {
    "C1": "LPS",
    "O00206": "TLR4",
    "Q9Y6K9": "IKKγ </script><b>",
    "O15111": "CHUK",
    "O14920": "IKBKB",
    "P25963": "NFKBIA",
    "Q04206": "RELA",
    "P05412": "JUN",
}
EDGES = [
    ("C1", "O00206", 1, "KEGG;SIGNOR", "KEGG:10835634;SIGNOR:10835634;SIGNOR:no paper"),
    ("O00206", "Q9Y6K9", 1, "KEGG", "KEGG:1"),
    ("Q9Y6K9", "O15111", 1, "KEGG", ""),
    ("Q9Y6K9", "O14920", 1, "KEGG", ""),
    ("O15111", "Q04206", 1, "SIGNOR", "SIGNOR:12345678"),
    ("O14920", "Q04206", 1, "SIGNOR", ""),
    ("O14920", "P25963", -1, "SIGNOR", ""),
    ("P25963", "Q04206", -1, "SIGNOR", ""),
    ("Q04206", "P25963", 1, "SIGNOR", ""),
    ("Q04206", "P05412", 0, "", ""),
    ("O00206", "P05412", 1, "", ""),
]


@pytest.fixture(scope="module")
def interactions():
    rows = [
        (source, target, 1, int(sign > 0), int(sign < 0), sources, references)
        for source, target, sign, sources, references in EDGES
    ]
    columns = ["source", "target", "direction", "stimulation", "inhibition", "sources"]
    return pd.DataFrame(rows, columns=[*columns, "references"])


@pytest.fixture(scope="module")
def data(interactions):
    annotation = pd.DataFrame(
        {
            "code": list(LABELS),
            "name": list(LABELS.values()),
            "TF": [name in ("RELA", "JUN") for name in LABELS.values()],
            "ligand": [name == "LPS" for name in LABELS.values()],
        }
    )
    ligands = pd.DataFrame({"C1": [0.0, 0.4, 1.0]}, ["none", "weak µM", "strong"])
    tfs = pd.DataFrame({"Q04206": [0.0, 0.4, 0.9], "P05412": [0.1, np.nan, 0.3]}, ligands.index)
    network = lp.network.from_interactions(interactions, annotation)
    return lp.network.add_conditions(network, ligands, tfs)


@pytest.fixture(scope="module")
def ensemble(data):
    generator = torch.Generator().manual_seed(1)
    models = [lp.LEMBAS(data, generator=generator).double() for _ in range(3)]
    for model in models:
        with torch.no_grad():
            forward = [edge for edge in range(len(EDGES)) if edge not in (7, 8)]
            model.conv.edge_weight[forward] *= 2  # but not the feedback, which would not settle
    return lp.Ensemble(models)


@pytest.fixture(scope="module")
def page(data, interactions, ensemble, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    ensemble.save(folder / "E")
    findings = explore(ensemble, data)
    return write_run_report(
        folder / "r é.html", read_run(folder / "E"), data, findings, interactions
    )


def rows(browser, table):
    return browser.run(
        f"[...document.querySelectorAll('{table} tbody tr')].map("
        "row => [...row.cells].map(cell => cell.innerText))"
    )


def find(browser, text):
    browser.type("#search", text)
    browser.wait("!document.getElementById('found').hidden")
    browser.key("Enter")
    browser.wait("document.querySelector('[data-view=near]').ariaPressed === 'true'")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_opens_without_complaint(browser, page, dark, width):
    browser.open(page, dark=dark, width=width)
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.run("Report.page.graph.drawn.whole.nodes().length") == 8
    assert browser.run("Report.page.graph.lines") == 11
    # Nothing but what scrolls by itself is wider than the window.
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_search_finds_rela_and_a_click_shows_its_regulators(browser, page, data):
    browser.open(page)
    browser.type("#search", "rel")
    browser.wait("!document.getElementById('found').hidden")
    assert browser.text("#found li").startswith("RELA Q04206, transcription factor")
    browser.click("#found li")
    browser.wait("document.querySelector('#details h3').innerText === 'RELA'")
    assert {row[1] for row in rows(browser, "#regulators")} == {"CHUK", "IKBKB", "NFKBIA"}
    assert {row[1] for row in rows(browser, "#targets")} == {"NFKBIA", "JUN"}
    drawn = browser.run("Report.page.graph.drawn.part.nodes().map(node => node.data('label'))")
    assert sorted(drawn) == ["CHUK", "IKBKB", "JUN", "NFKBIA", "RELA"]
    # What is both regulator and target is drawn with an edge each way.
    assert browser.run("Report.page.graph.drawn.part.edges().length") == 5
    assert browser.complaints() == []


def test_a_click_on_a_node_of_the_drawing_goes_there(browser, page):
    browser.open(page)
    find(browser, "RELA")
    browser.run("document.getElementById('part').scrollIntoView({block: 'center'})")
    browser.frames()  # Cytoscape hears of scrolling with the next one
    place = browser.run(
        "(() => { const box = document.getElementById('part').getBoundingClientRect();"
        "const at = Report.page.graph.drawn.part.nodes('[label = \"CHUK\"]').renderedPosition();"
        "return [box.x + at.x, box.y + at.y]; })()"
    )
    browser.click_at(*place)
    browser.wait("document.querySelector('#details h3').innerText === 'CHUK'")
    assert [row[1] for row in rows(browser, "#regulators")] == ["IKKγ </script><b>"]


def test_roles_and_signs_differ_in_colour_and_in_shape(browser, page):
    browser.open(page)
    find(browser, "RELA")
    looks = browser.run(
        "Report.page.graph.drawn.part.edges().map(edge => [edge.className ? edge.classes()[0] :"
        " '', edge.style('target-arrow-shape'), edge.style('line-color')])"
    )
    by_class = {look[0]: tuple(look[1:]) for look in looks}
    assert {shape for shape, _ in by_class.values()} == {"triangle", "tee", "circle"}
    assert len({colour for _, colour in by_class.values()}) == 3
    browser.click("[data-view=whole]")
    kinds = browser.run(
        "Report.page.graph.drawn.whole.nodes().map(node => [node.classes()[0],"
        " node.style('shape'), node.style('background-color')])"
    )
    kinds = {kind: tuple(look) for kind, *look in kinds}
    assert set(kinds) == {"ligand", "receptor", "inner", "tf"}
    assert len({shape for shape, _ in kinds.values()}) == 4
    assert len({colour for _, colour in kinds.values()}) == 4


def test_states_and_knock_outs_are_those_of_the_models(browser, page, data, ensemble):
    browser.open(page)
    find(browser, "CHUK")
    state = np.median([lp.predict(m, data).h.numpy() for m in ensemble.models], axis=0)
    table = lp.analysis.knock_out(ensemble, data, "O15111").set_index(["condition", "tf"])
    for condition, place in data.conditions.items():
        browser.run(
            f"(() => {{ const list = document.getElementById('condition'); list.value = {place};"
            "list.dispatchEvent(new Event('change')); })()"
        )
        browser.wait(f"document.querySelector('#details').innerText.includes('under {condition}')")
        shown = browser.run(f"Report.page.net.stateOf({data.node_name.index('O15111')}, {place})")
        assert shown == pytest.approx(state[data.node_name.index("O15111"), place], abs=5.1e-4)
        effects = {row[0]: float(row[1].replace("−", "-")) for row in rows(browser, "#knock-out")}
        expected = table.loc[condition, "delta"]
        expected = {data.node_label[data.node_name.index(tf)]: d for tf, d in expected.items()}
        large = {tf: delta for tf, delta in expected.items() if abs(delta) >= 0.006}
        assert {tf: effects[tf] for tf in large} == pytest.approx(large, abs=6e-4)
    assert large


def test_the_knock_out_table_sorts(browser, page):
    browser.open(page)
    find(browser, "RELA")

    def effects():
        return [abs(float(row[1].replace("−", "-"))) for row in rows(browser, "#causes")]

    before = effects()
    assert len(before) > 3 and before == sorted(before, reverse=True)
    browser.click("#causes th:nth-child(2)")
    browser.click("#causes th:nth-child(2)")
    assert effects() == sorted(before)
    browser.click("#causes th:nth-child(1)")
    names = [row[0] for row in rows(browser, "#causes")]
    assert names == sorted(names, key=str.lower)
    assert browser.run("document.querySelector('#causes th').ariaSort") == "ascending"


def test_an_edge_tells_its_resources_and_references(browser, page):
    browser.open(page)
    find(browser, "LPS")
    browser.click("#targets td:last-child button")
    browser.wait("document.querySelector('#details h3').innerText === 'LPS activates TLR4'")
    text = browser.text("#details")
    assert "Resources (2)\n\nKEGG, SIGNOR" in text or "Resources (2)\nKEGG, SIGNOR" in text
    assert "10835634 (KEGG, SIGNOR)" in text and "no paper (SIGNOR)" in text
    links = browser.run("[...document.querySelectorAll('#details a')].map(link => link.href)")
    assert links == ["https://pubmed.ncbi.nlm.nih.gov/10835634/"]


def test_the_strongest_chain_is_the_best_of_all(browser, page, data):
    browser.open(page)
    ends = data.node_name.index("C1"), data.node_name.index("Q04206")
    found = browser.run(f"Report.page.net.chain({ends[0]}, {ends[1]}, 1)")
    gains = browser.run(
        "[...Report.page.net.source.keys()].map(edge => Report.page.net.gain(edge, 1))"
    )
    pairs = {pair: edge for edge, pair in enumerate(zip(*data.edge_index.tolist(), strict=True))}
    best, winner = 0.0, None
    others = [node for node in range(8) if node not in ends]
    for size in range(7):
        for middle in itertools.permutations(others, size):
            steps = list(itertools.pairwise((ends[0], *middle, ends[1])))
            if all(step in pairs for step in steps):
                product = np.prod([min(1, abs(gains[pairs[step]])) for step in steps])
                if product > best:
                    best, winner = product, [pairs[step] for step in steps]
    assert found == winner and len(winner) >= 3
    browser.run("document.getElementById('to').value = " + str(ends[1]))
    browser.click("#chain")
    browser.wait("document.querySelector('[data-view=path]').ariaPressed === 'true'")
    assert "Strongest chain from LPS to RELA" in browser.text("#caption")
    assert browser.complaints() == []


def test_an_explained_path_is_drawn_with_its_share(browser, page):
    browser.open(page)
    browser.run(
        "(() => { const list = document.getElementById('explained'); list.value = '0';"
        "list.dispatchEvent(new Event('change')); })()"
    )
    browser.wait("document.querySelector('#path') !== null")
    path = browser.run("Report.page.net.content.paths[0]")
    drawn = browser.run("Report.page.graph.drawn.part.edges().map(edge => edge.data('edge'))")
    assert sorted(drawn) == sorted(path["edges"])
    assert f"bring about {round(100 * path['kept'])} % of it" in browser.text("#caption")


@pytest.mark.parametrize("colour", ["state", "effect"])
def test_nodes_take_the_colour_of_a_number(browser, page, colour):
    browser.open(page)
    find(browser, "RELA")
    browser.run(
        f"(() => {{ const list = document.getElementById('colour'); list.value = '{colour}';"
        "list.dispatchEvent(new Event('change')); })()"
    )
    browser.wait("Report.page.graph.drawn.part.nodes('[fill]').length === 5")
    assert browser.run("!document.getElementById('scale').hidden")


def test_the_heat_map_tells_a_cell_and_opens_its_tf(browser, page, data):
    browser.open(page)
    assert browser.run("Report.page.net.heat.columns.length") == 2
    browser.run("document.querySelector('#heat').scrollIntoView({block: 'center'})")
    place = browser.run(
        "(() => { const box = document.querySelector('#heat canvas').getBoundingClientRect();"
        "return [box.x + 70, box.y + 75]; })()"
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    browser.wait("document.querySelector('#heat-text').innerText.includes('measured')")
    words = browser.text("#heat-text")
    browser.click_at(*place)
    browser.wait(
        f"document.querySelector('#details h3').innerText === '{words.split(' under')[0]}'"
    )


def test_tables_of_the_page_sort_too(browser, page):
    browser.open(page)
    browser.run("document.querySelector('#stability details').open = true")
    browser.click("#stability th:first-child")
    names = [row[0] for row in rows(browser, "#stability")]
    assert names == sorted(names)


def test_a_page_of_little_has_no_empty_panels(browser, data, ensemble, tmp_path):
    ensemble.save(tmp_path / "E")
    findings = explore(ensemble, data, without=["knock-outs", "stability", "paths"])
    page = write_run_report(tmp_path / "r.html", read_run(tmp_path / "E"), data, findings)
    browser.open(page)
    assert "Knock-outs were not computed for this page" in browser.text("#details")
    assert browser.run("document.getElementById('explained-paths').hidden")
    assert browser.run("document.querySelector('#colour [value=effect]')") is None
    find(browser, "LPS")
    browser.click("#targets td:last-child button")
    browser.wait("document.querySelector('#details h3').innerText === 'LPS activates TLR4'")
    assert "names neither resources nor references" in browser.text("#details")
    assert browser.complaints() == []


@pytest.mark.slow
def test_the_ligand_screen_fits_into_five_megabytes_and_moves_smoothly(
    browser, shared_data, tmp_path
):
    """Two members and a few conditions, unless a trained run is named: size and speed alone."""
    networks = shared_data / "lembas" / "networks"
    interactions = read_interactions(networks / "ligandScreen-Model.tsv")
    annotation = read_annotation(networks / "ligandScreen-Annotation.tsv")
    tables = [read_conditions(networks / f"ligandScreen-{name}.tsv") for name in ("Ligands", "TFs")]
    data = lp.network.add_conditions(
        lp.network.from_interactions(interactions, annotation), *tables
    )
    given = os.environ.get("LEMBAS_PYG_SCREEN_RUN")
    if given:
        run = read_run(given)
        model, data = run.load(data)
    else:
        lp.Ensemble([lp.LEMBAS(data).double() for _ in range(2)]).save(tmp_path / "E")
        run = read_run(tmp_path / "E")
        model, data = run.load(data)
    findings = explore(model, data, list(data.conditions)[::30], paths=0)
    page = write_run_report(tmp_path / "r.html", run, data, findings, interactions)
    assert page.stat().st_size < 5e6
    browser.open(page)
    assert browser.seconds_of_cpu() < 3
    find(browser, "RELA")
    known = interactions.loc[interactions["target"] == "Q04206", "source"]
    shown = {row[1] for row in rows(browser, "#regulators")} - {"surrogate variable"}
    labels = dict(zip(data.node_name, data.node_label, strict=True))
    assert shown == {labels[name] for name in known}
    browser.click("[data-view=whole]")
    browser.frames()
    before = browser.seconds_of_cpu()
    browser.run(
        "(async () => { for (let i = 0; i < 20; i += 1) {"
        "Report.page.graph.drawn.whole.panBy({x: 5, y: 0});"
        "await new Promise(requestAnimationFrame); } })()"
    )
    assert (browser.seconds_of_cpu() - before) / 20 < 0.1
    assert browser.complaints() == []
