"""What formats of other programs have in common: the words for an interaction, and what is lost."""

import logging
import re
from collections.abc import Collection, Iterable

import pandas as pd

from lembas_pyg.io.annotation import check_annotation
from lembas_pyg.io.interactions import FLAG_COLUMNS, PAIR, check_interactions
from lembas_pyg.io.replace import FilePath

logger = logging.getLogger(__name__)

# (direction, stimulation, inhibition) -> word; every combination has one.
WORDS = {
    (1, 1, 0): "activation",
    (1, 0, 1): "inhibition",
    (1, 0, 0): "unknown",
    (1, 1, 1): "conflict",
    (0, 1, 0): "undirected-activation",
    (0, 0, 1): "undirected-inhibition",
    (0, 0, 0): "undirected",
    (0, 1, 1): "undirected-conflict",
}
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def interaction_words(interactions: pd.DataFrame) -> list[str]:
    """Name the kind of every interaction: activation, inhibition, unknown, conflict (both flags).

    Args:
        interactions: A checked interaction table; without the column direction, all have one.

    Returns:
        One word a row; those without a direction begin with "undirected".
    """
    direction = interactions["direction"] if "direction" in interactions else 1
    flags = interactions[["stimulation", "inhibition"]].assign(direction=direction)
    return [WORDS[row] for row in flags[FLAG_COLUMNS].itertuples(index=False, name=None)]


def checked_tables(
    interactions: pd.DataFrame, annotation: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check two tables against each other.

    Args:
        interactions: Interaction table.
        annotation: Annotation table; if None, one without names and roles is made.

    Returns:
        Both, numbered from 0.

    Raises:
        ValueError: One is not what it should be, or a node is not annotated.
    """
    interactions = check_interactions(interactions).reset_index(drop=True)
    used = pd.Series(pd.unique(interactions[PAIR].to_numpy().ravel()), dtype=str)
    if annotation is None:
        annotation = pd.DataFrame({"code": used, "name": "", "TF": False, "ligand": False})
    annotation = check_annotation(annotation).reset_index(drop=True)
    unknown = used[~used.isin(annotation["code"])]
    if len(unknown):
        raise ValueError(
            f"'{unknown.iloc[0]}' and {len(unknown) - 1} other nodes of the interaction table are "
            "not in the annotation. Add them to its column 'code', or leave the annotation out."
        )
    return interactions, annotation


def losses(
    interactions: pd.DataFrame,
    annotation: pd.DataFrame | None,
    held: Collection[str],
    path: FilePath,
    *more: str,
) -> list[str]:
    """Say which filled columns a file does not hold, and log it.

    Args:
        interactions: Interaction table.
        annotation: Annotation table, or None.
        held: Columns of either that the format holds.
        path: The file.
        more: Further losses; blank ones do not count.

    Returns:
        A sentence for each loss.
    """
    lost = [sentence for sentence in more if sentence]
    for table, what in ((interactions, "interactions"), (annotation, "nodes")):
        if table is None:
            continue
        for name in table.columns.difference(held, sort=False):
            column = table[name]
            is_filled = column.notna() & (column != "")
            if name in ("TF", "ligand"):
                is_filled &= column.astype(bool)
            if is_filled.any():
                lost.append(f"The column '{name}' of {is_filled.sum():,} {what} is not held.")
    for sentence in lost:
        logger.info("%s: %s", path, sentence)
    return lost


def check_xml(texts: Iterable[str], path: FilePath) -> None:
    """Raise `ValueError` where a text has a character that XML cannot hold."""
    for text in texts:
        if _NOT_XML.search(text):
            raise ValueError(
                f"{path}: the text {text!r} has a control character, which XML cannot hold. "
                "Remove it."
            )
