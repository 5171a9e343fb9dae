"""Handlers by resource, and the table of where each is."""

from __future__ import annotations

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.handlers.comparisons import ComparisonsHandler
from ape_jupyter.server.handlers.health import DescriptionHandler, HealthHandler
from ape_jupyter.server.handlers.imports import ImportHandler, ImportsHandler
from ape_jupyter.server.handlers.memory import (
    EvictHandler,
    MemoryHandler,
    OptimizationHandler,
    PinHandler,
)
from ape_jupyter.server.handlers.packages import PackagesHandler
from ape_jupyter.server.handlers.simulations import (
    DocumentsHandler,
    OpenHandler,
    RestoreHandler,
    SimulationHandler,
    SimulationsHandler,
)
from ape_jupyter.server.handlers.tables import TableHandler
from ape_jupyter.server.handlers.tags import TagsHandler
from ape_jupyter.server.handlers.verification import VerificationHandler

__all__ = ["HANDLERS"]

HANDLERS: tuple[tuple[str, type[ApeHandler]], ...] = (
    ("health", HealthHandler),
    ("openapi.json", DescriptionHandler),
    ("simulations", SimulationsHandler),
    ("simulations/{sim_id}", SimulationHandler),
    ("simulations/{sim_id}/restore", RestoreHandler),
    ("simulations/{sim_id}/documents", DocumentsHandler),
    ("simulations/{sim_id}/open", OpenHandler),
    ("simulations/{sim_id}/tables/{table}", TableHandler),
    ("simulations/{sim_id}/pin", PinHandler),
    ("simulations/{sim_id}/evict", EvictHandler),
    ("memory", MemoryHandler),
    ("memory/optimize", OptimizationHandler),
    ("tags", TagsHandler),
    ("comparisons", ComparisonsHandler),
    ("imports", ImportsHandler),
    ("imports/{job_id}", ImportHandler),
    ("packages", PackagesHandler),
    ("verification", VerificationHandler),
)
"""Path below the API's root, as in :data:`ape_jupyter.wire.routes.ROUTES`, and handler."""
