"""Telling subscribers what happens in a library, whichever process does it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from ape_jupyter.errors import ApeError
from ape_jupyter.model.events import EventType, SimulationEvent

__all__ = ["EventBus", "EventCallback", "EventLog", "Subscription"]

EventCallback = Callable[[SimulationEvent], object]

_PAGE = 200
_SLOW_SECONDS = 1.0
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Waiting(Protocol):
    """Waits for changes."""

    def wait(self) -> None:
        """Return soon after something may have changed."""


class EventLog(Protocol):
    """The log that the bus reads from."""

    def last_seq(self) -> int:
        """Return the number of the newest event."""

    def events(
        self,
        since: int = 0,
        types: Sequence[EventType] | None = None,
        sim_id: str | None = None,
        limit: int = ...,
    ) -> list[SimulationEvent]:
        """Return the events after a number, the oldest first."""

    def watch(self) -> AbstractContextManager[Waiting]:
        """Give a way to wait for changes."""


class Subscription:
    """Calls back for events until :meth:`unsubscribe`, or the end of a ``with`` block.

    Calls come from a thread of the subscription's own, one at a time and in order. What the
    callback raises is logged, and the next event has its turn. One that is slow only is late
    itself: its place in the log is remembered, not what it has still to see, so that no
    memory grows and nothing is lost.
    """

    def __init__(
        self,
        bus: EventBus,
        callback: EventCallback,
        types: Sequence[EventType] | None,
        since: int,
    ) -> None:
        self._bus = bus
        self._callback = callback
        self._types = types
        self._since = since
        self._stopped = threading.Event()
        name = getattr(callback, "__qualname__", repr(callback))
        self._name = name
        self._thread = threading.Thread(target=self._run, name=f"events-{name}", daemon=True)
        self._thread.start()

    def unsubscribe(self) -> None:
        """Stop; returns when a call that is going on is over, except from inside of it."""
        self._stopped.set()
        self._bus.forget(self)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.unsubscribe()

    def _run(self) -> None:
        while not self._stopped.is_set():
            newest = self._bus.wait_beyond(self._since, self._stopped)
            try:
                page = self._bus.log.events(self._since, self._types, limit=_PAGE)
            except ApeError:
                _log.warning("Events for %s could not be read", self._name, exc_info=True)
                self._stopped.wait(_PAUSE_AFTER_ERROR_SECONDS)
                continue
            for event in page:
                if self._stopped.is_set():
                    return
                self._tell(event)
                self._since = event.seq
            if len(page) < _PAGE:
                # None of the others up to there is of its types.
                self._since = max(self._since, newest)

    def _tell(self, event: SimulationEvent) -> None:
        started = time.monotonic()
        try:
            self._callback(event)
        # A subscriber may fail as it likes; the log and the other subscribers go on.
        except Exception:  # noqa: BLE001
            _log.exception("The subscriber %s failed at event %d", self._name, event.seq)
        seconds = time.monotonic() - started
        if seconds > _SLOW_SECONDS:
            _log.warning(
                "The subscriber %s took %.1f s for event %d; it hears of others later",
                self._name,
                seconds,
                event.seq,
            )


class EventBus:
    """Wakes subscriptions when the log grows. Looks at the log only while there are any."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._subscriptions: set[Subscription] = set()
        self._grown = threading.Condition()
        self._newest = 0
        self._watcher: threading.Thread | None = None

    def subscribe(
        self,
        callback: EventCallback,
        types: Sequence[EventType] | None = None,
        since: int | None = None,
    ) -> Subscription:
        """Call back for every event after number ``since``, by default for those from now on."""
        start = self.log.last_seq() if since is None else since
        subscription = Subscription(self, callback, types, start)
        with self._grown:
            self._subscriptions.add(subscription)
            if self._watcher is None:
                self._watcher = threading.Thread(
                    target=self._watch, name="events-watcher", daemon=True
                )
                self._watcher.start()
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Forget a subscription that stops."""
        with self._grown:
            self._subscriptions.discard(subscription)
            self._grown.notify_all()

    def wait_beyond(self, seq: int, stopped: threading.Event) -> int:
        """Return the newest number as soon as it is beyond ``seq``, or the waiting is over."""
        with self._grown:
            self._grown.wait_for(lambda: self._newest > seq or stopped.is_set())
            return self._newest

    def close(self) -> None:
        """Stop all subscriptions and the watcher."""
        with self._grown:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.unsubscribe()
        with self._grown:
            watcher = self._watcher
        if watcher is not None:
            watcher.join()

    def _watch(self) -> None:
        with self.log.watch() as waiting:
            while True:
                with self._grown:
                    if not self._subscriptions:
                        self._watcher = None
                        return
                self._look()
                waiting.wait()

    def _look(self) -> None:
        try:
            newest = self.log.last_seq()
        except ApeError:
            _log.warning("The log of the library can not be read now", exc_info=True)
            time.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            return
        with self._grown:
            if newest > self._newest:
                self._newest = newest
                self._grown.notify_all()
