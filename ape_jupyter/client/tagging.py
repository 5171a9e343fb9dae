"""The part of a remote library that changes tags wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ape_jupyter.client.transport import Transport
from ape_jupyter.library.interface import FilterValue
from ape_jupyter.library.requests import search_terms
from ape_jupyter.model.tags import TagsChanged
from ape_jupyter.wire.tagging import BulkTagChange, TagColour, TagMerge, TagRenaming, TagUndo

__all__ = ["RemoteTagging"]


class RemoteTagging:
    """Renames, merges, colours and undoes; see ``Library``."""

    _transport: Transport

    def change_tags(
        self,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        *,
        sim_ids: Iterable[str] | None = None,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> TagsChanged:
        """Add and remove tags on the runs that are named or found; see ``Library``."""
        order = BulkTagChange(
            add=tuple(add),
            remove=tuple(remove),
            sim_ids=None if sim_ids is None else tuple(sim_ids),
            query=query,
            filters=None if filters is None else search_terms(None, filters).filters,
        )
        return self._changed("bulk", order)

    def rename_tag(self, old: str, new: str) -> TagsChanged:
        """Give a tag another name wherever it is; tags below it go with it."""
        return self._changed("rename", TagRenaming(old=old, new=new))

    def merge_tags(self, sources: Iterable[str], into: str) -> TagsChanged:
        """Replace several tags by one wherever they are; tags below them go with them."""
        return self._changed("merge", TagMerge(sources=tuple(sources), into=into))

    def set_tag_colour(self, tag: str, colour: str | None) -> TagsChanged:
        """Give a tag a colour, or none."""
        return self._changed("colour", TagColour(tag=tag, colour=colour))

    def undo_tags(self, change: int) -> TagsChanged:
        """Take a change of tags back, but for what somebody changed since."""
        return self._changed("undo", TagUndo(change=change))

    def _changed(self, what: str, order: object) -> TagsChanged:
        changed: TagsChanged = self._transport.post(TagsChanged, "tags", what, json=order)
        return changed
