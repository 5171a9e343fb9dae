"""The part of a registry that keeps its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.registry import events, reading
from ape_jupyter.registry.connector import Connector, Watcher
from ape_jupyter.registry.events import MAX_EVENTS, BrokenChain
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.users import current_user

__all__ = ["WithLog"]


class WithLog:
    """Writes and reads events; see ``Registry``."""

    _database: Connector

    def record_event(
        self,
        event_type: EventType,
        simulation_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        user_id: str | None = None,
    ) -> SimulationEvent:
        """Write an event that tells of no change of the registry."""
        with self._database.write() as connection:
            user = user_id or current_user()
            return events.append(connection, event_type, simulation_id, data or {}, user)

    def events(
        self,
        since: int = 0,
        types: Iterable[EventType | str] | None = None,
        sim_id: str | None = None,
        limit: int = MAX_EVENTS,
    ) -> list[SimulationEvent]:
        """Return the events after number ``since``, the oldest first."""
        with self._database.read() as connection:
            return events.read(connection, since, types, sim_id, limit)

    def id_in_history(self, text: str) -> str:
        """Return the id that a text means, also that of a run in the trash or purged.

        Raises
        ------
        SimulationNotFoundError
            If neither a run nor the log has it.
        """
        with self._database.read() as connection:
            if reading.maybe_one(connection, bindable(text)) is not None:
                return text
            if events.read(connection, sim_id=bindable(text), limit=1):
                return text
            return reading.find(connection, text).sim_id

    def last_seq(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        with self._database.read() as connection:
            return events.last_seq(connection)

    def broken_history(self) -> BrokenChain | None:
        """Return the first place at which the log was tampered with; None when it is whole."""
        with self._database.read() as connection:
            return events.broken_at(connection)

    def forget_events(self, older_than: timedelta) -> int:
        """Remove old events from the log, whose chain can still be checked; return how many."""
        with self._database.write() as connection:
            return events.forget(connection, datetime.now(UTC) - older_than)

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Give a way to wait for changes by anybody, for one thread."""
        with self._database.watch() as watcher:
            yield watcher
