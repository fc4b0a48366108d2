"""Every script of `examples/` runs as a reader would run it."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lembas_pyg.datasets import ToyNetwork
from lembas_pyg.demo import reference_model
from lembas_pyg.io import read_annotation, read_conditions, read_interactions, write_tsv
from lembas_pyg.network import from_interactions, to_annotation, to_interactions
from lembas_pyg.synthetic import grid_stimuli, measure

ROOT = Path(__file__).resolve().parents[1]
# What scripts share has a name with an underscore.
EXAMPLES = sorted(p for p in (ROOT / "examples").rglob("*.py") if not p.name.startswith("_"))
# What each prints, and the files it leaves in the folder it is run in.
EXPECTED = {
    "build_network.py": (
        "Agreement with the published network of 6594 edges",
        [f"network/SIGNOR+HuGeSiM/{name}.tsv" for name in ("Model", "Annotation", "report")],
    ),
    "explain_path.py": (
        "L2 changes T1 by",
        [f"paths/{n}" for n in ("path.graphml", "path.sif", "path.png", "sensitivity.png")],
    ),
    "stability_and_signs.py": ("Hidden signs", ["radius.png"]),
    "cross_validate.py": ("Knock-outs by the median", ["cross-validation/members.json"]),
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
    "knock_out_screen.py": ("Without both receptors the activity of T1", ["knock-outs.png"]),
    "paper/fig6_knock_outs.py": (
        "Spearman correlation of two models",
        [
            f"fig6-knock-outs/fast/{name}"
            for name in (
                "fig6ef.png",
                "knock-outs.tsv",
                "knock-ins.tsv",
                "fig6_knock_outs-numbers.tsv",
            )
        ],
    ),
    "paper/fig4_reference_model.py": (
        "share of dead TFs",
        [
            f"fig4/{name}"
            for name in (
                "fig4.png",
                "reference-parameters.tsv",
                "fig4_reference_model-numbers.tsv",
            )
        ],
    ),
    "paper/fig5_synthetic.py": (
        "equal signs of those above 0.01",
        [f"fig5/fast/{name}" for name in ("fig5.png", "scores.tsv", "fig5_synthetic-numbers.tsv")],
    ),
    "paper/fig6g_sensitivity.py": (
        "median of the models that have not seen it",
        ["fig6g/fast/hubs.tsv", "fig6g/fast/fig6g_sensitivity-numbers.tsv"],
    ),
    "paper/fig1_mechanisms.py": (
        "best ODE of wrong form",
        ["fig1/fig1.png", "fig1/figS1c.png", "fig1/fig1_mechanisms-numbers.tsv"],
    ),
    "paper/fig2_toy_network.py": (
        "Pearson r, test",
        ["fig2/fig2.png", "fig2/fig2_toy_network-numbers.tsv"],
    ),
    "paper/fig3_spectral_radius.py": (
        "weights before and after",
        ["fig3/fig3.png", "fig3/fig3_spectral_radius-numbers.tsv"],
    ),
    "paper/figS2_adjoint.py": (
        "difference of gradients",
        ["figS2/figS2.png", "figS2/figS2_adjoint-numbers.tsv"],
    ),
    "paper/figS3_solvers.py": (
        "Newton relative to iteration",
        ["figS3/figS3.png", "figS3/figS3_solvers-numbers.tsv"],
    ),
    "paper/figS4_held_out.py": (
        "test conditions, south-west",
        ["figS4/figS4.png", "figS4/figS4_held_out-numbers.tsv"],
    ),
    "paper/figS5_nfkb.py": (
        "turning points of TF activity",
        ["figS5/figS5.png", "figS5/figS5_nfkb-numbers.tsv"],
    ),
    "paper/figS7_random_wiring.py": (
        "random relative to KEGG",
        ["figS7/figS7.png", "figS7/figS7_random_wiring-numbers.tsv"],
    ),
    "paper/figS8_automatic_parameters.py": (
        "profile set by hand",
        ["figS8/figS8.png", "figS8/figS8_automatic_parameters-numbers.tsv"],
    ),
    "paper/figS9_emergent_states.py": (
        "dimension, 10 ligands",
        ["figS9/figS9.png", "figS9/figS9_emergent_states-numbers.tsv"],
    ),
    "paper/figS10_complexity.py": (
        "exponent of the epochs",
        ["figS10/figS10.png", "figS10/figS10_complexity-numbers.tsv"],
    ),
    "paper/figS11a_spectral_regularisation.py": (
        "contraction of all conditions",
        [
            f"figS11a/{name}"
            for name in (
                "figS11a.png",
                "results.tsv",
                "history.tsv",
                "figS11a_spectral_regularisation-numbers.tsv",
            )
        ],
    ),
    "paper/fig6_ligand_screen.py": (
        "24 of 103 conditions are at its far end",
        [
            f"fig6/fast/{name}"
            for name in (
                "fig6b.png",
                "fig6cd.png",
                "figS17.png",
                "surrogate.tsv",
                "predictions.tsv",
                "scores.tsv",
                "fold-scores.tsv",
                "members.tsv",
                "r-by-tf.tsv",
                "fig6_ligand_screen-numbers.tsv",
            )
        ],
    ),
    "paper/figS15_literature.py": (
        "all converged",
        [
            f"figS15/fast/{name}"
            for name in (
                "figS15.png",
                "predictions.tsv",
                "scrambled-predictions.tsv",
                "scores.tsv",
                "fold-scores.tsv",
                "members.tsv",
                "figS15_literature-numbers.tsv",
            )
        ],
    ),
    "paper/figS18_viability.py": (
        "fit, Pearson r",
        [
            f"figS18/fast/{name}"
            for name in ("figS18.png", "figS18_viability-numbers.tsv", "scores.tsv", "curves.tsv")
        ],
    ),
    "drug_combinations.py": ("Bliss", ["combination.png", "curves.png", "combination.tsv"]),
    "tf_activity.py": ("Left out", ["expression.tsv", "recovery.png"]),
    "paper/figS13_tf_activity.py": (
        "88 TFs shared",
        [
            f"figS13/{name}"
            for name in (
                "figS13.png",
                "figS14.png",
                "figS16.png",
                "fig6b.png",
                "recovery.png",
                "recovery.tsv",
                "macrophage-TFs.tsv",
                "macrophage-report.tsv",
                "ligandScreen-samples.tsv",
                "ligandScreen-report.tsv",
                "figS13_tf_activity-numbers.tsv",
            )
        ],
    ),
    "unseen_ligands.py": (
        "the network against itself rewired",
        [f"unseen/fast/{name}.tsv" for name in ("guessed", "told", "rewired")],
    ),
    "missing_interaction.py": ("Mean squared error with the best one added", []),
    "pyg/explain_prediction.py": ("Rank correlation", []),
    "pyg/expression_to_bias.py": ("between lines", []),
    "pyg/implicit_layers.py": ("NOT CONVERGED", []),
}
# Those that need published data.
PUBLISHED = {
    "build_network.py",
    "paper/fig4_reference_model.py",
    "paper/fig5_synthetic.py",
    "paper/fig6_knock_outs.py",
    "paper/fig6_ligand_screen.py",
    "paper/fig6g_sensitivity.py",
    "paper/figS11a_spectral_regularisation.py",
    "paper/figS10_complexity.py",
    "paper/figS13_tf_activity.py",
    "paper/figS3_solvers.py",
    "paper/figS7_random_wiring.py",
    "paper/figS9_emergent_states.py",
    "paper/figS15_literature.py",
    "paper/figS18_viability.py",
    "unseen_ligands.py",
}


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
            folders = [str(data / "lembas" / name) for name in ("networks", "viability")]
            env["LEMBAS_PYG_MIRROR"] = os.pathsep.join(folders)
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


@pytest.fixture
def numbers(run_example, tmp_path):
    """Run a script of the paper's figures; what it found, by what it is."""

    def run(script, *options, timeout=1800):
        run_example(
            ROOT / "examples/paper" / f"{script}.py", "--out=out", *options, timeout=timeout
        )
        table = pd.read_csv(tmp_path / "out" / f"{script}-numbers.tsv", sep="\t", dtype=str)
        assert table.columns.tolist() == ["figure", "what", "paper", "ours"]
        return table

    return run


def found(table, what, figure=""):
    """The one number called so, or else beginning so, of a figure whose name ends in this text."""
    table = table[table["figure"].str.endswith(figure)]
    exact = table["what"] == what
    chosen = exact if exact.any() else table["what"].str.startswith(what)
    (value,) = table.loc[chosen, "ours"]
    return float(value)


@pytest.mark.slow
def test_figure_1_has_mml_without_hidden_layer_best_for_independent_sources(numbers):
    table = numbers("fig1_mechanisms")
    for mechanism in ("independent activation", "independent (de)activation"):
        mml = found(table, "r, MML", mechanism)
        assert mml > 0.99
        for other in ("r, leaky ReLU", "r, sigmoid", "r, best ODE of wrong form"):
            assert found(table, other, mechanism) < mml
    assert found(table, "smallest r, MML, hidden layer") > 0.95
    assert found(table, "smallest r, sigmoid, hidden layer") > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_figure_2_recovers_the_parameters_within_5_percent(seed, numbers):
    table = numbers("fig2_toy_network", f"--seed={seed}")
    assert found(table, "Pearson r, test") > 0.99
    assert found(table, "Pearson r, weights") > 0.98
    assert found(table, "largest error of a weight (relative), refined") < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_figure_3_shrinks_the_radius_and_barely_changes_the_weights(seed, numbers):
    table = numbers("fig3_spectral_radius", f"--seed={seed}")
    assert found(table, "spectral radius after 200 steps") < 1
    assert found(table, "spectral radius at the end") < 0.97
    assert found(table, "Pearson r, weights before and after") > 0.998
    assert found(table, "change of the weights") < 0.06
    late = "deviation, last 20 of 150 steps relative to first 20"
    assert found(table, f"{late}, before") > 1e9
    assert found(table, f"{late}, after") < 1e-2
    assert found(table, "error of") < 1e-6


@pytest.mark.slow
def test_figure_4_spreads_tf_activities_as_the_published_parameters_do(numbers):
    table = numbers("fig4_reference_model")
    published = table[table["figure"] == "4c"].set_index("what")["paper"]

    def pair(what):
        return found(table, what, "4c"), float(published[what])

    assert found(table, "share of dead TFs", "4c") < 0.04  # none where it was developed
    ours, theirs = pair("variance of a TF, mean")
    assert ours > 0.75 * theirs > 10 * found(table, "variance of a TF, mean, random", "4b")
    ours, theirs = pair("mean")
    assert abs(ours - theirs) < 0.1
    for what in ("mean absolute correlation of two TFs", "dimension"):
        ours, theirs = pair(what)
        assert 0.6 < ours / theirs < 1.6
    assert found(table, "r, linear fit, 10 ligands") < 0.9
    for level in (2, 3, 5, 10):
        single = found(table, f"r, fit to single ligands, {level} ligands")
        assert single < found(table, f"r, linear fit, {level} ligands")


@pytest.mark.slow
def test_figure_s3_has_iteration_an_order_of_magnitude_faster(numbers):
    table = numbers("figS3_solvers")
    for name in ("500 random nodes", "KEGG network"):
        assert found(table, f"Newton relative to iteration, {name}") > 10
        assert found(table, f"linear solver relative to iteration, {name}") > 10
        assert found(table, f"difference of the adjoints (relative), {name}") < 1e-6
        assert found(table, f"share of conditions with the same state, {name}") >= 0.9


@pytest.mark.slow
def test_figure_s7_responds_more_in_random_networks(numbers):
    table = numbers("figS7_random_wiring")
    assert found(table, "variance, random relative to KEGG") > 2
    alike = "correlation of two conditions"
    assert found(table, f"{alike}, random") < found(table, f"{alike}, KEGG") - 0.3


@pytest.mark.slow
def test_figure_s9_covers_more_with_more_ligands(numbers):
    table = numbers("figS9_emergent_states")
    for what in ("area covered", "variance", "dimension"):
        values = table[table["what"].str.startswith(what)]["ours"].astype(float)
        assert len(values) == 5 and values.is_monotonic_increasing


@pytest.mark.slow
def test_figure_s10_is_linear_in_nodes_and_sublinear_in_conditions(numbers):
    table = numbers("figS10_complexity")
    assert found(table, "seconds a pass, 19000 nodes") < 0.06
    assert 0.5 < found(table, "exponent of the time by nodes") < 1.3
    assert found(table, "exponent of the epochs by conditions") < 1


@pytest.mark.slow
def test_figure_s2_has_one_gradient_and_two_memories(numbers):
    table = numbers("figS2_adjoint")
    assert found(table, "difference of gradients, 300 steps") < 1e-6
    assert found(table, "memory kept (MB), adjoint") * 100 < found(
        table, "memory kept (MB), 150 steps"
    )


@pytest.mark.slow
def test_figure_s4_generalizes_to_regions_and_leaves_the_pipe_undetermined(numbers):
    table = numbers("figS4_held_out")
    assert found(table, "r on 25 test conditions, south-west") > 0.7
    for region in ("20 test conditions, stripe", "36 test conditions, boundary"):
        assert found(table, f"r on {region}") > 0.98
    assert found(table, "r of TF activity, test") > 0.999
    assert found(table, "r of states") > 0.9
    assert found(table, "largest error of a weight") > 0.1


@pytest.mark.slow
def test_figure_s5_recovers_the_parameters_within_5_percent(numbers):
    table = numbers("figS5_nfkb")
    assert found(table, "turning points") >= 2
    assert found(table, "largest error of a weight (relative), refined") < 0.05


@pytest.mark.slow
def test_figure_s8_spreads_activity_as_parameters_set_by_hand_do(numbers):
    table = numbers("figS8_automatic_parameters")
    assert found(table, "r, best of starts") > 0.8
    assert found(table, "r with the profile set by hand") > found(table, "r, random, median") + 0.1
    asked = found(table, "standard deviation that is asked for")
    by_hand = found(table, "standard deviation of TF activity, by hand")
    assert asked - 0.03 < found(table, "standard deviation, found") < by_hand


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


@pytest.mark.slow
def test_figure_s13_makes_the_published_activities_again(run_example, tmp_path):
    printed = run_example(ROOT / "examples/paper/figS13_tf_activity.py", timeout=600)
    shared = [line.split(", ") for line in printed.splitlines() if line.endswith("TFs shared")]
    assert [words for _, words in shared] == ["88 TFs shared", "74 TFs shared"]
    assert all(float(difference) < 1e-9 for difference, _ in shared)
    table = pd.read_csv(tmp_path / "figS13/recovery.tsv", sep="\t")
    median = table.pivot(index="noise", columns="method", values="median")
    assert (median.diff().iloc[1:] < 0).all(axis=None)
    assert (median.loc[1.0] > 0.68).all() and (median.loc[8.0] < 0.6).all()


@pytest.mark.slow
def test_the_expression_of_the_examples_is_what_the_script_makes(run_example, tmp_path):
    run_example(ROOT / "examples/tf_activity.py")
    made = (tmp_path / "expression.tsv").read_text()
    assert made == (ROOT / "examples/expression/expression.tsv").read_text()


@pytest.mark.slow
def test_figure_6_goes_on_where_it_was_with_the_folds_of_a_file(run_example, tmp_path):
    folds = {"Index": [3, 3, 7, 8], "Condition": ["IL4", "IL13", "PGE2_LPS", "TNF"]}
    write_tsv(pd.DataFrame(folds), tmp_path / "folds.tsv")
    script = ROOT / "examples/paper/fig6_ligand_screen.py"
    printed, written = [], []
    for _ in range(2):
        printed.append(run_example(script, "--fast", "--folds", "folds.tsv"))
        members = (tmp_path / "fig6/fast/members").glob("*.pt")
        written.append({path.name: path.stat().st_mtime_ns for path in members})
    assert list(written[0]) and written[0] == written[1]
    first, second = (text.splitlines()[:-1] for text in printed)  # the last has the seconds
    assert first == second
    found = pd.read_csv(tmp_path / "fig6/fast/predictions.tsv", sep="\t")
    by_fold = found.groupby("fold")["condition"].unique().map(list).to_dict()
    assert by_fold == {3: ["IL4", "IL13"], 7: ["PGE2_LPS"]}


@pytest.mark.slow
def test_figure_6_shows_what_the_folds_measure(run_example, tmp_path):
    printed = run_example(ROOT / "examples/paper/fig6_ligand_screen.py", "--fast")
    assert "Ligands with all their conditions at one end: 40 of 42" in printed
    found = pd.read_csv(tmp_path / "fig6/fast/surrogate.tsv", sep="\t", index_col="condition")
    y = read_conditions(tmp_path / "fig6/LigandScreen/raw/ligandScreen-TFs.tsv").loc[found.index]
    rest = y - y.groupby([found["LPS"], found["far"]]).transform("mean")
    share = 1 - rest.stack().pow(2).sum() / (y - y.mean()).stack().pow(2).sum()
    assert f"explained by LPS and end, four means       {share:.1%}" in printed
    assert share > 0.6
    r = pd.read_csv(tmp_path / "fig6/fast/scores.tsv", sep="\t", index_col="model")["r"]
    four_means = r["mean within co-stimulus, with surrogate variable"]
    assert four_means > r["mean within co-stimulus"] + 0.2
    assert four_means > r["ridge"]


def test_figure_s15_names_the_held_out_conditions_without_steady_state(capsys, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples/paper")
    functions = runpy.run_path(str(ROOT / "examples/paper/figS15_literature.py"))
    folds = pd.DataFrame({"Index": [0, 1, 2], "Condition": ["CON", "IFNb", "IL4"]})
    members = pd.DataFrame(
        {
            "fold": [0, 1, 2],
            "member": [0, 0, 1],
            "held_out_not_converged": [0, 1, 0],
            "residual": [1e-13, 0.02, 1e-13],
            "radius": [0.7, 1.09, 0.8],
        }
    )
    functions["print_convergence"](members, folds)
    printed = capsys.readouterr().out
    assert "IFNb, member 0: NOT CONVERGED, residual 2.0e-02, spectral radius 1.090" in printed
    assert printed.count("NOT CONVERGED") == 1
    assert "all converged" not in printed
    functions["print_convergence"](members.drop(1), folds)
    assert "all converged" in capsys.readouterr().out


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


@pytest.mark.slow
def test_figure_5_learns_from_a_hundred_conditions(numbers):
    table = numbers("fig5_synthetic", "--ligands=5", "--conditions=100", "--jobs=1")
    assert found(table, "r, 100x5 ligands") > 0.87
    assert found(table, "r, scrambled y") < 0.2
    assert found(table, "median r of internal states") > 0.8


@pytest.mark.slow
def test_figure_s18_holds_out_cell_lines_better_than_the_paper(numbers):
    table = numbers("figS18_viability", "--members=1", timeout=3600)
    ours = table.set_index("what")["ours"]
    assert float(ours["held-out lines, r, LEMBAS, mean of 1"].split()[0]) > 0.70
    assert found(table, "fit, Pearson r") > 0.75
    for drug in ("PLX4720", "PD0325901", "Selumetinib"):
        for which in ("measured", "held out"):
            assert found(table, f"BRAF V600E less other lines, {drug}, {which}") < -0.1
