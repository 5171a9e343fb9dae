"""Looking after the database of a library without opening the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.location import BACKUPS, DATABASE
from ape_jupyter.library.place import LibraryPlace
from ape_jupyter.registry import migrations
from ape_jupyter.registry.backups import Backups, version_in
from ape_jupyter.registry.connector import Connector, connector_for
from ape_jupyter.registry.schema import DATABASE_VERSION

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


def database_state(target: str | PathLike[str], to: int = DATABASE_VERSION) -> DatabaseState:
    """Return the state of a library's database, changing nothing.

    Parameters
    ----------
    target : str or path
        A directory, or ``postgresql://HOST/DATABASE?library=DIRECTORY``.

    Raises
    ------
    InvalidArgumentError
        If there is no library, or its database can not be brought to version ``to``.
    """
    place = LibraryPlace.of(target)
    if place.database is None:
        version = version_in(_file(place))
        backups = Backups(_file(place)).paths()
    else:
        with _connected(place) as database:
            version = migrations.version_in_use(database)
            backups = migrations.dumps_of(database, place.directory / BACKUPS).paths()
    return DatabaseState(
        version=version,
        newest_version=DATABASE_VERSION,
        steps=tuple(step.title for step in migrations.pending(version, to)),
        backups=tuple(backups),
    )


def upgrade_database(
    target: str | PathLike[str], to: int = DATABASE_VERSION, *, backup: bool = True
) -> None:
    """Bring a library's database to a version; see :func:`migrations.migrate`.

    Parameters
    ----------
    backup : bool
        Whether a PostgreSQL database is backed up before. A file always is.
    """
    database_state(target, to)  # refuses what is newer before anything is opened
    place = LibraryPlace.of(target)
    with _connected(place) as database:
        migrations.migrate(database, to, backups=place.directory / BACKUPS if backup else None)


def restore_database(target: str | PathLike[str], backup: str) -> Path | None:
    """Bring a library's database back to a backup, named by its file.

    Returns
    -------
    Path or None
        The backup of what was there; None when it was too damaged for one and was moved aside.
    """
    place = LibraryPlace.of(target)
    path = place.directory / BACKUPS / Path(backup).name
    if place.database is None:
        return Backups(place.directory / DATABASE).restore(path)
    with _connected(place) as database:
        return migrations.dumps_of(database, path.parent).restore(path)


@contextmanager
def _connected(place: LibraryPlace) -> Iterator[Connector]:
    connector = connector_for(place.database or _file(place))
    try:
        yield connector
    finally:
        connector.close()


def _file(place: LibraryPlace) -> Path:
    path = place.directory / DATABASE
    if not path.is_file():
        raise InvalidArgumentError(f"There is no library with a database in {path.parent}.")
    return path
