"""Routes that keep searches."""

from __future__ import annotations

from ape_jupyter.model.saved_searches import SavedSearch
from ape_jupyter.wire.routes.route import Route
from ape_jupyter.wire.saved_searches import (
    RecentSearchList,
    SavedSearchChange,
    SavedSearchList,
    SavedSearchOrder,
)

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="searches",
        name="getSavedSearches",
        summary="Return the user's saved searches, and those that others share.",
        action="read",
        answers={200: SavedSearchList},
    ),
    Route(
        method="POST",
        path="searches",
        name="saveSearch",
        summary="Save a search; 409 when there is one of this name and it is not to be replaced.",
        action="write",
        body=SavedSearchOrder,
        answers={200: SavedSearch},
        errors=(400, 409),
    ),
    Route(
        method="PATCH",
        path="searches/{name}",
        name="changeSearch",
        summary="Rename a saved search, share it, or share it no more.",
        action="write",
        body=SavedSearchChange,
        answers={200: SavedSearch},
        errors=(400, 409),
    ),
    Route(
        method="DELETE",
        path="searches/{name}",
        name="deleteSearch",
        summary="Remove a saved search.",
        action="write",
        answers={200: SavedSearch},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="recent-searches",
        name="getRecentSearches",
        summary="Return what the user searched for, the latest first.",
        action="read",
        answers={200: RecentSearchList},
    ),
    Route(
        method="DELETE",
        path="recent-searches",
        name="clearRecentSearches",
        summary="Forget what the user searched for.",
        action="write",
        answers={204: None},
    ),
)
