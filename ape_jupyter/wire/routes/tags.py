"""Routes about tags."""

from __future__ import annotations

from ape_jupyter.model.listing import TagCount
from ape_jupyter.wire.messages import (
    SimulationList,
    TagChange,
)
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="tags",
        name="getTags",
        summary="Return all tags in use, the most used first.",
        action="read",
        answers={200: tuple[TagCount, ...]},
    ),
    Route(
        method="POST",
        path="tags",
        name="changeTags",
        summary="Add tags to and remove tags from several runs, all or nothing.",
        action="write",
        body=TagChange,
        answers={200: SimulationList},
        errors=(400, 404, 409),
    ),
)
