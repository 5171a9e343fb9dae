"""The part of a remote library that has folders followed."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.library.watch import Watch
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchState
from ape_jupyter.wire.messages import WatchList, WatchOrder

__all__ = ["RemoteWatching"]


class RemoteWatching:
    """Has the server follow folders; see ``Library``."""

    _transport: Transport

    def watch(
        self,
        folder: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
    ) -> Watch:
        """Follow a folder of the server's host; see ``Library``."""
        order = WatchOrder(
            folder=str(Path(folder).expanduser().absolute()),
            copy=copy,
            tags=tuple(tags),
            settle_seconds=settle_seconds,
        )
        return self._watch(self._transport.post(WatchState, "watches", json=order))

    def watches(self) -> list[Watch]:
        """Return the folders that the server's library follows."""
        found: WatchList = self._transport.get(WatchList, "watches")
        return [self._watch(state) for state in found.items]

    def _watch(self, state: WatchState) -> Watch:
        path = ("watches", path_segment(state.watch_id))

        def read() -> WatchState:
            now: WatchState = self._transport.get(WatchState, *path)
            return now

        def stop() -> None:
            self._transport.delete(WatchState, *path)

        return Watch(state, read, stop)
