"""The routes of the server extension: the server implements them, the document lists them."""

from __future__ import annotations

from ape_jupyter.wire.routes import (
    comparisons,
    completions,
    events,
    health,
    imports,
    memory,
    performance,
    searches,
    similarity,
    simulations,
    tags,
    transactions,
    verification,
    watches,
)
from ape_jupyter.wire.routes.route import ARROW_FILE, Parameter, Route

__all__ = ["ARROW_FILE", "ROUTES", "Parameter", "Route"]

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *simulations.ROUTES,
    *memory.ROUTES,
    *performance.ROUTES,
    *tags.ROUTES,
    *searches.ROUTES,
    *completions.ROUTES,
    *similarity.ROUTES,
    *transactions.ROUTES,
    *events.ROUTES,
    *comparisons.ROUTES,
    *imports.ROUTES,
    *verification.ROUTES,
    *watches.ROUTES,
)
