"""Routes about the server itself."""

from __future__ import annotations

from typing import Any

from ape_jupyter.wire.messages import (
    Health,
)
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="health",
        name="getHealth",
        summary="Tell whether the server and its library work, and their versions.",
        action="read",
        answers={200: Health},
    ),
    Route(
        method="GET",
        path="openapi.json",
        name="getDescription",
        summary="This document.",
        action="read",
        answers={200: dict[str, Any]},
    ),
)
