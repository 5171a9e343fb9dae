"""The part of a remote library that keeps searches."""

from __future__ import annotations

from collections.abc import Mapping

from ape_jupyter.client.transport import Transport
from ape_jupyter.library.interface import FilterValue
from ape_jupyter.library.requests import DEFAULT, search_terms
from ape_jupyter.model.saved_searches import RecentSearch, SavedSearch, normalise_search_name
from ape_jupyter.wire.saved_searches import (
    RecentSearchList,
    SavedSearchChange,
    SavedSearchList,
    SavedSearchOrder,
)

__all__ = ["RemoteSearches"]


class RemoteSearches:
    """Keeps saved and recent searches; see ``Library``."""

    _transport: Transport

    def save_search(
        self,
        name: str,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
        sort_by: str = DEFAULT.sort_by,
        descending: bool = DEFAULT.descending,
        *,
        shared: bool = False,
        replace: bool = False,
    ) -> SavedSearch:
        """Save a search under a name; see ``Library``."""
        terms = search_terms(query, filters, sort_by, descending)
        order = SavedSearchOrder(name=name, terms=terms, is_shared=shared, replace=replace)
        saved: SavedSearch = self._transport.post(SavedSearch, "searches", json=order)
        return saved

    def saved_searches(self) -> list[SavedSearch]:
        """Return the own searches, then those that others share."""
        found: SavedSearchList = self._transport.get(SavedSearchList, "searches")
        return list(found.items)

    def rename_search(self, name: str, new_name: str) -> SavedSearch:
        """Give an own search another name."""
        return self._change(name, SavedSearchChange(new_name=new_name))

    def share_search(self, name: str, shared: bool = True) -> SavedSearch:
        """Let all users see an own search, or no longer."""
        return self._change(name, SavedSearchChange(is_shared=shared))

    def _change(self, name: str, change: SavedSearchChange) -> SavedSearch:
        saved: SavedSearch = self._transport.patch(
            SavedSearch, "searches", normalise_search_name(name), json=change
        )
        return saved

    def delete_search(self, name: str) -> SavedSearch:
        """Remove an own search."""
        deleted: SavedSearch = self._transport.delete(
            SavedSearch, "searches", normalise_search_name(name)
        )
        return deleted

    def recent_searches(self) -> list[RecentSearch]:
        """Return what one searched for lately, the latest first."""
        found: RecentSearchList = self._transport.get(RecentSearchList, "recent-searches")
        return list(found.items)

    def clear_recent_searches(self) -> None:
        """Forget what one searched for."""
        self._transport.delete(None, "recent-searches")
