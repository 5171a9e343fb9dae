"""Tells other extensions of the server that the library changed, and nothing more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_events import EventLogger

__all__ = ["ChangeHints"]

SCHEMA_ID = "https://schema.ape-jupyter.org/events/library_changed/v1"
_SCHEMA = Path(__file__).parent / "events" / "library_changed.yaml"
_PAUSE_SECONDS = 0.2


class ChangeHints:
    """Sends the number of the newest event through the server's event system.

    Jupyter Server sends its events to every client, whatever they may read of the library;
    so they are without content. During an import they would be many: between two of them is
    a pause, and the last number is never left out.
    """

    def __init__(self, logger: EventLogger) -> None:
        self._logger = logger
        self._next: int | None = None
        logger.register_event_schema(_SCHEMA)

    def announce(self, seq: int) -> None:
        """Send a number, now or after the pause. On the event loop."""
        is_waiting = self._next is not None
        self._next = seq
        if not is_waiting:
            asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._send)

    def _send(self) -> None:
        seq, self._next = self._next, None
        self._logger.emit(schema_id=SCHEMA_ID, data={"seq": seq})
