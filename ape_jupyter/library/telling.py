"""The part of a library in this process that tells what happened, and what happens."""

from __future__ import annotations

from collections.abc import Iterable

from ape_jupyter.model.events import EventType, SimulationEvent, event_types
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.events import EventBus, EventCallback, Subscription

__all__ = ["WithEvents"]


class WithEvents:
    """History and subscriptions; see ``Library``."""

    _registry: Registry
    _events: EventBus

    def events(
        self,
        since: int = 0,
        types: Iterable[EventType | str] | None = None,
        sim_id: str | None = None,
        limit: int = 1000,
    ) -> list[SimulationEvent]:
        """Return the events after number ``since``, the oldest first; see ``Library``."""
        if sim_id is not None:
            sim_id = self._registry.id_in_history(sim_id)
        return self._registry.events(since, types, sim_id, limit)

    def event_range(self) -> tuple[int, int]:
        """Return the oldest number that the log still has, and the newest it ever had."""
        return self._registry.event_range()

    def subscribe(
        self,
        event_type: EventType | str | Iterable[EventType | str] | None,
        callback: EventCallback,
        *,
        since: int | None = None,
    ) -> Subscription:
        """Call back for every event of a type; see ``Library``."""
        types = None if event_type is None else event_types(event_type)
        return self._events.subscribe(callback, types, since)
