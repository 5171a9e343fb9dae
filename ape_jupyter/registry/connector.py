"""What the registry needs of a database, and which one a location means."""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.registry.guard import Guard
from ape_jupyter.registry.sqlite import SqliteConnector

__all__ = ["Connector", "connector_for"]


class Watcher(Protocol):
    """Waits for changes that anybody makes to a database; for one thread."""

    def wait(self) -> None:
        """Return when something may have changed, after a tenth of a second at the latest."""


class Connector(Protocol):
    """A database for any number of threads and processes.

    Attributes
    ----------
    guard : callable or None
        Asked at the start of each writing transaction, and raises if there may be none.
    """

    guard: Guard | None

    @property
    def place(self) -> str:
        """Where the database is, for messages; holds no password."""

    def prepare(self) -> None:
        """Make the database ready for many users, once it is known to be of this version."""

    def read(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection that sees one state of the database throughout."""

    def write(self) -> AbstractContextManager[sa.Connection]:
        """Give the one writing connection; commits at the end, rolls back on an exception.

        Writers of all threads and processes follow one another, so what is read here is
        still true when it is written.
        """

    def watch(self) -> AbstractContextManager[Watcher]:
        """Give a way to wait for changes."""

    def close(self) -> None:
        """Close all connections."""


def connector_for(location: Path | str, *, shares_memory: bool = True) -> Connector:
    """Return a connector to a SQLite file or to a ``postgresql://`` URL.

    Parameters
    ----------
    shares_memory : bool
        Of a file: see :class:`SqliteConnector`.

    Raises
    ------
    InvalidArgumentError
        If the URL is of another database, or the driver is not installed.
    """
    if isinstance(location, Path):
        return SqliteConnector(location, shares_memory=shares_memory)
    if location.startswith(("postgresql://", "postgres://")):
        if importlib.util.find_spec("psycopg") is None:
            message = "PostgreSQL needs a driver: pip install 'ape-jupyter[postgres]'."
            raise InvalidArgumentError(message)
        from ape_jupyter.registry.postgresql import PostgresqlConnector

        return PostgresqlConnector(location)
    scheme = location.partition("://")[0]
    raise InvalidArgumentError(f"A registry can not be kept in {scheme!r}, only in postgresql://.")
