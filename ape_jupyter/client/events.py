"""The part of a remote library that tells what happened, and what happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ape_jupyter.client.transport import Transport
from ape_jupyter.errors import ApeError
from ape_jupyter.model.events import EventType, SimulationEvent, event_types
from ape_jupyter.services.events import EventBus, Subscription
from ape_jupyter.wire.events import EventPage, EventQuery, encode_event_query

__all__ = ["RemoteEventLog", "RemoteEvents"]

_WAIT_SECONDS = 2.0
"""How long one request waits: closing a library waits for it, too."""
_LONGEST_PAUSE_SECONDS = 30.0


class RemoteEventLog:
    """The log of a server's library."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, query: EventQuery) -> EventPage:
        """Return what a query asks for."""
        page: EventPage = self._transport.get(EventPage, "events", params=encode_event_query(query))
        return page

    def last_seq(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        return self.page(EventQuery(limit=1)).last_seq

    def events(
        self,
        since: int = 0,
        types: Iterable[EventType] | None = None,
        sim_id: str | None = None,
        limit: int = 1000,
    ) -> list[SimulationEvent]:
        """Return the events after a number, the oldest first."""
        query = EventQuery(since=since, types=tuple(types or ()), sim_id=sim_id, limit=limit)
        return list(self.page(query).items)

    @contextmanager
    def watch(self) -> Iterator[_Waiting]:
        """Give a way to wait for events."""
        yield _Waiting(self)


class _Waiting:
    """Asks the server with requests that it answers when something happens."""

    def __init__(self, log: RemoteEventLog) -> None:
        self._log = log
        self._seen: int | None = None
        self._pause_seconds = 1.0

    def wait(self) -> None:
        """Return soon after something may have happened."""
        try:
            if self._seen is None:
                self._seen = self._log.last_seq()
                return
            query = EventQuery(since=self._seen, limit=1, wait_seconds=_WAIT_SECONDS)
            self._seen = self._log.page(query).last_seq
            self._pause_seconds = 1.0
        except ApeError:
            # The server is away. What happens meanwhile is in its log when it is back.
            time.sleep(self._pause_seconds)
            self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)


class RemoteEvents:
    """History and subscriptions; see ``Library``."""

    _event_log: RemoteEventLog
    _event_bus: EventBus

    def events(
        self,
        since: int = 0,
        types: Iterable[EventType | str] | None = None,
        sim_id: str | None = None,
        limit: int = 1000,
    ) -> list[SimulationEvent]:
        """Return the events after number ``since``, the oldest first."""
        chosen = None if types is None else event_types(types)
        return self._event_log.events(since, chosen, sim_id, limit)

    def subscribe(
        self,
        event_type: EventType | str | Iterable[EventType | str] | None,
        callback: Callable[[SimulationEvent], object],
        *,
        since: int | None = None,
    ) -> Subscription:
        """Call back for every event of a type; see ``Library``."""
        types = None if event_type is None else event_types(event_type)
        return self._event_bus.subscribe(callback, types, since)
