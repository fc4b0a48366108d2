"""From expression to the TF activities that models are trained on.

Tables in memory have samples (or conditions) as rows: expression, samples x genes; scores,
samples x TFs; activities, conditions x TFs. Counts are scaled before, by tools made for it.
"""

from lembas_pyg.tf_activity.activity import TFActivity, activity_from_scores, infer_tf_activity
from lembas_pyg.tf_activity.annotated import from_anndata, to_anndata
from lembas_pyg.tf_activity.expression import Reported, prepare_expression
from lembas_pyg.tf_activity.naming import accessions_of
from lembas_pyg.tf_activity.replicates import mean_activity, replicate_spread, spread_of_tfs
from lembas_pyg.tf_activity.scores import METHODS, enrichment_scores

__all__ = [
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
]
