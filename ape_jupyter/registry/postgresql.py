"""Connections to a PostgreSQL server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ape_jupyter.errors import (
    InvalidArgumentError,
    LibraryBusyError,
    OutOfSpaceError,
    SchemaTooNewError,
    ServerUnavailableError,
)
from ape_jupyter.registry.guard import Guard, changed_meanwhile

__all__ = ["CHANNEL", "PostgresqlConnector"]

CHANNEL = "ape_jupyter_events"
_WRITER_LOCK = 0x4150_4552  # the letters APER
_LOCK_TIMEOUT_SECONDS = 30
# Threads get their turns with the connections, however long that takes on a busy machine.
_QUEUE_SECONDS = 300
_POLL_SECONDS = 0.1
_OTHER_SCHEMA = ("42P01", "42703")  # no such table, no such column


class PostgresqlConnector:
    """A PostgreSQL database for any number of threads, processes and machines."""

    guard: Guard | None = None

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
        except (ArgumentError, ValueError) as error:
            raise InvalidArgumentError("This is not a URL of a PostgreSQL database.") from error
        self.place = parsed.render_as_string(hide_password=True)
        self._url = parsed.set(drivername="postgresql")
        self._engine = sa.create_engine(
            parsed,
            pool_size=8,
            max_overflow=24,
            pool_timeout=_QUEUE_SECONDS,
            # After the server was restarted, connections of the pool are dead.
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": 10, "application_name": "ape-jupyter"},
        )
        # Every statement of a writer must see what the writers before it have done; a
        # snapshot that was taken while waiting for the lock would not.
        self._writing = self._engine.execution_options(isolation_level="READ COMMITTED")

    def conninfo(self) -> tuple[str, str | None]:
        """Return the URL and the password for PostgreSQL's own tools.

        Apart, for everybody on a machine can read the arguments of a process.
        """
        url = self._url._replace(password=None)
        return url.render_as_string(hide_password=False), self._url.password

    def prepare(self) -> None:
        """Do nothing: a server is made for many users."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the database throughout."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give the one writing connection; commits at the end, rolls back on an exception.

        Numbers from a sequence become visible in another order than they are given out, and
        a reader that has seen 2 never looks at a late 1 again. One writer at a time knows
        the last number for certain.
        """
        with self._translated(), self._writing.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))
            if self.guard is not None:
                self.guard(connection)
            yield connection
            # A hint that is only sent if the transaction commits; the truth is in the table.
            connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    @contextmanager
    def watch(self) -> Iterator[_Listener]:
        """Give a way to wait for changes."""
        listener = _Listener(self._engine)
        try:
            yield listener
        finally:
            listener.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise LibraryBusyError(f"{self.place} has too many users; try again.") from error
        except OperationalError as error:
            state = getattr(error.orig, "sqlstate", None) or ""
            if state in ("55P03", "57014", "53300"):
                message = f"{self.place} stayed locked for {_LOCK_TIMEOUT_SECONDS} s; try again."
                raise LibraryBusyError(message) from error
            if state == "53100":
                message = f"The disk that holds {self.place} is full; nothing was changed."
                raise OutOfSpaceError(message) from error
            message = f"The database {self.place} does not answer: {error.orig}"
            raise ServerUnavailableError(message) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _OTHER_SCHEMA:
                raise SchemaTooNewError(changed_meanwhile(self.place)) from error
            if error.connection_invalidated:
                message = f"The connection to {self.place} was lost: {error.orig}"
                raise ServerUnavailableError(message) from error
            raise

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _Listener:
    """Listens for hints; where they fail, the time-out of each wait does."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None

    def wait(self) -> None:
        """Return when something may have changed."""
        try:
            if self._connection is None:
                options = {"isolation_level": "AUTOCOMMIT"}
                self._connection = self._engine.connect().execution_options(**options)
                self._connection.exec_driver_sql(f"LISTEN {CHANNEL}")
                return
            driver: Any = self._connection.connection.driver_connection
            for _ in driver.notifies(timeout=_POLL_SECONDS, stop_after=1):
                pass
        except (DBAPIError, psycopg.Error):
            self.close()
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
