"""A library directory, opened in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import (
    ConflictError,
    Fault,
    InvalidArgumentError,
    InvalidResultsError,
)
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.data import OpenedTables, SimulationData
from ape_jupyter.library.documents import documents_of, read_protocol
from ape_jupyter.library.intake import Intake
from ape_jupyter.library.listing import ImportReport, SearchResult
from ape_jupyter.library.location import DATABASE, prepare_directory
from ape_jupyter.library.registration import described_run, given_tables
from ape_jupyter.library.requests import all_pages, search_request
from ape_jupyter.library.residency import Residency, WithResidency
from ape_jupyter.library.summaries import summary_of
from ape_jupyter.model.comparison import ComparisonRequest, ComparisonType, TimeAlignment
from ape_jupyter.model.listing import (
    ImportOutcome,
    ImportStatus,
    SearchPage,
    SearchRequest,
    TagCount,
)
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.model.version import package_version
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.reading import RunFiles, displayed
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION
from ape_jupyter.services.compare import compare_summaries, comparison_request
from ape_jupyter.services.discovery import find_runs

__all__ = ["LocalLibrary"]


class LocalLibrary(WithResidency):
    """A library in a directory; see :class:`ape_jupyter.library.interface.Library`.

    Threads may share one. Any number of processes of one machine may open the directory.
    Methods that take runs in have ``user``: the owner of the runs, by default the user of
    this process.
    """

    def __init__(self, directory: Path, budget: Budget | None = None) -> None:
        self.directory = directory
        self._registry = Registry(directory / DATABASE)
        self._store = ObjectStore(directory / "objects", directory / "staging")
        pinned = self._registry.pinned_checksums
        self._cache = PersistentCache(directory / "cache", budget, pinned)
        self._residency = Residency(self._registry, self._cache)
        self._intake = Intake(self._registry, self._store, self._cache)

    @classmethod
    def open(
        cls, directory: str | PathLike[str], *, cache_budget_mb: float | None = None
    ) -> LocalLibrary:
        """Open a library, making the directory when there is none.

        Parameters
        ----------
        cache_budget_mb : float, optional
            What the mapped files may take. Default: ``APE_JUPYTER_CACHE_BUDGET_MB``, else a
            fifth of the disk or half of the memory, whichever is less.

        Raises
        ------
        SchemaTooNewError
            If a newer version of ape-jupyter wrote the library.
        InvalidArgumentError
            If the directory can not be made or holds something else, or the budget is none.
        """
        path = Path(directory).expanduser().absolute()
        budget = Budget.of(cache_budget_mb)
        try:
            prepare_directory(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidArgumentError(f"No library can be kept in {path}: {reason}.") from error
        return cls(path, budget)

    @property
    def location(self) -> str:
        """The directory."""
        return str(self.directory)

    def revision(self) -> int:
        """Return a number that grows with every change of the metadata."""
        return self._registry.revision()

    # Taking in

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
        user: str | None = None,
    ) -> ImportReport:
        """Take in a results directory, a folder of many, or a package; see ``Library``."""
        root = Path(path).expanduser()
        if not root.exists():
            raise InvalidArgumentError(f"There is nothing at {root}.")
        runs = find_runs(root)
        if not runs:
            message = (
                f"There are no APE results in {root}: no directory with a metadata.json, "
                "patients.parquet and visits.parquet, and no package (.zip)."
            )
            raise InvalidArgumentError(message)
        wanted_tags = [normalise_tag(tag) for tag in tags]
        outcomes = []
        for position, run in enumerate(runs):
            follow = None
            if progress:
                step = Progress(done=position, total=len(runs), current=run.name)
                progress(step)
                follow = partial(_tell_rows, progress, step)
            outcomes.append(self._import_one(run, wanted_tags, user, follow))
        if progress:
            progress(Progress(done=len(runs), total=len(runs)))
        if runs == [root] and outcomes[0].faults:
            raise InvalidResultsError(outcomes[0].path, outcomes[0].faults)
        return ImportReport(outcomes)

    def _import_one(
        self,
        run: Path,
        tags: Sequence[str],
        user: str | None,
        on_rows: Callable[[int, int], None] | None = None,
    ) -> ImportOutcome:
        try:
            return self._intake.import_path(run, tags=tags, owner=user, on_rows=on_rows)
        except ConflictError as error:
            fault = Fault("metadata.json", str(error), "sim_id")
        except PermissionError as error:
            fault = Fault(displayed(run), f"can not be read: {error.strerror}")
        return ImportOutcome(path=displayed(run), status=ImportStatus.REFUSED, faults=(fault,))

    def import_package(
        self, path: Path, *, tags: Iterable[str] = (), user: str | None = None
    ) -> ImportOutcome:
        """Take in one package; its faults are in the outcome."""
        return self._import_one(path, [normalise_tag(tag) for tag in tags], user)

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
        user: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables; see ``Library``."""
        given = {"patients": patients, "visits": visits, "costs": costs, "resources": resources}
        tables = given_tables(f"run {name!r}" if name else "the run", given)
        protocol = read_protocol(protocol)
        documents = {"protocol": protocol, "parameters": parameters, "audit_log": audit_log}
        details = described_run(tables, parameters or {}, protocol or {}, name)
        details["library"] = {
            "source": "registered",
            "notes": notes,
            "parent": self._parent(parent),
        }
        files = RunFiles(
            label=f"run {details['memorable_name']!r}",
            metadata=details,
            tables=tables,
            documents={key: value for key, value in documents.items() if value is not None},
        )
        return self._intake.register(files, tags=tags, owner=user)

    def _parent(self, parent: str | None) -> str | None:
        return None if parent is None else self._registry.find(parent).sim_id

    # Finding and opening

    def get_metadata(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of one run."""
        return self._registry.find(sim_id)

    def get_all_metadata(self) -> SearchResult:
        """Return the metadata of all runs, newest first."""
        return all_pages(self.search_page)

    def search(
        self,
        query: str | None = None,
        filters: Mapping[str, Any] | None = None,
        sort_by: str = "created_at",
        descending: bool = True,
        limit: int = 20,
        cursor: str | None = None,
    ) -> SearchResult:
        """Find runs by words and exact filters; see ``Library``."""
        request = search_request(query, filters, sort_by, descending, limit, cursor)
        page = self.search_page(request)
        return SearchResult(page.items, page.total, page.next_cursor)

    def search_page(self, request: SearchRequest) -> SearchPage:
        """Return one page of a search."""
        return self._registry.search(request)

    def load_simulation(self, sim_id: str, load_data: bool = False) -> SimulationData:
        """Open a run: its metadata now, its results when they are asked for."""
        metadata = self._registry.find(sim_id)
        data = SimulationData(
            metadata,
            documents=lambda: self._documents(metadata),
            open_tables=lambda: self._opened(metadata).paths,
            read_metadata=lambda: self._registry.get(metadata.sim_id),
        )
        if load_data:
            data.load_results()
        return data

    def documents(self, sim_id: str) -> SimulationDocuments:
        """Return the protocol, the parameters and the audit log of a run."""
        return self._documents(self._registry.find(sim_id))

    def _documents(self, metadata: SimulationMetadata) -> SimulationDocuments:
        return documents_of(metadata, self._registry.documents(metadata.sim_id))

    def open_tables(self, sim_id: str) -> OpenedTables:
        """Make sure that the mapped files of a run are there, and return their paths.

        Raises
        ------
        CorruptedDataError
            If they have to be made from a stored object that is damaged.
        """
        return self._opened(self._registry.find(sim_id))

    def _opened(self, metadata: SimulationMetadata) -> OpenedTables:
        digest = metadata.checksum
        names = ["patients", "visits"]
        names += ["costs"] * metadata.has_costs + ["resources"] * metadata.has_resources
        paths = self._cache.files(digest, names, lambda: self._store.read(digest).streams())
        self._registry.record_access(metadata.sim_id)
        return OpenedTables(metadata=metadata, paths=paths)

    # Tags

    def add_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Tag a run."""
        return self.set_tags([sim_id], add=[tag])[0]

    def remove_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Take a tag off a run."""
        return self.set_tags([sim_id], remove=[tag])[0]

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""
        found = [self._registry.find(sim_id).sim_id for sim_id in sim_ids]
        added = [normalise_tag(tag) for tag in add]
        return self._registry.set_tags(found, added, [normalise_tag(tag) for tag in remove])

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""
        return self._registry.tag_counts()

    # Comparison

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        found = [self._registry.find(sim_id).sim_id for sim_id in sim_ids]
        chosen = None if reference is None else self._registry.find(reference).sim_id
        return self.compare(
            comparison_request(found, comparison_type, metrics, time_alignment, chosen, confidence)
        )

    def compare(self, request: ComparisonRequest) -> ComparisonResult:
        """Carry out a comparison that is completely stated."""
        runs = tuple(self._registry.get_many(request.sim_ids))
        summaries = {run.sim_id: summary_of(run, self._store, self._cache) for run in runs}
        found = dict(
            zip(("series", "differences"), compare_summaries(request, summaries), strict=True)
        )
        provenance = {
            "ape_jupyter_version": package_version(),
            "summary_version": SUMMARY_VERSION,
            "observations": "observed",
            "checksums": {run.sim_id: run.checksum for run in runs},
        }
        return ComparisonResult(request=request, runs=runs, provenance=provenance, **found)

    # Trash

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash."""
        return self._registry.set_status(self._registry.find(sim_id).sim_id, Status.TRASHED)

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash."""
        return self._registry.set_status(self._registry.get(sim_id).sim_id, Status.AVAILABLE)

    def close(self) -> None:
        """Release the database. Results that are open stay readable."""
        self._registry.close()

    def __enter__(self) -> LocalLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalLibrary({self.location!r})"


def _tell_rows(progress: ProgressCallback, step: Progress, done: int, total: int) -> None:
    progress(replace(step, rows_done=done, rows_total=total))
