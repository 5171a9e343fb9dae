"""Taking runs out of the cache, under the eyes of their readers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.leases import LEASE_FILE, exclusive, held_leases, holders
from ape_jupyter.cache.policy import CachedRun, choose_victims

__all__ = ["LOCKS", "Evictor", "is_exempt_name"]

LOCKS = ".locks"

_EXEMPT_PREFIX = "summary"
_BYTES_REBUILT_PER_SECOND = 200 * 10**6
_OTHERS_SECONDS = 60


def is_exempt_name(name: str) -> bool:
    """Tell whether a table is a summary: tiny, needed by comparisons, and never evicted."""
    return name.startswith(_EXEMPT_PREFIX)


class Evictor:
    """Keeps a cache directory within its budget. Threads and processes may share it.

    Parameters
    ----------
    pinned : callable
        Returns the digests of the runs that stay.
    on_evicted : callable
        Told the digest and the bytes of each run that went, and whether that was to make room.
    """

    def __init__(
        self,
        directory: Path,
        budget: Budget,
        pinned: Callable[[], Collection[str]] = frozenset,
        on_evicted: Callable[[str, int, bool], None] = lambda *_: None,
    ) -> None:
        self.directory = directory
        self.budget = budget
        self._pinned = pinned
        self._on_evicted = on_evicted

    def limit_bytes(self) -> int:
        """Return what the cache may take now."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.budget.limit_bytes(self.directory, self.used_bytes())

    def used_bytes(self) -> int:
        """Return what the mapped files take, summaries not counted."""
        return sum(run.size_bytes for run in self._described())

    def runs(self) -> list[CachedRun]:
        """Return the result sets with mapped files; those that are pinned are exempt."""
        pinned = self._pinned()
        return [replace(run, is_exempt=run.digest in pinned) for run in self._described()]

    def _described(self) -> Iterator[CachedRun]:
        for directory in self._directories():
            run = _described(directory)
            if run is not None and run.size_bytes:
                yield run

    def _directories(self) -> Iterator[Path]:
        with contextlib.suppress(FileNotFoundError):
            for entry in self.directory.iterdir():
                if not entry.name.startswith(".") and entry.is_dir():
                    yield entry

    def tables(self, digest: str) -> list[Path]:
        """Return the mapped files of a run, summaries not among them."""
        paths = (self.directory / digest).glob("*.arrow")
        return [path for path in paths if not is_exempt_name(path.name)]

    def holders(self, digest: str) -> list[int]:
        """Return the processes that have a run mapped, as far as the system tells."""
        return holders(self.directory / digest)

    def held(self) -> dict[str, list[int]]:
        """Return the processes that have runs mapped, by digest."""
        held = held_leases(self._directories())
        return {directory.name: pids for directory, pids in held.items()}

    def evict(self, digest: str) -> int | None:
        """Remove the mapped files of a run and return their bytes; None when it is in use."""
        freed = self._evict(digest)
        if freed:
            self._on_evicted(digest, freed, False)
        return freed

    def _evict(self, digest: str) -> int | None:
        directory = self.directory / digest
        if not directory.is_dir():
            return 0
        with exclusive(directory) as free:
            if not free:
                return None
            return _remove(_evictable(directory))

    def make_room(self, incoming_bytes: int = 0, *, keep: Collection[str] = ()) -> list[CachedRun]:
        """Evict what the policy chooses until ``incoming_bytes`` more fit into the budget.

        Runs in use, pinned ones and those in ``keep`` stay, even when that is too much.
        Returns the runs that went.
        """
        locks = self.directory / LOCKS
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        evicted: list[CachedRun] = []
        try:
            # Two processes that look at the same moment would both take out enough for both.
            with FileLock(locks / "budget.lock", timeout=_OTHERS_SECONDS):
                staying = set(keep)
                while self._round(incoming_bytes, staying, evicted):
                    pass
        except Timeout:
            # A process that was stopped holds the lock; the next materialisation tries again.
            pass
        for run in evicted:
            self._on_evicted(run.digest, run.size_bytes, True)
        return evicted

    def keep_to_budget(self) -> list[CachedRun]:
        """Evict what is too much now that runs are no longer in use; return what went.

        Room is made when a file is written, but what was in use then can go only later.
        """
        used = self.used_bytes()
        if not used or used <= self.budget.limit_bytes(self.directory, used):
            return []
        return self.make_room()

    def _round(self, incoming_bytes: int, staying: set[str], evicted: list[CachedRun]) -> bool:
        """Evict once; True when a run that turned out to be in use makes another choice due."""
        runs = self.runs()
        used = sum(run.size_bytes for run in runs)
        limit = self.budget.limit_bytes(self.directory, used) - incoming_bytes
        runs = [replace(run, is_exempt=run.is_exempt or run.digest in staying) for run in runs]
        in_use = False
        for run in choose_victims(runs, limit, now=time.time()):
            if self._evict(run.digest) is None:
                staying.add(run.digest)
                in_use = True
            else:
                evicted.append(run)
        return in_use

    def sweep(self) -> int:
        """Remove what killed writers left behind; return its bytes."""
        freed = 0
        for directory in self._directories():
            partial = list(directory.glob(".*.partial"))
            if partial:
                # Who writes holds a lease.
                with exclusive(directory) as free:
                    freed += _remove(partial) if free else 0
        return freed


def _evictable(directory: Path) -> list[Path]:
    tables = [path for path in directory.glob("*.arrow") if not is_exempt_name(path.name)]
    return [*tables, *directory.glob(".*.partial")]


def _remove(paths: list[Path]) -> int:
    freed = 0
    for path in paths:
        # Windows keeps the files that are mapped.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            size = path.stat().st_size
            path.unlink()
            freed += size
    return freed


def _described(directory: Path) -> CachedRun | None:
    try:
        sizes = [path.stat().st_size for path in _evictable(directory)]
        stamp = directory / LEASE_FILE
        last_used = stamp.stat().st_mtime if stamp.exists() else directory.stat().st_mtime
    except FileNotFoundError:  # evicted or deleted in this moment
        return None
    size_bytes = sum(sizes)
    return CachedRun(
        digest=directory.name,
        size_bytes=size_bytes,
        last_used=last_used,
        rebuild_seconds=_rebuild_seconds(stamp, size_bytes),
    )


def _rebuild_seconds(stamp: Path, size_bytes: int) -> float:
    """Return what was measured when the files were made; else what is usual for their size."""
    try:
        measured = float(stamp.read_text("ascii"))
        if 0 < measured < float("inf"):
            return measured
    except (OSError, ValueError):
        pass
    return size_bytes / _BYTES_REBUILT_PER_SECOND
