"""ape-jupyter: a shared library of APE simulation runs inside Jupyter.

>>> import ape_jupyter as ape
>>> lib = ape.connect()  # doctest: +SKIP
>>> data = lib.load_simulation("calm-river")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ape_jupyter.connection import connect
    from ape_jupyter.errors import (
        ApeError,
        ConflictError,
        CorruptedDataError,
        InvalidArgumentError,
        InvalidResultsError,
        LibraryBusyError,
        MigrationError,
        OperationCancelledError,
        OutOfSpaceError,
        PermissionDeniedError,
        QuerySyntaxError,
        SchemaTooNewError,
        ServerUnavailableError,
        SimulationNotFoundError,
    )
    from ape_jupyter.library.comparison import ComparisonResult
    from ape_jupyter.library.data import SimulationData, SimulationResults
    from ape_jupyter.library.interface import Library
    from ape_jupyter.library.listing import ImportReport, SearchResult
    from ape_jupyter.library.performance_report import PerformanceReport
    from ape_jupyter.library.suggestion import Suggestion
    from ape_jupyter.model.memory import MemoryReport, MemoryUsage, OptimizationReport
    from ape_jupyter.model.protocol import AuditEvent, ProtocolData
    from ape_jupyter.model.simulation import SimulationMetadata
    from ape_jupyter.widgets import ComparisonOverlay

    __version__: str

__all__ = [
    "ApeError",
    "AuditEvent",
    "ComparisonOverlay",
    "ComparisonResult",
    "ConflictError",
    "CorruptedDataError",
    "ImportReport",
    "InvalidArgumentError",
    "InvalidResultsError",
    "Library",
    "LibraryBusyError",
    "MemoryReport",
    "MemoryUsage",
    "MigrationError",
    "OperationCancelledError",
    "OptimizationReport",
    "OutOfSpaceError",
    "PerformanceReport",
    "PermissionDeniedError",
    "ProtocolData",
    "QuerySyntaxError",
    "SchemaTooNewError",
    "SearchResult",
    "ServerUnavailableError",
    "SimulationData",
    "SimulationMetadata",
    "SimulationNotFoundError",
    "SimulationResults",
    "Suggestion",
    "connect",
]

# Names are imported when they are first used: a kernel that only connects loads no widgets,
# and no kernel loads the server.
_HOMES = {
    "ComparisonOverlay": "widgets",
    "connect": "connection",
    "ComparisonResult": "library.comparison",
    "SimulationData": "library.data",
    "SimulationResults": "library.data",
    "Library": "library.interface",
    "ImportReport": "library.listing",
    "SearchResult": "library.listing",
    "PerformanceReport": "library.performance_report",
    "Suggestion": "library.suggestion",
    "MemoryReport": "model.memory",
    "MemoryUsage": "model.memory",
    "OptimizationReport": "model.memory",
    "AuditEvent": "model.protocol",
    "ProtocolData": "model.protocol",
    "SimulationMetadata": "model.simulation",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("ape_jupyter.model.version").package_version()
    if name in __all__:
        value = getattr(import_module(f"ape_jupyter.{_HOMES.get(name, 'errors')}"), name)
    else:
        raise AttributeError(f"module 'ape_jupyter' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = import_module("ape_jupyter.server").extension_points()
    return points
