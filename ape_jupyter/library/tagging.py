"""The part of a library in this process that changes tags wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.requests import search_terms
from ape_jupyter.model.tags import TagsChanged
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.requests import search_tree

__all__ = ["WithTagging"]


class WithTagging:
    """Renames, merges, colours and undoes; see ``Library``.

    Methods have ``user``: who makes the change, by default the user of this process.
    """

    _registry: Registry

    def change_tags(
        self,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        *,
        sim_ids: Iterable[str] | None = None,
        query: str | None = None,
        filters: Mapping[str, Any] | None = None,
        user: str | None = None,
    ) -> TagsChanged:
        """Add and remove tags on the runs that are named or found; see ``Library``."""
        is_search = query is not None or filters is not None
        if (sim_ids is None) is not is_search:
            raise InvalidArgumentError(
                'Name runs by sim_ids, or give a search by query or filters; query="" finds all.'
            )
        chosen = (
            search_tree(search_terms(query, filters).request) if sim_ids is None else list(sim_ids)
        )
        return self._registry.change_tags(chosen, add, remove, user)

    def rename_tag(self, old: str, new: str, *, user: str | None = None) -> TagsChanged:
        """Give a tag another name wherever it is; tags below it go with it."""
        return self._registry.rename_tag(old, new, user)

    def merge_tags(
        self, sources: Iterable[str], into: str, *, user: str | None = None
    ) -> TagsChanged:
        """Replace several tags by one wherever they are; tags below them go with them."""
        return self._registry.merge_tags(list(sources), into, user)

    def set_tag_colour(
        self, tag: str, colour: str | None, *, user: str | None = None
    ) -> TagsChanged:
        """Give a tag a colour, or none."""
        return self._registry.set_tag_colour(tag, colour, user)

    def undo_tags(self, change: int, *, user: str | None = None) -> TagsChanged:
        """Take a change of tags back, but for what somebody changed since."""
        return self._registry.undo_tags(change, user)
