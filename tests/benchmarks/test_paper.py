"""The page of the paper's figures."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import paper


def test_scripts_come_in_the_order_of_the_figures():
    names = [path.stem for path in paper.scripts()]
    assert names[:3] == ["fig1_mechanisms", "fig2_toy_network", "fig3_spectral_radius"]
    supplementary = [name for name in names if name.startswith("figS")]
    assert names[-len(supplementary) :] == supplementary
    assert names.index("figS8_automatic_parameters") < names.index("figS13_tf_activity")


def test_scripts_ask_models_that_were_trained_before(tmp_path, monkeypatch):
    names = [path.stem for path in paper.scripts(["6"])]
    commands = []
    monkeypatch.setattr(paper.subprocess, "run", lambda command, **_: commands.append(command))
    for path in paper.scripts(["6"]):
        paper.run(path, tmp_path, fast=False)
    members = str(tmp_path / "fig6_ligand_screen/members")
    assert names[0] == "fig6_ligand_screen"
    assert ["--members" in command and members in command for command in commands] == [
        False,
        True,
        True,
    ]


def test_a_figure_is_chosen_by_its_number():
    assert [path.stem for path in paper.scripts(["S8"])] == ["figS8_automatic_parameters"]
    with pytest.raises(ValueError, match=r"no script of figure 9; there are 1, 2"):
        paper.scripts(["9"])


def test_every_script_leaves_numbers_under_its_own_name():
    for path in paper.scripts():
        text = path.read_text("utf-8")
        assert "from _figure import" in text
        assert f'"{path.stem}"' in text


def test_scripts_that_take_longer_are_scripts_with_a_page():
    assert set(paper._LONG) <= {path.stem for path in paper.scripts()}
    for page in paper._LONG.values():
        name = page.removeprefix("{doc}`").removesuffix("`")
        assert (Path(paper.__file__).parents[1] / "docs" / f"{name}.md").exists()


def test_the_page_sets_numbers_beside_those_of_the_paper():
    numbers = pd.DataFrame(
        [("5a", "r", "0.984", "0.990"), ("5c", "knock-outs", "0.80", "0.85")],
        columns=["figure", "what", "paper", "ours"],
    )
    text = paper.page([paper.Run("fig5", numbers, 12.3, "2026-11-25")])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["5a", "r", "0.984", "0.990", "12", "2026-11-25"] in rows
    assert ["5c", "knock-outs", "0.80", "0.85", "", ""] in rows
    assert "missing interaction" in text
    assert not any(row[:2] == ["`fig6_ligand_screen.py`", "yes"] for row in rows)


def test_the_page_says_whose_numbers_of_long_scripts_are_on_it():
    row = pd.DataFrame([("6g", "hubs", "235", "119")], columns=["figure", "what", "paper", "ours"])
    text = paper.page([paper.Run("fig6g_sensitivity", row, 9.0, "2026-11-25")])
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["`fig6g_sensitivity.py`", "yes", "{doc}`howto/fig6g-sensitivity`"] in cells


def test_numbers_that_are_not_run_again_stay(tmp_path, monkeypatch):
    def run(path, folder, fast):
        row = [("S8", "r", "0.9", "0.91"), ("S8", "what is | not", "", "nan")]
        return paper.Run(path.stem, pd.DataFrame(row, columns=paper._NUMBERS), 9.0, "2026-11-26")

    kept = pd.DataFrame([("2f", "r", "-", "1")], columns=paper._NUMBERS)
    table, text = tmp_path / "paper.tsv", tmp_path / "paper.md"
    paper.write([paper.Run("fig2_toy_network", kept, 5.0, "2026-11-25")], table)
    monkeypatch.setattr(paper, "run", run)
    monkeypatch.setattr("sys.argv", f"paper --fig S8 --table {table} --out {text}".split())
    paper.main()
    first, second = paper.read(table)
    assert first.numbers.equals(kept) and (first.seconds, first.date) == (5.0, "2026-11-25")
    assert second.script == "figS8_automatic_parameters" and second.date == "2026-11-26"
    assert second.numbers["ours"].tolist() == ["0.91", "nan"]
    assert "| 2f" in text.read_text("utf-8")


def test_the_page_is_that_of_the_table():
    """Of all but the machine, which is that of the last run."""
    written = paper._PAGE.read_text("utf-8").partition("## Numbers")[2]
    assert written == paper.page(paper.read(paper._TABLE)).partition("## Numbers")[2]


def test_a_script_leaves_its_numbers_wherever_below_its_folder(tmp_path):
    (tmp_path / "fig1/sub").mkdir(parents=True)
    (tmp_path / "fig1/sub/fig1-numbers.tsv").write_text(
        "figure\twhat\tpaper\tours\n1\tr\tnan\t0.9\n"
    )
    assert paper._numbers(tmp_path, "fig1").to_numpy().tolist() == [["1", "r", "nan", "0.9"]]
    assert paper._numbers(tmp_path, "fig2").empty
