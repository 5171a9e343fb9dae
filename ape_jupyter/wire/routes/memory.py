"""Routes about the cache and memory."""

from __future__ import annotations

from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.messages import (
    OptimizationOrder,
)
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="simulations/{sim_id}/pin",
        name="pinSimulation",
        summary="Keep a run's mapped files in the cache, whatever its budget.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="DELETE",
        path="simulations/{sim_id}/pin",
        name="unpinSimulation",
        summary="Let a run's mapped files be evicted again.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="POST",
        path="simulations/{sim_id}/evict",
        name="evictSimulation",
        summary="Remove a run's mapped files; 409 when it is pinned or in use.",
        action="write",
        answers={200: Eviction},
        errors=(404, 409),
    ),
    Route(
        method="GET",
        path="memory",
        name="getMemory",
        summary="Return what runs take in every kernel, on disk, and would take in pandas.",
        action="read",
        answers={200: MemoryReport},
    ),
    Route(
        method="POST",
        path="memory/optimize",
        name="optimizeMemory",
        summary="Free what nobody has used for some time.",
        action="write",
        body=OptimizationOrder,
        answers={200: OptimizationReport},
        errors=(400,),
    ),
)
