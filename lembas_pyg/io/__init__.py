"""Text and tables: readers check, name file, line and value, and never drop what they read."""

from lembas_pyg.io.annotation import read_annotation, write_annotation
from lembas_pyg.io.conditions import read_conditions, read_folds, write_conditions
from lembas_pyg.io.interactions import (
    interaction_sign,
    merge_interactions,
    read_interactions,
    write_interactions,
)
from lembas_pyg.io.kegg import read_kegg_mapping, read_kgml
from lembas_pyg.io.omnipath import read_omnipath
from lembas_pyg.io.parameters import read_parameters, write_parameters
from lembas_pyg.io.tsv import read_tsv, write_tsv

__all__ = [
    "interaction_sign",
    "merge_interactions",
    "read_annotation",
    "read_conditions",
    "read_folds",
    "read_interactions",
    "read_kegg_mapping",
    "read_kgml",
    "read_omnipath",
    "read_parameters",
    "read_tsv",
    "write_annotation",
    "write_conditions",
    "write_interactions",
    "write_parameters",
    "write_tsv",
]
