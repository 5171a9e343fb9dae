"""Taking runs in: from files, packages and tables, through checks, into the library."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import (
    ConflictError,
    CorruptedDataError,
    Fault,
    InvalidResultsError,
    SimulationNotFoundError,
)
from ape_jupyter.library.preparation import (
    KnownRun,
    PreparedRun,
    Request,
    RowsCallback,
    prepare_run,
)
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.rows import row_of
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.results.reading import RunFiles, displayed
from ape_jupyter.results.records import RunRecord, RunRecords
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION
from ape_jupyter.services.discovery import is_package
from ape_jupyter.services.packages import extract_package

__all__ = ["SUMMARY", "Intake", "record_of"]

SUMMARY = f"summary-{SUMMARY_VERSION}"
"""Name of the summary in the cache: where only an older one is there, a new one is made."""


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
    ) -> ImportOutcome:
        """Import one results directory or package; faults become the outcome.

        ``on_rows`` is told how many visits of how many are done. What it raises stops the
        import, of which nothing stays.
        """
        try:
            request = Request(tuple(tags), owner or _current_user(), link)
            with self._scratch() as scratch:
                files = _files_at(path, scratch, link)
                metadata, status = self._admitted(self._prepared(files, scratch, request, on_rows))
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
        with self._scratch() as scratch:
            request = Request(tuple(tags), owner or _current_user())
            return self._admitted(self._prepared(files, scratch, request))[0]

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with reporting_full_disk(self._store.directory), self._store.staged() as scratch:
            yield scratch

    def _prepared(
        self,
        files: RunFiles,
        scratch: Path,
        request: Request,
        on_rows: RowsCallback | None = None,
    ) -> PreparedRun:
        look_up = partial(self._known, link=request.link)
        return prepare_run(files, request, self._store, scratch, look_up, on_rows)

    def _admitted(self, run: PreparedRun) -> tuple[SimulationMetadata, ImportStatus]:
        """Register a run, out of the trash or quarantine if it is there."""
        is_new = run.metadata is not None and self._register(run, run.metadata)
        status = ImportStatus.IMPORTED if is_new else ImportStatus.ALREADY_THERE
        return self._registry.set_status(run.sim_id, Status.AVAILABLE), status

    def _register(self, run: PreparedRun, metadata: SimulationMetadata) -> bool:
        """Register a run, or give a known one these results; True when results are new."""
        digest = metadata.checksum
        self._cache.files(digest, [SUMMARY], lambda: {SUMMARY: run.summary})
        documents = self._store.documents(digest)
        try:
            before = self._registry.get(run.sim_id)
        except SimulationNotFoundError:
            self._records.save(run.sim_id, record_of(metadata, run.tables))
            try:
                self._registry.add(metadata, documents)
            except ConflictError:
                # Another process registered the run since it was looked for.
                known = self._known(run.sim_id, link=True)
                if known is None or known.tables != run.tables:
                    raise
                return False
            return True
        self._registry.replace_results(metadata, documents)
        after = self._registry.get(run.sim_id)
        self._records.save(run.sim_id, record_of(after, run.tables))
        return before.checksum != after.checksum

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
    del row["search_text"]  # made of the rest
    return RunRecord(run=row, tags=run.tags, tables=tables)


def _files_at(path: Path, scratch: Path, link: bool) -> RunFiles:
    if not is_package(path):
        return RunFiles.of_directory(path)
    if link:
        problem = "is a package, which can not be linked; import it with a copy"
        raise InvalidResultsError(displayed(path), [Fault(path.name, problem)])
    return extract_package(path, scratch)


def _current_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return f"uid-{os.getuid()}"
