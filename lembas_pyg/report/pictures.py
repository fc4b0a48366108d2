"""Pictures of a cross-validation, within the page."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Callable
from typing import Any

import pandas as pd

from lembas_pyg.plot import (
    activity_heat_map,
    measured_vs_predicted,
    score_by_condition,
    score_by_tf,
)
from lembas_pyg.plot import (
    fold_scores as draw_fold_scores,
)
from lembas_pyg.plot.canvas import require_matplotlib
from lembas_pyg.report import page

__all__ = ["picture_sections"]

logger = logging.getLogger(__name__)


def picture_sections(predictions: pd.DataFrame, fold_scores: pd.DataFrame) -> list[str]:
    """All pictures, each with a caption; a sentence in their place without matplotlib."""
    try:
        require_matplotlib()
    except ImportError as error:
        logger.warning("The report has no pictures. %s", error)
        return [page.note(f"No pictures: {error}.")]
    if predictions.dropna(subset=["measured", "predicted"]).empty:
        return [page.note("No pictures: no entry was both measured and predicted.")]
    drawn: list[tuple[str, str, str, Callable[[], Any]]] = [
        (
            "Folds",
            "Pearson r of every held-out fold, for every model: blue ours, orange its nulls, grey "
            "baselines; a box ends at the quartiles.",
            "",
            lambda: draw_fold_scores(fold_scores),
        ),
        (
            "Measured and predicted",
            "All held-out entries; the line is where prediction and measurement are equal.",
            "",
            lambda: measured_vs_predicted(predictions),
        ),
        (
            "TF activities",
            "Measured and predicted activities of held-out conditions, ordered by clustering the "
            "measured ones.",
            "wide",
            lambda: activity_heat_map(predictions),
        ),
        (
            "By TF",
            "Pearson r of every TF over held-out conditions; dashed, the median.",
            "",
            lambda: score_by_tf(predictions),
        ),
        (
            "By condition",
            "Pearson r of every held-out condition over TFs; dashed, the median.",
            "",
            lambda: score_by_condition(predictions),
        ),
    ]
    parts = []
    for heading, caption, kind, draw in drawn:
        if heading == "Folds" and fold_scores["r"].isna().all():
            continue
        parts.append(
            f'<h2>{heading}</h2>\n<figure><div class="scroll"><img class="{kind}" '
            f'alt="{caption}" src="{_picture(draw)}"></div>'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return parts


def _picture(draw: Callable[[], Any]) -> str:
    """The figure as a data URI; it is closed again."""
    from matplotlib import pyplot

    with pyplot.rc_context({"figure.facecolor": "white", "axes.facecolor": "white"}):
        figure = draw().figure
        buffer = io.BytesIO()
        try:
            figure.savefig(
                buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None}
            )
        finally:
            pyplot.close(figure)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
