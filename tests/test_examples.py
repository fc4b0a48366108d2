"""Every script of `examples/` runs as a reader would run it."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.io import read_annotation, read_conditions, read_interactions
from lembas_pyg.network import from_interactions, to_annotation, to_interactions
from lembas_pyg.synthetic import grid_stimuli, measure

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
# What each prints, and the files it leaves in the folder it is run in.
EXPECTED = {
    "quickstart.py": ("Change of TF activity by knock-out", []),
    "paper/fig2_toy_network.py": ("Pearson r, test", ["fig2/fig2.png"]),
    "pyg/explain_prediction.py": ("Rank correlation", []),
    "pyg/expression_to_bias.py": ("between lines", []),
    "pyg/implicit_layers.py": ("NOT CONVERGED", []),
}


def name_of(path):
    return path.relative_to(ROOT / "examples").as_posix()


@pytest.mark.parametrize("script", EXAMPLES, ids=name_of)
def test_the_script_runs_and_shows_something(script, tmp_path):
    options = ["--fast"] if "--fast" in script.read_text(encoding="utf-8") else []
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, str(script), *options],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    words, files = EXPECTED.get(name_of(script), ("", []))
    assert run.stdout.strip()
    assert words in run.stdout
    assert [f for f in files if not (tmp_path / f).stat().st_size] == []


def test_every_expectation_has_its_script():
    assert set(EXPECTED) <= set(map(name_of, EXAMPLES))


def test_the_tables_of_the_examples_are_the_toy_network_and_its_reference_data():
    folder = ROOT / "examples" / "toy"
    data = from_interactions(
        read_interactions(folder / "network.tsv"), read_annotation(folder / "annotation.tsv")
    )
    toy = ToyNetwork()[0]
    pd.testing.assert_frame_equal(to_interactions(data), to_interactions(toy))
    pd.testing.assert_frame_equal(to_annotation(data), to_annotation(toy))
    stimuli = grid_stimuli(["L1", "L2"])
    pd.testing.assert_frame_equal(read_conditions(folder / "ligands.tsv"), stimuli)
    measured = measure(reference_model(), toy, stimuli)
    tfs = read_conditions(folder / "tfs.tsv")
    assert tfs.index.equals(stimuli.index)
    assert abs(tfs["T1"].to_numpy() - measured.y[6].numpy()).max() < 1e-9
