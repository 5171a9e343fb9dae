"""Imports that go on while the browser or the kernel does something else."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from filelock import BaseFileLock

from ape_jupyter.errors import (
    ApeError,
    InvalidArgumentError,
    LibraryBusyError,
    OperationCancelledError,
)
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.server.job_records import JobRecord, JobRecords
from ape_jupyter.wire.errors import error_body
from ape_jupyter.wire.messages import ImportOrder, Job, JobState

__all__ = ["ImportFunction", "ImportJobs"]

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_RECORDS = 1.0
_LISTED = 20
_NOTHING_DONE = Progress(done=0, total=0)


class _Report(Protocol):
    @property
    def outcomes(self) -> Sequence[ImportOutcome]: ...


class ImportFunction(Protocol):
    """Imports what an order says; called in a thread."""

    def __call__(
        self, order: ImportOrder, *, progress: ProgressCallback, user: str | None
    ) -> _Report:
        """Import; raising from ``progress`` must end it, within a run, too."""


class _ServerStopping(Exception):  # noqa: N818  # no error: the import goes on elsewhere
    """Raised within an import to end it without settling it."""


class ImportJobs:
    """Runs imports one after the other in a thread, and records them in the library.

    An import outlives its server: the next one, or another one of the same library, takes it
    up under the same id. Runs that are in already are skipped then. Methods touch the disk, so
    they are not for the event loop; any number of threads may call them.

    Parameters
    ----------
    records : Path
        Directory of the records.
    resumes : bool
        Whether to take up what another server left unfinished.
    history : int
        How many jobs that are over are remembered.
    waiting : int
        How many of this server may be unfinished at a time.
    """

    def __init__(
        self,
        function: ImportFunction,
        records: Path,
        *,
        resumes: bool = True,
        history: int = 100,
        waiting: int = 20,
    ) -> None:
        self._import = function
        self._records = JobRecords(records)
        self._resumes = resumes
        self._history = history
        self._waiting = waiting
        self._own: dict[str, JobRecord] = {}
        self._claims: dict[str, BaseFileLock] = {}
        self._over: dict[str, Job] = {}
        self._recorded_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
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
        OutOfSpaceError
            If the import can not be recorded.
        """
        if "\0" in order.path or not Path(order.path).is_absolute():
            raise InvalidArgumentError(
                f"{order.path!r} is not an absolute path on the server's host."
            )
        job = Job(
            job_id=uuid.uuid4().hex,
            path=order.path,
            state=JobState.RUNNING,
            started_at=datetime.now(UTC),
        )
        with self._lock:
            n_unfinished = len(self._own)
        if n_unfinished >= self._waiting:
            raise LibraryBusyError(f"{n_unfinished} imports are waiting already; try again later.")
        claim = self._records.claim(job.job_id)
        if claim is None:  # not reached: nobody else knows the id
            raise LibraryBusyError("The import could not be started; try again.")
        record = JobRecord(job=job, order=order, user=user)
        self._records.write(record)
        self._submit(record, claim)
        self._forget_oldest()
        return job

    def resume(self) -> None:
        """Take up the imports that ended servers have left unfinished."""
        if not self._resumes:
            return
        unknown = [job_id for job_id in self._records.ids() if self._known(job_id) is None]
        left = [record.job for job_id in unknown if (record := self._unfinished(job_id))]
        for job in sorted(left, key=lambda job: job.started_at):
            self._take_up(job.job_id)

    def get(self, job_id: str) -> Job | None:
        """Return the state of a job; None when it is unknown or forgotten."""
        job = self._known(job_id)
        if job is not None:
            return job
        record = self._records.read(job_id)
        if record is None:
            return None
        if record.job.state is not JobState.RUNNING:
            with self._lock:
                return self._over.setdefault(job_id, record.job)
        if self._resumes:
            self._take_up(job_id)
            return self._known(job_id) or record.job
        claim = self._records.claim(job_id)
        if claim is None:
            return record.job
        claim.release()
        is_cancelled = self._records.is_to_cancel(job_id)
        state = JobState.CANCELLED if is_cancelled else JobState.INTERRUPTED
        return replace(record.job, state=state)

    def latest(self) -> tuple[Job, ...]:
        """Return the jobs that are not over and some that are, without outcomes, newest first."""
        found = []
        n_over = 0
        for job_id in reversed(self._records.ids()):
            job = self.get(job_id)
            if job is None:
                continue
            is_over = job.state is not JobState.RUNNING
            n_over += is_over
            if not is_over or n_over <= _LISTED:
                found.append(replace(job, outcomes=()))
        return tuple(sorted(found, key=lambda job: job.started_at, reverse=True))

    def cancel(self, job_id: str) -> Job | None:
        """Ask a job to stop, whichever server works on it; one that is over stays as it is."""
        job = self.get(job_id)
        if job is not None and job.state in (JobState.RUNNING, JobState.INTERRUPTED):
            self._records.ask_to_cancel(job_id)
        return job

    def close(self) -> None:
        """Leave all unfinished jobs to the next server. Blocks until the thread has ended."""
        self._stopping.set()
        self._executor.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            claims = [*self._claims.values()]
            self._claims.clear()
        for claim in claims:
            claim.release()

    # Jobs of this server

    def _known(self, job_id: str) -> Job | None:
        with self._lock:
            if job_id in self._own:
                return self._own[job_id].job
            return self._over.get(job_id)

    def _unfinished(self, job_id: str) -> JobRecord | None:
        record = self._records.read(job_id)
        if record is None or record.job.state is not JobState.RUNNING:
            return None
        return record

    def _take_up(self, job_id: str) -> None:
        claim = self._records.claim(job_id)
        if claim is None:
            return
        # Who had the claim before may have finished the job since it was read.
        record = self._unfinished(job_id)
        if record is None or self._stopping.is_set():
            claim.release()
            return
        _log.info("Taking up the import of %s that a server left unfinished", record.job.path)
        self._submit(replace(record, job=_at(record.job, _NOTHING_DONE)), claim)

    def _submit(self, record: JobRecord, claim: BaseFileLock) -> None:
        job_id = record.job.job_id
        with self._lock:
            self._own[job_id] = record
            self._claims[job_id] = claim
        with suppress(RuntimeError):  # the server stops just now; the next one takes it up
            self._executor.submit(self._run, record)

    def _run(self, record: JobRecord) -> None:
        job_id = record.job.job_id

        def follow(progress: Progress) -> None:
            self._progressed(job_id, progress)
            # Once all is done there is nothing left to cancel.
            if progress.done < progress.total or not progress.total:
                self._stop_if_asked_to(job_id)

        def work() -> Sequence[ImportOutcome]:
            self._stop_if_asked_to(job_id)
            return self._import(record.order, progress=follow, user=record.user).outcomes

        try:
            self._settle(job_id, work)
        except _ServerStopping:
            return
        # The import itself is done or has failed for a reason that is told; what is on disk
        # still says "running", so the next server does it again, and finds the runs there.
        except (ApeError, OSError):
            _log.exception("The end of import %s could not be recorded", job_id)

    def _settle(self, job_id: str, work: Callable[[], Sequence[ImportOutcome]]) -> None:
        try:
            outcomes = work()
        except _ServerStopping:
            raise
        except OperationCancelledError:
            self._end(job_id, state=JobState.CANCELLED)
        except ApeError as error:
            self._end(job_id, state=JobState.FAILED, error=error_body(error))
        # A job must not stay "running" for ever, whatever happened in its thread.
        except Exception:  # noqa: BLE001
            _log.exception("Import %s failed", job_id)
            failure = ApeError(f"The import failed; the server's log tells more ({job_id}).")
            self._end(job_id, state=JobState.FAILED, error=error_body(failure))
        else:
            self._end(job_id, state=JobState.FINISHED, outcomes=tuple(outcomes))

    def _progressed(self, job_id: str, progress: Progress) -> None:
        now = time.monotonic()
        with self._lock:
            record = self._own[job_id]
            record = self._own[job_id] = replace(record, job=_at(record.job, progress))
            is_due = now - self._recorded_at.get(job_id, 0.0) > _SECONDS_BETWEEN_RECORDS
            if is_due:
                self._recorded_at[job_id] = now
        if is_due:  # for the other servers of the library
            self._records.write(record, durably=False)

    def _end(self, job_id: str, **changes: Any) -> None:
        with self._lock:
            record = self._own.pop(job_id)
            claim = self._claims.pop(job_id)
            self._recorded_at.pop(job_id, None)
            ended = replace(record.job, current="", rows_done=0, rows_total=0)
            record = replace(record, job=replace(ended, **changes))
            self._over[job_id] = record.job
        try:
            self._records.write(record)
        finally:
            claim.release()

    def _stop_if_asked_to(self, job_id: str) -> None:
        if self._stopping.is_set():
            raise _ServerStopping
        if self._records.is_to_cancel(job_id):
            raise OperationCancelledError("The import was cancelled.")

    def _forget_oldest(self) -> None:
        ids = self._records.ids()
        with self._lock:
            n_unfinished = len(self._own)
        for job_id in ids[: max(0, len(ids) - n_unfinished - self._history)]:
            if self._unfinished(job_id) is None:
                with self._lock:
                    self._over.pop(job_id, None)
                self._records.forget(job_id)


def _at(job: Job, progress: Progress) -> Job:
    return replace(
        job,
        done=progress.done,
        total=progress.total,
        current=progress.current,
        rows_done=progress.rows_done,
        rows_total=progress.rows_total,
    )
