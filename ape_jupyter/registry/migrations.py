"""Bringing databases of older versions to this one, step by step.

Nothing here is imported unless there is something to do: Alembic takes longer to load than a
library to open.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from filelock import FileLock, Timeout

from ape_jupyter.errors import InvalidArgumentError, LibraryBusyError, MigrationError
from ape_jupyter.model.events import EventType
from ape_jupyter.registry import events
from ape_jupyter.registry.backups import Backups
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import DATABASE_VERSION, INTEGER, TEXT, library_state
from ape_jupyter.registry.search_index.writing import rebuild
from ape_jupyter.registry.sqlite import SqliteConnector
from ape_jupyter.registry.users import current_user

__all__ = ["STEPS", "Step", "migrate", "pending", "version_of"]

_LOCK_TIMEOUT_SECONDS = 600
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What makes a database of one version one of the next.

    Attributes
    ----------
    version : int
        The version that it leads to.
    title : str
        What changes, as a clause.
    """

    version: int
    title: str
    run: Callable[[Operations], None]


def _add_history(op: Operations) -> None:
    op.add_column("simulations", sa.Column("trashed_at", TEXT))
    # Nobody knows since when; the time of grace begins now.
    now = stored_time(datetime.now(UTC))
    in_trash = sa.text("UPDATE simulations SET trashed_at = :now WHERE status = 'trashed'")
    op.execute(in_trash.bindparams(now=now))
    op.create_table(
        "events",
        sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("sim_id", TEXT),
        sa.Column("timestamp", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
    )
    op.create_index("events_by_run", "events", ["sim_id", "seq"])
    op.create_table(
        "event_log",
        sa.Column("id", INTEGER, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("forgotten_seq", INTEGER, nullable=False),
        sa.Column("forgotten_hash", TEXT, nullable=False),
        sa.Column("last_seq", INTEGER, nullable=False),
        sa.Column("last_hash", TEXT, nullable=False),
    )
    op.execute("INSERT INTO event_log VALUES (1, 0, '', 0, '')")
    op.create_table(
        "outcomes",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("done_at", TEXT, nullable=False),
        sa.Column("runs", sa.JSON, nullable=False),
    )
    op.create_index("outcomes_by_age", "outcomes", ["done_at"])
    op.create_table(
        "tombstones",
        sa.Column("sim_id", TEXT, primary_key=True),
        sa.Column("checksum", TEXT, primary_key=True),
    )


def _index_searches(op: Operations) -> None:
    op.execute("ALTER TABLE simulations DROP COLUMN search_text")
    rebuild(op.get_bind())


def _keep_searches(op: Operations) -> None:
    op.create_table(
        "tag_details",
        sa.Column("tag_key", TEXT, primary_key=True),
        sa.Column("colour", TEXT, nullable=False),
    )
    op.create_table(
        "saved_searches",
        sa.Column("owner", TEXT, primary_key=True),
        sa.Column("name_key", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("search", sa.JSON, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.Column("saved_at", TEXT, nullable=False),
    )
    op.create_table(
        "recent_searches",
        sa.Column("owner", TEXT, primary_key=True),
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("search", sa.JSON, nullable=False),
        sa.Column("searched_at", TEXT, nullable=False),
    )
    op.create_index("recent_searches_by_age", "recent_searches", ["owner", "searched_at"])
    rebuild(op.get_bind())


# A step describes tables as they were at its version, and is never changed afterwards.
STEPS = (
    Step(version=2, title="add the history, the trash's times and requests", run=_add_history),
    # All of it can be made from the rest. Who changes its tables lets a later step do so anew.
    Step(version=3, title="index what is searched", run=_index_searches),
    Step(version=4, title="keep searches, colours and what runs are alike by", run=_keep_searches),
)


def version_of(connection: sa.Connection) -> int:
    """Return the version of a database."""
    return int(connection.execute(sa.select(library_state.c.database_version)).scalar_one())


def pending(version: int, to: int = DATABASE_VERSION) -> list[Step]:
    """Return the steps from a version to another.

    Raises
    ------
    InvalidArgumentError
        If there is no such version, or it is older.
    """
    if not version <= to <= DATABASE_VERSION:
        message = (
            f"A database of version {version} can be brought to versions up to "
            f"{DATABASE_VERSION}, not to {to}. For an older one, restore a backup."
        )
        raise InvalidArgumentError(message)
    return [step for step in STEPS if version < step.version <= to]


def migrate(database: Connector, to: int = DATABASE_VERSION) -> list[Step]:
    """Bring a database to a version; return the steps that this took.

    Each step is one transaction, so that after a crash the next one goes on. A file is first
    copied to ``backups/``; of PostgreSQL its server's owner makes backups.

    Raises
    ------
    MigrationError
        If the file belongs to another user.
    LibraryBusyError
        If another process has been at it for ten minutes.
    """
    taken = []
    with _locked(database):
        with database.read() as connection:
            version = version_of(connection)
        steps = pending(version, to)
        if steps and isinstance(database, SqliteConnector):
            backup = Backups(database.path).make(version)
            _log.warning("%s is brought to version %d; backup: %s", database.place, to, backup)
        for step in steps:
            with database.write() as connection:
                # Without the file's lock, another process may have been here.
                if version_of(connection) < step.version:
                    step.run(Operations(MigrationContext.configure(connection)))
                    _record(connection, step)
                    taken.append(step)
    return taken


def _locked(database: Connector) -> AbstractContextManager[object]:
    if not isinstance(database, SqliteConnector):
        return nullcontext()  # writers of a server follow one another anyway
    path = database.path
    if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
        raise MigrationError(
            f"{path} was written by an older version of ape-jupyter and belongs to another "
            "user, who has to open it first; nothing was changed."
        )
    lock = FileLock(path.with_name(f"{path.name}.migrating"), timeout=_LOCK_TIMEOUT_SECONDS)
    try:
        return lock.acquire()
    except Timeout as error:
        raise LibraryBusyError(f"Another process is bringing {path} to a new version.") from error


def _record(connection: sa.Connection, step: Step) -> None:
    connection.execute(sa.update(library_state).values(database_version=step.version))
    data = {"database_version": step.version, "title": step.title}
    events.append(connection, EventType.MIGRATION_APPLIED, None, data, current_user())
