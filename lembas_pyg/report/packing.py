"""Numbers as text within a page: rounded, compressed, read back by ``assets/data.js``."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np

__all__ = ["pack_numbers", "pack_text", "script_json"]


def pack_numbers(values: np.ndarray, step: float = 1.0, dtype: str = "int16") -> dict[str, Any]:
    r"""Round numbers to multiples of a step, and compress them.

    .. math:: q = \mathrm{round}(v / step), \qquad |v - q \cdot step| \le step / 2

    What is larger than the type can hold becomes its largest number; the smallest number of the
    type stands for NaN.

    Args:
        values: Numbers of any shape.
        step: Resolution, in the unit of the numbers.
        dtype: ``"int8"``, ``"int16"`` or ``"int32"``.

    Returns:
        `type`, `step` and `data` (gzip, base64).
    """
    limits = np.iinfo(dtype)
    values = np.asarray(values, dtype=float)
    unknown = np.isnan(values)
    rounded = np.round(np.where(unknown, 0.0, values) / step).clip(limits.min + 1, limits.max)
    rounded[unknown] = limits.min
    little = np.dtype(dtype).newbyteorder("<")
    return {"type": dtype, "step": step, "data": _compress(rounded.astype(little).tobytes())}


def pack_text(content: Any) -> dict[str, str]:
    """Compress anything that JSON can say."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return {"type": "json", "data": _compress(text.encode("utf-8"))}


def script_json(content: Any) -> str:
    """JSON that may stand within a ``<script>`` of a page, whatever names are in it."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # These three can end a script or open a comment in it; within JSON's strings they are the same.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _compress(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")
