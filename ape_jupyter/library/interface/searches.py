"""How searches are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ape_jupyter.library.interface.opening import FilterValue
from ape_jupyter.model.saved_searches import RecentSearch, SavedSearch

__all__ = ["KeepsSearches"]


class KeepsSearches(Protocol):
    """How searches are kept: ``lib.search(**saved.terms.arguments())`` carries one out again.

    Raises
    ------
    InvalidArgumentError
        From every method that takes the name of a saved search, when there is none.
    PermissionDeniedError
        From these, when it is somebody else's, who shares it.
    """

    def save_search(
        self,
        name: str,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
        sort_by: str = ...,
        descending: bool = ...,
        *,
        shared: bool = False,
        replace: bool = False,
    ) -> SavedSearch:
        """Save a search under a name that no other of one's own has, whatever its case.

        Ages stay ages: a saved ``created:<30d`` finds the runs of the last 30 days whenever it
        is carried out.

        Parameters
        ----------
        shared : bool
            Whether all users of the library see it. Only its owner can change it, and the log
            of the library tells how.
        replace : bool
            Whether it may replace one of this name.

        Raises
        ------
        QuerySyntaxError
            For a search that can not be understood.
        ConflictError
            If there is one of this name, and it is not to be replaced.
        """

    def saved_searches(self) -> list[SavedSearch]:
        """Return one's own searches, then those that others share."""

    def rename_search(self, name: str, new_name: str) -> SavedSearch:
        """Give one of one's own searches another name.

        Raises
        ------
        ConflictError
            If another one has it.
        """

    def share_search(self, name: str, shared: bool = True) -> SavedSearch:
        """Let all users see one of one's own searches, or no longer."""

    def delete_search(self, name: str) -> SavedSearch:
        """Remove one of one's own searches, and return it."""

    def recent_searches(self) -> list[RecentSearch]:
        """Return what one searched for lately, the latest first, 20 at most.

        Nobody else sees them.
        """

    def clear_recent_searches(self) -> None:
        """Forget what one searched for."""
