"""Versions of the metadata that comes with a run, and the steps between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ape_jupyter.errors import MigrationError

__all__ = ["MigratedDocument", "Migration", "SchemaVersion", "Upgrade"]

_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)

Upgrade: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, order=True)
class SchemaVersion:
    """The version of a document; 1.5.0 comes before 1.10.0."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: object) -> SchemaVersion:
        """Read a version as it is written in documents: ``"2.0.0"``.

        Raises
        ------
        MigrationError
            If it is written otherwise.
        """
        match = _VERSION.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            shown = repr(text)[:40]
            raise MigrationError(f"The schema version is {shown}, expected one like '2.0.0'.")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step from a version of a document to another.

    Attributes
    ----------
    name : str
        Says what the step does; it stands in the library's log.
    upgrade : callable
        Takes a document and returns another one. Pure: no clock, no files, and its argument
        stays as it is. Idempotent: what it returns, it would leave alone. Fields that it does
        not know stay.
    """

    name: str
    from_version: SchemaVersion
    to_version: SchemaVersion
    upgrade: Upgrade

    def __str__(self) -> str:
        return f"{self.name} ({self.from_version} to {self.to_version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedDocument:
    """A document in the version that was wanted, and how it came there.

    Attributes
    ----------
    original : mapping
        The document as it was found.
    found : SchemaVersion
        Its version.
    steps : tuple of Migration
        What was applied, in order; none when the document was of the right version.
    """

    document: Mapping[str, Any]
    original: Mapping[str, Any]
    found: SchemaVersion
    steps: tuple[Migration, ...] = ()

    @property
    def told(self) -> dict[str, Any] | None:
        """What the library's log tells of it; None when nothing was applied."""
        if not self.steps:
            return None
        return {
            "from": str(self.found),
            "to": str(self.steps[-1].to_version),
            "steps": [step.name for step in self.steps],
        }
