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
    "build_network.py": (
        "Agreement with the published network of 6594 edges",
        [f"network/SIGNOR+HuGeSiM/{name}.tsv" for name in ("Model", "Annotation", "report")],
    ),
    "quickstart.py": ("Change of TF activity by knock-out", []),
    "network_from_databases.py": (
        "no path from any ligand",
        [
            f"network/{name}"
            for name in (
                "network.tsv",
                "annotation.tsv",
                "report.tsv",
                "network.graphml",
                "network.sif",
                "network.bnet",
            )
        ],
    ),
    "paper/fig2_toy_network.py": ("Pearson r, test", ["fig2/fig2.png"]),
    "paper/fig3_spectral_radius.py": ("weights before and after", ["fig3/fig3.png"]),
    "paper/figS11a_spectral_regularisation.py": (
        "contraction of all conditions",
        ["figS11a/figS11a.png", "figS11a/results.tsv", "figS11a/history.tsv"],
    ),
    "pyg/explain_prediction.py": ("Rank correlation", []),
    "pyg/expression_to_bias.py": ("between lines", []),
    "pyg/implicit_layers.py": ("NOT CONVERGED", []),
}
# Those that need published data.
PUBLISHED = {"build_network.py", "paper/figS11a_spectral_regularisation.py"}


def name_of(path):
    return path.relative_to(ROOT / "examples").as_posix()


@pytest.fixture
def run_example(request, tmp_path):
    """What a script prints, run in an empty folder."""

    def run(script, *options, timeout=300):
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        env = {"PYTHONPATH": path, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
        if name_of(script) in PUBLISHED:
            data = request.getfixturevalue("shared_data")
            env["LEMBAS_PYG_MIRROR"] = str(data / "lembas" / "networks")
            env["LEMBAS_PYG_SHARED"] = str(data.parent)
        done = subprocess.run(
            [sys.executable, str(script), *options],
            cwd=tmp_path,
            env=os.environ | env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("script", EXAMPLES, ids=name_of)
def test_the_script_runs_and_shows_something(script, run_example, tmp_path):
    options = ["--fast"] if "--fast" in script.read_text(encoding="utf-8") else []
    printed = run_example(script, *options)
    words, files = EXPECTED.get(name_of(script), ("", []))
    assert printed.strip()
    assert words in printed
    assert [f for f in files if not (tmp_path / f).stat().st_size] == []


def test_every_expectation_has_its_script():
    assert set(EXPECTED) <= set(map(name_of, EXAMPLES))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_figure_3_shrinks_the_radius_and_barely_changes_the_weights(seed, run_example):
    printed = run_example(ROOT / "examples/paper/fig3_spectral_radius.py", f"--seed={seed}")

    def found(name):
        (line,) = (line for line in printed.splitlines() if line.strip().startswith(name))
        return float(line.split()[-1])

    assert found("b  spectral radius after 200 steps") < 1
    assert found("b  spectral radius at the end") < 0.97
    assert found("c  Pearson r, weights before and after") > 0.998
    assert found("c  change of the weights") < 0.06
    assert found("before") > 1e9
    assert found("after") < 1e-2
    assert found("S6 error") < 1e-6


@pytest.mark.slow
def test_figure_s11a_has_fewer_unsteady_visits_with_a_spectral_term(run_example, tmp_path):
    script = ROOT / "examples/paper/figS11a_spectral_regularisation.py"
    run_example(script, "--seeds", "1", timeout=3600)
    table = pd.read_csv(tmp_path / "figS11a/results.tsv", sep="\t", index_col="spectral term")
    none, *others = table["unsteady visits"]
    assert max(others) < none / 2
    assert (table["r train"] > 0.95).all()
    assert table["largest radius"].iloc[0] > 1
    assert table["largest radius"].iloc[1:].max() < 1


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
