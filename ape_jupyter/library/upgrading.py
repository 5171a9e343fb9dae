"""Looking after the database file of a library without opening the library."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.location import DATABASE
from ape_jupyter.registry import migrations
from ape_jupyter.registry.backups import Backups, version_in
from ape_jupyter.registry.schema import DATABASE_VERSION
from ape_jupyter.registry.sqlite import SqliteConnector

__all__ = ["DatabaseState", "database_state", "restore_database", "upgrade_database"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """The version of a library's database, and what could be done with it.

    Attributes
    ----------
    steps : tuple of str
        What opening the library would do, step by step.
    backups : tuple of Path
        The newest first.
    """

    version: int
    newest_version: int
    steps: tuple[str, ...]
    backups: tuple[Path, ...]


def database_state(directory: str | PathLike[str], to: int = DATABASE_VERSION) -> DatabaseState:
    """Return the state of a library's database, changing nothing.

    Raises
    ------
    InvalidArgumentError
        If there is no library, or its database can not be brought to version ``to``.
    """
    path = _database(directory)
    version = version_in(path)
    return DatabaseState(
        version=version,
        newest_version=DATABASE_VERSION,
        steps=tuple(step.title for step in migrations.pending(version, to)),
        backups=tuple(Backups(path).paths()),
    )


def upgrade_database(directory: str | PathLike[str], to: int = DATABASE_VERSION) -> None:
    """Bring a library's database to a version; see :func:`migrations.migrate`."""
    database_state(directory, to)  # refuses what is newer before anything is opened
    connector = SqliteConnector(_database(directory))
    try:
        migrations.migrate(connector, to)
    finally:
        connector.close()


def restore_database(directory: str | PathLike[str], backup: str) -> Path | None:
    """Bring a library's database back to a backup, named by its file.

    Returns
    -------
    Path or None
        The backup of what was there; None when it was too damaged for one and was moved aside.
    """
    path = Path(directory).expanduser() / DATABASE
    backups = Backups(path)
    return backups.restore(backups.directory / Path(backup).name)


def _database(directory: str | PathLike[str]) -> Path:
    path = Path(directory).expanduser() / DATABASE
    if not path.is_file():
        raise InvalidArgumentError(f"There is no library with a database in {path.parent}.")
    return path
