"""Command line: parse, call the library, write. No science here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lembas_pyg.cli.commands import EXIT_INTERRUPTED
from lembas_pyg.cli.options import make_parser
from lembas_pyg.cli.speech import complain, describe, ending_in_order, speaking_on_stderr

__all__ = ["main"]

EXIT_ERROR = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``lembas-pyg`` and return its exit code: 0 only on success.

    Args:
        argv: Arguments without the program's name; those of the process if None.
    """
    came: list[int] = []
    try:
        with speaking_on_stderr(), ending_in_order() as came:
            arguments = make_parser().parse_args(argv)
            code = arguments.run(arguments) or 0
            _flush()
            return code
    except SystemExit as end:  # argparse has said what there is to say
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return complain("Interrupted.", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except (ValueError, OSError, ArithmeticError, RuntimeError, MemoryError, ImportError) as error:
        if came:
            return complain(f"Interrupted. {describe(error)}", EXIT_INTERRUPTED)
        return complain(f"error: {describe(error)}", EXIT_ERROR)


def _flush() -> None:
    """Say all that was printed, also where there is no stdout."""
    try:
        print(end="", flush=True)
    except OSError as error:
        error.filename = "the standard output"
        raise
