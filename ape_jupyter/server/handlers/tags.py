"""Tags of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import SimulationList, TagChange

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["TagsHandler"]


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
