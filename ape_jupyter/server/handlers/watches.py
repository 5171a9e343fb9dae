"""Folders that are followed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import WatchList, WatchOrder

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.model.watch import WatchState

__all__ = ["WatchHandler", "WatchesHandler"]


class WatchesHandler(ApeHandler):
    """``watches``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """List the folders; those that a process which died has left are followed here."""
        follows = self.ape.file_watching

        def watches(library: LocalLibrary) -> WatchList:
            if follows:
                library.follow_watches()
            return WatchList(items=tuple(library.watch_states()))

        await self.answer_call(watches)

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Follow a folder."""
        self.require_feature(self.ape.file_watching, "Folders can not be followed", "file_watching")
        self.require_feature(
            self.ape.path_imports, "Results can not be imported by their path", "path_imports"
        )
        order, owner = self.json_body(WatchOrder), self.owner
        if "\0" in order.folder or not Path(order.folder).is_absolute():
            raise InvalidArgumentError(
                f"{order.folder!r} is not an absolute path on the server's host."
            )

        def watch(library: LocalLibrary) -> WatchState:
            return library.watch(
                order.folder,
                copy=order.copy,
                tags=order.tags,
                settle_seconds=order.settle_seconds,
                user=owner,
            ).state

        self.answer(await self.access.call(watch), status=201)


class WatchHandler(ApeHandler):
    """``watches/{watch_id}``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, watch_id: str) -> None:
        """Answer with how it goes."""
        await self.answer_call(lambda library: library.watch_state(watch_id))

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, watch_id: str) -> None:
        """Follow a folder no longer."""
        await self.answer_call(lambda library: library.stop_watch(watch_id), heavy=True)
