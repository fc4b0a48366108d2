"""Text and tables: readers check, name file, line and value, and never drop what they read."""

from lembas_pyg.io.accessions import read_kegg_mapping
from lembas_pyg.io.annotation import read_annotation, write_annotation
from lembas_pyg.io.assemble import assemble_interactions
from lembas_pyg.io.boolean import write_bnet, write_sbml_qual
from lembas_pyg.io.causaltab import read_causaltab
from lembas_pyg.io.conditions import read_conditions, read_folds, write_conditions
from lembas_pyg.io.curation import Curation, apply_curation, read_curation
from lembas_pyg.io.cytoscape import write_cytoscape
from lembas_pyg.io.doses import LogDose
from lembas_pyg.io.drug_screen import DrugScreen, read_drug_screen
from lembas_pyg.io.entities import entity_type, resolve_entities
from lembas_pyg.io.expression import read_expression
from lembas_pyg.io.graphml import read_graphml, write_graphml
from lembas_pyg.io.interactions import (
    interaction_sign,
    merge_interactions,
    merge_with_report,
    read_interactions,
    write_interactions,
)
from lembas_pyg.io.kegg import read_kgml
from lembas_pyg.io.omnipath import read_omnipath
from lembas_pyg.io.omnipath_fetch import fetch_omnipath
from lembas_pyg.io.parameters import read_parameters, write_parameters
from lembas_pyg.io.regulons import read_regulon, regulon_by_symbol, to_regulon
from lembas_pyg.io.report import Curated, empty_report, join_reports, report_rows, write_report
from lembas_pyg.io.roles import (
    make_annotation,
    read_gene_list,
    read_gene_names,
    read_intercell,
    read_ligand_receptor,
)
from lembas_pyg.io.samples import ligand_matrix, read_ligand_map, read_samples
from lembas_pyg.io.selection import (
    both_directions,
    exclude_interactions,
    remove_self_loops,
    restrict_to,
    select_by_curation_effort,
    select_referenced,
    select_resources,
    select_taxon,
)
from lembas_pyg.io.sif import read_sif, write_sif
from lembas_pyg.io.signor import read_signor, read_signor_complexes
from lembas_pyg.io.tsv import read_tsv, write_tsv

__all__ = [
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
]
