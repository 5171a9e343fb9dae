"""The part of a library in this process that keeps searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.requests import DEFAULT, search_terms
from ape_jupyter.model.listing import RELEVANCE, SORT_COLUMNS
from ape_jupyter.model.saved_searches import RecentSearch, SavedSearch
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.requests import search_tree

__all__ = ["WithSearches"]


class WithSearches:
    """Keeps saved and recent searches; see ``Library``.

    Methods have ``user``: whose searches they are, by default those of the user of this process.
    """

    _registry: Registry

    def save_search(
        self,
        name: str,
        query: str | None = None,
        filters: Mapping[str, Any] | None = None,
        sort_by: str = DEFAULT.sort_by,
        descending: bool = DEFAULT.descending,
        *,
        shared: bool = False,
        replace: bool = False,
        user: str | None = None,
    ) -> SavedSearch:
        """Save a search under a name; see ``Library``."""
        terms = search_terms(query, filters, sort_by, descending)
        search_tree(terms.request)
        orders = (RELEVANCE, *SORT_COLUMNS)
        if sort_by not in orders:
            known = ", ".join(orders)
            raise InvalidArgumentError(f"Can not sort by {sort_by!r}, only by: {known}.")
        return self._registry.save_search(name, terms, is_shared=shared, replace=replace, user=user)

    def saved_searches(self, *, user: str | None = None) -> list[SavedSearch]:
        """Return the own searches, then those that others share."""
        return self._registry.saved_searches(user)

    def change_search(
        self,
        name: str,
        *,
        new_name: str | None = None,
        is_shared: bool | None = None,
        user: str | None = None,
    ) -> SavedSearch:
        """Change what is not None of an own search."""
        return self._registry.change_search(name, new_name=new_name, is_shared=is_shared, user=user)

    def rename_search(self, name: str, new_name: str, *, user: str | None = None) -> SavedSearch:
        """Give an own search another name."""
        return self.change_search(name, new_name=new_name, user=user)

    def share_search(
        self, name: str, shared: bool = True, *, user: str | None = None
    ) -> SavedSearch:
        """Let all users see an own search, or no longer."""
        return self.change_search(name, is_shared=shared, user=user)

    def delete_search(self, name: str, *, user: str | None = None) -> SavedSearch:
        """Remove an own search."""
        return self._registry.delete_search(name, user)

    def recent_searches(self, *, user: str | None = None) -> list[RecentSearch]:
        """Return what one searched for lately, the latest first."""
        return self._registry.recent_searches(user)

    def clear_recent_searches(self, *, user: str | None = None) -> None:
        """Forget what one searched for."""
        self._registry.clear_recent_searches(user)
