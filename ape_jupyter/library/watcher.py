"""Following one folder, in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from ape_jupyter.errors import (
    ApeError,
    Fault,
    LibraryBusyError,
    OperationCancelledError,
    OutOfSpaceError,
)
from ape_jupyter.library.watch_files import (
    WatchDefinition,
    WatchFiles,
    WatchLedger,
    run_to_json,
)
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.watch import WatchedRun
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.services.following import FolderScan, is_complete, scan_folder, stamp_of

__all__ = ["FolderWatcher", "TakeIn"]

_log = logging.getLogger(__name__)

TakeIn: TypeAlias = Callable[[Path, WatchDefinition, ProgressCallback], ImportOutcome]
"""Imports one run; its faults are in the outcome. Raising from the callback ends it."""

_TAKE_OVER_SECONDS = 2.0
_PATIENCE = 12
_SLOWEST = 3
_SHOWN_RUNS = 20
_SHOWN_BROKEN = 100
_NAMED_PLACES = 3


class _StillWritten(Exception):  # noqa: N818  # no error: it will be looked at again
    """Raised within an import whose files change meanwhile; nothing of it is kept."""


class FolderWatcher(threading.Thread):
    """Takes in the runs of a folder as they become complete, until it is told to stop.

    Of all watchers of a folder, in whatever processes, the one with the claim works; the others
    wait for it to die. The folder is polled: on network file systems there is nothing else, and
    one look costs a ``stat`` for each run. Times are those of this process's own clock, for
    that of a file server can be another.

    A run is taken in when its files have not changed for ``settle_seconds`` and are whole. One
    that stays incomplete for a dozen times as long is given to the import all the same, which
    names its faults; it is tried again when any of its files changes.
    """

    def __init__(self, watch_id: str, files: WatchFiles, take_in: TakeIn) -> None:
        # A dead file server can hold a thread for ever; it must not hold the process.
        super().__init__(name=f"ape-watch-{watch_id}", daemon=True)
        self._watch_id = watch_id
        self._files = files
        self._take_in = take_in
        self._stopping = threading.Event()
        self._waiting: dict[str, tuple[str, float]] = {}

    def stop(self) -> None:
        """Ask the watcher to end, within an import, too; :meth:`join` waits for it."""
        self._stopping.set()

    def run(self) -> None:
        """Follow the folder, or wait for the claim on it."""
        while not self._stopping.is_set() and self._definition() is not None:
            claim = None
            try:
                claim = self._files.claim(self._watch_id)
                if claim is not None:
                    self._follow(self._files.ledger(self._watch_id))
            except OSError as error:
                _log.warning("The watch %s can not go on: %s", self._watch_id, error)
            finally:
                if claim is not None:
                    claim.release()
            self._stopping.wait(_TAKE_OVER_SECONDS)

    def _definition(self) -> WatchDefinition | None:
        return self._files.definition(self._watch_id)

    def _follow(self, ledger: WatchLedger) -> None:
        pause = 0.0
        scan = FolderScan()
        while not self._stopping.wait(pause):
            definition = self._definition()
            if definition is None:
                return
            try:
                scan = scan_folder(Path(definition.folder), ledger.taken_in())
                problem = _unreadable(scan)
                self._note_changes(scan, ledger)
                self._write_state(ledger, scan, problem)
                problem = self._take_in_settled(definition, ledger, scan) or problem
            except OSError as error:
                problem = f"{definition.folder} can not be read: {error.strerror or error}"
            self._write_state(ledger, scan, problem)
            shortest = definition.settle_seconds / 5
            longest = definition.settle_seconds * _SLOWEST
            is_busy = bool(self._waiting) and problem is None
            pause = shortest if is_busy else min(max(pause, shortest) * 1.5, longest)

    def _note_changes(self, scan: FolderScan, ledger: WatchLedger) -> None:
        now = time.monotonic()
        waiting = {}
        for path, stamp in scan.stamps.items():
            if ledger.stamp(path) != stamp:
                before, since = self._waiting.get(path, ("", now))
                waiting[path] = (stamp, since if before == stamp else now)
        self._waiting = waiting

    def _take_in_settled(
        self, definition: WatchDefinition, ledger: WatchLedger, scan: FolderScan
    ) -> str | None:
        """Take in what is complete; return why that failed for another reason than faults."""
        settle = definition.settle_seconds
        problem = None
        for path, (stamp, since) in list(self._waiting.items()):
            quiet = time.monotonic() - since
            if quiet < settle or (quiet < settle * _PATIENCE and not is_complete(Path(path))):
                continue
            try:
                outcome = self._outcome(definition, path, stamp)
            except _StillWritten:
                continue
            except OperationCancelledError:
                return None
            except (OutOfSpaceError, LibraryBusyError) as error:
                return error.message  # it would be the same for the others
            # Not for what is in the files: they, or something in the library, can not be read now.
            except (ApeError, OSError) as error:
                problem = f"{path!a} could not be taken in: {error}"
                continue
            run = self._dealt_with(path, outcome, ledger.next_number)
            with reporting_full_disk(Path(definition.folder)):
                ledger.add(run, stamp)
            del self._waiting[path]
            self._write_state(ledger, scan, problem)
        return problem

    def _outcome(self, definition: WatchDefinition, path: str, stamp: str) -> ImportOutcome:
        def follow(progress: Progress) -> None:
            if self._stopping.is_set() or self._definition() is None:
                raise OperationCancelledError("The folder is no longer followed.")
            # All files have been read by then, and nothing is in the library yet.
            is_last = progress.rows_total and progress.rows_done >= progress.rows_total
            if is_last and stamp_of(Path(path)) != stamp:
                raise _StillWritten

        try:
            return self._take_in(Path(path), definition, follow)
        except (ApeError, OSError, _StillWritten):
            raise
        # One run that nobody foresaw must not end the watch, nor be tried for ever.
        except Exception:  # noqa: BLE001
            _log.exception("%s could not be taken in", ascii(path))
            fault = Fault(Path(path).name, "could not be imported; the log tells more")
            return ImportOutcome(path=path, status=ImportStatus.REFUSED, faults=(fault,))

    @staticmethod
    def _dealt_with(path: str, outcome: ImportOutcome, number: int) -> WatchedRun:
        if outcome.status is ImportStatus.REFUSED:
            faults = "; ".join(map(str, outcome.faults))
            _log.warning("%s is not taken in: %s", ascii(path), faults)
        else:
            _log.info("%s is in the library", ascii(path))
        return WatchedRun(
            number=number,
            path=path,
            status=outcome.status,
            sim_id=outcome.metadata.sim_id if outcome.metadata else None,
            at=datetime.now(UTC),
            faults=outcome.faults,
        )

    def _write_state(self, ledger: WatchLedger, scan: FolderScan, problem: str | None) -> None:
        broken = ledger.refused(scan.stamps)
        state: dict[str, Any] = {
            "last_scan": datetime.now(UTC).isoformat(),
            "n_taken_in": len(ledger.taken_in()),
            "n_waiting": len(self._waiting),
            "n_broken": len(broken),
            "broken": [run_to_json(run) for run in broken[-_SHOWN_BROKEN:]],
            "recent": [run_to_json(run) for run in ledger.runs()[-_SHOWN_RUNS:]],
            "problem": problem,
        }
        self._files.write_state(self._watch_id, state)


def _unreadable(scan: FolderScan) -> str | None:
    if not scan.unreadable:
        return None
    named = ", ".join(map(ascii, scan.unreadable[:_NAMED_PLACES]))
    more = ", …" if len(scan.unreadable) > _NAMED_PLACES else ""
    return f"These can not be looked into: {named}{more}"
