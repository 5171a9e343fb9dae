"""Handlers by resource, and the table of where each is."""

from __future__ import annotations

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.handlers.comparisons import ComparisonsHandler
from ape_jupyter.server.handlers.events import EventsHandler, EventsSocket
from ape_jupyter.server.handlers.health import DescriptionHandler, HealthHandler
from ape_jupyter.server.handlers.imports import ImportHandler, ImportsHandler
from ape_jupyter.server.handlers.memory import (
    EvictHandler,
    MemoryHandler,
    OptimizationHandler,
    PinHandler,
)
from ape_jupyter.server.handlers.packages import PackagesHandler
from ape_jupyter.server.handlers.performance import (
    ApplySuggestionHandler,
    PerformanceHandler,
    SuggestionsHandler,
)
from ape_jupyter.server.handlers.simulations import (
    DocumentsHandler,
    OpenHandler,
    RestoreHandler,
    SimulationHandler,
    SimulationsHandler,
)
from ape_jupyter.server.handlers.tables import TableHandler
from ape_jupyter.server.handlers.tags import (
    BulkTagsHandler,
    MergeTagsHandler,
    RenameTagHandler,
    TagColourHandler,
    TagsHandler,
    UndoTagsHandler,
)
from ape_jupyter.server.handlers.transactions import (
    PurgeHandler,
    RollbackHandler,
    TransactionsHandler,
)
from ape_jupyter.server.handlers.verification import VerificationHandler
from ape_jupyter.server.handlers.watches import WatchesHandler, WatchHandler

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
    ("performance", PerformanceHandler),
    ("performance/suggestions", SuggestionsHandler),
    ("performance/suggestions/{suggestion_id}/apply", ApplySuggestionHandler),
    ("tags", TagsHandler),
    ("tags/bulk", BulkTagsHandler),
    ("tags/rename", RenameTagHandler),
    ("tags/merge", MergeTagsHandler),
    ("tags/colour", TagColourHandler),
    ("tags/undo", UndoTagsHandler),
    ("transactions", TransactionsHandler),
    ("transactions/rollback", RollbackHandler),
    ("trash/purge", PurgeHandler),
    ("events", EventsHandler),
    ("events/stream", EventsSocket),
    ("comparisons", ComparisonsHandler),
    ("imports", ImportsHandler),
    ("imports/{job_id}", ImportHandler),
    ("packages", PackagesHandler),
    ("verification", VerificationHandler),
    ("watches", WatchesHandler),
    ("watches/{watch_id}", WatchHandler),
)
"""Path below the API's root, as in :data:`ape_jupyter.wire.routes.ROUTES`, and handler."""
