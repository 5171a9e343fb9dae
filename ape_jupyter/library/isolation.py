"""Having runs read by another process, which may crash.

Reading, checking, sorting, storing and summarising all happen there; this process gets some
lines of text and the summary, which the library's own code wrote. So nothing is decoded twice,
and no byte of a user's file is decoded here.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from ape_jupyter.cache.budget import memory_limit
from ape_jupyter.cache.mapped import map_table
from ape_jupyter.errors import Fault, InvalidResultsError, LibraryBusyError
from ape_jupyter.library.orders import Order, error_in, prepared_in, receive, send
from ape_jupyter.library.preparation import (
    LookUp,
    PreparedRun,
    Request,
    RowsCallback,
    prepare_run,
)
from ape_jupyter.library.reader import SUMMARY_FILE
from ape_jupyter.results.reading import RunFiles
from ape_jupyter.results.store import ObjectStore

__all__ = ["prepare_isolated"]

_LEAST_MEMORY_BYTES = 4 * 2**30
_CPU_SECONDS = 60
_CPU_SECONDS_PER_MB = 10
_SILENT_SECONDS = 600
_MAX_IDLE = 2


def prepare_isolated(
    files: RunFiles,
    request: Request,
    store: ObjectStore,
    scratch: Path,
    look_up: LookUp,
    on_rows: RowsCallback | None = None,
) -> PreparedRun:
    """Do as :func:`prepare_run` does, in a process with limits.

    Raises
    ------
    InvalidResultsError
        Also when a file makes the process crash, or takes more memory or time than results
        can need.
    LibraryBusyError
        If the system starts no more processes.
    """
    if not sys.executable:  # Python inside another program, which can not be started again
        return prepare_run(files, request, store, scratch, look_up, on_rows)
    order = Order(
        files=files,
        request=request,
        store=store,
        scratch=scratch,
        memory_bytes=max(_LEAST_MEMORY_BYTES, (memory_limit() or 0) // 2),
        cpu_seconds=_CPU_SECONDS + _CPU_SECONDS_PER_MB * _size_mb(files),
    )
    with _READERS.one() as reader:
        outcome = _Conversation(reader, order, look_up, on_rows).held()
    if "failed" in outcome:
        raise error_in(outcome["failed"])
    if "denied" in outcome:
        raise PermissionError(*outcome["denied"])
    if "prepared" not in outcome:
        raise InvalidResultsError(files.label, [Fault(outcome["file"], outcome["died"])])
    summary = partial(_checked_summary, scratch / SUMMARY_FILE, files.label)
    return prepared_in(outcome["prepared"], summary)


def _size_mb(files: RunFiles) -> int:
    total = 0
    for path in map(Path, map(str, files.tables.values())):
        with suppress(OSError):
            parts = path.iterdir() if path.is_dir() else [path]
            total += sum(part.stat().st_size for part in parts)
    return total // 10**6


def _checked_summary(path: Path, label: str) -> pa.Table:
    try:
        summary = map_table(path)
        summary.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        fault = Fault(label, f"made the process that reads it write nonsense: {error}")
        raise InvalidResultsError(label, [fault]) from error
    return summary


class _Reader:
    """A process that takes orders."""

    def __init__(self) -> None:
        # Its modules are those of this process, wherever they were found.
        paths = os.pathsep.join(path for path in sys.path if path)
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ape_jupyter.library.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads, "PYTHONPATH": paths},
            # Its forks can then be ended with it.
            start_new_session=True,
        )

    @property
    def orders(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        return self._process.stdin

    @property
    def answers(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        return self._process.stdout

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def end(self) -> int:
        """End the process and its forks; return how it ended."""
        # What ended by itself says more than that it was killed.
        if self._process.poll() is None:
            self.kill()
        status = self._process.wait()
        for pipe in (self.orders, self.answers):
            with suppress(OSError):
                pipe.close()
        return status


class _Conversation:
    """One order, from its being sent until it is carried out or the reader has died of it."""

    def __init__(
        self, reader: _Reader, order: Order, look_up: LookUp, on_rows: RowsCallback | None
    ) -> None:
        self._reader = reader
        self._order = order
        self._look_up = look_up
        self._on_rows = on_rows
        self._outcome: dict[str, Any] = {}
        self._file = order.files.label

    def held(self) -> dict[str, Any]:
        """Return what came of the order: ``prepared``, ``failed``, ``denied`` or ``died``."""
        status = self._ended()
        if self._outcome:
            return self._outcome
        return {"died": self._cause(status), "file": self._file}

    def _ended(self) -> int:
        try:
            send(self._reader.orders, self._order.to_json())
            while (message := self._answer()) is not None:
                if "ended" in message:
                    return int(message["ended"])
                self._hear(message)
        except BrokenPipeError:
            pass
        # Where there are no forks, the reader itself has ended, and how is its answer.
        return self._reader.end()

    def _answer(self) -> dict[str, Any] | None:
        # A read can wait for ever, for example on a network that went away.
        watchdog = threading.Timer(_SILENT_SECONDS, self._reader.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            return receive(self._reader.answers)
        finally:
            watchdog.cancel()

    def _hear(self, message: Mapping[str, Any]) -> None:
        if "file" in message:
            self._file = message["file"]
        elif "rows" in message:
            if self._on_rows:
                self._on_rows(*message["rows"])
        elif "look_up" in message:
            known = self._look_up(message["look_up"])
            send(self._reader.orders, {"known": None if known is None else asdict(known)})
        else:
            self._outcome = dict(message)

    def _cause(self, status: int) -> str:
        if status == -getattr(signal, "SIGXCPU", 0):
            seconds = self._order.cpu_seconds
            return f"takes more than {seconds} seconds of computing, and results of its size do not"
        if status == -getattr(signal, "SIGKILL", 0):
            return "takes so much memory to read that the system ended the process, or it got stuck"
        if status < 0:
            with suppress(ValueError):
                return f"crashes the process that reads it ({signal.Signals(-status).name})"
        return "can not be read: the process that reads it ended without an answer"


class _Readers:
    """Readers that wait for their next order: starting Python takes longer than a small run."""

    def __init__(self) -> None:
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()

    @contextmanager
    def one(self) -> Iterator[_Reader]:
        """Give a reader; one that was left in the middle of an order is ended."""
        reader = self._take()
        try:
            yield reader
        except BaseException:
            reader.end()
            raise
        self._give_back(reader)

    def _take(self) -> _Reader:
        with self._lock:
            if self._pid != os.getpid():  # a fork of the process that started them
                self._idle, self._pid = [], os.getpid()
            while self._idle:
                reader = self._idle.pop()
                if reader.is_alive():
                    return reader
                reader.end()
        try:
            return _Reader()
        except OSError as error:
            message = f"No process could be started to read the results: {error.strerror}."
            raise LibraryBusyError(message) from error

    def _give_back(self, reader: _Reader) -> None:
        with self._lock:
            if len(self._idle) < _MAX_IDLE and reader.is_alive():
                self._idle.append(reader)
                return
        reader.end()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        if self._pid == os.getpid():
            for reader in idle:
                reader.end()


_READERS = _Readers()
atexit.register(_READERS.close)
