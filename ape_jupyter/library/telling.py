"""The part of a library in this process that tells what happened, and what happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.events import EventType, SimulationEvent
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

    def subscribe(
        self,
        event_type: EventType | str | Iterable[EventType | str] | None,
        callback: EventCallback,
        *,
        since: int | None = None,
    ) -> Subscription:
        """Call back for every event of a type; see ``Library``."""
        return self._events.subscribe(callback, _types(event_type), since)


def _types(
    event_type: EventType | str | Iterable[EventType | str] | None,
) -> Sequence[EventType] | None:
    if event_type is None:
        return None
    kinds = [event_type] if isinstance(event_type, str) else list(event_type)
    try:
        return [EventType(kind) for kind in kinds]
    except ValueError:
        known = ", ".join(EventType)
        raise InvalidArgumentError(f"The types of event are: {known}; not {kinds}.") from None
