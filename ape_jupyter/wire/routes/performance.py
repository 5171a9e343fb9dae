"""Routes about how well the library works."""

from __future__ import annotations

from ape_jupyter.library.performance_report import PerformanceReport
from ape_jupyter.model.performance import AppliedSuggestion
from ape_jupyter.wire.messages import SuggestionList
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="performance",
        name="getPerformance",
        summary="Return how long things take, and how the cache is used.",
        action="read",
        answers={200: PerformanceReport},
    ),
    Route(
        method="GET",
        path="performance/suggestions",
        name="getSuggestions",
        summary="Return what would make the library quicker or smaller, with the evidence.",
        action="read",
        answers={200: SuggestionList},
    ),
    Route(
        method="POST",
        path="performance/suggestions/{suggestion_id}/apply",
        name="applySuggestion",
        summary="Do what is suggested; 409 when it no longer is, or only a kernel can do it.",
        action="write",
        answers={200: AppliedSuggestion},
        errors=(409,),
    ),
)
