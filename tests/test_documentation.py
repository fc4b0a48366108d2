"""The blocks of Python in README and documentation do what they say."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import lembas_pyg as lp
from lembas_pyg.cli import main
from lembas_pyg.datasets import ToyNetwork

ROOT = Path(__file__).resolve().parents[1]
NOT_RUN = {
    "docs/howto/fig6g-sensitivity.md": "needs the models of examples/paper/fig6_ligand_screen.py",
    "docs/howto/scale-out.md": "needs a cluster; tests/test_scale_out.py runs what is left",
    "docs/howto/tf-activity.md": "needs scanpy and pydeseq2, which no extra brings",
}


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def pages():
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {
        str(page.relative_to(ROOT)): blocks(page)
        for page in found
        if "_build" not in page.parts and blocks(page)
    }


PAGES = pages()


def run(page, names=None):
    names = {} if names is None else names
    for block in PAGES[page]:
        exec(compile(block, page, "exec"), names)
    return names


@pytest.fixture
def screen(shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("LEMBAS_PYG_MIRROR", str(shared_data / "lembas/networks"))
    return lp.datasets.LigandScreen(str(tmp_path))[0]


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """A folder with the tables of a small screen, under the names that the pages use."""
    data = ToyNetwork()[0]
    lp.io.write_interactions(lp.network.to_interactions(data), tmp_path / "network.tsv")
    lp.io.write_annotation(lp.network.to_annotation(data), tmp_path / "annotation.tsv")
    ligands = pd.DataFrame(
        [[a / 3, b / 3] for a in range(4) for b in range(4)],
        index=[f"condition {i}" for i in range(16)],
        columns=[data.node_name[i] for i in data.ligand_mask.nonzero().view(-1)],
    )
    tf = data.node_name[int(data.tf_mask.nonzero())]
    tfs = pd.DataFrame({tf: 0.2 + 0.6 * ligands.max(axis=1)})
    lp.io.write_conditions(ligands, tmp_path / "ligands.tsv")
    lp.io.write_conditions(tfs, tmp_path / "tfs.tsv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_ten_lines_of_the_readme(tables, capsys, monkeypatch):
    short = replace(lp.TrainingConfig.ligand_screen(), epochs=60)
    monkeypatch.setattr(lp.TrainingConfig, "ligand_screen", lambda: short)
    names = run("README.md")
    assert list(capsys.readouterr().out.split()[:1]) == ["rank"]
    assert names["prediction"].converged.all()
    assert names["history"].table["loss"].iloc[-1] < names["history"].table["loss"].iloc[0]


def test_the_surrogate_variable_is_one_more_input(screen, capsys):
    names = run("docs/better-than-ridge.md", {"data": screen})
    assert len(capsys.readouterr().out) > 0
    assert names["data"].num_nodes == screen.num_nodes + 1


def test_a_page_of_a_run_is_made_in_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/howto/report.md").read_text(encoding="utf-8")
    train, report = re.findall(r"^lembas-pyg (.*)", text.replace("\\\n", " "), re.M)
    assert main(["demo"]) == 0
    assert main([*train.split(), "--epochs", "20"]) == 0
    assert main(report.split()) == 0
    (tmp_path / "report.html").unlink()
    run("docs/howto/report.md")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_published_model_is_loaded(shared, tmp_path, monkeypatch):
    for name in ("KEGGnet-Model.tsv", "KEGGnet-Annotation.tsv", "KEGGnet-Parameters.txt"):
        shutil.copy(shared / "data/lembas/networks" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run("docs/coming-from-lembas.md")["model"].num_nodes == 409


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S))
    for link in links:
        if not link.startswith(("http://", "https://", "#")):
            file, _, anchor = link.partition("#")
            target = page.parent / file
            assert target.exists(), f"{page}: {link}"
            if anchor:
                titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
                slugs = {
                    re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles
                }
                assert anchor in slugs, f"{page}: {link}"


def test_every_page_is_run_or_says_why_not():
    run_here = {
        "README.md",
        "docs/better-than-ridge.md",
        "docs/coming-from-lembas.md",
        "docs/howto/report.md",
    }
    assert set(PAGES) == run_here | set(NOT_RUN)
