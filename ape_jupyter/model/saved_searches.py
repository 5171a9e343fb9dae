"""Searches that are kept: what they ask for, under which name, and whose they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SearchRequest

__all__ = [
    "MAX_RECENT_SEARCHES",
    "MAX_SAVED_SEARCHES",
    "RecentSearch",
    "SavedSearch",
    "SearchTerms",
    "normalise_search_name",
]

MAX_RECENT_SEARCHES = 20
MAX_SAVED_SEARCHES = 500
"""Of one owner."""

_MAX_NAME_CHARACTERS = 100
_DEFAULT = SearchRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """What a search asks for, without its place in the pages.

    Attributes
    ----------
    query : str
        In the language that ``docs/search.md`` describes.
    filters : mapping
        Values by field, of which one must be equal; of `tag` a run must have all.
    """

    query: str = ""
    filters: Mapping[str, tuple[str | int | float | bool, ...]] = field(default_factory=dict)
    sort_by: str = _DEFAULT.sort_by
    descending: bool = _DEFAULT.descending

    @property
    def request(self) -> SearchRequest:
        """The request for the first page."""
        return SearchRequest(
            query=self.query,
            filters=tuple(self.filters.items()),
            sort_by=self.sort_by,
            descending=self.descending,
        )

    def arguments(self) -> dict[str, Any]:
        """Return what to call ``Library.search`` with."""
        return {
            "query": self.query,
            "filters": dict(self.filters),
            "sort_by": self.sort_by,
            "descending": self.descending,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A search that somebody saved: ``lib.search(**saved.terms.arguments())`` carries it out.

    Attributes
    ----------
    name : str
        Unlike the names of the owner's other searches, whatever their case.
    is_shared : bool
        Whether all users of the library see it; only its owner can change it.
    """

    name: str
    owner: str
    terms: SearchTerms
    is_shared: bool
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentSearch:
    """A search that somebody carried out; nobody else sees it."""

    terms: SearchTerms
    searched_at: datetime


def normalise_search_name(name: str) -> str:
    """Return the name in Unicode NFC without surrounding space.

    Raises
    ------
    InvalidArgumentError
        If it is empty, longer than 100 characters, or holds a control character.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(text) <= _MAX_NAME_CHARACTERS:
        raise InvalidArgumentError(
            f"The name of a search has 1 to {_MAX_NAME_CHARACTERS} characters, not {len(text)}."
        )
    if any(unicodedata.category(character)[0] == "C" for character in text):
        raise InvalidArgumentError(f"The name {text!r} holds a control character; leave it out.")
    return text
