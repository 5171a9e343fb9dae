"""Taking runs in: from files, packages and tables, through checks, into the library."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import (
    ApeError,
    ConflictError,
    CorruptedDataError,
    InvalidResultsError,
    SimulationNotFoundError,
)
from ape_jupyter.library.isolation import prepare_isolated
from ape_jupyter.library.preparation import (
    KnownRun,
    LookUp,
    PreparedRun,
    Request,
    RowsCallback,
    files_at,
    prepare_run,
)
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.registry.changes import NewRun, RegistryOperation, ReplaceResults, SetStatus
from ape_jupyter.registry.outcomes import KeyedRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.rows import row_of
from ape_jupyter.registry.users import current_user
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.results.reading import RunFiles, displayed
from ape_jupyter.results.records import RunRecord, RunRecords
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION

__all__ = ["SUMMARY", "Intake", "Prepare", "record_of"]

_log = logging.getLogger(__name__)
SUMMARY = f"summary-{SUMMARY_VERSION}"
"""Name of the summary in the cache: where only an older one is there, a new one is made."""

Prepare: TypeAlias = Callable[[Path, Path, Request, RowsCallback | None], PreparedRun]


class Intake:
    """The one way by which runs enter a library; used by any number of threads."""

    def __init__(
        self,
        registry: Registry,
        store: ObjectStore,
        records: RunRecords,
        cache: PersistentCache,
    ) -> None:
        self._registry = registry
        self._store = store
        self._records = records
        self._cache = cache

    def import_path(
        self,
        path: Path,
        *,
        tags: Iterable[str],
        owner: str | None,
        link: bool = False,
        on_rows: RowsCallback | None = None,
        prepare: Prepare | None = None,
    ) -> ImportOutcome:
        """Import one results directory or package; faults become the outcome.

        ``on_rows`` is told how many visits of how many are done. What it raises stops the
        import, of which nothing stays. ``prepare`` stands in for :meth:`prepare_path`.
        """
        try:
            with self._store.staged() as scratch:
                request = Request(tuple(tags), owner or current_user(), link)
                run = (prepare or self.prepare_path)(path, scratch, request, on_rows)
                metadata, status = self._admitted(run, request.owner)
        except InvalidResultsError as error:
            return ImportOutcome(
                path=displayed(path), status=ImportStatus.REFUSED, faults=error.faults
            )
        return ImportOutcome(path=displayed(path), status=status, metadata=metadata)

    def register(
        self, files: RunFiles, *, tags: Iterable[str], owner: str | None
    ) -> SimulationMetadata:
        """Register a run given as tables.

        Raises
        ------
        InvalidResultsError
            With every fault of the tables.
        """
        with self._store.staged() as scratch:
            request = Request(tuple(tags), owner or current_user())
            return self._admitted(self.prepare(files, scratch, request), request.owner)[0]

    def prepare_path(
        self,
        path: Path,
        scratch: Path,
        request: Request,
        on_rows: RowsCallback | None = None,
    ) -> PreparedRun:
        """Read one results directory or package; see :func:`prepare_run`."""
        with reporting_full_disk(self._store.directory):
            files = files_at(path, scratch, request.link)
        return self.prepare(files, scratch, request, on_rows)

    def prepare(
        self,
        files: RunFiles,
        scratch: Path,
        request: Request,
        on_rows: RowsCallback | None = None,
    ) -> PreparedRun:
        """Read a run, and make its summary; see :func:`prepare_run`."""
        look_up = self.look_up(request)
        # What is in memory was brought by this process, and can do it no more harm.
        is_brought = all(isinstance(table, Path) for table in files.tables.values())
        prepare = prepare_isolated if is_brought else prepare_run
        with reporting_full_disk(self._store.directory):
            run = prepare(files, request, self._store, scratch, look_up, on_rows)
            self.keep_summary(run)
        return run

    def look_up(self, request: Request) -> LookUp:
        """Return what tells preparations what the library has under an id."""
        return partial(self._known, link=request.link)

    def keep_summary(self, run: PreparedRun) -> None:
        """Put the summary of a prepared run into the cache."""
        if run.new is not None:
            tables = {SUMMARY: run.new.summary}
            self._cache.files(run.new.metadata.checksum, [SUMMARY], lambda: tables)

    def operation(self, run: PreparedRun) -> NewRun | ReplaceResults | SetStatus:
        """Return what registers a run, or gives a known one these results.

        A run that is there with the same results only comes out of trash and quarantine.
        """
        if run.new is None:
            return SetStatus(sim_id=run.sim_id, status=Status.AVAILABLE)
        kind = ReplaceResults if self._is_registered(run.sim_id) else NewRun
        new = run.new
        return kind(metadata=new.metadata, documents=new.documents, migration=new.migration)

    def commit(
        self,
        runs: Sequence[PreparedRun],
        operations: Sequence[RegistryOperation],
        user: str,
        request: KeyedRequest | None = None,
    ) -> list[SimulationMetadata]:
        """Put the results of runs in their place and carry out the operations, all or nothing."""
        new = [(run, run.new) for run in runs if run.new is not None]

        def publish() -> None:
            for _, results in new:
                self._store.put(results.staged)

        try:
            with reporting_full_disk(self._store.directory):
                after = self._registry.apply(operations, user, request=request, publish=publish)
        except BaseException:
            self._withdraw([results.metadata.checksum for _, results in new])
            raise
        for run, _ in new:
            self._keep_record(run)
        return after

    def _withdraw(self, checksums: Sequence[str]) -> None:
        if not checksums:
            return
        try:
            self._registry.remove_unused(checksums, self._store.remove)
        except (ApeError, OSError):
            # Whatever stopped the registration must be told, and not this. What stays
            # behind is an orphan, which ``verify`` finds.
            _log.warning("Results that were not registered could not be removed", exc_info=True)

    def _keep_record(self, run: PreparedRun) -> None:
        try:
            record = record_of(self._registry.get(run.sim_id), run.tables)
            self._records.save(run.sim_id, record)
        except (ApeError, OSError):
            # The run is registered; ``verify --repair`` writes its record again.
            _log.warning("The record of run %s could not be kept", run.sim_id, exc_info=True)

    def _admitted(self, run: PreparedRun, user: str) -> tuple[SimulationMetadata, ImportStatus]:
        operation = self.operation(run)
        before = None if isinstance(operation, NewRun) else self._registry.get(run.sim_id)
        try:
            (after,) = self.commit([run], [operation], user)
        except ConflictError:
            # Another process registered the run since it was looked for.
            known = self._known(run.sim_id, link=True)
            if known is None or known.tables != run.tables:
                raise
            before = after = self._registry.set_status(run.sim_id, Status.AVAILABLE, user)
        is_new = before is None or before.checksum != after.checksum
        return after, ImportStatus.IMPORTED if is_new else ImportStatus.ALREADY_THERE

    def _is_registered(self, sim_id: str) -> bool:
        try:
            self._registry.get(sim_id)
        except SimulationNotFoundError:
            return False
        return True

    def _known(self, sim_id: str, link: bool) -> KnownRun | None:
        try:
            run = self._registry.get(sim_id)
        except SimulationNotFoundError:
            return None
        problems = self._store.problems(run.checksum)
        is_linked = run.source is Source.LINKED
        return KnownRun(
            tables=self._table_digests(run),
            is_sound=not problems and (link or not is_linked),
            is_replaceable=is_linked and bool(problems),
        )

    def _table_digests(self, run: SimulationMetadata) -> dict[str, str]:
        try:
            return self._store.table_digests(run.checksum)
        except CorruptedDataError:
            record = self._records.read(run.sim_id)
            return {} if record is None else dict(record.tables)


def record_of(run: SimulationMetadata, tables: Mapping[str, str]) -> RunRecord:
    """Return what is kept of a run outside the registry."""
    row = row_of(run)
    return RunRecord(run=row, tags=run.tags, tables=tables)
