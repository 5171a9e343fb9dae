"""One answer for all who ask the same in the same moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["SharedAnswer"]

_FRESH_SECONDS = 1.0


class SharedAnswer:
    """An answer that is costly to make, and true for a second.

    Several viewers of the same figures ask at the same time; the system should be searched
    once for all of them. For the event loop only.
    """

    def __init__(self) -> None:
        self._making: asyncio.Task[str] | None = None
        self._made_at = 0.0

    async def get(self, make: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Return the answer; ``make`` it unless it is being made, or was within the second."""
        making = self._making
        if making is None or (making.done() and self._is_old(making)):
            making = self._making = asyncio.create_task(make())
            making.add_done_callback(self._note_time)
        # One viewer who goes away must not take the answer from the others.
        return await asyncio.shield(making)

    def _is_old(self, made: asyncio.Task[str]) -> bool:
        failed = made.cancelled() or made.exception() is not None
        return failed or time.monotonic() - self._made_at > _FRESH_SECONDS

    def _note_time(self, _: asyncio.Task[str]) -> None:
        self._made_at = time.monotonic()

    def forget(self) -> None:
        """Make the next answer anew, as something has changed."""
        self._making = None
