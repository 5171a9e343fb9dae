"""What the library knows of each run, beside the registry, so that it can be made again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ape_jupyter.errors import CorruptedDataError, SchemaTooNewError
from ape_jupyter.results.durable import fsync_directory, fsync_file, reporting_full_disk
from ape_jupyter.results.sealed import sealed_json, unsealed_json

__all__ = ["RunRecord", "RunRecords"]

RECORD_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it was registered.

    Attributes
    ----------
    run : mapping
        Its row of the registry, in JSON values.
    tags : tuple of str
    tables : mapping
        The digest of each table: by them its results are known again when the object is lost.
    """

    run: Mapping[str, Any]
    tags: tuple[str, ...]
    tables: Mapping[str, str]


class RunRecords:
    """One file for each run, under ``runs/``; it appears complete and is never changed in place."""

    def __init__(self, directory: Path, staging: Path) -> None:
        self._directory = directory
        self._staging = staging

    def save(self, sim_id: str, record: RunRecord) -> None:
        """Keep a record, instead of an older one of the same run.

        Raises
        ------
        OutOfSpaceError
            If the disk is full.
        """
        content = {
            "record_version": RECORD_VERSION,
            "run": dict(record.run),
            "tags": list(record.tags),
            "tables": dict(record.tables),
        }
        partial = self._staging / f"{uuid.uuid4().hex}.json"
        with reporting_full_disk(self._directory):
            try:
                partial.write_bytes(sealed_json(content))
                partial.chmod(0o440)
                fsync_file(partial)
                partial.replace(self._path(sim_id))
            finally:
                partial.unlink(missing_ok=True)
            fsync_directory(self._directory)

    def read(self, sim_id: str) -> RunRecord | None:
        """Return the record of a run; None when there is none.

        Raises
        ------
        CorruptedDataError
            If it is damaged.
        SchemaTooNewError
            If a newer version wrote it.
        """
        try:
            content = unsealed_json(self._path(sim_id).read_bytes())
            if content["record_version"] > RECORD_VERSION:
                message = f"The record of run {sim_id} was written by a newer version."
                raise SchemaTooNewError(message)
            return RunRecord(
                run=content["run"], tags=tuple(content["tags"]), tables=content["tables"]
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"The record of run {sim_id} can not be read: {error}"
            raise CorruptedDataError(message) from error

    def ids(self) -> list[str]:
        """Return the ids of the runs that have a record."""
        return sorted(path.stem for path in self._directory.glob("*.json"))

    def remove(self, sim_id: str) -> None:
        """Forget a run that was purged."""
        self._path(sim_id).unlink(missing_ok=True)
        fsync_directory(self._directory)

    def _path(self, sim_id: str) -> Path:
        return self._directory / f"{sim_id}.json"
