"""Wakes the requests that wait for something to happen in the library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tornado.ioloop import IOLoop

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.model.events import SimulationEvent

__all__ = ["EventFeed"]


class EventFeed:
    """Knows the number of the newest event, and tells who waits for newer ones.

    It carries numbers only: what happened, each request reads from the log itself, so a slow
    one costs the others nothing and keeps nothing in memory.

    Parameters
    ----------
    announce : callable
        Called on the event loop with the number of the newest event.
    """

    def __init__(self, announce: Callable[[int], None]) -> None:
        self._announce = announce
        self._loop = IOLoop.current()
        self._newest = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._stop: Callable[[], None] | None = None
        self.is_closed = False

    def follow(self, library: LocalLibrary) -> None:
        """Start to listen to a library; blocks, so not for the event loop."""

        def tell(event: SimulationEvent) -> None:
            self._loop.add_callback(self._arrived, event.seq)

        self._stop = library.subscribe(None, tell).unsubscribe

    def _arrived(self, seq: int) -> None:
        if seq <= self._newest or self.is_closed:
            return
        self._newest = seq
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)
        self._announce(seq)

    async def newer_than(self, seq: int, timeout_seconds: float) -> None:
        """Return once there may be an event after number ``seq``, or the time is over."""
        if self._newest > seq or self.is_closed:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout_seconds)
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(future)

    @property
    def n_waiting(self) -> int:
        """How many requests wait now."""
        return len(self._waiting)

    def close(self) -> None:
        """Let all go on that wait. On the event loop."""
        self.is_closed = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def stop(self) -> None:
        """Stop to listen; blocks."""
        if self._stop is not None:
            self._stop()
            self._stop = None
