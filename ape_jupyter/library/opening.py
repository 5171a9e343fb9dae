"""The part of a library in this process that finds and opens runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.data import OpenedTables, SimulationData
from ape_jupyter.library.documents import documents_of
from ape_jupyter.library.listing import SearchResult
from ape_jupyter.library.requests import search_request
from ape_jupyter.library.residency import Residency
from ape_jupyter.model.completion import Completion
from ape_jupyter.model.listing import RELEVANCE, SearchPage, SearchRequest
from ape_jupyter.model.performance import Operation
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.saved_searches import SearchTerms
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.registry.performed_searches import PerformedSearch
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.users import current_user
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.services.monitor.monitor import PerformanceMonitor
from ape_jupyter.services.search.requests import query_kinds, search_tree
from ape_jupyter.services.search.service import SearchService

__all__ = ["WithRuns"]


class WithRuns:
    """Finds and opens runs; see ``Library``."""

    _registry: Registry
    _searching: SearchService
    _store: ObjectStore
    _cache: PersistentCache
    _monitor: PerformanceMonitor
    _residency: Residency
    _custody: Custody

    def get_metadata(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of one run."""
        return self._registry.find(sim_id)

    def get_all_metadata(self) -> SearchResult:
        """Return the metadata of all runs, newest first."""
        runs = self._registry.usable_runs()
        return SearchResult(runs, len(runs))

    def search(
        self,
        query: str | None = None,
        filters: Mapping[str, Any] | None = None,
        sort_by: str = RELEVANCE,
        descending: bool = True,
        limit: int = 20,
        cursor: str | None = None,
        facets: Iterable[str] = (),
        highlight: bool = False,
    ) -> SearchResult:
        """Find runs by words and exact filters; see ``Library``."""
        request = search_request(query, filters, sort_by, descending, limit, cursor)
        asked = replace(request, facets=tuple(facets), highlight=highlight)
        return SearchResult.of(self.search_page(asked, remember=True))

    def complete(self, query: str, cursor: int | None = None) -> Completion:
        """Return what could stand at the cursor of a query that is being typed."""
        return self._searching.complete(query, cursor)

    def search_page(
        self, request: SearchRequest, *, remember: bool = False, user: str | None = None
    ) -> SearchPage:
        """Return one page of a search.

        Parameters
        ----------
        remember : bool
            Whether the user is to find it among recent searches.
        """
        tree = search_tree(request)
        started = time.perf_counter()
        page = self._searching.page(request)
        seconds = time.perf_counter() - started
        self._monitor.observe(Operation.SEARCH, seconds)
        # To list all runs, or the next ones found, is no search of its own.
        if (request.query.strip() or request.filters) and request.cursor is None:
            performed = PerformedSearch(
                user=user or current_user(),
                terms=SearchTerms.of(request) if remember else None,
                kinds=query_kinds(tree),
                seconds=seconds,
                total=page.total,
            )
            self._registry.note_search(performed)
        return page

    def load_simulation(self, sim_id: str, load_data: bool = False) -> SimulationData:
        """Open a run: its metadata now, its results when they are asked for."""
        metadata = self._registry.find(sim_id)
        data = SimulationData(
            metadata,
            documents=lambda: self._documents(metadata),
            open_tables=lambda: self._opened(metadata).paths,
            read_metadata=lambda: self._registry.get(metadata.sim_id),
            after_unloading=self._residency.keep_to_budget,
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
        started = time.perf_counter()
        is_warm = self._cache.holds(digest, names)
        with self._custody.reading(metadata), ExitStack() as reading:
            paths = self._cache.files(
                digest, names, lambda: reading.enter_context(self._store.reading(digest)).streams()
            )
        self._monitor.opened(metadata.sim_id, time.perf_counter() - started, warm=is_warm)
        self._registry.record_access(metadata.sim_id)
        return OpenedTables(metadata=metadata, paths=paths)
