"""Routes that help with searching."""

from __future__ import annotations

from ape_jupyter.model.completion import Completion
from ape_jupyter.wire.routes.route import TEXT, Parameter, Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="completions",
        name="completeSearch",
        summary="Return what could stand at the cursor of a search that is being typed: fields, "
        "values, tags, properties and operators.",
        action="read",
        parameters=(
            Parameter(
                name="query", description="What is typed so far.", schema={**TEXT, "default": ""}
            ),
            Parameter(
                name="cursor",
                description="How many code points stand before the cursor; by default all.",
                schema={"type": "integer", "minimum": 0},
            ),
        ),
        answers={200: Completion},
        errors=(400,),
    ),
)
