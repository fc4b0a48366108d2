"""Names that were probably meant, for messages about a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["close_names", "did_you_mean"]

# A shorter text is part of too many names to be a hint.
_SHORTEST_PART = 3


def close_names(
    name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.6
) -> list[str]:
    """Known names that contain this one, or else are spelled alike; upper case does not matter.

    Args:
        name: What was given.
        known: Legal names, in the order they are wanted in.
        most: Names to return at most.
        cutoff: Least likeness, from 0 to 1, as of `difflib.get_close_matches`.

    Returns:
        The closest first; none if nothing is close.

    Example:
        >>> close_names("LPS+TFN", ["LPS", "LPS+TNF", "PBS"], most=1)
        ['LPS+TNF']
    """
    spelled = {other.casefold(): other for other in reversed(list(known))}
    plain = name.casefold()
    close = [other for other in reversed(spelled) if plain in other]
    if len(plain) < _SHORTEST_PART or not close:
        close = difflib.get_close_matches(plain, spelled, n=most, cutoff=cutoff)
    return [spelled[other] for other in close[:most]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: a question, or nothing if no name is close.

    Args:
        name: What was given.
        known: Legal names.

    Example:
        >>> did_you_mean("Imatinip", ["Dasatinib", "Imatinib"])
        " Did you mean 'Imatinib'?"
    """
    close = close_names(name, known, most=2)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
