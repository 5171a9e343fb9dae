"""A result set as a store knows it, before and after it is in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["StagedObject", "StoredObject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A published result set.

    Attributes
    ----------
    size_bytes : int
        What its files take, those it links to included.
    tables : mapping
        The digest of each table.
    is_linked : bool
        Whether its tables lie outside the library.
    """

    digest: str
    size_bytes: int
    tables: Mapping[str, str]
    is_linked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedObject:
    """A result set that is complete, on the disk, and not yet in its place.

    Attributes
    ----------
    stored : StoredObject
        What it will be.
    path : Path
        Where it waits.
    is_there : bool
        Whether the store had it already, and as good.
    """

    stored: StoredObject
    path: Path
    is_there: bool
