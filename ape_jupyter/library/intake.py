"""Taking runs in: from files, packages and tables, through checks, into the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import ConflictError, InvalidResultsError, SimulationNotFoundError
from ape_jupyter.library.registration import VisitedPatients, metadata_of_run, run_start
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.users import current_user
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.results.reading import RunFiles, RunResults, displayed, read_run
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION
from ape_jupyter.results.summing import SummaryOfBuckets
from ape_jupyter.services.discovery import is_package
from ape_jupyter.services.migrate.service import metadata_migrations
from ape_jupyter.services.packages import extract_package

__all__ = ["SUMMARY", "Intake"]

SUMMARY = f"summary-{SUMMARY_VERSION}"
"""Name of the summary in the cache: where only an older one is there, a new one is made."""

RowsCallback: TypeAlias = Callable[[int, int], None]


class Intake:
    """The one way by which runs enter a library; used by any number of threads."""

    def __init__(self, registry: Registry, store: ObjectStore, cache: PersistentCache) -> None:
        self._registry = registry
        self._store = store
        self._cache = cache

    def import_path(
        self,
        path: Path,
        *,
        tags: Iterable[str],
        owner: str | None,
        on_rows: RowsCallback | None = None,
    ) -> ImportOutcome:
        """Import one results directory or package; faults become the outcome.

        ``on_rows`` is told how many visits of how many are done. What it raises stops the
        import, of which nothing stays.
        """
        try:
            with self._scratch() as scratch:
                extract = extract_package if is_package(path) else _directory_itself
                run = self._read(extract(path, scratch), scratch, _half(on_rows, first=True))
                return self._add(displayed(path), run, tags, owner, on_rows)
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
        with self._scratch() as scratch:
            run = self._read(files, scratch)
            self._add(files.label, run, tags, owner)
        return self._registry.get(run.details.sim_id)

    @staticmethod
    def _read(files: RunFiles, scratch: Path, on_rows: RowsCallback | None = None) -> RunResults:
        migrate = metadata_migrations().migrate
        return read_run(files, scratch, on_rows, migrate=migrate)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with reporting_full_disk(self._store.directory), self._store.staged() as scratch:
            yield scratch

    def _add(
        self,
        path: str,
        run: RunResults,
        tags: Iterable[str],
        owner: str | None,
        on_rows: RowsCallback | None = None,
    ) -> ImportOutcome:
        known = self._known(run, owner)
        if known is not None:
            return ImportOutcome(path=path, status=ImportStatus.ALREADY_THERE, metadata=known)
        summary = SummaryOfBuckets(run_start(run.tables), run.details.duration_years)
        visited = VisitedPatients()
        stored = self._store.publish(
            run.tables, run.documents, [summary, visited], _half(on_rows, first=False)
        )
        owner = owner or current_user()
        metadata = metadata_of_run(run, stored, visited, owner=owner, tags=tags)
        self._cache.files(stored.digest, [SUMMARY], lambda: {SUMMARY: summary.result(run.tables)})
        try:
            self._registry.add(metadata, run.documents, owner)
        except ConflictError:
            # Another process registered the run since it was looked for.
            known = self._known(run, owner)
            if known is None:
                raise
            return ImportOutcome(path=path, status=ImportStatus.ALREADY_THERE, metadata=known)
        return ImportOutcome(path=path, status=ImportStatus.IMPORTED, metadata=metadata)

    def _known(self, run: RunResults, user: str | None) -> SimulationMetadata | None:
        """Return the run of this id when it has the same tables; out of the trash, if there."""
        sim_id = run.details.sim_id
        try:
            known = self._registry.get(sim_id)
        except SimulationNotFoundError:
            return None
        if run.tables.digests() != self._store.table_digests(known.checksum):
            raise ConflictError(
                f"The library has a run {sim_id!r} with other results. "
                "Give this one another sim_id in its metadata.json, or delete the other first."
            )
        return self._registry.set_status(sim_id, Status.AVAILABLE, user)


def _directory_itself(path: Path, _: Path) -> RunFiles:
    return RunFiles.of_directory(path)


def _half(on_rows: RowsCallback | None, *, first: bool) -> RowsCallback | None:
    """Return a callback for one of two passes over the same rows: reading, then storing."""
    if on_rows is None:
        return None
    return lambda done, total: on_rows((done if first else total + done) // 2, total)
