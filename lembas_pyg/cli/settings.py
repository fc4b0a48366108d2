"""The fields of `TrainingConfig` as options: names, types and meanings, written down once."""

from __future__ import annotations

import inspect
import re
import types
import typing

from lembas_pyg.cli.speech import one_line
from lembas_pyg.training.config import TrainingConfig

__all__ = ["MEANING", "SETTINGS", "option_name"]


def option_name(name: str) -> str:
    """Option of a setting."""
    return "--" + name.replace("_", "-")


def _settings() -> dict[str, type]:
    """Name and type of every training setting, optional ones by the type they hold."""
    found: dict[str, type] = {}
    for name, kind in typing.get_type_hints(TrainingConfig).items():
        if isinstance(kind, types.UnionType):
            kind = next(option for option in kind.__args__ if option is not types.NoneType)
        found[name] = kind
    return found


def _meaning() -> dict[str, str]:
    """What the docstring of `TrainingConfig` says of every setting."""
    arguments = inspect.cleandoc(TrainingConfig.__doc__ or "").partition("Args:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments.partition("\n\n")[0], re.M)
    return {name: one_line(text).rstrip(".").replace("`", "") for name, text in entries}


SETTINGS, MEANING = _settings(), _meaning()
