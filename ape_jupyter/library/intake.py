"""Taking runs in: from files, packages and tables, through checks, into the library."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import ConflictError, InvalidResultsError, SimulationNotFoundError
from ape_jupyter.library.registration import metadata_of_run, run_start
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.digest import table_digest
from ape_jupyter.results.reading import RunFiles, RunResults, displayed, read_run
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import summarise
from ape_jupyter.services.discovery import is_package
from ape_jupyter.services.packages import extract_package

__all__ = ["SUMMARY", "Intake"]

SUMMARY = "summary-1"


class Intake:
    """The one way by which runs enter a library; used by any number of threads."""

    def __init__(self, registry: Registry, store: ObjectStore, cache: PersistentCache) -> None:
        self._registry = registry
        self._store = store
        self._cache = cache

    def import_path(self, path: Path, *, tags: Iterable[str], owner: str | None) -> ImportOutcome:
        """Import one results directory or package; faults become the outcome."""
        try:
            if not is_package(path):
                run = read_run(RunFiles.of_directory(path))
                return self._add(displayed(path), run, tags, owner)
            with self._store.staged() as staged:
                run = read_run(extract_package(path, staged))
                return self._add(displayed(path), run, tags, owner)
        except InvalidResultsError as error:
            return ImportOutcome(
                path=displayed(path), status=ImportStatus.REFUSED, faults=error.faults
            )

    def register(
        self, files: RunFiles, *, tags: Iterable[str], owner: str | None
    ) -> SimulationMetadata:
        """Register a run given as tables.

        Raises
        ------
        InvalidResultsError
            With every fault of the tables.
        """
        run = read_run(files)
        self._add(files.label, run, tags, owner)
        return self._registry.get(run.details.sim_id)

    def _add(
        self, path: str, run: RunResults, tags: Iterable[str], owner: str | None
    ) -> ImportOutcome:
        known = self._known(run)
        if known is not None:
            return ImportOutcome(path=path, status=ImportStatus.ALREADY_THERE, metadata=known)
        stored = self._store.publish(run.tables, run.documents)
        owner = owner or _current_user()
        metadata = metadata_of_run(run, stored, owner=owner, tags=tags)
        self._cache.files(stored.digest, [SUMMARY], lambda: {SUMMARY: self._summary(run)})
        try:
            self._registry.add(metadata, run.documents)
        except ConflictError:
            # Another process registered the run since it was looked for.
            known = self._known(run)
            if known is None:
                raise
            return ImportOutcome(path=path, status=ImportStatus.ALREADY_THERE, metadata=known)
        return ImportOutcome(path=path, status=ImportStatus.IMPORTED, metadata=metadata)

    @staticmethod
    def _summary(run: RunResults) -> pa.Table:
        return summarise(run.tables, run_start(run.tables), run.details.duration_years)

    def _known(self, run: RunResults) -> SimulationMetadata | None:
        """Return the run of this id when it has the same tables; out of the trash, if there."""
        sim_id = run.details.sim_id
        try:
            known = self._registry.get(sim_id)
        except SimulationNotFoundError:
            return None
        digests: Mapping[str, str] = {name: table_digest(t) for name, t in run.tables.items()}
        if digests != self._store.table_digests(known.checksum):
            raise ConflictError(
                f"The library has a run {sim_id!r} with other results. "
                "Give this one another sim_id in its metadata.json, or delete the other first."
            )
        return self._registry.set_status(sim_id, Status.AVAILABLE)


def _current_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return f"uid-{os.getuid()}"
