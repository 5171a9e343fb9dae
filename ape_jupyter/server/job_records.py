"""What is kept of imports on disk, so that no server's end is an import's end."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.results.claims import claimed
from ape_jupyter.results.durable import replace_file, reporting_full_disk
from ape_jupyter.wire.encoding import decode_json, dumps
from ape_jupyter.wire.messages import ImportOrder, Job

__all__ = ["JobRecord", "JobRecords"]

_log = logging.getLogger(__name__)

# Ids come from outside, and become names of files.
_JOB_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """An import: how far it is, and what is needed to start it again."""

    job: Job
    order: ImportOrder
    user: str | None


class JobRecords:
    """One small file for each import of a library.

    All servers of the library may use them at the same time: who works on an import has its
    claim, which ends with the process.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, record: JobRecord, *, durably: bool = True) -> None:
        """Record an import.

        Raises
        ------
        OutOfSpaceError
            If the disk is full.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with reporting_full_disk(self._directory):
            replace_file(self._file(record.job.job_id), dumps(record).encode(), durably=durably)

    def read(self, job_id: str) -> JobRecord | None:
        """Return what is recorded of an import; None when there is none of this id."""
        if not _JOB_ID.fullmatch(job_id):
            return None
        try:
            content = self._file(job_id).read_bytes()
            return decode_json(JobRecord, content, unknown="ignore", name="record")
        except FileNotFoundError:
            return None
        except InvalidArgumentError as error:
            _log.warning("The record of import %s can not be read: %s", job_id, error)
            return None

    def ids(self) -> list[str]:
        """Return the ids of all imports, the one that changed last at the end."""
        found = []
        for path in self._directory.glob("*.json"):
            try:
                found.append((path.stat().st_mtime_ns, path.stem))
            except FileNotFoundError:
                continue
        return [job_id for _, job_id in sorted(found) if _JOB_ID.fullmatch(job_id)]

    def claim(self, job_id: str) -> BaseFileLock | None:
        """Claim an import; None while another server works on it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return claimed(self._directory / f"{job_id}.claim")

    def ask_to_cancel(self, job_id: str) -> None:
        """Let whoever works on an import know that it should stop."""
        self._cancellation(job_id).touch(mode=0o600)

    def is_to_cancel(self, job_id: str) -> bool:
        """Tell whether an import should stop."""
        return self._cancellation(job_id).exists()

    def forget(self, job_id: str) -> None:
        """Remove all that is kept of an import."""
        for path in self._directory.glob(f"{job_id}.*"):
            path.unlink(missing_ok=True)

    def _file(self, job_id: str) -> Path:
        return self._directory / f"{job_id}.json"

    def _cancellation(self, job_id: str) -> Path:
        return self._directory / f"{job_id}.cancel"
