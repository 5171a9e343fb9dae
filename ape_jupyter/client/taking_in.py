"""The part of a remote library that sends runs in."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.client.opening import RemoteRuns
from ape_jupyter.errors import (
    ApeError,
    InvalidResultsError,
    OperationCancelledError,
    ServerUnavailableError,
)
from ape_jupyter.library.cluster import WithCluster
from ape_jupyter.library.listing import ImportReport
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.services.discovery import is_package
from ape_jupyter.wire.errors import error_from
from ape_jupyter.wire.messages import ImportOrder, Job, JobState

__all__ = ["RemoteIntake"]

_CHUNK_BYTES = 2**20
_FIRST_POLL_SECONDS = 0.02
_LONGEST_POLL_SECONDS = 0.5
_RESTART_SECONDS = 60.0


class RemoteIntake(RemoteRuns, WithCluster):
    """Has the server import and register runs; see ``Library``."""

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
    ) -> ImportReport:
        """Take in what lies at a path of the server's host; see ``Library``.

        A package on this host goes to a server on another host by upload. Interrupting the
        import, or raising from ``progress``, cancels the rest of it.
        """
        absolute = Path(path).expanduser().absolute()
        if copy and not self._transport.address.is_on_this_host and is_package(absolute):
            outcome = self._upload(absolute, tags)
            return ImportReport([replace(outcome, path=str(absolute))])
        order = ImportOrder(path=str(absolute), tags=tuple(tags), copy=copy)
        job: Job = self._transport.post(Job, "imports", json=order)
        try:
            job = self._follow(job, progress)
        except BaseException:
            self._cancel(job)
            raise
        if job.error is not None:
            raise error_from(job.error)
        if job.state is JobState.CANCELLED:
            raise OperationCancelledError("The import was cancelled; some runs may be in already.")
        if job.state is JobState.INTERRUPTED:
            raise ServerUnavailableError(
                "The import was interrupted when its server ended. Import again: the runs that "
                "are in already are skipped."
            )
        return ImportReport(job.outcomes)

    def _follow(self, job: Job, progress: ProgressCallback | None) -> Job:
        told: Progress | None = None
        pause = _FIRST_POLL_SECONDS
        while True:
            now = Progress(
                done=job.done,
                total=job.total,
                current=job.current,
                rows_done=job.rows_done,
                rows_total=job.rows_total,
            )
            if progress is not None and job.total and now != told:
                progress(now)
                told = now
            if job.state is not JobState.RUNNING:
                return job
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
            job = self._polled(job)

    def _polled(self, job: Job) -> Job:
        """Ask how far a job is; a server that restarts takes it up again under its id."""
        deadline = time.monotonic() + _RESTART_SECONDS
        while True:
            try:
                answer: Job = self._transport.get(Job, "imports", job.job_id)
            except ServerUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LONGEST_POLL_SECONDS)
            else:
                return answer

    def _cancel(self, job: Job) -> None:
        try:
            self._transport.delete(Job, "imports", job.job_id)
        except ApeError:
            # What interrupted the import is what the user should see.
            return

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables, sent as a package; see ``Library``."""
        # Brings in all that a local library needs; most kernels only read.
        from ape_jupyter.client.packing import described_package
        from ape_jupyter.library.frames import computed_frames

        given = {"patients": patients, "visits": visits, "costs": costs, "resources": resources}
        with tempfile.TemporaryDirectory(prefix="ape-jupyter-") as directory:
            label = f"run {name!r}" if name else "the run"
            run = described_package(
                computed_frames(label, given, Path(directory), self._cluster),
                {"protocol": protocol, "parameters": parameters, "audit_log": audit_log},
                name=name,
                notes=notes,
                parent=None if parent is None else self.get_metadata(parent).sim_id,
            )
            package = Path(directory) / "run.zip"
            run.write(package)
            try:
                outcome = self._upload(package, tags)
            except InvalidResultsError as error:
                raise InvalidResultsError(run.label, error.faults) from None
        if outcome.metadata is None:
            raise InvalidResultsError(run.label, outcome.faults)
        return outcome.metadata

    def _upload(self, package: Path, tags: Iterable[str]) -> ImportOutcome:
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = file.tell()
            file.seek(0)
            outcome: ImportOutcome = self._transport.upload(
                ImportOutcome,
                "packages",
                content=iter(lambda: file.read(_CHUNK_BYTES), b""),
                size_bytes=size_bytes,
                digest=digest,
                params=[("tags", tag) for tag in tags],
            )
        return outcome
