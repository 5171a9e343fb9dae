"""Routes that compare runs."""

from __future__ import annotations

from ape_jupyter.wire.compared import (
    Comparison,
    ComparisonOrder,
)
from ape_jupyter.wire.routes.route import Route

__all__ = ["LINES", "ROUTES"]

LINES = "application/x-ndjson"
"""What ``Accept`` says for an answer of a ``ComparisonProgress`` in each line."""

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="comparisons",
        name="compareSimulations",
        summary=(
            "Compare runs. With `Accept: application/x-ndjson` the answer is lines that tell how "
            "far it is, and at last the result or the error. Closing the connection cancels it."
        ),
        action="read",
        body=ComparisonOrder,
        answers={200: Comparison},
        errors=(400, 404, 410),
    ),
)
