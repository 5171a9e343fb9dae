"""The shared cache: Arrow files written once, then mapped read-only by any number of processes."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
from filelock import FileLock

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.eviction import LOCKS, Evictor, is_exempt_name
from ape_jupyter.cache.leases import LEASE_FILE, Lease
from ape_jupyter.cache.seals import (
    HashedWriter,
    is_sealed,
    look_up_what_seals_say,
    problem_of,
    seal,
)
from ape_jupyter.errors import LibraryBusyError, OutOfSpaceError

__all__ = ["PersistentCache", "map_table", "write_table"]

Source: TypeAlias = pa.Table | pa.RecordBatchReader

# Mapping is no work that threads could share; starting them takes longer than mapping.
_UNTHREADED = pa.ipc.IpcReadOptions(use_threads=False)
_ATTEMPTS = 5
_EVERYTHING = 2**62
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def map_table(path: Path) -> pa.Table:
    """Map an Arrow file; its columns are views of the file's pages, shared with all readers.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source, options=_UNTHREADED).read_all()


def write_table(table: Source, path: Path) -> None:
    """Write an Arrow file durably and uncompressed, so that it can be mapped as it is.

    A table becomes one batch, a stream as many as it has. The file appears complete or not
    at all; readers of an older file of that name keep it.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    batches = table.combine_chunks().to_batches() if isinstance(table, pa.Table) else table
    try:
        with partial.open("wb") as file:
            hashed = HashedWriter(file)
            with pa.ipc.new_file(hashed, table.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            file.flush()
            # After a power cut, a name without its bytes would kill whoever maps it.
            os.fsync(file.fileno())
        partial.chmod(0o440)
        partial.replace(path)
        seal(path, hashed.hexdigest())
    finally:
        partial.unlink(missing_ok=True)


class PersistentCache:
    """Mapped files by result set, under ``cache/<digest>/``.

    Processes and threads may use one directory at the same time. Who first needs a file
    writes it; others wait for that. The directory may be deleted while it is in use: maps
    that are open stay readable, and what is missing is written again.

    Parameters
    ----------
    budget : Budget, optional
        What the files may take; kept to whenever one is written.
    pinned : callable
        Returns the digests of the runs that are not evicted.
    on_evicted : callable
        Told the digest and the bytes of each run that was, and whether that was to make room.
    """

    def __init__(
        self,
        directory: Path,
        budget: Budget | None = None,
        pinned: Callable[[], Collection[str]] = frozenset,
        on_evicted: Callable[[str, int, bool], None] = lambda *_: None,
    ) -> None:
        self.directory = directory
        self.evictor = Evictor(directory, budget or Budget(), pinned, on_evicted)
        look_up_what_seals_say()

    def path(self, digest: str, name: str) -> Path:
        """Where the Arrow file of a table is, or would be."""
        return self.directory / digest / f"{name}.arrow"

    def holds(self, digest: str, names: Sequence[str]) -> bool:
        """Tell whether the files of a result set are there, with nothing left to do."""
        return all(self.path(digest, name).exists() for name in names)

    def problems(self, digest: str, *, read: bool) -> dict[Path, str]:
        """Say what is wrong with the files of a result set that are there; see ``problem_of``."""
        found = {path: problem_of(path, read=read) for path in self.written(digest)}
        return {path: problem for path, problem in found.items() if problem}

    def written(self, digest: str) -> list[Path]:
        """Return the Arrow files of a result set that are there."""
        return sorted((self.directory / digest).glob("*.arrow"))

    def files(
        self,
        digest: str,
        names: Sequence[str],
        build: Callable[[], Mapping[str, Source]],
    ) -> dict[str, Path]:
        """Return the files of a result set, first writing those that are missing or not sound.

        Files that this version of the library did not write, and files whose bytes are no
        longer those that were written, count as missing (see :mod:`ape_jupyter.cache.seals`).

        Parameters
        ----------
        names : sequence of str
            The tables wanted.
        build : callable
            Gives the tables, or streams of their batches, by name; called when one is missing,
            under a lock that keeps other processes from doing the same work, and once more
            when the disk was full and room was made.

        Raises
        ------
        OutOfSpaceError
            If the disk is full, even after all that is not in use was evicted.
        LibraryBusyError
            If somebody deletes the directory again and again.
        """
        paths = {name: self.path(digest, name) for name in names}
        for _ in range(_ATTEMPTS):
            if all(map(is_sealed, paths.values())):
                self._touch(digest)
                return paths
            # The directory can be deleted between any two steps.
            with contextlib.suppress(FileNotFoundError):
                self._materialise(digest, paths, build)
                return paths
        raise LibraryBusyError(f"{self.directory} is being deleted; try again.")

    def _materialise(
        self, digest: str, paths: Mapping[str, Path], build: Callable[[], Mapping[str, Source]]
    ) -> None:
        locks = self.directory / LOCKS
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(locks / f"{digest}.lock"):
            missing = {name: path for name, path in paths.items() if not is_sealed(path)}
            if not missing:
                return
            directory = self.directory / digest
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Evictors leave alone what is being written.
            with Lease([directory], create=True):
                for partial in directory.glob(".*.partial"):  # of a writer that was killed
                    partial.unlink(missing_ok=True)
                started = time.monotonic()
                self._write(digest, list(missing), build)
                if not all(map(is_exempt_name, missing)):
                    self._note_cost(digest, time.monotonic() - started)

    def _write(
        self, digest: str, names: Sequence[str], build: Callable[[], Mapping[str, Source]]
    ) -> None:
        tables = {name: table for name, table in build().items() if name in names}
        weighed = [name for name in names if not is_exempt_name(name)]
        if weighed:
            # Streams do not know their size; for them room is made when they are written.
            known = [t.nbytes for n in weighed if isinstance(t := tables[n], pa.Table)]
            self.evictor.make_room(sum(known), keep=[digest])
        try:
            self._write_missing(digest, tables)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            self._write_on_full_disk(digest, names, build)
        if weighed:
            # Another process may have made room for itself in the same place.
            self.evictor.make_room(keep=[digest])

    def _write_on_full_disk(
        self, digest: str, names: Sequence[str], build: Callable[[], Mapping[str, Source]]
    ) -> None:
        """Write after evicting all that can be: others fill the disk, too."""
        self.evictor.make_room(_EVERYTHING, keep=[digest])
        try:
            tables = {name: table for name, table in build().items() if name in names}
            self._write_missing(digest, tables)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            message = (
                f"The disk that holds {self.directory} is full: there is no room to make the "
                "results ready, though all that nobody uses was removed from the cache."
            )
            raise OutOfSpaceError(message) from error

    def _write_missing(self, digest: str, tables: Mapping[str, Source]) -> None:
        for name, table in tables.items():
            path = self.path(digest, name)
            if not is_sealed(path):
                write_table(table, path)

    def _touch(self, digest: str) -> None:
        stamp = self.directory / digest / LEASE_FILE
        # A cache that can be read only is still of use.
        with contextlib.suppress(OSError):
            try:
                os.utime(stamp)
            except FileNotFoundError:
                stamp.touch(mode=0o600)

    def _note_cost(self, digest: str, seconds: float) -> None:
        stamp = self.directory / digest / LEASE_FILE
        with contextlib.suppress(OSError):
            descriptor = os.open(stamp, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{seconds:.6f}\n")
