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

__all__ = ["course_picture", "picture_sections"]

logger = logging.getLogger(__name__)

_HEAT_MAP = "TF activities"


def picture_sections(
    predictions: pd.DataFrame, fold_scores: pd.DataFrame, *, heat_map: bool = True
) -> list[str]:
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
            _HEAT_MAP,
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
        if heading == _HEAT_MAP and not heat_map:
            continue
        parts.append(f"<h2>{heading}</h2>\n{_figure(caption, kind, draw)}")
    return parts


def course_picture(histories: pd.DataFrame, target: float | None) -> str:
    """How members were trained; a sentence in its place without matplotlib."""
    try:
        require_matplotlib()
    except ImportError as error:
        return page.note(f"No picture: {error}.")
    from lembas_pyg.plot import plot_training_courses

    caption = (
        "Epochs of all members: median, 5th to 95th percentile, and the worst member as a thin "
        "line. Left the weighted loss; in the middle the largest contraction rate of any condition "
        "(with 1 or more, a state need not be stable; rates fluctuate around the spectral radius); "
        "right the weights whose sign contradicts the mode of action, summed, and the share of "
        "visits that found no steady state."
    )
    return _figure(caption, "wide", lambda: plot_training_courses(histories, target=target)[0])


def _figure(caption: str, kind: str, draw: Callable[[], Any]) -> str:
    """A picture with its caption, which has nothing to escape."""
    return (
        f'<figure><div class="scroll"><img class="{kind}" alt="{caption}" src="{_picture(draw)}">'
        f"</div><figcaption>{caption}</figcaption></figure>"
    )


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
