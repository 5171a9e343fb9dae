"""The registry: what runs there are, what is known of each, and what happened to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import SchemaTooNewError
from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.model.listing import SearchPage, SearchRequest, TagCount
from ape_jupyter.model.operations import SetPinned, SetTags, UpdateMetadata
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import events, outcomes, reading
from ape_jupyter.registry.accesses import Accesses
from ape_jupyter.registry.changes import NewRun, RegistryOperation, SetStatus, carry_out
from ape_jupyter.registry.connector import Watcher, connector_for
from ape_jupyter.registry.events import BrokenChain
from ape_jupyter.registry.schema import (
    DATABASE_VERSION,
    documents,
    event_log,
    library_state,
    metadata,
    simulations,
)
from ape_jupyter.registry.users import current_user

__all__ = ["Registry"]

_column = simulations.c


class Registry:
    """The database of a library. Threads may share one; processes open one each.

    Every change names who made it, by default the account of this process, and is one
    transaction with the events that tell of it.

    Parameters
    ----------
    location : Path or str
        A SQLite file, or the ``postgresql://`` URL of a database.

    Raises
    ------
    SchemaTooNewError
        On opening a database that a newer version wrote; not a byte of it is changed.
    """

    def __init__(self, location: Path | str) -> None:
        self._database = connector_for(location)
        self._accesses = Accesses(self._database)
        try:
            self._open()
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> None:
        with self._database.read() as connection:
            is_new = not sa.inspect(connection).has_table(library_state.name)
        if is_new:
            with self._database.write() as connection:
                # Another process may have made the tables since.
                metadata.create_all(connection)
                if connection.execute(sa.select(library_state.c.id)).first() is None:
                    _write_first_rows(connection)
        with self._database.read() as connection:
            version = connection.execute(sa.select(library_state.c.database_version)).scalar_one()
            if version > DATABASE_VERSION:
                message = (
                    f"{self._database.place} has database version {version}, this ape-jupyter "
                    f"reads up to {DATABASE_VERSION}. Update ape-jupyter; nothing was changed."
                )
                raise SchemaTooNewError(message)
            # Compiles the query, or the first run that somebody opens would take twice as long.
            reading.maybe_one(connection, "")

    def close(self) -> None:
        """Write what was held back and close all connections."""
        self._accesses.close()
        self._database.close()

    def revision(self) -> int:
        """Return a number that grows with every change of the registry."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(library_state.c.revision)).scalar_one())

    # Reading

    def get(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of the run with exactly this id, trashed or not."""
        with self._database.read() as connection:
            return reading.one(connection, sim_id)

    def find(self, text: str) -> SimulationMetadata:
        """Return the one run that an id, a name, or a prefix of either means.

        Raises
        ------
        SimulationNotFoundError
            If no run is meant, or more than one.
        """
        with self._database.read() as connection:
            return reading.find(connection, text)

    def get_many(self, sim_ids: Sequence[str]) -> list[SimulationMetadata]:
        """Return the metadata of several runs, in the order of their ids."""
        with self._database.read() as connection:
            return [reading.one(connection, sim_id) for sim_id in sim_ids]

    def pinned_checksums(self) -> frozenset[str]:
        """Return the checksums of the pinned runs that are not in the trash."""
        query = sa.select(_column.checksum).where(
            _column.is_pinned, _column.status != Status.TRASHED.value
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def with_checksums(self, checksums: Iterable[str]) -> list[SimulationMetadata]:
        """Return the runs outside the trash that have one of these result sets, oldest first."""
        query = sa.select(_column.sim_id).where(
            _column.checksum.in_(list(checksums)), _column.status != Status.TRASHED.value
        )
        with self._database.read() as connection:
            order = (_column.created_at, _column.sim_id)
            found = connection.execute(query.order_by(*order)).scalars().all()
            return [reading.one(connection, sim_id) for sim_id in found]

    def documents(self, sim_id: str) -> dict[str, Any]:
        """Return the documents of a run by kind."""
        query = sa.select(documents.c.kind, documents.c.content)
        with self._database.read() as connection:
            rows = connection.execute(query.where(documents.c.sim_id == sim_id)).all()
        return {str(kind): content for kind, content in rows if content is not None}

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of the runs that match, and how many match in all."""
        with self._database.read() as connection:
            return reading.page(connection, request)

    def tag_counts(self) -> list[TagCount]:
        """Return the tags of available runs, the most used first."""
        with self._database.read() as connection:
            return reading.tag_counts(connection)

    # Changing

    def apply(
        self,
        operations: Sequence[RegistryOperation],
        user: str | None = None,
        *,
        request: outcomes.Request | None = None,
        publish: Callable[[], None] | None = None,
    ) -> list[SimulationMetadata]:
        """Carry out all operations in their order, or none; return each run as it is then.

        Parameters
        ----------
        request : Request, optional
            If it was carried out before, nothing happens and its outcome is returned again.
        publish : callable, optional
            Puts the results of new runs in their place. It is called while no other process
            can write: what removes results that no run refers to does so as a writer, and
            can not take these away.
        """
        with self._database.write() as connection:
            if request is not None:
                known = outcomes.recorded(connection, request)
                if known is not None:
                    return known
            if publish is not None:
                publish()
            acting = user or current_user()
            runs = [carry_out(connection, operation, acting) for operation in operations]
            if request is not None:
                outcomes.record(connection, request, runs)
        return runs

    def outcome(self, request: outcomes.Request) -> list[SimulationMetadata] | None:
        """Return what a request led to; None when it was not carried out."""
        with self._database.read() as connection:
            return outcomes.recorded(connection, request)

    def add(
        self,
        run: SimulationMetadata,
        run_documents: Mapping[str, Any],
        user: str | None = None,
        *,
        publish: Callable[[], None] | None = None,
    ) -> None:
        """Add a run with its tags and documents.

        Raises
        ------
        ConflictError
            If there is a run with this id.
        """
        self.apply([NewRun(metadata=run, documents=run_documents)], user, publish=publish)

    def update_metadata(
        self,
        sim_id: str,
        expected_revision: int | None = None,
        user: str | None = None,
        **changes: Any,
    ) -> SimulationMetadata:
        """Change fields of a run's metadata.

        Raises
        ------
        InvalidArgumentError
            If a field can not be changed, or not to this value.
        ConflictError
            If the run is at another than the expected revision; it has both versions.
        """
        operation = UpdateMetadata(
            sim_id=sim_id, expected_revision=expected_revision, changes=changes
        )
        return self.apply([operation], user)[0]

    def set_status(
        self, sim_id: str, status: Status, user: str | None = None
    ) -> SimulationMetadata:
        """Change the status of a run."""
        return self.apply([SetStatus(sim_id=sim_id, status=status)], user)[0]

    def set_pinned(
        self, sim_id: str, is_pinned: bool, user: str | None = None
    ) -> SimulationMetadata:
        """Pin or unpin a run."""
        return self.apply([SetPinned(sim_id=sim_id, is_pinned=is_pinned)], user)[0]

    def set_tags(
        self,
        sim_ids: Sequence[str],
        add: Iterable[str],
        remove: Iterable[str],
        user: str | None = None,
    ) -> list[SimulationMetadata]:
        """Add and remove tags on all of these runs, or on none."""
        added, removed = tuple(add), tuple(remove)
        operations = [SetTags(sim_id=sim_id, add=added, remove=removed) for sim_id in sim_ids]
        return self.apply(operations, user)

    def record_access(self, sim_id: str, user: str | None = None) -> None:
        """Count one opening of a run; written a little later, so that reads never wait."""
        self._accesses.count(sim_id, user or current_user())

    def flush(self) -> None:
        """Write the openings that are counted and not yet written."""
        self._accesses.flush()

    # The log

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
        limit: int = events.MAX_EVENTS,
    ) -> list[SimulationEvent]:
        """Return the events after number ``since``, the oldest first."""
        with self._database.read() as connection:
            return events.read(connection, since, types, sim_id, limit)

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


def _write_first_rows(connection: sa.Connection) -> None:
    state = {"id": 1, "database_version": DATABASE_VERSION, "revision": 0}
    connection.execute(sa.insert(library_state).values(state))
    log = {"id": 1, "forgotten_seq": 0, "forgotten_hash": "", "last_seq": 0, "last_hash": ""}
    connection.execute(sa.insert(event_log).values(log))
