"""Routes that tell what happened."""

from __future__ import annotations

from ape_jupyter.model.events import EventType
from ape_jupyter.wire.events import LONGEST_WAIT_SECONDS, EventMessage, EventPage
from ape_jupyter.wire.routes.route import TEXT, Parameter, Route

__all__ = ["ROUTES"]

_SINCE = Parameter(
    name="since",
    description="Only events with a greater number.",
    schema={"type": "integer", "minimum": 0, "default": 0},
)
_CHOSEN = (
    Parameter(
        name="types",
        description="Only events of this type; can be repeated.",
        schema={"type": "array", "items": {**TEXT, "enum": list(EventType)}},
    ),
    Parameter(name="sim_id", description="Only events about this run.", schema=TEXT),
)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="events",
        name="getEvents",
        summary="Return what happened, the oldest first; with sim_id, the history of a run.",
        action="read",
        parameters=(
            _SINCE,
            *_CHOSEN,
            Parameter(
                name="limit",
                description="Events per answer.",
                schema={"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000},
            ),
            Parameter(
                name="wait_seconds",
                description="How long to wait for an event when there is none yet.",
                schema={
                    "type": "number",
                    "minimum": 0,
                    "maximum": LONGEST_WAIT_SECONDS,
                    "default": 0,
                },
            ),
        ),
        answers={200: EventPage},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="events/stream",
        name="streamEvents",
        summary="A WebSocket with an EventMessage for every event since a number, each once and "
        "in order.",
        action="read",
        parameters=(_SINCE, *_CHOSEN),
        answers={101: EventMessage},
        errors=(400,),
    ),
)
