"""Where a library is: its directory, and its database when that is not a file in there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.location import DATABASE

__all__ = ["DATABASE_URL", "LibraryPlace", "is_database_url"]

DATABASE_URL = "database-url"
_SCHEMES = ("postgresql://", "postgres://")
_DIRECTORY_PARAMETER = "library"


def is_database_url(target: str) -> bool:
    """Tell whether a target names a PostgreSQL database."""
    return target.startswith(_SCHEMES)


@dataclass(frozen=True, slots=True)
class LibraryPlace:
    """What names a library.

    Attributes
    ----------
    directory : Path
        Where its results are.
    database : str or None
        The ``postgresql://`` URL of its metadata; None for a SQLite file in the directory.
    """

    directory: Path
    database: str | None = None

    @classmethod
    def of(cls, target: str | PathLike[str], database: str | None = None) -> LibraryPlace:
        """Return the place that a directory, or a URL with ``?library=DIRECTORY``, names.

        A directory that was once opened with a database remembers it. What it remembers holds
        no password; PostgreSQL's own ``PGPASSWORD`` and ``~/.pgpass`` do.

        Raises
        ------
        InvalidArgumentError
            If the URL names no directory, or the directory belongs to another database: with
            the wrong one, all its results would look like leftovers.
        """
        text = os.fspath(target)
        if is_database_url(text):
            text, database = _split(text)
        elif "://" in text:
            message = (
                f"{text!r} is neither a directory, nor the http(s) URL of a Jupyter server, nor "
                "postgresql://HOST/DATABASE?library=DIRECTORY."
            )
            raise InvalidArgumentError(message)
        directory = Path(text).expanduser().absolute()
        remembered = _remembered(directory)
        if database is None or remembered is None:
            return cls(directory, database or remembered)
        if _identity(remembered) != _identity(database):
            message = (
                f"{directory} has its metadata in {remembered}, not in "
                f"{_without_password(database)}; name that database, or another directory."
            )
            raise InvalidArgumentError(message)
        return cls(directory, database)

    def remember_database(self) -> None:
        """Let the directory alone name the library from now on.

        Raises
        ------
        InvalidArgumentError
            If the directory has a database of its own.
        """
        if self.database is None or _remembered(self.directory) is not None:
            return
        if (self.directory / DATABASE).exists():
            message = (
                f"{self.directory} is a library with metadata of its own ({DATABASE}), which a "
                "second database would not know. Name another directory, and bring its runs "
                "there with `ape-jupyter import`."
            )
            raise InvalidArgumentError(message)
        path = self.directory / DATABASE_URL
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(f"{_without_password(self.database)}\n", encoding="utf-8")
        partial.replace(path)


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    directories = [value for name, value in pairs if name == _DIRECTORY_PARAMETER and value]
    if len(directories) != 1:
        message = (
            f"{_without_password(url)} keeps the metadata only. Say where the results are: "
            "postgresql://HOST/DATABASE?library=DIRECTORY."
        )
        raise InvalidArgumentError(message)
    rest = urlencode([pair for pair in pairs if pair[0] != _DIRECTORY_PARAMETER])
    return directories[0], urlunsplit(parts._replace(query=rest))


def _remembered(directory: Path) -> str | None:
    try:
        text = (directory / DATABASE_URL).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    if not is_database_url(text):
        raise InvalidArgumentError(f"{directory / DATABASE_URL} holds no postgresql:// URL.")
    return text


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] != "password"])
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}", query=query))


def _identity(url: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Return what tells databases apart, whoever asks."""
    parts = urlsplit(url)
    telling = {"host", "hostaddr", "port", "dbname", "options"}
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    host = parts.netloc.rpartition("@")[2].removesuffix(":5432")
    return host, parts.path, tuple(sorted(pair for pair in pairs if pair[0] in telling))
