"""AnnData, the tables of single-cell and bulk tools, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lembas_pyg.io.samples import CONDITION, SAMPLE, check_samples
from lembas_pyg.tf_activity.activity import TFActivity
from lembas_pyg.tf_activity.expression import check_expression

if TYPE_CHECKING:
    from anndata import AnnData


def from_anndata(
    adata: AnnData, *, condition: str = CONDITION, layer: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take expression and sample sheet out of an AnnData.

    Args:
        adata: Samples (or pseudobulks of cells) x genes.
        condition: Column of ``.obs`` that names the conditions.
        layer: Layer to take; ``.X`` if None.

    Returns:
        Expression, samples x genes; and the sample sheet with the other columns of ``.obs``.

    Raises:
        ValueError: The column or layer is not there, a name is given twice, or a value is missing.
    """
    if condition not in adata.obs:
        raise ValueError(
            f"`.obs` has no column '{condition}'; it has {list(adata.obs)}. Name the one that "
            "holds the conditions by `condition`."
        )
    if layer is not None and layer not in adata.layers:
        raise ValueError(f"There is no layer '{layer}'; there are {list(adata.layers)}.")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        raise ValueError("`.X` is empty. Name the layer with the expression by `layer`.")
    dense = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    expression = check_expression(pd.DataFrame(dense, adata.obs_names, adata.var_names))
    sheet = adata.obs.drop(columns=[n for n in (SAMPLE, CONDITION) if n in adata.obs])
    sheet.insert(0, SAMPLE, adata.obs_names)
    sheet.insert(1, CONDITION, adata.obs[condition].astype(object))
    return expression.rename_axis(index=SAMPLE), check_samples(sheet)


def to_anndata(found: TFActivity) -> AnnData:
    """Put TF activities into an AnnData.

    Args:
        found: As `infer_tf_activity` gives it.

    Returns:
        Conditions x TFs that were kept: ``.X`` activity, ``.layers["spread"]`` standard deviation
        among replicates, ``.obs["num_samples"]``, ``.var["symbol"]`` and ``.var["spread"]``,
        ``.uns["report"]`` what was left out.

    Raises:
        ImportError: anndata is not installed.
    """
    try:
        from anndata import AnnData
    except ImportError as error:
        raise ImportError(
            'AnnData needs anndata, which is not installed: pip install "lembas_pyg[tf]"'
        ) from error
    kept = found.tfs[found.tfs["kept"]]
    conditions = found.activity.index
    size = found.samples[CONDITION].value_counts().reindex(conditions).to_numpy()
    # Plain objects: not every version of anndata can write the strings of pandas to a file.
    codes = found.activity.columns.astype(object)
    symbol = pd.Series(kept["tf"].to_numpy(object), codes, dtype=object)
    return AnnData(
        X=found.activity.to_numpy(),
        obs=pd.DataFrame({"num_samples": size}, index=conditions.astype(object).rename(None)),
        var=pd.DataFrame({"symbol": symbol, "spread": kept["spread"].to_numpy()}, index=codes),
        layers={"spread": found.spread.loc[conditions, kept["tf"].tolist()].to_numpy()},
        uns={"report": found.report.astype(object)},
    )
