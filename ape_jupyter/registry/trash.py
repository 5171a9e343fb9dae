"""The part of a registry that lets runs go for good.

First their rows go and leave a tombstone, then what they had on the disk, then the tombstone:
whenever a process dies in between, the next purge goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ape_jupyter.model.events import EventType
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import events, reading
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import documents, library_state, simulations, tags, tombstones
from ape_jupyter.registry.users import current_user

__all__ = ["Doomed", "WithTrash"]

_column = simulations.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """What a purge takes.

    Attributes
    ----------
    runs : tuple of SimulationMetadata
        The longest in the trash first.
    checksums : tuple of str
        Their result sets that no other run has.
    """

    runs: tuple[SimulationMetadata, ...]
    checksums: tuple[str, ...]


class WithTrash:
    """Purges runs; see ``Registry``."""

    _database: Connector

    def doomed(self, before: datetime) -> Doomed:
        """Return what :meth:`purge` would take: the runs in the trash since before a time."""
        with self._database.read() as connection:
            return _doomed(connection, before)

    def purge(self, before: datetime, user: str | None = None) -> Doomed:
        """Remove the runs in the trash since before a time, but for their history."""
        with self._database.write() as connection:
            doomed = _doomed(connection, before)
            for run in doomed.runs:
                _bury(connection, run, user or current_user())
        return doomed

    def clear_tombstones(
        self, remove_results: Callable[[str], None], remove_run: Callable[[str], None]
    ) -> None:
        """Have all removed that purged runs had, unless another run has it by now.

        The callables are given a checksum and an id, while no other process can write. They
        may be called again for what is removed already.
        """
        with self._database.write() as connection:
            rows = connection.execute(sa.select(tombstones).order_by(tombstones.c.sim_id)).all()
            for sim_id, checksum in rows:
                if not _is_referred_to(connection, _column.checksum == checksum):
                    remove_results(checksum)
                if not _is_referred_to(connection, _column.sim_id == sim_id):
                    remove_run(sim_id)
            connection.execute(sa.delete(tombstones))

    def remove_unused(self, checksums: Iterable[str], remove: Callable[[str], None]) -> None:
        """Have those result sets removed that no run has, while no other process can write."""
        with self._database.write() as connection:
            for checksum in checksums:
                if not _is_referred_to(connection, _column.checksum == checksum):
                    remove(checksum)


def _doomed(connection: sa.Connection, before: datetime) -> Doomed:
    trashed = (_column.status == Status.TRASHED.value) & (_column.trashed_at <= stored_time(before))
    query = sa.select(_column.sim_id).where(trashed).order_by(_column.trashed_at, _column.sim_id)
    sim_ids = connection.execute(query).scalars().all()
    runs = tuple(reading.one(connection, sim_id) for sim_id in sim_ids)
    unused = [
        checksum
        for checksum in dict.fromkeys(run.checksum for run in runs)
        if not _is_referred_to(connection, (_column.checksum == checksum) & ~trashed)
    ]
    return Doomed(runs=runs, checksums=tuple(unused))


def _is_referred_to(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> bool:
    query = sa.select(_column.sim_id).where(condition).limit(1)
    return connection.execute(query).first() is not None


def _bury(connection: sa.Connection, run: SimulationMetadata, user: str) -> None:
    tombstone = {"sim_id": run.sim_id, "checksum": run.checksum}
    for table in (tombstones, tags, documents, simulations):
        connection.execute(sa.delete(table).where(table.c.sim_id == run.sim_id))
    connection.execute(sa.insert(tombstones).values(tombstone))
    update = sa.update(library_state).values(revision=library_state.c.revision + 1)
    connection.execute(update)
    data = {"name": run.name, "checksum": run.checksum}
    events.append(connection, EventType.SIMULATION_PURGED, run.sim_id, data, user)
