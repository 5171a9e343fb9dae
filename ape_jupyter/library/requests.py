"""Turning the arguments of a search into a request, the same for every form of library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.listing import SearchResult
from ape_jupyter.model.listing import SearchPage, SearchRequest
from ape_jupyter.model.saved_searches import SearchTerms

__all__ = ["all_pages", "search_request", "search_terms"]

PAGE = 1000
DEFAULT = SearchTerms()


def search_request(
    query: str | None,
    filters: Mapping[str, Any] | None,
    sort_by: str,
    descending: bool,
    limit: int,
    cursor: str | None,
) -> SearchRequest:
    """Build the request of a search from the arguments of :meth:`Library.search`."""
    terms = search_terms(query, filters, sort_by, descending)
    return replace(terms.request, limit=limit, cursor=cursor)


def search_terms(
    query: str | None,
    filters: Mapping[str, Any] | None,
    sort_by: str = DEFAULT.sort_by,
    descending: bool = DEFAULT.descending,
) -> SearchTerms:
    """Build what a search asks for from the arguments of :meth:`Library.search`."""
    checked = {}
    for field, value in (filters or {}).items():
        values = tuple(value) if isinstance(value, list | tuple | set) else (value,)
        if not values or not all(isinstance(item, str | int | float) for item in values):
            message = f"The filter {field!r} takes text, numbers or booleans, not {value!r}."
            raise InvalidArgumentError(message)
        checked[field] = values
    return SearchTerms(query=query or "", filters=checked, sort_by=sort_by, descending=descending)


def all_pages(search: Callable[[SearchRequest], SearchPage]) -> SearchResult:
    """Fetch every page of a search for everything, newest first."""
    items: list[Any] = []
    cursor = None
    while True:
        page = search(SearchRequest(limit=PAGE, cursor=cursor))
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            return SearchResult(tuple(items), max(page.total, len(items)))
