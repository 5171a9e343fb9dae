"""The route that finds runs like another."""

from __future__ import annotations

from ape_jupyter.model.similarity import MAX_SIMILAR_RUNS
from ape_jupyter.wire.routes.route import Parameter, Route
from ape_jupyter.wire.similarity import SimilarRunList

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="simulations/{sim_id}/similar",
        name="getSimilarSimulations",
        summary="Return the runs that are most like a run, and what they differ in.",
        action="read",
        parameters=(
            Parameter(
                name="limit",
                description="How many runs.",
                schema={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_SIMILAR_RUNS,
                    "default": 10,
                },
            ),
        ),
        answers={200: SimilarRunList},
        errors=(400, 404),
    ),
)
