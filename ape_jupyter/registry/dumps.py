"""Backups of a PostgreSQL database, made by its own tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from ape_jupyter.errors import CorruptedDataError, InvalidArgumentError, MigrationError
from ape_jupyter.registry.backups import KEPT, next_backup, number_of, on_disk
from ape_jupyter.registry.postgresql import PostgresqlConnector
from ape_jupyter.registry.schema import library_state, metadata

__all__ = ["Dumps"]

# pg_dump writes it last: without it, the dump is a part of one.
_COMPLETE = "-- PostgreSQL database dump complete"
_TAIL_BYTES = 4096


class Dumps:
    """The backups of one PostgreSQL database, in a directory of this machine."""

    def __init__(self, database: PostgresqlConnector, directory: Path) -> None:
        self._database = database
        self.directory = directory

    def paths(self) -> list[Path]:
        """Return the backups, the newest first."""
        return sorted(self.directory.glob("registry-*.sql"), key=number_of, reverse=True)

    def make(self, version: int, keep: Path | None = None) -> Path:
        """Make a backup that is checked and on the disk; of the older ones some stay.

        Raises
        ------
        MigrationError
            If ``pg_dump`` is not there or fails. Nothing is changed then.
        """
        self.directory.mkdir(mode=0o700, exist_ok=True)
        target = next_backup(self.directory, self.paths(), version, ".sql")
        partial = target.with_suffix(".partial")
        with self._database.read() as connection:
            schema = connection.execute(sa.select(sa.func.current_schema())).scalar_one()
            known = set(sa.inspect(connection).get_table_names()) & metadata.tables.keys()
        tables = [f'--table="{schema}"."{name}"' for name in sorted(known)]
        self._run("pg_dump", "--no-owner", "--no-privileges", f"--file={partial}", *tables)
        _check(partial)
        on_disk(partial)
        partial.rename(target)
        on_disk(self.directory)
        for old in self.paths()[KEPT:]:
            if old != keep:
                old.unlink()
        return target

    def restore(self, backup: Path) -> Path:
        """Bring the database back to a backup; return the backup of what was there.

        Raises
        ------
        InvalidArgumentError
            If there is no such backup.
        CorruptedDataError
            If the backup is not whole. Nothing is changed then.
        MigrationError
            If PostgreSQL's tools are not there or fail. Nothing is changed then.
        """
        if not backup.is_file():
            known = ", ".join(path.name for path in self.paths()) or "none"
            raise InvalidArgumentError(f"There is no backup {backup.name}; there are: {known}.")
        _check(backup)
        with self._database.read() as connection:
            version = connection.execute(sa.select(library_state.c.database_version)).scalar_one()
            there = set(sa.inspect(connection).get_table_names()) & metadata.tables.keys()
            schema = connection.execute(sa.select(sa.func.current_schema())).scalar_one()
        made = self.make(version, keep=backup)
        drops = [f'DROP TABLE IF EXISTS "{schema}"."{name}" CASCADE;\n' for name in sorted(there)]
        with tempfile.TemporaryDirectory() as place:
            first = Path(place) / "drop.sql"
            first.write_text("".join(drops), encoding="utf-8")
            # One transaction: others see the old state turn into the new.
            options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
            self._run("psql", *options, f"--file={first}", f"--file={backup}")
        return made

    def _run(self, tool: str, *arguments: str) -> None:
        found = shutil.which(tool)
        if found is None:
            message = (
                f"{self._database.place} is to be backed up first, for which {tool} of "
                "PostgreSQL's client tools is missing. Install them (postgresql-client), or make "
                "a backup of your own and run `ape-jupyter migrate --no-backup`. Nothing was "
                "changed."
            )
            raise MigrationError(message)
        url, password = self._database.conninfo()
        environment = os.environ | ({"PGPASSWORD": password} if password else {})
        command: Sequence[str] = (found, *arguments, f"--dbname={url}", "--no-password")
        # Not checked by the linter's rule: the program is PostgreSQL's, and there is no shell.
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = done.stderr.strip() or f"it ended with {done.returncode}"
            message = f"{tool} failed with {self._database.place}, nothing was changed: {reason}"
            raise MigrationError(message)


def _check(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read().decode("utf-8", "replace")
    if _COMPLETE not in tail:
        raise CorruptedDataError(f"{path} is not a whole backup.")
