"""Bodies of requests and answers about searches that are kept."""

from __future__ import annotations

from dataclasses import dataclass

from ape_jupyter.model.saved_searches import RecentSearch, SavedSearch, SearchTerms

__all__ = ["RecentSearchList", "SavedSearchChange", "SavedSearchList", "SavedSearchOrder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearchOrder:
    """A search to save, and under which name; with `replace` in the place of one of this name."""

    name: str
    terms: SearchTerms
    is_shared: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearchChange:
    """What is to change of a saved search; null leaves it."""

    new_name: str | None = None
    is_shared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearchList:
    """The user's own searches, then those that others share."""

    items: tuple[SavedSearch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentSearchList:
    """What the user searched for, the latest first."""

    items: tuple[RecentSearch, ...]
