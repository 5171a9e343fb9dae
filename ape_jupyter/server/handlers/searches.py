"""Searches that are kept, and those that are being typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.saved_searches import (
    RecentSearchList,
    SavedSearchChange,
    SavedSearchList,
    SavedSearchOrder,
)

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.model.saved_searches import SavedSearch

__all__ = [
    "CompletionsHandler",
    "RecentSearchesHandler",
    "SavedSearchHandler",
    "SavedSearchesHandler",
]

_WHOLE_NUMBER = re.compile(r"\d{1,9}")


class CompletionsHandler(ApeHandler):
    """``completions``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with what could stand at the cursor."""
        query = self.get_query_argument("query", "", strip=False)
        text = self.get_query_argument("cursor", None)
        if text is not None and not _WHOLE_NUMBER.fullmatch(text):
            raise InvalidArgumentError(f"The cursor should be a whole number, and is {text!r}.")
        cursor = None if text is None else int(text)
        await self.answer_call(lambda library: library.complete(query, cursor))


class SavedSearchesHandler(ApeHandler):
    """``searches``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with the user's searches and the shared ones."""
        user = self.owner
        await self.answer_call(
            lambda library: SavedSearchList(items=tuple(library.saved_searches(user=user)))
        )

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Save a search."""
        order = self.json_body(SavedSearchOrder)
        user = self.owner

        def save(library: LocalLibrary) -> SavedSearch:
            return library.save_search(
                order.name,
                **order.terms.arguments(),
                shared=order.is_shared,
                replace=order.replace,
                user=user,
            )

        await self.answer_call(save)


class SavedSearchHandler(ApeHandler):
    """``searches/{name}``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def patch(self, name: str) -> None:
        """Rename or share a search."""
        change = self.json_body(SavedSearchChange)
        user = self.owner

        def apply(library: LocalLibrary) -> SavedSearch:
            return library.change_search(
                name, new_name=change.new_name, is_shared=change.is_shared, user=user
            )

        await self.answer_call(apply)

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, name: str) -> None:
        """Remove a search."""
        user = self.owner
        await self.answer_call(lambda library: library.delete_search(name, user=user))


class RecentSearchesHandler(ApeHandler):
    """``recent-searches``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with what the user searched for."""
        user = self.owner
        await self.answer_call(
            lambda library: RecentSearchList(items=tuple(library.recent_searches(user=user)))
        )

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self) -> None:
        """Forget what the user searched for."""
        user = self.owner
        await self.access.call(lambda library: library.clear_recent_searches(user=user))
        self.set_status(204)
        self.finish()
