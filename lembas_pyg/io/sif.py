"""SIF: one interaction a line, ``source<TAB>word<TAB>target``."""

import numpy as np
import pandas as pd

from lembas_pyg.io.content import read_bytes
from lembas_pyg.io.export import WORDS, interaction_words, losses
from lembas_pyg.io.interactions import FLAG_COLUMNS, PAIR, check_interactions
from lembas_pyg.io.tsv import FilePath, write_text

# Words of other programs: CellNOpt's 1 and -1, arrows, verbs.
SYNONYMS = {
    **{word: flags for flags, word in WORDS.items()},
    **dict.fromkeys(
        ("activates", "stimulation", "stimulates", "up-regulates", "1", "+1", "+", "->", "-->"),
        (1, 1, 0),
    ),
    **dict.fromkeys(
        ("inhibits", "repression", "represses", "down-regulates", "-1", "-", "-|", "--|"),
        (1, 0, 1),
    ),
    **dict.fromkeys(("regulates", "controls", "pd", "0", "?"), (1, 0, 0)),
    **dict.fromkeys(("interacts", "interacts-with", "binding", "pp", "--"), (0, 0, 0)),
}


def write_sif(interactions: pd.DataFrame, path: FilePath) -> list[str]:
    """Write interactions as SIF, for Cytoscape and the like.

    The word is activation, inhibition, unknown (neither flag) or conflict (both), and begins with
    "undirected" where there is no direction. Pairs, directions and signs survive; evidence, names
    and roles do not.

    Args:
        interactions: Interaction table.
        path: File to write or replace, compressed if it ends in ``.gz``.

    Returns:
        A sentence for everything the file does not hold.

    Raises:
        OSError: The file cannot be written.
        ValueError: The table is not an interaction table, or a name holds a tab or line break.
    """
    table = check_interactions(interactions)
    for name in PAIR:
        bad = table[name].str.contains(r"[\t\n\r]") | (table[name].str.strip() != table[name])
        if bad.any():
            raise ValueError(
                f"{path}: the {name} {table[name][bad].iloc[0]!r} has a tab, a line break or a "
                "blank at its end, which would shift the columns; replace it."
            )
    rows = zip(table["source"], interaction_words(table), table["target"], strict=True)
    write_text("".join("\t".join(row) + "\n" for row in rows), path)
    return losses(table, None, [*PAIR, *FLAG_COLUMNS], path)


def read_sif(path: FilePath, words: dict[str, tuple[int, int, int]] | None = None) -> pd.DataFrame:
    """Read interactions of a SIF file.

    A line is a source, a word and one target or more; where no line has a tab, blanks separate
    them. A line with a single name is a node without interactions, which is left out.

    Args:
        path: File, plain or ``.gz``, UTF-8.
        words: What further words mean: direction, stimulation, inhibition, each 0 or 1. Known are
            those of `write_sif` and common ones such as ``activates``, ``inhibits``, ``1``,
            ``-1``, ``->``, ``-|`` and ``pp`` (undirected).

    Returns:
        The interaction table, not merged, in the order of the file; evidence is blank.

    Raises:
        OSError: There is no such file.
        ValueError: A line has two fields, a blank field, or a word that is not known.

    References:
        Cytoscape user manual, section "Supported network file formats".
    """
    meaning = SYNONYMS | (words or {})
    try:
        lines = (
            read_bytes(path)
            .decode("utf-8-sig")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
            .split("\n")
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text in UTF-8 ({error}).") from error
    separator = "\t" if any("\t" in line for line in lines) else None
    rows: list[tuple[str, str, int, int, int]] = []
    for number, line in enumerate(lines, start=1):
        source, *rest = [field.strip() for field in line.split(separator)] or [""]
        if not rest:
            continue
        word, *targets = rest
        if not targets or "" in (source, *targets):
            raise ValueError(
                f"{path}, line {number}: expected a source, a word and one target or more, "
                f"separated by {'tabs' if separator else 'blanks'}; found {line!r}."
            )
        if word not in meaning:
            raise ValueError(
                f"{path}, line {number}: the word '{word}' is not known. Known are "
                f"{', '.join(sorted(meaning))}; say what it means by `words`."
            )
        rows += [(source, target, *meaning[word]) for target in targets]
    table = pd.DataFrame(rows, columns=[*PAIR, *FLAG_COLUMNS])
    table = table.astype(dict.fromkeys(PAIR, str) | dict.fromkeys(FLAG_COLUMNS, np.int8))
    table = table.assign(sources="", references="").astype({"sources": str, "references": str})
    table = check_interactions(table)
    table.attrs["provenance"] = {"file": str(path), "format": "SIF", "rows": len(table)}
    return table
