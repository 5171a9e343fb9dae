"""Copies of the embedded database, made before anything can go wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ape_jupyter.errors import CorruptedDataError, InvalidArgumentError
from ape_jupyter.registry.sqlite import BUSY_TIMEOUT_MS, DRIVER

__all__ = ["KEPT", "Backups", "next_backup", "number_of", "on_disk", "version_in"]

KEPT = 3
# Nobody writes to a backup, so that reading it needs no files beside it.
_BACKUP = "ro&immutable=1"


class Backups:
    """The backups of one database file, in a directory beside it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.directory = database.parent / "backups"

    def paths(self) -> list[Path]:
        """Return the backups, the newest first."""
        return sorted(self.directory.glob("registry-*.db"), key=number_of, reverse=True)

    def make(self, version: int, keep: Path | None = None) -> Path:
        """Make a backup that is checked and on the disk; of the older ones some stay.

        Parameters
        ----------
        version : int
            The version of the database, for the name.
        keep : Path, optional
            A backup that must stay.

        Raises
        ------
        CorruptedDataError
            If the database is damaged. There is no backup then.
        """
        self.directory.mkdir(mode=0o700, exist_ok=True)
        target = next_backup(self.directory, self.paths(), version, ".db")
        partial = target.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with reporting_damage(self._database):
            _copy(self._database, partial)
            _check(partial)
        on_disk(partial)
        partial.rename(target)
        on_disk(self.directory)
        for old in self.paths()[KEPT:]:
            if old != keep:
                old.unlink()
        return target

    def restore(self, backup: Path) -> Path | None:
        """Bring the database back to a backup; return the backup of what was there.

        A database that is so damaged that it can not be backed up is moved aside instead.

        Raises
        ------
        InvalidArgumentError
            If there is no such backup.
        CorruptedDataError
            If the backup is damaged. Nothing is changed then.
        """
        if not backup.is_file():
            known = ", ".join(path.name for path in self.paths()) or "none"
            raise InvalidArgumentError(f"There is no backup {backup.name}; there are: {known}.")
        with reporting_damage(backup):
            _check(backup)
        made: Path | None = None
        if self._database.exists():
            try:
                made = self.make(version_in(self._database), keep=backup)
            except CorruptedDataError:
                self._move_aside()
        # Other processes that have the database open see the old state turn into the new.
        _copy(backup, self._database, _BACKUP)
        return made

    def _move_aside(self) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        for suffix in ("", "-wal", "-shm"):
            path = self._database.with_name(self._database.name + suffix)
            if path.exists():
                path.rename(path.with_name(f"{path.name}.damaged-{stamp}"))


def version_in(path: Path) -> int:
    """Return the version of a database file, of which not a byte is changed.

    Raises
    ------
    CorruptedDataError
        If it is damaged, or no registry.
    """
    with reporting_damage(path), closing(_connect(path, mode="ro")) as connection:
        row = connection.execute("SELECT database_version FROM library_state").fetchone()
    if row is None:
        raise CorruptedDataError(f"{path} is no registry.")
    return int(row[0])


@contextmanager
def reporting_damage(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a damaged file into :class:`CorruptedDataError`."""
    try:
        yield
    except DRIVER.DatabaseError as error:
        raise CorruptedDataError(f"{path} can not be read: {error}") from error


def next_backup(directory: Path, known: Iterable[Path], version: int, suffix: str) -> Path:
    """Return the file for a new backup of a database that has a version."""
    number = max(map(number_of, known), default=0) + 1
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return directory / f"registry-{number:04d}-version-{version}-{stamp}{suffix}"


def number_of(path: Path) -> int:
    """Return the number of a backup, by its file's name."""
    part = path.name.split("-")[1]
    return int(part) if part.isdigit() else 0


def _connect(path: Path, *, mode: str = "rwc") -> Any:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    timeout = BUSY_TIMEOUT_MS / 1000
    return DRIVER.connect(uri, uri=True, timeout=timeout, isolation_level=None)


def _copy(source: Path, target: Path, mode: str = "ro") -> None:
    with (
        closing(_connect(source, mode=mode)) as reading,
        closing(_connect(target)) as writing,
    ):
        writing.execute("PRAGMA synchronous = FULL")
        reading.backup(writing)


def _check(path: Path) -> None:
    with closing(_connect(path, mode=_BACKUP)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise CorruptedDataError(f"{path} is damaged: {verdict}")


def on_disk(path: Path) -> None:
    """Wait until a file, or the names in a directory, would survive a loss of power."""
    if os.name == "nt" and path.is_dir():  # Windows opens no directories
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
