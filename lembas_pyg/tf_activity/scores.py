"""Scores of TFs from the expression of their targets, by methods of decoupler."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd

from lembas_pyg.io.entities import entity_type
from lembas_pyg.io.report import report_rows
from lembas_pyg.tf_activity.expression import Reported, check_expression

# What each method is made of; a consensus is the mean of the z-scores of several.
METHODS = {"viper": ("viper",), "ulm": ("ulm",), "consensus": ("viper", "ulm", "zscore")}


def enrichment_scores(
    expression: pd.DataFrame,
    regulon: pd.DataFrame,
    *,
    method: str = "viper",
    min_targets: int = 5,
    pleiotropy: bool = False,
) -> Reported:
    r"""Score each TF in each sample by whether its targets are high or low.

    With ``viper`` and weights of ±1, targets count by the rank :math:`r` of their expression among
    the :math:`G` genes of the sample:

    .. math:: s_{st} = \frac{1}{\sqrt{k_t}} \sum_{g \in t} w_{tg} \, \Phi^{-1}\!\left(
        \frac{r_{sg}}{G + 1}\right)

    ``ulm`` is the t-value of the slope of expression over weight, all genes of the sample being
    the points. ``consensus`` is the mean of viper, ulm and a z-test, each divided by its
    spread over the TFs of a sample.

    Args:
        expression: Samples x genes, centred, as `prepare_expression` gives it.
        regulon: Columns source (TF), target (named as the genes are) and weight, as
            `lembas_pyg.io.read_regulon` gives it.
        method: viper, ulm or consensus.
        min_targets: TFs with fewer targets among the genes are left out and reported. Targets of
            weight 0 do not count.
        pleiotropy: Whether viper corrects for targets that TFs share. R's viper does not by
            default.

    Returns:
        Scores, samples x TFs (sorted), positive where the TF is active; and the report of TFs that
        have too few targets.

    Raises:
        ImportError: decoupler is not installed.
        TypeError: A table is not one.
        ValueError: A pair is given twice or with both signs, a weight is not from -1 to 1, no gene
            is a target, no TF has enough of them, a sample has the same value for all genes, or
            the method is unknown.

    References:
        Alvarez et al. (2016), Nat. Genet. 48, 838 (viper); Badia-i-Mompel et al. (2022), Bioinform.
        Adv. 2, vbac016 (decoupler). Nilsson et al. (2022) take viper of the levels A and B of
        DoRothEA, and TFs with 5 targets or more.
    """
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}. Legal are {', '.join(METHODS)}.")
    if min_targets < 1:
        raise ValueError(f"`min_targets` is {min_targets}; a TF needs 1 target or more.")
    genes = check_expression(expression)
    flat = genes.index[(genes.nunique(axis="columns") == 1).to_numpy()]
    if len(flat):
        raise ValueError(
            f"The sample '{flat[0]}' has the same value for all {genes.shape[1]} genes "
            f"({len(flat)} such samples). Leave it out."
        )
    targets = check_regulon(regulon)
    measured = targets[targets["target"].isin(genes.columns)]
    if measured.empty:
        raise ValueError(_no_target(genes, targets))
    known = measured["source"].value_counts()
    total = targets["source"].value_counts().sort_index()
    few = [tf for tf in total.index if known.get(tf, 0) < min_targets]
    if len(few) == len(total):
        raise ValueError(
            f"None of {len(total):,} TFs has {min_targets} targets among the {genes.shape[1]:,} "
            f"genes; {known.idxmax()} has {known.max()}, which is the most. Lower `min_targets`, "
            "or take a larger regulon (more levels of confidence)."
        )
    scores = _run(genes, measured[~measured["source"].isin(few)], method, pleiotropy)
    report = report_rows(
        "too few targets", "removed", "TF", few,
        detail=[f"{known.get(tf, 0)} of {total[tf]} targets measured; {min_targets} needed"
                for tf in few],
    )  # fmt: skip
    return Reported(scores, report)


def check_regulon(regulon: pd.DataFrame) -> pd.DataFrame:
    """Check a regulon.

    Args:
        regulon: Columns source, target and weight.

    Returns:
        These columns, without rows of weight 0.

    Raises:
        TypeError: It is not a table.
        ValueError: A column is missing, a weight is no number from -1 to 1, or a pair is given
            twice, perhaps with both signs.
    """
    columns = ["source", "target", "weight"]
    if not isinstance(regulon, pd.DataFrame):
        raise TypeError(
            f"The regulon is to be a pandas DataFrame, not {type(regulon).__name__}; "
            "`lembas_pyg.io.read_regulon(path)` makes one."
        )
    missing = [name for name in columns if name not in regulon]
    if missing:
        raise ValueError(
            f"The regulon has no column {missing}; it has {list(regulon)}. Make it by "
            "`lembas_pyg.io.read_regulon(path)` or `to_regulon(interactions)`."
        )
    table = regulon[columns].astype({"source": str, "target": str, "weight": float})
    bad = ~(table["weight"].abs() <= 1)
    if bad.any():
        row = table[bad].iloc[0]
        raise ValueError(
            f"{row['source']} has the weight {row['weight']} on {row['target']}. Weights are "
            "numbers from -1 (inhibited) to 1 (activated)."
        )
    repeated = table.duplicated(["source", "target"], keep=False)
    if repeated.any():
        first = table[repeated].iloc[0]
        same = table[(table[["source", "target"]] == first[["source", "target"]]).all(axis=1)]
        signs = np.sign(same["weight"]).unique()
        how = "as activated and as inhibited" if len(signs) > 1 else "twice"
        raise ValueError(
            f"The regulon has {first['source']} on {first['target']} {how} ({repeated.sum():,} "
            "such rows). `lembas_pyg.io.to_regulon` merges rows that agree and leaves others out."
        )
    return table[table["weight"] != 0]


def _no_target(genes: pd.DataFrame, targets: pd.DataFrame) -> str:
    names, wanted = list(genes.columns[:3]), targets["target"].unique()
    text = (
        f"No gene of the expression table is a target of the regulon. Genes are {names}, ..., "
        f"targets {list(wanted[:3])}, ...; "
    )
    if genes.index.isin(wanted).any():
        return text + "the samples have names of targets: the table has to be turned round (`.T`)."
    if (pd.Series(wanted[:50]).map(entity_type) == "protein").mean() > 0.5:
        return text + (
            "the targets are accessions. `lembas_pyg.io.regulon_by_symbol(regulon, names)` names "
            "them by symbol (names: `read_gene_names` of a table of UniProt)."
        )
    return text + "name both by gene symbol of the same species."


def _run(genes: pd.DataFrame, regulon: pd.DataFrame, method: str, pleiotropy: bool) -> pd.DataFrame:
    decoupler = _decoupler()
    weights = regulon.groupby("source")["weight"].agg(["size", "nunique"])
    alike = weights.index[(weights["size"] == genes.shape[1]) & (weights["nunique"] == 1)]
    if len(alike) and method != "viper":
        raise ValueError(
            f"The method {method} gives no number for {alike[0]}: all {genes.shape[1]} genes are "
            "its targets, with the same weight, and stand against no others. Give more genes."
        )
    options = {"viper": {"pleiotropy": pleiotropy}}
    found = {
        f"score_{part}": getattr(decoupler.mt, part)(
            genes, regulon, tmin=1, empty=False, **options.get(part, {})
        )[0]
        for part in METHODS[method]
    }
    scores = found[f"score_{method}"] if method in METHODS[method] else None
    if scores is None:
        scores = decoupler.mt.consensus(found)[0]
    return scores.loc[genes.index, sorted(scores.columns)].rename_axis(index="sample")


def _decoupler() -> ModuleType:
    try:
        import decoupler
    except ImportError as error:
        raise ImportError(
            'Scores of TFs need decoupler, which is not installed: pip install "lembas_pyg[tf]"'
        ) from error
    return decoupler
