"""The tree is read in one direction, and what is public stays so."""

import ast
import importlib
from pathlib import Path

import pytest

import lembas_pyg

ROOT = Path(lembas_pyg.__file__).parent
# Text -> tables -> graph -> tensors -> trained model -> findings: each room uses those before it.
ROOMS = [
    "spelling",
    "io",
    "tf_activity",
    "network",
    "surrogate",
    "exchange",
    "topology",
    "transforms",
    "datasets",
    "nn",
    "checkpoint",
    "metrics",
    "prediction",
    "viability",
    "training",
    "synthetic",
    "analysis",
    "plot",
    "report",
    "demo",
    "cli",
    "__main__",
]
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room_of(module):
    return module.split(".")[1]


def imports_of(path):
    """Modules of this package that a file imports, at its top or inside of functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "lembas_pyg":
                names = [f"lembas_pyg.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "lembas_pyg")


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_follow_the_tree(path):
    room = room_of(module_name(path))
    for name in imports_of(path):
        assert name != "lembas_pyg", "nothing imports from the root"
        assert ROOMS.index(room_of(name)) <= ROOMS.index(room), f"{path} imports {name}"


def test_no_room_is_left_out():
    assert {room_of(module_name(path)) for path in MODULES} <= set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_command_line_prints(path):
    if path.parent.name == "cli":
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]


def test_layers_know_neither_files_nor_tables():
    for path in (ROOT / "nn").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "pandas" not in text
        assert "open(" not in text


# A module is one idea, and fits into a head.
MOST_LINES = 350


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_that_is_long_is_two(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


PUBLIC = {
    "lembas_pyg.transforms": {
        "ImputeInteractions",
        "RandomEdges",
        "RemoveDeadEnds",
        "RemoveLigandFeedback",
        "RemoveRedundantNodes",
        "RewireEdges",
    },
    "lembas_pyg.io": {
        "Curated",
        "Curation",
        "DrugScreen",
        "LogDose",
        "apply_curation",
        "assemble_interactions",
        "both_directions",
        "empty_report",
        "entity_type",
        "exclude_interactions",
        "fetch_omnipath",
        "interaction_sign",
        "join_reports",
        "ligand_matrix",
        "make_annotation",
        "merge_interactions",
        "merge_with_report",
        "read_annotation",
        "read_causaltab",
        "read_conditions",
        "read_curation",
        "read_drug_screen",
        "read_expression",
        "read_folds",
        "read_gene_list",
        "read_gene_names",
        "read_graphml",
        "read_interactions",
        "read_intercell",
        "read_kegg_mapping",
        "read_kgml",
        "read_ligand_map",
        "read_ligand_receptor",
        "read_omnipath",
        "read_parameters",
        "read_regulon",
        "read_samples",
        "read_sif",
        "read_signor",
        "read_signor_complexes",
        "read_tsv",
        "regulon_by_symbol",
        "remove_self_loops",
        "report_rows",
        "resolve_entities",
        "restrict_to",
        "select_by_curation_effort",
        "select_referenced",
        "select_resources",
        "select_taxon",
        "to_regulon",
        "write_annotation",
        "write_bnet",
        "write_conditions",
        "write_cytoscape",
        "write_graphml",
        "write_interactions",
        "write_parameters",
        "write_report",
        "write_sbml_qual",
        "write_sif",
        "write_tsv",
    },
    "lembas_pyg.tf_activity": {
        "METHODS",
        "Reported",
        "TFActivity",
        "accessions_of",
        "activity_from_scores",
        "enrichment_scores",
        "from_anndata",
        "infer_tf_activity",
        "mean_activity",
        "prepare_expression",
        "replicate_spread",
        "spread_of_tfs",
        "to_anndata",
    },
    "lembas_pyg.exchange": {"Network", "from_networkx", "to_networkx"},
    "lembas_pyg.datasets": {
        "DrugViability",
        "KEGGSynthetic",
        "LigandScreen",
        "LiteratureMacrophage",
        "ToyNetwork",
    },
    "lembas_pyg.nn": {
        "LEMBAS",
        "DrugPrediction",
        "DrugResponse",
        "FixedPoint",
        "LeakyReLU",
        "MichaelisMentenLike",
        "Prediction",
        "Sigmoid",
        "SignalingConv",
        "SparseProjection",
        "SteadyState",
        "activation_by_name",
        "contraction_rate",
        "enlarge",
        "leaky_relu",
        "michaelis_menten_like",
        "saved_bytes",
        "sigmoid",
        "spectral_radius",
        "unrolled_state",
    },
    "lembas_pyg.training": {
        "PRESETS",
        "Comparison",
        "CrossValidation",
        "Ensemble",
        "EnsemblePrediction",
        "History",
        "NullComparison",
        "Refinement",
        "ResponseEnsemble",
        "ResponseValidation",
        "TrainingConfig",
        "compare_folds",
        "compare_nulls",
        "cross_validate",
        "cross_validate_response",
        "fit",
        "fold_scores",
        "k_fold",
        "leave_one_ligand_out",
        "leave_one_out",
        "load_members",
        "one_cycle",
        "refine",
        "response_folds",
        "score_table",
        "shrink_radius",
        "train_responses",
        "weights_by_fit",
    },
    "lembas_pyg.analysis": {
        "error_network",
        "fit_sparse",
        "score_missing_interactions",
        "structure_scores",
        "Response",
        "compare_knock_outs",
        "compare_models",
        "activity_by_tf",
        "activity_space",
        "describe_activities",
        "describe_network",
        "linearity",
        "dose_response",
        "double_knock_out",
        "drug_combination",
        "mutation_effects",
        "target_effects",
        "viability_knock_out",
        "knock_in",
        "knock_out",
        "rank_knock_outs",
        "PathExplanation",
        "edge_effects",
        "explain_path",
        "hubs",
        "sensitivity",
        "strongest",
        "Stability",
        "SteadyStates",
        "basin_report",
        "hidden_sign_recovery",
        "hide_signs",
        "infer_signs",
        "sign_ensemble",
        "sign_folds",
        "sign_prior",
        "sign_scores",
        "stability",
        "steady_activities",
        "steady_states",
    },
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_pinned(name):
    module = importlib.import_module(name)
    assert set(module.__all__) == PUBLIC[name]
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize(
    "path", sorted((ROOT.parent / "examples").rglob("*.py")), ids=lambda p: p.stem
)
def test_scripts_leave_no_worker_behind(path):
    # `run_tasks` ends its workers whatever ends the run; a pool of the standard library does not.
    assert "ProcessPoolExecutor(" not in path.read_text(encoding="utf-8")
