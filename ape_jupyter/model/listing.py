"""Pages of runs, counts of tags, and what an import did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ape_jupyter.errors import Fault
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = [
    "SORT_COLUMNS",
    "ImportOutcome",
    "ImportStatus",
    "SearchPage",
    "SearchRequest",
    "TagCount",
]

SORT_COLUMNS = (
    "created_at",
    "registered_at",
    "name",
    "protocol_name",
    "n_patients",
    "n_visits",
    "duration_years",
    "file_size_mb",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search, completely stated.

    Attributes
    ----------
    query : str
        In the language that ``docs/search.md`` describes.
    filters : tuple of (field, values)
        Field name and the values of which one must be equal. ``tag`` must have all.
    cursor : str or None
        ``next_cursor`` of the page before.
    """

    query: str = ""
    filters: tuple[tuple[str, tuple[str | int | float | bool, ...]], ...] = ()
    sort_by: str = "created_at"
    descending: bool = True
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """A page of runs; ``total`` counts all that match, ``next_cursor`` leads to the next page."""

    items: tuple[SimulationMetadata, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCount:
    """A tag and how many runs carry it.

    Attributes
    ----------
    count : int
        Runs with this very tag; 0 for one of which only tags below are in use.
    total : int
        Runs with it or a tag below it (`nhs/site` is below `nhs`), each counted once.
    colour : str or None
        A name of the palette or `#rrggbb`; None when nobody chose one.
    """

    tag: str
    count: int
    total: int
    colour: str | None = None


class ImportStatus(StrEnum):
    """What became of one run of an import."""

    IMPORTED = "imported"
    ALREADY_THERE = "already_there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """One run of an import: its metadata, or the faults for which it was refused."""

    path: str
    status: ImportStatus
    metadata: SimulationMetadata | None = None
    faults: tuple[Fault, ...] = ()
