"""Telling of runs that left the cache, when nobody waits for it."""

from __future__ import annotations

from collections import deque

from ape_jupyter.model.events import EventType
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["Evictions"]

MB = 10**6

_REMEMBERED = 1000


class Evictions:
    """Counts evictions at once, and writes their events later. Threads may share one.

    Runs are evicted while somebody waits for another to be opened, under a lock of its files;
    that is no time to write to a database.
    """

    def __init__(self, registry: Registry, monitor: PerformanceMonitor) -> None:
        self._registry = registry
        self._monitor = monitor
        self._untold: deque[tuple[str, int, bool]] = deque(maxlen=_REMEMBERED)

    def note(self, digest: str, size_bytes: int, made_room: bool) -> None:
        """Remember that a result set left, to make room or because somebody said so."""
        self._monitor.evicted(size_bytes, made_room)
        self._untold.append((digest, size_bytes, made_room))

    def tell(self) -> None:
        """Write an event for each run that left."""
        while True:
            try:
                digest, size_bytes, made_room = self._untold.popleft()
            except IndexError:
                return
            data = {"freed_mb": size_bytes / MB, "made_room": made_room}
            for run in self._registry.with_checksums([digest]):
                self._registry.record_event(EventType.SIMULATION_EVICTED, run.sim_id, data)
