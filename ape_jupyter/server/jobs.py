"""Imports that go on while the browser or the kernel does something else."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ape_jupyter.errors import (
    ApeError,
    InvalidArgumentError,
    LibraryBusyError,
    OperationCancelledError,
)
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.wire.errors import error_body
from ape_jupyter.wire.messages import ImportOrder, Job, JobState

__all__ = ["ImportFunction", "ImportJobs"]

_log = logging.getLogger(__name__)


class _Report(Protocol):
    @property
    def outcomes(self) -> Sequence[ImportOutcome]: ...


class ImportFunction(Protocol):
    """Imports what is at a path; called in a thread."""

    def __call__(
        self,
        path: Path,
        *,
        copy: bool,
        tags: tuple[str, ...],
        progress: ProgressCallback,
        user: str | None,
    ) -> _Report:
        """Import; raising from ``progress`` must end it."""


class ImportJobs:
    """Runs imports one after the other in a thread, and remembers the latest of them.

    Safe to use from the event loop and from any thread.

    Parameters
    ----------
    history : int
        How many jobs that are over are remembered.
    waiting : int
        How many may be unfinished at a time.
    """

    def __init__(self, function: ImportFunction, *, history: int = 100, waiting: int = 20) -> None:
        self._import = function
        self._history = history
        self._waiting = waiting
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="ape-import")

    def start(self, order: ImportOrder, user: str | None = None) -> Job:
        """Start an import, or queue it.

        Raises
        ------
        InvalidArgumentError
            If the path is not absolute: the server's working directory means nothing to
            who asks.
        LibraryBusyError
            If too many imports are waiting.
        """
        if "\0" in order.path or not Path(order.path).is_absolute():
            raise InvalidArgumentError(
                f"{order.path!r} is not an absolute path on the server's host."
            )
        job = Job(
            job_id=uuid.uuid4().hex,
            state=JobState.RUNNING,
            done=0,
            total=0,
            current="",
            outcomes=(),
            error=None,
        )
        with self._lock:
            running = sum(job.state is JobState.RUNNING for job in self._jobs.values())
            if running >= self._waiting:
                raise LibraryBusyError(f"{running} imports are waiting already; try again later.")
            self._jobs[job.job_id] = job
            self._forget_oldest()
        self._executor.submit(self._run, job.job_id, order, user)
        return job

    def get(self, job_id: str) -> Job | None:
        """Return the state of a job; None when it is unknown or forgotten."""
        with self._lock:
            return self._jobs.get(job_id)

    def cancel(self, job_id: str) -> Job | None:
        """Ask a job to stop before its next run; one that is over stays as it is."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.state is JobState.RUNNING:
                self._cancelled.add(job_id)
            return job

    def close(self) -> None:
        """Cancel all jobs and wait for the run that is being imported. Blocks."""
        with self._lock:
            self._cancelled.update(self._jobs)
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, job_id: str, order: ImportOrder, user: str | None) -> None:
        def follow(progress: Progress) -> None:
            self._change(job_id, done=progress.done, total=progress.total, current=progress.current)
            # Once all is done there is nothing left to cancel.
            if progress.done < progress.total or not progress.total:
                self._stop_if_cancelled(job_id)

        self._settle(job_id, lambda: self._work(job_id, order, follow, user))

    def _work(
        self, job_id: str, order: ImportOrder, follow: ProgressCallback, user: str | None
    ) -> Sequence[ImportOutcome]:
        self._stop_if_cancelled(job_id)
        report = self._import(
            Path(order.path), copy=order.copy, tags=order.tags, progress=follow, user=user
        )
        return report.outcomes

    def _settle(self, job_id: str, work: Callable[[], Sequence[ImportOutcome]]) -> None:
        try:
            outcomes = work()
        except OperationCancelledError:
            self._change(job_id, state=JobState.CANCELLED, current="")
        except ApeError as error:
            self._fail(job_id, error)
        # A job must not stay "running" for ever, whatever happened in its thread.
        except Exception:  # noqa: BLE001
            _log.exception("Import %s failed", job_id)
            self._fail(
                job_id, ApeError(f"The import failed; the server's log tells more ({job_id}).")
            )
        else:
            self._change(job_id, state=JobState.FINISHED, outcomes=tuple(outcomes), current="")
        finally:
            with self._lock:
                self._cancelled.discard(job_id)

    def _fail(self, job_id: str, error: ApeError) -> None:
        self._change(job_id, state=JobState.FAILED, error=error_body(error), current="")

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)

    def _stop_if_cancelled(self, job_id: str) -> None:
        with self._lock:
            if job_id in self._cancelled:
                raise OperationCancelledError("The import was cancelled.")

    def _forget_oldest(self) -> None:
        over = [key for key, job in self._jobs.items() if job.state is not JobState.RUNNING]
        for key in over[: max(0, len(over) - self._history)]:
            del self._jobs[key]
