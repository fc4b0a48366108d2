"""Arguments as text, and what they stand for: names, paths, numbers in a range."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from lembas_pyg.cli.speech import one_line
from lembas_pyg.spelling import close_names

__all__ = ["EXIT_USAGE", "Parser", "did_you_mean", "listed", "names", "number", "path"]

EXIT_USAGE = 2


class Parser(argparse.ArgumentParser):
    """Errors of usage in one paragraph, with the option or command that was probably meant."""

    commands: Iterable[str] = ()

    def error(self, message: str) -> NoReturn:
        text = one_line(message)
        stop = "" if text.endswith((".", "?")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: error: {text}{stop} See '{self.prog} --help'.\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, after a look at the names: it would complain of other things first."""
        words = _with_negative_numbers(sys.argv[1:] if args is None else args)
        self._check_names(words)
        return super().parse_known_args(words, namespace)

    def _check_names(self, words: list[str]) -> None:
        for word in words:
            if word == "--":
                return
            if word.startswith(_DASHES) and not _is_number(word):
                name = word.partition("=")[0]
                if name not in self._option_string_actions:
                    plain = "--" + name.lstrip("".join(_DASHES)).replace("_", "-").lower()
                    meant = did_you_mean(plain, self._option_string_actions)
                    self.error(f"'{name}' is not an option of {self.prog}{meant}")
            elif self.commands:
                if word not in self.commands:
                    meant = did_you_mean(word, self.commands)
                    self.error(f"'{word}' is not a command{meant or listed(self.commands)}")
                return


# Word processors and PDFs turn the first into the others.
_DASHES = tuple("-\u2010\u2011\u2012\u2013\u2014\u2212")


def _with_negative_numbers(words: Iterable[str]) -> list[str]:
    """Tie a negative number to its option: argparse takes -1e-3 for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and word[:1] == "-" and _is_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The name that was probably meant, or else nothing."""
    known = {name.strip("-"): name for name in sorted(known, key=len)}  # --ligand: --ligands
    close = [known[name] for name in close_names(word.strip("-"), known, most=1, cutoff=0.66)]
    return f"; did you mean '{close[0]}'?" if close else ""


def listed(names: Iterable[str]) -> str:
    """The legal names, for the end of a message."""
    return f"; choose from {', '.join(names)}"


def path(text: str) -> Path:
    """File or folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the file or folder is empty")
    return Path(text).expanduser()


def names(text: str) -> list[str]:
    """Names separated by commas."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"'{text}' holds an empty name; separate names by a comma")
    return found


def number(
    kind: type[int] | type[float],
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    above: float = -math.inf,
) -> Callable[[str], int | float]:
    """Reader of a finite number in a range."""
    noun = "whole number" if kind is int else "number"

    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            hint = " (write the decimal sign as a point)" if _is_number(text, comma=True) else ""
            raise argparse.ArgumentTypeError(f"'{text}' is not a {noun}{hint}") from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"'{text}' is not a finite number")
        for ok, words in (
            (value >= at_least, f"{at_least} or more"),
            (value <= at_most, f"{at_most} or less"),
            (value > above, f"more than {above}"),
        ):
            if not ok:
                raise argparse.ArgumentTypeError(f"{text} is not legal: it must be {words}")
        return value

    return read


def _is_number(text: str, *, comma: bool = False) -> bool:
    try:
        float(text.replace(",", ".", 1) if comma else text)
    except ValueError:
        return False
    return not comma or "," in text
