"""What the user reads: one paragraph an error, one line a note or warning, all on stderr."""

from __future__ import annotations

import _thread
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "complain",
    "describe",
    "ending_in_order",
    "notes_at_the_end",
    "one_line",
    "speaking_on_stderr",
]

logger = logging.getLogger("lembas_pyg")


def complain(text: str, code: int) -> int:
    """One paragraph on stderr."""
    print(f"lembas-pyg: {one_line(text)}", file=sys.stderr)
    return code


def describe(error: Exception) -> str:
    """What went wrong; of the system's own errors without their number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return str(error) or type(error).__name__


def one_line(text: object) -> str:
    """Any text as one line."""
    return " ".join(str(text).split())


@contextmanager
def speaking_on_stderr() -> Iterator[None]:
    """Warnings and notes of the library, a line each, on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("lembas-pyg: %(message)s"))
    level = logger.level

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"lembas-pyg: warning: {one_line(message)}", file=sys.stderr)

    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            warnings.simplefilter("always", UserWarning)
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def notes_at_the_end() -> Iterator[None]:
    """Hold notes back until the work is done, so that an error stands alone."""
    handlers, held = list(logger.handlers), []

    def hold(record: logging.LogRecord) -> bool:
        if record.levelno <= logging.INFO:
            held.append(record)
        return record.levelno > logging.INFO

    for handler in handlers:
        handler.addFilter(hold)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(hold)
    for record in held:
        logger.handle(record)


@contextmanager
def ending_in_order() -> Iterator[list[int]]:
    """Let the end that `kill`, `timeout`, batch systems and a lost terminal ask for be Ctrl-C's.

    Yields:
        The signals that came. Compiled code may answer one with an error of its own.
    """
    came: list[int] = []

    def end(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    show = sys.unraisablehook

    def hush(lost: Any) -> None:
        """Compiled code that is interrupted leaves objects half made, whose end then fails."""
        if not came:
            show(lost)
        elif issubclass(lost.exc_type, KeyboardInterrupt):  # where it could end nothing: again
            again = threading.Timer(0.05, _thread.interrupt_main, came[-1:])
            again.daemon = True
            again.start()

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the last is not on Windows
            number = getattr(signal, name, None)
            # Ignored ones stay so, as those of `nohup` and of the background of a shell.
            if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, end)
        sys.unraisablehook = hush
    try:
        yield came
    finally:
        if sys.unraisablehook is hush:
            sys.unraisablehook = show
        for number, handler in before.items():
            signal.signal(number, handler)
