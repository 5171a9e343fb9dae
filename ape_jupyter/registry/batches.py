"""What is written together a few seconds later, so that nobody who reads waits for a writer."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from ape_jupyter.errors import ApeError

__all__ = ["FLUSH_SECONDS", "Batch"]

T = TypeVar("T")

FLUSH_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Batch(Generic[T]):
    """Things that are not written yet. Used by any number of threads.

    What a killed process had not written is lost: this is for what that does no harm to.

    Parameters
    ----------
    write : callable
        Writes things, in the order in which they came.
    what : str
        What they are, for the log.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], what: str) -> None:
        self._write = write
        self._what = what
        self._pending: list[T] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        _OPEN.add(self)

    def close(self) -> None:
        """Write what is pending, if that is possible, and no more by itself."""
        _OPEN.discard(self)
        # A full or vanished disk keeps nobody from leaving.
        self.try_to_flush()

    def add(self, thing: T) -> None:
        """Have something written soon."""
        with self._lock:
            self._pending.append(thing)
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.try_to_flush)
                self._timer.daemon = True
                self._timer.start()

    def try_to_flush(self) -> None:
        """Write what is pending; where that fails, the log says so."""
        try:
            self.flush()
        except (ApeError, sa.exc.SQLAlchemyError):
            _log.warning("%s could not be written", self._what, exc_info=True)

    def flush(self) -> None:
        """Write what is pending."""
        # Who closes the registry has to wait for a flush that goes on in the background.
        with self._flushing:
            with self._lock:
                pending, self._pending = self._pending, []
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            if pending:
                self._write(pending)


_OPEN: weakref.WeakSet[Batch[Any]] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    # Notebooks and scripts often end without closing their library.
    for batch in list(_OPEN):
        batch.try_to_flush()
