"""The part of a remote library that finds and opens runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.fetched import TableFetcher
from ape_jupyter.client.transport import Transport
from ape_jupyter.library.data import SimulationData
from ape_jupyter.library.interface import FilterValue
from ape_jupyter.library.listing import SearchResult
from ape_jupyter.library.requests import all_pages, search_request
from ape_jupyter.model.completion import Completion
from ape_jupyter.model.listing import RELEVANCE, SearchPage, SearchRequest
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.messages import OpenedSimulation
from ape_jupyter.wire.searches import encode_search

__all__ = ["RemoteRuns"]


class RemoteRuns:
    """Finds and opens runs; see ``Library``."""

    _transport: Transport
    _tables: TableFetcher

    def get_metadata(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of one run."""
        metadata: SimulationMetadata = self._transport.get(
            SimulationMetadata, "simulations", path_segment(sim_id)
        )
        return metadata

    def get_all_metadata(self) -> SearchResult:
        """Return the metadata of all runs, newest first."""
        return all_pages(self.search_page)

    def search(
        self,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
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
        page: SearchPage = self._transport.get(
            SearchPage, "simulations", params=[*encode_search(asked), ("remember", "true")]
        )
        return SearchResult.of(page)

    def complete(self, query: str, cursor: int | None = None) -> Completion:
        """Return what could stand at the cursor of a query that is being typed."""
        params = [("query", query), *([] if cursor is None else [("cursor", str(cursor))])]
        completion: Completion = self._transport.get(Completion, "completions", params=params)
        return completion

    def search_page(self, request: SearchRequest) -> SearchPage:
        """Return one page of a search."""
        page: SearchPage = self._transport.get(
            SearchPage, "simulations", params=encode_search(request)
        )
        return page

    def load_simulation(self, sim_id: str, load_data: bool = False) -> SimulationData:
        """Open a run: its metadata now, its results when they are asked for."""
        # One request is enough when all is wanted.
        opened = self._open(sim_id) if load_data else None
        metadata = self.get_metadata(sim_id) if opened is None else opened.metadata
        answers = [] if opened is None else [opened]
        data = SimulationData(
            metadata,
            documents=lambda: self.documents(metadata.sim_id),
            open_tables=lambda: self._tables.paths(
                answers.pop() if answers else self._open(metadata.sim_id)
            ),
            read_metadata=lambda: self.get_metadata(metadata.sim_id),
        )
        if load_data:
            data.load_results()
        return data

    def documents(self, sim_id: str) -> SimulationDocuments:
        """Return the protocol, the parameters and the audit log of a run."""
        documents: SimulationDocuments = self._transport.get(
            SimulationDocuments, "simulations", path_segment(sim_id), "documents"
        )
        return documents

    def _open(self, sim_id: str) -> OpenedSimulation:
        opened: OpenedSimulation = self._transport.post(
            OpenedSimulation, "simulations", path_segment(sim_id), "open"
        )
        return opened
