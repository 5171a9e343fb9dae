"""The monitor: counting what a process does, at a cost that nobody notices."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.measurements import Measurements, Recent
from ape_jupyter.services.monitor.measurements_file import MeasurementsFile
from ape_jupyter.services.monitor.threshold import Threshold

__all__ = ["VERIFIED", "PerformanceMonitor"]

VERIFIED = "verified"
"""When all results were last read and checked."""

_WRITE_AFTER_SECONDS = 3.0
_STOP_SECONDS = 10.0

_log = logging.getLogger(__name__)


class PerformanceMonitor:
    """Counts how long things take and how the cache is used. Threads may share one.

    An observation changes a few numbers in memory. What has gathered is added to the file,
    in a thread of its own, a few seconds after the first of it; a process that is killed loses
    those seconds. A process that does nothing has no thread.

    Parameters
    ----------
    path : Path
        The file, common to all processes of the library.
    afterwards : callable
        Called in that thread when it has written.
    """

    def __init__(self, path: Path, afterwards: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._afterwards = afterwards
        self._is_closed = False
        self._begin()
        _monitors.add(self)

    def _begin(self) -> None:
        self._gathered = _Gathered(MeasurementsFile(self._path))
        self._timer: threading.Timer | None = None
        self._is_due = False
        self._timing = threading.Lock()
        # Most scripts end without closing their library.
        self._at_exit = weakref.finalize(self, self._gathered.write)

    def forked(self) -> None:
        """Begin anew in a forked child."""
        self._at_exit.detach()
        self._begin()

    def observe(self, operation: Operation, seconds: float) -> None:
        """Count one duration."""
        self._count(lambda pending: pending.observe(operation, seconds))

    def opened(self, sim_id: str, seconds: float, *, warm: bool) -> None:
        """Count the opening of a run; ``warm`` when its mapped files were there."""
        self._count(lambda pending: pending.opened(sim_id, seconds, warm=warm))

    def evicted(self, size_bytes: int, made_room: bool) -> None:
        """Count a result set that left the cache, to make room or because somebody said so."""
        self._count(lambda pending: pending.evicted(size_bytes, made_room=made_room))

    def verified(self) -> None:
        """Note that the whole library was checked."""
        now = time.time()
        self._count(lambda pending: pending.moments.update({VERIFIED: now}))

    def _count(self, change: Callable[[Measurements], None]) -> None:
        self._gathered.count(change)
        self._is_due = True
        if self._timer is None:
            self._write_soon()

    def _write_soon(self) -> None:
        with self._timing:
            if self._timer is not None or self._is_closed or not self._is_due:
                return
            self._timer = threading.Timer(_WRITE_AFTER_SECONDS, self._write_in_thread)
            self._timer.daemon = True
            self._timer.start()

    def _write_in_thread(self) -> None:
        try:
            self._is_due = False
            self.write()
            self._afterwards()
        finally:
            with self._timing:
                self._timer = None
            self._write_soon()

    def write(self) -> None:
        """Add what has gathered to the file; what can not be written is kept for next time."""
        self._gathered.write()

    def known(self) -> Measurements:
        """Return what this process knows, without touching the disk.

        All of its own, and of others what they had written when this one last wrote or read.
        """
        return self._gathered.known()

    def measurements(self) -> Measurements:
        """Return all that was measured, by this process and others."""
        self._gathered.refresh()
        return self._gathered.known()

    def reaches(self, level: str, share: float, threshold: Threshold) -> bool:
        """Tell whether a level has reached its threshold now, having been below it before.

        Of all processes that look at the level, one is told so.

        Raises
        ------
        OSError
            If the file can not be written; then nobody can be told.
        """

        def is_reached(measurements: Measurements) -> bool:
            return threshold.is_reached(share, before=level in measurements.reached)

        def step(measurements: Measurements) -> bool:
            before = level in measurements.reached
            if not is_reached(measurements):
                measurements.reached.discard(level)
                return False
            measurements.reached.add(level)
            return not before

        file = self._gathered.file
        now = file.read()
        if is_reached(now) == (level in now.reached):
            return False
        return file.update(step)

    def forget_recent_loads(self) -> None:
        """Begin to count hits and misses anew, because the cache has changed.

        Raises
        ------
        OSError
            If the file can not be written.
        """
        self.write()

        def forget(measurements: Measurements) -> None:
            measurements.recent = Recent()

        self._gathered.file.update(forget)

    def close(self) -> None:
        """Write what has gathered, and observe no more."""
        with self._timing:
            self._is_closed = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join(_STOP_SECONDS)
        self._at_exit()


class _Gathered:
    """What a process has observed and not yet written; it knows nothing of its monitor."""

    def __init__(self, file: MeasurementsFile) -> None:
        self.file = file
        self._pending: Measurements | None = None
        self._being_written: Measurements | None = None
        self._stored = Measurements()
        self._counting = threading.Lock()
        self._writing = threading.Lock()

    def count(self, change: Callable[[Measurements], None]) -> None:
        with self._counting:
            if self._pending is None:
                self._pending = Measurements()
            change(self._pending)

    def write(self) -> None:
        with self._writing:
            with self._counting:
                pending, self._pending = self._pending, None
                self._being_written = pending
            if pending is None:
                return

            def add(measurements: Measurements) -> Measurements:
                measurements.add(pending)
                return measurements

            stored, unwritten = self._stored, None
            try:
                stored = self.file.update(add)
            except OSError as error:
                _log.debug("%s can not be written: %s", self.file.path, error)
                unwritten = pending
            with self._counting:
                self._stored, self._being_written = stored, None
                self._pending = _added(unwritten, self._pending)

    def refresh(self) -> None:
        with self._writing:
            stored = self.file.read()
            with self._counting:
                self._stored = stored

    def known(self) -> Measurements:
        known = Measurements()
        with self._counting:
            for part in (self._stored, self._being_written, self._pending):
                if part is not None:
                    known.add(part)
        return known


def _added(one: Measurements | None, other: Measurements | None) -> Measurements | None:
    if one is None or other is None:
        return one or other
    one.add(other)
    return one


_monitors: weakref.WeakSet[PerformanceMonitor] = weakref.WeakSet()


def _begin_anew_in_child() -> None:
    # A forked child has the parent's observations, which the parent will write, and locks of
    # threads that it has not.
    for monitor in list(_monitors):
        monitor.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)
