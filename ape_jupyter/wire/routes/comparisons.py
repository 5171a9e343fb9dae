"""Routes that compare runs."""

from __future__ import annotations

from ape_jupyter.wire.compared import (
    Comparison,
    ComparisonOrder,
)
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="comparisons",
        name="compareSimulations",
        summary="Compare runs from their summaries.",
        action="read",
        body=ComparisonOrder,
        answers={200: Comparison},
        errors=(400, 404, 410),
    ),
)
