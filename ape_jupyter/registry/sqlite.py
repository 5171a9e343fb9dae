"""Connections to the embedded database."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ape_jupyter.errors import (
    ApeError,
    CorruptedDataError,
    LibraryBusyError,
    OutOfSpaceError,
    SchemaTooNewError,
)
from ape_jupyter.registry.guard import Guard, changed_meanwhile

try:
    import pysqlite3.dbapi2 as bundled_sqlite
except ImportError:  # no wheel for this platform
    bundled_sqlite = None

__all__ = ["BUSY_TIMEOUT_MS", "DRIVER", "SqliteConnector"]

# Before this version, two processes that write or checkpoint a write-ahead log at the same
# moment can corrupt the database (sqlite.org/wal.html#walresetbug).
FIRST_SAFE_WAL = (3, 51, 3)
BUSY_TIMEOUT_MS = 30_000
# Threads that wait for one another get their turns, however long that takes on a busy machine;
# only a thread that never ends its own must not hold up the others for ever.
QUEUE_SECONDS = 300
_POLL_SECONDS = 0.05
_SIGNS_OF_DAMAGE = ("malformed", "not a database", "corruption")


def _best_driver() -> ModuleType:
    if bundled_sqlite is None or bundled_sqlite.sqlite_version_info < sqlite3.sqlite_version_info:
        return sqlite3
    return bundled_sqlite  # type: ignore[no-any-return]


DRIVER = _best_driver()


class _Compiler(SQLiteCompiler):
    """Writes the hints of queries, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, _table: sa.FromClause, text: str | None) -> str | None:
        return text


class SqliteConnector:
    """A SQLite database for any number of threads and processes of one machine.

    Parameters
    ----------
    shares_memory : bool
        Whether all that open it can map the same memory, as a write-ahead log needs; not on
        a network file system.
    """

    guard: Guard | None = None

    def __init__(self, path: Path, *, shares_memory: bool = True) -> None:
        self.path = path
        # SQLite's own queue is a lottery; the threads of a process need not take part in it.
        self._writing = threading.Lock()
        wal_is_safe = DRIVER.sqlite_version_info >= FIRST_SAFE_WAL
        self._journal_mode = "wal" if wal_is_safe and shares_memory else "delete"
        self._engine = sa.create_engine(
            sa.URL.create("sqlite+pysqlite", database=str(path)),
            module=DRIVER,
            pool_size=8,
            max_overflow=24,
            pool_timeout=QUEUE_SECONDS,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )
        self._engine.dialect.statement_compiler = _Compiler
        sa.event.listen(self._engine, "connect", self._configure)
        sa.event.listen(self._engine, "begin", self._begin)

    def _configure(self, connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself; _begin says which kind it is.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def prepare(self) -> None:
        """Let readers and a writer work at the same time; the file remembers it."""
        deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        with self._translated(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            while driver.execute("PRAGMA journal_mode").fetchone()[0] != self._journal_mode:
                try:
                    driver.execute(f"PRAGMA journal_mode = {self._journal_mode}")
                except DRIVER.OperationalError as error:
                    # For this change SQLite does not wait for others.
                    if time.monotonic() > deadline:
                        raise LibraryBusyError(self._locked()) from error
                    time.sleep(_POLL_SECONDS)

    @staticmethod
    def _begin(connection: sa.Connection) -> None:
        # A reader that turns writer in the middle fails at once, whatever the time-out; a
        # writer therefore says so from the start.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the database throughout."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give the one writing connection; commits at the end, rolls back on an exception."""
        if not self._writing.acquire(timeout=QUEUE_SECONDS):
            raise LibraryBusyError(self._locked())
        try:
            engine = self._engine.execution_options(writes=True)
            with self._translated(), engine.begin() as connection:
                if self.guard is not None:
                    self.guard(connection)
                yield connection
        finally:
            self._writing.release()

    @contextmanager
    def watch(self) -> Iterator[_Pause]:
        """Give a way to wait for changes: to look again soon costs next to nothing."""
        yield _Pause()

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def _locked(self) -> str:
        return f"{self.path} stayed locked for {BUSY_TIMEOUT_MS // 1000} s; try again."

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise LibraryBusyError(f"{self.path} has too many readers; try again.") from error
        except OperationalError as error:
            reason = str(error.orig)
            if "locked" in reason or "busy" in reason:
                raise LibraryBusyError(self._locked()) from error
            if "full" in reason:
                message = f"The disk that holds {self.path} is full; nothing was changed."
                raise OutOfSpaceError(message) from error
            if reason.startswith(("no such table", "no such column")):
                raise SchemaTooNewError(changed_meanwhile(self.place)) from error
            raise ApeError(f"The database {self.path} can not be used: {reason}") from error
        except DatabaseError as error:
            if any(word in str(error.orig) for word in _SIGNS_OF_DAMAGE):
                raise CorruptedDataError(f"{self.path} is damaged: {error.orig}") from error
            raise

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _Pause:
    def wait(self) -> None:
        """Return after a moment."""
        time.sleep(_POLL_SECONDS)
