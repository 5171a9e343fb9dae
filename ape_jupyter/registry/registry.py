"""The registry: what runs there are, what is known of each, and what happened to them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ape_jupyter.errors import SchemaTooNewError
from ape_jupyter.registry import reading
from ape_jupyter.registry.accesses import Accesses
from ape_jupyter.registry.connector import connector_for
from ape_jupyter.registry.log import WithLog
from ape_jupyter.registry.lookup import WithLookup
from ape_jupyter.registry.schema import DATABASE_VERSION, event_log, library_state, metadata
from ape_jupyter.registry.tagging import WithTagging
from ape_jupyter.registry.trash import WithTrash
from ape_jupyter.registry.writing import WithWriting

__all__ = ["Registry"]


class Registry(WithLookup, WithWriting, WithTagging, WithTrash, WithLog):
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
    MigrationError
        On opening a database of an older version that belongs to another user.
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
        version = self._version()
        if version is None:
            self._create()
        elif version > DATABASE_VERSION:
            message = (
                f"{self._database.place} has database version {version}, this ape-jupyter "
                f"reads up to {DATABASE_VERSION}. Update ape-jupyter; nothing was changed."
            )
            raise SchemaTooNewError(message)
        elif version < DATABASE_VERSION:
            from ape_jupyter.registry.migrations import migrate

            migrate(self._database)
        self._database.prepare()
        with self._database.read() as connection:
            # Compiles the query, or the first run that somebody opens would take twice as long.
            reading.maybe_one(connection, "")

    def _version(self) -> int | None:
        with self._database.read() as connection:
            if not sa.inspect(connection).has_table(library_state.name):
                return None
            version = connection.execute(sa.select(library_state.c.database_version)).scalar_one()
            return int(version)

    def _create(self) -> None:
        with self._database.write() as connection:
            # Another process may have made the tables since.
            metadata.create_all(connection)
            if connection.execute(sa.select(library_state.c.id)).first() is None:
                _write_first_rows(connection)

    def close(self) -> None:
        """Write what was held back and close all connections."""
        self._accesses.close()
        self._database.close()


def _write_first_rows(connection: sa.Connection) -> None:
    state = {"id": 1, "database_version": DATABASE_VERSION, "revision": 0}
    connection.execute(sa.insert(library_state).values(state))
    log = {"id": 1, "forgotten_seq": 0, "forgotten_hash": "", "last_seq": 0, "last_hash": ""}
    connection.execute(sa.insert(event_log).values(log))
