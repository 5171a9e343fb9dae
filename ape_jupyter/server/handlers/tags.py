"""Tags of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import SimulationList, TagChange
from ape_jupyter.wire.tagging import BulkTagChange, TagColour, TagMerge, TagRenaming, TagUndo

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.model.tags import TagsChanged

__all__ = [
    "BulkTagsHandler",
    "MergeTagsHandler",
    "RenameTagHandler",
    "TagColourHandler",
    "TagsHandler",
    "UndoTagsHandler",
]


class TagsHandler(ApeHandler):
    """``tags``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with all tags in use and their counts."""
        await self.answer_call(lambda library: library.tags())

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Add and remove tags on several runs."""
        change = self.json_body(TagChange)
        user = self.owner

        def set_tags(library: LocalLibrary) -> SimulationList:
            runs = library.set_tags(change.sim_ids, change.add, change.remove, user=user)
            return SimulationList(items=tuple(runs))

        await self.answer_call(set_tags)


class BulkTagsHandler(ApeHandler):
    """``tags/bulk``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Add and remove tags on the runs that are named or found."""
        order = self.json_body(BulkTagChange)
        user = self.owner

        def change(library: LocalLibrary) -> TagsChanged:
            return library.change_tags(
                order.add,
                order.remove,
                sim_ids=order.sim_ids,
                query=order.query,
                filters=order.filters,
                user=user,
            )

        await self.answer_call(change)


class RenameTagHandler(ApeHandler):
    """``tags/rename``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Give a tag another name."""
        order = self.json_body(TagRenaming)
        user = self.owner
        await self.answer_call(lambda library: library.rename_tag(order.old, order.new, user=user))


class MergeTagsHandler(ApeHandler):
    """``tags/merge``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Replace several tags by one."""
        order = self.json_body(TagMerge)
        user = self.owner
        await self.answer_call(
            lambda library: library.merge_tags(order.sources, order.into, user=user)
        )


class TagColourHandler(ApeHandler):
    """``tags/colour``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Give a tag a colour, or none."""
        order = self.json_body(TagColour)
        user = self.owner
        await self.answer_call(
            lambda library: library.set_tag_colour(order.tag, order.colour, user=user)
        )


class UndoTagsHandler(ApeHandler):
    """``tags/undo``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Take a change of tags back."""
        order = self.json_body(TagUndo)
        user = self.owner
        await self.answer_call(lambda library: library.undo_tags(order.change, user=user))
