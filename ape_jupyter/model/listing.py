"""Pages of runs, counts of tags, and what an import did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ape_jupyter.errors import Fault
from ape_jupyter.model.facets import Facet
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = [
    "INDEXED_ORDERS",
    "RELEVANCE",
    "SORT_COLUMNS",
    "Highlight",
    "ImportOutcome",
    "ImportStatus",
    "SearchPage",
    "SearchRequest",
    "TagCount",
]

INDEXED_ORDERS = (
    "created_at",
    "registered_at",
    "name",
    "protocol_name",
    "n_patients",
    "n_visits",
    "duration_years",
    "file_size_mb",
)
"""Fields in whose order a page of a large library is read and nothing sorted."""
SORT_COLUMNS = (
    *INDEXED_ORDERS,
    "start_date",
    "last_accessed",
    "access_count",
    "owner",
    "engine_type",
    "model_type",
    "seed",
    "runtime_seconds",
    "mean_final_vision",
    "total_injections",
    "discontinuation_rate",
)
"""All fields to sort by. Runs without a value come last, whatever the direction."""
RELEVANCE = "relevance"
"""To sort by how well runs fit the words of a search, then newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search, completely stated.

    Attributes
    ----------
    query : str
        In the language that ``docs/search.md`` describes.
    filters : tuple of (field, values)
        Field name and the values of which one must be equal. ``tag`` must have all.
    sort_by : str
        ``"relevance"`` or one of ``SORT_COLUMNS``.
    cursor : str or None
        ``next_cursor`` of the page before.
    facets : tuple of str
        What to count the runs found by: see ``docs/search.md``.
    highlight : bool
        Whether to tell where the texts of the runs show why they were found.
    """

    query: str = ""
    filters: tuple[tuple[str, tuple[str | int | float | bool, ...]], ...] = ()
    sort_by: str = RELEVANCE
    descending: bool = True
    limit: int = 20
    cursor: str | None = None
    facets: tuple[str, ...] = ()
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """A part of a text that a search asked for.

    Attributes
    ----------
    field : str
        The field of the run whose text it is.
    start, end : int
        The first character, and one past the last; counted in code points.
    item : int
        Of ``tags``, which one; 0 for other fields.
    """

    field: str
    start: int
    end: int
    item: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """A page of runs.

    Attributes
    ----------
    total : int
        How many runs match in all.
    next_cursor : str or None
        What leads to the next page.
    facets : tuple of Facet
        Those asked for, in this order.
    highlights : tuple of tuple of Highlight
        One entry for each run of ``items``, when they were asked for.
    corrected_query : str or None
        The query that was carried out, when nothing was found as it was written and a word
        was probably misspelt.
    """

    items: tuple[SimulationMetadata, ...]
    total: int
    next_cursor: str | None
    facets: tuple[Facet, ...] = ()
    highlights: tuple[tuple[Highlight, ...], ...] = ()
    corrected_query: str | None = None


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
